"""What README and the docs show of the command line is what it prints.

Two forms are compared. A line `$ xattn …` in a block of code, with its output under it or quoted after the block; `…`
stands for anything. And a table under a paragraph that ends in `xattn …`, whose rows the command prints too.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from xattn.app.shell import PAGES as PAGES_OF_THE_APP
from xattn.cli import main
from xattn.i18n import t

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ELLIPSIS = "…"


class Shown(NamedTuple):
    """A command, and the text or the rows of a table that stand there as its output."""

    command: str
    text: str
    rows: tuple[tuple[str, ...], ...] = ()


def outputs(page: str) -> list[Shown]:
    """The commands of blocks of code that show what they print."""
    found = []
    for block in re.finditer(r"^```\w*\n(.*?)^```\n(?:\n((?:^>[^\n]*\n)+))?", page, re.MULTILINE | re.DOTALL):
        told: list[tuple[str, str]] = []
        for line in block[1].splitlines():
            if line.startswith("$ "):
                told.append((line[2:], ""))
            elif told:
                told[-1] = (told[-1][0], f"{told[-1][1]}{line}\n")
        if told and not told[-1][1] and block[2]:
            told[-1] = (told[-1][0], re.sub(r"^> ?", "", block[2], flags=re.MULTILINE))
        found += [Shown(command, text) for command, text in told if command.startswith("xattn ") and text.strip()]
    return found


def tables(page: str) -> list[Shown]:
    """The commands that a table follows."""
    found = []
    for command, table in re.findall(r"`(xattn [^`\n]+)`\n\n((?:^\|.*\|\n)+)", page, re.MULTILINE):
        lines = [tuple(cell.strip() for cell in line.strip("|\n").split("|")) for line in table.splitlines()]
        found.append(Shown(command, "", tuple(lines[2:])))
    return found


def is_printed(text: str, printed: str) -> bool:
    """The pieces of a text between its ellipses stand in the output, in this order; blanks of any kind are one."""
    at, whole = 0, " ".join(printed.split())
    for piece in " ".join(text.split()).split(ELLIPSIS):
        at = whole.find(piece.strip(), at)
        if at < 0:
            return False
        at += len(piece.strip())
    return True


def missing(rows: tuple[tuple[str, ...], ...], printed: str) -> list[str]:
    """The cells that do not stand in the printed row with the same first cell, in their order; .5 is printed as 0.5."""
    lines = {line.split()[0]: line for line in printed.splitlines() if line.split()}
    absent = []
    for name, *cells in rows:
        at, line = 0, lines.get(name, "")
        for cell in cells:
            wanted = re.sub(r"(?<!\d)\.(?=\d)", "0.", cell)
            found = re.compile(rf"(?<!\S){re.escape(wanted)}(?!\S)").search(line, at)
            at = found.end() if found else at
            absent += [] if found else [f"{name}: {cell}"]
    return absent


# --- the comparison is compared ---------------------------------------------------------------------------------------

PAGE = """
```
$ xattn one
first  line
$ xattn two
$ ls
```

> quoted
> text

Say `xattn three --now`

| model | a | b |
|---|---|---|
| X | .25 | .1–.3 |

```bash
xattn four
```
"""


@pytest.mark.parametrize(("page", "lang"), [("README.md", "en"), ("README.zh.md", "zh")])
def test_every_page_is_told_in_the_order_of_the_sidebar(page: str, lang: str) -> None:
    told = re.findall(r"^- \*\*(.+?)\*\*[:：]", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert told == [t(one.title, lang) for one in PAGES_OF_THE_APP]


def test_what_is_shown_is_found() -> None:
    assert outputs(PAGE) == [Shown("xattn one", "first  line\n")]
    assert outputs(PAGE.replace("$ ls\n", "")) == [
        Shown("xattn one", "first  line\n"),
        Shown("xattn two", "quoted\ntext\n"),
    ]
    assert tables(PAGE) == [Shown("xattn three --now", "", (("X", ".25", ".1–.3"),))]
    assert outputs((ROOT / "README.md").read_text("utf-8")), "README shows no output"
    assert tables((ROOT / "README.md").read_text("utf-8")), "README shows no table"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("scores 0.25: most of it", True),
        ("scores 0.25:\n most …", True),
        ("scores … it", True),
        ("scores 0.24: most of it", False),
        ("scores 0.25: all of it", False),
        ("of it … scores", False),
        ("scores 0.25: most of it and more", False),
    ],
)
def test_texts_are_compared(text: str, same: bool) -> None:
    assert is_printed(text, "“A” scores 0.25:\n  most of it\n") is same


@pytest.mark.parametrize(
    ("row", "absent"),
    [
        (("X", ".25", ".1–.3"), []),
        (("X", "0.25"), []),
        (("X", ".2"), ["X: .2"]),
        (("X", ".26", ".1–.3"), ["X: .26"]),
        (("X", ".1–.3", ".25"), ["X: .25"]),
        (("Y", ".25"), ["Y: .25"]),
    ],
)
def test_tables_are_compared(row: tuple[str, ...], absent: list[str]) -> None:
    assert missing((row,), "model  a  b\n\nX  0.25   0.1–0.3  -\n") == absent


# --- the pages --------------------------------------------------------------------------------------------------------


def printed(command: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COLUMNS", raising=False)
    result = CliRunner().invoke(main, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_outputs_are_printed(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for shown in outputs(page.read_text("utf-8")):
        told = printed(shown.command, monkeypatch, tmp_path)
        assert is_printed(shown.text, told), f"{shown.command} prints:\n{told}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_printed(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for shown in tables(page.read_text("utf-8")):
        told = printed(shown.command, monkeypatch, tmp_path)
        assert missing(shown.rows, told) == [], f"{shown.command} prints:\n{told}"
