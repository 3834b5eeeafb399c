"""Softmax, its logarithm and the log-sum-exp of arrays of any shape, along any axes.

    softmax  exp(x_i − m)/s      log-softmax  (x_i − m) − log s      log-sum-exp  m + log s      s = Σ exp(x_l − m)

m is the largest live logit. float32 stays float32, everything else is computed in float64. An entry of −inf, or one
that is False in `mask`, is taken out: its softmax is 0, and a masked one is not read. Where no entry is left, softmax
is 0 and the logarithms are −inf. NaN and +inf in live entries are refused (SciPy and PyTorch return NaN).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xattn.errors import check_array, check_axes, check_flag, check_live_finite, check_logits, check_mask, check_number
from xattn.kernels import logsum
from xattn.kernels.softmax import weights

__all__ = ["log_softmax", "logsumexp", "softmax"]


def softmax(x: Any, axis: Any = None, *, mask: Any = None, temperature: float = 1.0) -> np.ndarray:
    """Shares in the shape of `x` that add up to 1 along `axis` (one, a tuple, or None: over all, as in SciPy).

    `mask`: bool, in the shape of x, False takes an entry out. `temperature` > 0 divides the logits. Raises InputError
    for what is no array of real numbers, an axis that is not there, and NaN or +inf in a live entry.

    >>> softmax([2, 1, 3]).round(5).tolist()
    [0.24473, 0.09003, 0.66524]
    >>> softmax([[0.0, 5.0], [0.0, 5.0]], axis=1, mask=[[True, False], [False, False]]).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    return _along(weights, x, axis, mask, temperature)


def log_softmax(x: Any, axis: Any = None, *, mask: Any = None, temperature: float = 1.0) -> np.ndarray:
    """The logarithms of `softmax`, with the same arguments; they stay finite where a share underflows to 0.

    >>> log_softmax([0.0, -1000.0]).tolist()
    [0.0, -1000.0]
    """
    return _along(logsum.log_weights, x, axis, mask, temperature)


def logsumexp(
    x: Any, axis: Any = None, *, mask: Any = None, temperature: float = 1.0, keepdims: bool = False
) -> np.ndarray:
    """log Σ exp(x / temperature) along `axis`, which `keepdims` keeps with length 1; arguments as in `softmax`.

    >>> logsumexp([[1000.0, 1000.0], [0.0, -np.inf]], axis=1).round(5).tolist()
    [1000.69315, 0.0]
    """
    keep = check_flag("keepdims", keepdims)
    rows = _Rows.of(x, axis, mask)
    out = logsum.logsumexp(rows.e, rows.mask, check_number("temperature", temperature, low=0.0, open_low=True))
    check_live_finite(out, -math.inf, **{"x / temperature": rows.e[:0]})
    return out.reshape(rows.kept_dims if keep else rows.outer)


class _Rows(NamedTuple):
    """The entries of an array as rows along the chosen axes: e (R, n), its mask, and the way back."""

    e: np.ndarray
    mask: np.ndarray | None
    moved: tuple[int, ...]  # the array's axes, the chosen ones last
    outer: tuple[int, ...]  # lengths of the axes that are left
    inner: tuple[int, ...]  # lengths of the chosen ones
    kept_dims: tuple[int, ...]

    @classmethod
    def of(cls, x: Any, axis: Any, mask: Any) -> _Rows:
        array = check_array("x", x, ndim=None, finite=False)
        axes = check_axes("axis", axis, ndim=array.ndim)
        live = None if mask is None else check_mask("mask", mask, size=array.shape)
        check_logits("x", array, live)
        moved = (*(a for a in range(array.ndim) if a not in axes), *axes)
        outer, inner = (tuple(array.shape[a] for a in part) for part in (moved[: array.ndim - len(axes)], axes))
        kept = tuple(1 if a in axes else array.shape[a] for a in range(array.ndim))

        def rows(table: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(table.transpose(moved)).reshape(math.prod(outer), math.prod(inner))

        return cls(rows(array), None if live is None else rows(live), moved, outer, inner, kept)


def _along(function: Callable[..., np.ndarray], x: Any, axis: Any, mask: Any, temperature: float) -> np.ndarray:
    T = check_number("temperature", temperature, low=0.0, open_low=True)
    rows = _Rows.of(x, axis, mask)
    out = function(rows.e, rows.mask, T).reshape((*rows.outer, *rows.inner))
    return np.require(out.transpose(np.argsort(rows.moved)), requirements="C")
