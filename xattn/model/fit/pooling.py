"""How prefixes are pooled in a fit: what each event leaves of the weights of those before it, and the normalisers.

A head that forgets by events shrinks all older weights by ρ = e^{−1/τ} with each event; one that forgets by time by
e^{−(days since the event before)/τ}. Either way the sums over all prefixes are products of two recurrences
(`xattn.kernels.gram`). A head with a floor c is two streams of that kind, one of which never forgets:

    z_t = c_t Σ_i (c + (1 − c) d_t Π_{i<e<t} ρ_e) w_i 1[x_i],       c_t = (Σ_i (…))^{−β}

where d_t is what the pause before the event at t leaves: the list is asked when that event comes. Their sums are
added up at the end. `root` is √ω of each event as the one that came next: what comes after a pause may count less as
evidence, ω = max(c, e^{−pause/τ}) (Park et al., TALE, WSDM 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.kernels.gram import normalisers, tails
from xattn.kernels.pauses import shared_normalisers
from xattn.model.fit.freshness import DAY
from xattn.model.memory import Memory, decay

__all__ = ["Pooled", "in_baskets", "pace_of", "pauses_of", "pooled_by_events", "pooled_by_memory"]

BASKETS = 0.5  # of the events of a set whose people fill baskets; of films rated one after another it is 0.22


class Pooled(NamedTuple):
    """S streams over N events, in the order of their heads: `rho` (S, N) shrinks the weights of older events as each
    event comes, `c` (S, N) normalises the prefix before it; `head` (S,) is whose stream it is; `root` (N,) or None."""

    rho: np.ndarray
    c: np.ndarray
    head: np.ndarray
    root: np.ndarray | None = None

    def of(self, event: np.ndarray) -> Pooled:
        """That of the events at these places, whole histories."""
        rho, c = (np.ascontiguousarray(x[:, event]) for x in (self.rho, self.c))
        return Pooled(rho, c, self.head, None if self.root is None else self.root[event])

    def followed_by(self, other: Pooled) -> Pooled:
        """That of the events of both, one after another."""
        root = None
        if self.root is not None and other.root is not None:
            root = np.append(self.root, other.root)
        rho, c = (np.concatenate(pair, axis=1) for pair in ((self.rho, other.rho), (self.c, other.c)))
        return Pooled(rho, c, self.head, root)

    @property
    def targets(self) -> np.ndarray:
        """(S, N) c times ω: what a prefix counts together with what came next."""
        return self.c if self.root is None else self.c * self.root**2

    def tails(self, indptr: np.ndarray) -> np.ndarray:
        """(S, S, N): the backward sweep of eq. 10."""
        return tails(indptr, self.rho, self.c if self.root is None else self.c * self.root)

    def strengths(self, w: np.ndarray) -> np.ndarray:
        """(S, N) from those of each head (H, N)."""
        return w if len(w) == len(self.head) else np.ascontiguousarray(w[self.head])

    # --- streams of one head, added up --------------------------------------------------------------------------------

    def heads(self, sums: np.ndarray) -> np.ndarray:
        """(H·C, …) from (S·C, …)."""
        H = int(self.head.max(initial=-1)) + 1
        if H == len(self.head):
            return sums
        C = len(sums) // len(self.head)
        out = np.zeros((H * C, *sums.shape[1:]), sums.dtype)
        for s, h in enumerate(self.head.tolist()):
            out[h * C : (h + 1) * C] += sums[s * C : (s + 1) * C]
        return out

    def blocks(self, A: np.ndarray) -> np.ndarray:
        """(H·C, H·C) from (S·C, S·C), both with their upper block triangle alone."""
        S, H = len(self.head), int(self.head.max(initial=-1)) + 1
        if S == H:
            return A
        C = len(A) // S
        out = np.zeros((H * C, H * C), A.dtype)
        for s, h in enumerate(self.head.tolist()):
            for r in range(s, S):
                block, g = A[s * C : (s + 1) * C, r * C : (r + 1) * C], int(self.head[r])
                own = out[h * C : (h + 1) * C, g * C : (g + 1) * C]
                own += block
                if r > s and h == g:
                    own += block.T
        return out

    def sparse_blocks(self, A: sparse.csr_array) -> sparse.csr_array:
        """The same of a sparse table."""
        S, H = len(self.head), int(self.head.max(initial=-1)) + 1
        if S == H:
            return A
        C = A.shape[0] // S
        coo = A.tocoo()
        row, column = coo.row.astype(np.int64), coo.col.astype(np.int64)
        s, r = row // C, column // C
        row, column = self.head[s] * C + row % C, self.head[r] * C + column % C
        both = (s < r) & (self.head[s] == self.head[r])
        rows, columns = np.append(row, column[both]), np.append(column, row[both])
        return sparse.csr_array((np.append(coo.data, coo.data[both]), (rows, columns)), shape=(H * C, H * C))

    def sparse_columns(self, B: sparse.csr_array) -> sparse.csr_array:
        """(C, H·C) from (C, S·C), sparse."""
        C, H = B.shape[0], int(self.head.max(initial=-1)) + 1
        coo = B.tocoo()
        column = coo.col.astype(np.int64)
        placed = (coo.row.astype(np.int64), self.head[column // C] * C + column % C)
        return sparse.csr_array((coo.data, placed), shape=(C, H * C))


def pooled_by_events(indptr: np.ndarray, tau: np.ndarray, beta: np.ndarray) -> Pooled:
    """Heads with scales `tau` (H,) in events, and exponents `beta` (H,)."""
    N = int(indptr[-1])
    rho = np.exp(-1.0 / tau)
    c = normalisers(indptr, rho, beta)
    return Pooled(np.repeat(rho[:, None], N, axis=1), c, np.arange(len(tau)))


def pauses_of(indptr: np.ndarray, time: np.ndarray) -> np.ndarray:
    """(N,) days from the event before to each event; 0 for the first of a history. `time` (N,) is in seconds."""
    pause = np.diff(time, prepend=time[:1]) / DAY
    pause[indptr[:-1][np.diff(indptr) > 0]] = 0.0
    return pause


def pace_of(indptr: np.ndarray, time: np.ndarray | None) -> float:
    """Days from one event to the next on average, over all histories; 1 where nothing tells."""
    if time is None or not len(time):
        return 1.0
    pause = pauses_of(indptr, time)
    steps = len(pause) - int((np.diff(indptr) > 0).sum())
    return float(pause.sum() / steps) if steps and pause.any() else 1.0


def in_baskets(indptr: np.ndarray, time: np.ndarray | None) -> bool:
    """Whether at least half of the events came at the very moment of the one before, and others later: people fill
    baskets, and come again."""
    if time is None:
        return False
    pause = pauses_of(indptr, time)
    steps = len(pause) - int((np.diff(indptr) > 0).sum())
    later = np.count_nonzero(pause)
    return bool(later > 0 and steps - later >= BASKETS * steps)


def pooled_by_memory(
    indptr: np.ndarray,
    pause: np.ndarray,
    memories: Sequence[Memory],
    beta: np.ndarray,
    forget: Memory | None = None,
) -> Pooled:
    """Heads with `memories` (H,), `beta` (H,), and pauses (N,) in days. By `forget` a pair counts less the longer the
    pause between its prefix and what came next."""
    N = len(pause)
    rho, lag, head = [], [], []
    for h, memory in enumerate(memories):
        if not memory.by_time:
            rho.append(np.full(N, np.exp(-1.0 / memory.tau)))
            lag.append(np.ones(N))
        else:
            rho.append(decay(pause, memory.tau))
            lag.append((1.0 - memory.floor) * rho[-1])
            if memory.floor > 0.0:
                head.append(h)
                rho.append(np.ones(N))
                lag.append(np.full(N, memory.floor))
        head.append(h)
    streams = np.array(head, np.int64)
    c = shared_normalisers(indptr, np.array(rho), np.array(lag), streams, beta)
    root = None
    if forget is not None:
        root = np.sqrt(np.maximum(forget.floor, decay(pause, forget.tau)))
    return Pooled(np.array(rho), c, streams, root)
