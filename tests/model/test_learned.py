"""The learned heads as a part of a score: the sum written out, masks, three ways to one number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checks import assert_within
from tests.model.test_sequence import SHAPE, some_parameters
from xattn.data import History
from xattn.model.heads.learned import LearnedPart, logits
from xattn.model.heads.target import TargetPart

M = 9
ROWS = np.array([0, 1, 7, 2, 3, 4, 7, 5, 6])  # items 2 and 6 have no row of their own


def a_part(theta: float = 0.0, target: bool = False) -> LearnedPart | TargetPart:
    rng = np.random.default_rng(2)
    kind = TargetPart if target else LearnedPart
    return kind(SHAPE._replace(target=target), some_parameters(), ROWS, rng.random(M), theta, 0.3)


def a_history(n: int, masked: list[int], seed: int = 0) -> tuple[History, np.ndarray]:
    rng = np.random.default_rng(seed)
    history = History(rng.integers(0, M, n), None, np.arange(n)[::-1], np.ones(n, bool)).without(masked)
    w = rng.normal(size=n)
    w[masked] = 1e300  # what is masked must not be read
    return history, w


def written_out(part: LearnedPart | TargetPart, history: History, w: np.ndarray, j: int) -> float:
    """One term at a time, as the equations stand in model/sequence.py."""
    p, shape = part.params, part.shape
    if ROWS[j] == shape.C:
        return 0.0
    sight = [i for i in range(len(history)) if history.age[i] < shape.L]
    live = [i for i in sight if history.live[i]]
    total = 0.0
    for h in range(shape.H):
        q = (
            p["U"][ROWS[j]] @ p["Wq"][h]
            if shape.target
            else sum(
                (p["omega"][h, int(history.age[i])] * p["E"][ROWS[history.item[i]]] @ p["Wq"][h])
                for i in live
                if history.age[i] < shape.P
            )
            + np.zeros(shape.dk)
        )
        z = {
            i: float(
                p["E"][ROWS[history.item[i]]] @ p["Wk"][h] @ q / np.sqrt(shape.dk) + p["r"][h, int(history.age[i])]
            )
            for i in sight
        }
        E = {i: np.exp(z[i] - max(z.values())) for i in live}
        for i in live:
            a = E[i] / sum(E.values()) ** shape.beta
            if a >= part.theta:
                v = p["E"][ROWS[history.item[i]]] @ p["Wv"][h] @ p["U"][ROWS[j]]
                total += part.alpha * part.gate[j] * a * w[i] * v
    return total


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 9), st.data(), st.sampled_from([0.0, 0.25]), st.integers(0, 50), st.booleans())
def test_a_score_is_the_sum_written_out_three_ways(
    n: int, data: st.DataObject, theta: float, seed: int, target: bool
) -> None:
    masked = sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=n)))
    part, (history, w) = a_part(theta, target), a_history(n, masked, seed)
    want = np.array([written_out(part, history, w, j) for j in range(M)])
    assert_within(part.scores(history, w), want, 1e-9, 1e-11)
    for j in range(M):
        cells = part.cells(history, w, j)
        assert sum(float(c.contribution.sum()) for c in cells) == pytest.approx(want[j], rel=1e-9, abs=1e-11)
    announced, given = np.zeros((2, M, n))
    part.add_contributions(given, history, w, np.arange(M))
    assert_within(given.sum(axis=1), want, 1e-9, 1e-11)
    assert not given[:, masked].any()
    part.add_without_each(announced, history, w, np.arange(M))
    for r in range(n):
        served = part.scores(history.without([r]), w)
        assert_within(announced[:, r], served, 1e-12, 1e-13)
        if not target:
            np.testing.assert_array_equal(announced[:, r], served)


@pytest.mark.parametrize("theta", [0.0, 0.25])
def test_many_maskings_have_the_bits_of_each(theta: float) -> None:
    """Whatever stands beside a masking; some leave nothing to ask, some nothing to see."""
    part, (history, w) = a_part(theta), a_history(12, [3])
    live = np.random.default_rng(1).random((40, 12)) < 0.6
    live[0], live[1], live[2, -SHAPE.P :] = False, history.live, False
    live[:, 3] = False
    together = part.scores_masked(history, w, live, np.array([7, 0, 2]))
    for row, own in zip(together, live, strict=True):
        served = part.scores(history.without(np.flatnonzero(~own).tolist()), w)
        np.testing.assert_array_equal(row, served[[7, 0, 2]])
    assert not together[0].any()


def test_ages_out_of_sight_count_nothing() -> None:
    part, (history, w) = a_part(), a_history(12, [])
    cells = part.cells(history, w, 0)
    assert all((c.weight[: 12 - SHAPE.L] == 0).all() and (c.weight[12 - SHAPE.L :] > 0).all() for c in cells)


@pytest.mark.parametrize("target", [False, True])
def test_logits_are_the_part_alone_and_the_base(target: bool) -> None:
    rows = np.array([3, 1, 7, 2])
    part = replace(a_part(target=target), rows=np.arange(8), gate=np.ones(8), alpha=1.0)
    history = History(rows, None, np.arange(4)[::-1], np.ones(4, bool))
    want = part.scores(history, np.ones(4))[:7] + part.params["b"]
    assert_within(logits(part.params, part.shape, rows), want, 1e-6, 1e-6)  # by way of float32
