"""The encoder of deep heads as it serves: what it makes of one history under many maskings (docs/model.md, eq. 35).

    live     1 1 1 1 1      known: the states of all positions
    masking  1 0 1 1 1      computed anew: from position 2 on; 0 stays, because states look back only

The queries, keys and values of the first block stay everywhere: they know one event alone. All numbers are float64, and
a state has the same bits whether it is computed alone or beside others, so what is announced for a masking is what is
served under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Self

import numpy as np

from xattn.kernels.compile import num_threads, serial_kernels
from xattn.kernels.encoder import attended, looked, normed_rows, silu_of
from xattn.kernels.scorers.dots import LaidOut
from xattn.model.deep import EPSILON
from xattn.model.sequence import Shape

__all__ = ["Encoder", "Looks", "Sight", "Window"]

TOGETHER = 256  # rows that pass through the blocks together: their products stay in the cache of a core


class _Block(NamedTuple):
    """The matrices of one block."""

    qkv: LaidOut
    o: LaidOut
    inner: LaidOut
    outer: LaidOut
    norms: np.ndarray  # (2, d)
    bias: np.ndarray  # (heads, L)


class Encoder(NamedTuple):
    """The trained numbers as products take them; `Wo` (H · dk, d), `r` (H, L), `hn` and `on` (d,)."""

    blocks: tuple[_Block, ...]
    q: LaidOut
    keys: tuple[LaidOut, ...]  # Wk of each head, from its other side
    gates: LaidOut
    v: LaidOut
    o: LaidOut
    Wo: np.ndarray
    r: np.ndarray
    hn: np.ndarray
    on: np.ndarray
    shape: Shape

    @classmethod
    def of(cls, params: Mapping[str, np.ndarray], shape: Shape) -> Self:
        p = {name: table.astype(np.float64) for name, table in params.items() if name not in ("X", "E", "U", "b")}
        blocks = []
        for b in range(shape.blocks):
            qkv, o, inner, outer = (LaidOut.of(p[name][b].T) for name in ("Bqkv", "Bo", "B1", "B2"))
            blocks.append(_Block(qkv, o, inner, outer, p["Bn"][b], p["Br"][b]))
        Wq, Wk, Wg = np.split(p["Wqkg"], 3, axis=1)
        keys = tuple(LaidOut.of(W) for W in np.split(Wk, shape.H, axis=1))
        q, g, v, o = (LaidOut.of(W.T) for W in (Wq, Wg, p["Wv"], p["Wo"]))
        return cls(tuple(blocks), q, keys, g, v, o, p["Wo"], p["r"], p["hn"], p["on"], shape)

    def said(self, looks: Looks, stay: np.ndarray | None = None) -> np.ndarray:
        """(R, d) what is read, before α and the targets; of the heads for which `stay` (H · dk,) is 1."""
        m = looks.g * looks.S
        y, c = self._normed(self.o.product(m))
        return y if stay is None else self.o.product(m * stay) * c[:, None] * self.on

    def terms(
        self, look: Looks, w: np.ndarray, v: np.ndarray, seen: np.ndarray, stay: np.ndarray | None = None
    ) -> np.ndarray:
        """(m, d) what `said` adds up for one masking, event by event: `w` (m,) and `v` (m, H · dk) of those `seen`."""
        c = self._normed(self.o.product(look.g * look.S))[1]
        a = np.repeat(look.A[0][:, seen] * w, self.shape.dk, axis=0).T
        gates = look.g[0] if stay is None else look.g[0] * stay
        return np.asarray(self.o.product(a * v * gates) * (c[0] * self.on))

    def asked(self, looks: Looks, u: np.ndarray) -> np.ndarray:
        """(R, H · dk): what a value is multiplied by and added up over each head, for a target `u` (d,)."""
        c = self._normed(self.o.product(looks.g * looks.S))[1]
        return np.asarray(looks.g * c[:, None] * (self.Wo @ (self.on * u)))

    def _normed(self, read: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is read (R, d), normed, and c (R,)."""
        if not self.shape.normed:
            return read * self.on, np.ones(len(read))
        return normed_rows(read, self.on, EPSILON)


class Looks(NamedTuple):
    """How the newest event of each of R maskings looks at n events, each of which has a live one."""

    A: np.ndarray  # (R, H, n) weights
    S: np.ndarray  # (R, H · dk) what is read, before the gates
    g: np.ndarray  # (R, H · dk) gates


class Window(NamedTuple):
    """n events as the encoder takes them: `x` and `e` (n, d) their rows of both tables in float64, `age` (n,) under L,
    falling, which are `live` and how strong (`w`)."""

    x: np.ndarray
    e: np.ndarray
    age: np.ndarray
    live: np.ndarray
    w: np.ndarray


class _States(NamedTuple):
    """What the blocks make of N positions."""

    qkv: list[np.ndarray]  # a block: (N, 3d)
    h: np.ndarray  # (N, d)


class Sight(NamedTuple):
    """What the encoder makes of a window."""

    encoder: Encoder
    window: Window
    alone: np.ndarray  # (n, 3d) the first block's queries, keys and values
    v: np.ndarray  # (n, H · dk) the values, before the gates
    states: _States  # of all positions, when the live events count

    @classmethod
    def of(cls, encoder: Encoder, window: Window) -> Self:
        first = encoder.blocks[0]
        with serial_kernels():  # one history is too little work for the thread pool
            alone = first.qkv.product(_normed(window.x, first.norms[0]))
            v, none = encoder.v.product(window.e), np.zeros(1, np.int64)
            return cls(encoder, window, alone, v, _run(encoder, window, alone, None, window.live[None], none, none))

    def looks(self, live: np.ndarray, theta: float) -> Looks:
        """Under the maskings `live` (R, n), in each of which there is an event; weights under `theta` are 0."""
        R, n = live.shape
        other = live != self.window.live
        place = other.argmax(axis=1)  # the first that is masked, or is not any more
        first = np.where(other.any(axis=1), place + ~live[np.arange(R), place], n)
        parts = _together(n - first)
        if len(parts) == 1:
            return self._looks(live, first, theta)
        with ThreadPoolExecutor(num_threads()) as pool:
            found = list(pool.map(lambda part: self._looks(live[part], first[part], theta), parts))
        return Looks(*(np.concatenate(tables) for tables in zip(*found, strict=True)))

    def _looks(self, live: np.ndarray, first: np.ndarray, theta: float) -> Looks:
        encoder, window, known = self.encoder, self.window, self.states
        (R, n), H, dk = live.shape, encoder.shape.H, encoder.shape.dk
        at = np.cumsum(n - first) - (n - first)
        with serial_kernels():
            some = (first < n).any()
            fresh = _run(encoder, window, self.alone, known, live, first, at).h if some else known.h[:0]
            newest = n - 1 - live[:, ::-1].argmax(axis=1)
            h, new = known.h[newest], newest >= first
            h[new] = fresh[(at + newest - first)[new]]
            asked = encoder.q.product(h, dk**-0.5).reshape(R, H, dk).transpose(1, 0, 2)
            q = np.stack([keys.product(own) for keys, own in zip(encoder.keys, asked, strict=True)], axis=1)
            rows = (known.h, fresh, first, at, live)
            A, S = looked(*rows, q, self.v, window.w, window.age, encoder.r, encoder.shape.beta, theta)
            return Looks(A, S, silu_of(encoder.gates.product(h) + 1.0))


def _run(
    encoder: Encoder,
    window: Window,
    alone: np.ndarray,
    known: _States | None,
    live: np.ndarray,
    first: np.ndarray,
    at: np.ndarray,
) -> _States:
    """The states of the positions from `first` (R,) on under the maskings `live` (R, n), one masking after another."""
    rows = np.concatenate([np.arange(low, live.shape[1]) for low in first.tolist()])
    x, found = window.x[rows], []
    for b, block in enumerate(encoder.blocks):
        qkv = alone[rows] if b == 0 else block.qkv.product(_normed(x, block.norms[0]))
        before = qkv if known is None else known.qkv[b]
        x += block.o.product(attended(before, qkv, first, at, live, window.age, block.bias))
        x += block.outer.product(silu_of(block.inner.product(_normed(x, block.norms[1]))))
        found.append(qkv)
    return _States(found, _normed(x, encoder.hn))


def _normed(x: np.ndarray, g: np.ndarray) -> np.ndarray:
    return normed_rows(x, g, EPSILON)[0]


def _together(sizes: np.ndarray) -> list[slice]:
    """Parts of about TOGETHER rows."""
    part = (np.cumsum(sizes) - sizes) // TOGETHER
    cuts = np.flatnonzero(np.diff(part, prepend=-1)).tolist()
    return [slice(low, high) for low, high in zip(cuts, [*cuts[1:], len(sizes)], strict=True)]
