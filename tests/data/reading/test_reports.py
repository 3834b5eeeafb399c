"""Whole reports of small tables: what was taken for what and why, every finding with its rows, cost and option, and the
events that are left. `reports.py` holds the tables, layouts/reports.txt what must be said of each, word for word.

After a change that is meant, print `told(CASES[name])` and read it before it is written down.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.reading.reports import CASES, told
from tests.written import written

WRITTEN = written(Path(__file__).parents[1] / "layouts" / "reports.txt")


def test_each_table_has_its_report() -> None:
    assert list(WRITTEN) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_all_that_is_said_of_a_table(name: str) -> None:
    assert told(CASES[name]) == WRITTEN[name]
