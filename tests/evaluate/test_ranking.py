"""Many people at once are ranked as each alone; similar items ask for no table of all events and items."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tests.models import fitted
from xattn import History, ItemKNN
from xattn.data import leave_last_out, planted
from xattn.evaluate import ranking
from xattn.evaluate.metrics import diversity, per_user, popularity_bias, ranks_of
from xattn.evaluate.questions import Questions
from xattn.evaluate.ranking import rank
from xattn.features import feature_set
from xattn.kernels.topk import top_k


class Alone:
    """A model that scores one history at a time, as a model from elsewhere may."""

    def __init__(self, model: object) -> None:
        self.scores_of = model.scores_of


@pytest.mark.parametrize("seen", ["drop", "keep"])
@pytest.mark.parametrize("name", ["item knn", "popularity", "collaborative", "users"])
def test_blocks_are_ranked_as_each_alone(name: str, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted(name)
    data = model.data_
    monkeypatch.setattr(ranking, "BLOCK", 7 * data.n_items)
    people = [History.of(data, u) for u in range(23)]
    rng = np.random.default_rng(0)
    relevant = [rng.choice(data.n_items, 1 + u % 4, replace=False) for u in range(23)]
    missed = [u % 2 for u in range(23)]
    got = rank(model, Questions(data, people, relevant, missed, seen), 5)
    for u, (own, wanted) in enumerate(zip(people, relevant, strict=True)):
        allowed = np.ones(data.n_items, bool)
        allowed[own.item] = seen == "keep"
        listed = wanted[allowed[wanted]]
        scores = model.scores_of(own)
        (best,) = top_k(scores[None, :], allowed, 5).items
        assert got.lists[u].tolist() == best[best >= 0].tolist()
        never = [np.inf] * (missed[u] + len(wanted) - len(listed))
        assert got.ranks[u].tolist() == [*ranks_of(scores, listed, allowed), *never]
    alone = rank(Alone(model), Questions(data, people, relevant, missed, seen), 5)
    assert [r.tolist() for r in alone.ranks] == [r.tolist() for r in got.ranks]


def test_measures_of_many_lists_are_those_of_each() -> None:
    data = planted("genre", seed=0).data
    rng = np.random.default_rng(1)
    lists = [rng.choice(data.n_items, n, replace=False) for n in (5, 0, 1, 4, 2)]
    histories = [rng.choice(data.n_items, n) for n in (3, 2, 0, 7, 1)]
    unit, counts = feature_set(data.items).unit, data.counts()
    each = []
    for items in lists:
        cosine = (unit[items] @ unit[items].T).toarray()
        n = len(items)
        each += [1 - (cosine.sum() - np.trace(cosine)) / (n * (n - 1))] if n > 1 else []
    assert diversity(lists, unit) == pytest.approx(np.mean(each), abs=1e-12)
    both = [(counts[a].mean(), counts[b].mean()) for a, b in zip(lists, histories, strict=True) if len(a) and len(b)]
    listed, had = np.mean(both, axis=0)
    assert popularity_bias(lists, histories, counts) == pytest.approx((listed - had) / had, abs=1e-12)
    ranks = [np.array([1.0, 3.0, 12.0, np.inf]), np.array([np.inf]), np.array([2.0, 3.0])]
    together = per_user(ranks, 10)
    for u, own in enumerate(ranks):
        for name, values in per_user([own], 10).items():
            assert together[name][u] == values[0]


def test_a_long_history_is_scored_and_explained_without_a_table_of_all_items() -> None:
    split = leave_last_out(planted("genre", seed=0).data)
    model = ItemKNN().fit(split.train)
    n = 100_000
    item = np.random.default_rng(0).integers(0, split.train.n_items, n)
    history = History(item, None, np.arange(n, dtype=float)[::-1], np.ones(n, bool))
    model.scores_of(history)  # compiles
    tracemalloc.start()
    scores = model.scores_of(history)
    cells = model.cells_of(history, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 8 * n  # a few vectors over the events; the table would have a row an item
    assert cells[0].contribution.sum() == pytest.approx(scores[3], rel=1e-12)
