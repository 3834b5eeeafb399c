"""The words say only what the ledger holds: every number and title in them is read back and looked up."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import MODELS, fitted
from xattn import Interactions, ItemTable, Ledger
from xattn.explain.words import figure, short_title, weight_and_effect_disagree
from xattn.recommenders import CollaborativeAttention

NUMBER = re.compile(r"[+−]?\d+(?:\.\d+)?")


def known_numbers(ledger: Ledger) -> set[str]:
    """Every number that the words may print, as they print it."""
    events = ledger.events()
    amounts = [*events["contribution"], *events["effect"], *events["score_without"], ledger.score, ledger.base]
    amounts.append(ledger.score - ledger.base)
    said = {figure(x, sign) for x in amounts for sign in (True, False)}
    counts = [*events["rank_without"], ledger.rank or 0, ledger.k, len(events)]
    return said | {str(int(n)) for n in counts} | {f"{w:.1%}".rstrip("%") for w in events["weight"]}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", MODELS)
def test_every_number_is_the_ledgers(name: str, lang: str) -> None:
    model = fitted(name)
    for user in ("u3", "u8", "u21"):
        for item in model.recommend(user=user, k=3)["item"]:
            ledger = model.explain(user=user, item=item)
            text = ledger.text(lang)
            for title in sorted(model.data_.items.titles, key=len, reverse=True):
                text = text.replace(title, "")
            assert set(NUMBER.findall(text)) <= known_numbers(ledger), text


def test_a_planted_wrong_number_is_seen() -> None:
    ledger = fitted("hybrid").explain(user="u3", item="i2")
    assert not set(NUMBER.findall("its score would be 0.98765")) <= known_numbers(ledger)


@given(x=st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-12))
def test_a_figure_reads_back_to_four_digits(x: float) -> None:
    read = float(figure(x).replace("−", "-"))
    assert read == pytest.approx(x, rel=5.1e-4, abs=1e-300)
    assert "e" not in figure(x)


def test_signs_are_told_in_words_of_their_own() -> None:
    ledger = next(
        ledger
        for user in range(60)
        for ledger in [fitted("collaborative").explain(user=f"u{user}", item="i2")]
        if (ledger.events()["contribution"] < 0).any() and (ledger.events()["contribution"] > 0).any()
    )
    assert "against" in ledger.text("en").lower()
    assert "不利" in ledger.text("zh")


def test_a_score_without_reasons_says_so() -> None:
    ledger = fitted("popularity").explain(user="u3", item="i2")
    assert "popular" in ledger.text("en").lower()
    assert "热门" in ledger.text("zh")


def test_a_short_history_says_so() -> None:
    model = fitted("hybrid")
    short = model.explain(history=[("i0", 5.0)], item="i4").text("en")
    long = model.explain(user="u3", item="i4").text("en")
    assert short != long
    assert "1 event" in short


def frame(weight: list[float], effect: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"weight": weight, "effect": effect})


@pytest.mark.parametrize(
    ("weight", "effect", "expected"),
    [
        ([0.9, 0.1], [-0.1, -0.5], (0, 1)),
        ([0.1, 0.9], [0.5, -0.1], (1, 0)),
        ([0.9, 0.1], [-0.5, -0.1], None),
        ([0.5, 0.5], [-0.5, -0.1], None),
        ([1.0], [-0.5], None),
        ([], [], None),
        ([0.9, 0.1], [-0.5, 0.5], None),
    ],
)
def test_disagreement_of_weight_and_effect(
    weight: list[float], effect: list[float], expected: tuple[int, int] | None
) -> None:
    assert weight_and_effect_disagree(frame(weight, effect)) == expected


def test_a_long_title_is_cut() -> None:
    assert short_title("x" * 10**6) == "x" * 79 + "…"
    assert short_title("x" * 80) == "x" * 80


def test_titles_are_not_read_as_formats() -> None:
    rows = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "x")]
    titles = {"x": "{score} {0} %s {title.__class__}", "y": "<b>y</b>"}
    items = ItemTable(tuple(titles), tuple(titles.values()), pd.DataFrame(index=range(2)))
    data = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]), items=items, name="odd")
    model = CollaborativeAttention(min_events=1, regularization=1.0).fit(data)
    text = model.explain(user="c", item="y").text("en")
    assert titles["x"] in text
    assert titles["y"] in text
    assert not np.isnan(model.score("c")).any()
