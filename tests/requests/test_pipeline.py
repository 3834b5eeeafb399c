"""The whole way: every step is the model's own, the steps follow from each other, and they end at what is served."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import xattn
from tests.app.conftest import sound, visited
from tests.models import fitted
from xattn import InputError
from xattn.app import state
from xattn.app.state import Own
from xattn.features import feature_set
from xattn.i18n import t
from xattn.i18n.numbers import figure
from xattn.requests.pipeline import STEPS

KINDS = ["hybrid", "content", "content by blocks", "collaborative", "users", "sequence"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_steps_end_at_the_score_that_is_served(kind: str) -> None:
    model = fitted(kind)
    way = xattn.pipeline(model, "u3")
    pd.testing.assert_frame_equal(way.recommendations, model.recommend("u3"))
    first = way.recommendations.iloc[0]
    assert first["item"] == way.ledger.item
    fused = way.fusion
    assert way.ledger.base + fused["contribution"].sum() == pytest.approx(first["score"], abs=1e-6)
    product = fused["weight"] * fused["strength"] * fused["value"] * fused["gate"]
    np.testing.assert_allclose(product, fused["contribution"], atol=1e-9)
    assert not fused.duplicated(["head", "position"]).any()
    assert set(way.weights["head"]) == set(way.ledger.cells["head"])
    np.testing.assert_array_equal(way.weights["weight"], fused["weight"])
    assert way.history["event"].tolist() == [model.data_.items.ids[row] for row in model.history("u3").item.tolist()]


def test_features_are_those_of_the_items() -> None:
    model = fitted("hybrid")
    way = xattn.pipeline(model, "u3", "i13")
    features = feature_set(model.data_.items)
    for (item, _), own in way.features.groupby(["item", "position"]):
        row = features.dense([model.data_.items.row(str(item))])[0]
        assert own["feature"].tolist() == [features.names[f] for f in np.flatnonzero(row)]
        np.testing.assert_array_equal(own["value"], row[row != 0])
    assert set(way.features.loc[way.features["position"] == -1, "item"]) == {"i13"}
    assert way.ledger.item == "i13"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_and_picture_hold_the_same_numbers(lang: str) -> None:
    way = xattn.pipeline(fitted("hybrid"), "u3", k=4)
    lines = way.text(lang).splitlines()
    assert len(lines) == len(STEPS) == len(way.steps())
    assert figure(way.ledger.score) in lines[3]
    assert figure(float(way.fusion["contribution"].sum()), sign=True) in lines[3]
    spec = way.chart(lang).to_dict()
    assert len(spec["vconcat"]) == 4
    told = json.dumps(spec, ensure_ascii=False)
    assert t("pipeline.weights", lang) in told
    assert all(title in told for title in way.recommendations["title"])
    json.dumps(way.to_dict(), allow_nan=False)


def test_data_are_fitted_and_what_is_neither_is_refused() -> None:
    events = pd.DataFrame({"user": list("uuvvwwxx"), "item": list("abbccaac")})
    way = xattn.pipeline(xattn.read_interactions(events), "u")
    assert type(way.model).__name__ == "HybridAttention"
    with pytest.raises(InputError, match=r"`source` must be Interactions or a fitted recommender; got 3\."):
        xattn.pipeline(3, "u")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the list must hold an item"):
        xattn.pipeline(way.model, "u", candidates=[])
    with pytest.raises(InputError, match="`user`"):
        xattn.pipeline(way.model, "nobody")


def test_the_lesson_shows_it_when_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted("hybrid")
    monkeypatch.setattr(state, "_own", Own(model.data_, model, scenario="items"))
    shut: AppTest = visited("from xattn.app.learn import page; page.render()", step="1")
    assert not [box for box in shut.selectbox if box.key == "worked_way_user"]
    page = sound(visited("from xattn.app.learn import page; page.render()", step="1", open="way", frame="fusion"))
    assert page.selectbox(key="worked_way_user").value == model.data_.user_ids[0]
    way = xattn.pipeline(model, model.data_.user_ids[0])
    (table,) = [frame.value for frame in page.dataframe if "gate" in frame.value]
    assert table["contribution"].tolist() == way.fusion["contribution"].tolist()
