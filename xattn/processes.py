"""Processes of our own, started afresh (spawn): they must not run a page of the server that starts them."""

from __future__ import annotations

import sys
import threading
from multiprocessing.process import BaseProcess
from types import ModuleType

__all__ = ["start"]

_one_starts = threading.Lock()


def start(process: BaseProcess) -> None:
    """Start a process. A `__main__` that nothing loaded is hidden from it.

    A spawned process runs the script of its parent once more, to find what that defines. Streamlit puts the page that
    it draws in the place of the script; a page that runs in the child fails, or starts children itself.
    """
    with _one_starts:
        script = sys.modules["__main__"]
        if getattr(script, "__loader__", None) is None:
            sys.modules["__main__"] = ModuleType("__main__")
        try:
            process.start()
        finally:
            sys.modules["__main__"] = script
