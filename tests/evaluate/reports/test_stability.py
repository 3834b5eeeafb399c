"""Stability: the refits are what they say, and a planted reason stays."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models import MODELS, fitted
from xattn import History, InputError
from xattn.data.synthetic import planted
from xattn.evaluate import stability
from xattn.evaluate.reports import said
from xattn.evaluate.reports.stability import resampled_users
from xattn.explain.rows import contributions


def test_a_planted_reason_stays_and_noise_does_not() -> None:
    truth = planted("copurchase", n_users=400, seed=0)
    data = truth.data
    model = MODELS["collaborative"]().fit(data)
    own = data.events_of(0)
    history = [data.items.ids[j] for j in data.item[own][:-1]]
    target = data.items.ids[truth.asked[0]]
    report = stability(model, history=history, item=target, refits=6, top=1, k=5)
    first = report["rows"][0]
    assert [first["position"]] == truth.causes_of(0).tolist()
    assert (first["share_top"], first["rank"], report["in_list"], report["overlap"]["value"]) == (1.0, 1.0, 1.0, 1.0)
    assert sum(row["share_top"] for row in report["rows"]) == pytest.approx(1.0), "one first place a refit"
    assert first["ci95"][0] > 0
    assert said(report)[0] == f"“{first['title']}” is a steady reason: among the first 1 in 100% of 6 refits."
    assert said(report, "zh")[-1] == "该物品在 100% 的重新拟合中位列前 5。"


def test_a_refit_is_a_fit_to_the_drawn_users() -> None:
    """One event's interval over two refits spans the two contributions, which are made here by hand."""
    model = fitted("item knn")
    report = stability(model, "u2", refits=2, seed=7, k=3)
    history, target = model.history("u2"), model.data_.item_row(report["item"])
    found = []
    for number in range(2):
        data = resampled_users(model.data_, np.random.default_rng([7, number]))
        found.append(contributions(MODELS["item knn"]().fit(data).cells_of(history, target), len(history)))
    for row in report["rows"]:
        ends = sorted(one[row["position"]] for one in found)
        expected = [ends[0] + 0.025 * (ends[1] - ends[0]), ends[1] - 0.025 * (ends[1] - ends[0])]
        assert row["ci95"] == pytest.approx(expected)
    assert report == stability(model, "u2", refits=2, seed=7, k=3)
    assert report != stability(model, "u2", refits=2, seed=8, k=3)


def test_drawn_users_bring_their_whole_histories() -> None:
    data = planted("genre", n_users=50, seed=0).data
    drawn = resampled_users(data, np.random.default_rng(0))
    assert drawn.n_users == 50
    assert len({name.split(" #")[0] for name in drawn.user_ids}) < 50, "some more than once"
    for row, name in enumerate(drawn.user_ids):
        own = History.of(data, data.user_row(name.split(" #")[0]))
        copy = History.of(drawn, row)
        np.testing.assert_array_equal(copy.item, own.item)
        np.testing.assert_array_equal(copy.rating, own.rating)


def test_seeds_change_what_is_random_alone() -> None:
    report = stability(fitted("content"), "u1", refits=2, how="seeds")
    assert report["how"] == "seeds"
    assert report["tau"]["value"] <= 1.0
    with pytest.raises(InputError, match="`how` must be bootstrap for ItemKNN, in which nothing is random; got seeds."):
        stability(fitted("item knn"), "u1", how="seeds")


def test_an_item_that_was_seen_has_no_rank() -> None:
    model = fitted("item knn")
    seen = model.data_.items.ids[model.history("u1").item[0]]
    report = stability(model, "u1", seen, refits=2)
    assert report["in_list"] is None
    assert report["rank"] == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"refits": 1}, "`refits` must be"),
        ({"top": 0}, "`top` must be"),
        ({"how": "magic"}, "`how` must be one of bootstrap, seeds; got 'magic'."),
        ({"item": "nosuch"}, "`item` must be one of"),
        ({"history": ["i1"]}, "exactly one of `user` and `history`"),
    ],
)
def test_refusals(changes: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        stability(fitted("item knn"), "u1", **changes)
