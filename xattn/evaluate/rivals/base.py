"""The interface of a rival: it learns from interactions and scores every item for a history. Nothing more.

A rival is not a `Recommender`: its scores are no ledgers, so it is neither explained, nor saved, nor served.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from typing import ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator

from xattn.data import History, Interactions
from xattn.errors import check_fitted, check_some, check_type, refuse
from xattn.errors.constraints import Constraint, check_params, constraints
from xattn.model.strength import RatingScale
from xattn.progress import Progress
from xattn.recommenders.estimator import Space, space

__all__ = ["Rival"]


class Rival(BaseEstimator, ABC):  # type: ignore[misc]
    """Base of all rivals: parameters as in scikit-learn, `fit` and `scores_of`.

    `package` has to be installed beside xattn (None: no package). After `fit` there are `data_` (the
    Interactions) and `scale_` (their rating scale).
    """

    package: ClassVar[str | None] = None
    search_space: ClassVar[Space] = space()  # settings that matter, as of a Recommender
    _constraints: ClassVar[Mapping[str, Constraint]] = constraints()  # what each parameter must be
    data_: Interactions
    scale_: RatingScale

    @abstractmethod
    def _fit(self, data: Interactions, progress: Progress | None) -> None: ...

    @abstractmethod
    def _scores(self, history: History) -> np.ndarray: ...

    def check_installed(self) -> None:
        """Raise InputError where the package that this rival comes from is not there."""
        if self.package is not None and find_spec(self.package) is None:
            refuse("not_installed", package=self.package, name=type(self).__name__)

    def fit(self, data: Interactions, y: None = None, *, progress: Progress | None = None) -> Self:
        """Learn from `data` and return self; `progress(what, share)` is called as the work goes on.

        Raises InputError when a parameter or the data breaks a stated condition, or the package is not installed.
        """
        self.check_installed()
        check_some("data", check_type("data", data, Interactions, "interactions_to_fit").item, "event")
        check_params(self)
        self.data_ = data
        self.scale_ = RatingScale.of(data.scale)
        self._fit(data, progress)
        return self

    def scores_of(self, history: History) -> np.ndarray:
        """Scores (M,) float64 of every item; masked events are not looked at."""
        check_fitted(self, "data_")
        return np.asarray(self._scores(history), dtype=np.float64)
