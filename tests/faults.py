"""Wrong versions of right functions: each holds one mistake that somebody might make. test_the_tests.py plants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xattn.kernels import softmax
from xattn.kernels.fusion import Fused, fuse_multiply
from xattn.kernels.topk import TopK, top_k

Array = np.ndarray
Faulty = Callable[..., Any]


# --- weights: one step of the obvious softmax replaced; x a row's live logits, m their maximum or the given shift -----


def from_row(row: Callable[..., Array]) -> Faulty:
    """Weights whose rows are row(x, m, T, beta, theta)."""

    def weights(
        e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0, theta: float = 0.0, shift: Any = None
    ) -> Array:
        a = np.zeros_like(e)
        for r in range(e.shape[0]):
            live = e[r] != -np.inf if mask is None else mask[r] & (e[r] != -np.inf)
            if live.any():
                m = e[r][live].max() if shift is None else shift[r]
                a[r][live] = row(e[r][live], m, T, beta, theta)
        return a

    return weights


def plain(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    """Nothing wrong but that a given shift may underflow."""
    z = np.exp((x - m) / T)
    a = z / z.sum() ** beta
    return np.where(a < theta, 0, a)


def no_shift(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    return plain(x, 0.0, T, beta, theta)


def late_shift(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    return plain(x / T, m / T, 1.0, beta, theta)


def without_division(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    return np.exp(x / T - beta * (m / T + np.log(np.exp((x - m) / T).sum())))


def scaled_up_again(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    a = plain(x, m, T, beta, theta)
    return a / max(a.sum(), 1e-300)


def threshold_before_the_sum(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    z = np.exp((x - m) / T)
    return np.where(z < theta, 0, z / z.sum() ** beta)


def grows_with_place(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    return plain(x, m, T, beta, theta) * (1 + 1e-15 * np.arange(x.size))


def favours_the_first(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    z = np.exp((x - m) / T) * (1 + 1e-9 * (np.arange(x.size) == 0))
    return z / z.sum() ** beta


def forgets_an_equal(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    return np.exp(x - m) / np.exp(np.unique(x) - m).sum()


def all_in_its_own_type(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    one = x.dtype.type
    return plain(((x - one(m)) / one(T)).astype(one), one(0), one(1), beta, theta)


def all_in_float32(x: Array, m: float, T: float, beta: float, theta: float) -> Array:
    return plain((x - m).astype(np.float32), 0.0, T, beta, theta)


# --- weights: the real ones, called wrongly ---------------------------------------------------------------------------


def called_with(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Faulty:
    """The real weights, called with the arguments that `change` returns instead of those given."""

    def weights(
        e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0, theta: float = 0.0, shift: Any = None
    ) -> Array:
        call = {"e": e, "mask": mask, "temperature": T, "beta": beta, "threshold": theta, "shift": shift}
        return softmax.weights(**(call | change(call)))

    return weights


def mask_off_by_one(call: dict[str, Any]) -> dict[str, Any]:
    return {"mask": None if call["mask"] is None else np.roll(call["mask"], 1, axis=1)}


def one_maximum(call: dict[str, Any]) -> dict[str, Any]:
    return {"shift": np.full(call["e"].shape[0], call["e"].max(initial=0.0))}


def masked_times_zero(e: Array, mask: Any = None, *options: Any) -> Array:
    a = softmax.weights(e, None, *options)
    return a if mask is None else a * mask


def writes_its_input(e: Array, *options: Any) -> Array:
    a = softmax.weights(e, *options)
    e -= 1.0
    return a


def nan_made_zero(e: Array, *options: Any) -> Array:
    return np.nan_to_num(softmax.weights(e, *options))


def gradient_of_softmax(
    da: Array, a: Array, e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0, shift: Any = None
) -> Array:
    return softmax.weights_backward(da, a, e, mask, T, 1.0, shift)


def gradient_past_the_maximum(
    da: Array, a: Array, e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0, shift: Any = None
) -> Array:
    return softmax.weights_backward(da, a, e, mask, T, beta, np.zeros(e.shape[0]))


def gradient_without_temperature(
    da: Array, a: Array, e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0, shift: Any = None
) -> Array:
    return softmax.weights_backward(da, a, e, mask, T, beta, shift) * T


# --- logarithms -------------------------------------------------------------------------------------------------------


def log_rounded_away(e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0) -> Array:
    m = e.max(axis=1, keepdims=True, initial=-np.inf)
    return e / T - (m / T + beta * np.log(np.exp((e - m) / T).sum(axis=1, keepdims=True)))


def unshifted_lse(e: Array, mask: Any = None, T: float = 1.0) -> Array:
    live = np.ones(e.shape, bool) if mask is None else mask
    return np.log(np.where(live, np.exp(np.where(live, e, 0.0) / T), 0.0).sum(axis=1)).astype(e.dtype)


# --- any function -----------------------------------------------------------------------------------------------------


def negated(backward: Faulty) -> Faulty:
    """A gradient, or a tuple of them, with the wrong sign."""

    def wrong(*args: Any) -> Any:
        g = backward(*args)
        return -g if isinstance(g, np.ndarray) else type(g)(*(-x for x in g))

    return wrong


def one_part_zero(backward: Faulty, place: int) -> Faulty:
    """Gradients of which one was forgotten."""

    def wrong(*args: Any) -> Any:
        g = backward(*args)
        return type(g)(*(x * (i != place) for i, x in enumerate(g)))

    return wrong


def last_coordinate_forgotten(score: Faulty) -> Faulty:
    def wrong(q: Array, k: Array, *parameters: Array) -> Array:
        return score(np.where(np.arange(q.shape[1]) == q.shape[1] - 1, 0, q), k, *parameters)

    return wrong


def nudged_in_batches(score: Faulty) -> Faulty:
    """Another last bit when called with more than one query."""

    def wrong(q: Array, k: Array, *parameters: Array) -> Array:
        e = score(q, k, *parameters)
        return np.nextafter(e, 9) if q.shape[0] > 1 else e

    return wrong


def unscaled_cosine(q: Array, k: Array) -> Array:
    with np.errstate(all="ignore"):
        return (q @ k.T) / (np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(k, axis=1))


# --- fusion -----------------------------------------------------------------------------------------------------------


def drops_the_last_event(fuse: Faulty) -> Faulty:
    def wrong(a: Array, x: Array, mask: Any = None) -> Fused:
        live = np.ones(a.shape, bool) if mask is None else mask.copy()
        live[:, -1:] = False
        return fuse(a, x, live)

    return wrong


def mean_over_all_events(a: Array, x: Array, mask: Any = None) -> Fused:
    live = np.ones(a.shape, bool) if mask is None else mask
    c = np.where(live[:, :, None], (x[None] + a[:, :, None]) / max(a.shape[1], 1), 0.0)
    return Fused(c.sum(axis=1), c)


def a_remainder(fuse: Faulty) -> Faulty:
    def wrong(*args: Any) -> Fused:
        y, c = fuse(*args)
        return Fused(y * (1 + 1e-15), c)

    return wrong


def reads_the_masked(a: Array, x: Array, mask: Any = None) -> Fused:
    return fuse_multiply(a if mask is None else a * mask, x)


def not_linear(a: Array, x: Array, mask: Any = None) -> Fused:
    return fuse_multiply(a, np.abs(x), mask)


def weights_unnormalised(a: Array, x: Array, mask: Any = None) -> Fused:
    return fuse_multiply(a * 1.001, x, mask)


# --- top-k ------------------------------------------------------------------------------------------------------------


def ties_reversed(scores: Array, allowed: Any, k: int, excluded: Any = None, indptr: Any = None) -> TopK:
    M = scores.shape[1]
    mirrored = None if allowed is None else np.ascontiguousarray(np.asarray(allowed)[..., ::-1])
    seen = None if excluded is None else M - 1 - excluded
    best = top_k(np.ascontiguousarray(scores[:, ::-1]), mirrored, k, seen, indptr)
    return TopK(np.where(best.items < 0, -1, M - 1 - best.items), best.counts)


def nan_is_a_hit(scores: Array, *options: Any) -> TopK:
    return top_k(np.where(np.isnan(scores), 99.0, scores), *options)


def exclusions_ignored(scores: Array, allowed: Any, k: int, *exclusions: Any) -> TopK:
    return top_k(scores, allowed, k)


def padded_with_item_0(*args: Any) -> TopK:
    best = top_k(*args)
    return TopK(np.maximum(best.items, 0), best.counts)


def counts_the_padding(*args: Any) -> TopK:
    best = top_k(*args)
    return TopK(best.items, np.full_like(best.counts, best.items.shape[1]))
