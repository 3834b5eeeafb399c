"""Objectives and event types: what is asked of the collaborative heads, and what an event counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from tests.models import assert_adds_up, assert_removals_hold, fitted
from xattn import CollaborativeAttention, ContentAttention, History, HybridAttention, InputError, Interactions
from xattn.evaluate.setup import asked
from xattn.model.fit.belonging import belonging_values
from xattn.recommenders import Recommender
from xattn.recommenders.behaviour import REGULARIZATION


@pytest.fixture(scope="module")
def shop() -> Interactions:
    """Planted genre data, its events views, purchases and returns in turn."""
    data = fitted("hybrid").data_
    return replace(data, rating=None, kind=np.array(["view", "buy", "return"] * data.n_events)[: data.n_events])


WEIGHTS = {"view": 0.25, "return": -1.0}


def weighted(objective: str, dtype: str = "float64") -> HybridAttention:
    return HybridAttention(objective=objective, min_events=2, event_weights=WEIGHTS, dtype=dtype)


# --- objectives -------------------------------------------------------------------------------------------------------


def test_the_order_means_nothing_to_any() -> None:
    events = [("i1", 5.0), ("i2", 1.0), ("i7", 4.0), ("i2", 4.0)]
    for name in ("collaborative any", "hybrid any"):
        model = fitted(name)
        there, back = model.score(history=events), model.score(history=events[::-1])
        np.testing.assert_allclose(there, back, rtol=1e-12, atol=1e-15)
    ordered = fitted("collaborative")
    assert np.abs(ordered.score(history=events) - ordered.score(history=events[::-1])).max() > 1e-3


def test_values_are_those_of_the_ridge_over_whole_histories() -> None:
    """Strengths 1, ½; targets 1, ⅓, 0, from the stars 1, 2, 4, 5 of the planted data; nothing repeats in it."""
    model = fitted("collaborative any")
    data, (part,) = model.data_, model.parts_
    x = np.zeros((data.n_users, data.n_items))
    y = np.zeros_like(x)
    for user, item, stars in zip(data.user, data.item, data.rating, strict=True):
        assert x[user, item] == 0
        x[user, item] = 1.0 if stars >= 4 else 0.5
        y[user, item] = {1.0: 0.0, 2.0: 0.0}.get(stars, 1.0)
    warm = part.form.warm
    V = belonging_values(
        sparse.csr_array(x[:, warm]), sparse.csr_array(y[:, warm]), np.zeros((len(warm), 0)), 5.0, np.float32
    )
    np.testing.assert_allclose(part.form.V[0], V, atol=1e-6)


def test_dropout_is_a_setting_of_any_alone() -> None:
    data = fitted("collaborative any").data_
    settings = {"objective": "any", "min_events": 20, "regularization": 5.0, "dtype": "float64"}
    third, said, none = (
        CollaborativeAttention(**settings, **given).fit(data).parts_[0].form.V
        for given in ({}, {"dropout": 1 / 3}, {"dropout": 0.0})
    )
    np.testing.assert_array_equal(third, said)
    assert (none**2).sum() > 1.05 * (third**2).sum(), "dropping shrinks"
    ways = [CollaborativeAttention(min_events=20, dropout=p).fit(data).score("u1") for p in (0.0, 0.9)]
    np.testing.assert_array_equal(*ways)
    with pytest.raises(InputError, match="`dropout` must be a finite number >= 0 and <= 0.95; got 1"):
        CollaborativeAttention(dropout=1.0).fit(data)


def test_auto_is_next_with_its_own_penalty() -> None:
    data = fitted("collaborative").data_
    auto, said = (
        CollaborativeAttention(min_events=2, objective=objective, regularization=lam).fit(data).score("u1")
        for objective, lam in (("auto", None), ("next", REGULARIZATION["next"]))
    )
    np.testing.assert_array_equal(auto, said)


def test_a_protocol_asks_only_who_leaves_it_open() -> None:
    model = HybridAttention(kappa=3.0)
    given = asked(model, "holdout")
    assert (given.objective, given.kappa, model.objective) == ("any", 3.0, "auto")
    assert asked(model, "next-item").objective == asked(model, "time").objective == "next"
    decided = HybridAttention(objective="next")
    assert asked(decided, "holdout") is decided
    plain = ContentAttention()
    assert asked(plain, "holdout") is plain


def test_a_repeated_item_counts_once_to_any() -> None:
    model = fitted("collaborative any")
    once, twice = (model.score(history=["i1", "i2", *more]) for more in ([], ["i1"]))
    np.testing.assert_allclose(once, twice, rtol=1e-9)
    assert model.explain(history=["i1", "i2", "i1"], item="i9").cells["strength"].tolist() == [0.5, 1.0, 0.5]


# --- event types ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["next", "any"])
def test_the_ledger_shows_types_as_strengths(objective: str, shop: Interactions) -> None:
    model = weighted(objective).fit(shop)
    history = History.of(shop, 3)
    ledger = model.explain(user=shop.user_ids[3], item="i9")
    assert_adds_up(ledger, float(model.scores_of(history)[9]), single=False)
    assert_removals_hold(model, history, 9, single=False)
    strength = {**WEIGHTS, "buy": 1.0}
    for position, got in zip(ledger.cells["position"], ledger.cells["strength"], strict=True):
        assert got == strength[str(history.kind[position])]


@pytest.mark.parametrize("make", [ContentAttention, CollaborativeAttention, HybridAttention])
def test_weights_of_1_change_nothing(make: type[Recommender], shop: Interactions) -> None:
    plain, ones = make().fit(shop), make(event_weights={"view": 1.0, "buy": 1.0, "nosuch": 0.0}).fit(shop)
    np.testing.assert_array_equal(plain.score("u3"), ones.score("u3"))


@pytest.mark.parametrize("objective", ["next", "any"])
def test_what_counts_nothing_teaches_nothing(objective: str, shop: Interactions) -> None:
    """Events of a type of strength 0 have no values as events, are not wanted as targets, and raise no base."""
    item = np.where(shop.kind == "view", 0, np.maximum(shop.item, 1))  # item 0 is only ever viewed
    seen = replace(shop, item=item)
    model = CollaborativeAttention(objective=objective, event_weights={"view": 0.0}, min_events=2, dtype="float64")
    model.fit(seen)
    (part,) = model.parts_
    row = part.form.row_of_item[0]
    assert row >= 0
    assert not part.form.V[:, row].any()
    if objective == "any":
        assert not part.form.V[:, :, row].any()
    assert model.base_[0] == model.base_.min()
    plain = CollaborativeAttention(objective=objective, min_events=2, dtype="float64").fit(seen)
    assert plain.base_[0] == plain.base_.max()


def test_a_saved_model_keeps_its_types(tmp_path: object, shop: Interactions) -> None:
    from xattn import load_model

    path = f"{tmp_path}/model.npz"
    model = weighted("any").fit(shop)
    model.save(path)
    again = load_model(path)
    assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.score("u3"), model.score("u3"))


@pytest.mark.parametrize("wrong", [{"view": 2.0}, {"view": float("nan")}, {"view": "much"}, {3: 1.0}, "view"])
def test_wrong_event_weights_are_told(wrong: object, shop: Interactions) -> None:
    with pytest.raises(InputError, match="`event_weights"):
        HybridAttention(event_weights=wrong).fit(shop)
