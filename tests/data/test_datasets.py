"""Bundled sets: they are what they say, found in a checkout and in an installed package, and checked before use."""

import dataclasses
import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from xattn.data import DatasetInfo, datasets, load_dataset
from xattn.data import datasets as _function
from xattn.data.datasets import FOLDERS
from xattn.errors import DataError, InputError

module = __import__(_function.__module__, fromlist=["x"])


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder of data sets of its own, with nothing loaded yet."""
    folder = next(folder for folder in FOLDERS if (folder / "movielens-small").is_dir())
    shutil.copytree(folder / "movielens-small", tmp_path / "movielens-small")
    monkeypatch.setattr(module, "FOLDERS", (tmp_path / "absent", tmp_path))
    monkeypatch.setattr(module, "_loaded", {})
    return tmp_path / "movielens-small"


def test_movielens_small_is_what_it_says():
    data = load_dataset("movielens-small")
    (info,) = (info for info in datasets() if info.name == "movielens-small")
    assert (data.n_users, data.n_items, data.n_events) == (info.users, info.items, info.events) == (671, 9066, 100004)
    assert np.unique(data.rating).tolist() == [i / 2 for i in range(1, 11)]
    assert (data.time.min(), data.time.max()) == (789652009.0, 1476640644.0)
    row = data.item_row(1)
    assert data.items.titles[row] == "Toy Story"
    assert data.items.frame.year[row] == 1995.0
    assert data.items.frame.genres[row] == "Adventure|Animation|Children|Comedy|Fantasy"
    first = data.events_of(data.user_row(1))
    assert (first.stop - first.start, data.items.titles[data.item[first][0]]) == (20, "Antz")
    untitled = [title for item, title in zip(data.items.ids, data.items.titles, strict=True) if item == title]
    assert len(untitled) == 5
    assert data.counts().min() >= 1


def test_read_once():
    assert load_dataset("movielens-small") is load_dataset("movielens-small")


def test_records():
    info = datasets()[0]
    assert isinstance(info, DatasetInfo)
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.name = "other"
    assert "commercial" in info.licence
    assert "Harper" in info.citation


@pytest.mark.parametrize("name", ["nosuch", "", None, 5, ["movielens-small"], "../movielens-small"])
def test_unknown_names(name):
    with pytest.raises(InputError, match="`name` must be one of the data sets at hand, movielens-small; got"):
        load_dataset(name)


def test_found_in_whichever_folder_is_there(copy):
    assert load_dataset("movielens-small").n_events == 100004


def test_files_can_be_made_again():
    """The gzip headers carry neither time nor name."""
    info = datasets()[0]
    for part in info.files.values():
        raw = (info.folder / part["path"]).read_bytes()
        assert raw[3:8] == b"\0\0\0\0\0"
        assert hashlib.sha256(raw).hexdigest() == part["sha256"]
        header = gzip.decompress(raw).split(b"\n", 1)[0].decode()
        assert header.split(",") == part["columns"]


def test_damaged_and_missing_files(copy):
    ratings = copy / "ratings.csv.gz"
    raw = ratings.read_bytes()
    ratings.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(DataError, match=r"movielens-small/ratings.csv.gz: its sha256 must be b722091bcee4…"):
        load_dataset("movielens-small")
    ratings.unlink()
    with pytest.raises(
        DataError, match=r"movielens-small/ratings.csv.gz: it must come with the package; got FileNotFoundError"
    ):
        load_dataset("movielens-small")
    ratings.write_bytes(raw)
    assert load_dataset("movielens-small").n_users == 671


@pytest.mark.parametrize("text", ["", "name = 'x'", "not toml", "name = 1\n[counts]\nusers = 'many'"])
def test_damaged_descriptions(copy, text):
    (copy / "dataset.toml").write_text(text)
    with pytest.raises(DataError, match=r"movielens-small/dataset.toml: it must describe a data set") as caught:
        datasets()
    assert "\n" not in str(caught.value)


def test_nothing_at_hand(monkeypatch):
    monkeypatch.setattr(module, "FOLDERS", (Path("nowhere"),))
    monkeypatch.setattr(module, "_loaded", {})
    assert datasets() == []
    with pytest.raises(InputError, match="incomplete"):
        load_dataset("movielens-small")
