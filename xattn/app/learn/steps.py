"""The four steps of one attention, drawn: a sentence, the formula with its numbers, charts, the article beside it.

1 scores e   2 weights a   3 fusion Σ a_i k_i   4 recommendation Σ a_i y_i and the item closest to it

Where one step is shown alone, what the step before made stands at its left: it is carried over. A click on a cell or a
bar, or the choice of an event, points at it: its terms are marked in the formula and framed in every chart. A pointer
that only passes over one is told its term above the chart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from xattn import attend
from xattn.app import state
from xattn.app.learn import article, formulas, person_sheet
from xattn.app.learn.formulas import NOTHING, Lit
from xattn.app.learn.sheet import Sheet
from xattn.app.ui import address
from xattn.app.ui.figures import figures, twin
from xattn.app.ui.text import safe
from xattn.i18n import t
from xattn.model.example import Nearest, nearest_item
from xattn.tensor.attend import Attended
from xattn.viz import attention as charts
from xattn.viz.digits import digits
from xattn.viz.names import genre_name

__all__ = ["LIT", "STEPS", "Results", "draw", "item_names", "results"]

STEPS = ("1", "2", "3", "4", "all")
BESIDE = 4  # columns of a heat map that has room beside another chart
LIT, POINTED = "worked.lit", "at"  # of the session, of the address: what is pointed at
WORDS = {  # of the glossary, those that a step needs
    "1": ("event", "query", "key", "attention_score", "scorer"),
    "2": ("softmax", "weight", "temperature", "beta", "threshold"),
    "3": ("fusion", "contribution", "fused"),
    "4": ("item", "value", "contribution"),
}


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


class _View(NamedTuple):
    """One drawing of a sheet: its numbers, what is pointed at, whether a step stands alone, the language."""

    sheet: Sheet
    found: Results
    lit: Lit
    alone: bool
    language: str

    def names(self, letter: str) -> list[str]:
        """k1, k2, …, with the titles of the events where they have any."""
        sheet = self.sheet
        titles = sheet.titles if letter == "y" else sheet.events
        plain = [f"{letter}{i + 1}" for i in range(len(sheet.keys))]
        return charts.distinct([f"{k} · {x}" for k, x in zip(plain, titles, strict=True)] if titles else plain)

    def columns(self, n: int) -> list[str]:
        """1, 2, …, or the features' names."""
        if len(self.sheet.features) != n:
            return [f"{i + 1}" for i in range(n)]
        return charts.distinct([genre_name(name, self.language) for name in self.sheet.features])

    def pointed(self, letter: str, n: int) -> charts.Pointed:
        """The row and the column that are pointed at, by name."""
        event, place = self.lit
        names, columns = self.names(letter), self.columns(n)
        row = names[event] if event is not None and event < len(names) else None
        return row, columns[place] if place is not None and place < n else None


def item_names(sheet: Sheet, language: str) -> tuple[list[str], list[str]]:
    """What the items and their coordinates are called."""
    view = _View(sheet, results(sheet), NOTHING, alone=True, language=language)
    return view.names("y"), view.columns(len(sheet.items[0]))


def draw(sheet: Sheet, step: str, language: str) -> None:
    """Draw one step, or all. Raises InputError where the sheet's numbers cannot be attended to."""
    lit = _lit(len(sheet.keys))
    view = _View(sheet, results(sheet), lit, step != "all", language)
    _follow(view)
    for name, section in zip(STEPS, (_scores, _weights, _fusion, _recommendation), strict=False):
        if step in (name, "all"):
            with st.container(border=True):
                st.subheader(t(f"worked.step.{name}", language), help=_words(name, language))
                st.markdown(t(f"worked.says.{name}", language))
                section(view)


def _lit(n: int) -> Lit:
    """What is pointed at, kept in the address: the number of an event, perhaps that of a coordinate; NOTHING where
    there is no such event."""
    link = address.arrived(POINTED)
    if link is not None:
        found = re.fullmatch("([1-9][0-9]?)(?:_([1-9][0-9]?))?", link)
        event, place = (int(number) - 1 if number else None for number in found.groups()) if found else (None, None)
        st.session_state[LIT] = Lit(event, place)
    lit: Lit = st.session_state.setdefault(LIT, NOTHING)
    if lit.event is None or lit.event >= n:
        lit = NOTHING
    numbers = [str(number + 1) for number in lit if number is not None]
    address.show(POINTED, "_".join(numbers) or None, [LIT])
    return lit


def _words(step: str, language: str) -> str:
    """The glossary of a step."""
    return "\n".join(f"- **{t(f'term.{word}', language)}**: {t(f'meaning.{word}', language)}" for word in WORDS[step])


def _follow(view: _View) -> None:
    """Choose the event that is pointed at, without a mouse too."""
    names = view.names("k")
    event = view.lit.event
    st.session_state["worked_follow"] = None if event is None else names[event]

    def choose() -> None:
        chosen = st.session_state["worked_follow"]
        st.session_state[LIT] = Lit(names.index(chosen)) if chosen in names else NOTHING
        st.session_state["worked.pointed"] = True

    st.pills(
        t("worked.follow", view.language),
        names,
        format_func=safe,
        key="worked_follow",
        on_change=choose,
    )


def _point(key: str, names: Sequence[str], columns: Sequence[str]) -> None:
    """A cell or a bar of the chart `key` was clicked; a second click takes the mark away."""
    picked = st.session_state[key]["selection"].get(charts.PICK) or [{}]
    row, column = picked[0].get("row", picked[0].get("name")), picked[0].get("column")
    event = list(names).index(row) if row in names else None
    place = list(columns).index(column) if column in columns else None
    st.session_state[LIT] = Lit(event, place) if event is not None else NOTHING
    st.session_state["worked.pointed"] = True


# --- the steps --------------------------------------------------------------------------------------------------------


def _scores(view: _View) -> None:
    sheet, language = view.sheet, view.language
    st.latex(formulas.scores(sheet, view.found.profile, view.lit))
    if sheet.scorer == "cosine" and not all(map(any, (sheet.query, *sheet.keys))):
        st.caption(t("worked.zero_key", language))
    left, right = st.columns(2) if len(sheet.query) <= BESIDE else (st.container(), st.container())
    with left:
        st.caption(t("worked.goes_in", language))
        _matrix(view, ["q", *view.names("k")], [sheet.query, *sheet.keys])
    with right:
        st.caption(t("worked.comes_out", language))
        _score_bars(view, "worked_scores_chart")
    article.beside(sheet, "scores", language)


def _weights(view: _View) -> None:
    sheet, found, language = view.sheet, view.found, view.language
    st.latex(formulas.weights(sheet, found.profile, found.uncut.weights.tolist(), view.lit))
    if found.profile.attended < len(sheet.keys):
        st.caption(t("worked.cut", language, kept=found.profile.attended, n=len(sheet.keys)))
    if view.alone:
        left, right = st.columns(2)
        with left:
            st.caption(t("worked.carried", language, step=1))
            _score_bars(view, "worked_scores_carried")
        with right:
            st.caption(t("worked.comes_out", language))
            _weight_bars(view, "worked_weights_chart")
    else:
        _weight_bars(view, "worked_weights_chart")
    article.beside(sheet, "weights", language)


def _fusion(view: _View) -> None:
    _fused(view, view.found.profile, view.sheet.keys, "k")
    article.beside(view.sheet, "fused", view.language)


def _recommendation(view: _View) -> None:
    sheet, language = view.sheet, view.language
    _fused(view, view.found.recommendation, sheet.items, "y")
    nearest, names = view.found.nearest, view.names("y")
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
        film = person_sheet.nearest_title(state.dataset(), sheet, view.found.recommendation.fused.tolist())
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
    article.beside(sheet, "recommendation", language)


def _fused(view: _View, result: Attended, rows: tuple[tuple[float, ...], ...], letter: str) -> None:
    """Formula and heat map of one fusion; where it stands alone, the weights that it takes over beside it."""
    st.latex(formulas.fusion(view.sheet, result, rows, letter, view.lit))
    if not view.alone:
        _contributions(view, result, letter, rows)
        return
    left, right = st.columns(2) if len(rows[0]) <= BESIDE else (st.container(), st.container())
    with left:
        st.caption(t("worked.carried", view.language, step=2))
        _weight_bars(view, "worked_weights_carried")
    with right:
        st.caption(t("worked.comes_out", view.language))
        _contributions(view, result, letter, rows)


# --- the charts -------------------------------------------------------------------------------------------------------


def _matrix(view: _View, names: list[str], rows: Any) -> None:
    columns = view.columns(len(view.sheet.query))
    wide = charts.table(names, columns, rows)
    key = "worked_matrix_chart"
    figures(
        charts.matrix_chart(
            wide,
            view.language,
            pick=True,
            lit=view.pointed("k", len(columns)),
            terms=formulas.key_terms(view.sheet),
        ),
        twin(wide, t("worked.row", view.language)),
        key=key,
        width=charts.cell_width(wide.shape[1], list(wide.index)),
        on_select=lambda: _point(key, names[1:], columns),
    )


def _bars(view: _View, key: str, what: str, numbers: np.ndarray, chart: Callable[..., Any], terms: list[str]) -> None:
    """One number an event, as bars of which one may be pointed at."""
    names = view.names("k")
    frame = charts.table(names, [t(what, view.language)], numbers[:, None])
    figures(
        chart(names, numbers, view.language, pick=True, lit=view.pointed("k", 0)[0], terms=terms),
        twin(frame, t("worked.event", view.language)),
        key=key,
        on_select=lambda: _point(key, names, ()),
    )


def _score_bars(view: _View, key: str) -> None:
    terms = formulas.score_terms(view.sheet, view.found.profile)
    _bars(view, key, "chart.attention_score", view.found.profile.scores, charts.score_chart, terms)


def _weight_bars(view: _View, key: str) -> None:
    terms = formulas.weight_terms(view.sheet, view.found.profile, view.found.uncut.weights.tolist())
    _bars(view, key, "chart.attention_weight", view.found.profile.weights, charts.weight_chart, terms)


def _contributions(view: _View, result: Attended, letter: str, rows: tuple[tuple[float, ...], ...]) -> None:
    names, columns = view.names(letter), view.columns(len(rows[0]))
    wide = charts.contribution_table(names, columns, result.contributions, result.fused)
    key = f"worked_{letter}_contributions_chart"
    figures(
        charts.contribution_chart(
            wide,
            view.language,
            pick=True,
            lit=view.pointed(letter, len(columns)),
            terms=formulas.fusion_terms(view.sheet, result, rows),
        ),
        twin(wide, t("worked.event", view.language)),
        key=key,
        width=charts.cell_width(wide.shape[1], list(wide.index)),
        on_select=lambda: _point(key, names, columns),
    )
