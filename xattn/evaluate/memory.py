"""Peak memory of this process, in megabytes, as the operating system counts it."""

from __future__ import annotations

import sys

__all__ = ["peak_megabytes"]


def peak_megabytes() -> float:
    """Largest resident set so far; NaN where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
