"""Scales: what numbers beside events mean. A least value is a dislike only on a scale that is stated or known."""

import numpy as np
import pandas as pd
import pytest

from xattn.data import Interactions
from xattn.data.scale import Scale, guess_scale

KNOWN = {
    "whole stars": ([1, 2, 3, 4, 5], (1, 5)),
    "half stars": ([0.5, 3.5, 5], (0.5, 5)),
    "only positives, whole": ([4, 4, 5, 5, 4], (1, 5)),
    "only positives, halves": ([4, 4.5, 5], (0.5, 5)),
    "from three and a half": ([3.5, 4, 4.5, 5], (0.5, 5)),
    "halves from one": ([1, 1.5, 4, 5], (1, 5)),
    "one to ten": ([10, 7, 3, 1, 2], (1, 10)),
    "per cent": ([*range(0, 101, 5)], (0, 100)),
    "jokes": (np.linspace(-9.9, 9.8, 40), (-10, 10)),
    "thumbs": ([0, 1, 1, 0], (0, 1)),
    "down and up": ([1, -1, 1], (-1, 1)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_scales(name):
    values, ends = KNOWN[name]
    found = guess_scale(np.array(values, float), "opinion")
    assert (found.scale.low, found.scale.high) == ends
    assert found.scale.certain
    assert not found.unrated
    assert not found.absurd


@pytest.mark.parametrize(
    ("values", "unrated", "ends"),
    [
        ([1, 2, 3, 4, 5, 0, 0], 0, (1, 5)),
        ([0.5, 3, 5, 0], 0, (0.5, 5)),
        ([-1, -1, 10, 9, 8, -1], -1, (1, 10)),
        ([0, 0, 0, 8, 3, 6, 0], 0, (1, 10)),
        ([*np.linspace(-9.9, 9.8, 40), 99, 99], 99, (-10, 10)),
    ],
)
def test_what_means_not_rated(values, unrated, ends):
    found = guess_scale(np.array(values, float), "opinion")
    assert found.unrated == (unrated,)
    assert found.scale.span == ends


def test_zero_of_ten_is_an_opinion_where_few_choose_it():
    values = np.repeat(np.arange(11.0), 20)
    assert guess_scale(values, "opinion")[:2] == (Scale(0.0, 10.0, "opinion", "known"), ())


@pytest.mark.parametrize(
    "values",
    [
        [1] * 25 + [2] * 5,  # click = 1, sale = 2
        [1, 2, 2, 3, 5, 40] * 6,  # plays
        [2520377, 2520771, 149192],  # a category
        [12.5, 3.99, 250.0, 1.25, 7.5],  # money
        [1, 1, 1],  # a mark
    ],
)
def test_amounts_are_no_opinions(values):
    scale = guess_scale(np.array(values, float), "opinion").scale
    assert (scale.kind, scale.certain, scale.span) == ("amount", False, (0.0, 0.0))


def test_a_slip_of_the_pen_is_no_scale():
    found = guess_scale(np.array([5, 4, 3, 2, 1, 4, 4, 3, 50.0]), "opinion")
    assert found == (Scale(1.0, 5.0, "opinion", "known"), (), (50.0,))


def test_a_guess_is_not_certain():
    for values in ([2, 3], [0, 1, 2], [4], [1, 7, 3, 6]):
        assert not guess_scale(np.array(values, float), "opinion").scale.certain


def test_data_keep_their_scale():
    frame = pd.DataFrame({"user": list("uuvv"), "item": list("abab"), "rating": [1, 2, 4, 5]})
    data = Interactions.from_frame(frame)
    assert data.scale == Scale(1.0, 5.0, "opinion", "known")
    high = data.select(data.rating >= 4)
    assert high.scale == high.extended(data).scale == high.core(1).scale == data.scale
    assert Interactions("x", data.user_ids, data.items, data.indptr, data.item).scale is None
