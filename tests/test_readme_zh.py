"""The Chinese README says what the English one says: the same sections, code, commands, figures and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH, CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
OWN = {"README.md", "README.zh.md"}  # each links to the other


def plain(page: str) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def parts(page: str) -> dict[str, list[str]]:
    """What must be the same in every language, in its order."""
    text = plain(page)
    rows = [row.strip("|").split("|") for row in re.findall(r"^\|.*\|$", text, re.MULTILINE)]
    return {
        "headings": re.findall(r"^#+(?= )", text, re.MULTILINE),
        "code": re.findall(r"^```.*?^```$", page, re.MULTILINE | re.DOTALL),
        "commands": [row[0].strip() for row in rows if "`" in row[0]],
        "figures": ["|".join(row) for row in rows if re.search(r"\.[0-9]{4}", "|".join(row))],
        "links": sorted(set(re.findall(r"\]\(([^)#]+)\)", text)) - OWN),
        "spoken": sorted(set(re.findall(r"`((?:xattn|make|benchmarks/|docker)[^`]*)`", text))),
        "points": re.findall(r"^- ", text, re.MULTILINE),
    }


@pytest.mark.parametrize("what", parts(""))
def test_both_say_the_same(what: str) -> None:
    assert parts(CHINESE)[what] == parts(ENGLISH)[what]
    assert parts(ENGLISH)[what], "there is something to compare"


def test_a_line_that_lacks_is_found() -> None:
    for cut in ("## 命令行", "| `xattn fit` |", "(docs/scale.md)", "| EASE | .0400", "make test "):
        assert parts(CHINESE.replace(cut, "", 1)) != parts(CHINESE), cut


def test_it_is_chinese() -> None:
    text = re.sub(r"^> .*$|`[^`]*`|\([^)]*\)", "", plain(CHINESE), flags=re.MULTILINE)
    wide = len(re.findall(r"[\u4e00-\u9fff]", text))
    assert wide > len(re.findall(r"[A-Za-z]{2,}", text))
