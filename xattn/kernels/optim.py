"""Steps of gradient descent on parameters, in place: SGD and Adam with decoupled weight decay; whole arrays or rows.

    SGD     p ← (1 − ηλ) p − η g
    Adam    m ← m + (1 − β₁)(g − m),   v ← v + (1 − β₂)(g² − v),
            p ← (1 − ηλ) p − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)

Adam: Kingma & Ba, ICLR 2015; λ outside of the moments: Loshchilov & Hutter, ICLR 2019. η is the learning rate, t counts
the steps from 1. All arrays of one parameter have its type, float32 or float64, and so has the arithmetic.

The *rows* variant steps only some rows of a table, as a mini-batch that looks up few embeddings asks for: the moments
of the other rows stay as they are (no decay while unused), t is that of all. So a row that is first seen late moves by
up to (1 − β₁)/√(1 − β₂) η, about 3 η.

Every entry is owned by one iteration: results are bitwise equal at every thread count. NaN in a gradient reaches its
parameter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numba import prange

from xattn.errors import refuse
from xattn.kernels.compile import Kernel, compiled

__all__ = ["SGD", "Adam"]

BLOCK = 4096  # entries of one iteration: 16 kB of float32 an array, four arrays of it fit into the second-level cache
STEP_WORK = 1  # operations an entry, when the twin is chosen: parallel from 200,000 entries, some 0.3 ms
EPSILON = 1e-8  # of Adam, as in the paper


# --- SGD --------------------------------------------------------------------------------------------------------------


@compiled
def _sgd_span(p, g, rate, keep):  # type: ignore[no-untyped-def]
    """Steps p in place."""
    for i in range(p.shape[0]):
        p[i] = keep * p[i] - rate * g[i]


@Kernel
def _step_sgd(p, g, rate, keep):  # type: ignore[no-untyped-def]
    """Steps p in place."""
    for block in prange((p.shape[0] + BLOCK - 1) // BLOCK):
        low = np.int64(block) * BLOCK  # prange counts in uint64
        high = min(low + BLOCK, p.shape[0])
        _sgd_span(p[low:high], g[low:high], rate, keep)


@Kernel
def _step_sgd_rows(P, rows, G, rate, keep):  # type: ignore[no-untyped-def]
    """Steps the rows `rows` (R,), all different, of P (N, d) in place by the gradients G (R, d)."""
    for r in prange(rows.shape[0]):
        _sgd_span(P[rows[r]], G[r], rate, keep)


# --- Adam -------------------------------------------------------------------------------------------------------------


@compiled
def _adam_span(p, m, v, g, rate, keep, mix1, mix2, scale, epsilon):  # type: ignore[no-untyped-def]
    """Steps p, m and v in place; `rate` = η/(1 − β₁ᵗ), `keep` = 1 − ηλ, `mix` = 1 − β, `scale` = 1/(1 − β₂ᵗ)."""
    for i in range(p.shape[0]):
        m[i] += mix1 * (g[i] - m[i])
        v[i] += mix2 * (g[i] * g[i] - v[i])
        p[i] = keep * p[i] - rate * m[i] / (np.sqrt(scale * v[i]) + epsilon)


@Kernel
def _step_adam(p, m, v, g, rate, keep, mix1, mix2, scale, epsilon):  # type: ignore[no-untyped-def]
    """Steps p, m and v in place."""
    for block in prange((p.shape[0] + BLOCK - 1) // BLOCK):
        low = np.int64(block) * BLOCK
        high = min(low + BLOCK, p.shape[0])
        _adam_span(p[low:high], m[low:high], v[low:high], g[low:high], rate, keep, mix1, mix2, scale, epsilon)


@Kernel
def _step_adam_rows(P, M, V, rows, G, rate, keep, mix1, mix2, scale, epsilon):  # type: ignore[no-untyped-def]
    """Steps the rows `rows` (R,), all different, of P, M, V (N, d) in place by the gradients G (R, d)."""
    for r in prange(rows.shape[0]):
        k = rows[r]
        _adam_span(P[k], M[k], V[k], G[r], rate, keep, mix1, mix2, scale, epsilon)


# --- the optimisers that others call ----------------------------------------------------------------------------------


class _Optimiser(ABC):
    """`params`: name → array in one block of memory, written in place from now on.

    `weight_decay` λ ≥ 0 of all, or of those that a mapping names (0 of the others).
    """

    def __init__(
        self, params: Mapping[str, np.ndarray], lr: float, weight_decay: float | Mapping[str, float] = 0.0
    ) -> None:
        for name, p in params.items():
            if not p.flags.c_contiguous:  # a flat view would be a copy, and every step would be lost
                refuse("one_block", name=name, got=p.strides)
        self.params = dict(params)
        self.lr = float(lr)
        self.weight_decay = (
            dict(weight_decay) if isinstance(weight_decay, Mapping) else dict.fromkeys(params, float(weight_decay))
        )

    def step(
        self,
        grads: Mapping[str, np.ndarray],
        lr: float | None = None,
        rows: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """One step by `grads`: name → array of the parameter's shape and type. What is not named stays.

        `lr` is the learning rate of this step (default: the optimiser's). `rows`: name → row numbers (R,), all
        different, of a table (N, d) whose gradient is (R, d): only these rows are stepped.
        """
        self._begin()
        rate = self.lr if lr is None else float(lr)
        for name, g in grads.items():
            p, keep = self.params[name], 1.0 - rate * self.weight_decay.get(name, 0.0)
            if rows is not None and name in rows:
                self._step_rows(name, p, rows[name], np.ascontiguousarray(g), rate, keep)
            else:
                self._step_all(name, p.reshape(-1), np.ascontiguousarray(g).reshape(-1), rate, keep)

    def _begin(self) -> None:  # noqa: B027  (what most optimisers have nothing to do at)
        """Called once a step, before any parameter is touched."""

    @abstractmethod
    def _step_all(self, name: str, p: np.ndarray, g: np.ndarray, rate: float, keep: float) -> None: ...

    @abstractmethod
    def _step_rows(
        self, name: str, P: np.ndarray, rows: np.ndarray, G: np.ndarray, rate: float, keep: float
    ) -> None: ...


class SGD(_Optimiser):
    """Plain gradient descent: no momentum, no state.

    >>> params = {"p": np.ones(3)}
    >>> SGD(params, lr=0.5).step({"p": np.array([1.0, 0.0, -1.0])})
    >>> params["p"]
    array([0.5, 1. , 1.5])
    """

    def _step_all(self, name: str, p: np.ndarray, g: np.ndarray, rate: float, keep: float) -> None:
        number = p.dtype.type
        _step_sgd(p, g, number(rate), number(keep), work=STEP_WORK * p.size)

    def _step_rows(self, name: str, P: np.ndarray, rows: np.ndarray, G: np.ndarray, rate: float, keep: float) -> None:
        number = P.dtype.type
        _step_sgd_rows(P, rows, G, number(rate), number(keep), work=STEP_WORK * G.size)


class Adam(_Optimiser):
    """Adam with decoupled weight decay. Holds two moments as large as the parameters, and the count of steps `t`.

    >>> params = {"p": np.ones(3)}
    >>> Adam(params, lr=0.1).step({"p": np.array([5.0, 0.0, -0.1])})
    >>> params["p"].round(6)
    array([0.9, 1. , 1.1])
    """

    def __init__(
        self,
        params: Mapping[str, np.ndarray],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float | Mapping[str, float] = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.betas = betas
        self.t = 0
        self._m = {name: np.zeros_like(p) for name, p in self.params.items()}
        self._v = {name: np.zeros_like(p) for name, p in self.params.items()}

    def _begin(self) -> None:
        self.t += 1

    def _numbers(self, dtype: np.dtype, rate: float, keep: float) -> list[np.floating]:
        """The scalars of one step in the parameter's type, so that float32 stays float32."""
        one, two = self.betas
        numbers = (rate / (1 - one**self.t), keep, 1 - one, 1 - two, 1 / (1 - two**self.t), EPSILON)
        return [dtype.type(x) for x in numbers]

    def _step_all(self, name: str, p: np.ndarray, g: np.ndarray, rate: float, keep: float) -> None:
        m, v = self._m[name].reshape(-1), self._v[name].reshape(-1)
        _step_adam(p, m, v, g, *self._numbers(p.dtype, rate, keep), work=STEP_WORK * p.size)

    def _step_rows(self, name: str, P: np.ndarray, rows: np.ndarray, G: np.ndarray, rate: float, keep: float) -> None:
        _step_adam_rows(
            P, self._m[name], self._v[name], rows, G, *self._numbers(P.dtype, rate, keep), work=STEP_WORK * G.size
        )
