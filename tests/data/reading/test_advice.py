"""Each finding says what to do about it: the option that settles it, or what else, or that nothing need be done."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import xattn
from xattn import InputError, read_interactions
from xattn.i18n import keys

READING = Path(xattn.__file__).parent / "data" / "reading"


def told() -> Iterator[tuple[str, bool]]:
    """(id, whether an option is named with it) of every finding that the code tells."""
    for path in READING.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            of = getattr(getattr(call.func, "value", None), "id", "")
            if not call.args or (name not in ("tell", "Finding") and (name, of) != ("refuse", "desk")):
                continue
            acts = any(word.arg == "action" for word in call.keywords) or any(
                isinstance(arg, ast.Call) and getattr(arg.func, "id", "") in ("Action", "_drop") for arg in call.args
            )
            for part in ast.walk(call.args[0]):
                if isinstance(part, ast.Constant) and f"data.finding.{part.value}" in keys():
                    yield str(part.value), acts


def test_no_finding_leaves_its_reader_alone() -> None:
    found = list(told())
    assert {"bots", "time_odd", "undescribed", "ids_do_not_meet"} <= {name for name, _ in found}
    assert sorted({name for name, acts in found if not acts and f"data.do.{name}" not in keys()}) == []


def log() -> str:
    """A program that acts every second, somebody with one event, a clock that was never set; twenty people."""
    lines = [f"robot,i{t % 40},{1_700_000_000 + t}" for t in range(400)]
    lines += [f"p{u},i{(u + t) % 40},{1_700_000_000 + 9_000 * u + 86_400 * t}" for u in range(20) for t in range(6)]
    lines += ["once,i3,1700000000", "p1,i39,12", "p2,i39,7999999999"]
    return "user,item,timestamp\n" + "\n".join(lines) + "\n"


def read(**options: object) -> xattn.Interactions:
    return read_interactions(io.BytesIO(log().encode()), name="log", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("finding", "left_out"), [("bots", 400), ("one_event_users", 1), ("time_odd", 2)], ids=["bots", "one", "odd"]
)
def test_rows_of_a_finding_are_left_out_on_request(finding: str, left_out: int) -> None:
    whole = read()
    one = whole.report.found(finding)
    assert (one.action.option, one.action.value) == ("drop", finding)
    assert f"--drop {finding}" in one.text()
    less = read(**{one.action.option: one.action.value})
    assert less.n_events == whole.n_events - left_out
    assert less.report.found(finding) is None
    assert less.report.found("left_out").count == left_out
    assert "left out as was asked" in less.report.text()


def test_several_are_left_out_together() -> None:
    less = read(drop="bots, time_odd,one_event_users")
    assert less.n_events == read().n_events - 403
    assert "robot" not in less.user_ids
    assert less.checksum == read(drop=["one_event_users", "bots", "time_odd"]).checksum


def test_what_cannot_be_left_out_is_refused() -> None:
    with pytest.raises(InputError, match="`drop` must be one of time_odd, bots, one_event_users; got 'ties'"):
        read(drop="ties")


def test_nothing_is_left_out_where_nothing_would_stay() -> None:
    data = read_interactions(io.BytesIO(b"user,item\na,x\nb,y\n"), drop="one_event_users")
    assert data.n_events == 2
    assert data.report.found("one_event_users").count == 2


def test_lines_that_stand_twice_are_no_sign_of_repeats() -> None:
    lines = [f"p{u},i{(u + t) % 40},{1_700_000_000 + 86_400 * t}" for u in range(20) for t in range(6)]
    twice = "user,item,timestamp\n" + "\n".join([*lines, *lines]) + "\n"
    report = read_interactions(io.BytesIO(twice.encode())).report
    assert report.found("repeats_exact").count == 120
    assert report.found("repeats") is None
    again = [f"p{u},i{t % 2},{1_700_000_000 + 86_400 * t}" for u in range(20) for t in range(6)]
    plays = "user,item,timestamp\n" + "\n".join(again) + "\n"
    advice = read_interactions(io.BytesIO(plays.encode())).report.found("repeats")
    assert (advice.action.option, advice.action.value) == ("seen", "keep")
    assert advice.advice() == "Settle it with --seen keep. It is an option of recommend, explain, evaluate and tune."
    assert np.isclose(advice.count, 80)
