"""Simulated people: the same seed, the same data; choices follow the equations; the truth about them is true."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from xattn.data import ItemTable
from xattn.data.simulate import NO_EVENT, Simulated, Tastes, indicators, simulate
from xattn.errors import InputError
from xattn.recommenders import HybridAttention

M = 60


@pytest.fixture(scope="module")
def items() -> ItemTable:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "shelf": [f"shelf {row % 6}" for row in range(M)],
            "tags": ["|".join(rng.choice(["red", "big", "old"], 2, replace=False)) for _ in range(M)],
            "price": rng.permutation(M).astype(float),
        }
    )
    return ItemTable(tuple(f"i{row}" for row in range(M)), tuple(f"Item {row}" for row in range(M)), frame)


@pytest.fixture(scope="module")
def truth(items: ItemTable) -> Simulated:
    return simulate(items, 200, seed=5)


def test_features_are_what_the_columns_say(items: ItemTable) -> None:
    names, F = indicators(items)
    assert names[:2] == ("shelf: shelf 0", "shelf: shelf 1")
    assert names[-3:] == ("price: low", "price: middle", "price: high")
    assert np.array_equal(F[:, -3:].sum(axis=0), [20, 20, 20])
    assert np.array_equal(F[:, [names.index(f"tags: {tag}") for tag in ("big", "old", "red")]].sum(axis=1), [2.0] * M)


def test_the_same_seed_gives_the_same_data(items: ItemTable, truth: Simulated) -> None:
    again, other = simulate(items, 200, seed=5), simulate(items, 200, seed=6)
    assert again.data.checksum == truth.data.checksum != other.data.checksum
    assert np.array_equal(again.cause, truth.cause)


def test_nobody_has_an_item_twice_unless_repeats_are_allowed(items: ItemTable, truth: Simulated) -> None:
    pairs = truth.data.user * M + truth.data.item
    assert len(np.unique(pairs)) == truth.data.n_events
    often = simulate(items, 50, tastes=Tastes(n_events=30, repeats=True), seed=5).data
    assert len(np.unique(often.user * M + often.item)) < often.n_events


def test_a_decisive_event_is_an_earlier_one_of_the_same_person_that_leads_there(truth: Simulated) -> None:
    events = np.flatnonzero(truth.cause != NO_EVENT)
    assert len(events) > 200
    causes = truth.cause[events]
    assert np.array_equal(truth.data.user[causes], truth.data.user[events])
    assert ((events - causes >= 1) & (events - causes <= Tastes().memory)).all()
    assert np.array_equal(truth.companion[truth.data.item[causes]], truth.data.item[events])
    assert not truth.at_random[events].any()


def test_without_pull_nothing_is_decisive_and_without_taste_nothing_is_by_taste(items: ItemTable) -> None:
    assert (simulate(items, 50, tastes=Tastes(pull=0.0), seed=1).cause == NO_EVENT).all()
    assert not simulate(items, 50, tastes=Tastes(taste=0.0), seed=1).by_taste.any()
    assert simulate(items, 50, tastes=Tastes(noise=1.0), seed=1).at_random.all()


def test_choices_are_the_multinomial_logit(items: ItemTable) -> None:
    """With popularity alone, the first choice is item j with chance ∝ 1 / rank."""
    many = simulate(items, 6000, tastes=Tastes(n_events=2, taste=0.0, pull=0.0, popularity=1.0, noise=0.0), seed=2)
    first = np.sort(np.bincount(many.data.item[many.data.indptr[:-1]], minlength=M))[::-1]
    wanted = 1 / np.arange(1, M + 1) / (1 / np.arange(1, M + 1)).sum()
    assert first[:3] / 6000 == pytest.approx(wanted[:3], abs=0.02)  # over three standard errors of a share of .21


def test_people_take_what_they_love(truth: Simulated) -> None:
    loves = (truth.loved[truth.data.user] * truth.F[truth.data.item]).sum(axis=1)
    chance = float((truth.loved @ truth.F.T).mean())
    assert loves[truth.by_taste].mean() > 1.5 * chance
    assert loves[truth.at_random].mean() == pytest.approx(chance, abs=0.15)  # about three standard errors


def test_tastes_change_with_drift_alone(items: ItemTable) -> None:
    still, moved = (simulate(items, 80, tastes=Tastes(drift=drift, session=2), seed=9) for drift in (0.0, 1.0))
    assert np.array_equal(still.loved.sum(axis=1), moved.loved.sum(axis=1))
    assert not np.array_equal(still.loved, moved.loved)


def test_nothing_is_met_before_it_has_appeared_and_the_old_fades(items: ItemTable) -> None:
    fresh = simulate(items, 400, tastes=Tastes(half_life=1.0, n_events=8, taste=0.0, pull=0.0), seed=4)
    first = np.array([fresh.data.time[fresh.data.item == row].min() for row in np.unique(fresh.data.item)])
    assert (first > fresh.data.time.min()).mean() > 0.5
    plain = simulate(items, 400, tastes=Tastes(n_events=8, taste=0.0, pull=0.0), seed=4)

    def spread(data: Simulated) -> float:
        """Days between the first and the last event of an item, on average."""
        found = data.data
        own = [found.time[found.item == row] for row in np.unique(found.item)]
        return float(np.mean([np.subtract(*np.percentile(times, [90, 10])) for times in own]) / 86_400)

    assert spread(fresh) < 0.7 * spread(plain)


def test_a_window_shows_what_sells(items: ItemTable) -> None:
    seen = [simulate(items, 300, tastes=Tastes(exposure=exposure), seed=8).data.counts() for exposure in (5, None)]
    assert seen[0].max() > seen[1].max()


def test_ratings_and_types_follow_the_liking(items: ItemTable) -> None:
    data = simulate(items, 100, rated=True, kinds=("look", "buy"), seed=1).data
    assert set(np.unique(data.rating)) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert set(data.kind) == {"look", "buy"}
    assert data.rating[data.kind == "buy"].mean() > data.rating[data.kind == "look"].mean()


def test_the_first_reason_is_the_decisive_event(truth: Simulated) -> None:
    """The ledger of the default model, held against the truth: chance would find one event in twelve."""
    data = truth.data
    last = data.indptr[1:] - 1
    before = np.ones(data.n_events, bool)
    before[last] = False
    model = HybridAttention().fit(data.select(before))
    asked = [event for event in last.tolist() if truth.cause[event] != NO_EVENT]
    assert len(asked) > 30
    found = 0
    for event in asked:
        user, item = data.user_ids[data.user[event]], data.items.ids[data.item[event]]
        first = int(model.explain(user=user, item=item).rows.position[0])
        found += first == truth.cause[event] - data.indptr[data.user[event]]
    assert found / len(asked) > 0.9


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"n_events": 1}, "`n_events` must be a whole number >= 2"),
        ({"taste": -1.0}, "`taste` must be a finite number"),
        ({"noise": 2.0}, "`noise` must be a finite number >= 0 and <= 1"),
        ({"half_life": 0.0}, "`half_life` must be a finite number"),
        ({"exposure": 1}, "`exposure` must be a whole number >= 2"),
    ],
)
def test_wrong_tastes_are_refused(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Tastes(**wrong)  # type: ignore[arg-type]


def test_items_without_features_are_refused() -> None:
    bare = ItemTable(tuple(map(str, range(30))), ("x",) * 30, pd.DataFrame({"kind": ["tea"] * 30}))
    with pytest.raises(InputError, match="`items` must have at least 3 features to have tastes for; got 1."):
        simulate(bare, 5)
