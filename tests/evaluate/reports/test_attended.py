"""What a model attends to: shares that add up, against the ledger itself."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models import fitted
from xattn import InputError, NotFittedError, Popularity
from xattn.evaluate.reports import attended, said
from xattn.evaluate.reports.attended import AGES
from xattn.evaluate.reports.common import effective, figure


def test_shares_add_up() -> None:
    report = attended(fitted("hybrid"), sample=30)
    heads = {row["head"] for row in report["rows"]}
    assert heads == {row["head"] for row in report["heads"]} == {"content", "recency 3", "recency 20"}
    for head in heads:
        own = [row["weight"]["value"] for row in report["rows"] if row["head"] == head]
        assert len(own) == len(AGES)
        assert sum(own) == pytest.approx(1.0)
    assert sum(row["effect"]["value"] for row in report["rows"]) == pytest.approx(1.0)
    for name in ("weight_share", "effect_share"):
        assert sum(row[name]["value"] for row in report["heads"]) == pytest.approx(1.0)
    assert sum(row["share"]["value"] for row in report["features"]) == pytest.approx(1.0)
    for row in report["rows"]:
        low, high = row["weight"]["ci95"]
        assert low - 1e-12 <= row["weight"]["value"] <= high + 1e-12


def test_features_are_those_of_the_ledger() -> None:
    """One user: what each feature adds to the score, as a part of it."""
    model = fitted("content")
    report = attended(model, sample=1, seed=3)
    user = next(
        u
        for u in model.data_.user_ids
        if attended(model, sample=1, seed=3)["features"]
        and _signed(model, u).keys() >= {row["feature"] for row in report["features"]}
        and _signed(model, u)[report["features"][0]["feature"]]
        == pytest.approx(report["features"][0]["contribution"]["value"])
    )
    expected = _signed(model, user)
    for row in report["features"]:
        assert row["contribution"]["value"] == pytest.approx(expected[row["feature"]])
        assert row["block"] == "genres"


def _signed(model, user) -> dict[str, float]:  # type: ignore[no-untyped-def]
    ledger = model.explain(user, model.recommend(user, k=1)["item"][0])
    sums = ledger.cells.groupby("feature")["contribution"].sum() / abs(ledger.score)
    return dict(sums)


def test_equal_weights_are_shared_by_number_of_events() -> None:
    report = attended(fitted("item knn"), sample=10)
    own = {row["age"]: row["weight"]["value"] for row in report["rows"]}
    # nine events: one of age 0, one of age 1, three of 2–4, four of 5–8
    assert [own[age] for age in AGES] == pytest.approx([1 / 9, 1 / 9, 3 / 9, 4 / 9, 0, 0, 0])
    (head,) = report["heads"]
    assert head["events"]["value"] == pytest.approx(9.0)


def test_without_events_that_move_a_score_the_summary_says_so() -> None:
    report = attended(fitted("popularity"), sample=5)
    assert report["rows"] == []
    assert said(report) == ["No event moves a score in this model: there is nothing to attend to."]


def test_effective_is_a_number_of_events() -> None:
    assert effective(np.full(7, 0.3)) == pytest.approx(7.0)
    assert effective(np.array([1.0, 1e-320, 0.0])) == pytest.approx(1.0)


def test_figures_leave_out_what_has_no_meaning() -> None:
    found = figure([1.0, np.nan, 3.0], 0)
    assert found["value"] == 2.0
    assert found["ci95"] == [1.0, 3.0]


def test_refusals() -> None:
    with pytest.raises(InputError, match="`model` must be a fitted recommender; got 3."):
        attended(3)
    with pytest.raises(NotFittedError):
        attended(Popularity())
    with pytest.raises(InputError, match="`sample` must be"):
        attended(fitted("popularity"), sample=0)
