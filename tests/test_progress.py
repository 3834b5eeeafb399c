"""A part of the work is told as a stretch of the whole, whatever the nesting; work without a listener tells nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.data import planted
from xattn.progress import listener, part_of, silent, steps, told_to
from xattn.recommenders import HybridAttention

shares = st.floats(0.0, 1.0)


@given(st.lists(st.tuples(shares, shares).map(sorted), max_size=4), shares)
def test_a_part_of_a_part_lies_where_the_stretches_say(stretches: list[list[float]], share: float) -> None:
    heard: list[tuple[str, float]] = []
    tell, low, width = lambda what, share: heard.append((what, share)), 0.0, 1.0
    for start, end in stretches:
        tell, low, width = part_of(tell, start, end), low + width * start, width * (end - start)
    tell("solve", share)
    ((what, told),) = heard
    assert what == "solve"
    assert told == pytest.approx(low + width * share, abs=1e-12)


def test_nobody_waits() -> None:
    assert part_of(None, 0.2, 0.4) is silent
    assert list(steps(None, "users", range(3))) == [0, 1, 2]


def test_steps_tell_before_each_piece() -> None:
    heard: list[tuple[str, float]] = []
    for piece in steps(lambda what, share: heard.append((what, share)), "{:g}".format, [0.5, 2.0]):
        heard.append(("work", piece))
    assert heard == [("0.5", 0.0), ("work", 0.5), ("2", 0.5), ("work", 2.0)]


def test_a_fit_in_three_parts_never_goes_back() -> None:
    heard: list[float] = []
    HybridAttention(learned="always", encoder_blocks=0, min_events=2).fit(
        planted("recency", n_users=60, seed=0).data, progress=lambda what, share: heard.append(share)
    )
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)


def test_work_deep_inside_tells_the_innermost_listener_and_nobody_afterwards() -> None:
    heard: list[tuple[str, float]] = []
    assert listener() is silent
    with told_to(lambda what, share: heard.append((what, share))):
        outer = listener()
        with told_to(None):
            assert listener() is outer
        with told_to(part_of(outer, 0.5, 1.0)):
            listener()("asked", 0.5)
        with pytest.raises(ZeroDivisionError), told_to(part_of(outer, 0.5, 1.0)):
            raise ZeroDivisionError
        assert listener() is outer
    assert heard == [("asked", 0.75)]
    assert listener() is silent
