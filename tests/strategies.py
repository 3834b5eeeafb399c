"""What Hypothesis may draw for the kernels: small tables of ordinary and extreme numbers, with masks and ties."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

ROWS, WIDTH, COORDINATES = 3, 9, 5
GARBAGE = (np.nan, np.inf, -np.inf, 1e38, -1e38)  # what a masked place may hold


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


temperatures = st.sampled_from((0.25, 1.0, 1.7, 10.0))
betas = st.sampled_from((0.0, 0.5, 0.8, 1.0))
