"""The conditional logit: planted weights are found, its first order condition holds, its cells add up."""

from __future__ import annotations

import numpy as np
import pytest

from xattn.errors import InputError
from xattn.evaluate.choices import Choices, conditional_logit


def planted(beta: np.ndarray, sets: int = 4000, size: int = 4) -> Choices:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(sets * size, len(beta)))
    group = np.repeat(np.arange(sets), size)
    u = (X @ beta + rng.gumbel(size=len(X))).reshape(sets, size)
    chosen = (u == u.max(axis=1, keepdims=True)).ravel()
    return Choices(X, group, chosen)


def test_planted_weights_are_found() -> None:
    beta = np.array([1.5, -0.7, 0.0])
    found = conditional_logit(planted(beta))
    assert found.beta == pytest.approx(beta, abs=0.1)


def test_at_the_optimum_chosen_features_are_those_expected() -> None:
    """The first order condition, worked out set by set."""
    choices = planted(np.array([0.8, -0.3]), sets=60)
    found = conditional_logit(choices, ridge=0.0)
    expected = np.zeros(2)
    for number in range(60):
        own = choices.X[choices.group == number]
        p = np.exp(own @ found.beta)
        expected += (p / p.sum()) @ own
    assert expected == pytest.approx(choices.X[choices.chosen].sum(axis=0), abs=1e-4)
    assert found.log_likelihood == pytest.approx(np.mean(np.log(found.probability(choices)[choices.chosen])))


def test_cells_add_up_and_a_set_alone_is_the_same() -> None:
    choices = planted(np.array([0.8, -0.3]), sets=30)
    found = conditional_logit(choices)
    u = found.utility(choices.X).reshape(30, 4)
    assert found.cells(choices).sum(axis=1) == pytest.approx((u - u.mean(axis=1, keepdims=True)).ravel())
    assert np.bincount(choices.group, found.probability(choices)) == pytest.approx(np.ones(30))
    some = choices.take(np.arange(30) % 3 == 0)
    assert found.probability(some) == pytest.approx(found.probability(choices)[(choices.group % 3) == 0])


def test_a_set_without_a_choice_is_refused() -> None:
    X, group = np.zeros((4, 1)), np.array([0, 0, 1, 1])
    for chosen, got in (([True, False, False, False], 0), ([True, True, True, False], 2)):
        with pytest.raises(InputError, match=f"each choice set must have one chosen alternative; got {got}"):
            conditional_logit(Choices(X, group, np.array(chosen)))
