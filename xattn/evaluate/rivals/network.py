"""The network of SASRec (Kang and McAuley, ICDM 2018) as a table of tensors and one forward pass, in PyTorch.

    x_t = √d · E[item_t] + P[age_t]                      the events of one person, oldest first, with learned positions
    per block:  x += attend(norm(x)),  x += W₂ relu(W₁ norm(x))       causal: an event sees itself and what came before
    logits_t = norm(x_t) Eᵀ                              what comes after event t; E is shared by both ends

Sequences of a batch are filled up on the right, behind the newest event, where the causal mask lets nobody look. The
position of an event is its age, counted from the newest event of its sequence, as when all are filled up on the left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Network", "filled"]

SPREAD = 0.02  # of the initial weights


class Network:
    """Parameters `table` (name → tensor) for M items, and what they make of sequences; `torch` is the module."""

    def __init__(self, torch: Any, n_items: int, d: int, blocks: int, length: int, dropout: float) -> None:
        self.torch, self.d, self.blocks, self.dropout = torch, d, blocks, dropout
        shapes = {"item": (n_items, d), "position": (length, d), "last scale": (d,), "last shift": (d,)}
        for b in range(blocks):
            for name in ("query", "key", "value", "inner", "outer"):
                shapes |= {f"{b} {name}": (d, d), f"{b} {name} bias": (d,)}
            for name in ("attention", "feed"):
                shapes |= {f"{b} {name} scale": (d,), f"{b} {name} shift": (d,)}
        self.table = {name: self._first(name, shape) for name, shape in shapes.items()}

    def _first(self, name: str, shape: tuple[int, ...]) -> Any:
        torch = self.torch
        if len(shape) == 2:
            start = torch.randn(shape) * SPREAD
        else:
            start = torch.ones(shape) if name.endswith("scale") else torch.zeros(shape)
        return start.requires_grad_(True)

    def states(self, rows: Any, ages: Any, training: bool = False) -> Any:
        """(B, n, d) the state after each event, from item rows (B, n) and ages (B, n)."""
        F, P = self.torch.nn.functional, self.table

        def norm(x: Any, name: str) -> Any:
            return F.layer_norm(x, (self.d,), P[f"{name} scale"], P[f"{name} shift"])

        def linear(x: Any, name: str) -> Any:
            return F.linear(x, P[name], P[f"{name} bias"])

        def drop(x: Any) -> Any:
            return F.dropout(x, self.dropout, training)

        x = drop(P["item"][rows] * self.d**0.5 + P["position"][ages])
        for b in range(self.blocks):
            z = norm(x, f"{b} attention")
            q, k, v = (linear(z, f"{b} {name}") for name in ("query", "key", "value"))
            x = x + drop(F.scaled_dot_product_attention(q, k, v, is_causal=True))
            z = norm(x, f"{b} feed")
            x = x + drop(linear(drop(linear(z, f"{b} inner").relu()), f"{b} outer"))
        return norm(x, "last")

    def logits(self, states: Any) -> Any:
        """(…, M) of every item to come next."""
        return states @ self.table["item"].T


def filled(sequences: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, ages, there), all (B, n): sequences beside one another; behind an end row 0, age 0 and False.

    >>> [part.tolist() for part in filled([np.array([5, 6, 7]), np.array([8])])]
    [[[5, 6, 7], [8, 0, 0]], [[2, 1, 0], [0, 0, 0]], [[True, True, True], [True, False, False]]]
    """
    length = np.array([len(s) for s in sequences])
    place = np.arange(length.max(initial=1))
    there = place < length[:, None]
    rows = np.zeros(there.shape, np.int64)
    rows[there] = np.concatenate(sequences)
    return rows, np.where(there, length[:, None] - 1 - place, 0), there
