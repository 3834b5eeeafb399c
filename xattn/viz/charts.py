"""Altair charts of tidy frames. The functions are pure: they return a chart, draw nothing and set no global theme.

Blue speaks for, orange against, grey is the base; violet is for weights, so that a weight never looks like a
contribution. The colours of zero are transparent: scales fade into whatever background the page has. Signs are told by
place and by text, never by colour alone. Amounts stand in a column of their own, as in a ledger; as axis labels they
take the page's text colour, light or dark.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from xattn.errors import check_choice
from xattn.i18n import t
from xattn.viz.frames import heat_frame, waterfall_frame, weight_frame
from xattn.viz.unchecked import chosen_by, quick

__all__ = [
    "AGAINST",
    "BASE",
    "CHARTS",
    "FOR",
    "WEIGHT",
    "Chart",
    "heat_chart",
    "heat_width",
    "ledger_chart",
    "waterfall_chart",
    "weight_chart",
]

Chart = Any  # an Altair chart: alt.Chart or alt.LayerChart
CHARTS = ("waterfall", "heatmap", "weights")
FOR, AGAINST, BASE, WEIGHT = "#2f7bc0", "#c0651a", "#8a8f98", "#7a63b8"  # 4:1 or more on white and on black
INK = "#7c8088"  # text on faint cells: readable on both grounds
DIVERGING = ["rgba(192,101,26,1)", "rgba(128,128,128,0)", "rgba(47,123,192,1)"]  # AGAINST, nothing, FOR
SEQUENTIAL = ["rgba(122,99,184,0.25)", "rgba(122,99,184,1)"]
BAR, THICK = 24, 14  # pixels of a row, of the bar in it
AXIS = 60  # pixels for the axis below, which a page counts as part of the height
TITLES = 140  # pixels for the titles of rows; the rest of a phone's width is for the bars
WIDE_ENOUGH = 6  # columns up to which a cell has room for its number


def ledger_chart(
    kind: str,
    cells: pd.DataFrame,
    events: pd.DataFrame,
    base: float,
    score: float,
    lang: str = "en",
    amounts_are: str = "terms",
) -> Chart:
    """The chart `kind` ("waterfall", "heatmap", "weights") of a ledger's cells and events; InputError for others."""
    check_choice("kind", kind, CHARTS)
    if kind == "waterfall":
        return waterfall_chart(waterfall_frame(events, base, score, lang, amounts_are=amounts_are), lang)
    if kind == "heatmap":
        return heat_chart(heat_frame(cells, events, lang), lang)
    return weight_chart(weight_frame(events), lang)


@quick
def waterfall_chart(frame: pd.DataFrame, lang: str = "en", share: bool = False) -> Chart:
    """Bars from 0 over the base and the events to the score; see `waterfall_frame`. `share`: the amounts are shares."""
    frame = _with_amounts(frame)
    frame["next"] = [*frame["label"][1:], None]
    plot = alt.Chart(frame).encode(y=_rows(frame), tooltip=_tips(lang, title="chart.event", text="chart.amount"))
    bars = plot.mark_bar(height=THICK, cornerRadius=2).encode(
        x=alt.X("start:Q", title=t("chart.score", lang), axis=alt.Axis(tickCount=5, grid=True, **_percent(share))),
        x2=alt.X2("end:Q"),
        color=alt.Color(
            "role:N",
            scale=alt.Scale(domain=["for", "against", "base", "score"], range=[FOR, AGAINST, BASE, BASE]),
            legend=None,
        ),
    )
    steps = (
        alt.Chart(frame.iloc[:-1])
        .mark_rule(color=BASE, opacity=0.6, aria=False)
        .encode(x=alt.X("end:Q"), y=alt.Y("label:N", sort=None), y2=alt.Y2("next:N"))
    )
    return _beside_amounts(frame, steps, bars, description=t("chart.waterfall_alt", lang, n=len(frame)))


@quick
def heat_chart(frame: pd.DataFrame, lang: str = "en", share: bool = False) -> Chart:
    """Cells coloured by contribution, 0 without colour; see `heat_frame`. `share`: contributions are shares."""
    most = float(frame["contribution"].abs().max()) if len(frame) else 0.0
    most = most if most > 0 else 1.0
    columns = frame["column"].nunique()
    strong, told = abs(alt.datum.contribution) > 0.55 * most, abs(alt.datum.contribution) > 0.02 * most
    frame = frame.assign(sign=frame["text"] if columns <= WIDE_ENOUGH else frame["text"].str[:1])
    plot = alt.Chart(frame).encode(
        x=alt.X(
            "column:N",
            sort=list(frame["column"].cat.categories),
            title=None,
            axis=alt.Axis(labelAngle=0 if columns <= 3 else -40, labelLimit=150, orient="top", labelOverlap=False),
        ),
        y=_rows(frame),
        tooltip=_tips(lang, title="chart.event", column="chart.column", text="chart.contribution"),
    )
    cells = plot.mark_rect(cornerRadius=2, stroke=BASE, strokeOpacity=0.25).encode(
        color=alt.Color(
            "contribution:Q",
            scale=alt.Scale(range=DIVERGING, domain=[-most, 0.0, most]),
            legend=alt.Legend(
                title=t("chart.contribution", lang),
                orient="bottom",
                gradientLength=160,
                tickCount=3,
                **_percent(share),
            ),
        )
    )
    signs = (
        plot.transform_filter(told)
        .mark_text(fontSize=11, fontWeight="bold")
        .encode(
            text=alt.Text("sign:N"),
            color=chosen_by(alt.ColorValue, alt.when(strong).then(alt.value("#ffffff")), INK),
        )
    )
    return alt.layer(
        cells,
        signs,
        height=alt.Step(BAR),
        width=alt.Step(_cell(columns)),
        description=t("chart.heatmap_alt", lang),
    )


def heat_width(frame: pd.DataFrame) -> int:
    """Pixels that a heat map needs for its cells to be told apart; less makes it unreadable."""
    columns = frame["column"].nunique()
    return TITLES + 60 + columns * _cell(columns)


def _cell(columns: int) -> int:
    return max(44, 420 // max(columns, 1))


@quick
def weight_chart(frame: pd.DataFrame, lang: str = "en") -> Chart:
    """Bars of the largest weights; see `weight_frame`."""
    frame = _with_amounts(frame)
    bars = (
        alt.Chart(frame)
        .mark_bar(height=THICK, cornerRadius=2)
        .encode(
            x=alt.X("weight:Q", title=t("chart.weight", lang), axis=alt.Axis(format="%", tickCount=5, grid=True)),
            y=_rows(frame),
            color=alt.Color("weight:Q", scale=alt.Scale(range=SEQUENTIAL, domainMin=0), legend=None),
            tooltip=_tips(lang, title="chart.event", text="chart.weight"),
        )
    )
    return _beside_amounts(frame, bars, description=t("chart.weights_alt", lang, n=len(frame)))


def _percent(share: bool) -> dict[str, Any]:
    """How an axis prints its numbers: shares in per cent."""
    return {"format": "%"} if share else {}


def _rows(frame: pd.DataFrame) -> alt.Y:
    axis = alt.Axis(labelLimit=TITLES, labelPadding=6, labelFlush=False, labelOverlap=False, grid=False)
    return alt.Y("label:N", sort=list(frame["label"].drop_duplicates()), title=None, axis=axis)


def _tips(lang: str, **fields: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:N", title=t(key, lang)) for field, key in fields.items()]


def _with_amounts(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `amount_key`: the printed amounts made distinct by the row's number, which the axis cuts off."""
    return frame.assign(amount_key=[f"{i:04d}{text}" for i, text in enumerate(frame["text"])])


def _beside_amounts(frame: pd.DataFrame, *layers: Chart, description: str) -> Chart:
    """The layers with the rows' printed amounts down the right side, as the labels of a second axis."""
    axis = alt.Axis(
        orient="right",
        aria=False,  # its labels are told with the bars
        labelExpr="slice(datum.value, 4)",
        labelOverlap=False,
        labelLimit=110,
        labelPadding=6,
        labelFlush=False,
        grid=False,
    )
    amounts = (
        alt.Chart(frame)
        .mark_point(opacity=0, aria=False)
        .encode(y=alt.Y("amount_key:N", sort=list(frame["amount_key"]), title=None, axis=axis))
    )
    return alt.layer(
        alt.layer(*layers),
        amounts,
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(y="independent")),
        height=BAR * len(frame) + AXIS,
        width=420,
        description=description,
    )
