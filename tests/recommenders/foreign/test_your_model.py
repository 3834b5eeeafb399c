"""docs/your-model.md tells the truth: each of its programs runs, where its library is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "your-model.md").read_text("utf-8")
FILES = dict(re.findall(r"^\*\*`([\w.]+)`\*\*\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
NEEDS = {"als.py": "implicit", "sasrec.py": "torch"}


def test_every_block_of_the_page_is_a_file() -> None:
    assert list(FILES) == ["matrix.py", "als.py", "served.py", "sasrec.py"]
    assert PAGE.count("```python") == len(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_program_of_the_page_runs(name: str, tmp_path: Path) -> None:
    needed = NEEDS.get(name)
    if needed is not None and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    (tmp_path / name).write_text(FILES[name], "utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, name], cwd=tmp_path, capture_output=True, text=True, timeout=300, env=env, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-3000:]
