"""The exponential that kernels share, over its whole range."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import exp as exact
from mpmath import mpf, workdps
from numba import njit

from xattn.kernels.vectors import exp, exp_of_parts


@njit(error_model="numpy")
def of_all(x: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        y[i] = exp(x[i])
    return y


@njit(error_model="numpy")
def of_both(x: np.ndarray, rest: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        y[i] = exp_of_parts(x[i], rest[i])
    return y


def errors(got: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Relative errors of normal results, in 2^-24 or 2^-53; absolute ones of others, in the least number."""
    with workdps(40):
        want = [exact(mpf(float(v))) for v in x]
        info = np.finfo(x.dtype)
        u, eta = mpf(float(info.eps)) / 2, mpf(float(info.smallest_subnormal))
        normal = [w >= float(info.tiny) for w in want]
        relative = [abs(mpf(float(g)) / w - 1) / u for g, w, n in zip(got, want, normal, strict=True) if n]
        below = [abs(mpf(float(g)) - w) / eta for g, w, n in zip(got, want, normal, strict=True) if not n]
    return np.array(relative, float), np.array(below, float)


@pytest.mark.parametrize(("dtype", "end", "bound"), [(np.float32, -120.0, 1.4), (np.float64, -800.0, 1.6)])
def test_it_is_right_over_its_whole_range(dtype: type, end: float, bound: float) -> None:
    """Also in the last digits beside every multiple of ln 2 / 2, where the reduction changes over."""
    turns = (-np.log(2.0) / 2 * np.arange(300)).astype(dtype)
    x = np.concatenate(
        [np.linspace(end, 0, 3001), -np.geomspace(1e-40, 1, 300), [-0.0, np.finfo(dtype).smallest_subnormal * -1]]
    ).astype(dtype)
    x = np.concatenate([x, turns, np.nextafter(turns, dtype(0)), np.nextafter(turns, dtype(-np.inf))])
    relative, below = errors(of_all(x), x)
    assert relative.max() < bound
    assert below.max() <= 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values(dtype: type) -> None:
    x = np.array([0.0, -0.0, -np.inf, -1e30, np.nan], dtype)
    np.testing.assert_array_equal(of_all(x), np.array([1, 1, 0, 0, np.nan], dtype))


def test_a_rest_counts() -> None:
    x = np.linspace(-80, -1, 500).astype(np.float32)
    rest = (x * np.float32(2**-25)).astype(np.float32)
    got, want = of_both(x, rest), np.exp(x.astype(float) + rest)
    assert np.abs(got / want - 1).max() < 1.4 * 2**-24
    assert np.abs(of_all(x) / want - 1).max() > 20 * 2**-24


def test_one_number_and_many_have_the_same_bits() -> None:
    """A loop becomes vector code with a rest of single steps: both must round alike."""
    x = np.linspace(-90, 0, 1003).astype(np.float32)
    np.testing.assert_array_equal(of_all(x), [of_all(x[i : i + 1])[0] for i in range(len(x))])
