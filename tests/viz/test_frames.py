"""The frames of a ledger's charts add up, whatever is cut; their labels stay apart and short."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.models import MODELS, fitted
from xattn.explain import Ledger
from xattn.i18n import LANGUAGES
from xattn.i18n.numbers import figure
from xattn.viz import frames
from xattn.viz.frames import MOST_COLUMNS, MOST_EVENTS, distinct, heat_frame, waterfall_frame, weight_frame
from xattn.viz.names import column_name, feature_name, head_name


def why(name: str) -> Ledger:
    return fitted(name).explain(user="u3", item="i12")


def made(n: int, columns: int = 1, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(cells, events) of a made-up ledger: n events, each with all the columns; equal titles among them."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, columns))
    cells = pd.DataFrame(
        {
            "head": "content",
            "title": [f"T{i % 7}" for i in range(n) for _ in range(columns)],
            "position": np.repeat(np.arange(n), columns),
            "feature": [f"f{c}" for c in range(columns)] * n,
            "contribution": values.ravel(),
        }
    )
    events = pd.DataFrame(
        {
            "title": [f"T{i % 7}" for i in range(n)],
            "position": np.arange(n),
            "weight": rng.dirichlet(np.ones(n)) if n else [],
            "contribution": values.sum(axis=1),
        }
    )
    return cells, events


# --- waterfall --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_waterfall_ends_at_the_score(name: str, lang: str) -> None:
    ledger = why(name)
    frame = waterfall_frame(ledger.events(), ledger.base, ledger.score, lang)
    *steps, last = frame.to_dict(orient="records")
    assert last["role"] == "score"
    assert last["amount"] == ledger.score
    assert np.isclose(sum(step["amount"] for step in steps), ledger.score, rtol=1e-9, atol=1e-9)
    assert np.isclose(steps[-1]["end"], last["end"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [0, 1, MOST_EVENTS, MOST_EVENTS + 1, MOST_EVENTS + 2, 200])
def test_steps_join_and_what_is_left_out_is_one_row(n: int) -> None:
    _, events = made(n)
    score = 0.5 + events["contribution"].sum()
    frame = waterfall_frame(events, 0.5, score)
    assert len(frame) == 2 + (n if n <= MOST_EVENTS + 1 else MOST_EVENTS + 1)
    np.testing.assert_allclose(frame["start"].iloc[1:-1], frame["end"].iloc[:-2])
    np.testing.assert_allclose(frame["end"].iloc[-2], score)
    assert frame["label"].is_unique


def test_amounts_are_printed_as_the_sentences_print_them() -> None:
    ledger = why("hybrid")
    frame = waterfall_frame(ledger.events(), ledger.base, ledger.score)
    assert frame["text"].iloc[-1] == figure(ledger.score)
    assert frame["text"].iloc[0] == figure(ledger.base)
    assert all(text[0] in "+−" for text in frame["text"].iloc[1:-1])
    signs = {"for": "+", "against": "−"}
    steps = frame[frame["role"].isin(signs)]
    assert [text[0] for text in steps["text"]] == [signs[role] for role in steps["role"]]


# --- heat map ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MODELS if name != "popularity"])
def test_the_heat_map_adds_up(name: str) -> None:
    ledger = why(name)
    frame = heat_frame(ledger.cells, ledger.events())
    np.testing.assert_allclose(frame["contribution"].sum(), ledger.score - ledger.base, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (30, 5), (3, 40), (200, 40), (5, MOST_COLUMNS + 1)])
def test_a_large_heat_map_is_cut_and_still_adds_up(n: int, columns: int) -> None:
    cells, events = made(n, columns)
    frame = heat_frame(cells, events)
    assert len(frame) <= (MOST_EVENTS + 1) * (MOST_COLUMNS + 1) <= 2000
    assert frame["column"].nunique() == min(columns, MOST_COLUMNS + 1)
    assert not frame.duplicated(["label", "column"]).any()
    np.testing.assert_allclose(frame["contribution"].sum(), cells["contribution"].sum(), atol=1e-9)
    size = cells.groupby("feature")["contribution"].apply(lambda c: c.abs().sum())
    assert frame["column"].cat.categories[0] == size.idxmax(), "the largest column comes first"


def test_columns_that_say_nothing_are_left_out() -> None:
    cells, events = made(4, 3)
    cells.loc[cells["feature"] == "f1", "contribution"] = 0.0
    assert "f1" not in set(heat_frame(cells, events)["column"])
    cells["contribution"] = 0.0
    assert len(heat_frame(cells, events)) == 12


# --- weights, labels, names -------------------------------------------------------------------------------------------


def test_weights_come_largest_first() -> None:
    frame = weight_frame(made(50)[1])
    assert frame["weight"].is_monotonic_decreasing
    assert len(frame) == MOST_EVENTS
    assert frame["label"].is_unique


@given(some.lists(some.text(max_size=90), max_size=20))
def test_labels_are_distinct_and_short(titles: list[str]) -> None:
    labels = distinct(titles)
    assert len(set(labels)) == len(titles)
    assert all(len(label) <= frames.LONGEST_LABEL + 6 and "\n" not in label for label in labels)


def test_titles_of_any_length_make_short_frames() -> None:
    cells, events = made(3, 2)
    for frame in (cells, events):
        frame["title"] = "x" * 1_000_000
    for frame in (waterfall_frame(events, 0.0, 1.0), heat_frame(cells, events), weight_frame(events)):
        assert frame["title"].str.len().max() <= 200
        assert frame["label"].astype(str).str.len().max() <= 70


@pytest.mark.parametrize("lang", LANGUAGES)
def test_heads_and_features_of_the_models_have_names(lang: str) -> None:
    heads = {head for name in MODELS for head in why(name).cells["head"]}
    assert len(heads) >= 5
    for head in heads:
        assert lang == "en" or any("\u4e00" <= c <= "\u9fff" for c in head_name(head, lang)), head
    assert column_name("content", "genres: Drama", "zh") == "类型：剧情"
    assert column_name("recency 3", "", "en") == "recent (3)"
    assert feature_name("year: ~1985", "en") == "year: about 1985"
    assert feature_name("odd: [x]", lang) == "odd: [x]"
