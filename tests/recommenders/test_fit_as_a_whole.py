"""A fit succeeds as a whole or changes nothing: errors and interruptions at any moment leave the old model."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.models import MODELS, fitted, with_what_was_chosen
from tests.planting import must_fail
from xattn import InputError, Interactions
from xattn.data.synthetic import planted
from xattn.model.strength import RatingScale
from xattn.recommenders import Popularity, Recommender
from xattn.recommenders.estimator import Estimator

every_model = pytest.mark.parametrize("name", MODELS)


@cache
def other() -> Interactions:
    """Other users, other items, other ratings."""
    return planted("copurchase", n_users=30, n_items=41, seed=7).data


@cache
def later() -> Interactions:
    """Events of known users that come after those of `fitted`, and a new user."""
    data = fitted("popularity").data_
    return data.select(data.user < 3)


def seen(model: Recommender) -> tuple[Any, ...]:
    """What a model says of its data, its scores, its ledgers and itself."""
    history = model.history("u3")
    why = model.explain("u3", "i2")
    arrays = {name: array.tobytes() for name, array in model._state().items()}
    return (model.data_.checksum, model.scale_, model.scores_of(history).tobytes(), why.to_json(), arrays)


def attributes(model: Recommender) -> dict[str, int]:
    return {name: id(value) for name, value in vars(model).items()}


class Stopped(BaseException):
    """As KeyboardInterrupt is: no Exception."""


def stop_after(calls: int, error: type[BaseException]) -> Callable[[str, float], None]:
    left = [calls]

    def progress(what: str, share: float) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise error("stopped")

    return progress


@every_model
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, Stopped])
def test_a_fit_that_progress_stops_changes_nothing(name: str, error: type[BaseException]) -> None:
    model = MODELS[name]().fit(fitted(name).data_)
    before, said = attributes(model), seen(model)
    told: list[float] = []
    MODELS[name]().fit(other(), progress=lambda what, share: told.append(share))
    for calls in sorted({0, len(told) // 2, len(told) - 1} & set(range(len(told)))):
        with pytest.raises(error):
            model.fit(other(), progress=stop_after(calls, error))
        assert attributes(model) == before
        assert seen(model) == said


@every_model
def test_a_fit_that_breaks_inside_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the very end of the model's own fit, when all its tables are made."""
    model = MODELS[name]().fit(fitted(name).data_)
    before, said = attributes(model), seen(model)
    real = type(model)._fit

    def breaks(self: Recommender, *args: Any) -> None:
        real(self, *args)
        raise MemoryError

    monkeypatch.setattr(type(model), "_fit", breaks)
    with pytest.raises(MemoryError):
        model.fit(other())
    if model.grows:
        with pytest.raises(MemoryError):
            model.partial_fit(later())
    assert {key: value for key, value in attributes(model).items() if key != "_kept"} == {
        key: value for key, value in before.items() if key != "_kept"
    }
    assert seen(model) == said


@every_model
def test_growth_that_breaks_leaves_a_model_that_can_grow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept sums are used up by the growth that failed, so the next one counts anew, and comes to the same."""
    model = MODELS[name]().fit(fitted(name).data_)
    if not model.grows:
        pytest.skip("it is trained anew")
    model.partial_fit(later())
    whole, said = model.data_.extended(later()), seen(model)
    real = type(model)._fit

    def breaks(self: Recommender, *args: Any) -> None:
        real(self, *args)
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(type(model), "_fit", breaks)
        with pytest.raises(MemoryError):
            model.partial_fit(later())
    assert seen(model) == said
    model.partial_fit(later())
    assert model.data_.checksum == whole.checksum
    want = with_what_was_chosen(model).fit(whole).score("u3")
    if name != "hybrid learned":  # whose learned heads stay as they are
        np.testing.assert_allclose(model.score("u3"), want, rtol=0, atol=1e-6 * np.abs(want).max())


@every_model
def test_wrong_settings_are_told_before_anything_changes(name: str) -> None:
    model = MODELS[name]().fit(fitted(name).data_)
    if not model.get_params():
        pytest.skip("it has no settings")
    setting = next(iter(model.get_params()))
    model.set_params(**{setting: object()})
    before = attributes(model)
    with pytest.raises(ValueError, match=f"`{setting}`"):
        model.fit(other())
    assert attributes(model) == before


def test_what_fit_did_not_set_stays() -> None:
    """A note that somebody keeps on the model outlives the fits; what a fit learned does not."""
    model = Popularity()
    model.note = "mine"  # type: ignore[attr-defined]
    model.fit(fitted("popularity").data_)
    first = set(vars(model))
    model.fit(other())
    assert model.note == "mine"  # type: ignore[attr-defined]
    assert set(vars(model)) == first
    assert len(model.base_) == other().n_items


# --- the tests are tested ---------------------------------------------------------------------------------------------


def fits_in_place(self: Estimator, fresh: Estimator, data: Interactions, progress: Any) -> Estimator:
    """As it was before: the new data stands in the model from the first moment on."""
    self.data_, self.scale_ = data, RatingScale.of(data.scale)
    self._fit(data, progress or (lambda what, share: None))
    return self


@pytest.mark.parametrize(
    ("test", "args"),
    [
        (test_a_fit_that_progress_stops_changes_nothing, ("hybrid", RuntimeError)),
        (test_a_fit_that_progress_stops_changes_nothing, ("ease", KeyboardInterrupt)),
        (test_a_fit_that_breaks_inside_changes_nothing, ("users",)),
        (test_what_fit_did_not_set_stays, ()),
    ],
)
def test_a_fit_in_place_is_caught(
    test: Callable[..., None], args: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Estimator, "_fit_fresh", fits_in_place)
    more = (monkeypatch,) if test is test_a_fit_that_breaks_inside_changes_nothing else ()
    if test is test_what_fit_did_not_set_stays:
        monkeypatch.setattr(Popularity, "_fit", _leaves_a_trace)
    must_fail(test, *args, *more, by=(AssertionError, InputError))


def _leaves_a_trace(self: Popularity, data: Interactions, progress: Any) -> None:
    counts = data.counts()
    self.base_ = counts / counts.sum()
    setattr(self, f"seen_{data.n_items}_", True)
