"""What must be said word for word, kept in text files: a line ``=== name``, then the text."""

from __future__ import annotations

from pathlib import Path

__all__ = ["written"]

MARK = "=== "


def written(path: Path) -> dict[str, str]:
    """Name → text, in the order of the file."""
    parts = ("\n" + path.read_text("utf-8")).split("\n" + MARK)[1:]
    return {name: text.rstrip("\n") for name, _, text in (part.partition("\n") for part in parts)}
