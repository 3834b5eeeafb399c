"""What the environment says about threads, held to its form before anything is computed with it.

    XATTN_NUM_THREADS    threads that our parallel kernels use
    NUMBA_NUM_THREADS    threads that Numba starts; it reads the variable when it is imported

Either is a whole number ≥ 1, or not set. Numba answers a zero with a traceback and other words with a warning, so both
are looked at before Numba is imported, and before a command does anything.
"""

from __future__ import annotations

import os

from xattn.errors.tree import refuse

__all__ = ["THREADS", "check_environment", "threads_of"]

THREADS = ("XATTN_NUM_THREADS", "NUMBA_NUM_THREADS")
MOST_DIGITS = 9


def threads_of(name: str) -> int | None:
    """The number of threads that the environment variable `name` says; None where it is not set, or is empty.

    >>> os.environ["XATTN_NUM_THREADS"] = "many"
    >>> threads_of("XATTN_NUM_THREADS")
    Traceback (most recent call last):
    xattn.errors.InputError: `XATTN_NUM_THREADS` in the environment must be a whole number >= 1, or not set; got 'many'.
    >>> del os.environ["XATTN_NUM_THREADS"]
    """
    said = os.environ.get(name, "")
    if not said.strip():
        return None
    digits = said.strip()
    if not digits.isdecimal() or len(digits) > MOST_DIGITS or not int(digits):
        refuse("environment_threads", name=name, got=said)
    return int(digits)


def check_environment() -> None:
    """Raise InputError where a variable that says how many threads there are says something else."""
    for name in THREADS:
        threads_of(name)
