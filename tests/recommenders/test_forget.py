"""Forgetting: a model without some users is the model of a fit that never saw them."""

from __future__ import annotations

import numpy as np
import pytest

from xattn.data import Interactions, planted
from xattn.errors import InputError, UnknownIdError
from xattn.recommenders import EASE, CollaborativeAttention, HybridAttention, Popularity, UserAttention
from xattn.recommenders.base import Recommender
from xattn.testing.data import data_of

ROUNDING = 1e-10  # of float64 sums and a solve; the scores are shares of 1


def gap(model: Recommender, other: Recommender) -> float:
    """The largest difference of what two models have learned, and of what they serve."""
    own, its = model._state(), other._state()
    assert own.keys() == its.keys()
    found = [0.0]
    for name, array in own.items():
        assert array.shape == its[name].shape, name
        if array.dtype.kind == "f":
            found.append(float(np.abs(array - its[name]).max(initial=0.0)))
        else:
            assert np.array_equal(array, its[name]), name
    for user in model.data_.user_ids[:20]:
        found.append(float(np.abs(model.score(user) - other.score(user)).max()))
    return max(found)


MODELS = [
    CollaborativeAttention(dtype="float64", min_events=3),
    HybridAttention(dtype="float64", min_events=3),
    CollaborativeAttention(objective="any", dtype="float64", min_events=3),
    CollaborativeAttention(dtype="float64", min_events=3, n_neighbors=5),
    HybridAttention(min_events=3),
    EASE(dtype="float64"),
    UserAttention(),
    Popularity(),
]


@pytest.mark.parametrize("shape", ["clean", "messy"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_forgetting_one_after_the_other_equals_fits_without(model: Recommender, shape: str) -> None:
    data = data_of(shape)
    fitted = model.__class__(**model.get_params()).fit(data)
    for user in data.user_ids[1:10:4]:
        fitted.forget([user])
        data = data.without_users([user])
        assert user not in fitted.data_.user_ids
        fresh = model.__class__(**model.get_params()).fit(data)
        assert gap(fitted, fresh) <= ROUNDING
        assert fitted.data_.checksum == data.checksum


def test_growing_and_forgetting_go_together() -> None:
    """Sums that grew by later events are those that somebody is taken out of."""
    data = planted("genre", n_users=60, seed=3).data
    early = data.select(data.user < 40)
    model = CollaborativeAttention(dtype="float64", min_events=3).fit(early)
    model.partial_fit(data.select(data.user >= 40))
    model.forget(["u45", "u2"])
    fresh = CollaborativeAttention(dtype="float64", min_events=3).fit(data.without_users(["u2", "u45"]))
    assert gap(model, fresh) <= ROUNDING


def test_items_that_only_one_person_kept_warm_lose_their_rows() -> None:
    data = planted("genre", n_users=12, seed=1).data
    model = CollaborativeAttention(dtype="float64", min_events=4).fit(data)
    before = len(model.parts_[0].form.warm)
    model.partial_fit(data.select(np.arange(data.n_events) < 1))  # keeps its sums from here on
    model.forget(data.user_ids[1:7])
    assert len(model.parts_[0].form.warm) < before


def test_a_user_who_is_not_there_and_the_last_one_are_refused() -> None:
    data = planted("genre", n_users=3, seed=0).data
    model = Popularity().fit(data)
    with pytest.raises(UnknownIdError, match="must"):
        model.forget(["nobody"])
    with pytest.raises(InputError, match="must"):
        model.forget(data.user_ids)
    assert model.data_ is data


def test_data_without_users_keeps_the_rest() -> None:
    data = data_of("messy")
    rest = data.without_users(data.user_ids[:1])
    frame = data.to_frame()
    want = frame[frame["user"] != data.user_ids[0]].reset_index(drop=True)
    assert rest.to_frame().equals(want)
    assert rest.items is data.items
    assert isinstance(rest, Interactions)
