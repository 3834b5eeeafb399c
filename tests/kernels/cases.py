"""Calls of every kernel, on arrays with masked, thresholded, empty and tied places: one for each branch and float type.

`CASES` serves all tests that hold for each kernel alike: twins, thread counts, bounds, inputs left alone, many callers,
and what a kernel does to its outputs.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from xattn import kernels
from xattn.kernels import (
    approximate,
    content,
    encoder,
    fields,
    fusion,
    gram,
    local,
    logits,
    logsum,
    losses,
    optim,
    pauses,
    pool,
    pooling,
    sequence,
    softmax,
    target,
    tiles,
    topk,
)
from xattn.kernels.attention import exact, narrow
from xattn.kernels.compile import Kernel
from xattn.kernels.neighbours import cooccurrence, nearest
from xattn.kernels.scorers import cosines, dots, hidden
from xattn.kernels.sums import normal, rows

MODULES = tuple(import_module(m.name) for m in pkgutil.walk_packages(kernels.__path__, "xattn.kernels."))
R, N, D = 37, 23, 6  # rows, events, coordinates: no multiple of a block, a lane or two threads


def name_of(kernel: Kernel) -> str:
    """Module and function: softmax._weights."""
    return f"{kernel.py_func.__module__.rsplit('.', 1)[-1]}.{kernel.__name__}"


class Case(NamedTuple):
    """A kernel with its arguments, of which the first `outputs` are written.

    `branch` names a further case of one kernel. `lanes`: sums run along vector lanes, so that a build without them
    (bounds checked) adds up in another order: how far its results may be off.
    """

    kernel: Kernel
    outputs: int
    args: tuple[Any, ...]
    branch: str = ""
    lanes: float = 0.0

    @property
    def name(self) -> str:
        return f"{name_of(self.kernel)} {self.branch}".strip()

    def run(self, twin: Callable[..., Any], outputs: Sequence[np.ndarray] | None = None) -> tuple[np.ndarray, ...]:
        """What `twin` writes into copies of the output arrays, or of `outputs` in their place."""
        written = [x.copy() for x in outputs or self.args[: self.outputs]]
        twin(*written, *self.args[self.outputs :])
        return tuple(written)

    @property
    def inputs(self) -> list[np.ndarray]:
        return [x for x in self.args[self.outputs :] if isinstance(x, np.ndarray)]


NORMAL = [0, -1, 1, -1, -1, 2, 3, -1, 4]  # places of the columns that are asked for


def _sparse_rows(rng: np.random.Generator, n: int, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ptr, index, value) of n rows, some of them empty."""
    there = rng.random((n, d)) < 0.4
    there[3] = False
    row, index = np.nonzero(there)
    return np.searchsorted(row, np.arange(n + 1)), index, rng.normal(size=len(row))


def _attention() -> list[Case]:
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
    finite = 3 * table(R * N)
    flat, live, shift = e.reshape(-1), mask.reshape(-1), np.full(R, 9.0)
    a = softmax.weights(e, mask, 2.0, 0.5, 0.05)
    q, k, x, dy, de = table(R, D), table(N, D), table(N, D), table(R, D), table(R, N)
    q[3] = 0.0
    A, B, v = table(R, 4), table(N, 4), table(4)
    S, Z = cosines._scaled(q), cosines._scaled(k)
    big = rng.integers(0, 9, (R, 211)).astype(float)
    big[:, ::17] = np.nan
    seen, ptr = rng.integers(0, 211, 3 * R), np.arange(R + 1) * 3
    long = table(R * N, D)

    return [
        Case(softmax._weights_forward, 1, (room(R * N), flat, cuts, live, 2.0, 0.5, 0.05, shift)),
        Case(
            softmax._weights_forward,
            1,
            (np.zeros(R * N, "f4"), flat.astype("f4"), cuts, live, 1.0, 1.0, 0.0, shift[:0]),
            "float32",
        ),
        Case(softmax._weights_forward, 1, (room(R * N), finite, cuts, live[:0], 1.0, 1.0, 0.05, shift[:0]), "plain"),
        Case(softmax._weights_forward, 1, (room(R * N), 500 * finite, cuts, live[:0], 1.0, 1.0, 0.0, shift[:0]), "far"),
        Case(
            softmax._weights_forward, 1, (room(R * N), 500 * flat, cuts, live, 1.0, 1.0, 0.0, shift[:0]), "far, masked"
        ),
        Case(softmax._weights_backward, 1, (room(R * N), de.ravel(), a.ravel(), flat, cuts, live, 2.0, 0.5, shift[:0])),
        Case(logsum._log_weights, 2, (room(R, N), room(R), e, mask, 2.0, 0.5)),
        *(Case(dots._products, 1, _panelled(rng, events), f"{events} keys") for events in (3, 12, 20, 27, 300)),
        Case(cosines._unit_scale, 3, (room(R, D), room(R), room(R), q)),
        Case(cosines._cosine_forward, 1, (room(R, N), S.S @ Z.S.T, S.square, Z.square)),
        Case(cosines._cosine_backward, 1, (room(R, D), de, de, *S, Z.S, Z.square)),
        Case(hidden._additive_forward, 1, (room(R, N), A, np.ascontiguousarray(B.T), v)),
        Case(hidden._additive_backward, 3, (room(R, 4), room(N, 4), room(4), de, A, B, v)),
        Case(fusion._fuse_multiply_forward, 2, (room(R, D), room(R, N, D), a, live, x)),
        Case(fusion._fuse_multiply_backward, 2, (room(R, N), room(N, D), dy, a, live, x)),
        Case(fusion._fuse_ragged_forward, 2, (room(R, D), room(R * N, D), a.ravel(), uneven, live, long)),
        Case(fusion._fuse_ragged_backward, 2, (room(R * N), room(R * N, D), dy, a.ravel(), uneven, live, long)),
        Case(fusion._fuse_add_forward, 2, (room(R, D), room(R, N, D), a, live, x)),
        Case(fusion._fuse_add_backward, 2, (room(R, N), room(N, D), dy, np.count_nonzero(mask, axis=1), live)),
        Case(
            topk._top_k,
            2,
            (np.zeros((R, 7), np.int64), np.zeros(R, np.int64), big, rng.random((1, 211)) < 0.9, ptr, seen),
        ),
        Case(topk._ranks, 1, _asked(big, ptr, seen, rng)),
        Case(cooccurrence._neighbours, 2, (np.zeros((40, 3), np.int64), np.zeros((40, 3)), 5, *_taken(rng), 2.0)),
    ]


def _asked(scores: np.ndarray, first: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> tuple[Any, ...]:
    """Rows that ask for no item, for one and for several, of equal scores and of NaN among them."""
    many = np.arange(len(scores)) % 5
    ptr = np.concatenate([[0], np.cumsum(many)])
    target = np.concatenate([rng.choice(scores.shape[1], n, replace=False) for n in many])
    own = scores[np.repeat(np.arange(len(scores)), many), target]
    own = own[np.lexsort((-own, np.repeat(np.arange(len(scores)), many)))]
    return np.zeros(len(target)), own, ptr, target, scores, first, excluded


def _taken(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Who took each of 50 items, and what each of 12 people took."""
    table = rng.random((50, 12)) < 0.3
    tables = [(np.concatenate([[0], np.cumsum(own.sum(axis=1))]), np.nonzero(own)[1]) for own in (table, table.T)]
    return (*tables[0], *tables[1])


def _heads() -> list[Case]:
    rng = np.random.default_rng(1)
    E, X, live = rng.random((R, N)) ** 9, rng.normal(size=(R, N)), rng.random(N) < 0.8
    E[3], E[:, ~live], X[:, ~live] = 0.0, np.nan, np.nan
    F, d, n = (rng.random((R, 8)) < 0.3) * rng.normal(size=(R, 8)), 8, N
    ptr = np.concatenate([[0], np.cumsum((F != 0).sum(axis=1))])
    sparse = (ptr, np.nonzero(F)[1], F[F != 0], np.linalg.norm(F, axis=1) + 0.1)
    head = (*sparse, rng.normal(size=d), rng.random(R), rng.normal(size=(d, n)), rng.normal(size=(d, n)))
    g = np.arange(n)[::-1] / 5
    targets = rng.integers(0, R, (6, 4))
    length = np.diff(ptr)[targets.ravel()]
    places = np.concatenate([[0], np.cumsum(length)[:-1]]).reshape(targets.shape)
    prefixes = (places, targets, np.array([0, 0, 3, 5, 9, N]), np.array([0, 7, 3, N, N, N]), rng.integers(0, R, N))

    users, C, H = 9, 7, 2
    indptr = np.concatenate([[0, 0], np.sort(rng.integers(0, 150, users - 2)), [150]])
    row_of_item = np.array([-1, 0, 1, 2, -1, 3, 4, 5, 6])
    item = rng.integers(0, 9, 150)
    occ = gram.occurrences(indptr, item, row_of_item, C)
    w, beta = rng.normal(size=(H, 150)), np.array([0.5, 1.0])
    rho = np.exp(-rng.exponential(size=(H, 150)) / np.array([[0.5], [20.0]]))
    w[:, ::10] = 0.0
    c = gram.normalisers(indptr, rho, beta)
    tail = gram.tails(indptr, rho, c)
    wide = 2 * pool.STRIPE + 77
    V, row = rng.normal(size=(H, 5, wide)), rng.integers(-1, 5, 150)
    asking = (
        (5, "f8", 1.0, 0.0),
        (40, "f4", 0.8, 0.0),
        (13, "f8", 0.7, 0.1),
        (23, "f8", 1.0, 0.1),
        (100, "f4", 0.7, 0.0),
    )
    return [
        Case(fields._weights, 1, (np.zeros((R, N)), E, live, 0.5, 0.05, 0.0)),
        Case(fields._weights, 1, (np.zeros((R, N)), E, live, 0.5, 0.0, 0.3), "faint"),
        Case(fields._weights_of_many, 1, (np.zeros((R, N)), E, live, np.array([0, 0, 5, N]), 0.5, 0.05, 0.3)),
        Case(fields._add_scores, 1, (np.zeros(R), E, X, live, 0.5, 0.05)),
        Case(fields._add_without_each, 1, (np.zeros((R, N)), E, X, live, 0.5, 0.05)),
        Case(fields._add_without_each, 1, (np.zeros((R, N)), E, X, live, 0.5, 0.0), "without threshold"),
        Case(fields._add_without_each, 1, (np.zeros((R, N)), E[:1], X, live, 0.5, 0.0), "shared, without threshold"),
        Case(content._field, 2, (np.zeros((R, N)), np.zeros((R, N)), *head, g, 0.3)),
        Case(content._scores, 1, (np.zeros(R), *head, g, 0.3, live, 0.5, 0.05)),
        Case(
            content._gradients,
            1,
            (np.zeros(int(length.sum())), *sparse, *prefixes, rng.normal(size=N), 0.3, 5.0, 0.5, d),
        ),
        Case(
            pool._add_pooled,
            1,
            (np.zeros((users, wide)), indptr, row, w, V, rng.permutation(wide), rng.normal(size=wide)),
        ),
        Case(
            pool._add_pooled,
            1,
            (
                np.zeros((1, wide)),
                np.array([0, 4]),
                row[:4],
                w[:, :4].copy(),
                V,
                np.arange(wide),
                rng.normal(size=wide),
            ),
            "few events",
        ),
        Case(gram._normalisers, 1, (np.zeros((H, 150)), indptr, rho, beta)),
        Case(
            pauses._shared_normalisers,
            1,
            (np.zeros((H, 150)), indptr, rho, rng.random((H, 150)), np.array([0, 0]), np.array([0.7])),
        ),
        Case(gram._tails, 1, (np.zeros((H, H, 150)), indptr, rho, c)),
        Case(gram._add_gram, 2, (np.zeros((H * C, H * C)), np.zeros((C, C)), *occ, w, w * tail[0], rho, tail[0], 0)),
        Case(gram._add_both_ways, 1, (np.zeros((90, 90))[:45, 45:], rng.normal(size=(45, 45)))),
        Case(
            gram._add_targets,
            2,
            (np.zeros((H * C, C)), np.zeros(H * C), *occ[:2], occ.stop, occ.row, w, np.linspace(0, 1, 150), rho, c),
        ),
        Case(
            pool._add_pooled_sparse,
            1,
            (np.zeros((users, 9)), indptr, row, w, 5, *_stored(rng), rng.permutation(9), rng.random(9)),
        ),
        Case(pool._sparse_values, 1, (np.zeros((4, 6)), np.arange(-1, 5), *_stored(rng), rng.permutation(9) - 5)),
        *_locally((*occ, w, rho, tail), (*occ[:3], occ.row, w, np.linspace(0, 1, 150), rho, c), H * C, C, rng),
        *(_nearest(rng, n) for n in (3, 50, 3_000)),
        *(_asking(rng, *how) for how in asking),
    ]


def _stored(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A sparse table of two heads, five rows and nine columns."""
    there = rng.random((10, 9)) < 0.4
    return (
        np.concatenate([[0], np.cumsum(there.sum(axis=1))]),
        np.nonzero(there)[1].astype(np.int32),
        rng.random(there.sum()),
    )


def _nearest(rng: np.random.Generator, n: int) -> Case:
    """The four best of n keys for 45 queries; some keys are too short to matter."""
    Q, K = rng.normal(size=(45, D)), rng.normal(size=(n, D)) * np.exp(rng.normal(size=(n, 1)))
    K[0, 0] = np.nan
    (data, panels, _), *rest = nearest.Catalogue.of(K)
    start, key, longest = rest
    reach = np.linalg.norm(Q, axis=1) * 1.001
    out = np.full((45, 4), -1), np.full((45, 4), -np.inf)
    return Case(nearest._nearest, 2, (*out, Q, data, panels, start, longest, key, reach, 1e-300), f"{n} keys")


def _locally(prefixes: Any, targets: Any, n: int, C: int, rng: np.random.Generator) -> list[Case]:
    """Kernels of `local`: both passes of the sums, and solutions with and without features, for all and for others."""
    cases = []
    found = []
    for kernel, inputs, count in ((local._prefixes, prefixes, n), (local._targets, targets, C)):
        lengths, none = np.zeros(count, np.int64), (np.empty(0, np.int32), np.empty(0))
        kernel.serial(*none, lengths, *inputs)
        ptr = np.concatenate([[0], np.cumsum(lengths)])
        pairs = (np.zeros(ptr[-1], np.int32), np.zeros(ptr[-1]))
        kernel.serial(*pairs, ptr[:-1], *inputs)
        cases.append(Case(kernel, 3, (*none, np.zeros(count, np.int64), *inputs), "lengths"))
        cases.append(Case(kernel, 2, (*pairs, ptr[:-1], *inputs)))
        found.append((ptr, *pairs))
    for K, d, others in ((4, 0, False), (4, 2, True), (n + 3, 2, False)):
        z, b, F, penalty = rng.normal(size=n), rng.random(C), rng.normal(size=(C, d)), np.ones(n)
        room = (np.zeros((C, K), np.int32), np.zeros((C, K)), np.zeros(C, np.bool_))
        often = np.argsort(-np.abs(z))
        features = (np.arange(C + 1) * d, np.tile(np.arange(d, dtype=np.int32), C), F.ravel())
        args = (*room, *found[0], *found[1], z, b, *features, d, penalty, often, 0, others)
        cases.append(Case(local._solutions, 3, args, f"{K} of {n}"))
    return cases


def _panelled(rng: np.random.Generator, n: int) -> tuple[Any, ...]:
    """Arguments of scorers._products for n keys."""
    X, keys = rng.normal(size=(R, D)), tiles.Keys.of(rng.normal(size=(n, D)))
    return np.zeros((R, n)), X, keys.data, keys.panels, np.concatenate([[0], np.cumsum(keys.panels * 8)]), 0.5


def _asking(rng: np.random.Generator, n: int, dtype: str, live: float, theta: float) -> Case:
    """Candidates that attend to n events, each in its own way."""
    J = 3 * target.BLOCK + 5
    Q, U, K, V = (rng.normal(size=shape).astype(dtype) for shape in ((J, 8), (J, 5), (n, 8), (n, 5)))
    keys, values, number = tiles.Keys.of(K), tiles.Keys.of(V), Q.dtype.type
    bias, mask = np.zeros((2, keys.wide), dtype)
    bias[:n], mask[:n] = rng.normal(size=n), rng.random(n) < live
    mask = mask[:0] if live == 1.0 else mask
    events = (keys.data, values.data, keys.panels, bias, mask, n)
    args = (np.zeros(J, dtype), Q, U, *events, number(0.5), 0.7 if theta else 1.0, number(theta))
    return Case(target._target_scores, 1, args, f"{n} events, {dtype}")


def _many_heads() -> list[Case]:
    rng = np.random.default_rng(4)
    L, n, d, w = 11, 13, 6, 5
    Q, K, V = (rng.normal(size=size) for size in ((3, L, d), (2, n, d), (2, n, w)))
    where = np.array([[0, 1, 2, 2], [0, 0, 1, 1], [0, 0, 0, 0], [0, 3, -2, 5], [n, n, n - 4, 0]])
    live, bias = rng.random((1, L, n)) < 0.7, np.where(rng.random((1, 1, n)) < 0.7, rng.normal(size=(1, 1, n)), -np.inf)
    K[0, ~live[0].any(axis=0)] = np.nan
    none, unbiased = logits.ALL_LIVE, logits.NO_BIAS
    y, lse, a = np.zeros((4, L, w)), np.zeros((4, L)), np.zeros((4, L, n))
    A, dY = rng.random((4, L, n)) * (rng.random((4, L, n)) < 0.7), rng.normal(size=(4, L, w))
    dE, dQ = np.zeros_like(a), np.zeros((4, L, d))
    KT = K.transpose(0, 2, 1).copy()
    single = [x.astype("f4") for x in (y, lse, a, Q, V)]
    return [
        Case(exact._forward, 3, (y, lse, a, Q, KT, V, live, unbiased, where, 0.4, 0.0, 99, 0)),
        Case(exact._forward, 3, (y, lse, a[:0], Q, KT, V, none, unbiased, where, 0.4, 0.0, 99, 99), "plain"),
        Case(exact._forward, 3, (*single[:4], KT, single[4], none, bias, where, 0.4, 1.5, 3, 4), "float32, capped"),
        Case(narrow._narrow, 3, _narrowly(rng, 1.0)),
        Case(narrow._narrow, 3, _narrowly(rng, 40.0), "far"),
        Case(logits._scores, 1, (a, Q, KT, live, unbiased, where, 0.4, 1.5, 3, 99)),
        Case(exact._backward_of_queries, 2, (dE, dQ, dY, A, Q, K, V, where, 0.4, 1.5)),
        Case(exact._backward_of_keys, 2, (np.zeros((4, n, d)), np.zeros((4, n, w)), A, dY, A, Q, where, 0.4)),
    ]


def _narrowly(rng: np.random.Generator, scale: float) -> tuple[Any, ...]:
    """Arguments of narrow._narrow, with weights where the scale is 1."""
    L, n, d, w = 2 * narrow.BLOCK + 5, 21, 6, 18
    Q, K, V = (rng.normal(size=shape).astype("f4") for shape in ((L, d), (n, d), (n, w)))
    keys, values = tiles.Keys.of(K), tiles.Keys.of(np.ascontiguousarray(V.T))
    tables = []
    for own in (keys, values):
        tables += [own.data, own.panels, (np.cumsum(own.panels) - own.panels) * 16]
    weights = np.zeros((L, n) if scale == 1.0 else (0, 0), "f4")
    return np.zeros((L, w), "f4"), np.zeros(L, "f4"), weights, Q, *tables, n, np.float32(scale)


def _learning(dtype: str, branch: str) -> list[Case]:
    rng = np.random.default_rng(2)
    number = np.dtype(dtype).type

    def table(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(dtype)

    Z, p, w, c, y = 4 * table(R, 211), table(R), table(R), table(1, 211), rng.integers(0, 211, R)
    Z[3, 7], Z[5, ::3] = np.nan, -np.inf
    row, m, s = table(R), *losses.cross_entropy(Z, y)[1:]
    zeros = np.zeros_like(Z)
    long, t, rate = table(3 * losses.BLOCK + 5), rng.random(3 * losses.BLOCK + 5).astype(dtype), number(0.1)
    sampled = losses.sampled_cross_entropy(Z, p, c)[1:]
    P, M, V, G = table(N, D), table(N, D), np.abs(table(N, D)), table(9, D)
    some = rng.choice(N, 9, replace=False)
    flat, moved, spread, slope = (table(2 * optim.BLOCK + 3) for _ in range(4))
    numbers = [number(x) for x in (0.1, 0.99, 0.1, 0.001, 1.5, 1e-8)]
    cuts = np.concatenate([[0, 0], np.sort(rng.integers(0, 90, 7)), [90]])
    persons = (table(90), rng.integers(0, N, 90), cuts[:-1], cuts[1:], cuts[:-1], number(0.1), number(0.5))
    say, k, du, room, one = table(N, D), table(N), table(90, D), table(90, D), table(90)
    pools = (np.abs(table(90, D)), np.abs(table(90)))
    by_row = [  # these have a branch for each type
        Case(losses._cross_entropy_forward, 3, (row, row, row, Z, y), branch),
        Case(losses._cross_entropy_backward, 1, (zeros, w, m, s, Z, y), branch),
        Case(losses._sampled_forward, 3, (row, row, row, Z, p, c), branch),
        Case(losses._sampled_backward, 2, (zeros, zeros[:, 0].copy(), w, *sampled, Z, p, c), branch),
        Case(losses._bpr_forward, 1, (row, Z, p), branch),
        Case(losses._bpr_backward, 2, (zeros, zeros[:, 0].copy(), w, Z, p), branch),
    ]
    if dtype == "f8":
        return by_row
    return [
        *by_row,
        Case(losses._logistic_forward, 1, (long, 9 * long, t)),
        Case(losses._logistic_backward, 1, (0 * long, long, 9 * long, t)),
        Case(optim._step_sgd, 1, (flat, slope, rate, number(0.99))),
        Case(optim._step_sgd_rows, 1, (P, some, G, rate, number(0.99))),
        Case(optim._step_adam, 3, (flat, moved, np.abs(spread), slope, *numbers)),
        Case(optim._step_adam_rows, 3, (P, M, V, some, G, *numbers)),
        Case(pooling._pools_forward, 2, (room, one, say, k, *persons, True), "others"),
        Case(pooling._pools_forward, 2, (room, one, say, k, *persons, False), "before"),
        Case(
            pooling._pools_backward, 3, (0 * room, 0 * one, 0 * one[:9], du, *pools, say, k, *persons, True), "others"
        ),
        Case(
            pooling._pools_backward, 3, (0 * room, 0 * one, 0 * one[:9], du, *pools, say, k, *persons, False), "before"
        ),
        Case(rows._row_sums, 1, (G, rng.permutation(90), np.arange(10) * 10, du)),
        Case(normal._add_normal_table, 1, (np.zeros((2, 5, 5)), *_sparse_rows(rng, 31, 9), np.array(NORMAL))),
    ]


def _approximately() -> list[Case]:
    rng = np.random.default_rng(4)
    C = approximate.STRIPE + 7  # a whole stripe and a part of one
    row = rng.integers(-1, C, N)
    EW, V = rng.normal(size=(2, N)), rng.normal(size=(2, C, C)).astype(np.float32)
    EW[:, 3] = 0.0
    alone, phi = rng.random((2, N)) < 0.1, rng.random((2, N))
    phi[0, 5] = 0.0
    column, gate = rng.permutation(C + 3)[:C], rng.random(C).astype(np.float32)
    most = rng.random((2, 1)) + np.array([[0.0], [1.0]])
    scores, slack, allowed = rng.normal(size=(N, C)), rng.random(C) * 0.1, rng.random(C) < 0.9
    counts, flags = np.zeros((2, N), np.int64), np.zeros(C, np.bool_)
    room = np.zeros((N, C + 3), np.float32)
    return [
        Case(approximate._add_without_each, 1, (room, row, EW, alone, phi, V, column, gate)),
        Case(approximate._reach, 2, (np.zeros((3, C)), np.zeros(C), row, EW, most[:, 0], most[:, 0] + 1.0, V)),
        Case(approximate._count, 2, (counts, flags, scores, slack, allowed, rng.normal(size=N))),
    ]


def _sequences(keep: bool, branch: str) -> list[Case]:
    rng = np.random.default_rng(3)
    cuts = np.array([0, 1, 6, 23, 32])  # one shorter than a tile, one longer than the window
    lengths, N, H, L, dk, d = np.diff(cuts), 32, 2, 7, 3, 5
    start, stop = np.repeat(cuts[:-1], lengths), np.repeat(cuts[1:], lengths)
    Q, K, V, dO = (rng.normal(size=size) for size in ((H, N, dk), (H, N, dk), (H, N, d), (N, d)))
    r = rng.normal(size=(H, L))
    kept = (rng.random((N, H, L)) < 0.7) / 0.7 if keep else np.empty((0, 0, 0))
    tiles = sequence._tiles(start)
    done = sequence.causal_attention(Q, K, V, r, start, scale=0.5, beta=0.7)
    KT, VT = K.transpose(0, 2, 1).copy(), V.transpose(0, 2, 1).copy()
    dE, lanes = rng.normal(size=done.A.shape) * (done.A != 0), 1e-13
    rooms = [np.zeros_like(x) for x in (*done, done.A, Q, K, V)]
    of_queries = (*rooms[3:5], dO, done.A, done.S, *tiles, start, K, VT, kept, 0.5, 0.7)
    return [
        Case(sequence._forward, 3, (*rooms[:3], *tiles, start, Q, KT, V, r, kept, 0.5, 0.7), branch, lanes),
        Case(sequence._backward_of_queries, 2, of_queries, branch, lanes),
        Case(sequence._backward_of_keys, 2, (*rooms[5:], dO, dE, done.A, *tiles, stop, Q, kept, 0.5), branch, lanes),
    ]


def _encoder() -> list[Case]:
    """Three maskings of 41 positions: nothing known, all but the last few known, an event left out in the middle."""
    rng = np.random.default_rng(6)
    n, H = encoder.WIDTH + 9, 2
    d = H * (encoder.WIDTH + 3)
    first = np.array([0, n - 4, 8, n])
    at = np.cumsum(n - first) - (n - first)
    N = int((n - first).sum())
    live = np.ones((4, n), bool)
    live[0, [0, 5]], live[2, [7, 20]], live[3, n - 3 :] = False, False, False
    known, fresh, bias = rng.normal(size=(n, 3 * d)), rng.normal(size=(N, 3 * d)), rng.normal(size=(H, n + 2))
    age = n + 1 - np.sort(rng.choice(n + 2, n, replace=False))
    x, v, w = rng.normal(size=(R, D)), rng.normal(size=(n, H * 5)), rng.normal(size=n)
    which = (known[:, :d], fresh[:, :d], first, at, live)
    states = tuple(np.ascontiguousarray(table) for table in which)
    ask = (rng.normal(size=(H, 3, D)), rng.normal(size=(H, n, D)))
    look = (*states, rng.normal(size=(4, H, d)) / 4, v, w, age, bias, 0.7, 0.02)
    return [
        Case(encoder._normed, 2, (np.zeros((R, D)), np.zeros(R), x, rng.normal(size=D), 1e-6), lanes=1e-14),
        Case(encoder._silu, 1, (np.zeros((R, D)), 30 * x)),
        Case(encoder._attend, 1, (np.zeros((N, d)), known, fresh, first, at, live, age, bias, 0.3)),
        Case(encoder._look, 2, (np.zeros((4, H, n)), np.zeros((4, H * 5)), *look), lanes=1e-13),
        Case(encoder._ask, 1, (np.zeros((4, H, n)), live, *ask, bias[:, :n].copy(), 0.7, 0.02), lanes=1e-13),
    ]


CASES = {
    case.name: case
    for case in (
        *_attention(),
        *_heads(),
        *_many_heads(),
        *_learning("f8", ""),
        *_learning("f4", "float32"),
        *_approximately(),
        *_sequences(False, ""),
        *_sequences(True, "dropout"),
        *_encoder(),
    )
}
