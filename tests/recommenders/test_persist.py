"""Model files: the same scores back, nothing half-written, and a sentence for every file that is none."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.models import MODELS, fitted
from xattn import (
    HybridAttention,
    InputError,
    Interactions,
    ItemTable,
    ModelFileError,
    NotFittedError,
    Popularity,
    load_model,
)
from xattn.data.filters import matching
from xattn.features import feature_set
from xattn.recommenders import Recommender, persist


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    fitted("hybrid").save(path)
    return path


def rewritten(path: Path, change: dict[str, bytes | None]) -> Path:
    """The archive with some entries replaced, dropped (None) or added."""
    with zipfile.ZipFile(path) as old:
        entries = {name: old.read(name) for name in old.namelist()} | change
    out = path.with_name("changed.npz")
    with zipfile.ZipFile(out, "w") as new:
        for name, content in entries.items():
            if content is not None:
                new.writestr(name, content)
    return out


def npy(array: np.ndarray, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def manifest_of(path: Path) -> dict[str, object]:
    with np.load(path, allow_pickle=False) as arrays:
        return json.loads(arrays["manifest"].tobytes())  # type: ignore[no-any-return]


def with_manifest(path: Path, **changes: object) -> Path:
    text = json.dumps(manifest_of(path) | changes).encode()
    return rewritten(path, {"manifest.npy": npy(np.frombuffer(text, np.uint8))})


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
    manifest = manifest_of(saved)
    gone = ("data.item_columns", "data.item_numbers", "data.item_texts")
    arrays = dict(manifest["arrays"])  # type: ignore[call-overload]
    kept = {name: digest for name, digest in arrays.items() if name not in gone}
    assert len(kept) == len(arrays) - 3
    text = json.dumps(manifest | {"arrays": kept}).encode()
    entries = {f"{name}.npy": None for name in gone}
    back = load_model(rewritten(saved, {"manifest.npy": npy(np.frombuffer(text, np.uint8)), **entries}))
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


# --- files that are no models -----------------------------------------------------------------------------------------


class Planted:
    """A pickle that would leave a trace if anything unpickled it."""

    def __init__(self, trace: str) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.trace,)


def test_a_pickle_is_never_opened(tmp_path: Path, saved: Path) -> None:
    trace = tmp_path / "trace"
    bare = tmp_path / "bare.npz"
    bare.write_bytes(pickle.dumps(Planted(str(trace))))
    inside = rewritten(saved, {"model.base.npy": npy(np.array([Planted(str(trace))], dtype=object), allow_pickle=True)})
    for path in (bare, inside):
        with pytest.raises(ModelFileError):
            load_model(path)
    assert not trace.exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_file_cut_short_is_told(saved: Path, share: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelFileError, match="must be"):
        load_model(saved)


def test_a_changed_number_is_told(saved: Path) -> None:
    with np.load(saved) as arrays:
        base = arrays["model.base"].copy()
    base[0] += 1.0
    with pytest.raises(ModelFileError, match="must hold the arrays that its manifest lists"):
        load_model(rewritten(saved, {"model.base.npy": npy(base)}))


@pytest.mark.parametrize(
    "change",
    [
        {"../x.npy": npy(np.zeros(1))},
        {"x.txt": b"hello"},
        {"manifest.npy": None},
        {"model.base.npy": None},
        {"extra.npy": npy(np.zeros(1))},
        {"manifest.npy": npy(np.frombuffer(b"[1", np.uint8))},
        {"manifest.npy": npy(np.zeros(3))},
        {"model.base.npy": b"\x93NUMPY\x01\x00" + b"garbage"},
    ],
)
def test_odd_archives_are_told(saved: Path, change: dict[str, bytes | None]) -> None:
    with pytest.raises(ModelFileError, match="must"):
        load_model(rewritten(saved, change))


@pytest.mark.parametrize(
    "changes",
    [
        {"class": "os"},
        {"class": "load_model"},
        {"class": "Recommender"},
        {"class": 5},
        {"params": {"nosuch": 1}},
        {"params": {"beta": 7}},
        {"params": {"recency": "abc"}},
        {"format": 99},
        {"format": "x"},
        {"arrays": []},
    ],
)
def test_odd_manifests_are_told(saved: Path, changes: dict[str, object]) -> None:
    with pytest.raises((ModelFileError, InputError), match="must"):
        load_model(with_manifest(saved, **changes))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("item_columns", [["number", "year"]]),
        ("item_columns", [["text", "a"], ["text", "b"]]),
        ("item_columns", 5),
        ("item_texts", [["drama"]]),
        ("item_texts", {}),
        ("item_numbers", np.zeros(3)),
        ("item_numbers", np.zeros((3, 1))),
    ],
)
def test_item_columns_that_do_not_fit_are_told(saved: Path, name: str, array: object) -> None:
    """Even where the checksums are right."""
    odd = array if isinstance(array, np.ndarray) else np.frombuffer(json.dumps(array).encode(), np.uint8)
    columns = np.frombuffer(json.dumps([["number", "year"]]).encode(), np.uint8)
    changes = {"item_columns": columns, name: odd} if name == "item_numbers" else {name: odd}
    digests = {f"data.{key}": persist._digest(value) for key, value in changes.items()}
    manifest = manifest_of(saved)
    manifest["arrays"] = dict(manifest["arrays"]) | digests  # type: ignore[call-overload]
    text = npy(np.frombuffer(json.dumps(manifest).encode(), np.uint8))
    entries = {f"data.{key}.npy": npy(value) for key, value in changes.items()}
    with pytest.raises(ModelFileError, match=r"'changed\.npz' must be a saved xattn model; got one that breaks"):
        load_model(rewritten(saved, {"manifest.npy": text, **entries}))


def test_a_header_that_promises_the_moon_is_told(saved: Path) -> None:
    header = npy(np.zeros(1)).replace(b"(1,)", b"(9" + b"9" * 9 + b",)")
    with pytest.raises(ModelFileError, match="must"):
        load_model(rewritten(saved, {"model.base.npy": header}))


def test_a_bomb_is_not_unpacked(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persist, "MOST_BYTES", 1000)
    with pytest.raises(ModelFileError, match="must unpack to at most 1,000 bytes; got more"):
        load_model(saved)


@pytest.mark.parametrize("name", ["missing.npz", ""])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match="a model file must be readable; got "):
        load_model(tmp_path / name)


def test_a_pipe_is_not_replaced_by_a_model(tmp_path: Path) -> None:
    """Nor is a device: a file that took its name would break whatever else uses it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="a device or a pipe"):
        fitted("popularity").save(pipe)
    assert pipe.is_fifo()
