"""A pytest plugin that puts xattn's softmax and log_softmax in the place of SciPy's, for SciPy's own tests to judge.

XATTN_SWAP_ERROR=1e-12 makes ours wrong by that much, to see that the tests notice. The last line printed says how often
ours were called: tests of SciPy's own functions would pass as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import scipy.special
from scipy._lib._array_api import xp_capabilities

import xattn

ERROR = float(os.environ.get("XATTN_SWAP_ERROR", "0"))
calls: dict[str, int] = {}


def counted(name: str) -> Callable[..., Any]:
    ours = getattr(xattn, name)

    def function(x: Any, axis: Any = None) -> Any:
        calls[name] = calls.get(name, 0) + 1
        return ours(x, axis) * (1 + ERROR)

    function.__name__ = name
    return xp_capabilities()(function)  # type: ignore[no-any-return]


for name in ("softmax", "log_softmax"):
    setattr(scipy.special, name, counted(name))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.write_line(f"calls of ours: {calls}")
