"""A matrix factorisation put to the same test: its maskings against implicit itself, its terms against its score."""

from __future__ import annotations

import numpy as np
import pytest

from xattn import History
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate
from xattn.evaluate.faithfulness import PostHoc
from xattn.evaluate.faithfulness.masked import ByFoldingIn, masked_scores
from xattn.evaluate.rivals import ALS

pytest.importorskip("implicit")


@pytest.fixture(scope="module")
def model() -> PostHoc:
    return PostHoc(ALS(factors=6, regularization=0.5, alpha=4.0, iterations=5)).fit(planted("genre", n_users=80).data)


def history_of(model: PostHoc, repeated: bool) -> History:
    own = History.of(model.data_, 3)
    return History.given(model.data_, [model.data_.items.ids[j] for j in own.item] + ["i7", "i7"] * repeated)


@pytest.mark.parametrize("repeated", [False, True])
def test_scores_are_those_of_implicit(model: PostHoc, repeated: bool) -> None:
    history = history_of(model, repeated)
    for masked in ([], [0], [2, 5], list(range(len(history)))):
        less = history.without(masked)
        np.testing.assert_allclose(model.scores_of(less), model.model.scores_of(less), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("repeated", [False, True])
def test_removal_is_scoring_again(model: PostHoc, repeated: bool) -> None:
    history = history_of(model, repeated).without([1])
    targets = np.array([0, 11, 30])
    found = model.scores_without_each(history, targets)
    for i in range(len(history)):
        np.testing.assert_allclose(found[:, i], model.scores_of(history.without([i]))[targets], rtol=1e-9, atol=1e-12)


def test_terms_add_up(model: PostHoc) -> None:
    history = history_of(model, True)
    for target in (0, 11):
        (cells,) = model.cells_of(history, target)
        assert cells.contribution.sum() == pytest.approx(model.scores_of(history)[target], rel=1e-9)


def test_many_maskings_at_once(model: PostHoc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.evaluate.faithfulness.posthoc.BLOCK", 100)  # so that blocks meet
    history = history_of(model, True)
    masked = masked_scores(model, history)
    assert isinstance(masked, ByFoldingIn)
    live = np.random.default_rng(0).random((9, len(history))) < 0.5
    for row, scores, one in zip(live, masked.all(live), masked.of(live, 4), strict=True):
        served = model.scores_of(history.without(np.flatnonzero(~row)))
        np.testing.assert_allclose(scores, served, rtol=1e-9, atol=1e-12)
        assert one == pytest.approx(served[4], rel=1e-9, abs=1e-12)


def test_the_protocol_takes_als() -> None:
    data = planted("copurchase", n_users=40, seed=0).data
    result = evaluate(data, [ALS(factors=4, iterations=3)], protocol="faithfulness", k=3)
    rows = {row["explainer"]: row for row in result["rows"]}
    assert rows["removal"]["del@1"] <= rows["random"]["del@1"]
    assert rows["removal"]["best@1"] == 1.0
    assert rows["contribution"]["gap"] < 1e-9
    assert rows["contribution"]["tau"] <= rows["removal"]["tau"] == 1.0
    assert [row["head"] for row in result["heads"]] == ["folded in", "all"]
