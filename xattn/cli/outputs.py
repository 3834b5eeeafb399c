"""Files that a command is asked to write: judged before any work is done, so that a refusal changes nothing."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from xattn.errors import refuse
from xattn.files import check_output

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
                refuse("one_file_twice", option=option, other=other, got=name)
        found[option] = path
    return found


def output(option: str, name: str, read: Collection[str | None]) -> Path:
    """The path behind `name` (links followed), when a file can be made there and would replace none of `read`."""
    path = check_output(name, f"--{option}")
    if path.exists() and any(known and os.path.exists(known) and path.samefile(known) for known in read):
        refuse("file_is_read", option=option, got=name)
    return path
