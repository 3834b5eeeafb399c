"""One call of every attention kernel, on arrays with masked, thresholded, empty and tied places.

`CASES` serves all tests that hold for each kernel alike: twins, thread counts, bounds, inputs left alone, many callers.
By the rule of the kernels the arrays that are written come first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xattn.kernels import fusion, logsum, scorers, softmax, topk
from xattn.kernels.compile import Kernel

MODULES = (softmax, logsum, scorers, fusion, topk)
R, N, D = 37, 23, 6  # rows, events, coordinates: no multiple of a block, a lane or two threads


class Case(NamedTuple):
    """A kernel with its arguments; the first `outputs` of them are written."""

    kernel: Kernel
    outputs: int
    args: tuple[Any, ...]

    def run(self, twin: Callable[..., Any]) -> tuple[np.ndarray, ...]:
        """What `twin` writes, into copies of the output arrays."""
        written = tuple(x.copy() for x in self.args[: self.outputs])
        twin(*written, *self.args[self.outputs :])
        return written

    @property
    def inputs(self) -> list[np.ndarray]:
        return [x for x in self.args[self.outputs :] if isinstance(x, np.ndarray)]


def _cases() -> dict[str, Case]:
    rng = np.random.default_rng(0)

    def table(*shape: int) -> np.ndarray:
        return rng.normal(size=shape)

    def room(*shape: int) -> np.ndarray:
        return np.zeros(shape)

    e = table(R, N) * 3
    mask = rng.random((R, N)) < 0.8
    mask[5] = False
    e[~mask] = np.nan
    cuts = np.arange(R + 1) * N
    uneven = np.concatenate([[0, 0], np.sort(rng.integers(0, R * N, R - 2)), [R * N]])
    flat, live, shift = e.reshape(-1), mask.reshape(-1), np.full(R, 9.0)
    a = softmax.weights(e, mask, 2.0, 0.5, 0.05)
    q, k, x, dy, de = table(R, D), table(N, D), table(N, D), table(R, D), table(R, N)
    q[3] = 0.0
    A, B, v = table(R, 4), table(N, 4), table(4)
    S, Z = scorers._scaled(q), scorers._scaled(k)
    big = rng.integers(0, 9, (R, 211)).astype(float)
    big[:, ::17] = np.nan
    seen, ptr = rng.integers(0, 211, 3 * R), np.arange(R + 1) * 3
    long = table(R * N, D)

    cases = [
        Case(softmax._weights, 1, (room(R * N), flat, cuts, live, 2.0, 0.5, 0.05, shift)),
        Case(softmax._weights_backward, 1, (room(R * N), de.ravel(), a.ravel(), flat, cuts, live, 2.0, 0.5, shift[:0])),
        Case(logsum._log_weights, 2, (room(R, N), room(R), e, mask, 2.0, 0.5)),
        Case(scorers._rows_by_rows, 1, (room(R, N), q, k, 0.5)),
        Case(scorers._rows_by_table, 1, (room(R, D), de, k, 0.5)),
        Case(scorers._unit_scale, 3, (room(R, D), room(R), room(R), q)),
        Case(scorers._cosine, 1, (room(R, N), S.S, S.square, Z.S, Z.square)),
        Case(scorers._cosine_backward, 1, (room(R, D), de, de, *S, Z.S, Z.square)),
        Case(scorers._additive, 1, (room(R, N), A, B, v)),
        Case(scorers._additive_backward, 3, (room(R, 4), room(N, 4), room(4), de, A, B, v)),
        Case(fusion._fuse_multiply, 2, (room(R, D), room(R, N, D), a, live, x)),
        Case(fusion._fuse_multiply_backward, 2, (room(R, N), room(N, D), dy, a, live, x)),
        Case(fusion._fuse_ragged, 2, (room(R, D), room(R * N, D), a.ravel(), uneven, live, long)),
        Case(fusion._fuse_ragged_backward, 2, (room(R * N), room(R * N, D), dy, a.ravel(), uneven, live, long)),
        Case(fusion._fuse_add, 2, (room(R, D), room(R, N, D), a, live, x)),
        Case(fusion._fuse_add_backward, 2, (room(R, N), room(N, D), dy, np.count_nonzero(mask, axis=1), live)),
        Case(
            topk._top_k,
            2,
            (np.zeros((R, 7), np.int64), np.zeros(R, np.int64), big, rng.random((1, 211)) < 0.9, ptr, seen),
        ),
    ]
    return {case.kernel.__name__: case for case in cases}


CASES = _cases()
