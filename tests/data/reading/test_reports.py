"""Whole reports of small tables and files: what was taken for what and why, every finding with its rows, cost and
option, and the events that are left; or the refusal. `reports.py` and `files.py` hold them, layouts/reports.txt and
layouts/files.txt what must be said of each, word for word.

After a change that is meant, print `told(CASES[name])` and read it before it is written down.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.reading.files import FILES
from tests.data.reading.reports import CASES, told
from tests.written import written

LAYOUTS = Path(__file__).parents[1] / "layouts"
REPORTS, OF_FILES = written(LAYOUTS / "reports.txt"), written(LAYOUTS / "files.txt")


def test_each_table_has_its_report() -> None:
    assert list(REPORTS) == list(CASES)
    assert list(OF_FILES) == list(FILES)


@pytest.mark.parametrize("name", CASES)
def test_all_that_is_said_of_a_table(name: str) -> None:
    assert told(CASES[name]) == REPORTS[name]


@pytest.mark.parametrize("name", FILES)
def test_all_that_is_said_of_a_file(name: str) -> None:
    assert told(FILES[name]) == OF_FILES[name]
