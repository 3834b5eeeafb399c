"""A cache is kept for the ten explanations of a list, and is never taken for that of another question."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from tests.checks import assert_bitwise
from tests.explain.ties import fitted_to_twins
from tests.models import MODELS, fitted
from xattn.data.synthetic import planted
from xattn.explain import cache
from xattn.explain.cache import cache_of
from xattn.recommenders import ItemKNN, UserAttention, additive

every_model = pytest.mark.parametrize("name", MODELS)


@every_model
def test_ranks_without_each_event_are_those_served(name: str) -> None:
    model = fitted(name)
    for user, item in (("u3", "i2"), ("u17", "i9"), ("u58", "i30")):
        ranks = model.explain(user, item).events().set_index("position")["rank_without"]
        history = model.history(user)
        for position, rank in ranks.items():
            served = model.recommend(history=history.without(history.alike([position])), k=model.data_.n_items)
            listed = served.set_index("item")["rank"]
            assert rank == listed.get(item, 0), position


def test_near_ties_of_a_long_history_are_ranked_as_they_are_served() -> None:
    model = fitted_to_twins()
    history, n = model.history("u0"), model.data_.n_items
    best = model.recommend("u0", k=n)["item"].tolist()
    turned = 0
    for item in best[:6]:
        events = model.explain("u0", item).events()
        for position, rank in zip(events["position"], events["rank_without"], strict=True):
            served = model.recommend(history=history.without(history.alike([position])), k=n).set_index("item")
            assert served.loc[item, "rank"] == rank, (item, position)
            turned += abs(served.loc[item, "score"] - served.iloc[max(rank - 2, 0)]["score"]) < 1e-12
    assert len(history) == 120
    assert turned > 60, "far more near ties than a few"


@every_model
@pytest.mark.parametrize("few", [0, 40], ids=["by parts", "by serving"])
def test_masked_scores_are_bit_for_bit_the_served_ones(name: str, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By parts, where few items are asked for; else as they are served."""
    monkeypatch.setattr(additive, "FEW", few)
    model, rng = fitted(name), np.random.default_rng(0)
    for user in ("u3", "u17"):
        history = model.history(user).without([1])
        live = history.live & (rng.random((6, len(history))) < 0.7)
        live[0], live[1] = history.live, False
        items = np.array([7, 0, 39, 12, 13, 7])
        masked = model.scores_masked(history, live, items)
        served = np.array([model.scores_of(replace(history, live=row))[items] for row in live])
        assert_bitwise(masked, served)
        assert model.scores_masked(history, live[:0], items).shape == (0, 6)
        assert model.scores_masked(history, live, items[:0]).shape == (6, 0)


def test_serving_what_falls_far_behind_gives_the_same_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted("hybrid")
    item = model.recommend("u3")["item"][0]
    plain = model.explain("u3", item).events()
    for many, most in ((1, 99), (5, 2), (5, 99)):
        monkeypatch.setattr(cache, "MANY", many)
        monkeypatch.setattr(cache, "MOST_SERVED", most)
        cache._last.clear()
        assert model.explain("u3", item).events()["rank_without"].tolist() == plain["rank_without"].tolist()


def test_the_last_cache_is_kept() -> None:
    model = fitted("hybrid")
    first = cache_of(model, model.history("u3"))
    assert cache_of(model, model.history("u3")) is first
    assert cache_of(model, model.history("u3").without([0])) is not first
    assert cache_of(model, model.history("u4")) is not first


def test_another_fit_and_another_setting_are_seen() -> None:
    data = planted("genre", n_users=40, seed=0).data
    model = UserAttention(temperature=0.1).fit(data)
    before = cache_of(model, model.history("u3"))
    warm = model.explain("u3", "i2").score
    model.set_params(temperature=0.5)
    assert cache_of(model, model.history("u3")) is not before
    assert model.explain("u3", "i2").score == model.score("u3")[model.data_.item_row("i2")] != warm
    again = cache_of(model, model.history("u3"))
    model.fit(data.select(data.user < 30))
    assert cache_of(model, model.history("u3")) is not again


def test_a_model_is_not_kept_alive_by_its_cache() -> None:
    model = ItemKNN(n_neighbors=4).fit(planted("genre", n_users=20, seed=0).data)
    model.explain("u3", "i2").text()
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_scores_given_out_cannot_be_changed() -> None:
    scores = cache_of(fitted("hybrid"), fitted("hybrid").history("u3")).scores
    with pytest.raises(ValueError, match="read-only"):
        scores[0] = np.inf
