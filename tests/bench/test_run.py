"""The bench times what it says, refuses wrong answers and unknown suites, and has the rows that are promised."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import numpy as np
import pytest
from click.testing import CliRunner

from xattn.bench import SUITES, Stopped, bench
from xattn.bench import run as home
from xattn.bench.case import Case, Figure, Plan, WrongAnswer, agree
from xattn.cli import main
from xattn.errors import InputError

KEYS = {"suite", "work", "rival", "ours_ms", "rival_ms", "ratio", "spread", "bar"}


def wait(seconds: float) -> np.ndarray:
    time.sleep(seconds)
    return np.ones(2)


def sleepy(plan: Plan) -> Iterator[Case]:
    yield Case("sleep", lambda: wait(0.002), {"slow": lambda: wait(0.02)}, {"slow": 2.0}, 0.0)


def lying(plan: Plan) -> Iterator[Case]:
    yield Case("lie", lambda: np.zeros(2), {"liar": lambda: np.ones(2)}, {}, 1e-3)


def differing(plan: Plan) -> Iterator[Case]:
    yield Case("differ", lambda: np.zeros(2), {"other": lambda: np.ones(9)}, {}, 0.0, frozenset({"other"}))


def bounded(plan: Plan) -> Iterator[Case | Figure]:
    yield Case("bound", lambda: wait(0.01), {}, {}, 0.0, limit=0.02)
    yield Figure("measured", 2.0)


def broken_off(plan: Plan) -> Iterator[Figure]:
    yield Figure("first", 2.0)
    raise KeyboardInterrupt


PLANTED = {
    "sleepy": sleepy,
    "lying": lying,
    "differing": differing,
    "bounded": bounded,
    "broken off": broken_off,
}


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "SUITES", PLANTED)


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
    result = CliRunner().invoke(main, ["bench", "--suite", "lying", "--rounds", "1"])
    assert result.exit_code == 2
    assert "liar must agree" in result.stderr


@pytest.mark.usefixtures("planted")
def test_another_model_may_answer_otherwise() -> None:
    (row,) = bench(["differing"], rounds=1)["rows"]
    assert row["rival"] == "other"


@pytest.mark.usefixtures("planted")
def test_a_time_allowed_stands_where_a_rival_would() -> None:
    bound, measured = bench(["bounded"], rounds=3)["rows"]
    assert (bound["rival"], bound["rival_ms"], bound["bar"]) == ("limit", 20.0, 1.0)
    assert 1 < bound["ratio"] < 2.1
    assert measured == {**dict.fromkeys(KEYS), "suite": "bounded", "work": "measured", "ours_ms": 2000.0}


@pytest.mark.usefixtures("planted")
def test_an_interrupted_bench_keeps_what_it_has() -> None:
    with pytest.raises(Stopped) as stopped:
        bench(["bounded", "broken off", "sleepy"], rounds=1)
    assert [row["work"] for row in stopped.value.result["rows"]] == ["bound", "measured", "first"]
    result = CliRunner().invoke(main, ["bench", "--suite", "broken off"])
    assert result.exit_code == 130
    assert "first" in result.stdout


def test_the_same_place_must_be_nan() -> None:
    agree("x", "y", [1.0, np.nan], [1.0, np.nan], 0.0)
    for theirs in ([1.0, 0.0], [1.0], [2.0, np.nan]):
        with pytest.raises(WrongAnswer, match="x: y must agree"):
            agree("x", "y", [1.0, np.nan], theirs, 0.5)


def test_figures_of_a_machine() -> None:
    result = bench(["softmax"], rounds=1, quick=True)
    assert set(result) == {"machine", "rows"}
    assert {"processor", "cores", "threads", "layer", "blas", "rivals", "held_back"} <= set(result["machine"])
    assert json.dumps(result)


def test_what_holds_blas_back_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    result = CliRunner().invoke(main, ["bench", "--suite", "softmax", "--rounds", "1", "--quick"])
    assert result.exit_code == 0
    assert "held back by OPENBLAS_CORETYPE" in result.stderr
    assert "--quick" in result.stderr


def test_unknown_suites_and_rounds_are_refused() -> None:
    with pytest.raises(InputError, match=f"`suite` must be one of {', '.join(SUITES)}; got 'nosuch'"):
        bench(["nosuch"])
    with pytest.raises(InputError, match="`rounds` must be"):
        bench(["softmax"], rounds=0)
    assert CliRunner().invoke(main, ["bench", "--suite", "nosuch"]).exit_code == 2


def test_the_help_names_every_suite() -> None:
    text = CliRunner().invoke(main, ["bench", "--help"]).stdout
    assert [name for name in SUITES if f"  {name} " not in text] == []
