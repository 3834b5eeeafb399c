"""A chart as a file: SVG or PNG, drawn on white by vl-convert, which is an optional package (xattn[export])."""

from __future__ import annotations

import importlib.util
from typing import Any

import altair as alt

from xattn.errors import check_choice, refuse
from xattn.viz.charts import Chart

__all__ = ["FORMATS", "can_draw", "chart_file", "is_composed", "svg_to_png"]

FORMATS = ("svg", "png")
WIDTH = 640  # pixels of a chart that takes whatever width a page has
SHARP = 2.0  # pixels of a PNG for each of the chart's
INK = "#22262d"
FONTS = "'Noto Sans', 'DejaVu Sans', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', 'Microsoft YaHei', sans-serif"


def is_composed(chart: Any) -> bool:
    """Whether these are several charts beside or below each other, each of a width of its own."""
    return isinstance(chart, alt.VConcatChart | alt.HConcatChart)


def can_draw() -> bool:
    """The package that draws is installed."""
    return importlib.util.find_spec("vl_convert") is not None


def chart_file(chart: Chart, kind: str) -> bytes:
    """The bytes of `chart` as "svg" (text) or "png".

    Raises InputError for another kind, and where the package that draws is missing.

    >>> import altair as alt, pandas as pd
    >>> bars = alt.Chart(pd.DataFrame({"a": [1, 2]})).mark_bar().encode(x="a:Q")
    >>> chart_file(bars, "svg").startswith(b"<svg")
    True
    """
    check_choice("kind", kind, FORMATS)
    if not can_draw():
        refuse("cannot_draw")
    import vl_convert

    spec = _on_white(chart.to_dict())
    if kind == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode("utf-8")
    return bytes(vl_convert.vegalite_to_png(spec, scale=SHARP))


def svg_to_png(svg: str) -> bytes:
    """An SVG picture as PNG, twice as sharp. Raises InputError where the package that draws is missing."""
    if not can_draw():
        refuse("cannot_draw")
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=SHARP))


def _on_white(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification with a ground, ink and fonts of its own, in the place of a page's."""
    config = spec.get("config", {})
    view = {**config.get("view", {}), "stroke": None}
    if "width" not in spec:
        view.setdefault("continuousWidth", WIDTH)
        view.setdefault("discreteWidth", WIDTH)
    text = {"labelColor": INK, "titleColor": INK, "labelFont": FONTS, "titleFont": FONTS}
    axis = {**text, "gridColor": "#e6e3dc", "domainColor": "#b9b5ab", "tickColor": "#b9b5ab"}
    return {
        **spec,
        "background": "#ffffff",
        "padding": 16,
        "config": {**config, "view": view, "axis": {**config.get("axis", {}), **axis}, "legend": text, "font": FONTS},
    }
