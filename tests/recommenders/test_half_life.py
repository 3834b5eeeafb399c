"""`half_life`: the base forgets, and everything that holds of a model still holds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models import assert_adds_up, assert_removals_hold
from tests.recommenders.test_forget import gap
from xattn import History, HybridAttention, InputError, Interactions, load_model
from xattn.data.synthetic import planted
from xattn.model.fit.freshness import DAY, fresh_share
from xattn.recommenders.attention import Whole

NEW = (3, 9)


@cache
def data() -> Interactions:
    """Planted genres over some weeks, two items of which nobody has met yet."""
    whole = planted("genre", n_users=120, seed=0).data
    kept = whole.select(~np.isin(whole.item, NEW))
    rng = np.random.default_rng(0)
    time = np.concatenate([np.sort(rng.uniform(0, 20 * DAY, n)) for n in np.diff(kept.indptr)])
    return Interactions("timed", kept.user_ids, kept.items, kept.indptr, kept.item, kept.rating, time)


def made(**settings: Any) -> HybridAttention:
    return HybridAttention(
        **{"min_events": 2, "regularization": 1.0, "dtype": "float64", "half_life": 1.5, "dislike": 1.0, **settings}
    )


@cache
def model() -> HybridAttention:
    return made().fit(data())


def test_the_base_is_what_is_fresh_and_values_are_as_before() -> None:
    found, always = model(), made(half_life=None).fit(data())
    met = data().counts() > 0
    want = fresh_share(data().item, np.ones(data().n_events), data().time, 1.5, data().n_items)
    np.testing.assert_allclose(found.base_[met], want[met], rtol=1e-12)
    assert not np.allclose(found.base_[met], always.base_[met], rtol=0.05)
    for name in ("values", "slopes"):
        own, other = (one._state().get(name) for one in (found, always))
        assert (own is None) == (other is None)
    heads = [h for h in found.head_names if h.startswith("collaborative")]
    assert heads == [h for h in always.head_names if h.startswith("collaborative")]
    for item in (0, 7):
        cells = [one.explain(user="u1", item=data().items.ids[item]).cells for one in (found, always)]
        own, other = (c[c["head"].str.startswith("collaborative")]["contribution"].to_numpy() for c in cells)
        np.testing.assert_allclose(own, other, rtol=1e-12)


@pytest.mark.parametrize("target", [*NEW, 0, 8])
def test_ledgers_add_up_and_removals_hold(target: int) -> None:
    for user in (2, 40):
        history = History.of(data(), user).without([1])
        served = float(model().scores_of(history)[target])
        assert_adds_up(model().explain(item=data().items.ids[target], history=history), served, False)
        assert_removals_hold(model(), history, target, False)


def test_a_file_answers_as_the_model_does(tmp_path: Path) -> None:
    model().save(tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz")
    assert again.half_life == 1.5
    for user in (0, 50):
        history = History.of(data(), user)
        np.testing.assert_array_equal(again.scores_of(history), model().scores_of(history))


def test_growing_and_forgetting_end_where_a_fit_would() -> None:
    first = data().select(data().time < 15 * DAY)
    grown = made().fit(first).partial_fit(data().select(data().time >= 15 * DAY))
    assert gap(grown, made().fit(grown.data_)) < 1e-9
    newest = data().user_ids[data().user[int(np.argmax(data().time))]]  # the moment that all is counted from goes too
    less = made().fit(data()).forget([newest])
    assert gap(less, made().fit(less.data_)) < 1e-10
    assert not np.allclose(less.base_, model().base_, rtol=1e-6)


def test_without_times_or_over_partitions_it_is_refused() -> None:
    bare = Interactions("bare", data().user_ids, data().items, data().indptr, data().item, data().rating)
    with pytest.raises(InputError, match=r"`half_life` must stay away where the data hold no times; got 1\.5\."):
        made().fit(bare)
    with pytest.raises(InputError, match="`half_life` must stay away in a fit over partitions"):
        made().fit_whole(Whole(data(), data().counts().astype(float), None))
    with pytest.raises(InputError, match="`half_life` must be a finite number > 0"):
        made(half_life=0.0).fit(data())
