"""The bench times what it says, refuses wrong answers and unknown suites, and has the rows that are promised."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import numpy as np
import pytest
from click.testing import CliRunner

from xattn.bench import SUITES, bench
from xattn.bench import run as home
from xattn.bench.run import WrongAnswer
from xattn.bench.suites import Case, score
from xattn.cli import main
from xattn.errors import InputError

KEYS = {"suite", "work", "rival", "ours_ms", "rival_ms", "ratio", "spread", "bar"}


def sleepy() -> Iterator[Case]:
    def wait(seconds: float) -> np.ndarray:
        time.sleep(seconds)
        return np.ones(2)

    yield Case("sleep", lambda: wait(0.002), {"slow": lambda: wait(0.02)}, {"slow": 2.0}, 0.0)


def lying() -> Iterator[Case]:
    yield Case("lie", lambda: np.zeros(2), {"liar": lambda: np.ones(2)}, {}, 1e-3)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "SUITES", {"sleepy": sleepy, "lying": lying})


@pytest.mark.usefixtures("planted")
def test_a_ratio_says_how_much_faster_ours_is() -> None:
    (row,) = bench(["sleepy"], rounds=3)["rows"]
    assert set(row) == KEYS
    assert row["ratio"] == pytest.approx(row["rival_ms"] / row["ours_ms"])
    assert 2 < row["ratio"] < 12
    assert row["bar"] == 2.0


@pytest.mark.usefixtures("planted")
def test_a_wrong_answer_has_no_speed() -> None:
    with pytest.raises(WrongAnswer, match="lying, lie: liar must agree with xattn within 0.001"):
        bench(["lying"], rounds=1)


def test_rows_of_a_real_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "SUITES", {"score": lambda: score(sizes=((500, 20),))})
    result = bench(["score"], rounds=1)
    assert {row["rival"] for row in result["rows"]} >= {"numpy"}
    assert {"cores", "threads", "layer", "held_back"} <= set(result["machine"])
    assert json.dumps(result)


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(InputError, match=f"`suite` must be one of {', '.join(SUITES)}; got 'nosuch'"):
        bench(["nosuch"])
    assert CliRunner().invoke(main, ["bench", "--suite", "nosuch"]).exit_code == 2


def test_the_command_prints_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "SUITES", {"score": lambda: score(sizes=((500, 20),))})
    done = CliRunner().invoke(main, ["bench", "--suite", "score", "--rounds", "1", "--json"])
    assert done.exit_code == 0
    assert set(json.loads(done.stdout)["rows"][0]) == KEYS
