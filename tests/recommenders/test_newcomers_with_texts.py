"""Newcomers that texts describe: the ridge is chosen by leaving items out, texts speak by keywords and by vectors."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tests.models import assert_adds_up, assert_removals_hold
from xattn import History, HybridAttention, Interactions, ItemTable, load_model, read_interactions
from xattn.features import make_features, newcomer_features
from xattn.features.newcomers import has_texts
from xattn.model.fit import inheritance
from xattn.model.fit.inheritance import PENALTIES, PENALTY, chosen_penalty
from xattn.model.heads.inherited import InheritedPart
from xattn.recommenders.newcomers import QUIET

WORDS = {
    "sea": ["harbour", "ship", "tide", "storm", "sailor"],
    "farm": ["meadow", "cow", "barn", "harvest", "plough"],
    "court": ["judge", "jury", "verdict", "lawyer", "crime"],
}
NEW = ("sea0", "farm1", "court2")


def left_out_error(F: np.ndarray, lifts: np.ndarray, counts: np.ndarray, penalty: float) -> float:
    """The obvious way: a ridge regression with a level for each item that is left out, without it."""
    error = 0.0
    for i in range(len(F)):
        X, Y = np.delete(F, i, axis=0), np.delete(lifts.T, i, axis=0)
        X1 = np.hstack([X, np.ones((len(X), 1))])
        P = penalty * np.eye(X1.shape[1])
        P[-1, -1] = 0.0
        W = np.linalg.solve(X1.T @ X1 + P, X1.T @ Y)
        error += counts[i] * float(((lifts.T[i] - np.append(F[i], 1.0) @ W) ** 2).sum())
    return error


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(4, 12), st.integers(1, 8), st.booleans())
def test_the_penalty_is_that_of_the_least_left_out_error(seed: int, C: int, d: int, signal: bool) -> None:
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(C, d)) * (rng.random((C, d)) < 0.7)
    lifts = rng.normal(size=(3, C)) + (5 * rng.normal(size=(3, d)) @ F.T if signal else 0.0)
    counts = rng.integers(1, 9, C).astype(float)
    errors = {penalty: left_out_error(F, lifts, counts, penalty) for penalty in PENALTIES}
    found = errors[chosen_penalty(sparse.csr_array(F), lifts, counts)]
    assert found <= min(errors.values()) * (1 + 1e-9)


@given(st.integers(0, 10**6))
@settings(max_examples=10)
def test_cut_into_pieces_it_is_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    F, lifts, counts = sparse.csr_array(rng.normal(size=(30, 4))), rng.normal(size=(5, 30)), np.ones(30)
    whole = chosen_penalty(F, lifts, counts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inheritance, "ROWS", 7)
        assert chosen_penalty(F, lifts, counts) == whole


@cache
def data() -> Interactions:
    """People stay with one subject; each item says three of its five words; nobody has met the NEW."""
    rng = np.random.default_rng(0)
    stories = {
        f"{subject}{n}": " ".join(rng.permutation(words)[:3]) for subject, words in WORDS.items() for n in range(12)
    }
    rows = []
    for u in range(90):
        subject = list(WORDS)[u % 3]
        old = [item for item in stories if item.startswith(subject) and item not in NEW]
        rows += [(f"u{u}", item) for item in rng.choice(old, 6, replace=False)]
    items = pd.DataFrame({"item": list(stories), "title": [f"No. {n}" for n in range(36)], "story": stories.values()})
    return read_interactions(pd.DataFrame(rows, columns=["user", "item"]), items=items)


@cache
def model(dtype: str = "float64") -> HybridAttention:
    return HybridAttention(min_events=2, dtype=dtype, newcomers=0.3).fit(data())


def test_texts_speak_twice_and_alone_choose_the_ridge(monkeypatch: pytest.MonkeyPatch) -> None:
    table = data().items
    blocks = newcomer_features(table, data().counts() == 0).blocks
    assert set(blocks) == {"story", "story (vectors)"}
    assert has_texts(table)
    assert has_texts(table.with_features(make_features(table)))
    plain = ItemTable(table.ids, table.titles, pd.DataFrame({"kind": [name[:-1] for name in table.ids]}))
    assert not has_texts(plain)
    assert not has_texts(ItemTable.bare(("a", "b")))
    asked: list[float] = []
    real = inheritance.fit_inheritance
    monkeypatch.setattr(
        "xattn.recommenders.newcomers.fit_inheritance",
        lambda form, F, penalty: (asked.append(penalty), real(form, F, penalty))[1],
    )
    for own in (table, plain):
        HybridAttention(min_events=2).fit(Interactions(data().name, data().user_ids, own, data().indptr, data().item))
    assert asked[0] in PENALTIES
    assert asked[1] == PENALTY


def test_a_newcomer_is_found_by_what_its_text_says() -> None:
    right = 0
    rows = [data().item_row(item) for item in NEW]
    for user in range(data().n_users):
        score = model().scores_of(History.of(data(), user))[rows]
        right += int(score.argmax()) == user % 3
    assert right >= 0.99 * data().n_users


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_removals_and_parts_hold(dtype: str, tmp_path) -> None:
    own = model(dtype)
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


def test_the_content_head_is_quiet_where_texts_describe_newcomers() -> None:
    assert QUIET < 1.0
    rows = [data().item_row(item) for item in NEW]
    for columns, loudness in ((data().items.frame, QUIET), (None, 1.0)):
        frame = pd.DataFrame({"kind": [name[:-1] for name in data().items.ids]}) if columns is None else columns
        table = ItemTable(data().items.ids, data().items.titles, frame)
        own = HybridAttention(min_events=2).fit(
            Interactions(data().name, data().user_ids, table, data().indptr, data().item)
        )
        content, _, inherited = own.parts_
        assert inherited.loudness == loudness
        np.testing.assert_allclose(content.gate[rows], loudness * own.base_[rows], rtol=1e-12)
