"""Paths that no file system has: what reads and what writes says so in one sentence, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import xattn
from xattn.data import check_data, planted, read_interactions, read_items
from xattn.errors import XattnError
from xattn.files import write_file
from xattn.live import open_store
from xattn.recommenders import Popularity

BAD = {
    "with NUL": "a\0b.npz",
    "300 letters": "x" * 300 + ".npz",
    "300 letters, in Chinese": "字" * 100 + ".npz",
    "no folder": "nowhere/in/sight.npz",
    "a folder": ".",
    "empty": "",
    "6,000 letters": "a/" * 3_000 + "b.npz",
}
READ = {
    "load_model": xattn.load_model,
    "read_interactions": read_interactions,
    "read_items": read_items,
    "check_data": check_data,
}


@pytest.fixture(scope="module")
def model() -> Popularity:
    return Popularity().fit(planted("genre", n_users=20, seed=0).data)


def refused(call: Any, path: str) -> None:
    with pytest.raises(XattnError) as found:
        call(path)
    said = str(found.value)
    assert "\n" not in said
    assert "\0" not in said
    assert len(said) < 400
    assert "must" in said


@pytest.mark.parametrize("path", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("read", READ.values(), ids=READ.keys())
def test_what_reads_says_so(read: Any, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(read, path)


@pytest.mark.parametrize("path", BAD.values(), ids=BAD.keys())
def test_what_writes_says_so(path: str, model: Popularity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(model.save, path)
    refused(lambda name: write_file(name, "text"), path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_at_such_a_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (BAD["300 letters"], BAD["no folder"]):
        refused(open_store, f"sqlite:///{path}")
