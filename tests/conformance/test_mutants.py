"""The suite of ONNX bites: each of these wrong versions of attention fails cases of it at the tight gate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", "1.23")

from tests.conformance import backend
from tests.conformance.test_onnx import CASES
from xattn import attention_with_weights

ATTENTION = {name: case for name, case in CASES.items() if name.startswith("test_attention")}
Wrong = Callable[..., Any]


def with_options(change: Callable[..., dict[str, Any]]) -> Wrong:
    """Attention with changed arguments; `change` gets q, k, v and the options."""

    def wrong(q: Any, k: Any, v: Any, **options: Any) -> Any:
        new = {"q": q, "k": k, "v": v} | options
        new |= change(new)
        return attention_with_weights(new.pop("q"), new.pop("k"), new.pop("v"), **new)

    return wrong


def with_result(change: Callable[[Any, Any], tuple[Any, Any]]) -> Wrong:
    def wrong(*args: Any, **options: Any) -> Any:
        return change(*attention_with_weights(*args, **options))

    return wrong


def flipped(call: dict[str, Any]) -> dict[str, Any]:
    mask = call["mask"]
    return {"mask": ~mask} if mask is not None and mask.dtype == np.bool_ else {}


def as_bool(call: dict[str, Any]) -> dict[str, Any]:
    mask = call["mask"]
    return {} if mask is None or mask.dtype == np.bool_ else {"mask": mask != 0}


def tiled(call: dict[str, Any]) -> dict[str, Any]:
    """Heads of k and v dealt out in turn: 0 1 0 1 in the place of 0 0 1 1."""
    shared = call["q"].shape[1] // call["k"].shape[1]
    return {name: np.tile(call[name], (1, shared, 1, 1)) for name in "kv"}


def without_last_odd(call: dict[str, Any]) -> dict[str, Any]:
    n = call["k"].shape[2]
    used = n if call["lengths"] is None else call["lengths"]
    return {"lengths": used - np.asarray(used) % 2 if np.max(used) > 1 else used}


def nan_where_empty(y: Any, a: Any) -> tuple[Any, Any]:
    empty = ~a.any(axis=-1, keepdims=True)
    return np.where(empty, np.nan, y).astype(y.dtype), a


MUTANTS: dict[str, tuple[Wrong, int]] = {  # and how many of the 93 cases fail at least
    "no 1/√d": (with_options(lambda call: {"scale": 1.0}), 80),
    "scale ignored": (with_options(lambda call: {"scale": None}), 5),
    "mask upside down": (with_options(flipped), 8),
    "numbers taken for truth": (with_options(as_bool), 30),
    "past ignored": (with_options(lambda call: {"past": 0}), 10),
    "causal off by one": (with_options(lambda call: {"past": call["past"] + 1}), 20),
    "softcap ignored": (with_options(lambda call: {"softcap": None}), 5),
    "heads dealt out in turn": (with_options(tiled), 10),
    "empty rows NaN": (with_result(nan_where_empty), 5),
    "last key of an odd number dropped": (with_options(without_last_odd), 1),
    "weights add up to 1.0005": (with_result(lambda y, a: (y * y.dtype.type(1.0005), a * a.dtype.type(1.0005))), 60),
    "padding ignored": (with_options(lambda call: {"lengths": None}), 2),
    "window ignored": (with_options(lambda call: {"window": (None, None)}), 3),
}


def failing() -> int:
    wrong = 0
    for case in ATTENTION.values():
        for inputs, outputs in case.data_sets:
            with np.errstate(all="ignore"):
                got = backend.XattnBackend.prepare(case.model).run(list(inputs))
            try:
                backend.assert_tight(got, outputs)
            except AssertionError:
                wrong += 1
    return wrong


def test_the_right_one_fails_none() -> None:
    assert (failing(), len(ATTENTION)) == (0, 93)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, least = MUTANTS[name]
    monkeypatch.setattr(backend, "attention_with_weights", wrong)
    assert failing() >= least
