"""The loss of learned heads whose query comes from the target, with gradients written by hand (docs/model.md, eq. 32).

Every candidate has an attention of its own, so the loss is that of the next item and of a few sampled others.
Forward and backward steps carry the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xattn.kernels.sequence import causal_attention, causal_attention_backward
from xattn.model.sequence import Batch, Loss, Parameters, Shape, added_up, each_head, kept, sampled_loss

__all__ = ["target_loss_and_gradients"]


def target_loss_and_gradients(
    params: Mapping[str, np.ndarray],
    shape: Shape,
    batch: Batch,
    loss: Loss,
    weight: float,
    rng: np.random.Generator,
) -> tuple[float, Parameters]:
    """`loss_and_gradients` for heads whose query comes from the target; `loss` must name negatives (S,)."""
    E, U, Wq, Wk, Wv, r, b = (params[n] for n in ("E", "U", "Wq", "Wk", "Wv", "r", "b"))
    N, scale = len(batch.x), shape.dk**-0.5
    how = {"scale": scale, "beta": shape.beta}
    known = np.flatnonzero(batch.y >= 0)
    negatives = loss.negatives if loss.negatives is not None else np.zeros(0, np.int64)
    candidates = [np.where(batch.y >= 0, batch.y, 0), *(np.full(N, row) for row in negatives.tolist())]
    # 1 embeddings, keys, values
    kept_e, kept_o = (kept((N, shape.d), loss.dropout, rng, E.dtype) for _ in range(2))
    e = E[batch.x] * kept_e
    K, V = each_head(e, Wk), each_head(e, Wv)
    # 2 one attention for each candidate: the target first
    Qs = [each_head(U[rows], Wq) for rows in candidates]
    attended = [causal_attention(Q, K, V, r, batch.start, **how) for Q in Qs]
    outputs = [a.O * kept_o for a in attended]
    # 3 logits and loss
    logit = np.stack([(o * U[rows]).sum(axis=1) + b[rows] for o, rows in zip(outputs, candidates, strict=True)])
    Z = np.ascontiguousarray(logit[1:, known].T)
    Z[batch.y[known][:, None] == negatives] = -np.inf  # a draw that hit the target itself is no negative
    w = np.full(len(known), weight, E.dtype)
    losses, (dZ, dp) = sampled_loss(Z, np.ascontiguousarray(logit[0, known]), w, loss)
    # 3
    dlogit = np.zeros_like(logit)
    dlogit[0, known], dlogit[1:, known] = dp, dZ.T
    # 2
    grads: Parameters = {name: np.zeros_like(value) for name, value in params.items()}
    dK, dV = np.zeros_like(K), np.zeros_like(V)
    for rows, Q, a, o, dz in zip(candidates, Qs, attended, outputs, dlogit, strict=True):
        u = U[rows]
        dO = dz[:, None] * u * kept_o
        g = causal_attention_backward(dO, a, Q, K, V, batch.start, batch.stop, **how)
        du = dz[:, None] * o + sum(dQ_h @ W.T for dQ_h, W in zip(g.dQ, Wq, strict=True))
        grads["U"] += added_up(rows, du, shape.C)
        grads["b"] += np.bincount(rows, dz, shape.C).astype(b.dtype)
        grads["Wq"] += each_head(u.T, g.dQ)
        grads["r"] += g.dr
        dK += g.dK
        dV += g.dV
    # 1
    grads["Wk"], grads["Wv"] = each_head(e.T, dK), each_head(e.T, dV)
    de = sum(dK[h] @ Wk[h].T + dV[h] @ Wv[h].T for h in range(shape.H)) * kept_e
    grads["E"] = added_up(batch.x, de, len(E))
    return float(losses.sum(dtype=np.float64)), grads
