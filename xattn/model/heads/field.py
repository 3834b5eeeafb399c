"""One head seen from several targets, and what follows from it (docs/model.md, eq. 1–3, 18).

A `HeadField` holds the unnormalised attention E and X = strength × value × gate. The head's part of every score follows
from these two, and so does that part with any event masked. `HeadCells` is the same head for one target, factor by
factor, as the ledger prints it; its products are the terms of the same sum, so they add up to the score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from xattn.kernels.fields import add_field_scores, add_field_without_each, field_weights

__all__ = [
    "Events",
    "Factors",
    "HeadCells",
    "HeadField",
    "ManyEvents",
    "Masked",
    "fields_masked",
    "fields_scores",
    "fields_without_each",
    "head_cells",
]


class Events(Protocol):
    """The events that a head attends to, oldest first; all arrays (n,)."""

    @property
    def item(self) -> np.ndarray: ...  # item rows
    @property
    def rating(self) -> np.ndarray | None: ...
    @property
    def age(self) -> np.ndarray: ...  # ≥ 0, 0 for the newest
    @property
    def elapsed(self) -> np.ndarray | None: ...  # days ago, where known
    @property
    def live(self) -> np.ndarray: ...  # False where masked
    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Masked:
    """The same `events`, of which others are `live` (n,)."""

    events: Events
    live: np.ndarray

    @property
    def item(self) -> np.ndarray:
        return self.events.item

    @property
    def rating(self) -> np.ndarray | None:
        return self.events.rating

    @property
    def age(self) -> np.ndarray:
        return self.events.age

    @property
    def elapsed(self) -> np.ndarray | None:
        return self.events.elapsed

    def __len__(self) -> int:
        return len(self.events)


class ManyEvents(Protocol):
    """The events of R histories, one history after another; the arrays are (N,), `indptr` (R + 1,) cuts them."""

    @property
    def indptr(self) -> np.ndarray: ...
    @property
    def item(self) -> np.ndarray: ...
    @property
    def age(self) -> np.ndarray: ...
    @property
    def elapsed(self) -> np.ndarray | None: ...
    @property
    def live(self) -> np.ndarray: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Events]: ...


class Factors(NamedTuple):
    """What X is made of for one target: X[i] = Σ_f strength[i] · value[i, f] · gate."""

    strength: np.ndarray  # (n,)
    value: np.ndarray  # (n, F)
    gate: float
    features: tuple[str, ...] = ("",)  # (F,) names; ("",) where the value does not split
    blocks: tuple[str, ...] = ()  # (F,) the block of each feature; () where the value does not split
    numbers: tuple[int, ...] = ()  # (F,) the number of each feature in its head; () where the value does not split
    sides: tuple[str, ...] = ()  # whose features the value is a product of: "event", "target", or both


class HeadField(NamedTuple):
    """One head over J targets × n events.

    `E` may have one row, which all targets then share. `factors(j)` gives the factors of row j of `X`; without it the
    strength and the gate are 1, and X is the value. `place` is the number of the head among those of its model.
    """

    name: str
    E: np.ndarray  # (J or 1, n) exp(e − m), with m over the full history, masked events included
    X: np.ndarray  # (J, n) strength × value × gate
    beta: float
    theta: float
    factors: Callable[[int], Factors] | None = None
    place: int = 0

    def cells(self, live: np.ndarray, at: int = 0) -> HeadCells:
        """The cells of the target in row `at`, where the events in `live` (n,) count."""
        n = self.X.shape[1]
        own = Factors(np.ones(n), self.X[at][:, None], 1.0) if self.factors is None else self.factors(at)
        row = 0 if len(self.E) == 1 else at
        E = self.E[row : row + 1]
        return head_cells(self.name, E, live, self.beta, self.theta, place=self.place, **own._asdict())


class HeadCells(NamedTuple):
    """One head for one target: contribution[i, f] = weight[i] · strength[i] · value[i, f] · gate."""

    name: str
    features: tuple[str, ...]  # (F,) names; ("",) where the value does not split
    weight: np.ndarray  # (n,)
    strength: np.ndarray  # (n,)
    value: np.ndarray  # (n, F)
    gate: float
    blocks: tuple[str, ...] = ()  # as in Factors
    numbers: tuple[int, ...] = ()  # as in Factors
    place: int = 0  # the number of the head among those of its model
    sides: tuple[str, ...] = ()  # as in Factors

    @property
    def contribution(self) -> np.ndarray:
        """(n, F) cells of the ledger."""
        share: np.ndarray = self.weight * self.strength * self.gate
        cells: np.ndarray = share[:, None] * self.value
        return cells


def fields_scores(fields: Sequence[HeadField], live: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Scores (J,) float64 of the targets with `base` (J,): eq. 3."""
    out = base.astype(np.float64)
    for field in fields:
        add_field_scores(out, field.E, field.X, live, field.beta, field.theta)
    return out


def fields_masked(fields: Sequence[HeadField], live: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Scores (R, J) under the maskings `live` (R, n), each to the bits of `fields_scores`."""
    return np.array([fields_scores(fields, row, base) for row in live]).reshape(len(live), len(base))


def fields_without_each(fields: Sequence[HeadField], live: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Scores (J, n) with each event masked in turn, together with those that are masked already: eq. 18."""
    out = np.repeat(base.astype(np.float64)[:, None], len(live), axis=1)
    for field in fields:
        add_field_without_each(out, field.E, field.X, live, field.beta, field.theta)
    return out


def head_cells(
    name: str,
    E: np.ndarray,
    live: np.ndarray,
    beta: float,
    theta: float,
    *,
    strength: np.ndarray,
    value: np.ndarray,
    gate: float,
    features: tuple[str, ...] = ("",),
    blocks: tuple[str, ...] = (),
    numbers: tuple[int, ...] = (),
    sides: tuple[str, ...] = (),
    place: int = 0,
) -> HeadCells:
    """The cells of one head for one target; `E` (1, n), `value` (n, F)."""
    weight = field_weights(E, live, beta, theta)[0]
    value = value.astype(np.float64, copy=False)
    return HeadCells(name, features, weight, strength, value, float(gate), blocks, numbers, place, sides)
