"""PyTorch's own sample inputs (OpInfo) of the operators that our kernels compute; PyTorch in float64 is the answer.

float32 is held to the same float64 answer: PyTorch's float32 attention is itself off by more than PyTorch allows. Where
the contracts differ, on rows of which everything is masked (NaN there), ours is asked for: shares 0, logarithms −inf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")  # torch's test modules import it

from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402

from xattn import attention, log_softmax, logsumexp, softmax  # noqa: E402
from xattn.errors import InputError  # noqa: E402
from xattn.kernels import fusion, losses, scorers  # noqa: E402
from xattn.kernels.topk import top_k  # noqa: E402

Array = np.ndarray
ROOM = {"float32": {"rtol": 1.3e-6, "atol": 1e-5}, "float64": {"rtol": 1e-7, "atol": 1e-7}}
TYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def samples(name: str, dtype: str) -> list[Any]:
    (op,) = (op for op in op_db if (op.name, op.variant_test_name) == (name, ""))
    return list(op.sample_inputs("cpu", getattr(torch, dtype)))


def double(x: Any) -> Any:
    return x.double() if isinstance(x, torch.Tensor) and x.is_floating_point() else x


def answer(function: Callable[..., Any], sample: Any) -> Array:
    """What PyTorch says to the sample in float64."""
    kwargs = {name: double(value) for name, value in sample.kwargs.items()}
    return function(double(sample.input), *map(double, sample.args), **kwargs).numpy()  # type: ignore[no-any-return]


def close(got: Array, want: Array, dtype: str) -> None:
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, **ROOM[dtype])


# --- softmax and its kin ----------------------------------------------------------------------------------------------

MASKED = torch.masked
NORMALISERS = {  # name in OpInfo: PyTorch's function, ours, how many samples, what a row without entries gives
    "softmax": (torch.softmax, softmax, 7, 0.0),
    "log_softmax": (torch.log_softmax, log_softmax, 7, -np.inf),
    "torch.ops.aten._safe_softmax.default": (torch.ops.aten._safe_softmax, softmax, 8, 0.0),
    "masked.softmax": (MASKED.softmax, softmax, 24, 0.0),
    "masked.log_softmax": (MASKED.log_softmax, log_softmax, 24, -np.inf),
    "logsumexp": (torch.logsumexp, logsumexp, 15, -np.inf),
    "masked.logsumexp": (MASKED.logsumexp, logsumexp, 90, -np.inf),
}


def options_of(sample: Any) -> dict[str, Any]:
    """The sample's arguments as ours take them: axes of a number are None, masks are given in full."""
    x = sample.input
    named = {"dim": None, **dict(zip(("dim", "keepdim"), sample.args, strict=False)), **sample.kwargs}
    axis = named["dim"] if x.ndim else None
    options = {"axis": tuple(axis) if isinstance(axis, (list, tuple)) else axis}
    if named.get("mask") is not None:
        options["mask"] = np.broadcast_to(named["mask"].numpy(), x.shape)
    if named.get("keepdim"):
        options["keepdims"] = True
    return options


@TYPES
@pytest.mark.parametrize("name", NORMALISERS)
def test_softmax_and_its_kin(name: str, dtype: str) -> None:
    theirs, ours, expected, nothing = NORMALISERS[name]
    ran = 0
    for sample in samples(name, dtype):
        options, x = options_of(sample), sample.input.numpy()
        ran += 1
        if (~np.isfinite(x) & (x != -np.inf) & options.get("mask", True)).any():
            assert name == "masked.logsumexp"  # some of its samples hold live NaN and infinities: ours refuses them
            with pytest.raises(InputError):
                ours(x, **options)
            continue
        got, want = ours(x, **options), answer(theirs, sample)
        assert got.dtype == dtype
        if "mask" in options:
            live = options["mask"]
            empty = ~live.any(axis=options["axis"], keepdims=got.ndim == live.ndim)
            dead = np.broadcast_to(empty, got.shape) if ours is logsumexp else ~live | empty
            assert (got[dead] == nothing).all()
            want = np.where(dead, nothing, want)
        close(got, want, dtype)
    assert ran == expected


# --- attention and its parts ------------------------------------------------------------------------------------------


@TYPES
def test_attention(dtype: str) -> None:
    """The 13 samples without dropout, which is chance."""
    ran = 0
    for sample in samples("nn.functional.scaled_dot_product_attention", dtype):
        if sample.kwargs["dropout_p"] == 0.0:
            mask = sample.kwargs.get("attn_mask")
            q, k, v = (x.numpy() for x in (sample.input, *sample.args))
            got = attention(q, k, v, mask=None if mask is None else mask.numpy(), causal=sample.kwargs["is_causal"])
            close(got, answer(torch.nn.functional.scaled_dot_product_attention, sample), dtype)
            ran += 1
    assert ran == 13


@TYPES
def test_cosine(dtype: str) -> None:
    """eps, a least length, changes none of these."""
    ran = 0
    for sample in samples("nn.functional.cosine_similarity", dtype):
        axis = sample.kwargs.get("dim", 1) if sample.input.ndim else None
        x, y = np.broadcast_arrays(*(np.atleast_1d(t.numpy()) for t in (sample.input, sample.args[0])))
        x, y = (np.ascontiguousarray(np.moveaxis(t, axis or 0, -1)) for t in (x, y))
        rows = (scorers.cosine(a[None], b[None])[0, 0] for a, b in zip(flat(x), flat(y), strict=True))
        got = np.array(list(rows), dtype).reshape(x.shape[:-1])
        close(got, answer(torch.nn.functional.cosine_similarity, sample), dtype)
        ran += 1
    assert ran == 9


def flat(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


@TYPES
def test_bilinear(dtype: str) -> None:
    ran = 0
    for sample in samples("nn.functional.bilinear", dtype):
        x, (y, W, *rest) = sample.input.numpy(), [t.numpy() for t in sample.args]
        q, k = flat(x), flat(y)
        scores = [np.diagonal(scorers.bilinear(q, k, np.ascontiguousarray(w))) for w in W]
        got = np.stack(scores, axis=-1) + (rest[0] if rest else 0)
        close(got.reshape(*x.shape[:-1], len(W)), answer(torch.nn.functional.bilinear, sample), dtype)
        ran += 1
    assert ran == 16


@TYPES
def test_sums_of_ragged_rows(dtype: str) -> None:
    """embedding_bag, mode sum: weights, padding, empty bags. Theirs does max_norm, which rewrites the table."""
    ran = 0
    for sample in samples("nn.functional.embedding_bag", dtype):
        kwargs = sample.kwargs
        if kwargs["mode"] != "sum":
            continue
        table, index = sample.input.detach().double().clone(), sample.args[0]
        theirs = {name: double(value) for name, value in kwargs.items()} | {"sparse": False}
        want = torch.nn.functional.embedding_bag(index, table, **theirs).numpy()
        if index.ndim == 2:
            indptr = np.arange(len(index) + 1) * index.shape[1]
        else:
            indptr = kwargs["offsets"].numpy()
            indptr = indptr if kwargs.get("include_last_offset") else np.append(indptr, index.numel())
        a = kwargs.get("per_sample_weights")
        a = np.ones(index.numel(), dtype) if a is None else a.detach().numpy().reshape(-1)
        places, padding = index.numpy().reshape(-1), kwargs.get("padding_idx")
        mask = None if padding is None else places != padding % len(table)
        x = table.numpy().astype(dtype)[places]
        close(fusion.fuse_ragged(a, indptr, x, mask).y, want, dtype)
        ran += 1
    assert ran == 26


@TYPES
def test_top_k(dtype: str) -> None:
    ran = 0
    for sample in samples("topk", dtype):
        k, axis = sample.args[0], sample.args[1] if len(sample.args) > 1 else -1
        x = np.moveaxis(np.atleast_1d(sample.input.numpy()), axis, -1)
        best = top_k(np.ascontiguousarray(flat(x)), None, k).items
        got = np.moveaxis(np.take_along_axis(flat(x), best, axis=1).reshape(*x.shape[:-1], k), -1, axis)
        want = torch.topk(sample.input.double(), *sample.args).values.numpy()
        close(got.reshape(want.shape), want, dtype)
        ran += 1
    assert ran == 14


# --- losses -----------------------------------------------------------------------------------------------------------


def reduced(loss: Array, how: str, weight: float) -> Array:
    return loss if how == "none" else loss.sum() if how == "sum" else loss.sum() / weight


@TYPES
def test_cross_entropy(dtype: str) -> None:
    """The 11 samples whose targets are classes; ours has no others."""
    ran = 0
    for sample in samples("nn.functional.cross_entropy", dtype):
        target = sample.args[0].numpy()
        if target.dtype != np.int64:
            continue
        kwargs = sample.kwargs
        Z = np.ascontiguousarray(flat(np.moveaxis(sample.input.numpy(), 1, -1)))
        kept = target.reshape(-1) != kwargs.get("ignore_index", -100)
        y = np.where(kept, target.reshape(-1), 0)
        w = (kwargs["weight"].numpy()[y] if "weight" in kwargs else np.ones(len(y))) * kept
        loss = (losses.cross_entropy(Z, y).loss * w).reshape(target.shape)
        close(
            np.asarray(reduced(loss, kwargs.get("reduction", "mean"), w.sum())),
            answer(torch.nn.functional.cross_entropy, sample),
            dtype,
        )
        ran += 1
    assert ran == 11


@TYPES
def test_logistic_loss(dtype: str) -> None:
    """The 20 samples without pos_weight, which ours has not."""
    ran = 0
    for sample in samples("nn.functional.binary_cross_entropy_with_logits", dtype):
        if "pos_weight" in sample.kwargs:
            continue
        z, t = (np.ascontiguousarray(x.numpy()).reshape(-1) for x in (sample.input, sample.args[0]))
        loss = losses.logistic(z, t).reshape(sample.input.shape)
        if "weight" in sample.kwargs:
            loss = loss * sample.kwargs["weight"].numpy()
        got = reduced(loss, sample.kwargs.get("reduction", "mean"), loss.size)
        close(np.asarray(got), answer(torch.nn.functional.binary_cross_entropy_with_logits, sample), dtype)
        ran += 1
    assert ran == 20
