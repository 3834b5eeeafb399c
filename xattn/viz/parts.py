"""Parts of items as charts: heat maps over pictures and videos, bands over time of sounds. Pure functions of tables.

    patches     name, contribution, text, x0, y0, x1, y1 (shares of width and height), over a PNG of ours
    frames      name, contribution, text, start, stop (seconds), x0, y0, x1, y1, over a PNG of all pictures side by side
    stretches   name, contribution, text, start, stop (seconds), band (its name), over the seconds

The event's item stands on the left, the explained one on the right, and both have the same colours.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from xattn.i18n import t
from xattn.viz.charts import AGAINST, BASE, DIVERGING, FOR, INK, Chart
from xattn.viz.unchecked import chosen_by, quick

__all__ = ["PLACED", "Sheet", "part_chart", "part_width"]

SIDE = 190  # pixels of the longer side of a picture
WIDE, BAND = 190, 15  # pixels of a sound, of a band in it
FLAT = 60  # pixels of height of the bars over a video
LONGEST = 34  # characters of a title above a picture
TOLD = 0.25  # of the largest: what gets its sign written in it
ALTS = {"patches": "parts.patches_alt", "frames": "parts.frames_alt", "stretches": "parts.stretches_alt"}
PLACED = {  # columns by kind
    "patches": ("x0", "y0", "x1", "y1"),
    "frames": ("start", "stop", "x0", "y0", "x1", "y1"),
    "stretches": ("start", "stop", "low", "high"),
}


class Sheet(NamedTuple):
    """One item: its title, its parts (see the module's head), and its picture as PNG where there is one."""

    title: str
    parts: pd.DataFrame
    picture: bytes | None = None


@quick
def part_chart(kind: str, sheets: Sequence[Sheet], lang: str = "en", share: bool = False) -> Chart:
    """The chart of one of the kinds in `PLACED`, one sheet beside the other. `share`: contributions are shares."""
    most = max((float(sheet.parts["contribution"].abs().max()) for sheet in sheets if len(sheet.parts)), default=0.0)
    make = {"patches": _patches, "frames": _frames, "stretches": _stretches}[kind]
    drawn = [make(sheet, most if most > 0 else 1.0, lang, share) for sheet in sheets]
    says = t(ALTS[kind], lang, n=sum(len(sheet.parts) for sheet in sheets))
    return alt.hconcat(*drawn, spacing=14).resolve_scale(color="shared").properties(description=says)


def part_width(kind: str) -> int:
    """Pixels that the chart takes; less makes it unreadable."""
    return 2 * WIDE + 150 if kind == "stretches" else 2 * SIDE + (100 if kind == "frames" else 40)


def _colour(most: float, lang: str, share: bool) -> alt.Color:
    legend = alt.Legend(
        title=t("chart.contribution", lang),
        orient="bottom",
        gradientLength=200,  # three labels of tiny numbers stand beside each other
        tickCount=3,
        labelOverlap=True,
        **_percent(share),
    )
    return alt.Color("contribution:Q", scale=alt.Scale(range=DIVERGING, domain=[-most, 0.0, most]), legend=legend)


def _percent(share: bool) -> dict[str, Any]:
    return {"format": "%"} if share else {}


def _title(sheet: Sheet) -> str:
    return sheet.title if len(sheet.title) <= LONGEST else sheet.title[: LONGEST - 1] + "…"


def _tips(lang: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=t("parts.part", lang)),
        alt.Tooltip("text:N", title=t("chart.contribution", lang)),
    ]


def _patches(sheet: Sheet, most: float, lang: str, share: bool, of: tuple[int, int] = (0, 1)) -> Chart:
    """Patches over a picture, or over picture n `of` so many that stand side by side."""
    number, count = of
    width, height = _size(sheet.picture, count)

    def edge(of: type[Any], field: str, **more: Any) -> Any:
        return of(f"{field}:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1], nice=False, **more))

    frame = sheet.parts.assign(
        sign=sheet.parts["text"].str[:1],
        x=(sheet.parts["x0"] + sheet.parts["x1"]) / 2,
        y=(sheet.parts["y0"] + sheet.parts["y1"]) / 2,
    )
    layers: list[Chart] = []
    if sheet.picture is not None:
        address = "data:image/png;base64," + base64.b64encode(sheet.picture).decode("ascii")
        whole = pd.DataFrame({"url": [address], "x": [count / 2 - number], "y": [0.5]})
        picture = alt.Chart(whole).mark_image(width=width * count, height=height, aspect=False, clip=True)
        layers.append(picture.encode(x=edge(alt.X, "x"), y=edge(alt.Y, "y", reverse=True), url=alt.Url("url:N")))
    plot = alt.Chart(frame).encode(tooltip=_tips(lang))
    layers.append(
        plot.mark_rect(stroke=BASE, strokeOpacity=0.5, opacity=0.65).encode(
            x=edge(alt.X, "x0"),
            x2=alt.X2("x1:Q"),
            y=edge(alt.Y, "y0", reverse=True),
            y2=alt.Y2("y1:Q"),
            color=_colour(most, lang, share),
        )
    )
    layers.append(
        plot.transform_filter(abs(alt.datum.contribution) > TOLD * most)
        .mark_text(fontSize=15, fontWeight="bold", color="#ffffff", stroke="#000000", strokeWidth=0.6)
        .encode(x=edge(alt.X, "x"), y=edge(alt.Y, "y", reverse=True), text=alt.Text("sign:N"))
    )
    return alt.layer(*layers, width=width, height=height, title=_title(sheet))


def _size(png: bytes | None, count: int = 1) -> tuple[int, int]:
    """Pixels of width and height that one of `count` pictures side by side takes, by the first lines of a PNG."""
    width, height = struct.unpack(">II", png[16:24]) if png else (count, 1)
    width /= count
    scale = SIDE / max(width, height, 1)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _frames(sheet: Sheet, most: float, lang: str, share: bool) -> Chart:
    """What each second adds, as bars; below them the picture of the second that adds most, with its patches."""
    sums = sheet.parts.groupby(["start", "stop"], as_index=False, sort=True)["contribution"].sum()
    best = int(sums["contribution"].abs().to_numpy().argmax()) if len(sums) else 0
    sums["zero"] = 0.0
    sums["name"] = [f"{start:.2f}–{stop:.2f}" for start, stop in zip(sums["start"], sums["stop"], strict=True)]
    width = _size(sheet.picture, max(1, len(sums)))[0]
    bars = (
        alt.Chart(sums)
        .mark_bar(stroke=BASE, strokeOpacity=0.3)
        .encode(
            x=alt.X("start:Q", title=t("parts.seconds", lang), scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=4)),
            x2=alt.X2("stop:Q"),
            y=alt.Y("contribution:Q", title=None, axis=alt.Axis(tickCount=3, **_percent(share))),
            y2=alt.Y2("zero:Q"),
            color=chosen_by(alt.ColorValue, alt.when("datum.contribution < 0").then(alt.value(AGAINST)), FOR),
            tooltip=[
                alt.Tooltip("name:N", title=t("parts.seconds", lang)),
                alt.Tooltip("contribution:Q", title=t("chart.contribution", lang), format="+.0%" if share else "+.4~g"),
            ],
        )
        .properties(width=width, height=FLAT, title=_title(sheet))
    )
    if not len(sums):
        return bars
    own = sheet.parts[sheet.parts["start"] == sums["start"].iloc[best]]
    when = t("parts.when", lang, when=sums["name"].iloc[best])
    patches = _patches(Sheet(when, own, sheet.picture), most, lang, share, (best, len(sums)))
    return alt.vconcat(bars, patches, spacing=8)


def _stretches(sheet: Sheet, most: float, lang: str, share: bool) -> Chart:
    frame = sheet.parts.assign(band=[_band(low, high) for low, high in sheet.parts[["low", "high"]].to_numpy()])
    bands = list(dict.fromkeys(frame.sort_values("low", ascending=False)["band"]))
    plot = alt.Chart(frame).encode(
        x=alt.X("start:Q", title=t("parts.seconds", lang), scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=4)),
        x2=alt.X2("stop:Q"),
        y=alt.Y("band:N", sort=bands, title=None, axis=alt.Axis(labelOverlap=False, labelLimit=110)),
        tooltip=_tips(lang),
    )
    cells = plot.mark_rect(stroke=BASE, strokeOpacity=0.3).encode(color=_colour(most, lang, share))
    signs = (
        alt.Chart(frame.assign(sign=frame["text"].str[:1], middle=(frame["start"] + frame["stop"]) / 2))
        .transform_filter(abs(alt.datum.contribution) > TOLD * most)
        .mark_text(fontSize=11, fontWeight="bold", color=INK)
        .encode(x=alt.X("middle:Q"), y=alt.Y("band:N", sort=bands), text=alt.Text("sign:N"))
    )
    return alt.layer(cells, signs, width=WIDE, height=alt.Step(BAND), title=_title(sheet))


def _band(low: float, high: float) -> str:
    """A band of pitch by its limits.

    >>> _band(49.99, 278.3)
    '50–278 Hz'
    """
    return f"{low:.0f}–{high:.0f} Hz"
