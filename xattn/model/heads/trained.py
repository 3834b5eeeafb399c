"""The trained tables of learned heads as a part of a score; what asks, the newest events or the target, is left open.

    v_h(x, j) = α ⟨E[x] Wv_h, U_j⟩          (docs/model.md, eq. 28)

What the network says is scaled by α, so that it can be added to other parts. Everything runs in float64 over the
trained numbers.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple, Self

import numpy as np

from xattn.kernels.compile import serial_kernels
from xattn.kernels.scorers.dots import F8, LaidOut, product
from xattn.kernels.tiles import TOGETHER
from xattn.model.heads.field import Events
from xattn.model.heads.part import Part
from xattn.model.sequence import Parameters, Shape

__all__ = ["Distinct", "TrainedPart", "distinct"]

EACH_HEAD = ("Wq", "Wk", "Wv", "r", "omega")  # tables whose first axis is the head


@dataclass(frozen=True, eq=False)
class TrainedPart(Part):
    """`rows` (M,) the table row of each item (C: none of its own), `gate` (M,) multiplies each target's values.

    `numbers` are those that the heads had in training; () means all of them, counted from 0.
    """

    shape: Shape
    params: Parameters
    rows: np.ndarray
    gate: np.ndarray
    theta: float
    alpha: float
    numbers: tuple[int, ...] = ()

    strength: ClassVar[str] = "kind"
    group: ClassVar[str | None] = "learned"

    @property
    def heads(self) -> tuple[str, ...]:
        return tuple(f"learned {h + 1}" for h in self._numbers)

    @property
    def _numbers(self) -> tuple[int, ...]:
        return self.numbers or tuple(range(self.shape.H))

    @property
    def n_items(self) -> int:
        return len(self.rows)

    def with_heads(self, stay: list[int]) -> Self:
        params = {name: table[stay] if name in EACH_HEAD else table for name, table in self.params.items()}
        numbers = tuple(self._numbers[h] for h in stay)
        return replace(self, shape=self.shape._replace(H=len(stay)), params=params, numbers=numbers)

    def state(self) -> dict[str, np.ndarray]:
        return {"learned.rows": self.rows, **{f"learned.{name}": table for name, table in self.params.items()}}

    def told(self, said: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(R, J) what R readings (R, d) say of `targets` (J,); each entry has the same bits whatever stands beside."""
        out = np.zeros((len(said), len(targets)))
        own = np.flatnonzero(self._place[targets] >= 0)
        place = self._place[targets[own]]
        if np.array_equal(place, np.arange(self._of_own.n)):
            with serial_kernels() if len(said) <= TOGETHER else nullcontext():  # one pass over the table is soon done
                products = self._of_own.product(said)
        else:
            products = product(self._U(self.rows[targets[own]]), said, 1.0, F8).T
        out[:, own] = products * (self.alpha * self.gate[targets[own]])
        return out

    @property
    def bounded(self) -> bool:
        """Where the weights hang on the whole history: the part without each event is then quickest exactly."""
        return not self.shape.target

    def add_approximate(self, out: np.ndarray, events: Events, w: np.ndarray) -> np.ndarray:
        exact = np.zeros(out.shape)
        self.add_without_each(exact.T, events, w, np.arange(self.n_items))
        out += exact
        return np.zeros(self.n_items)

    def reach(self, events: Events, w: np.ndarray, m: int) -> np.ndarray:
        return np.where(self._place >= 0, np.inf, 0.0)

    @cached_property
    def _place(self) -> np.ndarray:
        """(M,) how many items before it have a row of their own; −1 where an item has none."""
        own = self.rows < self.shape.C
        return np.where(own, np.cumsum(own) - 1, -1)

    @cached_property
    def _of_own(self) -> LaidOut:
        """U of all that have a row, laid out for the products with what one list reads."""
        return LaidOut.of(self._U(self.rows[self._place >= 0]))

    def _table(self, name: str) -> np.ndarray:
        return self.params[name].astype(np.float64)

    def _U(self, rows: np.ndarray) -> np.ndarray:
        U: np.ndarray = self.params["U"][rows].astype(np.float64)
        return U


class Distinct(NamedTuple):
    """The different ones of R maskings: `live` (S, n), and which of them each is (R,)."""

    live: np.ndarray
    which: np.ndarray


def distinct(live: np.ndarray) -> Distinct:
    """The distinct ones of the maskings `live` (R, n): many differ only where nobody looks.

    >>> distinct(np.array([[True, False], [True, True], [True, False]])).which.tolist()
    [0, 1, 0]
    """
    found: dict[bytes, int] = {}
    which = np.array([found.setdefault(row.tobytes(), len(found)) for row in live], dtype=np.int64)
    first = np.unique(which, return_index=True)[1]
    return Distinct(live[first], which)
