"""Calls of the public interface with arguments of every kind: right ones, extreme ones, and things that are none.

A call either gives an answer, of finite numbers where numbers are served, or is refused with an XattnError in one line.
Any other exception, a warning of NumPy and a number that is not finite are faults of the project. The calls stand in
`tests/fuzz_calls.py`; the small run is `tests/test_fuzz.py`, the long one ``python -m benchmarks.fuzz``.
"""

from __future__ import annotations

import inspect
import traceback
import warnings
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from scipy import sparse

from xattn import XattnError

__all__ = ["Call", "Outcome", "arguments", "attempted", "odd_texts"]

INF, NAN = float("inf"), float("nan")


class Call(NamedTuple):
    """A public function and, by parameter, sound values to draw from. `served`: its answer is finite throughout."""

    name: str
    function: Callable[..., Any]
    sound: dict[str, list[Any]]
    served: bool = False
    texts: bool = False  # it takes texts alone, as a command line does

    def __str__(self) -> str:
        return self.name


class Outcome(NamedTuple):
    """What came of a call: "answer", "refused" or "fault"; of a fault the words, and where it was raised."""

    kind: str
    words: str = ""
    where: str = ""


def odd() -> list[Any]:
    """What people pass by mistake; made anew each time, as iterators are used up."""
    return [
        *(None, True, False, 0, 1, -1, 2, 10**400, -(10**400), 2**63, -(2**63) - 1),
        *(0.0, -0.0, 0.5, 1.5, -2.5, 1e308, -1e308, 5e-324, 1e-310, INF, -INF, NAN, 1j, Decimal("0.5"), Fraction(1, 3)),
        *odd_texts(),
        *(b"", b"i0", (), [], {}, set(), (1,), (1, 2), ("i0", 1), ["i0", "i0"], [None], [[]], [["i0"]], {"i0": 5.0}),
        *({"a": "b"}, {1: 2}, {None: None}, {"user": None}, {"genres": 3}, {"genres": ("a", None)}, object(), object),
        *(np.int64(1), np.float32(0.5), np.bool_(True), np.str_("i0"), np.array(1), np.array("i0"), np.array(None)),
        *(
            np.array([]),
            np.array([0, 1]),
            np.array([0.5, NAN]),
            np.array(["i0", "i1"]),
            np.array([["i0"]]),
            np.ones((2, 2)),
        ),
        *(
            np.array([None, "i0"], object),
            np.ma.masked_array([1, 2], [0, 1]),
            np.array([1, 2], ">i4"),
            np.zeros((0, 3)),
        ),
        *(pd.Series(["i0", "i1"]), pd.Series([1.0, NAN]), pd.Series([], dtype=object), pd.Index(["i0"]), pd.NA, pd.NaT),
        *(pd.DataFrame({"item": ["i0"]}), pd.DataFrame(), pd.Timestamp("2020-01-01"), pd.Categorical(["i0"])),
        *(
            iter(["i0", "i1"]),
            (i for i in ("i0",)),
            range(3),
            map(str, [1]),
            sparse.csr_array(np.eye(2)),
            date(2020, 1, 1),
        ),
        *(len, Path("x"), Path("x" * 300), slice(None), ..., NotImplemented, np.random.default_rng(0)),
        *(
            [1e308, -1e308],
            [INF, NAN],
            [("i0", NAN)],
            [("i0", 1e308), ("i1", -1e308)],
            ["i0", ("i1", 2)],
            [("i0", 1, 2)],
        ),
    ]


def odd_texts() -> list[str]:
    """Texts that are no sound argument anywhere, or are one somewhere else."""
    return [
        *(
            "",
            " ",
            "x",
            "i0",
            "u0",
            "auto",
            "7",
            "-1",
            "1e999",
            "nan",
            "\0",
            "a\0b",
            "\ud800",
            "x" * 300,
            "=1+1",
            "<b>",
        ),
        *(
            "../x",
            "nowhere/x",
            "a=b",
            "genres=comedy",
            "year=1..",
            "1-5",
            "[]",
            "{}",
            "--help",
            ",",
            "a,b",
            "Popularity",
        ),
    ]


N_ODD, N_TEXTS = len(odd()), len(odd_texts())
COSTLY = frozenset(("epochs", "refits", "trials", "folds", "n_users", "n_items", "seconds", "rounds", "patience"))


@st.composite
def arguments(draw: st.DrawFn, call: Call) -> dict[str, Any]:
    """Arguments of a call: sound ones, some left out, up to three of them odd."""
    names = list(call.sound)
    wrong = draw(st.sets(st.sampled_from(names), max_size=min(3, len(names)))) if names else set()
    found: dict[str, Any] = {}
    for name in names:
        if name in wrong:
            pool = odd_texts() if call.texts else odd()
            value = pool[draw(st.integers(0, len(pool) - 1))]
            hours = name in COSTLY and isinstance(value, (int, float)) and value > 3  # what is wanted is also done
            found[name] = 2 if hours else value
        elif draw(st.booleans()) or name in _needed(call.function):
            found[name] = draw(st.sampled_from(call.sound[name]))
    return found


@cache
def _needed(function: Callable[..., Any]) -> frozenset[str]:
    parameters = inspect.signature(function).parameters.values()
    return frozenset(p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD)


def attempted(call: Call, given: dict[str, Any]) -> Outcome:
    """Make the call."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DeprecationWarning)  # of pandas and SciPy, about what they are handed
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            found = call.function(**given)
    except XattnError as refusal:
        words = str(refusal)
        return Outcome("refused") if words and "\n" not in words else Outcome("fault", f"lines: {words!r}")
    except Exception as problem:
        frames = traceback.extract_tb(problem.__traceback__)
        ours = [f for f in frames if "/xattn/" in f.filename]
        last = (ours or frames)[-1]
        return Outcome("fault", f"{type(problem).__name__}: {problem}", f"{Path(last.filename).name}:{last.lineno}")
    if call.served and not _finite(found):
        return Outcome("fault", "an answer that is not finite", call.name)
    return Outcome("answer")


def _finite(found: Any) -> bool:
    """Whether every number of an answer is one, as far as it is served: arrays, and frames but for ratings."""
    if isinstance(found, pd.DataFrame):
        numbers = found.select_dtypes("number").drop(columns=["rating"], errors="ignore")
        return bool(np.isfinite(numbers.to_numpy(float)).all())
    if isinstance(found, tuple):
        return all(_finite(part) for part in found)
    return not isinstance(found, (np.ndarray, float)) or bool(np.isfinite(found).all())
