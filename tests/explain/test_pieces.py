"""Small pieces of explanations, each asked on its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.data import History, planted
from xattn.data.simulate import AGES, simulate
from xattn.errors import InputError
from xattn.explain.compare.edit import _halved, _outwards, _set, minimal_edit
from xattn.explain.compare.lists import list_changes
from xattn.explain.competitors import _columns, _summed
from xattn.explain.rows import contributions, event_rows
from xattn.model.fit.ease import probes
from xattn.recommenders import EASE, CollaborativeAttention, ItemKNN

DATA = planted("dislike", n_users=60, seed=0).data


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_sums_over_the_events_of_an_item_are_those(column: list[int], seed: int) -> None:
    at = np.array([*column, *range(5)])
    array = np.random.default_rng(seed).normal(size=(3, len(at)))
    wanted = np.zeros((5, 3))
    np.add.at(wanted, at, array.T)
    np.testing.assert_allclose(_summed(array, at), wanted.T, atol=1e-12)


def test_each_event_stands_in_the_column_of_its_item() -> None:
    history = History.of(DATA, 0)
    at = _columns(history)
    np.testing.assert_array_equal(history.item[history.newest][at], history.item[history.live])


def test_rows_say_weight_contribution_and_liking_of_each_item() -> None:
    model = CollaborativeAttention(dtype="float64").fit(DATA)
    history = History.of(DATA, 0)
    heads = model.cells_of(history, 3)
    rows = event_rows(heads, history)
    assert rows.weight.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(rows.contribution.sum(), contributions(heads, len(history)).sum(), atol=1e-12)
    liked = {int(item) for head in heads for item in history.item[head.strength >= 0]}
    assert {int(history.item[p]) for p, like in zip(rows.position, rows.liked, strict=True) if like} == liked
    halved = [head._replace(strength=np.full(len(history), 0.5)) for head in heads]
    assert event_rows(halved, history).liked.all()
    assert not event_rows([head._replace(strength=-head.strength.clip(0.1)) for head in heads], history).liked.any()


def test_one_number_of_a_matrix_is_changed_in_a_copy() -> None:
    X = np.zeros((2, 3))
    changed = _set(X, 1, 2, 7.0)
    assert changed[1, 2] == 7.0
    assert not X.any()
    assert np.count_nonzero(changed) == 1


def test_changes_between_two_models_are_those_of_both() -> None:
    before, after = ItemKNN().fit(DATA), EASE().fit(DATA)
    events = ["i0", "i1"]
    changes = list_changes(after, events, events, k=3, model_before=before).items.set_index("item")
    for model, column in ((before, "score_before"), (after, "score_after")):
        served = model.recommend(history=events, k=3).set_index("item")["score"]
        pd.testing.assert_series_equal(changes.loc[served.index, column], served, check_names=False)


def test_who_is_not_listed_is_told_with_place_and_gap() -> None:
    model = ItemKNN().fit(DATA)
    history = ["i0", "i1", "i2"]
    last = model.recommend(history=history, k=DATA.n_items - 3)
    why_not = model.explain(history=history, item=last["item"].iloc[-1], k=3).why_not()
    assert repr(why_not).startswith(f"WhyNot({last['item'].iloc[-1]}: rank ")
    assert last["item"].iloc[2] in repr(why_not)


def test_names_of_heads_are_groups_of_heads() -> None:
    model = CollaborativeAttention().fit(DATA)
    assert model.head_groups == model.head_names != ()
    assert ItemKNN().fit(DATA).head_groups == ()


@pytest.mark.parametrize("by", [None, "users"])
def test_alike_is_asked_in_the_ways_that_there_are(by: str | None) -> None:
    model = ItemKNN().fit(DATA)
    assert "i0" not in model.similar_items("i0", k=3, by=by)["item"].tolist()
    with pytest.raises(InputError, match="`by`"):
        model.similar_items("i0", k=3, by="taste")


def test_an_inverse_is_judged_by_its_first_and_last_row_too() -> None:
    np.testing.assert_array_equal(probes(5), range(5))
    assert probes(1000)[[0, -1]].tolist() == [0, 999]


def test_people_of_one_taste_are_of_one_age() -> None:
    made = simulate(DATA.items, n_users=50, seed=0)
    first = made.loved.argmax(axis=1)
    assert [AGES[at * len(AGES) // made.loved.shape[1]] for at in first] == made.people["age"].tolist()


# --- the smallest edit ------------------------------------------------------------------------------------------------


def test_a_boundary_is_halved_from_the_side_that_holds() -> None:
    for low, high, at in ((0.0, 1.0, 0.3), (0.0, -2.0, -0.7), (1.0, 8.0, 1.0)):
        sign = 1.0 if high > low else -1.0
        found = _halved(lambda x, at=at, sign=sign: sign * (x - at), low, high)  # type: ignore[misc]
        assert sign * (found - at) > 0
        assert found == pytest.approx(at, abs=1e-12)


def test_the_nearer_of_two_boundaries_is_found_and_none_beyond_what_is_known() -> None:
    near = lambda x: abs(x - 3.0) < 0.5 or x < -2.0  # noqa: E731
    lead = lambda x: 1.0 if near(x) else -1.0  # noqa: E731
    assert _outwards(lead, 1.0, np.inf) == pytest.approx(-2.0, abs=1e-9)
    assert _outwards(lead, 1.0, 0.5) is None
    assert _outwards(lambda x: -1.0, 1.0, np.inf) is None
    assert _outwards(lambda x: 0.0, 1.0, np.inf) is None  # as far as the other one is not before it


@pytest.mark.parametrize(("middle", "found"), [(9_990.0, True), (10_010.0, False)])
def test_a_number_moves_no_further_than_ten_thousand_times_the_largest(middle: float, found: bool) -> None:
    """y = x: item `above` is nearer once x passes the middle of the two."""
    edit = minimal_edit([1.0], [[1.0]], [[0.0]], [[middle + 1.0], [middle - 1.0]], above=0, below=1)
    assert (edit.number is not None, edit.vector is not None) == (found, found)
    assert edit.lead == pytest.approx(-4 * middle)
    if edit.number is not None:
        assert edit.number.after == pytest.approx(middle)
        assert edit.number.size > middle


def test_lengths_of_keys_and_values_are_told() -> None:
    with pytest.raises(InputError, match="keys") as refused:
        minimal_edit([1.0], [[1.0], [2.0]], [[0.0]], [[1.0], [2.0]], above=0, below=1)
    assert "values" in str(refused.value)
    assert "2" in str(refused.value)
