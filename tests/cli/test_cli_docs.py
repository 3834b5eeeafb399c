"""docs/cli.md: every example runs, every JSON shape is the real one, every command and exit code is there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from xattn import scenarios
from xattn.cli import main
from xattn.recommenders.registry import OWN

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")


def sections() -> dict[str, str]:
    """Heading → text under it."""
    parts = re.split(r"^## (.+)$", DOCS, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def matches(documented: Any, real: Any) -> bool:
    """Same keys all the way down; an entry that is null on one side may be anything on the other."""
    if isinstance(documented, dict) and isinstance(real, dict):
        return documented.keys() == real.keys() and all(matches(documented[key], real[key]) for key in documented)
    if isinstance(documented, list) and isinstance(real, list) and documented and real:
        return matches(documented[0], real[0])
    return documented is None or real is None or type(documented) is type(real)


OPEN = ("sha256", "warm_s", "params")  # tables whose keys are names of files, models, settings


def closed(value: Any) -> Any:
    """Without the inside of such tables."""
    if isinstance(value, dict):
        return {key: {} if key in OPEN else closed(entry) for key, entry in value.items()}
    return [closed(entry) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("documented", "real", "same"),
    [
        ({"a": 1, "b": [{"c": "x"}]}, {"a": 2, "b": [{"c": "y"}, {"c": "z"}]}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": [{"c": 1}]}, {"a": [{"d": 1}]}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": None}, {"a": "1"}, True),
        ({"a": {}}, {"a": []}, False),
    ],
)
def test_shapes_are_compared(documented: Any, real: Any, same: bool) -> None:
    assert matches(documented, real) is same


def lines(text: str) -> Iterator[list[str]]:
    for block in blocks(text, "bash"):
        yield from (shlex.split(line) for line in block.splitlines())


def test_examples_run_and_print_the_shapes_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert scenarios.names()  # manifests are checked against the default model, before another takes its place
    monkeypatch.setattr("xattn.recommenders.registry.DEFAULT", "UserAttention")  # quick, and of the same shape
    monkeypatch.setattr("xattn.cli.doctor._long_histories", lambda like: like)  # its kernels may not be compiled yet
    ran = set()
    for text in sections().values():
        printed = []
        for program, *args in lines(text):
            if program == "printf":
                assert args[-2] == ">"
                Path(args[-1]).write_text(args[0].replace("\\n", "\n"), "utf-8")
                continue
            assert program == "xattn"
            result = CliRunner().invoke(main, args)
            assert result.exit_code == 0, (args, result.output, result.exception)
            ran.add(args[0])
            if "--json" in args:
                printed.append(json.loads(result.stdout))
        shown = [json.loads(block) for block in blocks(text, "json")]
        assert len(shown) == len(printed), "each document shown belongs to one example"
        for one, other in zip(shown, printed, strict=True):
            assert matches(closed(one), closed(other)), (one, other)
    assert ran == set(main.commands) - {"app", "serve"}


def test_every_command_option_and_model_is_named() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        assert f"`xattn {name}`" in DOCS
    for group in (main, main.commands["data"], main.commands["keys"], main.commands["scenario"]):
        assert isinstance(group, click.Group)
        for command in group.commands.values():
            spellings = [spelling for option in command.params for spelling in option.opts]
            assert len(set(spellings)) == len(spellings), f"{command.name} has an option twice"
            for option in command.params:
                if isinstance(option, click.Option):
                    assert any(f"{spelling}" in DOCS for spelling in option.opts), option.opts
    assert [name for name in OWN if f"`{name}`" not in DOCS] == []


def test_exit_codes_are_all_there() -> None:
    assert re.findall(r"^\| (\d+) \|", sections()["Exit codes"], re.MULTILINE) == ["0", "1", "2", "130"]
