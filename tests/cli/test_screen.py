"""Foreign text on the screen: nothing in a title steers the terminal, becomes markup, or breaks JSON."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import HOSTILE, Run
from xattn.cli.screen import Column, echo, error, plain, print_json, print_table, short

ATTACKS = ["\x1b[31mred", "\x9b2J", "a\rb", "a\nb", "\x07", "\u202eevil", "\u2066x\u2069", "\u200b", "\ud800", "\x00"]
ATTACKS += ["\x1b]8;;http://x\x07link", "\x7f", "\u2028", "\u2029", "\x85", "\ufeff", "\U000e0041"]


@pytest.mark.parametrize("text", ATTACKS, ids=ascii)
def test_plain_text_steers_nothing(text: str) -> None:
    assert plain(text).isprintable()


@given(st.text(st.characters()))
def test_plain_keeps_what_can_be_seen(text: str) -> None:
    made = plain(text)
    assert plain(made) == made
    assert [c for c in made if c not in " �"] == [
        c for c in text if unicodedata.category(c)[0] not in "CZ" or unicodedata.category(c) in ("Cn", "Co")
    ] or "�" in text
    assert len(short(text, 10)) <= 10


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(st.characters()), st.lists, max_leaves=5))
def test_json_is_strict_and_steers_nothing(value: object) -> None:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        print_json({"value": value})
    line = out.getvalue()
    assert line.endswith("\n")
    assert line[:-1].isprintable()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert without_nan(json.loads(line, parse_constant=refuse)["value"]) == without_nan(value)


def without_nan(value: object) -> object:
    if isinstance(value, list):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and (value != value or abs(value) == float("inf")) else value


@pytest.mark.parametrize("text", [*ATTACKS, "[red]x[/red]", "[link=http://x]x[/]", ":smile:", "[/]"], ids=ascii)
def test_tables_show_text_as_it_is(capsys: pytest.CaptureFixture[str], text: str) -> None:
    print_table([Column("title", cut=True), Column("n", right=True)], [[text, "1"]], caption=text)
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable()
    assert plain(text).strip() in out
    assert out.count("\n") == 5  # caption, blank, heads, line, row


@pytest.mark.parametrize("text", ATTACKS, ids=ascii)
def test_errors_are_one_line(capsys: pytest.CaptureFixture[str], text: str) -> None:
    error(f"a {text} b")
    err = capsys.readouterr().err
    assert err.startswith("Error: a ")
    assert err[:-1].isprintable()


def test_a_narrow_page_cuts_titles_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns, rows = [Column("item"), Column("title", cut=True), Column("score", right=True)], [["i1", "x" * 60, "0.25"]]
    print_table(columns, rows)
    assert "x" * 60 in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "40")
    print_table(columns, rows)
    *_, row = capsys.readouterr().out.splitlines()
    assert len(row) <= 40
    assert row.split()[0] == "i1"
    assert row.split()[1].endswith("x…")
    assert row.split()[2] == "0.25"


@pytest.mark.parametrize("command", ["recommend", "explain"])
def test_hostile_titles_end_to_end(run: Run, files: tuple[str, ...], command: str) -> None:
    item = () if command == "recommend" else ("--item", "i13")
    asked = (command, *files, "--user", "u3", *item, "--model", "itemknn")
    screen, text = run(*asked).stdout, run(*asked, "--json").stdout
    assert "[red]=HYPERLINK(1)[/red] <b>" in screen
    assert screen.replace("\n", "").isprintable()
    assert text[:-1].isprintable()
    assert "\\u202e" in text
    assert "黑客帝国" in text
    assert HOSTILE in json.dumps(json.loads(text), ensure_ascii=False)


def test_a_page_without_unicode(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A minus sign must not become a question mark, and JSON must not lose a character."""
    import io
    import sys

    page = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", page)
    echo("−0.5 … 黑")
    print_json({"title": "黑"})
    print_table([Column("a"), Column("b")], [["−1", "黑"]])
    page.seek(0)
    out = page.read()
    assert out.startswith('-0.5 ... ?\n{"title": "\\u9ed1"}\n')
    assert "-1" in out
