"""Learned heads in which the target asks: each candidate attends to the history in its own way (docs/model.md, eq. 37).

    q_hj = U_j Wq_h,   e_hi(j) = ⟨q_hj, E[x_i] Wk_h⟩/√dk + r_h,age(i),   s_j = b_j + Σ_h Σ_i a_hi(j) ⟨E[x_i] Wv_h, U_j⟩

The tables are those of `model/sequence.py`. Logits look at one event and the target alone, so a removal follows from
the cells in closed form (eq. 13). The price is paid in training: every candidate needs an attention of its own, so the
loss is that of a few sampled ones. Source: attention of the target item, He et al. (TKDE 2018), Zhou et al. (KDD 2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from xattn.kernels.sequence import causal_attention, causal_attention_backward
from xattn.model.heads.part import Events, HeadCells, HeadField, fields_scores, fields_without_each, head_cells
from xattn.model.sequence import Batch, Loss, Parameters, Shape, added_up, each_head, kept, sampled_loss

__all__ = ["TargetPart", "target_loss_and_gradients"]


def target_loss_and_gradients(
    params: Mapping[str, np.ndarray],
    shape: Shape,
    batch: Batch,
    loss: Loss,
    weight: float,
    rng: np.random.Generator,
) -> tuple[float, Parameters]:
    """`loss_and_gradients` for heads in which the target asks; `loss` must name negatives (S,)."""
    E, U, Wq, Wk, Wv, r, b = (params[n] for n in ("E", "U", "Wq", "Wk", "Wv", "r", "b"))
    N, scale = len(batch.x), shape.dk**-0.5
    how = {"scale": scale, "beta": shape.beta}
    told = np.flatnonzero(batch.y >= 0)
    negatives = loss.negatives if loss.negatives is not None else np.zeros(0, np.int64)
    asking = [np.where(batch.y >= 0, batch.y, 0), *(np.full(N, row) for row in negatives.tolist())]
    # 1 embeddings, keys, values
    kept_e, kept_o = (kept((N, shape.d), loss.dropout, rng, E.dtype) for _ in range(2))
    e = E[batch.x] * kept_e
    K, V = each_head(e, Wk), each_head(e, Wv)
    # 2 one attention for each candidate: the target first
    Qs = [each_head(U[rows], Wq) for rows in asking]
    attended = [causal_attention(Q, K, V, r, batch.start, **how) for Q in Qs]
    outputs = [a.O * kept_o for a in attended]
    # 3 logits and loss
    logit = np.stack([(o * U[rows]).sum(axis=1) + b[rows] for o, rows in zip(outputs, asking, strict=True)])
    Z = np.ascontiguousarray(logit[1:, told].T)
    Z[batch.y[told][:, None] == negatives] = -np.inf  # a draw that hit the target itself says nothing
    w = np.full(len(told), weight, E.dtype)
    losses, (dZ, dp) = sampled_loss(Z, np.ascontiguousarray(logit[0, told]), w, loss)
    # 3
    dlogit = np.zeros_like(logit)
    dlogit[0, told], dlogit[1:, told] = dp, dZ.T
    # 2
    grads: Parameters = {name: np.zeros_like(value) for name, value in params.items()}
    dK, dV = np.zeros_like(K), np.zeros_like(V)
    for rows, Q, a, o, dz in zip(asking, Qs, attended, outputs, dlogit, strict=True):
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


class TargetPart(NamedTuple):
    """The trained heads as a part of a score; fields as those of `LearnedPart`."""

    shape: Shape
    params: Parameters
    rows: np.ndarray
    gate: np.ndarray
    theta: float
    alpha: float

    def name(self, h: int) -> str:
        return f"learned {h + 1}"

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """One field a head over `targets` (J,), which must have rows of their own."""
        U, Wq, Wk, Wv, r = (self.params[name].astype(np.float64) for name in ("U", "Wq", "Wk", "Wv", "r"))
        u = U[self.rows[targets]]
        e = self.params["E"][self.rows[events.item]].astype(np.float64)
        age = events.age.astype(np.int64)
        seen = age < self.shape.L
        factor = self.alpha * self.gate[targets][:, None] * w
        fields = []
        for h in range(self.shape.H):
            z = (u @ Wq[h]) @ (e @ Wk[h]).T * self.shape.dk**-0.5 + r[h, np.minimum(age, self.shape.L - 1)]
            z[:, ~seen] = -np.inf
            E = np.exp(z - z.max(axis=1, keepdims=True))
            fields.append(HeadField(self.name(h), E, (u @ (e @ Wv[h]).T) * factor, self.shape.beta, self.theta))
        return fields

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The part's addition to the score of every item (M,)."""
        out = np.zeros(len(self.rows))
        own = np.flatnonzero(self.rows < self.shape.C)
        out[own] = fields_scores(self.fields(events, w, own), events.live, np.zeros(len(own)))
        return out

    def add_without_each(self, events: Events, w: np.ndarray, targets: np.ndarray, out: np.ndarray) -> None:
        """Add to `out` (J, n) the part of the targets' scores with each event masked in turn."""
        own = self.rows[targets] < self.shape.C
        fields = self.fields(events, w, targets[own])
        out[own] += fields_without_each(fields, events.live, np.zeros(int(own.sum())))

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        """The cells of each head for one target item row."""
        if self.rows[target] == self.shape.C:
            nothing = np.zeros(len(events))
            return [
                HeadCells(self.name(h), ("",), nothing, w.astype(float), nothing[:, None], 0.0)
                for h in range(self.shape.H)
            ]
        plain = self._replace(gate=np.ones_like(self.gate))
        ones = np.ones(len(events))
        return [
            head_cells(
                field.name,
                field.E,
                events.live,
                field.beta,
                field.theta,
                strength=w,
                value=field.X.T,
                gate=float(self.gate[target]),
            )
            for field in plain.fields(events, ones, np.array([target]))
        ]
