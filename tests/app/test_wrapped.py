"""Pages of models from elsewhere say what the amounts of their ledgers are, and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import PAGE, shown_text
from tests.recommenders.foreign.models import ease, fading
from xattn import wrap
from xattn.app import state
from xattn.app.state import Own
from xattn.data.synthetic import planted

SAID = {
    "sum": ("mostly for “Item",),
    "arrival": ("rose most when “Item", "when you watched"),
    "average": ("on average over orders, most by “Item",),
}


@pytest.mark.parametrize("amounts", SAID)
def test_the_pages_of_a_wrapped_model_name_its_amounts(amounts: str) -> None:
    options: dict[str, Any] = {"average": {"kind": "average", "budget": 50}}.get(amounts, {})
    data = planted(
        "copurchase", seed=tuple(SAID).index(amounts)
    ).data  # of its own: a server shows one model of a class
    model = wrap(ease(data) if amounts == "sum" else fading(data), data, **options)
    item = model.recommend("u0", k=1)["item"].iloc[0]
    state.use(Own(data, model))
    try:
        page = AppTest.from_string(PAGE, default_timeout=60)
        page.query_params["user"], page.query_params["item"] = "u0", item
        page.run()
        said = shown_text(page)
    finally:
        state.use(None)
    assert not page.exception
    for sentence in SAID[amounts]:
        assert sentence in said
    assert amounts == "sum" or "mostly for “" not in said
    assert "mostly for its popularity" not in said
    assert "base (no history)" in json.dumps(model.explain("u0", item).chart("waterfall").to_dict())
