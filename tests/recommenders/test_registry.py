"""Models by name: ours, those of installed packages, those registered by hand; and files of models from outside."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models import fitted
from xattn import InputError, Interactions, ItemKNN, ModelFileError, Popularity, load_model
from xattn.data import History
from xattn.model.heads.field import HeadField
from xattn.progress import Progress
from xattn.recommenders import Recommender, register, registry
from xattn.recommenders.registry import DEFAULT, GROUP, OWN, model_class, model_classes, model_names
from xattn.testing import RecommenderContract


class NewestFirst(Recommender):
    """A model from outside, in as few lines as it takes: what shares users with the newest events."""

    def __init__(self, *, memory: float = 3.0) -> None:
        self.memory = memory

    def _fit(self, data: Interactions, progress: Progress) -> None:
        seen = np.zeros((data.n_users, data.n_items))
        seen[data.user, data.item] = 1.0
        self.base_ = seen.mean(axis=0)
        self.shared_ = (seen.T @ seen) / data.n_users

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField]:
        E = np.exp(-history.age / self.memory)[None, :]
        return [HeadField("newest", E, self.shared_[history.item][:, targets].T, 1.0, 0.0)]

    def _state(self) -> dict[str, np.ndarray]:
        return {"base": self.base_, "shared_1": self.shared_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.base_, self.shared_ = state["base"], state["shared_1"]


class TestAModelFromOutside(RecommenderContract):
    """It keeps every promise, once it is registered."""

    make = staticmethod(NewestFirst)  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def _registered(self, unregistered: None) -> None:
        register(NewestFirst)


@pytest.fixture
def unregistered() -> Iterator[None]:
    """The registry as it is, and as it is again afterwards."""
    before = dict(registry._registered)
    registry._registered.clear()
    yield
    registry._registered.clear()
    registry._registered.update(before)


def packages(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Installed packages that bring these models."""
    entries = [EntryPoint(name, value, GROUP) for name, value in values.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries if group == GROUP else [])


HERE = f"{__name__}:NewestFirst"


def test_our_models_are_known_without_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch)
    assert model_names()[: len(OWN)] == list(OWN)
    assert DEFAULT in OWN
    for name in OWN:
        assert model_class(name).__name__ == name
        assert issubclass(model_class(name), Recommender)


@pytest.mark.usefixtures("unregistered")
def test_a_package_brings_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packages(monkeypatch, NewestFirst=HERE)
    assert model_names() == [*OWN, "NewestFirst"]
    assert model_class("NewestFirst") is NewestFirst
    data = fitted("popularity").data_
    model = NewestFirst(memory=2.0).fit(data)
    model.save(tmp_path / "m.npz")
    back = load_model(tmp_path / "m.npz")
    assert (type(back), back.memory) == (NewestFirst, 2.0)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(back.score("u3"), model.score("u3"))
    assert back.fingerprint() == model.fingerprint()


@pytest.mark.usefixtures("unregistered")
def test_a_name_of_ours_stays_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, Popularity=HERE)
    assert model_class("Popularity") is Popularity
    assert model_names() == list(OWN)

    class Impostor(Popularity):
        pass

    Impostor.__name__ = "ItemKNN"
    with pytest.raises(InputError, match="ItemKNN"):
        register(Impostor)
    assert model_class("ItemKNN") is ItemKNN


@pytest.mark.usefixtures("unregistered")
@pytest.mark.parametrize(
    "value", ["no_such_module:Model", f"{__name__}:nothing", f"{__name__}:HERE", "json:JSONDecoder"]
)
def test_a_package_that_cannot_be_loaded_is_told_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    packages(monkeypatch, Broken=value, NewestFirst=HERE)
    with pytest.raises(InputError, match="Broken"):
        model_class("Broken")
    with pytest.warns(UserWarning, match="Broken"):
        found = model_classes()
    assert list(found) == [*OWN, "NewestFirst"]


@pytest.mark.parametrize("kind", [None, "Popularity", Popularity(), dict, Interactions])
def test_only_classes_of_recommenders_are_registered(kind: Any) -> None:
    with pytest.raises(InputError, match="`kind` must be a class of recommenders"):
        register(kind)


@pytest.mark.parametrize("name", ["Nobody", "", "popularity", "Recommender", "os"])
def test_an_unknown_name_is_told(name: str) -> None:
    with pytest.raises(InputError, match="`model` must be one of"):
        model_class(name)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unregistered")
def test_a_file_of_an_unknown_class_gets_one_sentence_and_a_way_on(tmp_path: Path) -> None:
    model = NewestFirst().fit(fitted("popularity").data_)
    model.save(tmp_path / "m.npz")
    with pytest.raises(ModelFileError, match=r"a model file must name .*load_model.*; got 'NewestFirst'\.$"):
        load_model(tmp_path / "m.npz")
    back = load_model(tmp_path / "m.npz", models={"NewestFirst": NewestFirst})
    np.testing.assert_array_equal(back.score("u3"), model.score("u3"))
    register(NewestFirst)
    assert type(load_model(tmp_path / "m.npz")) is NewestFirst


@pytest.mark.usefixtures("unregistered")
@pytest.mark.parametrize("setting", [object(), {1, 2}, lambda x: x])
def test_a_setting_that_no_file_can_hold_is_told(tmp_path: Path, setting: Any) -> None:
    model = NewestFirst(memory=2.0).fit(fitted("popularity").data_).set_params(memory=setting)
    with pytest.raises(InputError, match="the settings of NewestFirst must be numbers, texts, lists or mappings"):
        model.save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())


def test_a_setting_that_is_an_array_comes_back_as_its_numbers(tmp_path: Path) -> None:
    model = NewestFirst(memory=2.0).fit(fitted("popularity").data_).set_params(memory=np.array([1.0, 2.5]))
    model.save(tmp_path / "m.npz")
    assert load_model(tmp_path / "m.npz", models={"NewestFirst": NewestFirst}).get_params()["memory"] == (1.0, 2.5)


@pytest.mark.parametrize("setting", [np.float32(2.5), np.int64(3)])
def test_settings_that_are_numbers_of_numpy_are_saved(tmp_path: Path, setting: Any) -> None:
    model = NewestFirst(memory=setting).fit(fitted("popularity").data_)
    model.save(tmp_path / "m.npz")
    back = load_model(tmp_path / "m.npz", models={"NewestFirst": NewestFirst})
    assert back.memory == float(setting)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(back.score("u3"), model.score("u3"))
