"""Learned heads: low-rank query–key attention over a history, values linear in the item (docs/model.md, eq. 27–29).

    k_hi = E[x_i] Wk_h,   q_h = Σ_i ω_h,age(i) E[x_i] Wq_h        (over the newest P events)
    e_hi = ⟨q_h, k_hi⟩/√dk + r_h,age(i)                           (over ages under L)
    s_j  = b_j + Σ_h Σ_i a_hi ⟨E[x_i] Wv_h, U_j⟩                  (a: eq. 2)

Only the weights depend on more than one event, so a score is a sum over events. This file is the network: its sizes,
its parameters, and its loss with gradients written by hand; forward and backward steps carry the same numbers. The C
items with a row of their own are in the tables; every other item is row C of E.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.kernels.losses import (
    SampleGradient,
    bpr,
    bpr_backward,
    cross_entropy,
    cross_entropy_backward,
    logistic,
    logistic_backward,
    sampled_cross_entropy,
    sampled_cross_entropy_backward,
)
from xattn.kernels.sequence import causal_attention, causal_attention_backward

__all__ = [
    "LOSSES",
    "Batch",
    "Loss",
    "Shape",
    "added_up",
    "each_head",
    "initial",
    "kept",
    "loss_and_gradients",
    "loss_of_outputs",
    "sampled_loss",
    "table_sizes",
]

Parameters = dict[str, np.ndarray]
LOSSES = ("cross-entropy", "bpr", "logistic")
SPREAD = 0.05  # standard deviation of embeddings at the start
FIRST_SCALES = (1.0, 4.0, 16.0, 64.0)  # events; the recency bias of head h starts as −g/τ_h


class Shape(NamedTuple):
    """Sizes: C items, d numbers an embedding, H heads with keys of dk, ages up to L, P events in a query; exponent β.

    With `target` the query comes from the target (`model/heads/target.py`), and P has no effect. With `blocks` an
    encoder of so many blocks makes queries and keys (`model/deep.py`), and P has no effect either; what is read is
    divided by its size if `normed`.
    """

    C: int
    d: int
    H: int
    dk: int
    L: int
    P: int
    beta: float
    target: bool = False
    blocks: int = 0
    normed: bool = True


class Batch(NamedTuple):
    """Whole sequences one after another, N positions: the row at each, and the row that follows (−1: not learned)."""

    x: np.ndarray  # (N,) int64 in 0..C
    y: np.ndarray  # (N,) int64 in −1..C−1
    start: np.ndarray  # (N,) first position of the same sequence
    stop: np.ndarray  # (N,) one past its last

    @classmethod
    def of(cls, sequences: Sequence[np.ndarray], C: int) -> Batch:
        """From rows 0..C, oldest first; in each sequence the second item is predicted from the first, and so on.

        >>> Batch.of([np.array([0, 2, 1]), np.array([1, 0])], C=2)[:2]
        (array([0, 2, 1]), array([-1,  1,  0]))
        """
        lengths = np.array([len(s) - 1 for s in sequences])
        ends = np.cumsum(lengths)
        y = np.concatenate([s[1:] for s in sequences])
        return cls(
            np.concatenate([s[:-1] for s in sequences]),
            np.where(y < C, y, -1),
            np.repeat(ends - lengths, lengths),
            np.repeat(ends, lengths),
        )


class Loss(NamedTuple):
    """The loss: of the next item among all C, or among a sample of rows `negatives` (S,), which were drawn with
    probabilities `drawn_with` (S,); and the probabilities of dropout."""

    kind: str = "cross-entropy"
    negatives: np.ndarray | None = None
    drawn_with: np.ndarray | None = None
    dropout: float = 0.0
    weight_dropout: float = 0.0


def initial(shape: Shape, share: np.ndarray, rng: np.random.Generator, dtype: type = np.float32) -> Parameters:
    """Parameters before training; `share` (C,) > 0 is how often each item occurs, from which b starts."""
    C, d, H, dk, L, P, *_ = shape
    scales = np.resize(FIRST_SCALES, H)
    drawn = {
        "E": rng.normal(0, SPREAD, (C + 1, d)),
        "U": rng.normal(0, SPREAD, (C, d)),
        "Wq": rng.normal(0, d**-0.5, (H, d, dk)),
        "Wk": rng.normal(0, d**-0.5, (H, d, dk)),
        "Wv": rng.normal(0, d**-0.5, (H, d, d)),
        "r": -np.arange(L)[None, :] / scales[:, None],
        "omega": np.tile(0.5 ** np.arange(P), (H, 1)),
        "b": np.log(share),
    }
    return {name: np.ascontiguousarray(value, dtype) for name, value in drawn.items()}


def table_sizes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter of the network without an encoder."""
    C, d, H, dk, L, P, *_ = shape
    of_heads = {"Wq": (H, d, dk), "Wk": (H, d, dk), "Wv": (H, d, d), "r": (H, L), "omega": (H, P)}
    return {"E": (C + 1, d), "U": (C, d), "b": (C,)} | of_heads


def loss_and_gradients(
    params: Mapping[str, np.ndarray],
    shape: Shape,
    batch: Batch,
    loss: Loss,
    weight: float,
    rng: np.random.Generator,
) -> tuple[float, Parameters]:
    """The sum of the losses over all positions that have a next item, and the gradient of `weight` times that sum."""
    E, Wq, Wk, Wv, r, omega = (params[n] for n in ("E", "Wq", "Wk", "Wv", "r", "omega"))
    _, d, H, dk, L, _, beta, *_ = shape
    N = len(batch.x)
    scale = dk**-0.5
    # 1 embeddings
    kept_e = kept((N, d), loss.dropout, rng, E.dtype)
    e = E[batch.x] * kept_e
    # 2 queries, keys, values of each head
    Q0, K, V = (each_head(e, W) for W in (Wq, Wk, Wv))
    Q = pooled_queries(Q0, omega, batch.start)
    # 3 attention
    keep = kept((N, H, L), loss.weight_dropout, rng, E.dtype) if loss.weight_dropout else None
    attended = causal_attention(Q, K, V, r, batch.start, scale=scale, beta=beta, keep=keep)
    # 4 outputs
    kept_o = kept((N, d), loss.dropout, rng, E.dtype)
    o = attended.O * kept_o

    value, do, grads = loss_of_outputs(o, params["U"], params["b"], batch.y, loss, weight)

    # 4
    dO = do * kept_o
    # 3
    how = {"scale": scale, "beta": beta, "keep": keep}
    g = causal_attention_backward(dO, attended, Q, K, V, batch.start, batch.stop, **how)
    # 2
    dQ0, domega = _pooled_queries_backward(g.dQ, Q0, omega, batch.start)
    dWq, dWk, dWv = (each_head(e.T, x) for x in (dQ0, g.dK, g.dV))
    de = np.zeros_like(e)
    for h in range(H):
        de += dQ0[h] @ Wq[h].T + g.dK[h] @ Wk[h].T + g.dV[h] @ Wv[h].T
    # 1
    de *= kept_e
    grads |= {"E": added_up(batch.x, de, len(E)), "Wq": dWq, "Wk": dWk, "Wv": dWv, "r": g.dr, "omega": domega}
    return value, grads


def loss_of_outputs(
    o: np.ndarray, U: np.ndarray, b: np.ndarray, y: np.ndarray, loss: Loss, weight: float
) -> tuple[float, np.ndarray, Parameters]:
    """Sum of the losses of the logits o Uᵀ + b for the targets y; `weight` times its gradients by o, U and b."""
    known = np.flatnonzero(y >= 0)
    y, do = y[known], np.zeros_like(o)
    o = o[known]
    w = np.full(len(known), weight, o.dtype)
    if loss.negatives is None and loss.kind == "cross-entropy":
        Z = o @ U.T
        Z += b
        forward = cross_entropy(Z, y)
        dZ = cross_entropy_backward(w, forward, Z, y)
        do[known] = dZ @ U
        return float(forward.loss.sum(dtype=np.float64)), do, {"U": dZ.T @ o, "b": dZ.sum(axis=0)}
    if loss.negatives is None or loss.drawn_with is None:
        raise ValueError(f"{loss.kind} needs drawn negatives")
    S = loss.negatives
    Z = o @ U[S].T + b[S]
    Z[y[:, None] == S] = -np.inf  # a draw that hit the target itself is no negative
    p = (o * U[y]).sum(axis=1) + b[y]
    losses, (dZ, dp) = sampled_loss(Z, p, w, loss)
    do[known] = dZ @ U[S] + dp[:, None] * U[y]
    dU, db = added_up(y, dp[:, None] * o, len(U)), np.bincount(y, dp, len(b)).astype(b.dtype)
    np.add.at(dU, S, dZ.T @ o)
    np.add.at(db, S, dZ.sum(axis=0))
    return float(losses.sum(dtype=np.float64)), do, {"U": dU, "b": db}


def sampled_loss(Z: np.ndarray, p: np.ndarray, w: np.ndarray, loss: Loss) -> tuple[np.ndarray, SampleGradient]:
    """Losses (N,), and gradients of their sum weighted by `w`: by the logits of negatives Z (N, S) and targets p."""
    S = Z.shape[1]
    if loss.kind == "cross-entropy":
        c = np.log(S * np.asarray(loss.drawn_with))[None, :].astype(Z.dtype)
        forward = sampled_cross_entropy(Z, p, c)
        return forward.loss, sampled_cross_entropy_backward(w, forward, Z, p, c)
    share = (w / S).astype(Z.dtype)  # the mean over the negatives: the learning rate does not depend on how many
    if loss.kind == "bpr":
        return bpr(Z, p) / S, bpr_backward(share, Z, p)
    nothing, yes = np.zeros_like(p), np.ones_like(p)
    losses = logistic(p, yes) + bpr(Z, nothing) / S  # pairs with 0 are the logistic loss of a "no"
    return losses, SampleGradient(bpr_backward(share, Z, nothing).dZ, logistic_backward(w, p, yes))


def pooled_queries(Q0: np.ndarray, omega: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Q[h, t] = Σ_s ω_hs Q0[h, t − s] over the P newest positions of the same sequence; Q0 (H, N, dk)."""
    Q: np.ndarray = omega[:, 0, None, None] * Q0
    t = np.arange(len(start))
    for s in range(1, omega.shape[1]):
        at = t[t - s >= start]
        Q[:, at] += omega[:, s, None, None] * Q0[:, at - s]
    return Q


def _pooled_queries_backward(
    dQ: np.ndarray, Q0: np.ndarray, omega: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    dQ0, domega = omega[:, 0, None, None] * dQ, np.empty_like(omega)
    domega[:, 0] = (dQ * Q0).sum(axis=(1, 2))
    t = np.arange(len(start))
    for s in range(1, omega.shape[1]):
        at = t[t - s >= start]
        dQ0[:, at - s] += omega[:, s, None, None] * dQ[:, at]
        domega[:, s] = (dQ[:, at] * Q0[:, at - s]).sum(axis=(1, 2))
    return dQ0, domega


def each_head(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    """x @ W[h] for each head, one plain product at a time (NumPy's stacked form is several times slower here)."""
    return np.stack([x @ W_h for W_h in W])


def added_up(rows: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """(n, d): the sum of the `values` (N, d) of each row."""
    N = len(rows)
    to_rows = sparse.csr_array((np.ones(N, values.dtype), (rows, np.arange(N))), shape=(n, N))
    return np.asarray(to_rows @ values)


def kept(shape: tuple[int, ...], p: float, rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
    """Dropout as a factor: 0 with probability p, else 1/(1 − p)."""
    if not p:
        return np.ones((1,) * len(shape), dtype)
    kept = (rng.random(shape, np.float32) >= p).astype(dtype)
    return np.asarray(kept / dtype.type(1 - p))
