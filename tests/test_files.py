"""Files are written whole or not at all: after kills, through links, with modes kept, beside devices, at any length."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from xattn.errors import InputError
from xattn.files import check_output, write_file, write_files

posix = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes, modes and signals")
plain_user = pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anything")
KILLED = """
import os, signal, sys
from xattn.files import write_file

def half(file):
    file.write(b"new " * 1000)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

write_file(sys.argv[1], half)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def full(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def test_text_bytes_and_functions(tmp_path: Path) -> None:
    write_files({tmp_path / "a": "ü", str(tmp_path / "b"): b"\0", tmp_path / "c": lambda file: file.write(b"x")})
    assert [(tmp_path / name).read_bytes() for name in "abc"] == ["ü".encode(), b"\0", b"x"]
    assert names(tmp_path) == ["a", "b", "c"]


def test_half_a_surrogate_pair_is_written_as_a_question_mark(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "x\ud800y")
    assert (tmp_path / "a").read_bytes() == b"x?y"


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failure_leaves_what_stood_there(function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "why.html"
    write_file(path, "first")
    monkeypatch.setattr(os, function, full)
    with pytest.raises(InputError, match=r"`path` must be a file that can be written; got .*No space left"):
        write_file(path, b"second")
    assert path.read_text("utf-8") == "first"
    assert names(tmp_path) == ["why.html"]


def test_an_error_of_the_content_is_told_as_it_is(tmp_path: Path) -> None:
    def broken(file: Any) -> None:
        file.write(b"half")
        raise ValueError("no such array")

    with pytest.raises(ValueError, match="no such array") as caught:
        write_file(tmp_path / "x", broken)
    assert not isinstance(caught.value, InputError)
    assert names(tmp_path) == []


# --- several files ----------------------------------------------------------------------------------------------------


def test_no_file_is_replaced_before_all_drafts_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = Path("a.html")
    write_files({first: "a"})
    with pytest.raises(InputError, match="got 'no/b.json'"):
        write_files({first: "new", "no/b.json": "new"})
    assert first.read_text("utf-8") == "a"
    assert names(tmp_path) == ["a.html"]


def test_files_replaced_before_a_failure_get_their_old_content_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third of three cannot take its place: the first is put back, the second, which was not there, goes."""
    old, new, last = (tmp_path / name for name in ("old", "new", "last"))
    write_files({old: "old", last: "last"})
    replace = os.replace

    def sometimes(draft: str, path: Path) -> None:
        if path.name == "last":
            raise PermissionError(1, "Operation not permitted")
        replace(draft, path)

    monkeypatch.setattr(os, "replace", sometimes)
    with pytest.raises(InputError, match="Operation not permitted"):
        write_files({old: "1", new: "2", last: "3"})
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {"old": "old", "last": "last"}


# --- killed writers ---------------------------------------------------------------------------------------------------


def kill_a_writer_of(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=Path(__file__).parents[1], check=False)
    assert done.returncode == -signal.SIGKILL


@posix
def test_a_killed_writer_leaves_the_old_file_and_the_next_write_cleans_up(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    write_file(path, "old")
    kill_a_writer_of(path)
    assert path.read_text("utf-8") == "old"
    assert len(names(tmp_path)) == 2  # its draft is there
    write_file(tmp_path / "other", "x")
    assert names(tmp_path) == ["model.npz", "other"]


@posix
def test_the_draft_of_a_writer_at_work_is_no_leftover(tmp_path: Path) -> None:
    """Another writer comes in the middle: it deletes the draft of the killed one, and leaves ours alone."""
    kill_a_writer_of(tmp_path / "x")

    def interrupted(file: Any) -> None:
        file.write(b"1")
        other = threading.Thread(target=write_file, args=(tmp_path / "other", "2"))
        other.start()
        other.join()
        file.write(b"2")

    write_file(tmp_path / "ours", interrupted)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"other": b"2", "ours": b"12"}


@posix
def test_what_only_looks_like_a_draft_is_left_alone(tmp_path: Path) -> None:
    """A link and a pipe of such a name are no drafts, and a pipe that is opened waits for ever."""
    (tmp_path / "kept").write_text("kept", "utf-8")
    (tmp_path / ".xattn-link.part").symlink_to("kept")
    os.mkfifo(tmp_path / ".xattn-pipe.part")
    before = names(tmp_path)
    write_file(tmp_path / "new", "x")
    assert names(tmp_path) == sorted([*before, "new"])


# --- durability -------------------------------------------------------------------------------------------------------


@posix
def test_the_file_is_synced_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real(handle)

    def renamed(*paths: Any) -> None:
        done.append("rename")
        replace(*paths)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    write_files({tmp_path / "a": "1", tmp_path / "b": "2"})
    assert done == ["file", "file", "rename", "rename", "folder"]


# --- modes and links --------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_replaced_file_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch()
    path.chmod(mode)
    seen: list[int] = []
    write_file(path, lambda file: seen.append(os.fstat(file.fileno()).st_mode))
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert [stat.S_IMODE(m) for m in seen] == [mode]  # the draft shows no more of it


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_mode_of_one_that_open_makes(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write_file(tmp_path / "new", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~mask


@posix
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "there").symlink_to("folder/old")
    (tmp_path / "nowhere").symlink_to("folder/new")
    (tmp_path / "folder" / "old").write_text("old", "utf-8")
    for name in ("there", "nowhere"):
        write_file(tmp_path / name, name)
        assert (tmp_path / name).is_symlink()
    assert {path.name: path.read_text("utf-8") for path in (tmp_path / "folder").iterdir()} == {
        "old": "there",
        "new": "nowhere",
    }


@posix
def test_other_names_of_a_file_keep_the_old_content(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "old")
    os.link(tmp_path / "a", tmp_path / "b")
    write_file(tmp_path / "a", "new")
    assert [(tmp_path / name).read_text("utf-8") for name in "ab"] == ["new", "old"]


# --- names ------------------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("name", ["x" * 250 + ".json", "é" * 125 + ".json", ".xattn-", "-", " ", "a\nb"])
def test_any_name_that_a_file_can_have(name: str, tmp_path: Path) -> None:
    for content in ("1", "2"):
        write_file(tmp_path / name, content)
    assert names(tmp_path) == [name]


REFUSED = {
    "pipe": "a device or a pipe",
    "to pipe": "a device or a pipe",
    "folder": "a folder",
    "": "a folder",
    "ring": "a ring of links",
    "x\0y": "a name that no file can have",
    "x" * 256: "File name too long",
    "no/such/x": "No such file or directory",
    "file/x": "Not a directory",
}


@posix
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("call", [check_output, lambda name: write_file(name, "x")], ids=["check", "write"])
def test_what_is_no_file_is_refused_and_left_alone(name: str, call: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "to pipe").symlink_to("pipe")
    (tmp_path / "ring").symlink_to("ring")
    (tmp_path / "file").touch()
    before = {path.name: path.lstat().st_mode for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=rf"`path` must be a file that can be written; got .*\({REFUSED[name]}\)"):
        call(f"{tmp_path}/{name}")
    assert {path.name: path.lstat().st_mode for path in tmp_path.iterdir()} == before


@posix
@plain_user
def test_a_file_marked_read_only_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.touch(0o444)
    with pytest.raises(InputError, match="Permission denied"):
        write_file(path, "x")


def test_a_place_is_checked_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old", "utf-8")
    assert check_output(tmp_path / "old") == (tmp_path / "old").resolve()
    assert check_output(tmp_path / "new") == (tmp_path / "new").resolve()
    with pytest.raises(InputError, match="^--out must be a file that can be written; got "):
        check_output(tmp_path / "no" / "x", "--out")
    assert names(tmp_path) == ["old"]


def test_a_function_may_move_about_in_the_file(tmp_path: Path) -> None:
    """As numpy.savez does."""

    def there_and_back(file: Any) -> None:
        file.write(b"abc")
        file.seek(0)
        assert file.read(1) == b"a"
        file.seek(0, io.SEEK_END)
        file.write(b"d")

    write_file(tmp_path / "x", there_and_back)
    assert (tmp_path / "x").read_bytes() == b"abcd"
