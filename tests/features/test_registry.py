"""Blocks by name: every one of ours works, packages bring more, and none takes the place of ours."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pandas as pd
import pytest

from xattn import InputError, ItemTable
from xattn.features import make_features, registry
from xattn.features.registry import GROUP, OWN, block_names, block_of_name


class Lengths:
    """How long a text is."""

    def fit(self, column: pd.Series) -> object:  # type: ignore[type-arg]
        return block_of_name("numbers").fit(column.astype(str).str.len())


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings blocks: a good one, one called like one of ours, one that is missing, one that is none."""
    here = __name__
    brought = [
        EntryPoint("lengths", f"{here}:Lengths", GROUP),
        EntryPoint("words", f"{here}:Lengths", GROUP),
        EntryPoint("missing", "no_such_package:Block", GROUP),
        EntryPoint("odd", "builtins:dict", GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: brought if group == GROUP else ())


def test_every_block_of_ours_loads() -> None:
    assert [type(block_of_name(name)).__name__.lower() for name in OWN] == list(OWN)


def test_a_package_brings_a_block(package: None, request: pytest.FixtureRequest) -> None:
    import sys

    sys.modules.setdefault(__name__, request.module)
    assert block_names() == [*OWN, "lengths", "missing", "odd"]
    assert type(block_of_name("words")).__name__ == "Words"
    items = ItemTable(tuple("abc"), ("x", "xx", "xxxx"), pd.DataFrame(index=range(3)))
    assert make_features(items, {"title": "lengths"}).names[0] == "title: ~1"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing", "the block 'missing' must load from no_such_package:Block; got No module named 'no_such_package'"),
        ("odd", "the block 'odd' must have `fit`; got"),
        (
            "nosuch",
            "must be one of categories, flags, frames, numbers, pictures, sounds, soundtrack, text, vectors, words, "
            "lengths",
        ),
    ],
)
def test_what_is_no_block_is_refused(package: None, name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        block_of_name(name)
