"""One query's attention as charts: keys → scores → weights → contributions. Pure functions from tables to charts.

    matrix         n × d cells, signed: the query above the keys     diverging, centred on 0
    bars           n scores (neutral), weights, or signed amounts    sequential for weights; two ends for signs
    contributions  n × d cells and their sum                         diverging, centred on 0

The colours are those of `charts.py`. Numbers stand in cells and beside bars, so nothing is told by colour alone. With
`pick`, a click on a cell or a bar is a selection called `PICK`; `lit` names the row and column that were chosen, which
get a frame. With `terms`, one text a cell or bar, the one under the pointer gets a thin frame, and its text stands in a
line above the chart: all inside the chart, so nothing else moves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from xattn.i18n import t
from xattn.i18n.numbers import percent
from xattn.viz.charts import AGAINST, BAR, BASE, FOR, SEQUENTIAL, THICK, Chart
from xattn.viz.digits import digits
from xattn.viz.unchecked import chosen_by, quick

__all__ = [
    "PICK",
    "bar_frame",
    "cell_frame",
    "cell_width",
    "contribution_chart",
    "contribution_table",
    "distinct",
    "matrix_chart",
    "profile_chart",
    "score_chart",
    "table",
    "weight_chart",
]

PICK, OVER = "lit", "over"
FRAME = "#d18a00"  # 3:1 or more on white, on black, and on the cells' colours
Pointed = tuple[str | None, str | None]  # a row's name, a column's name
MIDDLE, INK = "#f7f7f7", "#000000"  # of cells: black reads at 4.7:1 or better on every colour from AGAINST to FOR
LINE = 24  # pixels of the line above a chart
HEAD, FOOT = 56, 80  # pixels of the axis above or below: a height is that of the whole picture
MOST_CELLS = 800  # cells that get their number written in them; smaller ones could not be read
LABEL = 170  # pixels of a row's name; what is longer is cut
SHORT = 8  # characters of a row's name that leave a phone enough room for four columns
UPRIGHT = 7  # characters of a column's name that stand above it; longer ones are turned
MOST_NAME = 40  # characters of a name on an axis


# --- frames -----------------------------------------------------------------------------------------------------------


def distinct(names: Sequence[str]) -> list[str]:
    """Names cut to size and made distinct by a number where two are equal: an axis would merge them.

    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a · 2']
    """
    found: dict[str, None] = {}
    for name in map(str, names):
        short = name if len(name) <= MOST_NAME else name[: MOST_NAME - 1] + "…"
        numbered = (f"{name[:MOST_NAME]} · {n}" for n in count(2))
        while short in found:
            short = next(numbered)
        found[short] = None
    return list(found)


def table(rows: Sequence[str], columns: Sequence[str], values: Any) -> pd.DataFrame:
    """Rows × columns as they are read: one row a name, one column a name, values (n, d)."""
    return pd.DataFrame(np.asarray(values, dtype=float), index=distinct(rows), columns=distinct(columns))


def contribution_table(rows: Sequence[str], columns: Sequence[str], contributions: Any, total: Any) -> pd.DataFrame:
    """Contributions (n, d) with their sum `total` (d,) as the last row, named Σ."""
    return table([*rows, "Σ"], columns, np.vstack([contributions, total]))


def cell_frame(wide: pd.DataFrame) -> pd.DataFrame:
    """A table as one row a cell: row, column, value, text."""
    values = wide.to_numpy(dtype=float)
    n, d = values.shape
    flat = values.ravel()
    return pd.DataFrame(
        {
            "row": np.repeat(np.asarray(wide.index, dtype=object), d),
            "column": np.tile(np.asarray(wide.columns, dtype=object), n),
            "value": flat,
            "text": [digits(v) if d <= 4 else digits(v, 3) for v in flat],
        }
    )


def cell_width(columns: int, rows: Sequence[str] = ()) -> int | None:
    """Pixels that a heat map of so many columns, beside the names of its rows, needs for its numbers to be read; None
    where a phone has as many."""
    longest = max(map(len, rows), default=0)
    names = max(150, 60 + min(LABEL, 7 * longest))
    return names + 56 * columns if columns > 4 or longest > SHORT else None


def bar_frame(names: Sequence[str], values: Any, shares: bool = False) -> pd.DataFrame:
    """One row a bar, in the order given: name, value, text, which is a per cent where the values are `shares`."""
    flat = np.asarray(values, dtype=float)
    texts = [percent(v) if shares else digits(v) for v in flat]
    return pd.DataFrame({"name": distinct(names), "value": flat, "text": texts})


# --- charts -----------------------------------------------------------------------------------------------------------


@quick
def matrix_chart(
    wide: pd.DataFrame, lang: str = "en", *, pick: bool = False, lit: Pointed = (None, None), terms: Any = None
) -> Chart:
    """Heat map of a table of signed numbers; the title of its colours is "value"."""
    description = t("chart.matrix_alt", lang, n=len(wide), d=wide.shape[1])
    return _cells(wide, t("chart.cell", lang), description, pick, lit, terms)


@quick
def contribution_chart(
    wide: pd.DataFrame, lang: str = "en", *, pick: bool = False, lit: Pointed = (None, None), terms: Any = None
) -> Chart:
    """Heat map event × feature of contributions; the last row is their sum (see `contribution_table`)."""
    description = t("chart.contributions_alt", lang, n=len(wide) - 1, d=wide.shape[1])
    return _cells(wide, t("chart.contribution", lang), description, pick, lit, terms)


@quick
def score_chart(
    names: Sequence[str],
    scores: Any,
    lang: str = "en",
    *,
    pick: bool = False,
    lit: str | None = None,
    terms: Sequence[str] | None = None,
) -> Chart:
    """Bars of attention scores around 0, neutral in colour: a score is neither a weight nor a contribution."""
    frame = bar_frame(names, scores)
    description = t("chart.scores_alt", lang, n=len(frame))
    return _bars(frame, t("chart.attention_score", lang), description, alt.ColorValue(BASE), pick, lit, terms)


@quick
def weight_chart(
    names: Sequence[str],
    weights: Any,
    lang: str = "en",
    *,
    pick: bool = False,
    lit: str | None = None,
    terms: Sequence[str] | None = None,
    shares: bool = False,
) -> Chart:
    """Bars of attention weights from 0, on the one sequential scale of weights: full colour for the largest. As
    `shares` they are per cents."""
    frame = bar_frame(names, weights, shares)
    color = alt.Color("value:Q", scale=alt.Scale(range=SEQUENTIAL, domainMin=0), legend=None)
    description = t("chart.all_weights_alt", lang, n=len(frame))
    return _bars(frame, t("chart.attention_weight", lang), description, color, pick, lit, terms, shares)


@quick
def profile_chart(features: Sequence[str], fused: Any, lang: str = "en", shares: bool = False) -> Chart:
    """Bars of a fused profile, feature by feature around 0: to the right what is liked, to the left what is not. As
    `shares` they are per cents of all attention."""
    frame = bar_frame(features, fused, shares)
    color = chosen_by(alt.ColorValue, alt.when("datum.value < 0").then(alt.value(AGAINST)), FOR)
    description = t("chart.profile_alt", lang, n=len(frame))
    return _bars(frame, t("chart.profile", lang), description, color, shares=shares)


def _bars(
    frame: pd.DataFrame,
    title: str,
    description: str,
    color: Any,
    pick: bool = False,
    lit: str | None = None,
    terms: Sequence[str] | None = None,
    shares: bool = False,
) -> Chart:
    """Bars with their numbers as the labels of a second axis: axes take the page's ink, marks would not."""
    if terms is not None:
        frame = frame.assign(term=list(terms))
    plot = alt.Chart(frame).encode(
        x=alt.X("value:Q", title=title, axis=alt.Axis(tickCount=5, format="%" if shares else alt.Undefined)),
        tooltip=[
            alt.Tooltip("name:N", title=" "),
            alt.Tooltip("text:N", title=title) if shares else alt.Tooltip("value:Q", format=".6~g", title=title),
        ],
    )
    bars = plot.mark_bar(height=THICK, cornerRadius=2).encode(y=_rows("name", labelLimit=170), color=color)
    bars = _framed(bars, alt.datum.name == lit if lit in set(frame["name"]) else None, ["name"], terms is not None)
    if pick:
        bars = bars.add_params(alt.selection_point(name=PICK, fields=["name"]))
    texts = json.dumps(frame["text"].tolist())
    number = f"{texts}[round(datum.index * {max(len(frame) - 1, 1)})]"  # datum.index runs from 0 to 1
    beside = plot.mark_bar(opacity=0, aria=False).encode(
        y=_rows("name", labelLimit=90, orient="right", labelExpr=number)
    )
    whole = _whole(BAR * max(len(frame), 1) + FOOT, terms is not None, description)
    return alt.layer(bars, beside, resolve=alt.Resolve(axis=alt.AxisResolveMap(y="independent")), **whole)


def _framed(marks: Chart, chosen: Any, fields: list[str], points: bool) -> Chart:
    """The marks, with a frame around what was `chosen` (a test of the datum) and, where the chart `points`, a thin one
    around what is under the pointer."""
    if not points:
        if chosen is None:
            return marks
        return marks.encode(
            stroke=chosen_by(alt.StrokeValue, alt.when(chosen).then(alt.value(FRAME)), None),
            strokeWidth=chosen_by(alt.StrokeWidthValue, alt.when(chosen).then(alt.value(3)), 0),
        )
    over = alt.selection_point(name=OVER, on="pointerover", clear="pointerout", fields=[*fields, "term"], empty=False)
    stroke, width = alt.when(over).then(alt.value(FRAME)), alt.when(over).then(alt.value(2))
    if chosen is not None:
        stroke = alt.when(chosen).then(alt.value(FRAME)).when(over).then(alt.value(FRAME))
        width = alt.when(chosen).then(alt.value(3)).when(over).then(alt.value(2))
    stroke, width = chosen_by(alt.StrokeValue, stroke, None), chosen_by(alt.StrokeWidthValue, width, 0)
    return marks.encode(stroke=stroke, strokeWidth=width).add_params(over)


def _whole(height: int, points: bool, description: str) -> dict[str, Any]:
    """What belongs to a chart as a whole, so many pixels high; where it `points`, a line above (a tooltip would hide
    one below) says the term under the pointer. The line is there when it is empty too: nothing moves. All of it is
    given to `alt.layer` at once: Altair makes a layered chart anew for each property that is set later."""
    if not points:
        return {"height": height, "description": description}
    text = alt.expr(f"{OVER}.term ? {OVER}.term[0] : ' '")
    title = alt.TitleParams(
        text=text,
        anchor="start",
        frame="group",
        fontSize=13,
        fontWeight="normal",
        offset=4,
        limit=alt.expr("width"),
    )
    return {"height": height + LINE, "title": title, "description": description}


def _rows(field: str, **axis: Any) -> alt.Y:
    return alt.Y(
        f"{field}:N",
        sort=None,
        title=None,
        axis=alt.Axis(domain=False, ticks=False, labelOverlap=False, labelFlush=False, **axis),
    )


def _cells(wide: pd.DataFrame, title: str, description: str, pick: bool, lit: Pointed, terms: Any = None) -> Chart:
    frame = cell_frame(wide)
    if terms is not None:
        frame = frame.assign(term=[term for row in terms for term in row])
    most = float(frame["value"].abs().max()) if len(frame) else 0.0
    most = most or 1.0
    turned = 0 if all(len(str(name)) <= UPRIGHT for name in wide.columns) else -35
    plot = alt.Chart(frame).encode(
        x=alt.X(
            "column:N",
            sort=None,
            title=None,
            axis=alt.Axis(orient="top", labelAngle=turned, labelLimit=110, labelFlush=False, labelOverlap=False),
        ),
        y=_rows("row", labelLimit=LABEL),
        tooltip=[
            alt.Tooltip("row:N", title="  "),
            alt.Tooltip("column:N", title=" "),
            alt.Tooltip("value:Q", format=".6~g", title=title),
        ],
    )
    scale = alt.Scale(range=[AGAINST, MIDDLE, FOR], domain=[-most, 0.0, most])
    cells = plot.mark_rect().encode(color=alt.Color("value:Q", scale=scale, title=title, legend=None))
    row, column = lit
    chosen = None
    if row in set(frame["row"]):
        chosen = alt.datum.row == row
        if column in set(frame["column"]):
            chosen = chosen & (alt.datum.column == column)
    cells = _framed(cells, chosen, ["row", "column"], terms is not None)
    if pick:
        cells = cells.add_params(alt.selection_point(name=PICK, fields=["row", "column"]))
    height = (BAR + 8) * max(len(wide), 1) + (HEAD if turned == 0 else HEAD + 36)
    whole = _whole(height, terms is not None, description)
    if len(frame) > MOST_CELLS:
        return cells.properties(**whole)
    return alt.layer(cells, plot.mark_text(fontSize=12, color=INK).encode(text=alt.Text("text:N")), **whole)
