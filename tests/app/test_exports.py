"""Files to take away: no spreadsheet runs their text, no file system trips over their names, numbers stay numbers."""

from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.app.conftest import small
from xattn.app.recommend.why_details import comparison
from xattn.app.ui.exports import csv_bytes, file_name
from xattn.i18n import LANGUAGES, t


def rows(frame: pd.DataFrame) -> list[list[str]]:
    """The lines of the file as a plain reader sees them, the header first."""
    return list(csv.reader(io.StringIO(csv_bytes(frame).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "＝", "  ="])
def test_text_is_never_a_formula(start: str) -> None:
    _, (text,) = rows(pd.DataFrame({"title": [f"{start}1+1"]}))
    assert text.startswith("'")
    assert csv_bytes(pd.DataFrame({f"{start}x": [1]})).decode("utf-8-sig").startswith(("'", "\"'"))


@given(some.lists(some.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_numbers_come_back_exactly(numbers: list[float]) -> None:
    assert [float(x) for (x,) in rows(pd.DataFrame({"x": numbers}))[1:]] == numbers


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_keeps_the_ledgers_numbers(language: str) -> None:
    events = small().explain(user="u3", item="i12").events()
    frame = comparison(events, True, language)
    header, *lines = rows(frame)
    for shown, own in (("term.contribution", "contribution"), ("term.removal_effect", "effect")):
        column = header.index(t(shown, language))
        assert [float(line[column]) for line in lines] == events[own].tolist()


def test_text_stays_in_its_cell() -> None:
    titles = ["a,b", 'c"d', "e\r=1+1", "f\n=1+1", "g\x00h"]
    lines = rows(pd.DataFrame({"title": titles}))[1:]
    assert [len(line) for line in lines] == [1] * len(titles)
    assert [line[0] for line in lines] == ["a,b", 'c"d', "e =1+1", "f =1+1", "g h"]


@given(some.lists(some.text(max_size=100), max_size=3))
def test_names_are_plain(parts: list[str]) -> None:
    name = file_name("why", *parts, suffix="json")
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,140}\.json", name)
    assert name.startswith("why")
