"""Fitting: an estimator as in scikit-learn, whose fit either succeeds as a whole or changes nothing.

Every fit learns into a fresh twin of the estimator. The estimator takes over what the twin has learned at the very end,
in one step. So an error, or an interruption out of the progress callback, leaves the old model as it was: data, tables
and settings still belong together.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from xattn.data import Interactions
from xattn.data.checksum import checksum_of
from xattn.data.sampled import SampledInteractions
from xattn.errors import (
    NotFittedError,
    check_array,
    check_fitted,
    check_same_length,
    check_some,
    check_type,
    current_names,
    refuse,
    takes_old_names,
    warn_of_old,
)
from xattn.errors.constraints import Constraint, check_params, constraints
from xattn.model.state import plain_setting
from xattn.model.strength import RatingScale
from xattn.progress import Progress, silent

__all__ = ["Estimator", "LogRange", "Space", "check_state", "space"]


class UnfittedRecommenderError(NotFittedError, SklearnNotFittedError):  # type: ignore[misc]
    """A recommender was used before `fit`: our error and scikit-learn's at once."""


class LogRange(NamedTuple):
    """Numbers to try for a setting: any between the two ends, drawn evenly on a scale of logarithms."""

    low: float
    high: float


Space = Mapping[str, Sequence[Any] | LogRange]


def space(**values: Sequence[Any] | LogRange) -> Space:
    """The values that a search tries, by setting."""
    return MappingProxyType(values)


class Estimator(BaseEstimator, ABC):  # type: ignore[misc]
    """What is fitted to Interactions, saved, and told apart from other fits.

    Attributes after `fit`: `data_` (the Interactions), `base_` (M,) what each item's score is without any history,
    `scale_` (the data's rating scale), and what the model learned.

    A class also declares what others need to know of it:

        grows           whether `partial_fit` is more than a training from scratch
        gaps            the arrays of `_state` in which NaN stands for what is not there; others hold finite numbers
        quick           whether a fit to 100,000 events takes seconds, so that a page may fit it while somebody waits
        search_space    the settings that matter, and the values that a search tries: lists, or a `LogRange`
        settings_for    for a question ("next", "any", "rating") the settings that answer it; each takes the place of
                        a setting that is "auto"
        unsaved         the settings that no file holds, as functions: they are None in a model that was loaded
        saves           whether the model can be saved at all
    """

    data_: Interactions
    base_: np.ndarray
    scale_: RatingScale
    grows: ClassVar[bool] = False
    gaps: ClassVar[frozenset[str]] = frozenset()
    quick: ClassVar[bool] = True
    search_space: ClassVar[Space] = space()
    settings_for: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    unsaved: ClassVar[frozenset[str]] = frozenset()
    saves: ClassVar[bool] = True
    _constraints: ClassVar[Mapping[str, Constraint]] = constraints()  # what each parameter must be
    _renamed: ClassVar[Mapping[str, str]] = MappingProxyType({})  # old name of a parameter → its name of today
    _learned: frozenset[str] = frozenset()  # the attributes that a fit has set

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "_renamed" in vars(cls):
            cls.__init__ = takes_old_names(**cls._renamed)(cls.__init__)  # type: ignore[method-assign]

    if not TYPE_CHECKING:  # else every attribute would exist for type checkers

        def __getattr__(self, name):
            new = type(self)._renamed.get(name)
            if new is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            warn_of_old("renamed", name=new, old=name)
            return getattr(self, new)

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name and return self, as in scikit-learn; old names work for one version."""
        super().set_params(**current_names(params, self._renamed))
        return self

    # --- what a model supplies ---------------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, data: Interactions, progress: Progress) -> None:
        """Learn from `data`, which is `data_` already; set `base_` and whatever else the scores need."""

    @abstractmethod
    def _state(self) -> dict[str, np.ndarray]:
        """What `fit` learned, as plain arrays."""

    @abstractmethod
    def _restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what `_state` gave; `data_` and `scale_` are there already. Raises InputError for odd arrays."""

    def _grow_from(self, old: Self, whole: Interactions) -> None:
        """Take over from a fitted model what saves work in the fit to `whole`, its data and later events.

        `old` stays in use if the fit fails, so whatever is used up must be taken away from it.
        """

    def _shrink_from(self, old: Self, rest: Interactions, gone: np.ndarray) -> None:
        """Take over from a fitted model what saves work in the fit to `rest`, its data without the users in rows
        `gone`, and would be the same in a fit that never saw them. What is used up is taken away from `old`."""

    # --- fit ---------------------------------------------------------------------------------------------------------

    def fit(self, data: Interactions, y: None = None, *, progress: Progress | None = None) -> Self:
        """Fit to `data` and return self; `progress(what, share)` is called as the work goes on.

        Whatever goes wrong, or is raised by `progress`, leaves the model as it was. Raises InputError when a parameter
        or the data breaks a stated condition.
        """
        check_type("data", data, Interactions, "interactions_to_fit")
        return self._fit_fresh(self._fresh(), data, progress)

    def partial_fit(self, data: Interactions, y: None = None, *, progress: Progress | None = None) -> Self:
        """Take in the new events of `data`, and return self: equal, to rounding, to a fit to ``data_.extended(data)``.

        What the first fit chose stays: what a dislike counts (`dislike_`), and the learned heads of HybridAttention.
        Users and items may be known or new. The attention models keep their sums after the first call (some 0.6 GB for
        3,500 items and two heads), so that the next calls go over those users alone who have something new; other
        models count again. Before any `fit` this is `fit`. Raises InputError where a model has to be trained anew,
        where the data does not fit to what is there (`Interactions.extended`), and as `fit` does.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> data = planted("genre", n_users=9, seed=0).data
        >>> model = Popularity().fit(data.select(data.user < 5)).partial_fit(data.select(data.user >= 5))
        >>> bool((model.base_ == Popularity().fit(data).base_).all())
        True
        """
        if not hasattr(self, "base_"):
            return self.fit(data, progress=progress)
        return self.grow_to(self.data_.extended(data), progress=progress)

    def grow_to(self, whole: Interactions, *, progress: Progress | None = None) -> Self:
        """What `partial_fit` does, with the old and the new events as one data set, and return self.

        Users and items of `whole` that the model knows have the rows that they had; all their events are there. Events
        may come between old ones, as those do that arrive late. Raises InputError as `partial_fit` does.
        """
        if not self.grows:
            refuse("no_partial_fit", got=type(self).__name__)
        self._check_fitted()
        self._check_whole()
        check_params(self)
        fresh = self._fresh()
        fresh._grow_from(self, whole)
        return self._fit_fresh(fresh, whole, progress)

    def forget(self, users: Iterable[Any], *, progress: Progress | None = None) -> Self:
        """Forget these users exactly, and return self: what a fit to the data without them gives.

        Nothing that was learned from them stays, and neither their ids nor their events are in the model. Attention
        models with ``dtype="float64"`` and whole tables keep sums over users: they take the users' part out, and solve
        again, which agrees with a fit to rounding (some 1e-12). All other models are fitted anew. Raises UnknownIdError
        for a user that the model does not know, and InputError where nobody remains.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> data = planted("genre", n_users=9, seed=0).data
        >>> model = Popularity().fit(data).forget(["u3"])
        >>> bool((model.base_ == Popularity().fit(data.without_users(["u3"])).base_).all())
        True
        """
        self._check_fitted()
        self._check_whole()
        check_params(self)
        given = list(users)
        rest = self.data_.without_users(given)
        fresh = self._fresh()
        fresh._shrink_from(self, rest, np.array([self.data_.user_row(user) for user in given], np.int64))
        return self._fit_fresh(fresh, rest, progress)

    def _fit_fresh(self, fresh: Self, data: Interactions, progress: Progress | None) -> Self:
        check_some("data", data.item, "event")
        check_params(fresh)
        fresh.data_, fresh.scale_ = data, RatingScale.of(data.scale)
        fresh._fit(data, progress or silent)
        fresh._learned = frozenset({"_learned", *vars(fresh)} - vars(self._fresh()).keys())
        self.__dict__ = fresh.__dict__
        return self

    def _fresh(self) -> Self:
        """A twin with the same settings, which has learned nothing."""
        twin = object.__new__(type(self))
        twin.__dict__ = {name: value for name, value in vars(self).items() if name not in self._learned}
        return twin

    @classmethod
    def restored(cls, settings: Mapping[str, Any], data: Interactions, state: dict[str, np.ndarray]) -> Self:
        """A fitted model from its settings, its data, and the arrays that `_state` gave. Raises InputError."""
        model = cls(**settings)
        before = set(vars(model))
        check_params(model)
        model.data_, model.scale_ = data, RatingScale.of(data.scale)
        check_state(state, cls.gaps)
        model._restore(state)
        check_same_length(items=data.n_items, base=len(check_array("base", model.base_, ndim=1)))
        model._learned = frozenset({"_learned", *vars(model)} - before)
        return model

    def _check_whole(self) -> None:
        """Raise InputError where the model holds a sample of a larger set, which says too little of the others."""
        if isinstance(self.data_, SampledInteractions):
            refuse("sampled_data", got=self.data_.n_users)

    def _check_fitted(self) -> None:
        check_fitted(self, "base_", error=UnfittedRecommenderError)

    def saved_params(self) -> dict[str, Any]:
        """The settings that a file holds."""
        return {name: value for name, value in self.get_params(deep=False).items() if name not in self.unsaved}

    # --- identity ----------------------------------------------------------------------------------------------------

    def fingerprint(self) -> str:
        """The identity of the fitted model: SHA-256 of its class, settings, data and learned arrays, in hexadecimal.

        Two fits to the same data with the same settings have the same fingerprint, and so has a model that was saved
        and loaded. The first call takes some tenths of a second for a hundred megabytes of values.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> data = planted("genre", seed=0).data
        >>> Popularity().fit(data).fingerprint() == Popularity().fit(data).fingerprint()
        True
        """
        self._check_fitted()
        now = dict(vars(self))
        then, text = _digests.get(self, ({}, ""))
        if now.keys() != then.keys() or any(value is not then[name] for name, value in now.items()):
            settings = json.dumps(self.saved_params(), sort_keys=True, default=_plain)
            arrays = [part for name, array in sorted(self._state().items()) for part in (name, array)]
            text = checksum_of(type(self).__name__, settings, self.data_.checksum, *arrays)
            _digests[self] = now, text
        return text


_digests: WeakKeyDictionary[Estimator, tuple[dict[str, Any], str]] = WeakKeyDictionary()  # with the attributes then


def _plain(value: Any) -> Any:
    try:
        return plain_setting(value)
    except TypeError:
        return str(value)


def check_state(state: Mapping[str, np.ndarray], gaps: Collection[str]) -> None:
    """Every number of a fitted model's arrays is finite; NaN may stand in `gaps`. Raises InputError."""
    for name, array in state.items():
        if array.dtype.kind == "f":
            lacking = np.isnan(array) if name in gaps else np.zeros(1, bool)
            check_array(name, array[~lacking] if lacking.any() else array, ndim=None)
