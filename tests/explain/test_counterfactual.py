"""Counterfactuals: the set does what it says, nothing smaller does where that is claimed, and it is compared with
brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import MODELS, fitted
from xattn import Counterfactual, InputError
from xattn.explain import counterfactual as search
from xattn.recommenders import Recommender

every_model = pytest.mark.parametrize("name", MODELS)


def rank_without(model: Recommender, user: str, positions: tuple[int, ...], item: str) -> int:
    history = model.history(user).without(list(positions))
    ranked = model.recommend(history=history, k=model.data_.n_items)
    return int(ranked.loc[ranked["item"] == item, "rank"].item())


def smallest(model: Recommender, user: str, item: str, k: int) -> int | None:
    """Size of the smallest set that drops the item, by trying all of them."""
    n = len(model.history(user))
    for size in range(1, n + 1):
        if any(rank_without(model, user, set_, item) > k for set_ in combinations(range(n), size)):
            return size
    return None


@every_model
@given(user=st.integers(0, 119), place=st.integers(0, 4), k=st.integers(5, 8))
@settings(max_examples=15)
def test_the_set_does_what_it_says(name: str, user: int, place: int, k: int) -> None:
    model, user_id = fitted(name), f"u{user}"
    recs = model.recommend(user=user_id, k=k)
    item = recs["item"][place]
    found: Counterfactual = model.explain(user=user_id, item=item, k=k).counterfactual()
    if not found.found:
        everything = tuple(range(len(model.history(user_id))))
        assert found.remove == ()
        assert rank_without(model, user_id, everything, item) <= k
        return
    assert rank_without(model, user_id, found.positions, item) == found.rank_after
    assert found.rank_after is not None
    assert found.rank_after > k
    after = model.recommend(history=model.history(user_id).without(list(found.positions)), k=k)
    assert item not in set(after["item"])
    assert found.replaced_by in set(after["item"]) - set(recs["item"])
    for left_in in found.positions:  # no event of the set is idle
        fewer = tuple(p for p in found.positions if p != left_in)
        assert not fewer or rank_without(model, user_id, fewer, item) <= k


@pytest.mark.parametrize("name", ["hybrid", "content", "users"])
def test_exact_means_smallest(name: str) -> None:
    model = fitted(name)
    claimed = 0
    for user in range(0, 24, 3):
        item = model.recommend(user=f"u{user}", k=5)["item"][2]
        found = model.explain(user=f"u{user}", item=item, k=5).counterfactual()
        if found.found and found.exact:
            claimed += 1
            assert smallest(model, f"u{user}", item, 5) == len(found.remove)
    assert claimed > 0


def test_an_item_outside_the_list_needs_no_removal() -> None:
    model = fitted("hybrid")
    last = model.recommend(user="u3", k=40)["item"].iloc[-1]
    found = model.explain(user="u3", item=last, k=5).counterfactual()
    assert (found.found, found.remove, found.replaced_by) == (False, (), None)


def test_popularity_stays_whatever_is_removed() -> None:
    found = fitted("popularity").explain(user="u3", item="i1", k=40).counterfactual()
    assert not found.found
    assert not found.exact, "only some of all sets were tried"


def test_the_order_of_the_search_does_not_depend_on_chance() -> None:
    model = fitted("hybrid")
    item = model.recommend(user="u8")["item"][1]
    first, second = (model.explain(user="u8", item=item).counterfactual() for _ in range(2))
    assert first == second
    assert np.all(np.diff(sorted(first.positions)) > 0)


# --- the search with bounds -------------------------------------------------------------------------------------------

BY_HEADS = ["hybrid", "hybrid cold", "collaborative", "content", "item knn", "neural", "ease"]


@pytest.mark.parametrize("name", BY_HEADS)
@given(user=st.integers(0, 119), place=st.integers(0, 4), k=st.integers(3, 6))
@settings(max_examples=6)
def test_the_size_is_that_of_the_search_through_all_sets(name: str, user: int, place: int, k: int) -> None:
    model = fitted(name)
    item = model.recommend(user=f"u{user}", k=k)["item"][min(place, k - 1)]
    found = model.explain(user=f"u{user}", item=item, k=k).counterfactual()
    best = smallest(model, f"u{user}", item, k)
    assert found.found == (best is not None)
    if best is not None:
        assert found.at_least <= best <= len(found.remove)
        assert not found.exact or best == len(found.remove)


def check_claims(model: Recommender, user: str, item: str, k: int) -> tuple[Counterfactual, int | None]:
    """What the answer claims to know holds of all sets there are; the answer, and the size of the smallest set."""
    found, best = model.explain(user=user, item=item, k=k).counterfactual(), smallest(model, user, item, k)
    if found.exact:
        assert found.found == (best is not None)
        assert best is None or best == len(found.positions)
    if best is None:
        assert not found.found
    else:
        assert found.at_least <= best
        assert not found.found or best <= len(found.positions)
        assert found.exact == (len(found.positions) <= found.at_least) or not found.found
    return found, best


@pytest.mark.parametrize(
    ("name", "user", "k", "item"),
    [
        ("hybrid", "u22", 5, "i1"),
        ("hybrid cold", "u0", 5, "i15"),
        ("collaborative", "u27", 3, "i5"),
        ("content", "u18", 5, "i24"),
        ("item knn", "u76", 3, "i22"),
        ("ease", "u1", 3, "i32"),
        ("neural", "u19", 3, "i34"),
        ("users", "u4", 3, "i4"),
        ("users threshold", "u3", 5, "i3"),
        ("sequence", "u32", 3, "i9"),
    ],
)
def test_a_search_that_ran_out_of_time_proves_nothing(
    name: str, user: str, k: int, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without time for the search these sets are not the smallest, or none is found where there is one."""
    monkeypatch.setattr(search, "MOST_STEPS", 0.0)
    found, best = check_claims(fitted(name), user, item, k)
    assert best is not None
    assert not found.found or best < len(found.positions), "a case that tests nothing"
    assert not found.exact


@pytest.mark.parametrize("steps", [0.0, 300.0, 3e3, 3e4])
@pytest.mark.parametrize("name", ["hybrid", "item knn", "ease"])
def test_what_is_claimed_holds_whenever_time_runs_out(name: str, steps: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_STEPS", steps)
    model = fitted(name)
    for user in (f"u{row}" for row in range(5, 120, 17)):
        for item in model.recommend(user=user, k=5)["item"][:3]:
            check_claims(model, user, item, 5)


def test_of_few_events_every_set_is_tried() -> None:
    """Whether a set is found or not, all sets of up to three events are known."""
    for name in ("hybrid", "users", "sequence", "item knn"):
        model = fitted(name)
        for events in (["i1"], ["i1", "i2"], ["i3", "i1", "i7"]):
            history = model.history(history=[(event, 5.0) for event in events])
            best = model.recommend(history=history, k=4)["item"]
            assert all(model.explain(history=history, item=item, k=4).counterfactual().exact for item in best)


def test_most_answers_of_these_models_are_exact() -> None:
    for name in ("hybrid", "collaborative", "item knn"):
        model = fitted(name)
        found = [
            model.explain(user=f"u{user}", item=item).counterfactual()
            for user in range(0, 120, 8)
            for item in model.recommend(user=f"u{user}")["item"]
        ]
        assert np.mean([answer.exact for answer in found if answer.found]) >= 0.95, name


@pytest.mark.parametrize("name", ["hybrid", "users", "sequence"])
def test_a_set_of_events_is_told_as_it_is_served(name: str) -> None:
    model = fitted(name)
    why = model.explain(user="u3", item="i2")
    found = why.removal([3, 0, 3])
    after = model.history("u3").without([0, 3])
    assert found.positions == (0, 3)
    assert found.score == model.score(history=after)[model.data_.item_row("i2")]
    assert found.effect == found.score - why.score
    ranked = model.recommend(history=after, k=40).set_index("item")["rank"]
    assert found.rank == ranked.get("i2")


@pytest.mark.parametrize("wrong", [[99], [-1], ["i2"], [0.5]])
def test_positions_that_are_none_are_refused(wrong: list[object]) -> None:
    with pytest.raises(InputError, match="`positions` must"):
        fitted("hybrid").explain(user="u3", item="i2").removal(wrong)  # type: ignore[arg-type]
