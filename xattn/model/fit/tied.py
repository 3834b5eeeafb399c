"""One table of items in place of three: what sparse data can teach of an item is taught once.

    S_x = own_x + Σ_f F_xf T_f            an item is itself and its features
    X = E = √d S,   U = S                 what the encoder reads, what the heads read, and what is asked for

Where an item has a dozen events, three tables of its own learn a third of that each, and an item of few events learns
next to nothing; features that it shares with others say something of it from the start. What is trained is S and T;
the network, its gradients and what is served know X, E and U alone, which are made of them. √d because a state has a
mean square of 1, and a target is short at the start.

Sources: one table for both ends, Kang & McAuley (ICDM 2018); an item as the sum of its features, Rendle (ICDM 2010).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy import sparse

__all__ = ["Tied"]

SPREAD = 0.02  # standard deviation of both tables at the start
TABLES = ("X", "E", "U")


class Tied(NamedTuple):
    """`F` (C + 1, f) features of the rows, none of the last; and √d."""

    F: sparse.csr_array
    up: np.float32

    @classmethod
    def of(cls, F: sparse.csr_array, d: int) -> Tied:
        """For `F` (C, f) of the items with a row of their own."""
        none = sparse.csr_array((1, F.shape[1]), dtype=np.float32)
        return cls(sparse.csr_array(sparse.vstack([F.astype(np.float32), none])), np.float32(d**0.5))

    def start(self, params: Mapping[str, np.ndarray], rng: Generator) -> dict[str, np.ndarray]:
        """What is trained, in place of the `params` of a network before training."""
        rows, d = params["X"].shape
        drawn = {"S": rng.normal(0, SPREAD, (rows, d)), "T": rng.normal(0, SPREAD, (self.F.shape[1], d))}
        rest = {name: table for name, table in params.items() if name not in TABLES}
        return rest | {name: table.astype(params["X"].dtype) for name, table in drawn.items()}

    def made(self, trained: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The parameters of the network."""
        S = trained["S"] + self.F @ trained["T"]
        params = {name: table for name, table in trained.items() if name not in ("S", "T")}
        return params | {"X": self.up * S, "E": self.up * S, "U": np.ascontiguousarray(S[:-1])}

    def made_backward(self, grads: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Gradients of what is trained, from those of the parameters."""
        dS = self.up * (grads["X"] + grads["E"])
        dS[:-1] += grads["U"]
        rest = {name: g for name, g in grads.items() if name not in TABLES}
        return rest | {"S": dS, "T": np.ascontiguousarray(self.F.T @ dS)}
