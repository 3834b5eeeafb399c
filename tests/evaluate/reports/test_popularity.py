"""Popularity bias: figures against plain loops over the lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import fitted
from xattn.evaluate.metrics import popularity_bias
from xattn.evaluate.reports import popularity
from xattn.evaluate.reports.popularity import FIFTHS, fifths, gini


def test_against_the_lists_themselves() -> None:
    model = fitted("hybrid")
    report = popularity(model, k=5, sample=10_000)
    shares, lists, histories = [], [], []
    counts, group = model.data_.counts(), fifths(model.data_.counts())
    for user in model.data_.user_ids:
        frame = model.recommend(user, k=5)
        positive = frame[frame["score"] > 0]
        shares.append((positive["base"] / positive["score"]).mean())
        lists.append(np.array([model.data_.item_row(item) for item in frame["item"]]))
        histories.append(model.history(user).item)
    assert report["base_share"]["value"] == pytest.approx(np.nanmean(shares))
    assert report["bias"]["value"] == pytest.approx(popularity_bias(lists, histories, counts))
    listed = np.concatenate(lists)
    assert report["coverage"] == pytest.approx(len(np.unique(listed)) / model.data_.n_items)
    for at, row in enumerate(report["rows"]):
        assert (row["group"], row["items"]) == (FIFTHS[at], (group == at).sum())
        assert row["share_of_lists"]["value"] == pytest.approx((group[listed] == at).mean())
    assert sum(row["share_of_events"] for row in report["rows"]) == pytest.approx(1.0)


def test_popularity_alone_is_all_base_and_lists_the_same_for_everybody() -> None:
    report = popularity(fitted("popularity"), k=3, sample=50)
    assert report["base_share"]["value"] == 1.0
    assert report["correlation"]["value"] == pytest.approx(1.0)
    assert report["gini"] > 0.8
    assert report["bias"]["ci95"][0] > 0


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_fifths_go_by_popularity(counts: list[int]) -> None:
    n = np.array(counts)
    group = fifths(n)
    assert group.min() >= 0
    assert group.max() <= 4
    order = np.argsort(-n, kind="stable")
    assert (np.diff(group[order]) >= 0).all()
    assert (group[n == 0] == 4).all()
    if n.sum():
        below = [n[group < at].sum() for at in range(1, 5)]  # a group ends where its fifth is full, or one item later
        assert all(part <= at * n.sum() / 5 + n.max() for at, part in enumerate(below, 1))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.floats(0.1, 10))
def test_gini_is_of_shares(amounts: list[float], scale: float) -> None:
    x = np.array(amounts)
    assert -1e-9 <= gini(x) < 1
    assert gini(x * scale) == pytest.approx(gini(x), abs=1e-6)
    if x.sum() > 1e-3:
        plain = np.abs(x[:, None] - x[None, :]).sum() / (2 * len(x) ** 2 * x.mean())
        assert gini(x) == pytest.approx(plain, abs=1e-9)
