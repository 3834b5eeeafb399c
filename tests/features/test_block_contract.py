"""Every block of ours keeps the contract of blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from xattn.features.block import Block
from xattn.features.categories import Categories
from xattn.features.flags import Flags
from xattn.features.media.pictures import Pictures
from xattn.features.media.sounds import Sounds
from xattn.features.media.videos import Frames, Soundtrack
from xattn.features.numbers import Numbers
from xattn.features.registry import OWN, block_of_name
from xattn.features.text.text import Text
from xattn.features.text.vectors import Vectors
from xattn.features.words import Words
from xattn.testing import BlockContract


class TestCategories(BlockContract):
    def make(self) -> Block:
        return Categories()

    def column(self) -> pd.Series[Any]:
        return pd.Series(["Drama|War", "War", "", "Drama", "Noir: new", "Noir: new|War", None])


class TestBooleans(TestCategories):
    def column(self) -> pd.Series[Any]:
        return pd.Series([True, False, True, False])


class TestNumbers(BlockContract):
    def make(self) -> Block:
        return Numbers()

    def column(self) -> pd.Series[Any]:
        return pd.Series([1950.0, np.nan, 1999.0, 20240101.0, 20240131.0, -3.5, 1999.0])


class TestFlags(BlockContract):
    def make(self) -> Block:
        return Flags()

    def column(self) -> pd.Series[Any]:
        return pd.Series([1.0, 0.0, 1.0, np.nan, 1.0])


class TestWords(BlockContract):
    def make(self) -> Block:
        return Words()

    def column(self) -> pd.Series[Any]:
        return pd.Series(["red shoe", "red hat", "", "blue hat and shoe", "黑色 hat", "the of and"])


class TestText(BlockContract):
    def make(self) -> Block:
        return Text()

    def column(self) -> pd.Series[Any]:
        return pd.Series(
            ["a red shoe", "the red hat, the hat", "", "blue hat and shoe", "红色的帽子和鞋子", "红色 hat", None]
        )


class TestVectors(TestText):
    def make(self) -> Block:
        return Vectors(dimensions=2)


def test_every_block_is_tested() -> None:
    tested = {
        type(kind().make()) for kind in (TestCategories, TestNumbers, TestFlags, TestText, TestVectors, TestWords)
    }
    elsewhere = {Pictures, Sounds, Frames, Soundtrack}  # test_media.py, test_videos.py
    assert {type(block_of_name(name)) for name in OWN} == tested | elsewhere
