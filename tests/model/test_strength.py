"""Strengths: centred ratings from −1 to 1, and presence, which only a clear dislike turns round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.checks import assert_within, unchanged
from xattn.data.scale import Scale
from xattn.model.strength import RatingScale, found, kind_strengths, once, presence, signed, taste

STARS = RatingScale(0.5, 5.0)
NONE = RatingScale(0.0, 0.0)
ratings = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8).map(np.array)


@pytest.mark.parametrize("origin", ["stated", "known"])
def test_a_scale_is_what_is_stated_or_known(origin: str) -> None:
    assert RatingScale.of(Scale(1.0, 5.0, "opinion", origin)) == RatingScale(1.0, 5.0)


@pytest.mark.parametrize(
    "scale", [None, Scale(1.0, 5.0, "opinion", "guessed"), Scale(1.0, 90.0, "amount", "known")], ids=repr
)
def test_no_ratings_guesses_and_amounts_are_no_scale(scale: Scale | None) -> None:
    assert RatingScale.of(scale) == NONE
    assert signed(np.array([1.0, 5.0]), 2, NONE).tolist() == [1.0, 1.0]
    assert presence(np.array([1.0, 5.0]), 2, NONE, -0.5).tolist() == [1.0, 1.0]


def test_one_rating_for_all_says_nothing() -> None:
    assert signed(np.full(3, 5.0), 3, RatingScale(5.0, 5.0)).tolist() == [1.0, 1.0, 1.0]


@given(ratings)
def test_signed_is_the_rating_between_minus_and_plus_1(x: np.ndarray) -> None:
    """(r − middle)/half: the ends exactly, in order, and the mirrored scale gives the mirrored strength."""
    low, high = x.min(), x.max()
    with unchanged(x):
        w = signed(x, x.size, RatingScale(low, high))
    assert (np.abs(w) <= 1).all()
    if high - low > 1e-3 * max(abs(low), abs(high), 1e-300):  # else the middle is known to few digits
        assert_within(w, np.array([(2 * r - low - high) / (high - low) for r in x]), absolute=1e-12)
        assert (np.diff(w[np.argsort(x)]) >= 0).all()
        assert_within(signed(-x, x.size, RatingScale(-high, -low)), -w, absolute=1e-12)


@given(ratings, st.floats(-1, 1))
def test_presence_is_1_but_for_clear_dislikes(x: np.ndarray, dislike: float) -> None:
    scale = RatingScale(x.min(), x.max())
    w = signed(x, x.size, scale)
    assert presence(x, x.size, scale, dislike).tolist() == [dislike if s <= -0.5 else 1.0 for s in w]


def test_stars_by_hand() -> None:
    """From half a star to five: 2.75 is the middle; dislikes are those in the bottom quarter, 1.625 and below."""
    x = np.array([0.5, 1.625, 1.63, 2.75, 5.0])
    assert signed(x, 5, STARS).round(3).tolist() == [-1.0, -0.5, -0.498, 0.0, 1.0]
    assert presence(x, 5, STARS, -0.25).tolist() == [-0.25, -0.25, 1.0, 1.0, 1.0]


def test_ratings_off_the_scale_count_as_its_ends() -> None:
    """Someone new may rate below or above all that the data holds."""
    assert signed(np.array([-3.0, 9.0]), 2, STARS).tolist() == [-1.0, 1.0]


def test_the_longest_scale() -> None:
    """high − low is past the largest number; the strengths are not."""
    x = np.array([-1.7e308, 0.0, 1.7e308])
    assert signed(x, 3, RatingScale(x.min(), x.max())).tolist() == [-1.0, 0.0, 1.0]
    assert presence(x, 3, RatingScale(x.min(), x.max()), 0.0).tolist() == [0.0, 1.0, 1.0]


# --- what belongs -----------------------------------------------------------------------------------------------------


def test_liked_is_the_upper_third() -> None:
    """3.5 of half a star to five, 4 of five whole stars; disliked is the bottom quarter."""
    x = np.array([0.5, 1.5, 2.0, 3.0, 3.5, 5.0])
    assert taste(x, 6, STARS, -0.25).tolist() == [-0.25, -0.25, 0.5, 0.5, 1.0, 1.0]
    assert found(x, 6, STARS).tolist() == [0.0, 0.0, 1 / 3, 1 / 3, 1.0, 1.0]
    whole = np.arange(1.0, 6.0)
    assert taste(whole, 5, RatingScale(1.0, 5.0), 0.0).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert taste(None, 2, NONE, 0.0).tolist() == found(None, 2, NONE).tolist() == [1.0, 1.0]


strengths = st.lists(st.tuples(st.integers(0, 3), st.sampled_from((-1.0, -0.5, 0.0, 0.2, 1.0))), max_size=9)


@given(strengths)
def test_an_item_counts_once(events: list[tuple[int, float]]) -> None:
    """Together the events of a key have the size of the strongest; signs and proportions stay, and one alone."""
    key = np.array([k for k, _ in events], dtype=int)
    w = np.array([x for _, x in events])
    with unchanged(w, key):
        shares = once(w, key)
    assert shares.shape == w.shape
    assert (np.sign(shares) == np.sign(w)).all()
    for k in set(key.tolist()):
        own = key == k
        assert_within(np.abs(shares[own]).sum(), np.abs(w[own]).max(), absolute=1e-12)
        assert_within(shares[own] * np.abs(w[own]).sum(), w[own] * np.abs(w[own]).max(), absolute=1e-12)
        if own.sum() == 1:
            assert shares[own] == w[own]


def test_types_that_are_not_named_count_in_full() -> None:
    kinds = np.array(["view", "buy", "return", "view"], dtype=object)
    assert kind_strengths(kinds, 4, {"view": 0.25, "return": -1.0}).tolist() == [0.25, 1.0, -1.0, 0.25]
    assert kind_strengths(kinds, 4, None).tolist() == [1.0] * 4
    assert kind_strengths(None, 3, {"view": 0.25}).tolist() == [1.0] * 3
    assert kind_strengths(kinds[:0], 0, {"view": 0.25}).shape == (0,)
