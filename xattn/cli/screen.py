"""What goes out: JSON and tables on stdout, notes, errors and progress on stderr; foreign text made harmless first.

Titles and ids come from anybody's file. On the screen they lose what steers a terminal (escape sequences, marks that
turn the direction of writing, line breaks) and Rich reads no markup in them; in JSON the same characters are escaped.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import click

from xattn.progress import Progress, silent

__all__ = [
    "Column",
    "echo",
    "error",
    "note",
    "note_at_the_end",
    "plain",
    "print_json",
    "print_table",
    "progress",
    "short",
    "tell_notes",
]

LONGEST = 60  # characters of a title in a table
UNBOUNDED = 10_000  # columns of a page that is no terminal: nothing is cut or wrapped there
PLAINER = str.maketrans(
    {"−": "-", "…": "...", "×": "x", "·": "-", "“": '"', "”": '"', "±": "+-", "–": "-", "Σ": "sum of"}
)


# --- text -------------------------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """`text` on one line without a character that steers a terminal.

    Blanks of every kind become a space, controls and lone surrogates "�"; format characters (direction marks,
    zero-width ones) are dropped.

    >>> plain("red \\x1b[31m title\\u202e\\n")
    'red �[31m title '
    """
    return text if text.isprintable() else "".join(map(_plain_character, text))


def _plain_character(c: str) -> str:
    kind = unicodedata.category(c)
    if kind[0] == "Z" or c in "\t\n\r\v\f\x85":
        return " "
    if kind in ("Cc", "Cs"):
        return "�"
    return "" if kind == "Cf" else c


def short(text: str, limit: int = LONGEST) -> str:
    """`text` plain and at most `limit` characters long."""
    text = plain(text[: 4 * limit])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def echo(text: str) -> None:
    """One text and a line break on stdout, in plainer characters where its encoding lacks some."""
    click.echo(_fitting(text, getattr(sys.stdout, "encoding", None)))


def note(text: str) -> None:
    """One line on stderr."""
    click.echo(_fitting(" ".join(plain(text).split()), getattr(sys.stderr, "encoding", None)), err=True)


_AT_THE_END: list[str] = []


def note_at_the_end(text: str) -> None:
    """One line on stderr when the command has done its work; none where it fails, since a refusal is one line."""
    _AT_THE_END.append(text)


def tell_notes(told: bool) -> None:
    """Say what was kept for the end, if `told`, and forget it."""
    for text in _AT_THE_END if told else ():
        note(text)
    _AT_THE_END.clear()


def error(text: str) -> None:
    """One line on stderr that begins with "Error: ", at most 500 characters long."""
    note("Error: " + short(text, 500))


def _fitting(text: str, encoding: str | None) -> str:
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAINER).encode(encoding, "replace").decode(encoding)
    return text


# --- JSON -------------------------------------------------------------------------------------------------------------


def print_json(value: Any) -> None:
    """`value` on stdout as strict JSON: NaN and infinities become null; indented for a terminal, else on one line."""
    indent = 2 if sys.stdout.isatty() else None
    text = json.dumps(_strict(value), ensure_ascii=False, allow_nan=False, indent=indent)
    text = re.sub(r"[^\x20-\x7e\n]", _escaped, text)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), allow_nan=False, indent=indent)
    click.echo(text)


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _strict(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(entry) for entry in value]
    if hasattr(value, "tolist"):  # a number or array of NumPy
        return _strict(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


# --- tables -----------------------------------------------------------------------------------------------------------


class Column(NamedTuple):
    """A heading; `right` is where numbers stand; a column to `cut` gives way where the terminal is narrow."""

    name: str
    right: bool = False
    cut: bool = False


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], caption: str = "") -> None:
    """A table on stdout under its caption: within the width of the terminal, or as wide as it needs where there is
    none."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    utf8 = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    table = Table(box=box.SIMPLE_HEAD if utf8 else box.ASCII2, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(Text(column.name), justify="right" if column.right else "left", no_wrap=not column.cut)
    for row in rows:
        table.add_row(*(Text(plain(cell), no_wrap=True, overflow="ellipsis") for cell in row))
    terminal = sys.stdout.isatty()
    width = None if terminal or "COLUMNS" in os.environ else UNBOUNDED
    page = io.StringIO()
    Console(file=page, force_terminal=terminal, width=width, highlight=False, markup=False, emoji=False).print(table)
    if caption:
        echo(plain(caption) + "\n")
    echo("\n".join(line.rstrip() for line in page.getvalue().splitlines()))


# --- progress ---------------------------------------------------------------------------------------------------------


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """A bar on stderr while the work inside goes on, fed by the yielded function; none where stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(plain(what), total=None)

        def tell(step: str, share: float) -> None:
            bar.update(task, description=plain(f"{what}: {step}"), completed=share, total=1.0)

        yield tell
