"""One drawing of the steps: a sheet, its results, what is pointed at; and the charts of it that can be pointed at.

A click on a cell or a bar, or the choice of an event, points at it: its terms are marked in the formula and framed in
every chart. A pointer that only passes over one gets its term above the chart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from xattn.app.learn import formulas
from xattn.app.learn.formulas import NOTHING, Lit
from xattn.app.learn.results import Results
from xattn.app.learn.sheet import Sheet
from xattn.app.ui import address
from xattn.app.ui.figures import figures, twin
from xattn.app.ui.session import FOLLOW, HAS_POINTED, LIT, widget
from xattn.app.ui.text import safe
from xattn.i18n import t
from xattn.tensor.attend import Attended
from xattn.viz import attention as charts
from xattn.viz.names import genre_name

__all__ = ["Drawing", "contributions", "follow", "lit_event", "matrix", "score_bars", "weight_bars"]

POINTED = "at"  # of the address


class Drawing(NamedTuple):
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


# --- pointing ---------------------------------------------------------------------------------------------------------


def lit_event(n: int) -> Lit:
    """What is pointed at, kept in the address: the number of an event, perhaps that of a coordinate; NOTHING where
    there is no such event."""
    link = address.arrived(POINTED)
    if link is not None:
        found = re.fullmatch("([1-9][0-9]?)(?:_([1-9][0-9]?))?", link)
        event, place = (int(number) - 1 if number else None for number in found.groups()) if found else (None, None)
        LIT.set(Lit(event, place))
    elif not LIT.is_set:
        LIT.set(NOTHING)
    lit: Lit = LIT.get()
    if lit.event is None or lit.event >= n:
        lit = NOTHING
    numbers = [str(number + 1) for number in lit if number is not None]
    address.show(POINTED, "_".join(numbers) or None, [LIT.name])
    return lit


def follow(drawing: Drawing) -> None:
    """Choose the event that is pointed at, without a mouse too."""
    names = drawing.names("k")
    event = drawing.lit.event
    FOLLOW.set(None if event is None else names[event])

    def choose() -> None:
        chosen = FOLLOW.get()
        _light(Lit(names.index(chosen)) if chosen in names else NOTHING)

    st.pills(
        t("worked.follow", drawing.language),
        names,
        format_func=safe,
        key=FOLLOW.name,
        on_change=choose,
    )


def _point(key: str, names: Sequence[str], columns: Sequence[str]) -> None:
    """A cell or a bar of the chart `key` was clicked; a second click takes the mark away."""
    picked = widget(key).get()["selection"].get(charts.PICK) or [{}]
    row, column = picked[0].get("row", picked[0].get("name")), picked[0].get("column")
    event = list(names).index(row) if row in names else None
    place = list(columns).index(column) if column in columns else None
    _light(Lit(event, place) if event is not None else NOTHING)


def _light(lit: Lit) -> None:
    LIT.set(lit)
    HAS_POINTED.set(True)


# --- the charts -------------------------------------------------------------------------------------------------------


def matrix(drawing: Drawing, names: list[str], rows: Any) -> None:
    """The query and the keys as a heat map."""
    columns = drawing.columns(len(drawing.sheet.query))
    wide = charts.table(names, columns, rows)
    key = "worked_matrix_chart"
    figures(
        charts.matrix_chart(
            wide,
            drawing.language,
            pick=True,
            lit=drawing.pointed("k", len(columns)),
            terms=formulas.key_terms(drawing.sheet),
        ),
        twin(wide, t("worked.row", drawing.language)),
        key=key,
        width=charts.cell_width(wide.shape[1], list(wide.index)),
        on_select=lambda: _point(key, names[1:], columns),
    )


def _bars(
    drawing: Drawing, key: str, what: str, numbers: np.ndarray, chart: Callable[..., Any], terms: list[str]
) -> None:
    """One number an event, as bars of which one may be pointed at."""
    names = drawing.names("k")
    frame = charts.table(names, [t(what, drawing.language)], numbers[:, None])
    figures(
        chart(names, numbers, drawing.language, pick=True, lit=drawing.pointed("k", 0)[0], terms=terms),
        twin(frame, t("worked.event", drawing.language)),
        key=key,
        on_select=lambda: _point(key, names, ()),
    )


def score_bars(drawing: Drawing, key: str) -> None:
    """The score of each event."""
    terms = formulas.score_terms(drawing.sheet, drawing.found.profile)
    _bars(drawing, key, "chart.attention_score", drawing.found.profile.scores, charts.score_chart, terms)


def weight_bars(drawing: Drawing, key: str) -> None:
    """The weight of each event."""
    terms = formulas.weight_terms(drawing.sheet, drawing.found.profile, drawing.found.uncut.weights.tolist())
    _bars(drawing, key, "chart.attention_weight", drawing.found.profile.weights, charts.weight_chart, terms)


def contributions(drawing: Drawing, result: Attended, letter: str, rows: tuple[tuple[float, ...], ...]) -> None:
    names, columns = drawing.names(letter), drawing.columns(len(rows[0]))
    wide = charts.contribution_table(names, columns, result.contributions, result.fused)
    key = f"worked_{letter}_contributions_chart"
    figures(
        charts.contribution_chart(
            wide,
            drawing.language,
            pick=True,
            lit=drawing.pointed(letter, len(columns)),
            terms=formulas.fusion_terms(drawing.sheet, result, rows),
        ),
        twin(wide, t("worked.event", drawing.language)),
        key=key,
        width=charts.cell_width(wide.shape[1], list(wide.index)),
        on_select=lambda: _point(key, names, columns),
    )
