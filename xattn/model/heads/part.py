"""A head over targets, and what a score is: base plus the heads' sums over events (docs/model.md, eq. 1–3, 13).

`HeadField` is one head seen from J targets: unnormalised attention E and X = strength × value × gate. Scores, and
scores with any event masked, follow from it. `HeadCells` is the same for one target, factor by factor, as the ledger
prints it; its products are the terms of the same sum, so they add up to the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from xattn.kernels.fields import add_field_scores, add_field_without_each, field_weights

__all__ = ["Events", "HeadCells", "HeadField", "fields_scores", "fields_without_each", "head_cells"]


class Events(Protocol):
    """The events that a head attends to, oldest first; all arrays (n,)."""

    @property
    def item(self) -> np.ndarray: ...  # item rows
    @property
    def rating(self) -> np.ndarray | None: ...
    @property
    def age(self) -> np.ndarray: ...  # ≥ 0, 0 for the newest
    @property
    def live(self) -> np.ndarray: ...  # False where masked
    def __len__(self) -> int: ...


class HeadField(NamedTuple):
    """One head over J targets × n events. `E` may have one row, shared by all targets."""

    name: str
    E: np.ndarray  # (J or 1, n) exp(e − m), m over the full history, masked events included
    X: np.ndarray  # (J, n) strength × value × gate
    beta: float
    theta: float


class HeadCells(NamedTuple):
    """One head for one target: contribution[i, f] = weight[i] · strength[i] · value[i, f] · gate."""

    name: str
    features: tuple[str, ...]  # (F,) names; ("",) where the value does not split
    weight: np.ndarray  # (n,)
    strength: np.ndarray  # (n,)
    value: np.ndarray  # (n, F)
    gate: float
    blocks: tuple[str, ...] = ()  # (F,) the block of each feature; () where nothing splits
    numbers: tuple[int, ...] = ()  # (F,) the place of each feature in the list of the part; () where nothing splits

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


def fields_without_each(fields: Sequence[HeadField], live: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Scores (J, n) with each event masked in turn, beside those that already are: eq. 13."""
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
) -> HeadCells:
    """The cells of one head for one target; `E` (1, n), `value` (n, F)."""
    weight = field_weights(E, live, beta, theta)[0]
    return HeadCells(name, features, weight, strength, value.astype(np.float64), float(gate), blocks, numbers)
