"""Small pieces of explanations, each asked on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.data import History, Interactions, ItemTable, planted
from xattn.data.simulate import AGES, simulate
from xattn.data.synthetic_parts import planted_part
from xattn.errors import InputError
from xattn.explain import cache
from xattn.explain.compare.edit import _halved, _outwards, _set, _slope, minimal_edit
from xattn.explain.compare.lists import explain_list, list_changes
from xattn.explain.compare.why_not import _margins, _plausible, _with
from xattn.explain.competitors import _columns, _per, _summed
from xattn.explain.counterfactual import _needed
from xattn.explain.honesty import base_share, confidence_of, disagreement, notes_of
from xattn.explain.ledger import Ledger
from xattn.explain.parts import WORDS
from xattn.explain.removal import Removals
from xattn.explain.rows import EventRows, contributions, event_rows, feature_sums
from xattn.explain.strongest import _likely, strongest_sets
from xattn.explain.tell import export
from xattn.explain.tell.export import places_dict
from xattn.explain.tell.page_parts import _shown
from xattn.explain.tell.sides import Side, Split
from xattn.model.fit.ease import probes
from xattn.recommenders import EASE, CollaborativeAttention, ContentAttention, ItemKNN, Popularity, Recommender
from xattn.tensor.attend import attend

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


@pytest.mark.parametrize(("way", "found"), [(19_990.0, True), (20_010.0, False)])
def test_a_number_moves_no_further_than_ten_thousand_times_the_largest(way: float, found: bool) -> None:
    """y = x: item `above` is nearer once x, which is 2, passes the middle of the two."""
    edit = minimal_edit([1.0], [[1.0]], [[2.0]], [[way + 3.0], [way + 1.0]], above=0, below=1)
    assert (edit.number is not None, edit.vector is not None) == (found, found)
    assert edit.lead == pytest.approx(-4 * way)
    if edit.number is not None:
        assert edit.number.size == pytest.approx(way, rel=1e-6)
        assert edit.number.size > way


def test_lengths_of_keys_and_values_are_told() -> None:
    with pytest.raises(InputError, match="keys") as refused:
        minimal_edit([1.0], [[1.0], [2.0]], [[0.0]], [[1.0], [2.0]], above=0, below=1)
    assert "values" in str(refused.value)
    assert "2" in str(refused.value)


def test_three_events_at_most_are_named_in_each_direction() -> None:
    model = CollaborativeAttention(dtype="float64", min_events=2, regularization=1.0, dislike=-0.5).fit(DATA)
    counts = []
    for item in ("i0", "i5", "i9", "i14", "i21"):
        difference = model.explain("u0", item) - model.explain("u0", "i30")
        moved = difference.events().iloc[1:]
        for more, key in ((moved["difference"] > 0, "more"), (moved["difference"] < 0, "less")):
            counts.append(int(more.sum()))
            named = [f"“{title}” (" in difference.text() for title in moved.loc[more, "title"]]
            assert sum(named) == min(3, counts[-1]), key
            assert named[:3] == [True] * min(3, counts[-1])
    assert max(counts) > 3, "a case that tests nothing"


def test_events_that_differ_alike_stay_in_their_order() -> None:
    """Popularity: all differ by nothing, and so stand in the order of the history, be it long."""
    events = [f"i{n % 40}" for n in range(60)]
    model = Popularity().fit(DATA)
    difference = model.explain(history=events, item="i1") - model.explain(history=events, item="i2")
    assert difference.events()["position_a"].tolist() == [-1, *difference.cells["position_a"].iloc[1:]]


def test_the_smallest_vector_lies_along_the_slope_where_it_ends() -> None:
    """Nothing shorter does: at its end an edit points as the lead rises, as of every shortest way to a level."""
    straight = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        q, X, Y = rng.normal(size=2), rng.normal(size=(2, 2)), rng.normal(size=(2, 2))

        def lead(values: np.ndarray, q: np.ndarray = q, Y: np.ndarray = Y) -> float:
            return float(attend(q, values, values).fused @ (Y[0] - Y[1]))

        a, b = (0, 1) if lead(X) <= 0 else (1, 0)
        found = minimal_edit(q, None, X, Y, a, b, measure="dot").vector
        if found is None:
            continue
        end, sign = _set(X, found.event, slice(None), found.after), 1.0 if a == 0 else -1.0
        slope = sign * _slope(lead, end, found.event, False)
        move = found.after - found.before
        straight.append(float(slope @ move / (np.linalg.norm(slope) * np.linalg.norm(move))))
    assert len(straight) >= 3
    assert np.median(straight) > 0.999


def test_runs_of_the_newest_events_are_asked_about() -> None:
    n, K = 9, 3
    sets = np.array([(a, b) for a in range(n) for b in range(a + 1, n)])
    scores = np.arange(len(sets), dtype=float)
    found = {tuple(one) for one in _likely(sets, scores, np.zeros(n), np.zeros((n, n)), 60).tolist()}
    assert found >= {(a, a + 1, a + 2) for a in range(n - K + 1)}
    few = {tuple(one) for one in _likely(sets, scores, np.zeros(n), np.zeros((n, n)), 10).tolist()}
    assert {(5, 6, 7), (6, 7, 8)} <= few
    assert len(few) <= 10
    assert all(len(set(one)) == K and list(one) == sorted(one) for one in found | few)


def test_an_unknown_language_is_refused_by_name() -> None:
    ledger = ItemKNN().fit(DATA).explain("u0", "i3")
    for say in (ledger.text, ledger.to_html, (ledger - ledger).text):
        with pytest.raises(InputError, match="`lang`"):
            say("fr")


def test_a_difference_says_what_it_is() -> None:
    model = ItemKNN().fit(DATA)
    difference = model.explain("u0", "i3") - model.explain("u0", "i4")
    assert repr(difference).startswith("Difference(i3 ")
    assert f"less i4 {difference.score_b:.6g}: {difference.total:.6g})" in repr(difference)
    with pytest.raises(InputError, match="`positions`"):
        model.explain("u0", "i3").removal([99])


def test_of_many_events_the_one_that_is_looked_at_most_is_edited() -> None:
    for last in range(3):
        keys = [[5.0 * (event == last)] for event in range(3)]
        found = minimal_edit([1.0], keys, [[0.0]] * 3, [[3.0], [1.0]], above=0, below=1)
        assert found.number is not None
        assert found.vector is not None
        assert (found.number.event, found.vector.event) == (last, last)


@pytest.mark.parametrize("k", [1, 4])
def test_what_looks_best_to_add_is_as_far_ahead_as_is_then_served(k: int) -> None:
    """The margin of each plausible event: the last of the list, less the target, once the event is served."""
    model = CollaborativeAttention(dtype="float64", min_events=1, regularization=1.0, dislike=-0.5).fit(DATA)
    for user, item in (("u0", "i3"), ("u7", "i30")):
        question = model.explain(user, item, k=k).question
        pool = _plausible(model, question, question.history)
        margins = _margins(model, question, question.history, pool)
        assert margins is not None
        for margin, added in zip(margins, pool.tolist(), strict=True):
            after = _with(model, question.history, [added])
            scores, others = model.scores_of(after), question.allowed_after(after)
            others[question.target] = False
            assert margin == pytest.approx(np.sort(scores[others])[-k] - scores[question.target], abs=1e-9)


def test_one_set_of_each_size_up_to_what_was_asked() -> None:
    said = np.array([1.0, 5.0, 2.0])
    value = lambda live: live @ said  # noqa: E731
    assert strongest_sets(value, 3, 0) == []
    assert strongest_sets(value, 3, 1) == [((1,), 3.0, True)]
    assert [one.events for one in strongest_sets(value, 3, 9)] == [(1,), (1, 2), (0, 1, 2)]


def test_alone_is_what_is_left_and_strongest_what_is_gone() -> None:
    """Effects add up here: without the two that say most, or with them alone."""
    ledger = ItemKNN().fit(DATA).explain(history=["i0", "i1", "i2", "i5"], item="i9", k=3)
    said = ledger.events().set_index("event")["contribution"].sort_values(ascending=False, kind="stable")
    assert said.iloc[1] > said.iloc[2] or said.iloc[1] == 0
    strongest, alone = ledger.strongest(2).iloc[-1], ledger.sufficient(2).iloc[-1]
    assert strongest["score_without"] == pytest.approx(said.iloc[2:].sum() + ledger.base)
    assert alone["score_alone"] == pytest.approx(said.iloc[:2].sum() + ledger.base)


def test_a_list_is_explained_for_a_history_that_is_given() -> None:
    model = ItemKNN().fit(DATA)
    found = explain_list(model, history=["i0", "i1", "i2"], k=3, without=["i1"])
    pd.testing.assert_frame_equal(found.items, model.recommend(history=["i0", "i1", "i2"], k=3, without=["i1"]))
    assert sorted(found.events()["event"]) == ["i0", "i2"]


def rows_of(contribution: list[float], weight: list[float] | None = None) -> EventRows:
    n = len(contribution)
    share = np.full(n, 1 / n) if weight is None else np.array(weight)
    return EventRows(np.arange(n), share, np.array(contribution), np.ones(n, bool), np.ones(n, int))


@pytest.mark.parametrize(
    ("n", "first", "effect", "ranks", "rank", "share", "found"),
    [
        (5, 0.4, -0.4, 7, 2, 0.2, ("strong", "", 0)),
        (5, 0.4, -0.4, 6, 2, 0.2, ("strong", "", 0)),
        (5, 0.4, -0.4, 5, 2, 0.2, ("moderate", "", 0)),  # still among the five best
        (5, 0.4, -0.4, 7, 5, 0.2, ("strong", "", 0)),
        (5, 0.4, -0.4, 7, 6, 0.2, ("moderate", "", 0)),  # was not listed
        (5, 0.4, -0.4, 7, None, 0.2, ("moderate", "", 0)),
        (5, 0.4, -0.05, 7, 2, 0.2, ("moderate", "", 0)),  # another removal lowers the score more
        (5, 0.4, 0.0, 7, 2, 0.2, ("weak", "idle", 0)),
        (4, 0.4, -0.4, 7, 2, 0.2, ("weak", "short", 0)),
        (5, 0.4, -0.4, 7, 2, 0.5, ("strong", "", 0)),
        (5, 0.4, -0.4, 7, 2, 0.51, ("weak", "popularity", 0)),
        (5, 0.0, -0.4, 7, 2, 0.2, ("weak", "no_reason", None)),
    ],
)
def test_confidence_by_its_rules(
    n: int, first: float, effect: float, ranks: int, rank: int | None, share: float, found: tuple[str, str, int | None]
) -> None:
    rows = rows_of([first, *[-0.1] * (n - 1)])
    without = Removals(1.0 + np.array([effect, *[-0.1] * (n - 1)]), np.array([ranks, *[2] * (n - 1)]))
    assert confidence_of(rows, without, 1.0, 5, rank, share) == found


def test_notes_by_their_rules() -> None:
    rows = rows_of([0.4, 0.1, -0.1, 0.0, 0.0], [0.1, 0.5, 0.2, 0.1, 0.1])
    apart = Removals(1.0 - np.array([0.4, 0.1, 0.0, 0.0, 0.0]), np.ones(5, int))
    assert notes_of(rows, apart, 1.0, 0.5, False) == ("disagree",)
    assert notes_of(rows, apart, 1.0, 0.51, True) == ("popularity", "disagree", "stays")
    assert notes_of(rows_of([0.0] * 4), Removals(np.ones(4), np.ones(4, int)), 1.0, 0.0, False) == (
        "short",
        "no_reason",
    )
    lost = Removals(np.array([0.6, 0.9]), np.ones(2, int))
    for times, found in (([1, 4], ()), ([1, 3], ("short",))):  # five events of two items are no short history
        assert notes_of(rows_of([0.4, 0.1])._replace(times=np.array(times)), lost, 1.0, 0.0, False) == found
    assert disagreement(np.array([0.5, 0.5]), np.array([-0.1, 0.3])) is None
    assert disagreement(np.array([0.6, 0.4]), np.array([-0.1, 0.3])) == (0, 1)
    assert disagreement(np.array([1.0]), np.array([-0.1])) is None
    assert base_share(0.3, 0.1, np.array([0.1, -0.1])) == pytest.approx(0.5)
    assert base_share(0.1, 0.3, np.array([0.1])) == 0.0
    assert base_share(0.1, 0.3, np.array([0.0])) == 1.0


def test_no_attention_is_no_weight() -> None:
    np.testing.assert_allclose(_per(np.array([0.0, 4.0, -1.0]), 0.5), [0.0, 0.5, 0.0])


@pytest.mark.parametrize(("name", "value"), [("lang", "fr"), ("depth", "novel"), ("scenario", "nowhere")])
def test_a_text_is_asked_for_by_names_that_are_known(name: str, value: str) -> None:
    model = ItemKNN().fit(DATA)
    user = DATA.user_ids[0]
    why = model.explain(user=user, item=model.recommend(user=user, k=1)["item"][0])
    with pytest.raises(InputError, match=rf"`{name}` must be .*'{value}'"):
        why.text(**{name: value})


def test_removals_of_words_are_what_is_served_without_them() -> None:
    texts = [f"{'red' if n % 2 else 'blue'} {'fox' if n % 3 else 'owl'} number {n}" for n in range(12)]
    ids = tuple(f"i{n}" for n in range(12))
    met = pd.DataFrame({"user": ["u"] * 3 + ["v"] * 3, "item": [*ids[:3], *ids[5:8]]})
    data = Interactions.from_frame(met, ItemTable(ids, ids, pd.DataFrame({"tale": texts})))
    model = ContentAttention(random_state=0).fit(data)
    why = model.explain(user="u", item="i9")
    told = why.part_removals("tale")
    assert list(told) == ["event", "title", "place", "part", "effect", "score_without"]
    first = told.iloc[0]
    assert first["effect"] == told["effect"].min()
    served = model.without_parts("tale", first["event"], [first["place"]]).explain(user="u", item="i9").score
    assert first["score_without"] == pytest.approx(served, abs=1e-12)
    assert first["effect"] == pytest.approx(served - why.score, abs=1e-12)


def test_what_is_idle_is_left_out_until_nothing_changes() -> None:
    """An event that was needed may be idle once another one is back."""
    dropping = [{0, 1, 2}, {0, 1}, {1}]
    assert _needed([0, 1, 2], lambda events: set(events) in dropping) == [1]
    assert _needed([2, 0], lambda events: False) == [2, 0]


def first_listed(model: Recommender, user: str) -> Ledger:
    """Why the first item of a list of one stands there."""
    return model.explain(user=user, item=model.recommend(user=user, k=1)["item"].iloc[0], k=1)


def test_a_set_that_nobody_replaces_is_told_without_a_replacement() -> None:
    why = first_listed(ItemKNN().fit(DATA), DATA.user_ids[0])
    found = why.counterfactual()
    assert found.found
    why.__dict__["_counterfactual"] = replace(found, replaced_by=None)
    for lang in ("en", "zh"):
        told = why.text(lang, depth="paragraph")
        assert all(why.title_of(item) in told for item in found.remove)
        assert why.title_of(found.replaced_by) not in told.split(why.title_of(found.remove[0]))[-1]


def test_sums_of_features_have_no_number_of_events() -> None:
    history = History.of(DATA, 0)
    heads = ContentAttention().fit(DATA).cells_of(history, 3)
    groups = feature_sums(heads, history.live)
    assert groups
    assert all(group.effective == 0.0 for group in groups)
    assert sum(group.contribution for group in groups) == pytest.approx(contributions(heads, len(history)).sum())


def test_a_long_history_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    model, history = CollaborativeAttention(dtype="float64").fit(DATA), History.of(DATA, 0)
    question = first_listed(model, DATA.user_ids[0]).question
    kept = cache.HistoryCache(model, history)
    assert kept._near is not None
    monkeypatch.setattr(cache, "MOST_KEPT", 1)
    anew = cache.HistoryCache(model, history)
    assert anew._near is None
    own = kept.scores_without_each(np.array([question.target]))[0]
    ranks = [one.ranks_without_each(question.target, own, question.allowed) for one in (kept, anew)]
    np.testing.assert_array_equal(*ranks)


def test_the_strongest_set_is_the_one_that_is_missed_most() -> None:
    """Where events share a normaliser, it is another one than the one that keeps the score highest alone."""
    model = CollaborativeAttention(dtype="float64", beta=1.0).fit(DATA)
    differ = 0
    for user in DATA.user_ids[:20]:
        why = first_listed(model, user)
        strongest, sufficient = why.strongest(most=1), why.sufficient(most=1)
        alone = why.removals()["score_without"].min()
        assert strongest["score_without"].iloc[0] == pytest.approx(alone, abs=1e-12)
        differ += strongest["events"].iloc[0] != sufficient["events"].iloc[0]
    assert differ


def test_a_split_without_texts_is_shown_by_its_titles() -> None:
    sides = [Side(name, name, (), np.zeros(0), 0.0, (), None) for name in ("one", "other")]
    shown = _shown(Split("story", "one", WORDS, 0.0, 0.0, *sides), "", "en")
    assert [name in text for name, text in zip(("one", "other"), shown, strict=True)] == [True, True]


def test_parts_without_places_lie_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The export then has an empty object, as its schema wants; places of words are from one character to another."""
    data = planted_part("word", n_users=60, seed=0).data
    why = first_listed(ContentAttention().fit(data), data.user_ids[0])
    [found] = places_dict(why).values()
    assert found["kind"] == WORDS
    assert all(start < stop for lies in found["of"].values() for start, stop in lies.values())
    monkeypatch.setattr(export, "places_of", lambda parts: None)
    [found] = places_dict(why).values()
    assert found["of"] == {}
