"""Pages of models from elsewhere say what the amounts of their ledgers are, and no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import PAGE, shown_text
from tests.recommenders.foreign.models import ease, fading
from xattn import load_model, wrap
from xattn.app import state
from xattn.app.recommend import answers
from xattn.app.recommend.view import View
from xattn.app.state import Own
from xattn.data.synthetic import planted

SAID = {
    "sum": ("% “Item",),
    "arrival": ("rose most when “Item", "when you watched"),
    "average": ("on average over orders, most by “Item",),
}


@pytest.mark.parametrize("amounts", SAID)
def test_the_pages_of_a_wrapped_model_name_its_amounts(amounts: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"average": {"kind": "average", "budget": 50}}.get(amounts, {})
    data = planted("copurchase", seed=0).data
    model = wrap(ease(data) if amounts == "sum" else fading(data), data, **options)
    if model.saves:  # as `xattn.show` and `xattn app --model` have it
        model.save(tmp_path / "model.npz")
        model = load_model(tmp_path / "model.npz")
    item = model.recommend("u0", k=1)["item"].iloc[0]
    state.use(Own(model.data_, model))
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


def test_two_models_of_one_class_on_the_same_data_have_each_their_own_answers() -> None:
    """One after the other in one process: the second was shown the model, and the lists, of the first."""
    data = planted("copurchase", seed=1).data
    B = ease(data)
    view = View(model="WrappedItems", user="u0")
    shown = []
    for matrix in (B, 2.0 * B, B):
        model = wrap(matrix, data)
        state.use(Own(data, model))
        try:
            assert state.model() is model
            listed = answers.listed(state.model(), view)
            why = answers.ledger(state.model(), view, listed["item"][0])
        finally:
            state.use(None)
        expected = model.recommend("u0", k=len(listed))
        assert listed["score"].tolist() == expected["score"].tolist()
        assert why.scorer is model
        shown.append(listed["score"].tolist())
    assert shown[0] == shown[2] != shown[1]
