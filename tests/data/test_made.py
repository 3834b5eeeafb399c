"""Sets that are made by a seed stay what they are: figures in the documentation were measured on them.

What the sets must be like is tested elsewhere (test_synthetic.py, test_simulate.py); here, that a change of their
making is seen. A change that is meant is told in the changelog, and the figures are measured again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from xattn.data import ItemTable, planted
from xattn.data.simulate import NO_EVENT, START, Tastes, simulate
from xattn.data.synthetic import KINDS
from xattn.data.synthetic_parts import PART_KINDS, planted_part
from xattn.errors import InputError


def digest(made: Any) -> str:
    """Twelve digits of all that a made set holds; floats to the sixth digit behind the point."""
    found = hashlib.sha256()
    for field in dataclasses.fields(made):
        value = getattr(made, field.name)
        if field.name == "data":
            value = [value.name, value.user_ids, value.indptr, value.item, value.rating, value.time, value.kind,
                     value.items.ids, value.items.titles, value.items.frame.to_csv(), value.scale]  # fmt: skip
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, np.ndarray) and part.dtype.kind == "f":
                part = (np.round(part, 6) + 0.0).tolist()
            elif isinstance(part, (np.ndarray, pd.Series)):
                part = [pixels(one) if str(one)[2:].startswith("\\x89PNG") else one for one in part.tolist()]
            elif isinstance(part, pd.DataFrame):
                part = part.to_csv()
            found.update(repr(part).encode())
    return found.hexdigest()[:12]


def pixels(picture: bytes) -> bytes:
    """What a PNG of ours shows, however it is packed."""
    at = picture.index(b"IDAT")
    return zlib.decompress(picture[at + 4 : at + 4 + int.from_bytes(picture[at - 4 : at], "big")])


def films() -> ItemTable:
    """Sixty items with genres and a year."""
    ids = tuple(f"i{n}" for n in range(60))
    genres = ["|".join(sorted({"abcdef"[n % 6], "abcdef"[n // 6 % 6]})) for n in range(60)]
    return ItemTable(ids, ids, pd.DataFrame({"genres": genres, "year": 1950.0 + (np.arange(60) * 7) % 60}))


MADE: dict[str, tuple[Callable[[], Any], str]] = {
    **{
        f"planted {kind}": (lambda kind=kind: planted(kind, n_users=60, n_items=45, seed=3, noise=0.2), known)
        for kind, known in zip(
            KINDS,
            ("0dc581f858aa", "7e37da3824ad", "efe94fa207a7", "2f52a687d200", "32ae51ab4a3a", "0bd6ecc39d88"),
            strict=True,
        )
    },
    **{
        f"planted part: {kind}": (
            lambda kind=kind: planted_part(kind, n_users=12, n_items=66, seed=3, noise=0.1),
            known,
        )
        for kind, known in zip(
            PART_KINDS, ("bdef7750c79d", "4223caf789b3", "b85bd6c2d80f", "2ce4b18eda06"), strict=True
        )
    },
    "people": (lambda: simulate(films(), 50, seed=3), "0b264acac18d"),
    "people with types of events and stars": (
        lambda: simulate(films(), 50, kinds=("view", "buy"), rated=True),
        "21798d9ba618",
    ),
    "items that age": (lambda: simulate(films(), 50, tastes=Tastes(half_life=5.0)), "4af13ec54639"),
    "repeats": (lambda: simulate(films(), 50, tastes=Tastes(repeats=True, drift=0.3, session=2)), "bbe92ee632e7"),
    "a shop window": (
        lambda: simulate(films(), 50, tastes=Tastes(exposure=10, paired=0.9, memory=2, loved=1)),
        "b7c027a89e65",
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_a_made_set_is_what_it_was(name: str) -> None:
    make, known = MADE[name]
    assert digest(make()) == known


@pytest.mark.parametrize(
    ("name", "low"), [("n_events", 2), ("loved", 1), ("memory", 1), ("session", 1), ("exposure", 2)]
)
def test_tastes_have_bounds(name: str, low: int) -> None:
    Tastes(**{name: low})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"`{name}` must be a whole number >= {low}; got {low - 1}"):
        Tastes(**{name: low - 1})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["taste", "popularity", "pull"])
def test_weights_of_tastes_are_not_negative(name: str) -> None:
    Tastes(**{name: 0.0})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"`{name}`"):
        Tastes(**{name: -0.1})  # type: ignore[arg-type]


def test_a_half_life_is_longer_than_nothing() -> None:
    with pytest.raises(InputError, match="`half_life`"):
        Tastes(half_life=0.0)


def test_an_event_without_a_cause_says_minus_one() -> None:
    made = simulate(films(), 30, tastes=Tastes(pull=0.0))
    assert NO_EVENT == -1
    assert (made.cause == -1).all()
    assert (made.born == START).all()


def test_names_and_sizes_are_as_given() -> None:
    made = simulate(films(), 21)
    assert made.data.name == "simulated"
    assert made.data.user_ids[0] == "p1"
    assert len(made.data.user_ids) == 21
    with pytest.raises(InputError):
        simulate(films().take(range(19)))
    assert simulate(films().take(range(20)), 2).data.n_items == 20
