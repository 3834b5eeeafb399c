"""How long an event lasted, as its strength: the rule, its use in fits, and that it is found where it decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn import CollaborativeAttention, ContentAttention, History, HybridAttention, Interactions
from xattn.data import planted
from xattn.data.scale import Scale, scale_of_lasting
from xattn.errors import InputError
from xattn.evaluate.faithfulness.causes import planted_recall
from xattn.model.strength import RatingScale, found, lasted, presence, signed, taste
from xattn.recommenders.persist import load_model, save_model

HALF = RatingScale(0.0, 0.0, half=30.0)
FULL = RatingScale(0.0, 0.0, full=100.0)
seconds = st.lists(st.floats(0, 1e9), min_size=1, max_size=8).map(np.array)


@given(seconds)
def test_longer_counts_more_from_0_to_1_in_every_sense(x: np.ndarray) -> None:
    for scale in (HALF, FULL):
        w = lasted(x, len(x), scale)
        assert ((w >= 0) & (w <= 1)).all()
        assert (np.diff(w[np.argsort(x)]) >= 0).all()
        for other in (signed(x, len(x), scale), presence(x, len(x), scale, -1.0), taste(x, len(x), scale, -1.0)):
            np.testing.assert_array_equal(other, w)
        np.testing.assert_array_equal(found(x, len(x), scale), w)
    np.testing.assert_allclose(lasted(x, len(x), HALF), x / (x + 30.0), rtol=1e-12, atol=1e-15)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.sampled_from([2.0, 60.0, 1 / 1024]))
def test_the_unit_of_a_dwell_makes_no_difference(given_: list[int], unit: float) -> None:
    """Half of the events over 0 count half or more, in seconds as in minutes."""
    x = np.array([*map(float, given_), 7.0])
    first, second = (scale_of_lasting(*np.unique(y, return_counts=True), "dwell") for y in (x, unit * x))
    w = lasted(x, len(x), RatingScale.of(first))
    np.testing.assert_allclose(lasted(unit * x, len(x), RatingScale.of(second)), w, rtol=1e-12)
    assert 2 * (w[x > 0] >= 0.5).sum() >= (x > 0).sum() <= 2 * (w[x > 0] <= 0.5).sum()


def test_unknown_counts_half_and_nothing_is_a_dislike() -> None:
    x = np.array([np.nan, 0.0, -5.0])
    assert lasted(x, 3, HALF).tolist() == [0.5, 0.0, 0.0]
    assert lasted(None, 2, HALF).tolist() == [1.0, 1.0]
    assert lasted(np.array([1.0]), 1, RatingScale(1.0, 5.0)).tolist() == [1.0]


@pytest.mark.parametrize(
    ("numbers", "kind", "high"),
    [([0, 1, 2, 3], "dwell", 2), ([0, 0.2, 1], "progress", 1), ([3, 50, 100], "progress", 100)],
)
def test_scales_of_numbers(numbers: list[float], kind: str, high: float) -> None:
    x = np.array(numbers, float)
    assert scale_of_lasting(x, np.ones(len(x), int), kind) == Scale(0.0, high, kind)


@pytest.mark.parametrize(("numbers", "kind"), [([0.0], "dwell"), ([-1.0, 3.0], "dwell"), ([50.0, 101.0], "progress")])
def test_numbers_that_are_no_such_thing(numbers: list[float], kind: str) -> None:
    assert scale_of_lasting(np.array(numbers), np.ones(len(numbers), int), kind) is None
    with pytest.raises(InputError, match="high"):
        Scale(0.0, 0.0, kind)


def twins(seed: int) -> tuple[Interactions, Interactions, dict[str, float]]:
    """The same events: their strength is said by how long they lasted, and by their type."""
    rng = np.random.default_rng(seed)
    truth = planted("copurchase", n_users=40, seed=seed).data
    x = rng.choice([0.0, 10.0, 30.0, 90.0], truth.n_events)
    kind = np.array([f"{number:g}" for number in x], dtype=object)
    lasting = replace(truth, rating=x, scale=Scale(0.0, 30.0, "dwell"))
    return lasting, replace(truth, kind=kind), {f"{number:g}": number / (number + 30) for number in (0.0, 10, 30, 90)}


@pytest.mark.parametrize("objective", ["next", "any"])
def test_a_dwell_is_the_strength_that_a_type_would_have(objective: str) -> None:
    """Fits, scores and removals are those of events whose type has that weight; two ways through the code."""
    lasting, typed, weights = twins(3)
    settings = {"objective": objective, "dtype": "float64", "min_events": 1}
    one = CollaborativeAttention(**settings, dislike=1.0).fit(lasting)
    other = CollaborativeAttention(**settings, dislike=1.0, event_weights=weights).fit(typed)
    for user in lasting.user_ids[:5]:
        np.testing.assert_allclose(one.score(user), other.score(user), rtol=0, atol=1e-12)
        ours, theirs = (model.explain(user=user, item="i3").removals() for model in (one, other))
        np.testing.assert_allclose(ours["effect"], theirs["effect"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("make", [ContentAttention, HybridAttention, CollaborativeAttention])
def test_sums_removals_and_files(make, tmp_path) -> None:
    data = planted("dwell", n_users=60, seed=2).data
    model = make(dtype="float64", min_events=2) if make is not ContentAttention else make()
    model.fit(data)
    path = tmp_path / "model.npz"
    save_model(model, path)
    again = load_model(path)
    assert again.data_.scale == data.scale
    history = [("i3", 400.0), ("i8", 3.0), ("i5", 25.0)]
    for item in ("i11", "i20"):
        why = model.explain(history=history, item=item)
        assert abs(why.base + why.cells["contribution"].sum() - why.score) < 1e-10
        assert abs(model.score(history=history)[data.item_row(item)] - why.score) < 1e-10
        np.testing.assert_array_equal(again.score(history=history), model.score(history=history))
        for row in why.removals().itertuples():
            served = model.score(history=history, without=[row.event])[data.item_row(item)]
            assert abs(served - why.score - row.effect) < 1e-10


def test_the_long_stays_are_named_where_choices_hang_on_them() -> None:
    """Of four events of the target's genre two were long: these come first, and the short ones lure nobody."""
    truth = planted("dwell", n_users=150, seed=0)
    (row,) = planted_recall(ContentAttention(content_recency=50.0), truth, explainers=["removal"])
    assert min(row["first"], row["recall"]) >= 0.99
    assert row["lured"] <= 0.01
    blind = replace(truth, data=replace(truth.data, rating=None, scale=None))
    (row,) = planted_recall(ContentAttention(content_recency=50.0), blind, explainers=["removal"])
    assert 0.3 < row["first"] < 0.7  # the same events, if nobody says how long they lasted


def test_lists_follow_the_long_stays() -> None:
    """Both genres were met as often, so without the dwell nobody could tell which one comes next."""
    truth = planted("dwell", n_users=300, seed=0)
    genre = truth.data.items.frame["genres"].to_numpy()
    right = {}
    for known, data in ((True, truth.data), (False, replace(truth.data, rating=None, scale=None))):
        model = ContentAttention(content_recency=50.0).fit(data)
        first = []
        for user in range(data.n_users):
            history = History.of(data, user).without([8])  # the target
            score = model.scores_of(history).copy()
            score[history.item[:8]] = -np.inf
            first.append(genre[score.argmax()] == genre[truth.asked[user]])
        right[known] = np.mean(first)
    assert right[True] >= 0.95
    assert right[False] < 0.65
