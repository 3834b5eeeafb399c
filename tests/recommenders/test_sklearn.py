"""Scikit-learn's conventions: its own checks, and twins of those that cannot run because `fit` takes Interactions.

`check_estimator` fits every estimator to arrays of numbers. A recommender learns from events, which are no such array,
and says so in one sentence; the checks that end there are listed with what stands in for them.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from tests.models import MODELS, fitted
from xattn import InputError, NotFittedError
from xattn.data import planted
from xattn.recommenders import Recommender

every_model = pytest.mark.parametrize("name", MODELS)

TABLE = "features of a table of numbers; events have none"
EXCEPTIONS = {  # check: what it asks, or the test that asks it of Interactions
    "check_fit_score_takes_y": "test_y_is_taken_and_not_used",
    "check_estimators_overwrite_params": "test_fit_changes_no_parameter_and_returns_self",
    "check_dont_overwrite_parameters": "test_what_fit_sets_ends_with_an_underscore",
    "check_estimators_fit_returns_self": "test_fit_changes_no_parameter_and_returns_self",
    "check_readonly_memmap_input": "Interactions are read-only always (tests/data/test_interactions.py)",
    "check_n_features_in_after_fitting": TABLE,
    "check_n_features_in": "test_there_is_no_number_of_features",
    "check_positive_only_tag_during_fit": TABLE,
    "check_estimators_dtypes": "types of ids, ratings and times: tests/data",
    "check_complex_data": TABLE,
    "check_dtype_object": TABLE,
    "check_estimators_empty_data_messages": "test_no_events_get_one_sentence",
    "check_pipeline_consistency": "a pipeline hands arrays on",
    "check_estimators_nan_inf": "ratings and times that are not finite are refused by Interactions (tests/data)",
    "check_estimators_pickle": "no pickle, by design: test_persist.py and test_a_deep_copy_is_the_same_model",
    "check_f_contiguous_array_estimator": TABLE,
    "check_methods_sample_order_invariance": "test_lists.py: test_scores_of_a_batch_are_those_of_each",
    "check_methods_subset_invariance": "test_lists.py: test_scores_of_a_batch_are_those_of_each",
    "check_fit2d_1sample": "test_one_event_is_enough",
    "check_fit2d_1feature": TABLE,
    "check_dict_unchanged": "test_asking_changes_nothing",
    "check_fit_idempotent": "test_fitting_twice_is_fitting_once",
    "check_fit_check_is_fitted": "test_unfitted_is_told_in_both_ways",
    "check_fit2d_predict1d": TABLE,
}
PASSED = {  # these must run and pass
    *("check_estimator_cloneable", "check_estimator_repr", "check_no_attributes_set_in_init", "check_set_params"),
    *("check_get_params_invariance", "check_parameters_default_constructible", "check_valid_tag_types"),
    *("check_do_not_raise_errors_in_init_or_set_params", "check_estimators_unfitted", "check_mixin_order"),
    *("check_estimator_tags_renamed", "check_estimator_sparse_tag", "check_fit1d"),
}


@every_model
def test_scikit_learns_own_checks(name: str) -> None:
    """All pass, save those of the list: each of them fails, so the list holds no excuse that is not needed."""
    results = check_estimator(MODELS[name](), on_fail=None, on_skip=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert failed.keys() == EXCEPTIONS.keys()
    assert {result["check_name"] for result in results if result["status"] == "passed"} >= PASSED
    for check, problem in failed.items():
        told = f"{problem} {problem.__cause__} {problem.__context__}"
        assert "`data` must be Interactions" in told or check == "check_estimators_nan_inf", (check, told)


def test_every_stand_in_is_there() -> None:
    here = set(globals())
    for reason in EXCEPTIONS.values():
        if reason.startswith("test_") and ".py" not in reason:
            assert reason in here


# --- parameters -------------------------------------------------------------------------------------------------------


def another(value: Any) -> Any:
    """A value of the same type that is not this one; a number for None."""
    if isinstance(value, tuple):
        return (*value, 60.0)
    if isinstance(value, str):
        return value + "x"
    return 1.0 if value is None else value + 1


@every_model
def test_parameters_go_round(name: str) -> None:
    """get → set → get; the very object that was given is kept; one that is set leaves the others alone."""
    model = MODELS[name]()
    params = model.get_params()
    assert type(model)().set_params(**params).get_params() == params
    for key in params:
        value = another(params[key])
        one = clone(model).set_params(**{key: value})
        assert one.get_params()[key] is value
        assert {k: v for k, v in one.get_params().items() if k != key} == {k: v for k, v in params.items() if k != key}
    with pytest.raises(ValueError, match="nosuch"):
        model.set_params(nosuch=1)


@every_model
def test_init_sets_its_parameters_and_no_more(name: str) -> None:
    """Keyword-only, each with a default, each kept under its name."""
    model = MODELS[name]()
    own = list(inspect.signature(type(model)).parameters.values())
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in own)
    assert vars(model).keys() == {p.name for p in own} == model.get_params().keys()


@every_model
def test_a_representation_names_what_is_not_default(name: str) -> None:
    model = MODELS[name]()
    text = repr(model)
    assert text.startswith(f"{type(model).__name__}(")
    for key, value in model.get_params().items():
        default = inspect.signature(type(model)).parameters[key].default
        assert (f"{key}={value!r}" in text) == (value != default)
    assert repr(fitted(name)) == text
    assert type(model).__name__ in model._repr_html_()
    assert get_tags(model).estimator_type is None


# --- fit --------------------------------------------------------------------------------------------------------------


@every_model
def test_fit_changes_no_parameter_and_returns_self(name: str) -> None:
    model = MODELS[name]()
    before = {key: (value, repr(value)) for key, value in model.get_params().items()}
    data = fitted(name).data_
    checksum = data.checksum
    assert model.fit(data) is model
    assert all(value is before[key][0] and repr(value) == before[key][1] for key, value in model.get_params().items())
    assert data.checksum == checksum
    assert model.data_ is data


@every_model
def test_y_is_taken_and_not_used(name: str) -> None:
    model = MODELS[name]().fit(fitted(name).data_, None)
    np.testing.assert_array_equal(model.score("u1"), fitted(name).score("u1"))


@every_model
def test_what_fit_sets_ends_with_an_underscore(name: str) -> None:
    model = fitted(name)
    added = vars(model).keys() - model.get_params().keys()
    assert {"data_", "base_", "scale_"} <= added
    assert [key for key in added if not key.startswith("_") and not key.endswith("_")] == []


@every_model
def test_fitting_twice_is_fitting_once(name: str) -> None:
    """On the same data to the same bits, and what was learned from other data is forgotten."""
    other = planted("copurchase", n_users=50, seed=3).data
    model = MODELS[name]().fit(other).fit(fitted(name).data_)
    for user in ("u0", "u7"):
        np.testing.assert_array_equal(model.score(user), fitted(name).score(user))
    assert model.explain("u7", "i3").to_json() == fitted(name).explain("u7", "i3").to_json()
    assert vars(model).keys() == vars(fitted(name)).keys()


@every_model
def test_asking_changes_nothing(name: str) -> None:
    """No call leaves anything on the model, be it a cache."""
    model = copy.deepcopy(fitted(name))
    before = {key: id(value) for key, value in vars(model).items()}
    items = [model.data_.items.ids[row] for row in model.history("u4").item[:1]]
    model.recommend("u4", where={"genres": "drama"}, diversity=0.3, without=items)
    model.recommend_many(["u1", "u2"])
    model.explain("u4", "i3").to_json()
    model.similar_items("i3", by="features")
    model.similar_items("i3")
    model.similar_users("u4")
    assert {key: id(value) for key, value in vars(model).items()} == before
    np.testing.assert_array_equal(model.score("u4"), fitted(name).score("u4"))


@every_model
def test_a_deep_copy_is_the_same_model(name: str) -> None:
    model = fitted(name)
    twin = copy.deepcopy(model)
    assert twin.data_ is not model.data_
    for user in ("u0", "u9"):
        np.testing.assert_array_equal(twin.score(user), model.score(user))
    assert twin.recommend("u9", where={"genres": "drama"}).equals(model.recommend("u9", where={"genres": "drama"}))
    assert twin.similar_items("i3").equals(model.similar_items("i3"))
    assert twin.explain("u9", "i3").to_json() == model.explain("u9", "i3").to_json()
    twin.fit(planted("copurchase", n_users=50, seed=3).data)
    np.testing.assert_array_equal(model.score("u0"), fitted(name).score("u0"))


@every_model
def test_there_is_no_number_of_features(name: str) -> None:
    assert not hasattr(fitted(name), "n_features_in_")


@every_model
def test_one_event_is_enough(name: str) -> None:
    from xattn import Interactions

    one = Interactions("one", ("u",), planted("genre").data.items, np.array([0, 1]), np.array([5]))
    found = MODELS[name]().fit(one).recommend("u", k=3)
    assert len(found) == 3
    assert np.isfinite(found["score"]).all()


@every_model
def test_no_events_get_one_sentence(name: str) -> None:
    data = fitted(name).data_
    with pytest.raises(InputError, match=r"`data` must hold at least one event; got none\."):
        MODELS[name]().fit(data.select(np.zeros(data.n_events, bool)))


# --- before fit -------------------------------------------------------------------------------------------------------

CALLS: list[Callable[[Recommender], Any]] = [
    lambda model: model.recommend("u1"),
    lambda model: model.recommend_many(["u1"]),
    lambda model: model.recommend_many(),
    lambda model: model.explain("u1", "i1"),
    lambda model: model.score("u1"),
    lambda model: model.history("u1"),
    lambda model: model.similar_items("i1"),
    lambda model: model.fingerprint(),
    lambda model: model.without_heads([0]),
    lambda model: model.similar_users("u1"),
    lambda model: model.save("never.npz"),
    lambda model: model.forget(["u1"]),
]


@every_model
@pytest.mark.parametrize("call", CALLS)
def test_unfitted_is_told_in_both_ways(name: str, call: Callable[[Recommender], Any]) -> None:
    """Our error and scikit-learn's are one, and `check_is_fitted` knows too."""
    model = MODELS[name]()
    with pytest.raises(NotFittedError, match=f"`{type(model).__name__}` must be fitted before it is used") as caught:
        call(model)
    assert isinstance(caught.value, SklearnNotFittedError)
    with pytest.raises(SklearnNotFittedError):
        check_is_fitted(model)
    check_is_fitted(fitted(name))


def test_every_public_method_is_called() -> None:
    """A method that is added must be among CALLS (or need no fit)."""
    own = Recommender.__mro__[: Recommender.__mro__.index(BaseEstimator)]
    public = {
        key
        for kind in own
        for key, value in vars(kind).items()
        if callable(value) and not isinstance(value, type) and not key.startswith("_")
    }
    inner = {"scores_of", "scores_of_many", "scores_without_each", "cells_of", "fields_of", "approximate_of"}
    inner |= {"contributions_of", "scores_masked", "reach_of", "orders_of"}  # asked of a fitted model alone
    called = {name for call in CALLS for name in call.__code__.co_names}
    before = {"set_params", "saved_params"}  # what a model is told and keeps of that needs no fit
    assert public - inner - before - {"fit", "partial_fit", "grow_to"} == called
