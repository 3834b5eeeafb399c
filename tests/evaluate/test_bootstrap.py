"""Intervals and p values: right as often as they promise."""

from __future__ import annotations

import numpy as np
import pytest

from xattn.evaluate.bootstrap import interval, limits, p_value, resampled, versus


def test_interval_covers_the_mean_and_shrinks() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.random(50), rng.random(5000)
    for values in (few, many):
        low, high = interval(values, seed=1)
        assert low < values.mean() < high
    assert np.diff(interval(many, seed=1)) < np.diff(interval(few, seed=1)) / 3
    assert interval(few, seed=1) == interval(few, seed=1)


def test_interval_is_right_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(7)
    inside = 0
    for draw in range(200):
        low, high = interval(rng.normal(size=120), seed=draw, draws=400)
        inside += low <= 0.0 <= high
    assert 176 <= inside <= 199  # 95 % ± 3.5 standard errors, less the small bias of percentile intervals


def test_a_draw_takes_as_many_users() -> None:
    drawn = resampled(lambda times: np.array([times.sum(), times.max()]), 30, seed=0, draws=50)
    assert (drawn[:, 0] == 30).all()
    assert drawn[:, 1].max() > 1


def test_draws_of_nan_are_left_out() -> None:
    assert np.isfinite(limits(np.array([[1.0], [np.nan], [2.0]]))).all()


def test_p_is_small_where_there_is_a_difference_and_only_there() -> None:
    """Models that are alike differ at the 5 % level about once in twenty times."""
    rng = np.random.default_rng(3)
    found = 0
    for seed in range(100):
        a, b = rng.normal(size=(2, 80))
        drawn = resampled(lambda times, d=a - b: np.array([times @ d / len(d)]), 80, seed, draws=300)
        found += p_value(drawn[:, 0]) < 0.05
    assert 0 <= found <= 12
    values = rng.normal(size=(80, 2)) + np.array([0.0, 1.0])
    better = resampled(lambda times: times @ values / 80, 80, seed=0)
    assert versus(["same", "more"], better, better[:, [0, 0]]) == {"same": 1.0, "more": pytest.approx(2 / 2001)}
