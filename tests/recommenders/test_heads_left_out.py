"""A model without some of its heads is a model like any other; and what fields say of their factors and places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models import MODELS, SINGLE, assert_adds_up, assert_removals_hold, fitted, tolerance
from tests.planting import must_fail
from xattn import HybridAttention, InputError, load_model
from xattn.data.synthetic import planted
from xattn.model.heads.field import HeadField
from xattn.recommenders import Recommender
from xattn.recommenders.additive import Additive
from xattn.testing import data_of

every_model = pytest.mark.parametrize("name", MODELS)
WITH_HEADS = [name for name in MODELS if fitted(name).head_names]
every_model_with_heads = pytest.mark.parametrize("name", WITH_HEADS)
NEW = (3, 9, 16, 30)


def newcomers() -> HybridAttention:
    """A hybrid to which four items are new, with all kinds of heads."""
    data = planted("genre", n_users=80, seed=0).data
    return HybridAttention(min_events=2, regularization=1.0).fit(data.select(~np.isin(data.item, NEW)))


def by_head(model: Recommender, history: Any, target: int) -> dict[int, float]:
    return {cells.place: float(cells.contribution.sum()) for cells in model.cells_of(history, target)}


@every_model_with_heads
def test_a_score_loses_what_the_head_said_and_no_more(name: str) -> None:
    model = fitted(name)
    history = model.history("u3").without([1])
    for place in range(len(model.head_names)):
        twin = model.without_heads([place])
        assert twin.head_names == (*model.head_names[:place], *model.head_names[place + 1 :])
        np.testing.assert_array_equal(twin.base_, model.base_)
        for target in (0, 9, 31):
            lost = by_head(model, history, target).get(place, 0.0)
            want = model.scores_of(history)[target] - lost
            assert abs(twin.scores_of(history)[target] - want) <= tolerance(want, name in SINGLE)


@every_model_with_heads
def test_ledgers_add_up_and_removals_hold_without_heads(name: str) -> None:
    whole = fitted(name)
    for heads in ([0], [len(whole.head_names) - 1], list(range(len(whole.head_names)))):
        model = whole.without_heads(heads)
        history = model.history("u7")
        for target in (2, 20):
            why = model.explain(item=model.data_.items.ids[target], history=history)
            assert_adds_up(why, float(model.scores_of(history)[target]), name in SINGLE)
            assert_removals_hold(model, history, target, name in SINGLE)
        people = [model.history(f"u{row}") for row in range(4)]
        for own, scores in zip(people, model.scores_of_many(people), strict=True):
            np.testing.assert_array_equal(scores, model.scores_of(own))


@every_model_with_heads
def test_the_model_itself_stays_as_it_is(name: str) -> None:
    model = fitted(name)
    before = {key: id(value) for key, value in vars(model).items()}
    score = model.score("u3")
    twin = model.without_heads(model.head_names)
    np.testing.assert_array_equal(twin.score("u3"), model.base_)
    assert {key: id(value) for key, value in vars(model).items()} == before
    np.testing.assert_array_equal(model.score("u3"), score)


@every_model_with_heads
def test_without_heads_a_model_is_saved_and_told_apart(name: str, tmp_path: Path) -> None:
    model = fitted(name)
    twin = model.without_heads([0])
    assert twin.fingerprint() != model.fingerprint()
    twin.save(tmp_path / "twin.npz")
    back = load_model(tmp_path / "twin.npz")
    assert back.head_names == twin.head_names
    assert back.fingerprint() == twin.fingerprint()
    np.testing.assert_array_equal(back.score("u5"), twin.score("u5"))


def test_heads_are_left_out_one_after_another_as_at_once() -> None:
    model = newcomers()
    assert model.head_names == ("content", "recency 3", "recency 20", "inherited 3", "inherited 20")
    once = model.without_heads(["recency 3", "inherited 20"])
    stepwise = model.without_heads(["inherited 20"]).without_heads([1])
    assert once.head_names == stepwise.head_names == ("content", "recency 20", "inherited 3")
    np.testing.assert_array_equal(once.score("u4"), stepwise.score("u4"))
    assert once.fingerprint() == stepwise.fingerprint()


def test_a_group_is_one_name_for_its_heads() -> None:
    model = fitted("hybrid learned")
    learned = [name for name in model.head_names if name.startswith("learned")]
    assert len(learned) == 4
    assert model.head_groups == (*(name for name in model.head_names if name not in learned), "learned")
    both = model.without_heads(["learned"]), model.without_heads(learned)
    assert both[0].head_names == both[1].head_names
    np.testing.assert_array_equal(both[0].score("u4"), both[1].score("u4"))
    third = model.without_heads(["learned 3"])
    assert [name for name in third.head_names if name.startswith("learned")] == ["learned 1", "learned 2", "learned 4"]


@every_model_with_heads
def test_a_fit_brings_all_heads_back(name: str) -> None:
    twin = fitted(name).without_heads([0])
    twin.fit(fitted(name).data_)
    assert vars(twin).keys() == vars(fitted(name)).keys()
    np.testing.assert_array_equal(twin.score("u3"), fitted(name).score("u3"))


def test_nothing_left_out_is_the_model() -> None:
    assert fitted("hybrid").without_heads([]) is fitted("hybrid")
    assert fitted("popularity").without_heads([]) is fitted("popularity")


@pytest.mark.parametrize("heads", [["nobody"], [99], [-1], [None], [1.5], ["content", "x"], [True], [["content"]]])
@pytest.mark.parametrize("name", ["hybrid", "users", "popularity"])
def test_a_head_that_is_not_there_is_told(name: str, heads: list[Any]) -> None:
    with pytest.raises(InputError, match="`heads` must"):
        fitted(name).without_heads(heads)


@pytest.mark.parametrize("heads", ["content", None, 1])
def test_heads_are_a_list(heads: Any) -> None:
    with pytest.raises(InputError, match="`heads` must be a list"):
        fitted("hybrid").without_heads(heads)


# --- places and factors -----------------------------------------------------------------------------------------------


def test_a_head_has_one_place_for_every_target() -> None:
    """The heads of newcomers are missing where the target is none; those after them keep their places."""
    model = newcomers()
    history = model.history("u2")
    for target in range(model.data_.n_items):
        for cells in model.cells_of(history, target):
            assert cells.name == model.head_names[cells.place]
        fields = model.fields_of(history, np.array([target, NEW[0]]))
        assert fields is not None
        assert [field.place for field in fields] == list(range(5))


@every_model
def test_factors_are_those_of_the_field(name: str) -> None:
    """X = Σ_f strength · value · gate for each target; blocks and numbers stand beside the features."""
    model = fitted(name)
    history, targets = model.history("u3").without([2]), np.array([0, 9, 31, 4])
    fields = model.fields_of(history, targets)
    for at, target in enumerate(targets.tolist()):
        for cells in model.cells_of(history, target):
            assert cells.value.shape == (len(history), len(cells.features))
            split = cells.features != ("",)
            assert (len(cells.blocks), len(cells.numbers)) == ((len(cells.features),) * 2 if split else (0, 0))
            assert len(set(cells.numbers)) == len(cells.numbers)
        for field in fields or []:
            cells = field.cells(history.live, at)
            X = (cells.strength[:, None] * cells.value * cells.gate).sum(axis=1)
            np.testing.assert_allclose(X, field.X[at], rtol=1e-12, atol=1e-15)
            alone = [one for one in model.cells_of(history, target) if one.place == field.place]
            assert [(one.name, one.features, one.numbers) for one in alone] in (
                [(cells.name, cells.features, cells.numbers)],
                [],  # a head that says nothing of this target, beside one of which it does
            )


def test_a_field_alone_is_its_value() -> None:
    E, X = np.array([[1.0, 3.0]]), np.array([[2.0, -4.0], [0.5, 0.0]])
    field = HeadField("alone", E, X, 1.0, 0.0)
    cells = field.cells(np.array([True, True]), at=0)
    assert cells.weight.tolist() == [0.25, 0.75]
    assert cells.contribution.tolist() == [[0.5], [-3.0]]
    assert field.cells(np.array([True, False]), at=1).contribution.tolist() == [[0.5], [0.0]]


# --- identity ---------------------------------------------------------------------------------------------------------


@every_model
def test_the_fingerprint_sees_settings_and_data(name: str) -> None:
    model = MODELS[name]().fit(fitted(name).data_)
    assert model.fingerprint() == fitted(name).fingerprint()
    seen = {model.fingerprint()}
    for setting, value in model.get_params().items():
        changed = value / 2 if isinstance(value, float) and value else None
        if changed is not None:
            model.set_params(**{setting: changed})
            seen.add(model.fingerprint())
            model.set_params(**{setting: value})
            assert model.fingerprint() == fitted(name).fingerprint()
            break
    seen.add(MODELS[name]().fit(data_of("clean").select(data_of("clean").user > 0)).fingerprint())
    assert len(seen) >= 2 + (changed is not None if model.get_params() else 0)


def test_the_fingerprint_sees_a_table_that_was_changed() -> None:
    model: Any = MODELS["item knn"]().fit(fitted("item knn").data_)
    before = model.fingerprint()
    model.similar_ = model.similar_ * 2
    assert model.fingerprint() != before


# --- the tests are tested ---------------------------------------------------------------------------------------------


def keeps_all_heads(self: Additive, heads: Any) -> Additive:
    return self


def test_a_model_that_keeps_its_heads_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Additive, "without_heads", keeps_all_heads)
    must_fail(test_a_score_loses_what_the_head_said_and_no_more, "hybrid")
    must_fail(test_without_heads_a_model_is_saved_and_told_apart, "hybrid", Path("."))


def test_places_that_count_what_is_there_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Additive.cells_of

    def counted(self: Additive, *args: Any) -> Any:
        return [cells._replace(place=at) for at, cells in enumerate(real(self, *args))]

    twin = newcomers()
    twin.parts_ = (twin.parts_[0], twin.parts_[2], twin.parts_[1])  # heads of newcomers in the middle
    monkeypatch.setattr(Additive, "cells_of", counted)
    monkeypatch.setitem(globals(), "newcomers", lambda: twin)
    must_fail(test_a_head_has_one_place_for_every_target)
