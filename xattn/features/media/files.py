"""Files of pictures and sounds, which are anybody's: read from one folder alone, never from an address, within limits.

What cannot be used is left out and named: `Skipped` says which cell it was, and why. One broken picture is no reason to
refuse a thousand.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from xattn.data.feature_set import Skipped
from xattn.errors import refuse, shown
from xattn.i18n import t

__all__ = ["MOST_BYTES", "Decoded", "Unusable", "content", "decoded", "folder_of", "is_empty"]

MOST_BYTES = 20 * 2**20  # of a file
T = TypeVar("T")


class Unusable(Exception):
    """A file that is left out; `reason` is a key of the catalogue under "skipped."."""

    def __init__(self, reason: str) -> None:
        super().__init__(t(f"skipped.{reason}", "en"))
        self.reason = reason


class Decoded(NamedTuple):
    """What was made of the cell in one row."""

    row: int
    made: Any


def folder_of(folder: str | Path | None) -> Path | None:
    """The folder that files are read from, as a whole path. Raises InputError where it is none."""
    if folder is None:
        return None
    path = Path(folder)
    if not path.is_dir():
        refuse("no_folder", got=str(folder))
    return path.resolve()


def decoded(
    column: pd.Series[Any], folder: Path | None, decode: Callable[[bytes], T]
) -> tuple[list[Decoded], list[Skipped]]:
    """What `decode` makes of the files of a column, and the cells that are left out; empty cells are neither.

    A cell is a path under `folder`, or the bytes themselves.
    """
    made: list[Decoded] = []
    skipped: list[Skipped] = []
    for row, cell in enumerate(column.tolist()):
        if is_empty(cell):
            continue
        try:
            made.append(Decoded(row, decode(content(cell, folder))))
        except Unusable as problem:
            name = "…" if isinstance(cell, bytes) else shown(str(cell), limit=80)
            skipped.append(Skipped("", row, name, problem.reason))
    return made, skipped


def is_empty(cell: Any) -> bool:
    """The cell names nothing."""
    return cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell) or cell == ""


def content(cell: Any, folder: Path | None) -> bytes:
    """The bytes of a cell, a path under `folder` or the bytes themselves. Raises Unusable."""
    if isinstance(cell, (bytes, bytearray, memoryview)):
        if len(cell) > MOST_BYTES:
            raise Unusable("too_large")
        return bytes(cell)
    text = str(cell)
    if "://" in text or text.startswith("data:"):
        raise Unusable("address")
    if folder is None:
        refuse("folder_needed", got=text)
    try:
        path = (folder / text).resolve()
        if Path(text).is_absolute() or not path.is_relative_to(folder):
            raise Unusable("outside")
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise Unusable("no_file")
        if facts.st_size > MOST_BYTES:
            raise Unusable("too_large")
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except (OSError, ValueError, RuntimeError) as problem:  # a name that no file may have, a circle of links
        raise Unusable("no_file") from problem
