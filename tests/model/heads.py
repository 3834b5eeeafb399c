"""Small fitted heads over M items made from random tables, and histories for them: what the tests of `model` share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.strategies import betas, thetas
from xattn.data import History
from xattn.model.fit.closed_form import ClosedForm
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart, ItemFeatures
from xattn.model.memory import Memory

M = 6
FEATURES = ("genre: Drama", "genre: War", "year: old", "year: new")
Part = CollaborativePart | ContentPart


def tables(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape)


@st.composite
def collaborative(draw: st.DrawFn, dtype: type = np.float64) -> CollaborativePart:
    """1–3 recency heads over the warm ones of M items, perhaps none."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    warm = np.flatnonzero(draw(hnp.arrays(np.bool_, M)))
    row_of_item = np.full(M, -1, np.int64)
    row_of_item[warm] = np.arange(warm.size)
    memory = (Memory(0.5), Memory(3.0), Memory(20.0), Memory(1.0, 0.5), Memory(30.0, 2.0, 0.2))
    memories = tuple(draw(st.lists(st.sampled_from(memory), min_size=1, max_size=3)))
    V = tables(rng, len(memories), warm.size, warm.size).astype(dtype)
    gate = np.where(row_of_item >= 0, rng.random(M), 0.0)
    return CollaborativePart(ClosedForm(warm, row_of_item, V), memories, draw(betas), draw(thetas), gate)


@st.composite
def content(draw: st.DrawFn) -> ContentPart:
    """A content head over the features of M items, of which some have none; perhaps there are no features at all."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    names = draw(st.sampled_from((FEATURES, FEATURES, FEATURES, ())))
    F = tables(rng, M, len(names)) * (rng.random((M, len(names))) < 0.6)
    worth = tables(rng, len(names))
    T, tau = draw(st.sampled_from((0.1, 1.0))), draw(st.sampled_from((0.5, 5.0)))
    return ContentPart(ItemFeatures.of(names, F), worth, T, tau, draw(betas), draw(thetas), rng.random(M))


def parts(*kinds: str) -> st.SearchStrategy[Part]:
    return st.one_of(*({"collaborative": collaborative, "content": content}[kind]() for kind in kinds))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to 7 events, items that come back, some masked; perhaps it is known when they were."""
    item = np.array(draw(st.lists(st.integers(0, M - 1), max_size=7)), dtype=np.int64)
    live = draw(hnp.arrays(np.bool_, item.size, fill=st.just(True)))
    days = draw(st.lists(st.sampled_from((0.0, 0.0, 0.25, 3.0)), min_size=item.size, max_size=item.size))
    elapsed = np.cumsum(days)[::-1] if draw(st.booleans()) else None
    return History(item, None, np.arange(item.size)[::-1].astype(float), live, elapsed=elapsed)


@st.composite
def strengths(draw: st.DrawFn, history: History) -> np.ndarray:
    return draw(hnp.arrays(np.float64, len(history), elements=st.sampled_from((1.0, -0.5, 0.3, 0.0))))


def left_out(history: History, w: np.ndarray) -> tuple[History, np.ndarray]:
    """The live events alone, as old as they were."""
    live = history.live
    elapsed = None if history.elapsed is None else history.elapsed[live]
    return History(history.item[live], None, history.age[live], live[live], elapsed=elapsed), w[live]
