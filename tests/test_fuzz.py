"""Some calls of the public interface with arguments of every kind; ``python -m benchmarks.fuzz`` makes thousands."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import Call, arguments, attempted
from tests.fuzz_calls import every_call, write_files
from xattn import InputError

FEW = ("popularity", "item knn")  # models: the long run has all


@cache
def calls() -> list[Call]:
    return every_call(FEW)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)


@settings(max_examples=150, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6).flatmap(lambda n: st.tuples(st.just(c := calls()[n % len(calls())]), arguments(c))))
def test_a_call_gives_an_answer_or_is_refused_in_one_line(drawn: tuple[Call, dict[str, Any]]) -> None:
    call, values = drawn
    outcome = attempted(call, values)
    assert outcome.kind != "fault", f"{call.name}({values}): {outcome.words} [{outcome.where}]"


def _says(error: type[Exception], words: str) -> Any:
    def call(x: Any) -> Any:
        raise error(words)

    return call


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda x: 1.0, "answer"),
        (_says(InputError, "one line"), "refused"),
        (_says(InputError, "two\nlines"), "fault"),
        (_says(InputError, ""), "fault"),
        (_says(ValueError, "raw"), "fault"),
        (_says(RecursionError, "raw"), "fault"),
        (lambda x: np.array([1.0, np.nan]), "fault"),
        (lambda x: (1.0, np.inf), "fault"),
        (lambda x: np.log(np.zeros(2)), "fault"),
        (lambda x: sys.maxsize, "answer"),
    ],
)
def test_what_is_a_fault(function: Any, kind: str) -> None:
    assert attempted(Call("planted", function, {"x": [1]}, served=True), {"x": 1}).kind == kind
