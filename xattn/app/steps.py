"""The four steps of one attention, drawn: a sentence, the formula with its numbers, charts, the article beside it.

1 scores e   2 weights a   3 fusion Σ a_i k_i   4 recommendation Σ a_i y_i and the item closest to it
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import streamlit as st

from xattn import attend
from xattn.app import article, formulas
from xattn.app.shell import figures
from xattn.app.vectors import Sheet
from xattn.i18n import t
from xattn.model.attention import Attended
from xattn.model.example import Nearest, nearest_item
from xattn.viz import attention as charts
from xattn.viz.digits import digits

__all__ = ["STEPS", "Results", "draw", "results", "twin"]

STEPS = ("all", "1", "2", "3", "4")


class Results(NamedTuple):
    """What the library makes of a sheet: the attention with the keys as values, with the items as values, without the
    threshold, and the item closest to the recommendation."""

    profile: Attended
    recommendation: Attended
    uncut: Attended
    nearest: Nearest


def results(sheet: Sheet) -> Results:
    """All numbers of the page. Raises InputError as `attend` does."""
    profile = _attend(sheet, sheet.keys, sheet.threshold)
    recommendation = _attend(sheet, sheet.items, sheet.threshold)
    return Results(
        profile,
        recommendation,
        _attend(sheet, sheet.keys, 0.0) if sheet.threshold > 0 else profile,
        nearest_item(recommendation.fused, sheet.items),
    )


def _attend(sheet: Sheet, values: tuple[tuple[float, ...], ...], threshold: float) -> Attended:
    return attend(
        sheet.query,
        sheet.keys,
        values,
        scorer=sheet.scorer,
        temperature=sheet.temperature,
        beta=sheet.beta,
        threshold=threshold,
        fusion=sheet.fusion,
        W=sheet.W or None,
        Wq=sheet.Wq or None,
        Wk=sheet.Wk or None,
        v=sheet.v or None,
    )


def draw(sheet: Sheet, step: str, language: str) -> None:
    """Draw one step, or all. Raises InputError where the sheet's numbers cannot be attended to."""
    found = results(sheet)
    for name, section in zip(STEPS[1:], (_scores, _weights, _fusion, _recommendation), strict=True):
        if step in (STEPS[0], name):
            with st.container(border=True):
                st.subheader(t(f"worked.step.{name}", language))
                st.markdown(t(f"worked.says.{name}", language))
                section(sheet, found, language)


def twin(wide: pd.DataFrame, corner: str) -> pd.DataFrame:
    """A table whose row names are its first column, called `corner`: how `figures` lists it."""
    frame = wide.rename_axis(None, axis=1)
    frame.insert(0, corner, frame.index)
    return frame.reset_index(drop=True)


def _names(letter: str, n: int) -> list[str]:
    return [f"{letter}{i + 1}" for i in range(n)]


# --- the steps --------------------------------------------------------------------------------------------------------


def _scores(sheet: Sheet, found: Results, language: str) -> None:
    names = _names("k", len(sheet.keys))
    st.latex(formulas.scores(sheet, found.profile))
    if sheet.scorer == "cosine" and not all(map(any, (sheet.query, *sheet.keys))):
        st.caption(t("worked.zero_key", language))
    left, right = st.columns(2)
    with left:
        matrix = charts.table(["q", *names], _names("", len(sheet.query)), [sheet.query, *sheet.keys])
        figures(
            charts.matrix_chart(matrix, language),
            twin(matrix, t("worked.row", language)),
            key="worked_matrix_chart",
            width=charts.cell_width(matrix.shape[1]),
        )
    with right:
        frame = charts.table(names, [t("chart.attention_score", language)], found.profile.scores[:, None])
        figures(
            charts.score_chart(names, found.profile.scores, language),
            twin(frame, t("worked.event", language)),
            key="worked_scores_chart",
        )
    article.beside(sheet, "scores", language)


def _weights(sheet: Sheet, found: Results, language: str) -> None:
    names = _names("k", len(sheet.keys))
    weights = found.profile.weights
    st.latex(formulas.weights(sheet, found.profile, found.uncut.weights.tolist()))
    if found.profile.attended < len(names):
        st.caption(t("worked.cut", language, kept=found.profile.attended, n=len(names)))
    frame = charts.table(names, [t("chart.attention_weight", language)], weights[:, None])
    figures(
        charts.weight_chart(names, weights, language),
        twin(frame, t("worked.event", language)),
        key="worked_weights_chart",
    )
    article.beside(sheet, "weights", language)


def _fusion(sheet: Sheet, found: Results, language: str) -> None:
    _fused(sheet, found.profile, sheet.keys, "k", language)
    article.beside(sheet, "fused", language)


def _recommendation(sheet: Sheet, found: Results, language: str) -> None:
    _fused(sheet, found.recommendation, sheet.items, "y", language)
    nearest, names = found.nearest, _names("y", len(sheet.items))
    best, angle = nearest.euclidean, nearest.cosine
    sentence = t(
        "worked.nearest",
        language,
        name=names[best],
        distance=digits(nearest.distances[best]),
        cosine=digits(nearest.cosines[best]),
    )
    if angle != best:
        more = t("worked.nearest_differs", language, name=names[angle], cosine=digits(nearest.cosines[angle]))
        sentence = f"{sentence} {more}"
    st.success(sentence, icon=":material/recommend:")
    st.table(
        pd.DataFrame(
            {
                t("worked.distance", language): [*map(digits, nearest.distances)],
                t("worked.cosine", language): [*map(digits, nearest.cosines)],
            },
            index=pd.Index(names, name=t("worked.item", language)),
        ),
        width="content",
        border="horizontal",
        alt=t("worked.distance", language),
    )
    article.beside(sheet, "recommendation", language)


def _fused(sheet: Sheet, result: Attended, rows: tuple[tuple[float, ...], ...], letter: str, language: str) -> None:
    """Formula and heat map of one fusion."""
    st.latex(formulas.fusion(sheet, result, rows, letter))
    names = _names(letter, len(rows))
    wide = charts.contribution_table(names, _names("", len(rows[0])), result.contributions, result.fused)
    figures(
        charts.contribution_chart(wide, language),
        twin(wide, t("worked.event", language)),
        key=f"worked_{letter}_contributions_chart",
        width=charts.cell_width(wide.shape[1]),
    )
