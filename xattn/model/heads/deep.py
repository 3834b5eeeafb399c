"""Learned heads with a deep query as a part of a score (`model/deep.py`; docs/model.md, eq. 35).

    v_h(x, j) = α c ⟨(g_h ⊙ E[x] Wv_h) Wo_h, U_j⟩

Weights a, gates g and the normaliser c come from the encoder, which sees the live events of the window and nothing
else: a masked event is not attended, does not ask, and leaves no trace in the states of the others. An announced
removal runs the encoder anew from the event that is left out; what stands before it stays, because states look back
only. Everything runs in float64 over the trained numbers.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from threadpoolctl import threadpool_limits

from xattn.kernels.compile import num_threads
from xattn.kernels.scorers import dot
from xattn.model.deep import ENCODER_HEADS, normed, silu
from xattn.model.heads.field import Events, HeadCells
from xattn.model.heads.trained import TrainedPart

__all__ = ["DeepPart"]


@dataclass(frozen=True, eq=False)
class DeepPart(TrainedPart):
    """Trained heads whose queries, keys and gates come from an encoder. They give no fields."""

    @cached_property
    def doubles(self) -> dict[str, np.ndarray]:
        """The trained numbers in float64."""
        return {name: table.astype(np.float64) for name, table in self.params.items()}

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        return None

    def with_heads(self, stay: list[int]) -> Self:
        """The heads that stay; the normaliser is still that of all, so a score loses what the others said."""
        return replace(self, numbers=tuple(self._numbers[h] for h in stay))

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        return np.asarray(self.scores_masked(events, w, events.live[None], np.arange(len(self.rows)))[0])

    def scores_masked(self, events: Events, w: np.ndarray, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        sight = _Sight.of(self, events, w)
        seen, which = np.unique(live[:, sight.first :], axis=0, return_inverse=True)  # few events are in sight
        own = np.flatnonzero(self.rows < self.shape.C)
        U, out = self._U(self.rows[own]), np.zeros(len(self.rows))
        found = np.empty((len(seen), len(targets)))
        for row, kept in zip(found, seen, strict=True):
            out[own] = self.gate[own] * (U @ (self.alpha * sight.only(kept).said))
            row[:] = out[targets]
        return np.asarray(found[which.ravel()])

    def add_without_each(self, out: np.ndarray, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        sight = _Sight.of(self, events, w)
        live = np.flatnonzero(sight.live)
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(num_threads()) as pool:
            whole = sight.only(sight.live)
            said = np.repeat(whole.said[None], len(events), axis=0)
            for event, without in zip(live, pool.map(whole.without, range(len(live))), strict=True):
                said[sight.first + event] = without.said
        rows = self.rows[targets]
        own = rows < self.shape.C
        each = dot(self._U(rows[own]), said)  # each entry is the same sum whatever stands beside it
        out[own] += (self.alpha * self.gate[targets[own]])[:, None] * each

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        sight = _Sight.of(self, events, w)
        own = self.rows[target] < self.shape.C
        u = self._U(self.rows[[target]])[0] if own else np.zeros(self.shape.d)
        at = sight.first + np.flatnonzero(sight.live)
        read = sight.only(sight.live).read(u)
        A, values = np.zeros((2, len(self.heads), len(events)))
        if read is not None:
            A[:, at], values[:, at] = read.weights, self.alpha * read.values
        gate = float(self.gate[target]) if own else 0.0
        return [
            HeadCells(name, ("",), A[h], w.astype(float), values[h][:, None], gate, place=h)
            for h, name in enumerate(self.heads)
        ]


class _Tables(NamedTuple):
    """The trained numbers in float64."""

    p: dict[str, np.ndarray]
    stay: list[int]  # the heads that count
    H: int
    dk: int
    beta: float
    theta: float


class _Read(NamedTuple):
    weights: np.ndarray  # (H, n)
    values: np.ndarray  # (H, n)


class _Sight(NamedTuple):
    """The newest L events of a history, from position `first` on."""

    first: int
    rows: np.ndarray
    age: np.ndarray
    live: np.ndarray
    w: np.ndarray
    tables: _Tables

    @classmethod
    def of(cls, part: DeepPart, events: Events, w: np.ndarray) -> _Sight:
        shape = part.shape
        age = events.age.astype(np.int64)
        first = int(np.searchsorted(-age, -(shape.L - 1)))
        rows = part.rows[events.item[first:]]
        tables = _Tables(part.doubles, list(part._numbers), shape.H, shape.dk, shape.beta, part.theta)
        return cls(first, rows, age[first:], events.live[first:], w[first:], tables)

    def only(self, live: np.ndarray) -> _Encoded:
        """What the encoder makes of the events `live` alone."""
        return _Encoded.of(self.tables, self.rows[live], self.age[live], self.w[live])


class _Encoded(NamedTuple):
    """The states of n events; `K`, `V` of each block, `h` (n, d) of the last one."""

    tables: _Tables
    rows: np.ndarray
    age: np.ndarray
    w: np.ndarray
    keys: list[np.ndarray]  # a block: (n, d)
    values: list[np.ndarray]
    h: np.ndarray

    @classmethod
    def of(cls, tables: _Tables, rows: np.ndarray, age: np.ndarray, w: np.ndarray) -> _Encoded:
        d = tables.p["X"].shape[1]
        none = [np.zeros((0, d)) for _ in tables.p["Bqkv"]]
        return cls(tables, rows, age, w, none, none, np.zeros((0, d)))._gone_on()

    def without(self, place: int) -> _Encoded:
        """The states without the event at this place: those before it stay, those after it are made anew."""
        stay = np.arange(len(self.rows)) != place
        before = [k[:place] for k in self.keys], [v[:place] for v in self.values], self.h[:place]
        return _Encoded(self.tables, self.rows[stay], self.age[stay], self.w[stay], *before)._gone_on()

    def _gone_on(self) -> _Encoded:
        """With the states of all events, where those of the first few are known."""
        p, known = self.tables.p, len(self.h)
        age = self.age
        if known == len(age):
            return self
        x = p["X"][self.rows[known:]]
        ahead = age[None, :] - age[known:, None]  # (m, n) how much older the other event is
        keys, values = [], []
        for b in range(len(p["Bqkv"])):
            q, k, v = np.split((normed(x)[0] * p["Bn"][b, 0]) @ p["Bqkv"][b], 3, axis=1)
            k, v = np.concatenate([self.keys[b], k]), np.concatenate([self.values[b], v])
            keys.append(k)
            values.append(v)
            bias = np.where(ahead >= 0, p["Br"][b][:, np.maximum(ahead, 0)], -np.inf)
            x = x + _attended(q, k, v, bias) @ p["Bo"][b]
            x = x + silu((normed(x)[0] * p["Bn"][b, 1]) @ p["B1"][b])[0] @ p["B2"][b]
        h = np.concatenate([self.h, normed(x)[0] * p["hn"]])
        return self._replace(keys=keys, values=values, h=h)

    @property
    def _look(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """a (H, n), the gated values (H, n, dk) of the heads that count, and c: what the newest event reads."""
        p, stay, H, dk, beta, theta = self.tables
        n = H * dk
        q = (self.h[-1] @ p["Wqkg"][:, :n]).reshape(H, dk)
        g = silu(self.h[-1] @ p["Wqkg"][:, 2 * n :] + 1)[0].reshape(H, 1, dk)
        k = (self.h @ p["Wqkg"][:, n : 2 * n]).reshape(-1, H, dk)
        v = (p["E"][self.rows] @ p["Wv"]).reshape(-1, H, dk).transpose(1, 0, 2)
        e = np.einsum("nhf,hf->hn", k, q) * dk**-0.5 + p["r"][:, self.age - self.age[-1]]
        a = np.exp(e - e.max(axis=1, keepdims=True))
        a /= a.sum(axis=1, keepdims=True) ** beta
        a[a < theta] = 0.0
        v = g * v
        c = normed(np.einsum("hn,hnf->hf", a * self.w, v).ravel() @ p["Wo"])[1]
        return a[stay], v[stay], c

    @property
    def _Wo(self) -> np.ndarray:
        """Wo (heads that count, dk, d)."""
        p, stay, H, dk, *_ = self.tables
        return np.asarray(p["Wo"].reshape(H, dk, -1)[stay])

    @property
    def said(self) -> np.ndarray:
        """Σ_h Σ_i a_hi w_i times what is read (d,), before α and the targets."""
        p = self.tables.p
        if not len(self.rows):
            return np.zeros(p["U"].shape[1])
        a, v, c = self._look
        summed = np.einsum("hn,hnf->hf", a * self.w, v).ravel() @ self._Wo.reshape(-1, len(p["on"]))
        return np.asarray(summed * c * p["on"])

    def read(self, u: np.ndarray) -> _Read | None:
        """Weights and values of each head and event for a target `u` (d,); None where there is no event."""
        if not len(self.rows):
            return None
        a, v, c = self._look
        asked = self._Wo @ (c * self.tables.p["on"] * u)
        return _Read(a, np.einsum("hnf,hf->hn", v, asked))


def _attended(q: np.ndarray, k: np.ndarray, v: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Attention of m positions over n, (m, d); heads stand beside each other, `bias` (heads, m, n)."""
    heads = ENCODER_HEADS
    q, k, v = (x.reshape(len(x), heads, -1).transpose(1, 0, 2) for x in (q, k, v))
    e = q @ k.transpose(0, 2, 1) * q.shape[2] ** -0.5 + bias
    a = np.exp(e - e.max(axis=2, keepdims=True))
    a /= a.sum(axis=2, keepdims=True)
    return np.asarray((a @ v).transpose(1, 0, 2).reshape(len(bias[0]), -1))
