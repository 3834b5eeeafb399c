"""Tidy frames → Altair charts. Pure: a chart is returned, nothing is drawn, no global theme is set.

One sequential scale for weights, one diverging scale centred on 0 for contributions; signs are told by position and text, never
by colour alone.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from xattn.errors import check_choice
from xattn.i18n import t
from xattn.viz.frames import heat_frame, waterfall_frame, weight_frame

__all__ = ["CHARTS", "Chart", "ledger_chart"]

Chart = Any  # an Altair chart: alt.Chart, alt.LayerChart or alt.HConcatChart
CHARTS = ("waterfall", "heatmap", "weights")
AGAINST, FOR, BASE = "#b35806", "#2166ac", "#7f7f7f"  # colour-blind safe; the ends of the diverging scale, and neutral
BAR = 22  # pixels per row


def ledger_chart(
    kind: str, cells: pd.DataFrame, events: pd.DataFrame, base: float, score: float, lang: str = "en"
) -> Chart:
    """The chart `kind` ("waterfall", "heatmap", "weights") of a ledger's cells and events; InputError for others."""
    check_choice("kind", kind, CHARTS)
    if kind == "waterfall":
        return _waterfall(waterfall_frame(events, base, score, lang), lang)
    if kind == "heatmap":
        return _heatmap(heat_frame(cells, events, lang), lang)
    return _weights(weight_frame(events), lang)


def _waterfall(frame: pd.DataFrame, lang: str) -> Chart:
    rows = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=260))
    plot = alt.Chart(frame).encode(y=rows, tooltip=["title:N", alt.Tooltip("amount:Q", format="+.5f")])
    bars = plot.mark_bar(height=14).encode(
        x=alt.X("start:Q", title=t("chart.score", lang)),
        x2="end:Q",
        color=alt.Color(
            "role:N",
            scale=alt.Scale(domain=["for", "against", "base", "score"], range=[FOR, AGAINST, BASE, BASE]),
            legend=None,
        ),
    )
    labels = plot.mark_text(align="left", dx=4).encode(x="right:Q", text="text:N")
    return (bars + labels).properties(
        height=alt.Step(BAR), width=420, description=t("chart.waterfall_alt", lang, n=len(frame))
    )


def _heatmap(frame: pd.DataFrame, lang: str) -> Chart:
    most = float(frame["contribution"].abs().max()) if len(frame) else 0.0
    return (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            x=alt.X("column:N", sort=None, title=None, axis=alt.Axis(labelAngle=-40, labelLimit=160)),
            y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
            color=alt.Color(
                "contribution:Q",
                scale=alt.Scale(range=[AGAINST, "#f7f7f7", FOR], domain=[-(most or 1.0), 0.0, most or 1.0]),
                title=t("chart.contribution", lang),
            ),
            tooltip=["title:N", "column:N", alt.Tooltip("contribution:Q", format="+.5f")],
        )
        .properties(height=alt.Step(BAR), width=alt.Step(34), description=t("chart.heatmap_alt", lang))
    )


def _weights(frame: pd.DataFrame, lang: str) -> Chart:
    return (
        alt.Chart(frame)
        .mark_bar(height=14)
        .encode(
            x=alt.X("weight:Q", title=t("chart.weight", lang), axis=alt.Axis(format="%")),
            y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
            color=alt.Color("weight:Q", scale=alt.Scale(scheme="viridis", domainMin=0), legend=None),
            tooltip=["title:N", alt.Tooltip("weight:Q", format=".2%")],
        )
        .properties(height=alt.Step(BAR), width=420, description=t("chart.weights_alt", lang, n=len(frame)))
    )
