"""What Hypothesis may draw: small tables of ordinary and extreme numbers, with masks and ties; heads; histories."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

ROWS, WIDTH, COORDINATES = 3, 9, 5
GARBAGE = (np.nan, np.inf, -np.inf, 1e38, -1e38)  # what a masked place may hold

temperatures = st.sampled_from((0.25, 1.0, 1.7, 10.0))
betas = st.sampled_from((0.0, 0.5, 0.8, 1.0))
thetas = st.sampled_from((0.0, 0.07, 0.3))


class Logits(NamedTuple):
    e: np.ndarray  # (R, n)
    mask: np.ndarray  # (R, n) bool


def numbers(size: float, dtype: type = np.float64) -> st.SearchStrategy[float]:
    """Numbers up to `size`, zeros and subnormals included; all exact in `dtype`."""
    width = 32 if dtype is np.float32 else 64
    size = float(np.float32(size)) if width == 32 else size
    return st.floats(-size, size, width=width, allow_subnormal=True)


def tables(rows: int, columns: int, size: float = 8.0, dtype: type = np.float64) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(dtype, (rows, columns), elements=numbers(size, dtype))


@st.composite
def logits(draw: st.DrawFn, size: float = 30.0, dtype: type = np.float64, min_width: int = 0) -> Logits:
    """A table of finite logits with a mask; rows may be empty or masked out altogether."""
    rows = draw(st.integers(1, ROWS))
    n = draw(st.integers(min_width, WIDTH))
    e = draw(tables(rows, n, size, dtype))
    return Logits(e, draw(hnp.arrays(np.bool_, (rows, n))))


@st.composite
def garbage(draw: st.DrawFn, case: Logits) -> np.ndarray:
    """The same logits with anything at all in the masked places."""
    junk = draw(hnp.arrays(case.e.dtype, case.e.shape, elements=st.sampled_from(GARBAGE)))
    return np.where(case.mask, case.e, junk).astype(case.e.dtype)


@st.composite
def pairs(draw: st.DrawFn, size: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Queries (R, d) and keys (n, d)."""
    d = draw(st.integers(1, COORDINATES))
    return draw(tables(draw(st.integers(1, ROWS)), d, size)), draw(tables(draw(st.integers(0, WIDTH)), d, size))


@st.composite
def tied_scores(draw: st.DrawFn) -> np.ndarray:
    """Score tables full of ties, with NaN, both zeros and both infinities."""
    values = st.sampled_from((0.0, -0.0, 1.0, 2.0, -1.0, np.nan, np.inf, -np.inf))
    shape = (draw(st.integers(1, ROWS)), draw(st.integers(0, 12)))
    return draw(hnp.arrays(np.float64, shape, elements=values))


# --- heads ------------------------------------------------------------------------------------------------------------


class Field(NamedTuple):
    """A head over J targets × n events; E has J rows, or one for all."""

    E: np.ndarray
    X: np.ndarray
    live: np.ndarray


@st.composite
def fields(draw: st.DrawFn, gap: float = 600.0) -> Field:
    """E = exp(−gap) with a 1 in each row (live or not), now and then 0; signed X; events masked, perhaps all."""
    J, n = draw(st.integers(1, ROWS)), draw(st.integers(0, WIDTH))
    rows = draw(st.sampled_from((1, J)))
    E = np.exp(-draw(hnp.arrays(np.float64, (rows, n), elements=st.floats(0.0, gap) | st.just(np.inf))))
    if n:
        E[np.arange(rows), draw(hnp.arrays(np.int64, rows, elements=st.integers(0, n - 1)))] = 1.0
    X = np.round(draw(tables(J, n)), 3)  # no number so small that a product with E would lose its digits
    return Field(E, X, draw(hnp.arrays(np.bool_, n)))


class Prefixed(NamedTuple):
    """Ragged histories of items 0..M−1, of which C have rows; strengths w (H, N), head scales."""

    indptr: np.ndarray
    item: np.ndarray
    row_of_item: np.ndarray
    C: int
    w: np.ndarray
    tau: np.ndarray
    beta: np.ndarray

    @property
    def row(self) -> np.ndarray:
        return self.row_of_item[self.item]

    @property
    def rho(self) -> np.ndarray:
        return np.exp(-1.0 / self.tau)


@st.composite
def prefixed(draw: st.DrawFn) -> Prefixed:
    """Up to 4 users with up to 8 events each, of 5 items that come back; the τ keep all powers of ρ well over 1e-12."""
    M = 5
    users = draw(st.lists(st.lists(st.integers(0, M - 1), max_size=8), max_size=4))
    indptr = np.cumsum([0, *map(len, users)])
    item = np.array([i for user in users for i in user], dtype=np.int64)
    warm = np.flatnonzero(draw(hnp.arrays(np.bool_, M)))
    row_of_item = np.full(M, -1, np.int64)
    row_of_item[warm] = np.arange(warm.size)
    H = draw(st.integers(1, 3))
    w = draw(hnp.arrays(np.float64, (H, item.size), elements=st.sampled_from((1.0, -1.0, 0.5, -0.3, 0.0))))
    tau = draw(hnp.arrays(np.float64, H, elements=st.sampled_from((1.0, 3.0, 20.0, 1e9))))
    beta = draw(hnp.arrays(np.float64, H, elements=betas))
    return Prefixed(indptr, item, row_of_item, int(warm.size), w, tau, beta)
