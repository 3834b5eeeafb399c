"""What the words are: figures, titles, honest cases, depths, scenarios. That they hold is tested in test_parse.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import fitted
from xattn import InputError, Interactions, ItemTable
from xattn.data.scale import Scale
from xattn.explain import DEPTHS, SCENARIOS, Ledger
from xattn.explain.tell.words import figure, short_title, weight_and_effect_disagree
from xattn.recommenders import CollaborativeAttention
from xattn.testing.texts import mismatches


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


# --- depths and scenarios ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_depth_says_more(lang: str) -> None:
    ledger = fitted("hybrid").explain(user="u3", item="i2")
    clause, sentence, paragraph = (ledger.text(lang, depth) for depth in DEPTHS)
    assert len(clause) < len(sentence) < len(paragraph)
    assert paragraph == ledger.text(lang)


def test_each_scenario_has_a_verb_of_its_own() -> None:
    ledger = fitted("hybrid").explain(user="u3", item="i2")
    assert "you bought" in ledger.text("en", "clause", "shop")
    assert "你听过" in ledger.text("zh", "sentence", "music")
    assert len({ledger.text("en", "clause", scenario) for scenario in SCENARIOS}) >= len(SCENARIOS) - 1


@pytest.mark.parametrize("wrong", [{"depth": "book"}, {"scenario": "moon"}, {"depth": None}, {"scenario": 3}])
def test_an_unknown_depth_or_scenario_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"`{next(iter(wrong))}` must be one of"):
        fitted("hybrid").explain(user="u3", item="i2").text("en", **wrong)  # type: ignore[arg-type]


def test_a_dislike_is_called_one() -> None:
    model = fitted("collaborative")
    low = model.scale_.low
    texts = [
        model.explain(history=[(f"i{i}", low) for i in range(start, start + 6)], item=f"i{item}").text("en", "clause")
        for start in range(0, 24, 4)
        for item in range(30, 36)
    ]
    assert any("did not like" in text for text in texts)


STARS = Scale(1.0, 5.0)


def _rated(first: float, scale: Scale = STARS) -> Ledger:
    """A history of two events of which the first, rated `first`, speaks for the item."""
    lines = [(u, i, 4.0) for u in range(30) for i in (("a", "b") if u < 20 else ("c", "d"))] + [(99, "d", 1.0)]
    frame = pd.DataFrame(lines, columns=["user", "item", "rating"])
    data = replace(Interactions.from_frame(frame), scale=scale)
    model = CollaborativeAttention(min_events=1, regularization=1.0, dislike=1.0).fit(data)
    return model.explain(item="b", history=[("a", first)])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_disliked_reason_for_an_item_is_told_with_an_although(lang: str) -> None:
    although = {"en": "although you rated", "zh": "尽管你给"}[lang]
    for depth in DEPTHS:
        assert although in _rated(1.0).text(lang, depth), depth
        assert although in _rated(2.0).text(lang, depth), depth
        assert although not in _rated(3.0).text(lang, depth), depth
        assert not mismatches(_rated(1.0), lang, depth)


def test_no_event_is_called_rated_low_on_a_scale_that_is_a_guess() -> None:
    guess = Scale(1.0, 5.0, "opinion", "guessed")
    assert "although" not in _rated(1.0, guess).text("en")
