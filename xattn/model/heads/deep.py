"""Learned heads with a deep query as a part of a score (`model/deep.py`; docs/model.md, eq. 35).

    v_h(x, j) = α c ⟨(g_h ⊙ E[x] Wv_h) Wo_h, U_j⟩

Weights a, gates g and the normaliser c come from the encoder (`encoder.py`), which sees the live events of the window
and nothing else: a masked event is not attended, does not ask, and leaves no trace in the states of the others. An
announced removal runs the encoder anew from the event that is left out. Everything runs in float64 over the trained
numbers. What was made of the last history is kept: its list, its ledgers and its removals are asked for one by one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from xattn.kernels.compile import num_threads, serial_kernels
from xattn.model.heads.encoder import Encoder, Looks, Sight, Window
from xattn.model.heads.field import Events, HeadCells, ManyEvents
from xattn.model.heads.trained import TrainedPart, distinct

__all__ = ["DeepPart"]


@dataclass(frozen=True, eq=False)
class DeepPart(TrainedPart):
    """Trained heads whose queries, keys and gates come from an encoder. They give no fields."""

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        return None

    def with_heads(self, stay: list[int]) -> Self:
        """The heads that stay; the normaliser is still that of all, so a score loses what the others said."""
        return replace(self, numbers=tuple(self._numbers[h] for h in stay))

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        return np.asarray(self.scores_masked(events, w, events.live[None], np.arange(len(self.rows)))[0])

    def add_scores_of_many(self, out: np.ndarray, histories: ManyEvents, w: np.ndarray) -> None:
        """One thread a history: a history alone is too little work for several."""
        low, high = histories.indptr[:-1], histories.indptr[1:]

        def add(row: np.ndarray, events: Events, low: int, high: int) -> None:
            with serial_kernels():
                row += self.scores(events, w[..., low:high]) if high > low else 0.0

        with ThreadPoolExecutor(num_threads()) as pool:
            list(pool.map(add, out, histories, low.tolist(), high.tolist()))

    def scores_masked(self, events: Events, w: np.ndarray, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        asked = self._asked(events, w)
        seen = distinct(live[:, asked.first :])  # few events are in sight
        return np.asarray(self.told(asked.said(seen.live), targets)[seen.which])

    def add_without_each(self, out: np.ndarray, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        out += self.told(self._asked(events, w).without_each(events.live), targets).T

    def add_contributions(self, out: np.ndarray, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        asked = self._asked(events, w)
        with serial_kernels():  # one history is too little work for the thread pool
            out[:, asked.first :] += self.told(asked.said_by_each(events.live), targets).T

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        asked, own = self._asked(events, w), self.rows[target] < self.shape.C
        u = self._U(self.rows[[target]])[0] if own else np.zeros(self.shape.d)
        gate = float(self.gate[target]) if own else 0.0
        A, values = np.zeros((2, self.shape.H, len(events)))
        A[:, asked.first :], values[:, asked.first :] = asked.read(u, events.live)
        values *= self.alpha
        return [
            HeadCells(name, ("",), A[h], w.astype(float), values[h][:, None], gate, place=place)
            for place, (name, h) in enumerate(zip(self.heads, self._numbers, strict=True))
        ]

    @cached_property
    def _stay(self) -> np.ndarray | None:
        """(H · dk,) 1 where a head counts; None where all do."""
        stay = np.repeat(np.isin(np.arange(self.shape.H), self._numbers), self.shape.dk)
        return None if stay.all() else stay.astype(float)

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder.of(self.params, self.shape)

    def _asked(self, events: Events, w: np.ndarray) -> _Asked:
        """What is made of a history, whichever of its events are live; kept until there is another."""
        L, age = self.shape.L, events.age.astype(np.int64)
        first = int(np.searchsorted(-age, -(L - 1)))
        age = np.minimum(np.maximum.accumulate(age[first:][::-1])[::-1], L - 1)
        rows, w = self.rows[events.item[first:]], w[first:].astype(np.float64)
        kept: _Asked | None = self.__dict__.get("_kept")
        if kept is None or kept.n != len(events) or not kept.is_of(rows, age, w):
            x, e = (self.params[name][rows].astype(np.float64) for name in ("X", "E"))
            window = Window(x, e, age, events.live[first:].copy(), w)
            kept = _Asked(self, len(events), first, rows, Sight.of(self._encoder, window))
            self.__dict__["_kept"] = kept
        return kept


@dataclass(eq=False)
class _Asked:
    """What is made of a history of `n` events, in sight from position `first` on. `live` (n,) in every method.

    `last` is how the newest event looked under the last masking that was asked for alone, `each` what was made last
    without each event in turn, and of which live ones. There is no lock: two threads may make the same.
    """

    part: DeepPart
    n: int
    first: int
    rows: np.ndarray
    sight: Sight
    last: tuple[np.ndarray, Looks] | None = None
    each: tuple[np.ndarray, np.ndarray] | None = None

    def is_of(self, rows: np.ndarray, age: np.ndarray, w: np.ndarray) -> bool:
        own = self.sight.window
        return np.array_equal(self.rows, rows) and np.array_equal(own.age, age) and np.array_equal(own.w, w)

    def said(self, seen: np.ndarray) -> np.ndarray:
        """(R, d) what is read under maskings of what is in sight, before α and the targets."""
        some = seen.any(axis=1)
        said = np.zeros((len(seen), self.part.shape.d))
        if some.any():
            said[some] = self.sight.encoder.said(self._looks(seen[some]), self.part._stay)
        return said

    def said_by_each(self, live: np.ndarray) -> np.ndarray:
        """(n in sight, d) what is read of each event, before α and the targets: the terms of `said`."""
        seen = live[self.first :]
        terms = np.zeros((len(seen), self.part.shape.d))
        if seen.any():
            look, sight = self._looks(seen[None]), self.sight
            terms[seen] = sight.encoder.terms(look, sight.window.w[seen], sight.v[seen], seen, self.part._stay)
        return terms

    def _looks(self, seen: np.ndarray) -> Looks:
        """How the newest event of each masking looks; that of one alone is kept, for its ledgers."""
        if len(seen) > 1:
            return self.sight.looks(seen, self.part.theta)
        kept = self.last
        if kept is None or not np.array_equal(kept[0], seen[0]):
            kept = self.last = (seen[0].copy(), self.sight.looks(seen, self.part.theta))
        return kept[1]

    def without_each(self, live: np.ndarray) -> np.ndarray:
        """(n, d) what is read without each event in turn."""
        kept = self.each
        if kept is not None and np.array_equal(kept[0], live):
            return kept[1]
        seen = live[self.first :]
        if not np.array_equal(seen, self.sight.window.live):  # most of each masking is then known
            self.sight = Sight.of(self.sight.encoder, self.sight.window._replace(live=seen.copy()))
        gone = np.flatnonzero(seen)
        found = self.said(np.concatenate([seen[None], seen & (np.arange(len(seen)) != gone[:, None])]))
        each = np.repeat(found[:1], self.n, axis=0)
        each[self.first + gone] = found[1:]
        self.each = (live.copy(), each)
        return each

    def read(self, u: np.ndarray, live: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights and values (H, n in sight) for a target `u` (d,), before α."""
        seen, H = live[self.first :], self.part.shape.H
        if not seen.any():
            return np.zeros((H, len(seen))), np.zeros((H, len(seen)))
        look = self._looks(seen[None])
        values = (self.sight.v * self.sight.encoder.asked(look, u)).reshape(len(seen), H, -1).sum(axis=2).T
        return look.A[0], np.where(seen, values, 0.0)
