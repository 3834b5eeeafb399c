"""Learned heads that the newest events ask: the weights depend on the whole history (docs/model.md, eq. 27, 28, 31).

A masked event is not attended, and does not ask: q is a sum over the live ones among the newest P events, so without
event r it lacks one term. The largest logit m is taken over all events of the history in sight, masked or not. An
announced removal computes the weights anew for each event that is left out; the values never change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xattn.kernels.encoder import asked
from xattn.kernels.scorers.dots import LaidOut
from xattn.model.heads.field import Events, HeadCells
from xattn.model.heads.target import TargetPart
from xattn.model.heads.trained import TrainedPart, distinct
from xattn.model.sequence import Parameters, Shape

__all__ = ["LearnedPart", "logits"]


@dataclass(frozen=True, eq=False)
class LearnedPart(TrainedPart):
    """Trained heads that the newest events ask. Their query looks at several events, so they give no fields."""

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        return None

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        return np.asarray(self.scores_masked(events, w, events.live[None], np.arange(len(self.rows)))[0])

    def scores_masked(self, events: Events, w: np.ndarray, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        sight = _Sight.of(self, events, w)
        seen = distinct(live[:, sight.first :])  # few events are in sight
        return np.asarray(self.told(sight.said_by(seen.live), targets)[seen.which])

    def add_without_each(self, out: np.ndarray, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        sight = _Sight.of(self, events, w)
        gone = np.flatnonzero(sight.live)
        without = sight.live & (np.arange(sight.n) != gone[:, None])
        said = sight.said_by(np.concatenate([sight.live[None], without]))
        which = np.zeros(len(events), np.int64)  # without what is masked or out of sight nothing changes
        which[sight.first + gone] = np.arange(1, len(said))
        out += self.told(said, targets)[which].T

    def add_contributions(self, out: np.ndarray, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        sight = _Sight.of(self, events, w)
        a = np.where(sight.live, sight.weights(sight.live[None])[0] * sight.w, 0.0)
        out[:, sight.first :] += self.told((a[:, :, None] * sight.V).sum(axis=0), targets).T

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        sight = _Sight.of(self, events, w)
        A = np.zeros((self.shape.H, len(events)))
        A[:, sight.first :] = sight.weights(sight.live[None])[0]
        own = self.rows[target] < self.shape.C
        u = self._U(self.rows[[target]])[0] if own else np.zeros(self.shape.d)
        values = np.zeros((self.shape.H, len(events)))
        values[:, sight.first :] = self.alpha * (sight.V @ u)
        gate = float(self.gate[target]) if own else 0.0
        return [
            HeadCells(name, ("",), A[h], w.astype(float), values[h][:, None], gate, place=h)
            for h, name in enumerate(self.heads)
        ]


class _Sight(NamedTuple):
    """The newest L events of a history as the network sees them; n of them, from position `first` on."""

    first: int
    n: int
    live: np.ndarray  # (n,)
    Q: np.ndarray  # (H, P', dk) what each of the newest events would ask, ω and 1/√dk included
    K: np.ndarray  # (H, n, dk)
    V: np.ndarray  # (H, n, d)
    w: np.ndarray  # (n,)
    bias: np.ndarray  # (H, n)
    beta: float
    theta: float

    @classmethod
    def of(cls, part: LearnedPart, events: Events, w: np.ndarray) -> _Sight:
        shape, params = part.shape, part.params
        age = events.age.astype(np.int64)
        first = int(np.searchsorted(-age, -(shape.L - 1)))
        age = age[first:]
        n = len(age)
        e = params["E"][part.rows[events.item[first:]]].astype(np.float64)
        Wq, Wk, Wv, r, omega = (part._table(name) for name in ("Wq", "Wk", "Wv", "r", "omega"))
        asking = age < shape.P
        Q = omega[:, age[asking], None] * (e[asking] @ (Wq * shape.dk**-0.5))
        live = np.ascontiguousarray(events.live[first:])
        Q, bias = np.ascontiguousarray(Q), np.ascontiguousarray(r[:, age])
        return cls(first, n, live, Q, e @ Wk, e @ Wv, w[first:], bias, shape.beta, part.theta)

    def weights(self, live: np.ndarray) -> np.ndarray:
        """a (R, H, n) under the maskings `live` (R, n): only what is live asks and is attended."""
        return asked(live, self.Q, self.K, self.bias, self.beta, self.theta)

    def said_by(self, live: np.ndarray) -> np.ndarray:
        """Σ_h Σ_i a_hi w_i V_hi (R, d) under the maskings `live` (R, n); no row has other bits beside others."""
        H, n, d = self.V.shape
        read = LaidOut.of(self.V.reshape(H * n, d).T)
        return read.product((self.weights(live) * self.w).reshape(len(live), H * n))


def logits(params: Parameters, shape: Shape, history: np.ndarray) -> np.ndarray:
    """What the network alone says of every row (C,) after the rows `history` (n,), b included."""
    events = _Rows(history)
    whole = (shape, params, np.arange(shape.C + 1), np.ones(shape.C + 1), 0.0, 1.0)
    if shape.target:
        told = TargetPart(*whole).scores(events, np.ones(len(history)))[:-1] if len(history) else 0.0
        return np.asarray(params["b"] + told)
    part = LearnedPart(*whole)
    sight = _Sight.of(part, events, np.ones(len(history)))
    return np.asarray(params["U"] @ sight.said_by(sight.live[None])[0].astype(np.float32) + params["b"])


class _Rows:
    """A bare sequence of rows as `Events`."""

    rating = elapsed = None

    def __init__(self, rows: np.ndarray) -> None:
        self.item = rows
        self.age = np.arange(len(rows))[::-1]
        self.live = np.ones(len(rows), bool)

    def __len__(self) -> int:
        return len(self.item)
