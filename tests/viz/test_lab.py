"""Charts of figures, and files of charts: series can be told apart without colour; a file is what it says it is."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from altair.utils import schemapi

from xattn.errors import InputError
from xattn.i18n import LANGUAGES
from xattn.viz import files
from xattn.viz import unchecked as quick
from xattn.viz.attention import FRAME, PICK, contribution_chart, matrix_chart, score_chart, table, weight_chart
from xattn.viz.charts import AGAINST, FOR, WEIGHT
from xattn.viz.lab import COLOURS, DASHES, SHAPES, interval_chart, line_chart, share_chart, signed_chart

POINTS = pd.DataFrame({"name": ["a", "b"], "value": [0.1, 0.3], "low": [0.05, 0.2], "high": [0.2, 0.4]})
LINES = pd.DataFrame(
    {"x": [0, 1, 0, 1], "series": ["s", "s", "t", "t"], "value": [1.0, 2.0, 3.0, None], "low": 0.5, "high": 3.5}
)
SHARES = pd.DataFrame({"group": ["g", "g"], "series": ["s", "t"], "value": [0.25, 0.75]})
CHARTS = {
    "interval": lambda lang: interval_chart(POINTS, "figure", lang),
    "line": lambda lang: line_chart(LINES, "x", "figure", lang),
    "share": lambda lang: share_chart(SHARES, "figure", lang),
    "signed": lambda lang: signed_chart(POINTS, "figure", lang),
}


def rows(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for part in spec["datasets"].values() for row in part]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
def test_charts_describe_themselves_and_are_plain_json(name: str, lang: str) -> None:
    spec = CHARTS[name](lang).to_dict()
    assert "figure" in spec["description"]
    assert json.dumps(spec, allow_nan=False)
    assert "black" not in json.dumps(spec)


def test_points_are_ordered_by_value_and_keep_their_intervals() -> None:
    spec = interval_chart(POINTS, "figure").to_dict()
    assert [row["name"] for row in rows(spec)] == ["b", "a"]
    assert [(row["low"], row["high"]) for row in rows(spec)] == [(0.2, 0.4), (0.05, 0.2)]
    kept = interval_chart(POINTS, "figure", sort=False).to_dict()
    assert [row["name"] for row in rows(kept)] == ["a", "b"]


def test_lines_differ_by_dash_and_shape_and_leave_out_what_is_missing() -> None:
    spec = json.dumps(line_chart(LINES, "x", "figure").to_dict())
    assert '"strokeDash"' in spec
    assert '"shape"' in spec
    assert len(rows(json.loads(spec))) == 3


def contrast(colour: str, other: float) -> float:
    """Of a colour with a grey of luminance `other` (WCAG 2.2)."""
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    mine = float(linear @ [0.2126, 0.7152, 0.0722])
    return (max(mine, other) + 0.05) / (min(mine, other) + 0.05)


def test_colours_of_series_can_be_seen_and_mean_nothing_else() -> None:
    assert len({*COLOURS, FOR, AGAINST, WEIGHT}) == len(COLOURS) + 3
    assert len(COLOURS) == len(SHAPES) == len(DASHES)
    assert min(contrast(colour, grey) for colour in COLOURS for grey in (0.0, 1.0)) >= 3


@pytest.mark.parametrize(
    "make",
    [
        lambda lit: matrix_chart(table(["q", "k1"], ["1", "2"], [[1, 2], [3, 4]]), pick=True, lit=("k1", lit)),
        lambda lit: contribution_chart(table(["k1", "Σ"], ["1"], [[1], [1]]), pick=True, lit=("k1", lit)),
        lambda lit: score_chart(["k1", "k2"], [1, 2], pick=True, lit="k1"),
        lambda lit: weight_chart(["k1", "k2"], [0.4, 0.6], pick=True, lit="k1"),
    ],
)
def test_what_is_pointed_at_is_framed_and_can_be_picked(make: Any) -> None:
    for lit in (None, "1"):
        spec = make(lit).to_dict()
        assert FRAME in json.dumps(spec)
        assert [param["name"] for param in spec["params"]] == [PICK]


def test_nothing_is_framed_where_nothing_is_pointed_at() -> None:
    spec = json.dumps(weight_chart(["k1"], [1.0], lit="gone").to_dict())
    assert FRAME not in spec
    assert PICK not in json.loads(spec).get("params", [])


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not files.can_draw(), reason="vl-convert is not installed")
def test_a_chart_becomes_a_file() -> None:
    chart = interval_chart(POINTS, "figure")
    svg = files.chart_file(chart, "svg")
    assert svg.startswith(b"<svg")
    assert b"figure" in svg
    assert files.chart_file(chart, "png").startswith(b"\x89PNG\r\n\x1a\n")


def test_other_kinds_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = alt.Chart(POINTS).mark_bar().encode(x="value:Q")
    with pytest.raises(InputError, match="`kind` must be one of svg, png; got 'exe'"):
        files.chart_file(chart, "exe")
    monkeypatch.setattr(files, "can_draw", lambda: False)
    with pytest.raises(InputError, match="xattn\\[export\\]"):
        files.chart_file(chart, "svg")


# --- quick charts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHARTS)
def test_what_a_page_draws_is_the_chart(name: str) -> None:
    chart = CHARTS[name]("en")
    drawn = quick.drawn(chart, "other words").to_dict()
    assert drawn == {**chart.to_dict(validate=True), "description": "other words"}


def test_the_checks_are_off_inside_and_on_again_whatever_happens() -> None:
    seen = []

    @quick.quick
    def outer(depth: int) -> None:
        seen.append(schemapi.DEBUG_MODE)
        if depth:
            outer(depth - 1)
        raise ValueError

    with pytest.raises(ValueError):
        outer(2)
    assert seen == [False] * 3
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: CHARTS["line"]("en"), range(40)))
    assert schemapi.DEBUG_MODE is True
