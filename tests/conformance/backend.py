"""ONNX graphs on xattn's functions: a backend for the test runner of `onnx`, for Attention, Softmax and LogSoftmax.

What ONNX alone has is translated here: three axes with the heads in the last, a cache of past keys, masks that end
early, 16-bit floats (widened here, rounded at the end), which of four tables of scores is wanted, softmax before
opset 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper
from onnx.backend.base import Backend, BackendRep

from xattn import attention_with_weights, log_softmax, softmax
from xattn.tensor.attention import attention_scores

Array = np.ndarray


class XattnBackend(Backend):
    """Runs a model whose operators are all in `OPERATORS`."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> BackendRep:
        return _Prepared(model)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device == "CPU"


class _Prepared(BackendRep):
    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.opset = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        known: dict[str, Any] = {"": None}
        known.update(zip((entry.name for entry in self.graph.input), inputs, strict=False))
        for node in self.graph.node:
            options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            outputs = OPERATORS[node.op_type](self.opset, [known[name] for name in node.input], **options)
            known.update(zip(node.output, outputs, strict=False))
        return tuple(known[entry.name] for entry in self.graph.output)


# --- operators --------------------------------------------------------------------------------------------------------


def wide(x: Array) -> Array:
    """16-bit floats as float32, which holds each of them exactly."""
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


def _normaliser(function: Callable[..., Array]) -> Callable[..., Iterator[Array]]:
    def operator(opset: int, inputs: list[Array], axis: int | None = None) -> Iterator[Array]:
        (x,) = inputs
        if opset < 13:  # all axes from this one on count as one
            first = (1 if axis is None else axis) % x.ndim
            yield function(wide(x), tuple(range(first, x.ndim))).astype(x.dtype)
        else:
            yield function(wide(x), -1 if axis is None else axis).astype(x.dtype)

    return operator


def _heads_first(x: Array, heads: int) -> Array:
    """(batch, L, heads · d) → (batch, heads, L, d)"""
    return x.reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3)


def _attention(
    opset: int,
    inputs: list[Any],
    q_num_heads: int = 0,
    kv_num_heads: int = 0,
    scale: float | None = None,
    is_causal: int = 0,
    softcap: float = 0.0,
    qk_matmul_output_mode: int = 0,
    left_window_size: int = -1,
    right_window_size: int = -1,
    softmax_precision: int = 0,  # ours is at least that of float32
) -> Iterator[Array]:
    q, k, v, mask, past_k, past_v, lengths = [*inputs, *[None] * 7][:7]
    flat, kind = q.ndim == 3, q.dtype
    if flat:
        q, k, v = _heads_first(q, q_num_heads), _heads_first(k, kv_num_heads), _heads_first(v, kv_num_heads)
    if past_k is not None:
        k, v = np.concatenate([past_k, k], axis=2), np.concatenate([past_v, v], axis=2)
    if mask is not None:
        rest = k.shape[2] - mask.shape[-1]
        masked = False if mask.dtype == np.bool_ else -np.inf
        mask = np.pad(np.atleast_2d(wide(mask)), [*[(0, 0)] * max(mask.ndim - 1, 1), (0, rest)], constant_values=masked)
    options: dict[str, Any] = {
        "causal": bool(is_causal),
        "window": tuple(None if size < 0 else size for size in (left_window_size, right_window_size)),
        "past": lengths - q.shape[2] if lengths is not None else 0 if past_k is None else past_k.shape[2],
        "lengths": lengths,
    }
    capped = {"scale": scale, "softcap": softcap or None}
    Q, K, V = wide(q), wide(k), wide(v)
    y, a = attention_with_weights(Q, K, V, mask=mask, **options, **capped)
    table = {
        0: lambda: attention_scores(Q, K, scale=scale),
        1: lambda: attention_scores(Q, K, **capped),
        2: lambda: attention_scores(Q, K, mask=mask, **options, **capped),
        3: lambda: a,
    }[qk_matmul_output_mode]
    if flat:
        y = y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], -1)
    yield from (y.astype(kind), k, v)
    yield table().astype(kind)


def _neg(opset: int, inputs: list[Array]) -> Iterator[Array]:
    yield -inputs[0]


OPERATORS: dict[str, Callable[..., Iterator[Array]]] = {
    "Attention": _attention,
    "LogSoftmax": _normaliser(log_softmax),
    "Neg": _neg,  # Softmin, as PyTorch writes it, is the softmax of −x
    "Softmax": _normaliser(softmax),
}

# --- how near ---------------------------------------------------------------------------------------------------------

TIGHT = {"float64": 2e-6, "float32": 2e-6, "float16": 2e-3, "bfloat16": 2e-2}  # 7, 2 and 2.5 times the worst seen


def assert_tight(got: tuple[Array, ...], want: list[Array]) -> None:
    """The outputs, each of its type, are those published, closer than the runner of `onnx` asks."""
    assert len(got) == len(want)
    for x, y in zip(got, want, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        near = TIGHT.get(y.dtype.name)
        if near is None:
            np.testing.assert_array_equal(x, y)
        else:
            np.testing.assert_allclose(x.astype(float), y.astype(float), rtol=near, atol=1e-7)
