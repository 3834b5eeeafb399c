"""docs/features.md: its code runs."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "features.md").read_text("utf-8")


def test_the_code_of_the_page_runs() -> None:
    found = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    exec(compile("\n".join(found), "docs/features.md", "exec"), {})
