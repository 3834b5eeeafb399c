"""Old names of arguments: each works in this version, with the same answer and a warning that says the new name."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import xattn
from tests.models import fitted
from xattn import EASE, InputError, Interactions, ItemKNN, NeuralAttention, SequenceAttention, attention
from xattn.errors import by_name, takes_old_names
from xattn.evaluate.rivals.sasrec import SASRec

Q, K = np.array([[1.0, 0.0]]), np.array([[0.5, 9.0], [2.0, 1.0]])
FRAME = pd.DataFrame({"user": ["u", None, "v"], "item": ["a", "b", "a"]})
Call = Callable[[], Any]

OLD: dict[str, tuple[Call, Call, str]] = {
    "ItemKNN": (lambda: ItemKNN(neighbours=3).get_params(), lambda: ItemKNN(n_neighbors=3).get_params(), "n_neighbors"),  # type: ignore[call-arg]
    "NeuralAttention": (
        lambda: NeuralAttention(attention_threshold=0.2).get_params(),  # type: ignore[call-arg]
        lambda: NeuralAttention(threshold=0.2).get_params(),
        "threshold",
    ),
    "NeuralAttention, target": (
        lambda: NeuralAttention(target="next").get_params(),  # type: ignore[call-arg]
        lambda: NeuralAttention(objective="next").get_params(),
        "objective",
    ),
    "SequenceAttention": (
        lambda: SequenceAttention(dimensions=8).get_params(),  # type: ignore[call-arg]
        lambda: SequenceAttention(hidden_size=8).get_params(),
        "hidden_size",
    ),
    "SequenceAttention, keys": (
        lambda: SequenceAttention(key_dimensions=8).get_params(),  # type: ignore[call-arg]
        lambda: SequenceAttention(key_size=8).get_params(),
        "key_size",
    ),
    "SASRec": (lambda: SASRec(dimensions=8).get_params(), lambda: SASRec(hidden_size=8).get_params(), "hidden_size"),  # type: ignore[call-arg]
    "SASRec, batch": (lambda: SASRec(batch=8).get_params(), lambda: SASRec(batch_size=8).get_params(), "batch_size"),  # type: ignore[call-arg]
    "set_params": (lambda: ItemKNN().set_params(neighbours=3).n_neighbors, lambda: 3, "n_neighbors"),
    "attribute": (lambda: ItemKNN(n_neighbors=4).neighbours, lambda: 4, "n_neighbors"),  # type: ignore[attr-defined]
    "from_frame": (
        lambda: Interactions.from_frame(FRAME, drop_missing=True).n_events,  # type: ignore[call-arg]
        lambda: Interactions.from_frame(FRAME, missing="drop").n_events,
        "missing",
    ),
    "read_interactions": (
        lambda: xattn.read_interactions(FRAME, drop_missing=True).n_events,  # type: ignore[call-arg]
        lambda: xattn.read_interactions(FRAME, missing="drop").n_events,
        "missing",
    ),
    "attention": (
        lambda: attention(Q, K, K, return_weights=True)[1].tolist(),  # type: ignore[call-arg]
        lambda: xattn.attention_with_weights(Q, K, K).weights.tolist(),
        "attention_with_weights",
    ),
    "attention without": (
        lambda: attention(Q, K, K, return_weights=False).tolist(),  # type: ignore[call-arg]
        lambda: attention(Q, K, K).tolist(),
        "attention_with_weights",
    ),
    "nearest": (
        lambda: xattn.nearest(Q, K, 1).items.tolist(),  # type: ignore[misc]
        lambda: xattn.nearest(Q, K, k=1).items.tolist(),
        "k",
    ),
    "similar_items": (
        lambda: fitted("popularity").similar_items("i0", 2)["item"].tolist(),  # type: ignore[misc]
        lambda: fitted("popularity").similar_items("i0", k=2)["item"].tolist(),
        "k",
    ),
    "similar_users": (
        lambda: fitted("popularity").similar_users("u0", 2)["user"].tolist(),  # type: ignore[misc]
        lambda: fitted("popularity").similar_users("u0", k=2)["user"].tolist(),
        "k",
    ),
    "history": (
        lambda: fitted("popularity").history(None, ["i0", "i1"], ["i1"]).live.tolist(),  # type: ignore[misc]
        lambda: fitted("popularity").history(history=["i0", "i1"], without=["i1"]).live.tolist(),
        "without",
    ),
    "explanation": (
        lambda: fitted("popularity").explain("u0", "i0").explanation(None, "shop")["scenario"],  # type: ignore[misc]
        lambda: "shop",
        "scenario",
    ),
}


@pytest.mark.parametrize("name", OLD)
def test_an_old_name_works_and_warns(name: str) -> None:
    old, new, word = OLD[name]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", FutureWarning)
        found = old()
    assert any(f"`{word}`" in str(one.message) for one in heard)
    assert {Path(one.filename).name for one in heard} == {Path(__file__).name}, "the warning points at the caller"
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        assert new() == found


def test_an_old_and_a_new_name_together_are_refused() -> None:
    with pytest.raises(
        InputError, match="`n_neighbors` must be given once; got it by its old name `neighbours` as well"
    ):
        ItemKNN(n_neighbors=3, neighbours=3)  # type: ignore[call-arg]
    with (
        pytest.warns(FutureWarning, match="`drop_missing` is called `missing` now"),
        pytest.raises(InputError, match="`drop_missing` must be true or false; got 'yes'"),
    ):
        xattn.read_interactions(FRAME, drop_missing="yes")  # type: ignore[call-arg]


def test_names_that_never_were_are_no_attributes_and_no_arguments() -> None:
    assert not hasattr(ItemKNN(), "neighbors")
    assert not hasattr(EASE(), "neighbours")
    with pytest.raises(TypeError, match="unexpected keyword"):
        ItemKNN(neighbors=3)  # type: ignore[call-arg]
    with (
        pytest.warns(FutureWarning, match="`k` of `similar_items`"),
        pytest.raises(TypeError, match="positional"),
    ):
        fitted("popularity").similar_items("i0", 2, "users")  # type: ignore[misc]


def test_a_decorated_function_keeps_its_name_its_text_and_its_parameters() -> None:
    @takes_old_names(old="new")
    def one(*, new: int) -> int:
        """A text."""
        return new

    @by_name("k")
    def two(a: int, *, k: int = 3) -> tuple[int, int]:
        return a, k

    assert (one.__name__, one.__doc__, one(new=2)) == ("one", "A text.", 2)
    assert two(1) == (1, 3)
    with pytest.warns(FutureWarning, match="`k` of `two` is given by name now"):
        assert two(1, 5) == (1, 5)  # type: ignore[misc]


def test_a_file_with_an_old_setting_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted("item knn")
    model.save(tmp_path / "new.npz")
    monkeypatch.setattr(type(model), "get_params", lambda self, deep=True: {"neighbours": 8, "shrink": 10.0})
    model.save(tmp_path / "old.npz")
    monkeypatch.undo()
    back = xattn.load_model(tmp_path / "old.npz")  # without a warning: whoever loads it did not write the name
    assert json.dumps(back.get_params()) == json.dumps(xattn.load_model(tmp_path / "new.npz").get_params())
