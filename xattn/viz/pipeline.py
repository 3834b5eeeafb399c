"""The steps from events to a list as one picture: features, weights, fusion and the list, one below the other.

    1 features   event × feature, and the explained item    shade: how much of it
    2 weights    event × head                                shade: the weight
    3 fusion     base + events = score                       bars, as in a ledger
    4 the list   one bar an item                             the explained one stands out

The picture shows the events that contribute most, and the features that they share with the item.
"""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from xattn.i18n import t
from xattn.i18n.numbers import figure
from xattn.i18n.titles import natural
from xattn.viz.charts import BAR, BASE, FOR, SEQUENTIAL, THICK, TITLES, Chart, waterfall_chart
from xattn.viz.frames import distinct, waterfall_frame
from xattn.viz.names import feature_name, head_name
from xattn.viz.unchecked import chosen_by, quick

__all__ = ["pipeline_chart"]

EVENTS, FEATURES, ITEMS = 8, 10, 10  # rows and columns that are drawn
WIDE = 560
Frames = Mapping[str, pd.DataFrame]


@quick
def pipeline_chart(steps: Frames, item: str, base: float, score: float, lang: str = "en") -> Chart:
    """The picture of the frames of a `Pipeline`, of the explained `item` with its base and score."""
    fused = steps["fusion"]
    sums = fused.groupby(["event", "title"], sort=False, as_index=False)["contribution"].sum()
    newest = fused.groupby("event", sort=False)["position"].max()
    events = sums.assign(position=sums["event"].map(newest)).sort_values("contribution", ascending=False, kind="stable")
    most = events.loc[events["contribution"].abs().sort_values(ascending=False, kind="stable").index[:EVENTS]]
    most = most.sort_values("contribution", ascending=False, kind="stable")
    labels = dict(zip(most["event"], distinct([natural(title) for title in most["title"]]), strict=True))
    told = events.assign(title=[natural(title) for title in events["title"]])
    drawn = [
        *_features(steps["features"], labels, item, lang),
        *_weights(steps["weights"], labels, lang),
        waterfall_chart(waterfall_frame(told, base, score, lang, most=EVENTS), lang).properties(
            title=t("pipeline.fusion", lang), width=WIDE
        ),
        _list(steps["recommendations"], item, lang),
    ]
    says = t("pipeline.alt", lang, events=len(events), items=len(steps["recommendations"]))
    return alt.vconcat(*drawn, spacing=26).resolve_scale(color="independent").properties(description=says)


def _shades(frame: pd.DataFrame, title: str, value: str, rows: list[str], columns: list[str], lang: str) -> Chart:
    axis = alt.Axis(labelAngle=-40, labelLimit=150, orient="top", labelOverlap=False, title=None)
    plot = alt.Chart(frame).encode(
        x=alt.X("column:N", sort=columns, axis=axis),
        y=alt.Y("label:N", sort=rows, title=None, axis=alt.Axis(labelLimit=TITLES, labelOverlap=False)),
        tooltip=[
            alt.Tooltip("label:N", title=t("chart.event", lang)),
            alt.Tooltip("column:N", title=t("chart.column", lang)),
            alt.Tooltip("text:N", title=value),
        ],
    )
    shade = alt.Color("value:Q", scale=alt.Scale(range=SEQUENTIAL, domainMin=0), legend=None)
    cells = plot.mark_rect(stroke=BASE, strokeOpacity=0.25).encode(color=shade)
    return cells.properties(title=title, width=WIDE, height=alt.Step(BAR))


def _features(frame: pd.DataFrame, labels: dict[str, str], item: str, lang: str) -> list[Chart]:
    """Events × features: those that the explained item has, and most of the events have. The last row is the item."""
    target = frame[frame["position"] < 0]
    own = frame[(frame["position"] >= 0) & frame["item"].isin(labels)].drop_duplicates(["item", "feature"])
    shared = own[own["feature"].isin(target["feature"])]
    often = (shared if len(shared) else own)["feature"].value_counts(sort=True).index[:FEATURES]
    kept = pd.concat([own.assign(label=own["item"].map(labels)), target.assign(label=f"→ {_title(target, item)}")])
    kept = kept[kept["feature"].isin(often)]
    if kept.empty:
        return []
    names = dict(zip(often, distinct([feature_name(str(name), lang) for name in often]), strict=True))
    told = kept.assign(column=kept["feature"].map(names), text=[figure(x) for x in kept["value"]])
    rows = [*labels.values(), f"→ {_title(target, item)}"]
    return [_shades(told, t("pipeline.features", lang), t("pipeline.value", lang), rows, list(names.values()), lang)]


def _title(target: pd.DataFrame, item: str) -> str:
    return natural(str(target["title"].iloc[0]))[:60] if len(target) else item


def _weights(frame: pd.DataFrame, labels: dict[str, str], lang: str) -> list[Chart]:
    own = frame[frame["event"].isin(labels)].groupby(["head", "event"], sort=False, as_index=False)["weight"].sum()
    if own.empty:
        return []
    names = {head: head_name(head, lang) for head in dict.fromkeys(own["head"])}
    told = own.assign(
        label=own["event"].map(labels),
        column=own["head"].map(names),
        value=own["weight"],
        text=[f"{w:.1%}" for w in own["weight"]],
    )
    title, value = t("pipeline.weights", lang), t("chart.weight", lang)
    return [_shades(told, title, value, list(labels.values()), list(names.values()), lang)]


def _list(frame: pd.DataFrame, item: str, lang: str) -> Chart:
    shown = frame.head(ITEMS)
    told = pd.DataFrame(
        {
            "label": distinct(
                [f"{rank}. {natural(title)}" for rank, title in zip(shown["rank"], shown["title"], strict=True)]
            ),
            "score": shown["score"].to_numpy(np.float64),
            "lit": (shown["item"] == item).to_numpy(),
            "text": [figure(x) for x in shown["score"]],
        }
    )
    return (
        alt.Chart(told)
        .mark_bar(height=THICK, cornerRadius=2)
        .encode(
            x=alt.X("score:Q", title=t("chart.score", lang), axis=alt.Axis(tickCount=5)),
            y=alt.Y("label:N", sort=list(told["label"]), title=None, axis=alt.Axis(labelLimit=TITLES)),
            color=chosen_by(alt.ColorValue, alt.when("datum.lit").then(alt.value(FOR)), BASE),
            tooltip=[alt.Tooltip("label:N", title=" "), alt.Tooltip("text:N", title=t("chart.score", lang))],
        )
        .properties(title=t("pipeline.recommendations", lang), width=WIDE, height=alt.Step(BAR))
    )
