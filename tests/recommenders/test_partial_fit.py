"""`partial_fit`: the same model as a fit to all events, after one step and after several."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import MODELS, fitted, with_what_was_chosen
from xattn import EASE, CollaborativeAttention, HybridAttention, InputError, Interactions, ItemKNN, NeuralAttention
from xattn.data.synthetic import planted
from xattn.recommenders import Recommender

GROWING: dict[str, Callable[[], Recommender]] = {name: make for name, make in MODELS.items() if type(make()).grows}
ONE_OF_EACH = ("content", "collaborative", "collaborative any", "hybrid", "hybrid any", "users", "item knn", "ease")


def assert_equal_scores(grown: Recommender, anew: Recommender) -> None:
    """Every user's scores, within 1e-6 of the largest, item by item id."""
    assert grown.data_.user_ids == anew.data_.user_ids
    assert grown.data_.items.ids == anew.data_.items.ids
    for user in anew.data_.user_ids:
        want = anew.score(user)
        np.testing.assert_allclose(grown.score(user), want, rtol=0, atol=1e-6 * np.abs(want).max())


def steps(data: Interactions, late: np.ndarray, parts: int) -> list[Interactions]:
    """`data` in parts: events that are not `late`, then the late ones in turn, without users or items not yet met."""
    turn = np.where(late, 1 + np.cumsum(late) % parts, 0)
    return [data.select(turn == part).core(1) for part in range(parts + 1) if (turn == part).any()]


@pytest.mark.parametrize("name", ONE_OF_EACH)
@given(seed=st.integers(0, 99), share=st.sampled_from((0.02, 0.3)), parts=st.integers(1, 3))
@settings(max_examples=6)
def test_it_is_a_fit_to_all_events(name: str, seed: int, share: float, parts: int) -> None:
    """New users, new items, items that become warm: the late events hold some of each."""
    rng = np.random.default_rng(seed)
    data = planted("genre", n_users=40, seed=seed).data
    late = rng.random(data.n_events) < share
    late |= (data.user >= 37) | (data.item == seed % 40)
    first, *later = steps(data, late, parts)
    model = MODELS[name]().fit(first)
    whole = first
    for part in later:
        model.partial_fit(part)
        whole = whole.extended(part)
    assert_equal_scores(model, with_what_was_chosen(model).fit(whole))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_are_kept_and_used(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first call, what goes over all events is not called any more."""
    data = planted("genre", n_users=60, seed=2).data
    turn = np.minimum(np.arange(data.n_events) % 50, 2)
    parts = [data.select((turn == 2) | (turn > 2)), data.select(turn == 0), data.select(turn == 1)]
    model = CollaborativeAttention(min_events=2, dtype=dtype).fit(parts[0])
    assert model._kept is None
    model.partial_fit(parts[1])
    assert model._kept is not None

    def never(*args: object) -> None:
        raise AssertionError("all events were gone over again")

    monkeypatch.setattr("xattn.recommenders.behaviour.sums_of", never)
    monkeypatch.setattr("xattn.model.fit.closed_form.accumulate_gram", never)
    model.partial_fit(parts[2])
    monkeypatch.undo()
    whole = parts[0].extended(parts[1]).extended(parts[2])
    assert_equal_scores(model, CollaborativeAttention(min_events=2, dtype=dtype).fit(whole))


@pytest.mark.parametrize(
    "changed", [{"recency": (2.0,)}, {"beta": 1.0}, {"min_events": 9}, {"event_weights": {"": 0.5}}]
)
def test_parameters_that_changed_in_between_hold(changed: dict[str, object]) -> None:
    data = planted("genre", n_users=50, seed=3).data
    part = [data.select(np.arange(data.n_events) % 3 == r) for r in range(3)]
    model = HybridAttention(min_events=2).fit(part[0]).partial_fit(part[1]).set_params(**changed).partial_fit(part[2])
    whole = part[0].extended(part[1]).extended(part[2])
    assert_equal_scores(model, HybridAttention(**{"min_events": 2, **changed}).fit(whole))


def test_a_fit_in_between_starts_afresh() -> None:
    data = planted("genre", n_users=50, seed=4).data
    half, other = data.select(data.user % 2 == 0), data.select(data.user % 2 == 1)
    model = CollaborativeAttention(min_events=2).fit(half).partial_fit(other).fit(half)
    assert model._kept is None
    assert_equal_scores(model, CollaborativeAttention(min_events=2).fit(half))


def test_before_a_fit_it_is_one() -> None:
    data = fitted("ease").data_
    assert_equal_scores(EASE().partial_fit(data), EASE().fit(data))


def test_nothing_new_changes_nothing() -> None:
    data = planted("genre", n_users=50, seed=5).data
    model = HybridAttention(min_events=2).fit(data)
    before = model.score("u3")
    model.partial_fit(data.select(np.zeros(data.n_events, bool)))
    np.testing.assert_allclose(model.score("u3"), before, rtol=0, atol=1e-6 * np.abs(before).max())


def test_what_cannot_grow_says_so_and_stays() -> None:
    model = fitted("neural")
    with pytest.raises(InputError, match="`partial_fit` must be asked of a model in closed form; got NeuralAttention"):
        model.partial_fit(model.data_)
    assert isinstance(model, NeuralAttention)
    knn = ItemKNN().fit(fitted("ease").data_)
    before = knn.data_
    with pytest.raises(InputError, match="`other` must be Interactions"):
        knn.partial_fit([["u1", "i1"]])
    assert knn.data_ is before
