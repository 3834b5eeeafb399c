"""Files that are no models: each ends in one ModelFileError, whatever is wrong with it and however much it declares."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.model_files import entries_of, forged, npy, rewritten, sealed, taken_apart, text
from tests.models import MODELS, fitted
from xattn import ModelFileError, load_model


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    fitted("hybrid").save(path)
    return path


def refused(path: Path, said: str = "must") -> None:
    with pytest.raises(ModelFileError, match=said) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


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
        {"checksum.npy": None},
        {"checksum.npy": npy(np.zeros(64, np.uint8))},
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
        {"class": []},
        {"params": {"nosuch": 1}},
        {"params": {"beta": 7}},
        {"params": {"recency": "abc"}},
        {"params": {"recency": {"a": 1}}},
        {"params": None},
        {"format": 99},
        {"format": "x"},
        {"format": True},
        {"format": 0},
        {"data": 5},
        {"scale": {"low": 5, "high": 1}},
        {"scale": {"low": "a", "high": 5}},
        {"scale": {"low": 1, "high": float("inf")}},
        {"scale": {"low": 1, "high": 5, "kind": "x"}},
        {"scale": {"low": 1, "high": 5, "origin": []}},
        {"scale": [1, 5]},
    ],
)
def test_odd_manifests_are_told(saved: Path, changes: dict[str, Any]) -> None:
    """Even where the checksums are right."""
    refused(forged(saved, **changes))


@pytest.mark.parametrize("deep", ["manifest", "data.titles", "data.item_columns"])
def test_nesting_without_an_end_is_told(saved: Path, deep: str) -> None:
    nested = np.frombuffer(b"[" * 200_000, np.uint8)
    if deep == "manifest":
        refused(rewritten(saved, {"manifest.npy": npy(nested)}))
    else:
        refused(forged(saved, {deep: nested}))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("item_columns", [["number", "year"]]),
        ("item_columns", [["text", "a"], ["text", "b"]]),
        ("item_columns", [["text", 5]]),
        ("item_columns", [["odd", "genres"]]),
        ("item_columns", 5),
        ("item_texts", [["drama"]]),
        ("item_texts", [[1] * 60]),
        ("item_texts", {}),
        ("item_numbers", np.zeros(3)),
        ("item_numbers", np.zeros((3, 1))),
        ("user_ids", "abc"),
        ("user_ids", {}),
        ("item_ids", [["a"]]),
        ("titles", ["A"]),
        ("titles", [None] * 60),
    ],
)
def test_tables_of_texts_that_do_not_fit_are_told(saved: Path, name: str, array: Any) -> None:
    odd = array if isinstance(array, np.ndarray) else text(array)
    columns = {"data.item_columns": text([["number", "year"]])} if name == "item_numbers" else {}
    refused(
        forged(saved, {**columns, f"data.{name}": odd}), r"'changed\.npz' must be a saved xattn model; got one that"
    )


# --- checksums --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.base", "data.indptr", "data.titles", "model.V"])
def test_an_array_of_other_type_or_shape_is_another(saved: Path, name: str) -> None:
    """The bytes are the same ones."""
    array = taken_apart(saved)[1][name]
    turned = np.ascontiguousarray(array).view(
        {1: "i1", 4: "i4", 8: "u8" if array.dtype.kind == "i" else "i8"}[array.itemsize]
    )
    for other in (turned, array.reshape(1, *array.shape)):
        refused(rewritten(saved, {f"{name}.npy": npy(other)}), "must hold the arrays that its manifest lists")


@pytest.mark.parametrize("change", [{"params": {"beta": 0.9}}, {"scale": None}, {"data": "x"}, {"class": "EASE"}])
def test_another_setting_is_told(saved: Path, change: dict[str, Any]) -> None:
    manifest, _ = taken_apart(saved)
    params = {"params": manifest["params"] | change["params"]} if "params" in change else change
    other = rewritten(saved, {"manifest.npy": npy(text(manifest | params))})
    refused(other, "must hold the settings that it was saved with")
    refused(rewritten(saved, {"checksum.npy": None}), "must hold the settings that it was saved with")


# --- tables -----------------------------------------------------------------------------------------------------------

ALLOWED = {  # what a table may be without being wrong: NaN where it means "not there", and what older files lack
    *((f"data.{name}", "nan") for name in ("rating", "item_numbers")),
    *((f"data.{name}", "gone") for name in ("rating", "time", "kind", "item_columns")),
    *((f"model.{name}", "gone") for name in ("base", "dislike", "feature_blocks", "new_feature_blocks", "new")),
    *((f"model.{name}", what) for name in ("training", "learned.epochs") for what in ("nan", "longer", "shorter")),
}
ALONE = {"model.dislike", "model.learned.alpha", "model.liked"}


def spoilt(name: str, array: np.ndarray) -> dict[str, np.ndarray | None]:
    """The array with one thing wrong, by what it is."""
    found: dict[str, np.ndarray | None] = {"gone": None, "another dimension": array[None]}
    found["texts"] = np.array(["x"] * max(1, len(array) if array.ndim else 1))
    if array.ndim and name not in ALONE:
        found["longer"] = np.concatenate([array, array[-1:]]) if len(array) else np.zeros((3, *array.shape[1:]))
        if len(array):
            found["shorter"] = array[:-1]
    if array.ndim > 1 and array.shape[-1]:
        found["narrower"] = array[..., :-1]
    if array.dtype.kind == "f" and array.size:
        for number in (np.nan, np.inf, -np.inf):
            other = array.copy()
            other.flat[array.size // 2] = number
            found[str(number)] = other
    if array.dtype.kind == "i" and array.size > 1:
        for what, at, number in (("negative", 0, -1), ("huge", -1, 2**40)):
            found[what] = array.astype(np.int64)
            found[what].flat[at] = number  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize("name", MODELS)
def test_every_table_is_checked(name: str, tmp_path: Path) -> None:
    """Checksums are right: only what the tables hold is wrong."""
    fitted(name).save(tmp_path / "model.npz")
    manifest, arrays = taken_apart(tmp_path / "model.npz")
    loaded = []
    for of, array in arrays.items():
        for what, other in spoilt(of, array).items():
            changed = {key: value for key, value in (arrays | {of: other}).items() if value is not None}
            path = sealed(tmp_path / "changed.npz", manifest, changed)
            try:
                load_model(path)
            except ModelFileError:
                continue
            loaded.append((of, what))
    assert set(loaded) <= ALLOWED


TWICE = {
    "collaborative": {"warm": [0, 1]},
    "collaborative sparse": {"V_column": [0, 1]},
    "ease sparse": {"warm": [3, 4]},
    "item knn": {"indices": [0, 1]},
    "sequence": {"learned.rows": [0, 1]},
}


@pytest.mark.parametrize("name", TWICE)
def test_what_stands_twice_is_told(name: str, tmp_path: Path) -> None:
    fitted(name).save(tmp_path / "model.npz")
    ((of, (one, two)),) = TWICE[name].items()
    array = taken_apart(tmp_path / "model.npz")[1][f"model.{of}"].copy()
    known = np.flatnonzero(array < array.max()) if of == "learned.rows" else np.arange(len(array))
    array[known[one]] = array[known[two]]
    refused(forged(tmp_path / "model.npz", {f"model.{of}": array}), "must hold each .* once")


# --- archives ---------------------------------------------------------------------------------------------------------


def zipped(path: Path, members: list[tuple[zipfile.ZipInfo | str, bytes]], **how: Any) -> Path:
    with zipfile.ZipFile(path, "w", **how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packed_file_is_told_before_it_is_unpacked(saved: Path, how: int) -> None:
    packed = zipped(saved.with_name("packed.npz"), list(entries_of(saved).items()), compression=how)
    refused(packed, "must hold its arrays unpacked, as `save` writes them")


def test_members_that_stand_twice_are_told(saved: Path) -> None:
    entries = list(entries_of(saved).items())
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped(saved.with_name("twice.npz"), [*entries, entries[2]])
    refused(twice, "got another kind of archive")


@pytest.mark.parametrize("name", ["../x.npy", "/x.npy", "a/x.npy", "x.npy/", "x.npz", "a\\x.npy", "x\n.npy", "ü.npy"])
def test_members_of_other_names_are_told(saved: Path, name: str) -> None:
    refused(
        zipped(saved.with_name("named.npz"), [*entries_of(saved).items(), (name, npy(np.zeros(1)))]), "another kind"
    )


def test_a_link_in_an_archive_is_read_as_no_file(saved: Path) -> None:
    link = zipfile.ZipInfo("data.rating.npy")
    link.external_attr = (0o120777 & 0xFFFF) << 16
    kept = [entry for entry in entries_of(saved).items() if entry[0] != link.filename]
    refused(zipped(saved.with_name("link.npz"), [*kept, (link, b"/etc/passwd")]))


def test_one_bit_says_that_it_is_encrypted(saved: Path) -> None:
    raw = bytearray(saved.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    saved.write_bytes(raw)
    refused(saved, "unpacked")


LOADING = """
import resource, sys, time
from xattn import ModelFileError, load_model
from xattn.recommenders import Popularity
limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
start = time.perf_counter()
try:
    load_model(sys.argv[1])
except ModelFileError:
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - limit)
"""


def cost(path: Path) -> tuple[float, int]:
    """Seconds and bytes that the refusal takes, in a process of its own."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(path)], cwd=root, capture_output=True, text=True, check=True
    )
    seconds, size = done.stdout.split()
    return float(seconds), int(size)


def test_a_small_file_cannot_ask_for_much(saved: Path) -> None:
    """Three megabytes that unpack to three gigabytes of zeros; and the same size declared without a byte of it."""
    entries = entries_of(saved)
    zeros = zipfile.ZipInfo("model.V.npy")
    with zipfile.ZipFile(bomb := saved.with_name("bomb.npz"), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            if name != zeros.filename:
                archive.writestr(name, content)
        with archive.open(zeros, "w", force_zip64=True) as member:
            member.write(npy(np.zeros(0)).replace(b"(0,)", b"(4,)"))
            for _ in range(300):
                member.write(bytes(10**6))
    declared = bytearray(saved.read_bytes())
    at = declared.index(b"PK\x01\x02")
    struct.pack_into("<II", declared, at + 20, 0xFFFFFFF0, 0xFFFFFFF0)
    (lying := saved.with_name("lying.npz")).write_bytes(declared)
    for path in (bomb, lying):
        refused(path, "unpacked")
    seconds, size = cost(bomb)
    assert seconds < 2.0
    assert size < 20 * 2**20


@pytest.mark.parametrize(
    "shape", ["(99999999999,)", "(-1,)", "(0, -1)", "(1, 99999999999999)", "()", "((),)", "(True,)"]
)
def test_a_header_that_promises_something_else_is_told(saved: Path, shape: str) -> None:
    content = npy(np.zeros(2))
    padded = content.replace(b"(2,), }" + b" " * max(len(shape) - 4, 0), shape.encode().ljust(4) + b", }", 1)
    assert len(padded) == len(content)
    refused(rewritten(saved, {"model.base.npy": padded}))


def test_a_header_that_does_not_end_is_told(saved: Path) -> None:
    """NumPy looks for whole numbers of Python 2 in it, token by token."""
    head = b"{'descr': '<f8', 'shape': ((((((" + b"\n" * 9
    content = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head
    refused(rewritten(saved, {"model.base.npy": content}), "got a file that is none or was cut short")


@pytest.mark.parametrize("kind", ["|O", "<f16", "<c16", "<M8[s]", "|V8", "|S0", "<U0", "<f8, <f8", "nonsense"])
def test_arrays_of_other_kinds_are_told(saved: Path, kind: str) -> None:
    content = npy(np.zeros(2))
    padded = content.replace(b"'<f8'" + b" " * 0, f"'{kind}'".encode(), 1)
    spare = len(padded) - len(content)
    padded = (
        padded.replace(b" " * max(spare, 0) + b"\n", b"\n", 1)
        if spare >= 0
        else padded.replace(b"\n", b" " * -spare + b"\n", 1)
    )
    assert len(padded) == len(content)
    refused(rewritten(saved, {"model.base.npy": padded}))


# --- what is no file --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices")
def test_a_pipe_and_a_device_are_not_read(tmp_path: Path) -> None:
    """Nobody writes to the pipe: whoever opened it would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for path in (tmp_path / "pipe", tmp_path / "link", Path("/dev/zero"), Path("/dev/null")):
        refused(path, r"a model file must be readable; got .*\(a device or pipe\)")
    refused(tmp_path, r"got .*\(Is a directory\)")


@pytest.mark.parametrize("name", ["missing.npz", ""])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match="a model file must be readable; got "):
        load_model(tmp_path / name)
