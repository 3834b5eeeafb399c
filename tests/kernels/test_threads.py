"""Many sessions at once: eight Python threads in each parallel kernel, on every threading layer, survive and agree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="without the JIT there is no thread pool")
ROOT = Path(__file__).parents[2]


def hammer(*options: str, layer: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_THREADING_LAYER"}
    if layer:
        environment["NUMBA_THREADING_LAYER"] = layer
    command = [sys.executable, "-m", "tests.kernels.hammer", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_eight_threads_on_the_layer(layer: str) -> None:
    done = hammer(layer=layer)
    if layer == "omp" and done.stdout.startswith("workqueue"):
        pytest.skip("the system has no libgomp.so.1")
    assert (done.returncode, done.stdout.split()) == (0, [layer]), done.stderr[-2000:]


def test_eight_threads_where_no_thread_safe_layer_loads() -> None:
    done = hammer("fallback")
    assert (done.returncode, done.stdout.split()) == (0, ["workqueue"]), done.stderr[-2000:]


def test_without_the_lock_the_process_dies() -> None:
    """The fault that the lock is for: were it harmless here, the tests above would prove nothing."""
    done = hammer("unguarded", layer="workqueue")
    assert done.returncode != 0
    assert "Concurrent access has been detected" in done.stderr
