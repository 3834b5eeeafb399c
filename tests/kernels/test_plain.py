"""Each kernel says the same as plain Python, as machine code for one thread, and for any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from tests.checks import assert_within
from tests.kernels.cases import CASES
from tests.kernels.counts import COUNTS, REPEATS

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="without the JIT there is nothing to compare with"
)
ROOT = Path(__file__).parents[2]
ROOM = {"float32": 2e-5, "float64": 1e-12}  # of the largest number of a result: sums run in another order


def program(name: str, *args: str, **environment: str) -> str:
    command = [sys.executable, "-m", f"tests.kernels.{name}", *args]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    path = tmp_path_factory.mktemp("plain") / "plain.npz"
    program("plain", str(path), NUMBA_DISABLE_JIT="1")
    with np.load(path) as found:
        return dict(found)


@pytest.mark.parametrize("name", CASES)
def test_plain_python_agrees(name: str, plain: dict[str, np.ndarray]) -> None:
    case = CASES[name]
    for i, got in enumerate(case.run(case.kernel.serial)):
        want = plain[f"{name}/{i}"]
        assert got.dtype == want.dtype
        if got.dtype.kind == "f":
            size = np.abs(want[np.isfinite(want)]).max(initial=0.0)
            assert_within(got, want, absolute=ROOM[got.dtype.name] * size)
        else:
            np.testing.assert_array_equal(got, want)


def test_no_bit_depends_on_the_number_of_threads() -> None:
    """P20, with code that was compiled in a process of two threads and is loaded in one of eight."""
    said = program("counts", NUMBA_NUM_THREADS=str(max(COUNTS)))
    assert said.split("\n")[:-1] == [f"{len(CASES) * len(COUNTS) * REPEATS} runs"]
