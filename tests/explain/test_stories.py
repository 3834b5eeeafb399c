"""All that is said of small explanations, word for word and number for number: `stories.py` makes them, stories.txt
says what they must say. The numbers themselves are held against plain sums and served scores by the other tests.

After a change that is meant, print `STORIES[name]()` and read it before it is written down.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explain.stories import STORIES
from tests.written import written

WRITTEN = written(Path(__file__).with_name("stories.txt"))


def test_each_story_is_written() -> None:
    assert list(WRITTEN) == list(STORIES)


@pytest.mark.parametrize("name", STORIES)
def test_all_that_is_said(name: str) -> None:
    assert STORIES[name]() == WRITTEN[name]
