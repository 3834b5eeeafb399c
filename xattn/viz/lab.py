"""Figures of models as charts: points with intervals, lines over a setting, shares side by side.

    intervals  one row a name: name, value, low, high     a point and its 95 % interval
    lines      x, series, value, low, high                lines with bands; each series has its own dash and shape
    shares     group, series, value                       bars side by side
    signed     one row a name: name, value                bars around 0, blue for, orange against

Series are told apart by shape and dash as well as by colour. Values that are missing are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from xattn.i18n import t
from xattn.viz.charts import AGAINST, BAR, BASE, FOR, Chart
from xattn.viz.unchecked import chosen_by, quick

__all__ = ["interval_chart", "line_chart", "share_chart", "signed_chart"]

# ten series: colours of 3:1 or more on white and on black, none of which means for, against or weight, with a shape and
# a dash each
COLOURS = ["#2f8f6b", "#b04a7a", "#a8862a", "#6b7f99", "#a05ac0", "#8a6d5a", "#3a8fa3", "#6f8a2c", "#5a6fd0", BASE]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "stroke", "triangle-left"]
SHAPES += ["triangle-right", "wedge"]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3], [10, 2], [3, 1, 1, 1], [12, 4], [5, 5]]
LABELS = 190
IN_A_ROW, LINE = 5, 22  # names of a legend, pixels of a line of them
FITTING = f"width < 420 ? 2 : {IN_A_ROW}"  # a phone is too narrow for all: what does not fit would be cut off
ABOVE: dict[str, Any] = {"orient": "top", "labelLimit": 220, "columns": alt.expr(FITTING)}
FOOT = 60
TICKS = 8  # of an axis, about


@quick
def interval_chart(
    frame: pd.DataFrame, title: str, lang: str = "en", *, sort: bool = True, share: bool = False
) -> Chart:
    """Points with their 95 % intervals, the largest first (or, with ``sort=False``, in the frame's order). `share`: the
    values are shares."""
    frame = frame.dropna(subset=["value"])
    if sort:
        frame = frame.sort_values("value", ascending=False, kind="stable")
    order = list(dict.fromkeys(frame["name"]))
    y = alt.Y(
        "name:N",
        sort=order,
        title=None,
        axis=alt.Axis(labelLimit=LABELS, grid=True, labelOverlap=False, labelFlush=False),
    )
    digits = ".3~%" if share else ".4~f"
    tips = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("value:Q", title=title, format=digits),
        alt.Tooltip("low:Q", title=t("lab.low", lang), format=digits),
        alt.Tooltip("high:Q", title=t("lab.high", lang), format=digits),
    ]
    axis = alt.Axis(tickCount=TICKS, format="~%" if share else alt.Undefined)
    plot = alt.Chart(frame).encode(y=y, tooltip=tips)
    scale = alt.Scale(zero=False, nice=True)
    bars = plot.mark_rule(strokeWidth=3, color=BASE, opacity=0.75).encode(
        x=alt.X("low:Q", title=title, scale=scale, axis=axis), x2=alt.X2("high:Q")
    )
    points = plot.mark_point(size=90, filled=True, color=FOR, opacity=1).encode(x=alt.X("value:Q", scale=scale))
    description = t("lab.intervals_alt", lang, what=title, n=len(order))
    return alt.layer(bars, points, height=BAR * max(1, len(order)) + FOOT, description=description)


@quick
def line_chart(
    frame: pd.DataFrame, x_title: str, y_title: str, lang: str = "en", *, ordinal: bool = False, height: int = 280
) -> Chart:
    """Lines of one or several series over x, with bands where there are intervals."""
    frame = frame.dropna(subset=["value"])
    series = list(dict.fromkeys(frame["series"]))
    kind = "O" if ordinal else "Q"
    axis = alt.Axis(labelAngle=0, tickCount=8)
    x = alt.X(f"x:{kind}", title=x_title, sort=None if ordinal else alt.Undefined, axis=axis)
    color = alt.Color(
        "series:N",
        scale=alt.Scale(domain=series, range=COLOURS[: len(series)]),
        legend=None
        if len(series) < 2
        else alt.Legend(
            title=None, orient="top", labelLimit=220, columns=alt.expr(FITTING), symbolDash=[1, 0], symbolStrokeWidth=0
        ),
    )
    shape = alt.Shape("series:N", scale=alt.Scale(domain=series, range=SHAPES[: len(series)]), legend=None)
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=series, range=DASHES[: len(series)]), legend=None)
    tips = [
        alt.Tooltip("series:N", title=" "),
        alt.Tooltip(f"x:{kind}", title=x_title),
        alt.Tooltip("value:Q", title=y_title, format=".4~g"),
    ]
    plot = alt.Chart(frame).encode(x=x, color=color, tooltip=tips)
    y = alt.Y("value:Q", title=y_title, scale=alt.Scale(zero=False, nice=True))
    layers: list[Any] = []
    if {"low", "high"} <= set(frame.columns) and frame["low"].notna().any():
        layers.append(plot.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=y_title), y2=alt.Y2("high:Q")))
    layers.append(plot.mark_line(strokeWidth=2).encode(y=y, strokeDash=dash))
    layers.append(plot.mark_point(filled=True, size=45, opacity=1).encode(y=y, shape=shape))
    description = t("lab.lines_alt", lang, what=y_title, by=x_title, n=len(series))
    lines = -(-len(series) // IN_A_ROW) if len(series) > 1 else 0
    return alt.layer(*layers, height=height + lines * LINE, description=description)


@quick
def share_chart(frame: pd.DataFrame, title: str, lang: str = "en", *, colours: Sequence[str] = COLOURS) -> Chart:
    """Bars side by side: for each group one bar a series, in the frame's order; `colours` where series have some."""
    frame = frame.dropna(subset=["value"])
    series = list(dict.fromkeys(frame["series"]))
    groups = list(dict.fromkeys(frame["group"]))
    bars = (
        alt.Chart(frame)
        .mark_bar(cornerRadius=2)
        .encode(
            y=alt.Y(
                "group:N",
                sort=groups,
                title=None,
                axis=alt.Axis(labelLimit=LABELS, labelOverlap=False, labelFlush=False),
            ),
            yOffset=alt.YOffset("series:N", sort=series),
            x=alt.X("value:Q", title=title, axis=alt.Axis(format="%", tickCount=5)),
            color=alt.Color(
                "series:N",
                scale=alt.Scale(domain=series, range=list(colours[: len(series)])),
                legend=None if len(series) < 2 else alt.Legend(title=None, **ABOVE),
            ),
            tooltip=[
                alt.Tooltip("group:N", title=" "),
                alt.Tooltip("series:N", title="  "),
                alt.Tooltip("value:Q", title=title, format=".2%"),
            ],
        )
    )
    description = t("lab.shares_alt", lang, what=title, groups=len(groups), n=len(series))
    return bars.properties(height=(12 + 12 * len(series)) * max(1, len(groups)) + FOOT + 30, description=description)


@quick
def signed_chart(frame: pd.DataFrame, title: str, lang: str = "en", share: bool = False) -> Chart:
    """Bars around 0 in the frame's order; a sign is told by side and colour. `share`: the values are shares."""
    shown: dict[str, Any] = {"format": "%"} if share else {}
    frame = frame.dropna(subset=["value"])
    names = list(dict.fromkeys(frame["name"]))
    bars = (
        alt.Chart(frame)
        .mark_bar(cornerRadius=2, height=14)
        .encode(
            y=alt.Y(
                "name:N", sort=names, title=None, axis=alt.Axis(labelLimit=LABELS, labelOverlap=False, labelFlush=False)
            ),
            x=alt.X("value:Q", title=title, axis=alt.Axis(tickCount=5, **shown)),
            color=chosen_by(alt.ColorValue, alt.when("datum.value < 0").then(alt.value(AGAINST)), FOR),
            tooltip=[
                alt.Tooltip("name:N", title=" "),
                alt.Tooltip("value:Q", title=title, format="+.0%" if share else "+.4~g"),
            ],
        )
    )
    description = t("lab.signed_alt", lang, what=title, n=len(names))
    return bars.properties(height=BAR * max(1, len(names)) + FOOT, description=description)


def _rows(field: str, order: list[str], **axis: Any) -> alt.Y:
    labels = alt.Axis(labelLimit=LABELS, labelOverlap=False, labelFlush=False, **axis)
    return alt.Y(f"{field}:N", sort=order, title=None, axis=labels)
