"""Long histories: a sum over the whole catalogue leaves out what is too faint for it, and is the same to rounding.

What is left out depends on the events that are live, so it is the same however a masking is asked for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.checks import assert_bitwise, assert_within
from tests.model.heads import FEATURES, M, Part, parts
from xattn.data import History
from xattn.kernels.fields import FAINT, field_weights
from xattn.model.heads.content import ContentPart, ItemFeatures
from xattn.model.heads.field import Masked, fields_scores

LONG = 900  # events: more than 70 ln 2 times the largest τ, so that the oldest are faint even beside the middle ones


@st.composite
def long_histories(draw: st.DrawFn) -> History:
    """Events of random items, perhaps others of late; of the newest none, some, nearly all or all are masked."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    live = rng.random(LONG) < draw(st.sampled_from((1.0, 0.6)))
    live[LONG - draw(st.sampled_from((0, 30, LONG - 3, LONG))) :] = False
    item = rng.integers(0, M, LONG)
    if draw(st.booleans()):
        item[:-300] %= M // 2
        item[-300:] = M // 2 + item[-300:] % (M - M // 2)
    return History(item, None, np.arange(LONG)[::-1].astype(float), live)


@given(parts("content", "collaborative"), st.sampled_from((0.8, 1.0)), long_histories())
def test_the_sum_is_that_of_all_events(drawn: Part, beta: float, history: History) -> None:
    """With β = 1 the weights of whatever is live add up to 1: the oldest events, too, if they are alone."""
    is_the_sum_of_all(replace(drawn, beta=beta), history)


def test_the_sum_is_that_of_all_events_where_cosines_exceed_1() -> None:
    """So it is where parts of an item are gone and its length stays. The old events resemble the targets more."""
    rng = np.random.default_rng(0)
    features = ItemFeatures.of(FEATURES, rng.normal(size=(M, 4)))
    *kinds, length = features.kinds
    short = features._replace(norm=features.norm / 30, kinds=(*kinds, length / 30))
    part = ContentPart(short, rng.normal(size=4), 1.0, 5.0, 1.0, 0.0, np.ones(M))
    item = np.where(np.arange(LONG) < 600, rng.integers(0, 3, LONG), rng.integers(3, M, LONG))
    is_the_sum_of_all(part, History(item, None, np.arange(LONG)[::-1].astype(float), np.ones(LONG, bool)))


def is_the_sum_of_all(part: Part, history: History) -> None:
    """Values are of size 5 and strengths 1, and a weight is at most Σ E^(1 − β); 900 terms with a rounding each."""
    w = np.ones(LONG)
    fields = part.fields(history, w, np.arange(M)) or []
    size = sum(float(np.abs(field.E @ np.ones(LONG)).max() * np.abs(field.X).max(initial=0.0)) for field in fields)
    want = fields_scores(fields, history.live, np.zeros(M))
    assert_within(part.scores(history, w), want, absolute=LONG * 2.0**-52 * (1.0 + size))


@given(parts("content", "collaborative"), long_histories(), st.data())
def test_a_masking_has_the_bits_that_are_served(part: Part, history: History, data: st.DataObject) -> None:
    w, targets = np.ones(LONG), np.array([4, 0, 4])
    rows = [history.live, np.zeros(LONG, bool)]
    for newest in data.draw(st.lists(st.integers(0, LONG), max_size=3)):
        rows.append(history.live & (np.arange(LONG) < LONG - newest))
    got = part.scores_masked(history, w, np.array(rows), targets)
    for row, own in zip(rows, got, strict=True):
        assert_bitwise(own, part.scores(Masked(history, row), w)[targets])


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_faint_weights_are_none(beta: float) -> None:
    E = np.array([[1.0, FAINT, FAINT / 2, 0.5, 1e-300]])
    live = np.array([True, True, True, False, True])
    plain, cut = field_weights(E, live, beta, 0.0), field_weights(E, live, beta, 0.0, FAINT)
    assert (plain > 0).tolist() == [[True, True, True, False, True]]
    assert_bitwise(cut, np.where([[True, True, False, False, False]], plain, 0.0))


def test_what_is_faint_depends_on_what_is_live() -> None:
    """Without the newest events an old one is no longer faint; beside one that is not a number none is."""
    E = np.array([[FAINT / 4, FAINT / 2, 1.0]])
    assert (field_weights(E, np.array([True, True, False]), 1.0, 0.0, FAINT) > 0).tolist() == [[True, True, False]]
    unknown = field_weights(np.array([[np.nan, 1.0]]), np.ones(2, bool), 1.0, 0.0, FAINT)
    assert np.isnan(unknown).all()
