"""A column that says how long events lasted: chosen by name, told in the report, refused in one sentence."""

from __future__ import annotations

import io

import numpy as np
import pytest

from xattn import DataError, HybridAttention, read_interactions
from xattn.data.scale import Scale

ROWS = [(f"u{u}", f"i{i}", (7 * u + 13 * i) % 50) for u in range(9) for i in range(6)]


def file(rows=ROWS, name: str = "seconds") -> io.BytesIO:
    lines = [f"user,item,{name}", *(f"{user},{item},{x}" for user, item, x in rows)]
    return io.BytesIO("\n".join(lines).encode())


@pytest.mark.parametrize(
    "said", [{"amount": "seconds"}, {"columns": {"amount": "seconds"}}, {"columns": {"rating": 3}}]
)
def test_the_column_is_taken_as_it_is_and_the_rule_is_told(said) -> None:
    data = read_interactions(file(), scale="dwell", **said)
    over = sorted(x for *_, x in ROWS if x)
    assert data.scale == Scale(0.0, float(over[(len(over) - 1) // 2]), "dwell")
    assert sorted(data.rating.tolist()) == sorted(float(x) for *_, x in ROWS)
    for lang in ("en", "zh"):
        assert f"{data.scale.high:g}" in data.report.text(lang)
    assert data.report.found("lasting").severity == "note"


def test_a_column_with_such_a_name_is_found_beside_stars() -> None:
    rows = "".join(f"u{u},i{i},{1 + (u + i) % 5},{3 * u + i}\n" for u in range(9) for i in range(6))
    data = read_interactions(io.BytesIO(f"user,item,rating,duration\n{rows}".encode()), scale="dwell")
    assert data.rating.max() == 3 * 8 + 5


def test_the_caller_may_say_what_counts_half() -> None:
    assert read_interactions(file(), amount="seconds", scale=Scale(0, 20, "dwell")).scale.high == 20


def test_a_progress_is_a_share_or_in_percent() -> None:
    assert read_interactions(file(), amount="seconds", scale="progress").scale.high == 100
    shares = [(u, i, x / 50) for u, i, x in ROWS]
    assert read_interactions(file(shares), amount="seconds", scale="progress").scale.high == 1


def test_an_empty_cell_is_not_known() -> None:
    data = read_interactions(file([*ROWS, ("u0", "i9", "")]), amount="seconds", scale="dwell")
    assert np.isnan(data.rating).sum() == 1
    HybridAttention(min_events=1).fit(data)


@pytest.mark.parametrize(
    ("rows", "said", "sentence"),
    [
        ([*ROWS, ("u0", "i9", "long")], {"scale": "dwell"}, "column 'seconds' must be a finite number; got 'long'."),
        ([*ROWS, ("u0", "i9", -3)], {"scale": "dwell"}, "must hold numbers ≥ 0"),
        ([*ROWS, ("u0", "i9", 500)], {"scale": "progress"}, "at most 1, or at most 100; got at most 500.0."),
        ([(u, i, 0) for u, i, _ in ROWS], {"scale": "dwell"}, "over 0 somewhere"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(rows, said, sentence) -> None:
    with pytest.raises(DataError, match=r"line 56|somewhere") as problem:
        read_interactions(file(rows), amount="seconds", **said)
    assert sentence in str(problem.value)
    assert "\n" not in str(problem.value)


def test_without_such_a_column() -> None:
    events = io.BytesIO(b"user,item\n" + b"".join(f"u{u},i{i}\n".encode() for u in range(9) for i in range(6)))
    with pytest.raises(DataError, match="must say how long each event lasted"):
        read_interactions(events, scale="dwell")
