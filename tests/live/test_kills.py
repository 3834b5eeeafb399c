"""Twenty times kill −9 in the middle of writing: nothing that was acknowledged is lost, and no batch is torn."""

from __future__ import annotations

from tests.live.kills import killed


def test_no_acknowledged_event_is_lost(url: str) -> None:
    found = killed(url, kills=20, seed=0, longest=0.3)
    assert found.acknowledged > 200
    assert (found.lost, found.torn) == (set(), set())
