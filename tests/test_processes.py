"""A process that a page starts does not run the page."""

from __future__ import annotations

import sys
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import pytest

from xattn.processes import start


def _nothing() -> None:
    """What the child does."""


@pytest.mark.parametrize("hidden", [True, False])
def test_a_page_in_the_place_of_the_script_is_not_run(
    hidden: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the start of ours the page is run: that is what multiprocessing does with any script."""
    ran = tmp_path / "ran"
    page = ModuleType("__main__")
    page.__file__ = str(tmp_path / "page.py")
    Path(page.__file__).write_text(f"open({str(ran)!r}, 'w').close()")
    monkeypatch.setitem(sys.modules, "__main__", page)
    process = get_context("spawn").Process(target=_nothing)
    start(process) if hidden else process.start()
    process.join(60)
    assert process.exitcode == 0
    assert ran.exists() is not hidden
    assert sys.modules["__main__"] is page
