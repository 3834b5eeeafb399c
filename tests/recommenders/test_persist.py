"""Model files: what `save` takes `load` gives back, to the bit, and nothing is half-written."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.model_files import forged, taken_apart
from tests.models import MODELS, fitted
from xattn import (
    EASE,
    ContentAttention,
    HybridAttention,
    InputError,
    Interactions,
    ItemTable,
    NeuralAttention,
    NotFittedError,
    Popularity,
    SequenceAttention,
    load_model,
)
from xattn.data import FeatureSet
from xattn.data.filters import matching
from xattn.data.synthetic import planted
from xattn.features import feature_set
from xattn.recommenders import Recommender


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    fitted("hybrid").save(path)
    return path


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_is_the_same_model(name: str, tmp_path: Path) -> None:
    model = fitted(name)
    model.save(tmp_path / "model.npz")
    back = load_model(tmp_path / "model.npz")
    assert type(back) is type(model)
    assert back.get_params() == model.get_params()
    np.testing.assert_array_equal(back.score("u3"), model.score("u3"))
    assert back.recommend(user="u3").equals(model.recommend(user="u3"))
    mine, theirs = (m.explain(user="u3", item="i2").to_json() for m in (model, back))
    assert mine == theirs


ASKED = {
    "where": lambda m: m.recommend(
        "u3", where={"genres": ["drama", "comedy"]}, exclude=["i2"], without=[_first(m, "u3")]
    ),
    "diversity": lambda m: m.recommend("u3", k=7, diversity=0.6),
    "many": lambda m: m.recommend_many(["u3", "u9"], candidates=[f"i{j}" for j in range(0, 40, 2)]),
    "new": lambda m: m.recommend_many(histories={"ann": [("i1", 5.0), ("i2", 1.0)]}, where={"genres": "drama"}),
    "similar items": lambda m: m.similar_items("i3"),
    "similar by features": lambda m: m.similar_items("i3", by="features"),
    "similar users": lambda m: m.similar_users("u3"),
}


def _first(model: Recommender, user: str) -> str:
    return model.data_.items.ids[model.history(user).item[0]]


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_answers_every_question_alike(name: str, tmp_path: Path) -> None:
    model = fitted(name)
    model.save(tmp_path / "model.npz")
    back = load_model(tmp_path / "model.npz")
    for question, ask in ASKED.items():
        pd.testing.assert_frame_equal(ask(back), ask(model), check_exact=True, obj=question)
    mine, theirs = (m.explain("u3", "i2", where={"genres": "drama"}).to_json() for m in (model, back))
    assert mine == theirs
    assert back.data_.checksum == model.data_.checksum
    back.save(tmp_path / "again.npz")
    assert load_model(tmp_path / "again.npz").recommend("u3").equals(model.recommend("u3"))


def test_every_kind_of_item_column_comes_back(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "year": [1990.0, np.nan, 2000.0],
            "whole": [1, 2, 3],
            "kind": ["drama|战争", "", "=1+1"],
            "new": [True, False, True],
            "perhaps": pd.array([True, None, False], dtype="boolean"),
            "colour": pd.Categorical(["red", None, "blue"]),
        }
    )
    data = Interactions("columns", ("u",), ItemTable(("a", "b", "c"), ("A", "B", "C"), frame), [0, 1], [0])
    Popularity().fit(data).save(tmp_path / "m.npz")
    back = load_model(tmp_path / "m.npz").data_.items
    assert back.frame.columns.tolist() == frame.columns.tolist()
    conditions: list[dict[str, object]] = [{"year": (None, None)}, {"whole": 2}, {"kind": "战争"}, {"kind": "=1+1"}]
    conditions += [{"new": True}, {"new": False}, {"perhaps": True}, {"perhaps": False}, {"colour": "red"}]
    for where in conditions:
        np.testing.assert_array_equal(matching(back, where), matching(data.items, where))
        assert matching(back, where).any()
    mine, theirs = feature_set(data.items), feature_set(back)
    assert mine.names == theirs.names
    np.testing.assert_array_equal(mine.F.toarray(), theirs.F.toarray())


def test_a_file_of_before_item_columns_were_kept_is_read(saved: Path) -> None:
    gone = dict.fromkeys(("data.item_columns", "data.item_numbers", "data.item_texts"))
    back = load_model(forged(saved, gone))
    assert back.recommend("u3").equals(fitted("hybrid").recommend("u3"))
    with pytest.raises(InputError, match="`where` must name a column of the items"):
        back.recommend("u3", where={"genres": "drama"})


def test_names_in_any_script_come_back(tmp_path: Path) -> None:
    ids = ["a", "电影", "🎬", "=1+1"]
    data = Interactions.from_frame(pd.DataFrame({"user": ["李", "李", "b", "b"], "item": ids}), name="names")
    Popularity().fit(data).save(tmp_path / "m.npz")
    back = load_model(tmp_path / "m.npz")
    assert set(back.data_.items.ids) == set(ids)
    assert back.data_.user_row("李") == data.user_row("李")


ODD = [
    "a\nb",
    "a\r\nb",
    "a\tb",
    "a,b|c;d",
    "\u2028",
    "\x00",
    "\x1f",
    "half \ud83d",
    "\ud83d\ude00",
    " ",
    "\ufeff",
    '"\\',
]
"""Texts that hold line breaks, separators, halves of pairs (two of them are not the character they would make)."""


def odd_data() -> Interactions:
    n = len(ODD)
    ids = tuple(f"i{row}" for row in range(n))
    frame = pd.DataFrame({0: ODD, 1: ODD[::-1]}, dtype=object)
    frame.columns = pd.Index(["kind", "more\n\ud800"], dtype=object)
    seen = [row for row in range(n) for _ in range(2)]
    kinds = np.array([f"{ODD[row]}." for row in seen], dtype=object)
    return Interactions("odd\n\ud800", ("u", "v"), ItemTable(ids, ids, frame), [0, n, 2 * n], seen, kind=kinds)


@pytest.mark.parametrize("given", [False, True])
def test_no_text_of_a_users_ends_a_field(given: bool, tmp_path: Path) -> None:
    data = odd_data()
    if given:
        named = FeatureSet(tuple(f"{text}." for text in ODD), np.eye(len(ODD)), tuple(f"{text}." for text in ODD))
        data = replace(data, items=data.items.with_features(named))
    for model in (ContentAttention(), HybridAttention(min_events=1), Popularity()):
        model.fit(data).save(tmp_path / "m.npz")
        for _ in range(2):
            back = load_model(tmp_path / "m.npz")
            assert back.data_.checksum == data.checksum
            assert back.data_.name == data.name
            assert back.data_.kind is not None
            assert back.data_.kind.tolist() == data.kind.tolist()  # type: ignore[union-attr]
            assert back.data_.items.frame.columns.tolist() == data.items.frame.columns.tolist()
            for name, column in data.items.frame.items():
                kept = [text if text.strip() else "" for text in column]  # a blank cell says nothing
                assert back.data_.items.frame[name].tolist() == kept
            assert feature_set(back.data_.items).names == feature_set(data.items).names
            assert back.fingerprint() == model.fingerprint()
            assert back.explain("u", "i3").to_json() == model.explain("u", "i3").to_json()
            back.save(tmp_path / "m.npz")


def test_columns_that_a_file_could_not_tell_apart_are_refused() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], columns=[1, "1"])
    with pytest.raises(InputError, match="`frame` must name each column once"):
        ItemTable(("a",), ("A",), frame)


@pytest.mark.parametrize(
    "settings",
    [
        {"beta": np.float32(0.1), "min_events": np.int64(2), "kappa": np.float64(2.0), "random_state": np.uint8(7)},
        {"beta": Fraction(1, 3), "regularization": np.int32(4), "recency": [np.float64(3.0), np.int64(20)]},
        {"event_weights": MappingProxyType({"a\n\ud800": np.float16(0.5)}), "newcomers": np.float64(0.5)},
        {"temperature": np.array([0.5])[0], "dtype": np.str_("float64"), "dislike": np.float64(-0.5)},
    ],
)
def test_settings_are_numbers_of_any_library(settings: dict[str, Any], tmp_path: Path) -> None:
    """As searches of scikit-learn hand them over."""
    model = HybridAttention(**settings).fit(planted("genre", seed=0).data)
    model.save(tmp_path / "m.npz")
    back = load_model(tmp_path / "m.npz")
    wanted = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    found = back.get_params()
    assert all(
        found[name] == (float(value) if isinstance(value, Fraction) else value) for name, value in wanted.items()
    )
    assert not any(type(value).__module__ == "numpy" for value in found.values())
    np.testing.assert_array_equal(back.score("u3"), model.score("u3"))
    if not any(isinstance(value, np.float32) for value in settings.values()):
        assert back.fingerprint() == model.fingerprint()
    back.save(tmp_path / "again.npz")


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(
    ("make", "spoil"),
    [
        (Popularity, lambda model, x: model.base_.__setitem__(0, x)),
        (EASE, lambda model, x: model.parts_[0].form.V.__setitem__((0, 1, 2), x)),
        (
            lambda: SequenceAttention(hidden_size=4, epochs=1),
            lambda m, x: m.learned_.params["E"].__setitem__((0, 0), x),
        ),
        (lambda: NeuralAttention(epochs=1, hidden_size=2), lambda m, x: m.parts_[0].P.__setitem__((0, 0, 0), x)),
    ],
)
def test_a_model_that_ran_away_is_not_saved(make: Any, spoil: Any, number: float, saved: Path) -> None:
    model, before = make().fit(planted("genre", seed=0).data), saved.read_bytes()
    spoil(model, number)
    with pytest.raises(InputError, match=r"must hold finite numbers only; got -?(inf|nan)"):
        model.save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


class Loose(Popularity):
    """A model of somebody's whose arrays a file cannot hold."""

    extra: dict[str, np.ndarray] = {}  # noqa: RUF012

    def _state(self) -> dict[str, np.ndarray]:
        return super()._state() | self.extra


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("a/b", np.zeros(1), "letters, digits, points and _"),
        ("x", np.array([None]), "numbers, truth values or texts"),
        ("x", np.zeros(1, np.longdouble), "must be an array of real numbers"),
        ("x", np.zeros(1, [("a", float)]), "numbers, truth values or texts"),
        ("x", np.zeros(2, "M8[s]"), "numbers, truth values or texts"),
    ],
)
def test_what_load_would_not_take_is_not_saved(name: str, array: np.ndarray, said: str, tmp_path: Path) -> None:
    model = Loose().fit(planted("genre", seed=0).data)
    model.extra = {name: array}
    with pytest.raises(InputError, match=said):
        model.save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())


def test_arrays_of_every_plain_kind_and_layout_come_back(tmp_path: Path) -> None:
    arrays = {"b": np.array([True]), "i": np.arange(3, dtype=">i4"), "u": np.uint8(3), "f": np.zeros((2, 0, 3), "f2")}
    arrays |= {"s": np.array(["x", "\ud800\n"]), "t": np.asfortranarray(np.arange(6.0).reshape(2, 3))[:, ::-1]}
    seen: list[dict[str, np.ndarray]] = []

    class Keeping(Loose):
        def _restore(self, state: dict[str, np.ndarray]) -> None:
            seen.append(state)
            super()._restore(state)

    model = Keeping().fit(planted("genre", seed=0).data)
    model.extra = {name: np.asarray(array) for name, array in arrays.items()}
    model.save(tmp_path / "m.npz")
    load_model(tmp_path / "m.npz", models={"Keeping": Keeping})
    for name, array in arrays.items():
        np.testing.assert_array_equal(seen[0][name], array)
        assert seen[0][name].dtype == np.asarray(array).dtype.newbyteorder("=")


def test_the_file_of_a_model_keeps_its_mode_and_a_link_stays(tmp_path: Path) -> None:
    path, link = tmp_path / "m.npz", tmp_path / "link.npz"
    path.touch()
    path.chmod(0o600)
    link.symlink_to("m.npz")
    fitted("popularity").save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert taken_apart(path)[0]["class"] == "Popularity"


def test_an_unfitted_model_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        HybridAttention().save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InputError, match=r"`path` must be a file that can be written; got .*No space left"):
        fitted("hybrid").save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_an_interrupted_write_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def stopped(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        fitted("hybrid").save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_model_file_has_the_rights_of_any_new_file(saved: Path) -> None:
    plain = saved.with_name("plain")
    plain.touch()
    assert saved.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("place", ["missing/folder/m.npz", "."])
def test_a_place_that_takes_no_file_is_told(tmp_path: Path, place: str) -> None:
    with pytest.raises(InputError, match="`path` must be a file that can be written"):
        fitted("popularity").save(tmp_path / place)


def test_a_pipe_is_not_replaced_by_a_model(tmp_path: Path) -> None:
    """Nor is a device: a file that took its name would break whatever else uses it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="a device or a pipe"):
        fitted("popularity").save(pipe)
    assert pipe.is_fifo()
