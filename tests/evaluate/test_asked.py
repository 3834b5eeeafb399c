"""Explainers that ask about sets of events, by hand and on wrapped models."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tests.evaluate.test_faithfulness import PARTS, Additive, N, case_of
from tests.recommenders.foreign.models import data, ease, factors, fading
from xattn import wrap
from xattn.data import History
from xattn.evaluate.faithfulness.case import Case
from xattn.evaluate.faithfulness.explainers import EXPLAINERS, MORE
from xattn.evaluate.faithfulness.masked import ByFields, ByMasking, ByRescoring, masked_scores
from xattn.recommenders import Recommender

MADE = {
    "matrix": (lambda: wrap(ease(data()), data()), ByFields),
    "factors": (lambda: wrap(factors(data()), data()), ByMasking),
    "function": (lambda: wrap(fading(data()), data(), batch_size=7), ByMasking),
}


@pytest.fixture(scope="module")
def case() -> Case:
    tiny = Additive()
    return case_of(tiny, History.of(tiny.data_, 0), tiny.target)


def first(model: Recommender, user: int, newest: int = 9) -> Case:
    """The first recommendation for the newest events of a person."""
    history = History.of(data(), user)
    cut = slice(max(0, len(history) - newest), None)
    history = History(history.item[cut], None, history.age[cut], history.live[cut], None)
    scores = model.scores_of(history)
    scores[history.item] = -np.inf
    return case_of(model, history, int(np.argmax(scores)))


def test_where_effects_add_up_all_of_them_are_the_parts(case: Case) -> None:
    for name in ("arrival", "shapley"):
        found = MORE[name](case, N)
        np.testing.assert_allclose(found.strength, PARTS, atol=1e-12)
        assert found.offset == 1.5
    found = MORE["strongest"](case, 3)
    np.testing.assert_allclose(found.strength, PARTS, atol=1e-12)
    assert found.strongest == ((0,), (0, 3), (0, 1, 3))
    assert found.weakest == ((2,), (2, 4), (1, 2, 4))


@pytest.mark.parametrize("name", MADE)
def test_wrapped_models_are_asked_in_batches_and_serve_the_same(name: str) -> None:
    make, way = MADE[name]
    case = first(make(), 5)
    quick, served = masked_scores(case.model, case.history), ByRescoring(case.model, case.history)
    assert type(quick) is way
    live = np.random.default_rng(1).random((12, case.n)) < 0.6
    live[0], live[1] = True, False
    np.testing.assert_allclose(quick.all(live), served.all(live), atol=1e-12)
    np.testing.assert_allclose(quick.of(live, 3), served.of(live, 3), atol=1e-12)
    for many in ("each", "with_each"):
        mine, theirs = (getattr(one, many)(live, 3) for one in (quick, served))
        there = live if many == "each" else np.ones_like(live)
        np.testing.assert_allclose(mine[there], theirs[there], atol=1e-12)


@pytest.mark.parametrize("name", MADE)
def test_the_strongest_sets_of_a_wrapped_model_are_the_best_of_all_sets(name: str) -> None:
    model = MADE[name][0]()
    for user in range(12):
        case = first(model, user)
        found = MORE["strongest"](case, 3)
        for sets, sign in ((found.strongest, 1.0), (found.weakest, -1.0)):
            for size in (1, 2, 3):
                live = np.ones((1, case.n), bool)
                live[0, list(sets[size - 1])] = False
                every = np.array([~np.isin(np.arange(case.n), some) for some in combinations(range(case.n), size)])
                best = float((sign * case.masked.of(every, case.target)).min())
                assert sign * float(case.masked.of(live, case.target)[0]) <= best + 1e-12
        removed = EXPLAINERS["removal"](case, 3)
        np.testing.assert_allclose(found.strength, removed.strength, atol=1e-12)


def test_the_sets_by_lead_let_it_fall_furthest_behind_the_best_other_item() -> None:
    model = MADE["matrix"][0]()
    for user in range(4):
        case = first(model, user, newest=7)
        met = np.append(case.history.item, case.target)

        def leads(sets: list[tuple[int, ...]], case: Case = case, met: np.ndarray = met) -> np.ndarray:
            left = case.masked.all(np.array([~np.isin(np.arange(case.n), some) for some in sets]))
            return np.asarray(left[:, case.target] - np.delete(left, met, axis=1).max(axis=1))

        found = MORE["lead"](case, 3)
        for size in (1, 2, 3):
            every = leads(list(combinations(range(case.n), size)))
            assert leads([found.strongest[size - 1]])[0] == pytest.approx(every.min(), abs=1e-12)
            assert leads([found.weakest[size - 1]])[0] == pytest.approx(every.max(), abs=1e-12)


def test_arrivals_and_averages_are_the_ledgers_that_wrap_gives() -> None:
    for kind, name in (("arrival", "arrival"), ("average", "shapley")):
        model = wrap(fading(data()), data(), kind=kind)
        case = first(model, 3)
        cells = EXPLAINERS["contribution"](case, 3)
        found = MORE[name](case, 3)
        np.testing.assert_allclose(found.strength, cells.strength, atol=1e-12)
        assert found.offset == pytest.approx(cells.offset, abs=1e-12)
