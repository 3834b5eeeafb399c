"""Learned heads with a deep query: an encoder says where to look, and what is read stays linear in the items.

    x_t   = X[i_t];   x ← x + Attention(norm(x));   x ← x + W₂ silu(W₁ norm(x))      (causal, block after block)
    h_t   = norm(x_t)
    e_hti = ⟨h_t Wq_h, h_i Wk_h⟩/√dk + r_h,t−i                                       (a: eq. 2)
    o_t   = c_t Σ_h Σ_i a_hti (g_ht ⊙ E[i] Wv_h) Wo_h,     g_ht = silu(h_t Wg_h + 1),   c_t: one over the RMS of the sum
    s_j   = b_j + ⟨o_t, U_j⟩                                                          (docs/model.md, eq. 35)

Weights, gates and the normaliser may look at the whole history as deeply as they like. Given them, the score of a
target is a sum over events and heads, so the ledger is exact. This file is the network: its parameters, its loss, and
gradients written by hand. Forward and backward steps carry the same names.

Sources: causal self-attention for the next item, Kang & McAuley (ICDM 2018); RMS normalisation, Zhang & Sennrich
(NeurIPS 2019); gates, Shazeer (2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from xattn.kernels.sequence import CausalAttention, causal_attention, causal_attention_backward
from xattn.model.sequence import Batch, Loss, Parameters, Shape, added_up, kept, loss_of_outputs

__all__ = ["ENCODER_HEADS", "deep_loss_and_gradients", "deep_outputs", "deep_sizes", "initial_deep", "normed", "silu"]

SPREAD = 0.02  # standard deviation of the targets' embeddings at the start
ENCODER_HEADS = 2  # of a block
WIDER = 4  # times d: the inner width of a block
EPSILON = 1e-6  # beside a mean square
FIRST_SCALES = (1.0, 4.0, 16.0, 64.0)  # events; the recency bias of head h starts as −g/τ_h


def initial_deep(shape: Shape, share: np.ndarray, rng: Generator, dtype: type = np.float32) -> Parameters:
    """Parameters before training; `share` (C,) > 0 is how often each item occurs, from which b starts."""
    C, d, H, dk, L = shape[:5]
    B, n = shape.blocks, H * dk
    scales = np.resize(FIRST_SCALES, H)
    drawn = {
        "X": rng.normal(0, 1, (C + 1, d)),
        "E": rng.normal(0, d**-0.5, (C + 1, d)),
        "U": rng.normal(0, SPREAD, (C, d)),
        "b": np.log(share),
        "Bqkv": rng.normal(0, d**-0.5, (B, d, 3 * d)),
        "Bo": rng.normal(0, (2 * B * d) ** -0.5, (B, d, d)),
        "B1": rng.normal(0, d**-0.5, (B, d, WIDER * d)),
        "B2": rng.normal(0, (2 * B * WIDER * d) ** -0.5, (B, WIDER * d, d)),
        "Bn": np.ones((B, 2, d)),
        "Br": np.tile(-np.arange(L) / FIRST_SCALES[-1], (B, ENCODER_HEADS, 1)),
        "hn": np.ones(d),
        "Wqkg": rng.normal(0, d**-0.5, (d, 3 * n)),
        "Wv": rng.normal(0, d**-0.5, (d, n)),
        "Wo": rng.normal(0, d**-0.5, (n, d)),
        "r": -np.arange(L)[None, :] / scales[:, None],
        "on": np.full(d, 1.0 if shape.normed else d**0.5),  # what is read then has about the same size at the start
    }
    return {name: np.ascontiguousarray(value, dtype) for name, value in drawn.items()}


def deep_sizes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter."""
    C, d, H, dk, L = shape[:5]
    B, n = shape.blocks, H * dk
    tables = {"X": (C + 1, d), "E": (C + 1, d), "U": (C, d), "b": (C,), "hn": (d,), "on": (d,)}
    blocks = {"Bqkv": (B, d, 3 * d), "Bo": (B, d, d), "B1": (B, d, WIDER * d), "B2": (B, WIDER * d, d)}
    blocks |= {"Bn": (B, 2, d), "Br": (B, ENCODER_HEADS, L)}
    return tables | blocks | {"Wqkg": (d, 3 * n), "Wv": (d, n), "Wo": (n, d), "r": (H, L)}


# --- small steps, forward and backward --------------------------------------------------------------------------------


def normed(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x / RMS(x) along the last axis, and 1/RMS (…, 1)."""
    c = 1.0 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + x.dtype.type(EPSILON))
    return x * c, c


def _normed_backward(dy: np.ndarray, y: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.asarray(c * (dy - y * (dy * y).mean(axis=-1, keepdims=True)))


def silu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x · σ(x), and σ(x)."""
    s = 1.0 / (1.0 + np.exp(-x))
    return x * s, s


def _silu_backward(dy: np.ndarray, x: np.ndarray, s: np.ndarray) -> np.ndarray:
    return np.asarray(dy * s * (1.0 + x * (1.0 - s)))


class _Heads(NamedTuple):
    """Attention of several heads whose outputs stand beside each other; what went in and what came out."""

    q: np.ndarray  # (H, N, dk)
    k: np.ndarray
    v: np.ndarray  # (H, N, dv)
    out: list[CausalAttention]
    keep: list[np.ndarray | None]
    beta: float

    @classmethod
    def of(
        cls,
        q: np.ndarray,
        k: np.ndarray,
        v: np.ndarray,
        r: np.ndarray,
        start: np.ndarray,
        beta: float,
        keep: list[np.ndarray | None],
    ) -> _Heads:
        """`q`, `k`, `v` (N, H · width), `r` (H, L)."""
        H = len(r)
        split = tuple(np.ascontiguousarray(x.reshape(len(x), H, -1).transpose(1, 0, 2)) for x in (q, k, v))
        q, k, v = split
        scale = q.shape[2] ** -0.5
        out = [
            causal_attention(
                q[h : h + 1], k[h : h + 1], v[h : h + 1], r[h : h + 1], start, scale=scale, beta=beta, keep=keep[h]
            )
            for h in range(H)
        ]
        return cls(q, k, v, out, keep, beta)

    @property
    def o(self) -> np.ndarray:
        return np.concatenate([out.O for out in self.out], axis=1)

    def backward(
        self, do: np.ndarray, start: np.ndarray, stop: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Gradients of q, k, v (N, H · width) and r (H, L)."""
        dv = self.v.shape[2]
        scale = self.q.shape[2] ** -0.5
        found = []
        for h, out in enumerate(self.out):
            at = slice(h, h + 1)
            part = np.ascontiguousarray(do[:, h * dv : (h + 1) * dv])
            how = {"scale": scale, "beta": self.beta, "keep": self.keep[h]}
            found.append(causal_attention_backward(part, out, self.q[at], self.k[at], self.v[at], start, stop, **how))
        dq, dk, dv_ = (np.concatenate([getattr(g, n)[0] for g in found], axis=1) for n in ("dQ", "dK", "dV"))
        return dq, dk, dv_, np.concatenate([g.dr for g in found])


# --- the network ------------------------------------------------------------------------------------------------------


class _Block(NamedTuple):
    """What one block of the encoder computed, step by step."""

    y1: np.ndarray
    c1: np.ndarray
    z1: np.ndarray
    heads: _Heads
    o: np.ndarray
    keep_a: np.ndarray
    y2: np.ndarray
    c2: np.ndarray
    z2: np.ndarray
    u: np.ndarray
    f: np.ndarray
    s: np.ndarray
    keep_f: np.ndarray


class _Run(NamedTuple):
    """What the network computed of a batch; `o` (N, d) is what it reads at each position."""

    keep_x: np.ndarray
    blocks: list[_Block]
    yh: np.ndarray
    ch: np.ndarray
    h: np.ndarray
    keep_e: np.ndarray
    e: np.ndarray
    heads: _Heads
    read: np.ndarray
    g0: np.ndarray
    g: np.ndarray
    sg: np.ndarray
    m: np.ndarray
    yo: np.ndarray
    co: np.ndarray | None  # None: not normed
    keep_o: np.ndarray
    o: np.ndarray


def deep_outputs(params: Mapping[str, np.ndarray], shape: Shape, histories: Sequence[np.ndarray]) -> np.ndarray:
    """o (R, d) after the newest events of each of R histories of rows, none of them empty."""
    newest = [rows[-shape.L :] for rows in histories]
    stop = np.cumsum([len(rows) for rows in newest])
    start = np.repeat(np.concatenate([[0], stop[:-1]]), np.diff(stop, prepend=0)).astype(np.int64)
    run = _forward(params, shape, np.concatenate(newest), start, Loss(), np.random.default_rng(0))
    return np.asarray(run.o[stop - 1])


def deep_loss_and_gradients(
    params: Mapping[str, np.ndarray], shape: Shape, batch: Batch, loss: Loss, weight: float, rng: Generator
) -> tuple[float, Parameters]:
    """The sum of the losses over all positions that have a next item, and the gradient of `weight` times that sum."""
    run = _forward(params, shape, batch.x, batch.start, loss, rng)
    value, do, grads = loss_of_outputs(run.o, params["U"], params["b"], batch.y, loss, weight)
    return value, grads | _backward(do, params, run, batch)


def _forward(
    params: Mapping[str, np.ndarray], shape: Shape, x: np.ndarray, start: np.ndarray, loss: Loss, rng: Generator
) -> _Run:
    N, d, L, dtype = len(x), shape.d, shape.L, params["X"].dtype

    def drop() -> np.ndarray:
        return kept((N, d), loss.dropout, rng, dtype)

    def weights_kept(heads: int) -> list[np.ndarray | None]:
        p = loss.weight_dropout
        return [kept((N, 1, L), p, rng, dtype) if p else None for _ in range(heads)]

    # encoder
    keep_x = drop()
    z = params["X"][x] * keep_x
    blocks = []
    for b in range(shape.blocks):
        y1, c1 = normed(z)
        z1 = y1 * params["Bn"][b, 0]
        q, k, v = np.split(z1 @ params["Bqkv"][b], 3, axis=1)
        heads = _Heads.of(q, k, v, params["Br"][b], start, 1.0, weights_kept(ENCODER_HEADS))
        o = heads.o
        keep_a = drop()
        z = z + (o @ params["Bo"][b]) * keep_a
        y2, c2 = normed(z)
        z2 = y2 * params["Bn"][b, 1]
        u = z2 @ params["B1"][b]
        f, s = silu(u)
        keep_f = drop()
        z = z + (f @ params["B2"][b]) * keep_f
        blocks.append(_Block(y1, c1, z1, heads, o, keep_a, y2, c2, z2, u, f, s, keep_f))
    yh, ch = normed(z)
    h = yh * params["hn"]
    # reading
    q, k, g0 = np.split(h @ params["Wqkg"], 3, axis=1)
    keep_e = drop()
    e = params["E"][x] * keep_e
    reading = _Heads.of(q, k, e @ params["Wv"], params["r"], start, shape.beta, weights_kept(shape.H))
    read = reading.o
    g, sg = silu(g0 + 1)
    m = g * read
    yo, co = m @ params["Wo"], None
    if shape.normed:
        yo, co = normed(yo)
    keep_o = drop()
    o = yo * params["on"] * keep_o
    return _Run(keep_x, blocks, yh, ch, h, keep_e, e, reading, read, g0, g, sg, m, yo, co, keep_o, o)


def _backward(do: np.ndarray, params: Mapping[str, np.ndarray], run: _Run, batch: Batch) -> Parameters:
    """Gradients of all parameters but U and b, where `do` (N, d) are those of the outputs."""
    grads = {name: np.zeros_like(params[name]) for name in ("Bqkv", "Bo", "B1", "B2", "Bn", "Br")}
    start, stop = batch.start, batch.stop
    # reading
    do = do * run.keep_o
    grads["on"] = (do * run.yo).sum(axis=0)
    dw = do * params["on"]
    if run.co is not None:
        dw = _normed_backward(dw, run.yo, run.co)
    grads["Wo"] = run.m.T @ dw
    dm = dw @ params["Wo"].T
    dg0 = _silu_backward(dm * run.read, run.g0 + 1, run.sg)
    dq, dk, dv, grads["r"] = run.heads.backward(dm * run.g, start, stop)
    grads["Wv"] = run.e.T @ dv
    grads["E"] = added_up(batch.x, (dv @ params["Wv"].T) * run.keep_e, len(params["E"]))
    dqkg = np.concatenate([dq, dk, dg0], axis=1)
    grads["Wqkg"] = run.h.T @ dqkg
    dh = dqkg @ params["Wqkg"].T
    grads["hn"] = (dh * run.yh).sum(axis=0)
    dz = _normed_backward(dh * params["hn"], run.yh, run.ch)
    # encoder
    for b, at in reversed(list(enumerate(run.blocks))):
        df = dz * at.keep_f
        grads["B2"][b] = at.f.T @ df
        du = _silu_backward(df @ params["B2"][b].T, at.u, at.s)
        grads["B1"][b] = at.z2.T @ du
        dz2 = du @ params["B1"][b].T
        grads["Bn"][b, 1] = (dz2 * at.y2).sum(axis=0)
        dz = dz + _normed_backward(dz2 * params["Bn"][b, 1], at.y2, at.c2)
        da = dz * at.keep_a
        grads["Bo"][b] = at.o.T @ da
        *dqkv, grads["Br"][b] = at.heads.backward(da @ params["Bo"][b].T, start, stop)
        together = np.concatenate(dqkv, axis=1)
        grads["Bqkv"][b] = at.z1.T @ together
        dz1 = together @ params["Bqkv"][b].T
        grads["Bn"][b, 0] = (dz1 * at.y1).sum(axis=0)
        dz = dz + _normed_backward(dz1 * params["Bn"][b, 0], at.y1, at.c1)
    grads["X"] = added_up(batch.x, dz * run.keep_x, len(params["X"]))
    return grads
