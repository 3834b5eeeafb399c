"""Files that a command is asked to write: judged before any work is done, so that a refusal changes nothing."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from xattn.errors import InputError, shown

__all__ = ["output", "outputs"]


def outputs(named: Mapping[str, str | None], read: Collection[str | None]) -> dict[str, Path]:
    """Option → the path behind its file, of the options that name one; `read` are the files that the command reads.

    Raises InputError for a path that cannot be written, is read, or is named by two options.
    """
    found: dict[str, Path] = {}
    for option, name in named.items():
        if name is None:
            continue
        path = output(option, name, read)
        for other, taken in found.items():
            if path == taken:
                raise InputError(f"--{option} must be another file than --{other}; got {shown(name)} for both.")
        found[option] = path
    return found


def output(option: str, name: str, read: Collection[str | None]) -> Path:
    """The path behind `name` (links followed), when a file can be made there and would replace none of `read`."""
    try:
        path = Path(name).resolve()
        mode = path.stat().st_mode if path.exists() else None
        if not name or (mode is not None and not stat.S_ISREG(mode)):
            got = "a folder" if path.is_dir() else "a device or pipe"
            raise InputError(f"--{option} must be a file; got {got}, {shown(name)}.")
        if any(known and os.path.exists(known) and path.samefile(known) for known in read if mode):
            raise InputError(f"--{option} must not be a file that the command reads; got {shown(name)}.")
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except (OSError, ValueError, RuntimeError) as problem:  # ValueError: a zero byte; RuntimeError: a ring of links
        if isinstance(problem, InputError):
            raise
        got = problem.strerror if isinstance(problem, OSError) and problem.strerror else type(problem).__name__
        must = f"--{option} must be a file in a folder that can be written"
        raise InputError(f"{must}; got {shown(name)} ({got}).") from None
