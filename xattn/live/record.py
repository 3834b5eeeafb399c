"""What is kept of a list that was served: its items, and of each the score, the base, the propensity and its ledger.

The ledger in short: what each event of the history contributed to each item, all heads together. It sums to
score − base. So a list can be explained after its model is gone.

    numbers   k scores, k bases, k propensities, k × n contributions     float64, in this order, as bytes
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Numbers"]


class Numbers(NamedTuple):
    """The record of k listed items and n events: `scores`, `bases`, `propensities` (k,), `ledger` (k, n)."""

    scores: np.ndarray
    bases: np.ndarray
    propensities: np.ndarray
    ledger: np.ndarray

    def to_bytes(self) -> bytes:
        """As the store holds them."""
        parts = [np.ascontiguousarray(part, "<f8").tobytes() for part in self]
        return b"".join(parts)

    @classmethod
    def of(cls, raw: bytes, k: int) -> Numbers:
        """The record of a list of `k` items in the store."""
        flat = np.frombuffer(raw, "<f8")
        ledger = flat[3 * k :].reshape(k, -1) if k else np.empty((0, 0))
        return cls(flat[:k], flat[k : 2 * k], flat[2 * k : 3 * k], ledger)
