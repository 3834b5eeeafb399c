"""The article's network as it is served: the sum written out, masks, the threshold, three ways to one score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.checks import assert_within
from xattn.data import History
from xattn.model.heads.article import ArticleNetwork
from xattn.model.heads.field import fields_scores, fields_without_each

M, D, H = 7, 4, 2
BASE = np.random.default_rng(0).normal(size=M)  # that of the model, on which the network adds


def network(theta: float = 0.0, beta: float = 0.5) -> ArticleNetwork:
    rng = np.random.default_rng(0)
    Q = np.hstack([rng.normal(size=(M, D - 1)), np.ones((M, 1))])
    P, k = rng.normal(size=(H, M, D)), rng.normal(size=(H, M))
    return ArticleNetwork(Q, P, k, np.array([0.1, 0.7]), beta, theta)


def history(n: int, seed: int = 1) -> tuple[History, np.ndarray]:
    rng = np.random.default_rng(seed)
    events = History(rng.integers(0, M, n), None, np.arange(n)[::-1], np.ones(n, bool))
    return events, rng.normal(size=(H, n))


def written_out(net: ArticleNetwork, events: History, w: np.ndarray, j: int) -> float:
    total = float(BASE[j])
    for h in range(H):
        E = {i: np.exp(net.k[h, events.item[i]] - net.rate[h] * events.age[i]) for i in np.flatnonzero(events.live)}
        for i, e in E.items():
            a = e / sum(E.values()) ** net.beta
            if a >= net.theta:
                total += float(a * w[h, i] * (net.P[h, events.item[i]] @ net.Q[j]))
    return total


@pytest.mark.parametrize("theta", [0.0, 0.3])
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("masked", [[], [0, 3], [0, 1, 2, 3, 4, 5]])
def test_a_score_is_the_sum_written_out_three_ways(theta: float, beta: float, masked: list[int]) -> None:
    net = network(theta, beta)
    events, w = history(6)
    events = events.without(masked)
    w[:, masked] = np.nan  # what is masked must not be read
    want = np.array([written_out(net, events, w, j) for j in range(M)])
    assert_within(BASE + net.scores(events, w), want, 1e-12, 1e-13)
    fields = net.fields(events, w, np.arange(M))
    assert_within(fields_scores(fields, events.live, BASE), want, 1e-12, 1e-13)
    for j in range(M):
        cells = sum(c.contribution[events.live].sum() for c in net.cells(events, w, j))
        assert BASE[j] + cells == pytest.approx(want[j], rel=1e-12)


@pytest.mark.parametrize("theta", [0.0, 0.3])
def test_a_removal_is_the_score_of_the_masked_history(theta: float) -> None:
    net = network(theta)
    events, w = history(6)
    got = fields_without_each(net.fields(events, w, np.arange(M)), events.live, BASE)
    for i in range(6):
        assert_within(got[:, i], BASE + net.scores(events.without([i]), w), 1e-12, 1e-13)


def test_no_event_leaves_the_base() -> None:
    events, w = history(0)
    assert network().scores(events, w).tolist() == [0.0] * M


def test_only_what_is_looked_at_enough_counts() -> None:
    net = replace(network(theta=0.9, beta=1.0), k=np.zeros((H, M)), rate=np.zeros(H))
    events, w = history(3)  # a third of the attention each
    assert net.scores(events, w).tolist() == [0.0] * M
    assert all(not c.weight.any() for c in net.cells(events, w, 0))
