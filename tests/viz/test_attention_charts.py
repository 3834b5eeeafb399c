"""The charts of one attention hold the numbers they are given, in their order, in words and in both languages."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from xattn import attend, worked_example
from xattn.viz import attention as charts
from xattn.viz.charts import AGAINST, FOR
from xattn.viz.digits import digits

EXAMPLE = worked_example()
NAMES = ["k1", "k2", "k3"]
RESULT = attend(EXAMPLE.query, EXAMPLE.keys, EXAMPLE.keys)
NASTY = ['</script><b>"x"\\', "a" * 200, "同名", "同名", "同名 · 2", ""]


def rows_of(chart: Any) -> list[dict[str, Any]]:
    """The rows that a chart's specification carries."""
    sets = chart.to_dict()["datasets"]
    return [row for rows in sets.values() for row in rows]


def layers_of(chart: Any) -> list[dict[str, Any]]:
    """The specifications of the chart's layers."""
    return list(chart.to_dict()["layer"])


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (0.24472847105479764, "0.24473"),
        (-0.5, "-0.5"),
        (100.0, "100"),
        (1e-7, "1e-07"),
        (123456.789, "123456.789"),
        (1e22, "1e+22"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_digits(value: float, text: str) -> None:
    assert digits(value) == text


def test_digits_round_to_the_value() -> None:
    for x in np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(200).clip(max=8):
        assert float(digits(x)) == pytest.approx(x, rel=1e-4, abs=5.1e-6)


# --- frames -----------------------------------------------------------------------------------------------------------


def test_names_stay_distinct_and_short() -> None:
    names = charts.distinct(NASTY)
    assert len(set(names)) == len(NASTY)
    assert all(len(name) <= charts.MOST_NAME + 6 for name in names)
    assert names[0] == NASTY[0]


def test_contributions_end_in_their_sum() -> None:
    wide = charts.contribution_table(NAMES, ["1", "2", "3"], RESULT.contributions, RESULT.fused)
    assert list(wide.index) == [*NAMES, "Σ"]
    np.testing.assert_allclose(wide.iloc[:-1].sum(), wide.loc["Σ"])
    assert [digits(x) for x in wide.loc["Σ"]] == ["0.90997", "0.75527", "0.90997"]


def test_cells_are_the_table() -> None:
    wide = charts.table(NAMES, ["1", "2", "3"], EXAMPLE.keys)
    cells = charts.cell_frame(wide)
    assert len(cells) == 9
    pd.testing.assert_series_equal(
        cells.set_index(["row", "column"])["value"].sort_index(), wide.stack().sort_index(), check_names=False
    )


# --- charts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_weight_bars_carry_the_weights(lang: str) -> None:
    chart = charts.weight_chart(NAMES, RESULT.weights, lang)
    rows = rows_of(chart)
    assert [row["name"] for row in rows] == NAMES
    np.testing.assert_allclose([row["value"] for row in rows], RESULT.weights)
    assert "3" in chart.description
    axis = layers_of(chart)[1]["encoding"]["y"]["axis"]  # the numbers beside the bars
    assert json.loads(axis["labelExpr"].partition("]")[0] + "]") == ["0.24473", "0.09003", "0.66524"]


def test_scales_of_signed_numbers_are_centred() -> None:
    wide = charts.table(["a", "b"], ["1", "2"], [[1.0, -4.0], [0.0, 2.0]])
    scale = layers_of(charts.contribution_chart(wide))[0]["encoding"]["color"]["scale"]
    assert scale["domain"] == [-4.0, 0.0, 4.0]
    assert scale["range"][0] == AGAINST
    assert scale["range"][-1] == FOR


def test_the_sign_of_a_profile_is_its_colour_and_its_side() -> None:
    color = layers_of(charts.profile_chart(["x", "y"], [0.5, -0.25]))[0]["encoding"]["color"]
    assert color["condition"][0]["value"] == AGAINST
    assert color["value"] == FOR


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("n", [1, 2, 6])
def test_every_chart_is_valid_and_described(n: int, lang: str) -> None:
    names, values = NASTY[:n], np.linspace(-1, 1, n)
    wide = charts.table(names, names, np.outer(values, values))
    for chart in (
        charts.matrix_chart(wide, lang),
        charts.contribution_chart(wide, lang),
        charts.score_chart(names, values, lang),
        charts.weight_chart(names, np.abs(values), lang),
        charts.profile_chart(names, values, lang),
    ):
        assert chart.to_dict()["description"].strip()
        assert len(rows_of(chart)) in (n, n * n)


@pytest.mark.parametrize("lit", [None, "k2"])
def test_a_pointer_is_told_the_term_inside_the_chart(lit: str | None) -> None:
    wide, terms = (
        charts.table(NAMES, ["1", "2", "3"], EXAMPLE.keys),
        [[f"{i} × {j}" for j in range(3)] for i in range(3)],
    )
    cells = charts.matrix_chart(wide, pick=True, lit=(lit, "1"), terms=terms)
    bars = charts.weight_chart(NAMES, RESULT.weights, pick=True, lit=lit, terms=["a", "b", "c"])
    for chart, told in ((cells, [term for row in terms for term in row]), (bars, ["a", "b", "c"])):
        assert [row["term"] for row in rows_of(chart)] == told
        spec = chart.to_dict()  # checked against the schema
        params = {param["name"]: param["select"] for param in spec["params"]}
        assert set(params) == {charts.PICK, charts.OVER}
        assert params[charts.OVER]["on"] == "pointerover"
        assert params[charts.OVER]["clear"] == "pointerout"
        assert "term" in params[charts.OVER]["fields"]
        assert "term" not in params[charts.PICK]["fields"]
        assert spec["title"]["text"]["expr"].endswith(": ' '"), "the line keeps its place when it says nothing"
    assert "title" not in charts.matrix_chart(wide, pick=True).to_dict()


def test_all_zero_cells_have_a_scale() -> None:
    wide = charts.table(["a"], ["1"], [[0.0]])
    assert layers_of(charts.matrix_chart(wide))[0]["encoding"]["color"]["scale"]["domain"] == [-1.0, 0.0, 1.0]


def test_wide_tables_keep_under_the_limit_of_marks() -> None:
    wide = charts.table([str(i) for i in range(41)], [str(i) for i in range(40)], np.ones((41, 40)))
    chart = charts.contribution_chart(wide)
    assert "layer" not in chart.to_dict()  # no numbers in 1,640 cells
    assert charts.cell_width(40) > 2000
    assert charts.cell_width(3) is None


def test_long_names_take_room_from_cells() -> None:
    assert charts.cell_width(4, ["k1", "Σ"]) is None
    width = charts.cell_width(4, ["Read about hiking trails", "Σ"])
    assert width is not None
    assert width >= 150 + 4 * 50


def test_the_picture_follows_the_mathematics() -> None:
    """A planted change of one weight shows in the chart."""
    changed = RESULT.weights.copy()
    changed[1] += 0.5
    assert rows_of(charts.weight_chart(NAMES, changed)) != rows_of(charts.weight_chart(NAMES, RESULT.weights))
