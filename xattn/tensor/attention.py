"""Attention of many queries to many keys, in batches and heads, as networks use it.

    y_i = Σ_j a_ij v_j      a_i = softmax_j(e_i)      e_ij = cap(scale · q_i·k_j) + mask_ij      (Vaswani et al. 2017)

The last two axes of q are queries × coordinates (L, d), those of k (n, d) and of v (n, w); the axis before them counts
heads, any before that batches. Heads of q may share those of k and v: with 8 and 2, heads 0–3 read the first (grouped
queries, Ainslie et al. 2023).

Every argument is checked here; the kernels trust their arrays. What is masked is never read, so it may hold anything,
and masking a key equals leaving it out, to the last bit. A query that sees no key gets zeros.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from itertools import zip_longest
from typing import Any, NamedTuple, ParamSpec

import numpy as np

from xattn.errors import (
    check_array,
    check_choice,
    check_counts,
    check_flag,
    check_leading,
    check_live_finite,
    check_mask_table,
    check_number,
    check_pair,
    check_same_columns,
    check_same_length,
    check_whole,
    warn_of_old,
)
from xattn.kernels import attention as kernels
from xattn.kernels.logits import ALL_LIVE, NO_BIAS
from xattn.kernels.logits import attention_scores as scores_of_heads

__all__ = [
    "AttentionGradients",
    "AttentionWeights",
    "attention",
    "attention_gradients",
    "attention_scores",
    "attention_with_weights",
]

P = ParamSpec("P")

NO_END = 2**41  # further than any key: past may be up to 2**40


class AttentionGradients(NamedTuple):
    """Gradients of a loss by q, k and v, in their shapes and types."""

    dq: np.ndarray
    dk: np.ndarray
    dv: np.ndarray


class _Arranged(NamedTuple):
    """The arguments of the kernels: arrays as blocks, `where` each head finds its own blocks, and masks."""

    lead: tuple[int, ...]  # batches and heads of the result
    Q: np.ndarray  # (·, L, d)
    K: np.ndarray  # (·, n, d)
    V: np.ndarray  # (·, n, w)
    where: np.ndarray  # (5, B)
    live: np.ndarray
    bias: np.ndarray
    options: dict[str, Any]  # scale, cap, left, right


class AttentionWeights(NamedTuple):
    """The `output` (…, L, w) of an attention, and the `weights` (…, L, n) of its keys."""

    output: np.ndarray
    weights: np.ndarray


def _takes_return_weights(function: Callable[P, np.ndarray]) -> Callable[P, np.ndarray]:
    """`attention` with the old flag `return_weights`, which works for one version."""

    @functools.wraps(function)
    def call(*args: Any, return_weights: bool | None = None, **options: Any) -> Any:
        if return_weights is None:
            return function(*args, **options)
        warn_of_old("replaced", old="return_weights", name="attention_with_weights")
        return (attention_with_weights if check_flag("return_weights", return_weights) else function)(*args, **options)

    return call  # type: ignore[return-value]


@_takes_return_weights
def attention(
    q: Any,
    k: Any,
    v: Any,
    *,
    mask: Any = None,
    causal: bool = False,
    window: tuple[int | None, int | None] | None = None,
    past: Any = 0,
    lengths: Any = None,
    scale: float | None = None,
    softcap: float | None = None,
    sums: str = "float64",
) -> np.ndarray:
    """The weighted sum of values for each query: (…, L, w), float32 when q, k and v all are, else float64.

    `q` (…, L, d), `k` (…, n, d), `v` (…, n, w): at least two axes; those before them fit each other as in NumPy, or
    the last of them (heads) of q is a multiple of that of k and v. `attention_with_weights` gives the
    weights too.

    `mask` (…, L or 1, n): bool, False takes a key out; or numbers to add to the scores, −inf takes it out. `causal`:
    query i sees keys up to past + i; `past` keys stand before the first query (0: query i and key i are one event; one
    number, or one for each entry of the first axis). `window` (back, ahead): query i sees keys from past + i − back to
    past + i + ahead, None: no end. `lengths`: how many keys are in use, the rest is padding; one number, or one for
    each entry of the first axis. `scale`: 1/√d unless given. `softcap` c > 0 holds scores within ±c by c·tanh(e/c),
    before the mask.

    `sums` "float32" lets sums run in that type where all arrays are float32 and no key is kept from any query: several
    times as fast, and within (2 (d + 6) ℓ + 1.1 n + 16) · 2⁻²⁴ · max_j |v_jc| of the exact output (as long as that is
    small beside max_j |v_jc|), ℓ the largest |scale| Σ_f |q_f k_jf| of the query. In every other case they run in
    float64.

    Raises InputError when an argument breaks one of these conditions, or where NaN, infinities or overflow reach a
    score or an output; what is masked may hold anything.

    >>> attention([[1, 0]], [[1, 0], [0, 1]], [[1.0], [3.0]], scale=math.log(3)).tolist()
    [[1.5]]
    >>> attention([[1, 0]], [[1, 0], [0, 1]], [[1.0], [math.nan]], mask=[[True, False]]).tolist()
    [[1.0]]
    """
    return _attended(_arranged(q, k, v, mask, causal, window, past, lengths, scale, softcap), sums, False).output


def attention_with_weights(
    q: Any,
    k: Any,
    v: Any,
    *,
    mask: Any = None,
    causal: bool = False,
    window: tuple[int | None, int | None] | None = None,
    past: Any = 0,
    lengths: Any = None,
    scale: float | None = None,
    softcap: float | None = None,
    sums: str = "float64",
) -> AttentionWeights:
    """What `attention` gives for the same arguments, and the weights (…, L, n) beside it.

    >>> attention_with_weights([[1, 0]], [[1, 0], [0, 1]], [[1.0], [math.nan]], mask=[[True, False]])
    AttentionWeights(output=array([[1.]]), weights=array([[1., 0.]]))
    """
    return _attended(_arranged(q, k, v, mask, causal, window, past, lengths, scale, softcap), sums, True)


def _attended(x: _Arranged, sums: str, want_weights: bool) -> AttentionWeights:
    """The outputs, and the weights or an empty array."""
    check_choice("sums", sums, ("float64", "float32"))
    done = _narrow(x, want_weights) if sums == "float32" else None
    if done is None:
        done = kernels.attention(x.Q, x.K, x.V, x.where, x.live, x.bias, want_weights=want_weights, **x.options)
    check_live_finite(done.lse, q=x.Q, k=x.K)
    check_live_finite(done.y, 0.0, v=x.V)
    y = done.y.reshape(*x.lead, *done.y.shape[1:])
    return AttentionWeights(y, done.a.reshape(*x.lead, *done.a.shape[1:]) if want_weights else done.a)


def attention_scores(
    q: Any,
    k: Any,
    *,
    mask: Any = None,
    causal: bool = False,
    window: tuple[int | None, int | None] | None = None,
    past: Any = 0,
    lengths: Any = None,
    scale: float | None = None,
    softcap: float | None = None,
) -> np.ndarray:
    """The scores (…, L, n), float64, that `attention` turns into weights; −inf where a key is not seen. Arguments as
    there.

    >>> attention_scores([[1, 0], [2, 0]], [[1, 0], [0, 1]], scale=1, causal=True).tolist()
    [[1.0, -inf], [2.0, 0.0]]
    """
    x = _arranged(q, k, k, mask, causal, window, past, lengths, scale, softcap)
    e = scores_of_heads(x.Q, x.K, x.where, x.live, x.bias, **x.options)
    check_live_finite(e, q=x.Q, k=x.K)
    return e.reshape(*x.lead, *e.shape[1:])


def attention_gradients(
    dy: Any,
    q: Any,
    k: Any,
    v: Any,
    *,
    mask: Any = None,
    causal: bool = False,
    window: tuple[int | None, int | None] | None = None,
    past: Any = 0,
    lengths: Any = None,
    scale: float | None = None,
    softcap: float | None = None,
) -> AttentionGradients:
    """Gradients of a loss by q, k and v, from its gradient by the output, `dy` (…, L, w).

    The other arguments are those of `attention`. Masked keys, and queries that see no key, get 0.

    >>> attention_gradients([[1.0]], [[1.0]], [[0.0], [0.0]], [[1.0], [3.0]]).dk.tolist()
    [[-0.5], [0.5]]
    """
    x = _arranged(q, k, v, mask, causal, window, past, lengths, scale, softcap)
    done = kernels.attention(x.Q, x.K, x.V, x.where, x.live, x.bias, want_weights=True, **x.options)
    check_live_finite(done.lse, q=x.Q, k=x.K)
    check_live_finite(done.y, 0.0, v=x.V)
    shape = (*x.lead, *done.y.shape[1:])
    slope = check_array("dy", dy, ndim=len(shape), dtype=done.y.dtype)
    check_leading("dy", slope.shape, shape, exact=True)
    slope = slope.reshape(done.y.shape)
    options = {name: x.options[name] for name in ("scale", "cap")}
    found = kernels.attention_backward(slope, done.a, x.Q, x.K, x.V, x.where, **options)
    return AttentionGradients(*(g.reshape(np.shape(a)) for g, a in zip(found, (q, k, v), strict=True)))


def _narrow(x: _Arranged, want_weights: bool) -> kernels.Attention | None:
    """All heads with sums in float32; None where a key is kept from a query, or where float32 is too narrow."""
    L, n, w = x.Q.shape[1], x.K.shape[1], x.V.shape[2]
    before, used = x.where[3:]
    whole = x.options["left"] >= (before + L).max(initial=0) and x.options["right"] >= n - before.min(initial=0)
    plain = whole and (used == n).all() and x.options["cap"] == 0.0 and not x.live.size and not x.bias.size
    if x.Q.dtype != np.float32 or not plain or not n:
        return None
    B, scale = x.where.shape[1], x.options["scale"]
    out = kernels.Attention(
        np.empty((B, L, w), np.float32),
        np.empty((B, L, n) if want_weights else (0, 0, 0), np.float32),
        np.empty((B, L)),
    )
    for b, (q, kv) in enumerate(x.where[:2].T.tolist()):
        own = kernels.attend_narrow(x.Q[q], x.K[kv], x.V[kv], scale=scale, want_weights=want_weights)
        out.y[b], out.lse[b] = own.y, own.lse
        if want_weights:
            out.a[b] = own.a
    return out if np.isfinite(out.y).all() and np.isfinite(out.lse).all() else None


# --- arrangement ------------------------------------------------------------------------------------------------------


def _arranged(
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    causal: bool,
    window: tuple[int | None, int | None] | None,
    past: Any,
    lengths: Any,
    scale: float | None,
    softcap: float | None,
) -> _Arranged:
    Q, K, V = (check_array(name, x, ndim=None, least=2, finite=False) for name, x in (("q", q), ("k", k), ("v", v)))
    dtype = np.float32 if Q.dtype == K.dtype == V.dtype == np.float32 else np.float64
    Q, K, V = (x.astype(dtype, copy=False) for x in (Q, K, V))
    (L, d), n = Q.shape[-2:], K.shape[-2]
    check_same_columns(q=d, k=K.shape[-1])
    check_same_length(k=n, v=V.shape[-2])
    check_leading("v", V.shape[:-2], K.shape[:-2], exact=True)
    lead, blocks = _heads(Q.shape[:-2], K.shape[:-2])
    B, first = math.prod(lead), lead[0] if lead else 1
    live, bias, masks = ALL_LIVE, NO_BIAS, np.zeros(B, np.int64)
    if mask is not None:
        table = check_mask_table("mask", mask, shape=(*lead, L, n))
        masks = _blocks_of(table.shape[:-2], lead)
        flat = _flat(np.ascontiguousarray(table))
        live, bias = (flat, bias) if flat.dtype == np.bool_ else (live, flat.astype(np.float64))
    each = B // first if first else 0
    before = np.repeat(check_counts("past", past, parts=first, low=-L, high=2**40), each)
    used = np.repeat(check_counts("lengths", n if lengths is None else lengths, parts=first, low=0, high=n), each)
    left, right = _window(causal, window)
    e = {
        "scale": 1.0 / math.sqrt(max(d, 1)) if scale is None else check_number("scale", scale),
        "cap": 0.0 if softcap is None else check_number("softcap", softcap, low=0.0, open_low=True),
        "left": left,
        "right": right,
    }
    where = np.stack([*blocks, masks, before, used]).astype(np.int64)
    return _Arranged(lead, _flat(Q), _flat(K), _flat(V), where, live, bias, e)


def _flat(x: np.ndarray) -> np.ndarray:
    """All leading axes as one; −1 would not do where the last ones are empty."""
    return x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])


def _blocks_of(shape: tuple[int, ...], lead: tuple[int, ...]) -> np.ndarray:
    """For each head of `lead`, in order, the block that it reads of an array with the leading axes `shape`."""
    return np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), lead).reshape(-1)


def _heads(q: tuple[int, ...], k: tuple[int, ...]) -> tuple[tuple[int, ...], list[np.ndarray]]:
    """The leading axes of the result, and the block of q and of k that each of its heads reads.

    Grouped queries repeat each head of k: q 8, k 2 heads → k's 0 0 0 0 1 1 1 1.
    """
    shared = q[-1] // k[-1] if q and k and k[-1] > 1 and q[-1] % k[-1] == 0 else 1
    repeated = (*k[:-1], k[-1] * shared) if k else k
    sizes = zip_longest(reversed(q), reversed(repeated), fillvalue=1)
    lead = tuple(a if b == 1 else b for a, b in sizes)[::-1]  # a 0 beside a 1 stays 0
    check_leading("q", q, lead)
    check_leading("k", repeated, lead)
    of_k = np.arange(math.prod(k)).reshape(k)
    of_k = np.broadcast_to(np.repeat(of_k, shared, axis=-1) if k else of_k, lead).reshape(-1)
    return lead, [_blocks_of(q, lead), of_k]


def _window(causal: bool, window: tuple[int | None, int | None] | None) -> tuple[int, int]:
    """How many keys a query sees back and ahead of its own place."""
    check_flag("causal", causal)
    back, ahead = check_pair("window", (None, None) if window is None else window)
    left, right = (NO_END if end is None else check_whole("window", end, high=NO_END) for end in (back, ahead))
    return left, min(right, 0) if causal else right
