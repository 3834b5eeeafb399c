"""SciPy's tests of softmax and log_softmax (against mpmath with 200 digits, rtol 1e-13), run on our functions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
CASES = 17  # 5 of softmax, 12 of log_softmax


def judged(tmp_path: Path, error: str = "0") -> tuple[int, str]:
    """Run them in a process of their own; returns its exit code and what it printed."""
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n", "utf-8")  # ours are not for them
    options = ["-q", "-p", "no:cacheprovider", "-p", "swap_plugin", "-c", str(settings), "--rootdir", str(tmp_path)]
    paths = os.pathsep.join([str(FOLDER), str(FOLDER.parents[1])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--pyargs", "scipy.special.tests.test_logsumexp", "-k", "Softmax"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "XATTN_SWAP_ERROR": error, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def test_all_of_them_pass(tmp_path: Path) -> None:
    code, said = judged(tmp_path)
    assert code == 0, said[-3000:]
    assert re.search(rf"^{CASES} passed, \d+ deselected", said, re.MULTILINE), said[-500:]
    calls = re.search(r"calls of ours: \{'softmax': (\d+), 'log_softmax': (\d+)\}", said)
    assert calls, said[-500:]
    assert min(map(int, calls.groups())) >= 5


def test_an_error_of_a_millionth_of_a_millionth_is_noticed(tmp_path: Path) -> None:
    code, said = judged(tmp_path, "1e-12")
    assert code == 1
    assert re.search(r"^[5-9] failed|^1[0-7] failed", said, re.MULTILINE), said[-500:]
