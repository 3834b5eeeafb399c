"""Charts are right in what they encode: scales around zero, signs in text, few marks, a description, no fixed ink."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.models import MODELS, fitted
from tests.viz.test_frames import made
from xattn.errors import InputError
from xattn.explain import Ledger
from xattn.i18n import LANGUAGES
from xattn.viz.charts import AGAINST, CHARTS, FOR, heat_chart, heat_width, waterfall_chart
from xattn.viz.frames import heat_frame, waterfall_frame


def why(name: str) -> Ledger:
    return fitted(name).explain(user="u3", item="i12")


def parts(spec: Any) -> list[dict[str, Any]]:
    """All objects of a specification."""
    if isinstance(spec, list):
        return [found for below in spec for found in parts(below)]
    if isinstance(spec, dict):
        return [spec, *(found for below in spec.values() for found in parts(below))]
    return []


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", CHARTS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_model_has_every_chart(name: str, kind: str, lang: str) -> None:
    spec = why(name).chart(kind, lang).to_dict()
    assert len(spec["description"]) > 15
    assert sum(len(rows) for rows in spec["datasets"].values()) <= 2000
    assert json.dumps(spec, allow_nan=False)


def test_contributions_diverge_around_zero() -> None:
    (scale,) = [p for p in parts(why("hybrid").chart("heatmap").to_dict()) if len(p.get("domain", [])) == 3]
    low, middle, high = scale["domain"]
    assert (low, middle) == (-high, 0.0)
    assert scale["range"][1].endswith(",0)"), "zero has no colour"


def test_nothing_but_zeros_makes_a_chart() -> None:
    cells, events = made(3, 2)
    cells["contribution"] = 0.0
    spec = heat_chart(heat_frame(cells, events)).to_dict()
    assert [-1.0, 0.0, 1.0] in [p["domain"] for p in parts(spec) if "domain" in p]


def test_for_and_against_differ_by_more_than_colour() -> None:
    spec = why("hybrid").chart("waterfall").to_dict()
    (scale,) = [p for p in parts(spec) if p.get("domain") == ["for", "against", "base", "score"]]
    assert scale["range"][:2] == [FOR, AGAINST]
    rows = next(rows for rows in spec["datasets"].values() if "text" in rows[0])
    assert {row["text"][0] for row in rows if row["role"] == "against"} == {"−"}


@pytest.mark.parametrize("kind", CHARTS)
def test_text_has_no_ink_that_vanishes_on_one_ground(kind: str) -> None:
    spec = why("hybrid").chart(kind).to_dict()
    for mark in (p["mark"] for p in parts(spec) if isinstance(p.get("mark"), dict)):
        assert mark.get("color") not in {"black", "#000000", "white", "#ffffff"}
    assert not any("labelColor" in p or "titleColor" in p for p in parts(spec))


def test_rows_keep_their_order_and_show_their_amounts() -> None:
    _, events = made(8)
    frame = waterfall_frame(events, 0.1, 0.1 + events["contribution"].sum())
    spec = waterfall_chart(frame).to_dict()
    sorts = [p["sort"] for p in parts(spec) if isinstance(p.get("sort"), list)]
    assert list(frame["label"]) in sorts
    (amounts,) = [order for order in sorts if order[0].startswith("0000")]
    assert [amount[4:] for amount in amounts] == list(frame["text"])


def test_wider_heat_maps_ask_for_more_room() -> None:
    narrow, wide = (heat_width(heat_frame(*made(5, columns))) for columns in (12, 9))
    assert 400 < wide <= narrow < 900


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="`kind` must be one of waterfall, heatmap, weights; got 'pie'."):
        why("hybrid").chart("pie")
