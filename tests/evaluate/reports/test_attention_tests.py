"""Attention tests on models of which the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.models import fitted
from xattn import CollaborativeAttention, InputError, Interactions
from xattn.evaluate.faithfulness.case import Met
from xattn.evaluate.reports import attention_tests, said
from xattn.evaluate.reports.attention_tests import ALIKE, _looked, _other_weights, _verdict
from xattn.evaluate.reports.common import people
from xattn.i18n import LANGUAGES


def values(report: dict) -> dict[tuple[str, str], float]:
    return {(row["test"], row["measure"]): row["value"] for row in report["rows"]}


def test_equal_weights_may_be_dealt_out_as_one_likes() -> None:
    """ItemKNN weighs all events alike: a permutation is no change, and the order of the weights tells nothing."""
    found = values(attention_tests(fitted("item knn"), k=5, sample=15))
    assert found["permuted", "score change"] == pytest.approx(0.0, abs=1e-12)
    assert found["permuted", "list that stays"] == 1.0
    assert found["order", "tau"] == 0.0
    assert ("uniform", "ndcg@5") not in found, "there is nothing to make uniform"
    assert ("seeds", "distance") not in found, "and nothing random"


def walks() -> Interactions:
    """Half of the steps lead to the next item, the others anywhere: what comes next is up to the newest event alone."""
    rng = np.random.default_rng(0)
    events = []
    for user in range(150):
        at = rng.integers(40)
        for _ in range(10):
            events.append((f"u{user}", f"i{at}"))
            at = (at + 1) % 40 if rng.random() < 0.5 else rng.integers(40)
    return Interactions.from_frame(pd.DataFrame(events, columns=["user", "item"]), name="walks")


def test_where_recency_is_the_cause_attention_is_needed_and_names_it() -> None:
    model = CollaborativeAttention(recency=(1.0,), beta=1.0, min_events=1, regularization=1.0).fit(walks())
    report = attention_tests(model, k=5, sample=20)
    found = values(report)
    assert found["order", "first"] > 0.9
    assert found["uniform", "ndcg@5"] > found["uniform", "ndcg@5, uniform"] + 0.1
    assert found["erase", "events by effect"] <= found["erase", "events by weight"]
    assert any(line.startswith("Learned with equal weights the model is less accurate") for line in said(report))
    for lang in LANGUAGES:
        assert all(said(report, lang))


def test_seeds_of_a_trained_model_move_its_weights() -> None:
    found = values(attention_tests(fitted("neural"), k=3, sample=6, seeds=2))
    assert 0 < found["seeds", "distance"] <= 1


@pytest.mark.parametrize("name", ["hybrid", "collaborative", "content", "sequence", "users"])
def test_adversarial_weights_keep_their_word(name: str) -> None:
    """Each head's sum and (shared heads) every score of the list stay; by the definition of a score."""
    model = fitted(name)
    for one in people(model, 6, 4, 0, None):
        case = _looked(model, one, Met.of(model.data_))
        np.testing.assert_allclose(
            case.base + np.einsum("hn,hjn->j", case.weights, case.X)
            if case.shared.all()
            else (case.base + np.einsum("hn,hjn->j", case.weights, case.X))[:1],
            one.scores[np.argsort(np.where(one.allowed, -one.scores, np.inf), kind="stable")][
                : len(case.base) if case.shared.all() else 1
            ],
            rtol=1e-5,
            atol=1e-7,
        )
        found = _other_weights(case)
        if found is None:
            continue
        assert found.min() >= -1e-9
        np.testing.assert_allclose(found.sum(axis=1), case.weights.sum(axis=1), rtol=1e-6)
        listed = len(one.listed) if case.shared.any() else 1
        moved = np.einsum("hn,hjn->j", found - case.weights, case.X)[:listed]
        assert (np.abs(moved) <= ALIKE * np.abs(one.scores[one.listed[:listed]]) * (1 + 1e-4) + 1e-9).all()


@pytest.mark.parametrize(
    ("tau", "first", "verdict"),
    [(0.9, 0.95, "fair"), (0.9, 0.7, "partly"), (0.5, 0.95, "partly"), (0.2, 0.95, "unfair"), (0.9, 0.4, "unfair")],
)
def test_the_rule_of_the_verdict(tau: float, first: float, verdict: str) -> None:
    rows = [{"test": "order", "measure": name, "value": value} for name, value in (("tau", tau), ("first", first))]
    assert _verdict(rows) == verdict


def test_refusals() -> None:
    with pytest.raises(InputError, match="`seeds` must be"):
        attention_tests(fitted("item knn"), seeds=0)
