"""Newcomers that texts describe: how they are scored is the way by which hidden training items are found best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import Ridge

from tests.models import assert_adds_up, assert_removals_hold
from xattn import History, HybridAttention, Interactions, ItemTable, load_model, read_interactions
from xattn.data.hidden import ColdQuestion, hidden_items, questions_of
from xattn.features import make_features, newcomer_features
from xattn.features.newcomers import has_texts
from xattn.model.fit.inheritance import evening, fit_inheritance, scaled
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.inherited import Inheritance, InheritedPart, alike
from xattn.model.value_table import ClosedForm
from xattn.recommenders import rehearsal
from xattn.recommenders.rehearsal import PENALTIES, USUAL, WAYS, Way, ranks_by_way

WORDS = {
    "sea": ["harbour", "ship", "tide", "storm", "sailor"],
    "farm": ["meadow", "cow", "barn", "harvest", "plough"],
    "court": ["judge", "jury", "verdict", "lawyer", "crime"],
}
NEW = ("sea0", "farm1", "court2")


@cache
def stories() -> pd.DataFrame:
    """Each item says three of the five words of its subject."""
    rng = np.random.default_rng(0)
    said = {
        f"{subject}{n}": " ".join(rng.permutation(words)[:3]) for subject, words in WORDS.items() for n in range(12)
    }
    return pd.DataFrame({"item": list(said), "title": [f"No. {n}" for n in range(36)], "story": said.values()})


@cache
def data() -> Interactions:
    """People stay with one subject; nobody has met the NEW."""
    rng = np.random.default_rng(1)
    rows = []
    for u in range(90):
        subject = list(WORDS)[u % 3]
        old = [item for item in stories()["item"] if item.startswith(subject) and item not in NEW]
        rows += [(f"u{u}", item) for item in rng.choice(old, 6, replace=False)]
    return read_interactions(pd.DataFrame(rows, columns=["user", "item"]), items=stories())


@cache
def without_texts() -> Interactions:
    """The same, where items have a kind in the place of a story."""
    kinds = pd.DataFrame({"kind": [name[:-1] for name in data().items.ids]})
    table = ItemTable(data().items.ids, data().items.titles, kinds)
    return Interactions(data().name, data().user_ids, table, data().indptr, data().item)


@cache
def data_form() -> ClosedForm:
    form = model().parts_[1].form
    assert isinstance(form, ClosedForm)
    return form


@cache
def model(dtype: str = "float64") -> HybridAttention:
    return HybridAttention(min_events=2, dtype=dtype, newcomers=0.3).fit(data())


def test_where_texts_describe_items(monkeypatch: pytest.MonkeyPatch) -> None:
    table = data().items
    assert set(newcomer_features(table, data().counts() == 0).blocks) == {"story"}
    assert has_texts(table)
    assert has_texts(table.with_features(make_features(table)))
    assert not has_texts(without_texts().items)
    assert not has_texts(ItemTable.bare(("a", "b")))
    assert HybridAttention(min_events=2).fit(data()).way_ in WAYS
    monkeypatch.setattr("xattn.recommenders.attention.chosen_way", lambda *_: pytest.fail("nothing is to be chosen"))
    assert HybridAttention(min_events=2).fit(without_texts()).way_ is None


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(4, 12), st.integers(1, 8), st.sampled_from(PENALTIES))
def test_evened_values_are_regressed_as_if_they_were_the_values(seed: int, C: int, d: int, penalty: float) -> None:
    """The obvious way: divide the values of each item, then a ridge regression with a level, row by row."""
    rng = np.random.default_rng(seed)
    F, counts = rng.normal(size=(C, d)), rng.integers(1, 50, C)
    V = rng.normal(size=(2, C, C))
    found = fit_inheritance(ClosedForm(np.arange(C), np.arange(C), V), sparse.csr_array(F), penalty, evening(counts))
    X = np.hstack([F, np.ones((C, 1))])
    P = penalty * np.diag(np.append(np.ones(d), 0.0))
    for D, l, own in zip(*found, V, strict=True):
        even = own / np.sqrt(counts) * np.sqrt(counts).mean()
        both = np.linalg.solve(X.T @ X + P, X.T @ even.T)
        np.testing.assert_allclose(D, both[:-1].T, atol=1e-9)
        np.testing.assert_allclose(l, both[-1], atol=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(4, 12), st.integers(1, 5), st.sampled_from(PENALTIES))
def test_squares_are_regressed_as_all_pairs_of_features_would_be(seed: int, C: int, d: int, penalty: float) -> None:
    """The obvious way: F_f F_g of every two features as a feature of its own, and a ridge regression with a level."""
    rng = np.random.default_rng(seed)
    F, V, newcomer = rng.normal(size=(C, d)), rng.normal(size=(2, C, C)), rng.normal(size=(1, d))
    form, known = ClosedForm(np.arange(C), np.arange(C), V), scaled(sparse.csr_array(F))
    found = fit_inheritance(form, sparse.csr_array(F), penalty, None, known)
    pairs, own = (np.array([np.outer(row, row).ravel() for row in of]) for of in (F, newcomer))
    root = np.sqrt((F**2).sum() / C)
    for D, l, values in zip(*found, V, strict=True):
        said = D @ alike(sparse.csr_array(newcomer), known)[0] + l
        theirs = Ridge(alpha=penalty, solver="svd").fit(pairs / root, values.T).predict(own / root)
        np.testing.assert_allclose(said, theirs[0], rtol=1e-7, atol=1e-8)


def test_nothing_is_squared_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    form = data_form()
    C = len(form.warm)
    monkeypatch.setattr(rehearsal, "ALIKE", 2 * C * C)
    assert rehearsal.has_room(form, 2 * C)
    assert not rehearsal.has_room(form, 2 * C + 1)
    monkeypatch.setattr(rehearsal, "ALIKE", C * C - 1)
    assert not rehearsal.has_room(form, 1)
    asked: list[Way] = []

    def chosen(*given: Any) -> Way:
        asked.extend(given[-1])
        return USUAL

    monkeypatch.setattr("xattn.recommenders.attention.chosen_way", chosen)
    HybridAttention(min_events=2).fit(data())
    assert asked == [way for way in WAYS if not way.squared]


def test_some_newcomers_have_the_bits_of_all() -> None:
    """Where rounding decides which of two items is ahead, one is scored alone and beside others."""
    rng = np.random.default_rng(0)
    C, J, d = 417, 60, 30
    F, G = (sparse.csr_array(rng.random((n, d)) * (rng.random((n, d)) < 0.5)) for n in (J, C))
    items = np.arange(C + J)
    form = ClosedForm(items[:C], np.append(items[:C], np.full(J, -1)), np.zeros((1, C, C)))
    own = model().parts_[1]
    assert isinstance(own, CollaborativePart)
    behaviour = replace(own, form=form, gate=np.zeros(C + J), memories=own.memories[:1])
    names = tuple(map(str, range(d)))
    inheritance = Inheritance(rng.normal(size=(1, C, C)), rng.normal(size=(1, C)))
    part = replace(InheritedPart.of(behaviour, inheritance, names, F, items[C:], names), known=G)
    item, w, live = rng.choice(C, 20), np.ones(20), rng.random((3, 20)) < 0.8
    histories = [History(item, None, np.arange(20)[::-1], row, 0) for row in live]
    whole = [part.scores(history, w) for history in histories]
    for seed in range(20):
        some = C + np.random.default_rng(seed).choice(J, 7, replace=False)
        for scores, masked in zip(whole, part.scores_masked(histories[0], w, live, some), strict=True):
            np.testing.assert_array_equal(masked, scores[some])


def test_a_word_says_more_to_whoever_has_more_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two newcomers share a word with the same known items, and one shares another word too."""
    F = sparse.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    assert alike(F, F).tolist() == [[4.0, 1.0], [1.0, 1.0]]
    monkeypatch.setattr("xattn.recommenders.attention.chosen_way", lambda *_: Way(1.0, True, 0.0, True))
    own = HybridAttention(min_events=2, dtype="float64", newcomers=0.3).fit(data())
    inherited = own.parts_[-1]
    assert isinstance(inherited, InheritedPart)
    assert inherited.known is not None
    history = History.of(data(), 0)
    target = data().item_row("sea0")
    w = np.ones(len(history))
    for field in inherited.fields(history, w, np.array([target])):
        factors = field.factors(0)
        row = inherited.place[target]
        D, l = inherited._rows(history, field.place)
        of_items = D @ alike(inherited.F[[row]], inherited.known)[0] + l
        np.testing.assert_allclose(factors.value.sum(axis=1), of_items, rtol=1e-12, atol=1e-15)
        assert len(factors.features) == factors.value.shape[1] == 1 + len(inherited.F[[row]].indices)


@cache
def with_remarks() -> Interactions:
    """The same, where texts say more words than there are items with values."""
    rng = np.random.default_rng(4)
    said = [" ".join(f"remark{n}" for n in rng.integers(0, 60, 4)) for _ in data().items.ids]
    table = ItemTable(data().items.ids, data().items.titles, data().items.frame.assign(remarks=said))
    return Interactions(data().name, data().user_ids, table, data().indptr, data().item)


@pytest.mark.parametrize(
    ("way", "fusion", "of"),
    [*((way, fusion, data) for way in WAYS[::7] for fusion in ("multiply", "softmax"))]
    + [(way, "multiply", with_remarks) for way in WAYS[:2]],
)
def test_hidden_items_are_ranked_as_a_model_of_that_way_would(
    way: Way, fusion: str, of: Callable[[], Interactions], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The obvious way: fit a model without the hidden items, score newcomers that way, and look where they stand."""
    hidden = hidden_items(of(), np.random.default_rng(3))
    train = of().select(~hidden[of().item])
    questions = questions_of(of(), train, hidden)
    options: dict[str, Any] = {"min_events": 2, "dtype": "float64", "newcomers": 0.3, "fusion": fusion}
    monkeypatch.setattr("xattn.recommenders.attention.chosen_way", lambda *_: way)
    served = HybridAttention(**options).fit(train)
    assert served.way_ == way
    found = ranks_by_way(served._rehearsed(train), questions, served._strength, 0.3)
    assert set(found) == set(WAYS)
    found_so = found[way]
    differ = 0
    for rank, question in zip(found_so.tolist(), questions, strict=True):
        scores = served.scores_of(question.history)
        scores[question.seen] = -np.inf
        differ += abs(rank - int((scores >= scores[question.target]).sum()))
    assert len(questions) > 30
    assert differ <= 0.01 * len(questions)  # equal scores, to rounding


def test_the_way_is_that_by_which_hidden_items_are_found_best(monkeypatch: pytest.MonkeyPatch) -> None:
    best = WAYS[7]

    def ranks(_fitted: object, questions: list[ColdQuestion], *_: object) -> dict[Way, np.ndarray]:
        return {way: np.full(len(questions), 1 if way == best else 2) for way in WAYS}

    monkeypatch.setattr(rehearsal, "ranks_by_way", ranks)
    assert HybridAttention(min_events=2).fit(data()).way_ == best


@pytest.mark.parametrize(("least", "times"), [(1, 1), (10**6, rehearsal.DRAWS)])
def test_items_are_hidden_until_enough_is_asked(least: int, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first draw is for one way, the last for another, and all are well with a third: the sum decides."""
    once, often, late = WAYS[3], WAYS[7], WAYS[9]
    hidden: list[frozenset[int]] = []

    def ranks(fitted: rehearsal.Fitted, questions: list[ColdQuestion], *_: object) -> dict[Way, np.ndarray]:
        hidden.append(frozenset(np.flatnonzero((fitted.data.counts() == 0) & (data().counts() > 0)).tolist()))
        best = {often: 2, {1: once, rehearsal.DRAWS: late}.get(len(hidden), often): 1}
        return {way: np.full(len(questions), best.get(way, 9)) for way in WAYS}

    monkeypatch.setattr(rehearsal, "ranks_by_way", ranks)
    monkeypatch.setattr(rehearsal, "QUESTIONS", least)
    assert HybridAttention(min_events=2).fit(data()).way_ == (once if times == 1 else often)
    assert len(hidden) == times
    assert len(set(hidden)) > 0.8 * times
    assert all(len(items) == 3 for items in hidden)  # each time a tenth


def test_a_way_that_is_too_loud_once_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def ranks(_fitted: object, questions: list[ColdQuestion], *_: object) -> dict[Way, np.ndarray]:
        calls.append(len(questions))
        places = {way: 1 if way == WAYS[3] else 2 if way == WAYS[7] else 9 for way in WAYS}
        return {w: np.full(len(questions), place) for w, place in places.items() if len(calls) != 2 or w != WAYS[3]}

    monkeypatch.setattr(rehearsal, "ranks_by_way", ranks)
    assert HybridAttention(min_events=2).fit(data()).way_ == WAYS[7]


def test_with_nothing_to_hide_the_way_is_the_usual_one() -> None:
    few = data().select(np.arange(data().n_events) < 60)
    assert HybridAttention(min_events=2).fit(few).way_ == USUAL


def test_the_way_hangs_on_the_seed_alone_and_stays(tmp_path: Path) -> None:
    own = HybridAttention(min_events=2, random_state=5).fit(data())
    assert own.way_ == HybridAttention(min_events=2, random_state=5).fit(data()).way_
    path = tmp_path / "model.npz"
    own.save(path)
    assert load_model(path).way_ == own.way_
    own.way_ = WAYS[0]  # grown, a model keeps what it has
    more = read_interactions(pd.DataFrame({"user": ["u0", "new"], "item": ["sea1", "farm3"]}), items=stories())
    assert own.partial_fit(more).way_ == WAYS[0]


def test_a_newcomer_is_found_by_what_its_text_says() -> None:
    right = 0
    rows = [data().item_row(item) for item in NEW]
    for user in range(data().n_users):
        score = model().scores_of(History.of(data(), user))[rows]
        right += int(score.argmax()) == user % 3
    assert right >= 0.99 * data().n_users


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("squared", [False, True])
def test_sums_removals_and_parts_hold(
    squared: bool, dtype: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("xattn.recommenders.attention.chosen_way", lambda *_: Way(1.0, True, 0.3, squared))
    own = HybridAttention(min_events=2, dtype=dtype, newcomers=0.3).fit(data())
    assert any(isinstance(part, InheritedPart) for part in own.parts_)
    for user, item in ((0, "sea0"), (4, "farm1"), (8, "sea0")):
        history = History.of(data(), user).without([1])
        served = float(own.scores_of(history)[data().item_row(item)])
        why = own.explain(item=item, history=history)
        assert_adds_up(why, served, dtype == "float32")
        assert_removals_hold(own, history, data().item_row(item), dtype == "float32")
        if dtype == "float64":
            theirs = why.parts("story", side="target")
            cells = why.by("block").set_index("block")["contribution"]
            assert abs(theirs["contribution"].sum() - cells["story"]) < 1e-10
            gone = why.part_removals("story", side="target").iloc[0]
            twin = own.without_parts("story", item, [gone["place"]])
            assert abs(twin.explain(history=history, item=item).score - gone["score_without"]) < 1e-10
    path = tmp_path / "model.npz"
    own.save(path)
    np.testing.assert_array_equal(load_model(path).score(data().user_ids[0]), own.score(data().user_ids[0]))


@pytest.mark.parametrize("way", [None, WAYS[0], WAYS[-1]])
def test_the_content_head_is_as_loud_as_the_way_says(way: Way | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.recommenders.attention.chosen_way", lambda *_: way)
    own = HybridAttention(min_events=2).fit(without_texts() if way is None else data())
    content, _, inherited = own.parts_
    rows = [data().item_row(item) for item in NEW]
    loudness = 1.0 if way is None else way.loudness
    assert inherited.loudness == loudness
    np.testing.assert_allclose(content.gate[rows], loudness * own.base_[rows], rtol=1e-12)
