"""The four steps of one attention, drawn: a sentence, the formula with its numbers, charts, the article's numbers.

1 scores s   2 weights a   3 fusion Σ a_i k_i   4 recommendation Σ a_i y_i and the item closest to it

Where one step is shown alone, what the step before made stands at its left: it is carried over.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.learn import article, formulas, person_sheet
from xattn.app.learn.drawing import Drawing, contributions, follow, lit_event, matrix, score_bars, weight_bars
from xattn.app.learn.formulas import NOTHING
from xattn.app.learn.results import results
from xattn.app.learn.sheet import Sheet
from xattn.app.ui.glossary import meanings
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.tensor.attend import Attended
from xattn.viz.digits import digits

__all__ = ["STEPS", "draw", "item_names"]

STEPS = ("1", "2", "3", "4", "all")
BESIDE = 4  # columns of a heat map that has room beside another chart
WORDS = {  # of the glossary, those that a step needs
    "1": ("event", "query", "key", "attention_score", "scorer"),
    "2": ("softmax", "weight", "temperature", "beta", "threshold"),
    "3": ("fusion", "contribution", "fused"),
    "4": ("item", "value", "contribution"),
}


def item_names(sheet: Sheet, language: str) -> tuple[list[str], list[str]]:
    """What the items and their coordinates are called."""
    drawing = Drawing(sheet, results(sheet), NOTHING, alone=True, language=language)
    return drawing.names("y"), drawing.columns(len(sheet.items[0]))


def draw(sheet: Sheet, step: str, language: str) -> None:
    """Draw one step, or all. Raises InputError where the sheet's numbers cannot be attended to."""
    lit = lit_event(len(sheet.keys))
    drawing = Drawing(sheet, results(sheet), lit, step != "all", language)
    follow(drawing)
    for name, section in zip(STEPS, (_scores, _weights, _fusion, _recommendation), strict=False):
        if step in (name, "all"):
            with st.container(border=True):
                st.subheader(t(f"worked.step.{name}", language), help=meanings(WORDS[name], language))
                st.markdown(t(f"worked.says.{name}", language))
                section(drawing)


# --- the steps --------------------------------------------------------------------------------------------------------


def _scores(drawing: Drawing) -> None:
    sheet, language = drawing.sheet, drawing.language
    st.latex(formulas.scores(sheet, drawing.found.profile, drawing.lit))
    if sheet.scorer == "cosine" and not all(map(any, (sheet.query, *sheet.keys))):
        st.caption(t("worked.zero_key", language))
    left, right = st.columns(2) if len(sheet.query) <= BESIDE else (st.container(), st.container())
    with left:
        st.caption(t("worked.goes_in", language))
        matrix(drawing, ["q", *drawing.names("k")], [sheet.query, *sheet.keys])
    with right:
        st.caption(t("worked.comes_out", language))
        score_bars(drawing, "worked_scores_chart")
    article.printed(sheet, "scores", language)


def _weights(drawing: Drawing) -> None:
    sheet, found, language = drawing.sheet, drawing.found, drawing.language
    st.latex(formulas.weights(sheet, found.profile, found.uncut.weights.tolist(), drawing.lit))
    if found.profile.attended < len(sheet.keys):
        st.caption(t("worked.cut", language, kept=found.profile.attended, n=len(sheet.keys)))
    if drawing.alone:
        left, right = st.columns(2)
        with left:
            st.caption(t("worked.carried", language, step=1))
            score_bars(drawing, "worked_scores_carried")
        with right:
            st.caption(t("worked.comes_out", language))
            weight_bars(drawing, "worked_weights_chart")
    else:
        weight_bars(drawing, "worked_weights_chart")
    article.printed(sheet, "weights", language)


def _fusion(drawing: Drawing) -> None:
    _fused(drawing, drawing.found.profile, drawing.sheet.keys, "k")
    article.printed(drawing.sheet, "fused", drawing.language)


def _recommendation(drawing: Drawing) -> None:
    sheet, language = drawing.sheet, drawing.language
    _fused(drawing, drawing.found.recommendation, sheet.items, "y")
    nearest, names = drawing.found.nearest, drawing.names("y")
    best, angle = nearest.euclidean, nearest.cosine
    sentence = t(
        "worked.nearest",
        language,
        name=safe(names[best]),
        distance=digits(nearest.distances[best]),
        cosine=digits(nearest.cosines[best]),
    )
    if angle != best:
        more = t("worked.nearest_differs", language, name=safe(names[angle]), cosine=digits(nearest.cosines[angle]))
        sentence = f"{sentence} {more}"
    st.success(sentence, icon=":material/recommend:")
    if sheet.features:
        film = person_sheet.nearest_title(state.dataset(), sheet, drawing.found.recommendation.fused.tolist())
        if film:
            st.success(
                t("worked.nearest_film", language, name=safe(film[0]), cosine=digits(film[1])), icon=":material/movie:"
            )
    st.table(
        pd.DataFrame(
            {
                t("worked.distance", language): [*map(digits, nearest.distances)],
                t("worked.cosine", language): [*map(digits, nearest.cosines)],
            },
            index=pd.Index([safe(name) for name in names], name=t("worked.item", language)),
        ),
        width="content",
        border="horizontal",
        alt=t("worked.distance", language),
    )
    article.printed(sheet, "recommendation", language)


def _fused(drawing: Drawing, result: Attended, rows: tuple[tuple[float, ...], ...], letter: str) -> None:
    """Formula and heat map of one fusion; where it stands alone, what it grows out of comes first: for the keys the
    weights, for the items what the same weights made of the keys."""
    st.latex(formulas.fusion(drawing.sheet, result, rows, letter, drawing.lit))
    if not drawing.alone:
        contributions(drawing, result, letter, rows)
        return
    left, right = st.columns(2) if len(rows[0]) <= BESIDE else (st.container(), st.container())
    with left:
        if letter == "k":
            st.caption(t("worked.carried", drawing.language, step=2))
            weight_bars(drawing, "worked_weights_carried")
        else:
            st.caption(t("worked.carried", drawing.language, step=3))
            contributions(drawing, drawing.found.profile, "k", drawing.sheet.keys)
    with right:
        st.caption(t("worked.comes_out", drawing.language))
        contributions(drawing, result, letter, rows)
