"""Files that are written whole or not at all: every file that xattn makes goes through here.

The content goes to a draft beside the file; when the draft is on the disk, it takes the file's place:

    folder/.xattn-5f31c0a9.part   written, synced      ──rename──▶   folder/model.npz   then the folder is synced

A draft's name has nothing of the file's name, which may be as long as a name can be. Its writer holds a lock on it. The
system takes the lock from a writer that is killed, so the next write into the folder knows such a draft and deletes it.

A symbolic link is followed: the file that it points to is replaced, and the link stays. A hard link is not: its other
names keep the old content. A file that is replaced keeps its mode, and its owner and group where the system allows.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from xattn.errors import InputError, refuse, system_reason

if sys.platform != "win32":
    import fcntl

__all__ = ["Content", "check_output", "growing", "open_regular", "scratch", "write_file", "write_files"]

Content = bytes | str | Callable[[IO[bytes]], object]  # text goes out as UTF-8; a function writes to the open file
DRAFT = ".xattn-"
PART = ".part"
SCRATCH = ".scratch"
PARTIAL = ".partial"  # of a file that has not come whole yet
NEW_FILE = 0o666  # less what the umask takes, as for open()


def write_file(path: str | Path, content: Content) -> None:
    """Write `content` to `path`; on any failure what stood there stays as it was.

    Raises InputError where `path` is a folder, a device or a pipe, or cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(Path(folder) / "note.txt", "hello")
    ...     [path.name for path in Path(folder).iterdir()]
    ['note.txt']
    """
    write_files({path: content})


def write_files(contents: Mapping[str | Path, Content]) -> None:
    """Write several files, all or none: on any failure every one of them stays as it was.

    No file is replaced before all drafts are on the disk. A machine that stops between two renames leaves some files
    new and some old, but each of them whole. Raises InputError as `write_file` does.
    """
    drafts: dict[str | Path, _Draft] = {}
    try:
        for name, content in contents.items():
            with _refusing(name):
                drafts[name] = _draft(_place(name))
            with _refusing(name, only=(OSError,)):
                _fill(drafts[name], content)
        _replace(drafts)
    finally:
        for draft in drafts.values():
            draft.file.close()  # and with it goes the lock
            with suppress(FileNotFoundError):  # it has become the file
                os.unlink(draft.name)


def check_output(name: str | Path, what: str = "path") -> Path:
    """The file behind `name`, links followed, where it can be written. Raises InputError, which names the argument
    `what`.

    For work that takes long: the refusal comes before it.
    """
    with _refusing(name, what):
        path = _place(name, what)
        draft = _draft(path)
        draft.file.close()
        os.unlink(draft.name)
    return path


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """The regular file at `path`, links followed, open for reading. Raises OSError, and ValueError for a zero byte.

    A pipe, a device and a socket are refused without being opened: reading one might never end, and opening one might
    do something. What becomes a pipe in between is seen, too, and does not wait for a writer.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise _not_regular(os.stat(path).st_mode)
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise _not_regular(mode)
    return os.fdopen(handle, "rb")


def _not_regular(mode: int) -> OSError:
    code = errno.EISDIR if stat.S_ISDIR(mode) else errno.ESPIPE
    return OSError(code, os.strerror(code))


def _place(name: str | Path, what: str = "path") -> Path:
    """The path to write to. Raises InputError or OSError where it is no place for a file."""
    path = Path(os.path.realpath(name))
    if not str(name):
        refuse("output", name=what, got=str(name), why="empty_name")
    if path.is_symlink():
        refuse("output", name=what, got=str(name), why="ring_of_links")
    if path.exists():
        if not stat.S_ISREG(path.stat().st_mode):
            refuse("output", name=what, got=str(name), why="a_folder" if path.is_dir() else "a_device")
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return path


@contextmanager
def _refusing(
    name: str | Path, what: str = "path", only: tuple[type[Exception], ...] = (OSError, ValueError)
) -> Iterator[None]:
    """What the system says about a path, as a refusal that names it; ValueError is what Python says of a zero byte."""
    try:
        yield
    except only as problem:
        if isinstance(problem, InputError):
            raise
        refuse("output", name=what, got=str(name), **system_reason(problem))


@contextmanager
def scratch(folder: str | Path) -> Iterator[Callable[[str], IO[bytes]]]:
    """Room in `folder` for files that are needed for a while: a function that opens a new one, to write, by its name.

    All of them go at the end; those of a process that was killed go when somebody next asks for room in the folder.
    Raises InputError where the folder cannot be written.
    """
    with _refusing(folder, only=(OSError, ValueError)):
        with os.scandir(folder) as entries:
            for entry in [entry for entry in entries if entry.name.startswith(DRAFT) and entry.name.endswith(SCRATCH)]:
                with suppress(OSError), open(os.path.join(entry.path, "lock"), "rb+") as lock:
                    if _locked(lock.fileno()):
                        shutil.rmtree(entry.path, ignore_errors=True)
        room = os.path.join(folder, f"{DRAFT}{secrets.token_hex(8)}{SCRATCH}")
        os.mkdir(room, 0o700)
    try:
        with open(os.path.join(room, "lock"), "wb") as lock:
            _locked(lock.fileno())
            yield lambda name: open(os.path.join(room, name), "wb")  # noqa: SIM115 - whoever asks closes it
    finally:
        shutil.rmtree(room, ignore_errors=True)


@contextmanager
def growing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file that comes bit by bit, open at its end: `path`.partial, which takes the place of `path` when all has come.

    Where the work inside fails, what has come stays, and the next call goes on with it. Raises InputError where `path`
    cannot be written, and where another process is at it.
    """
    with _refusing(path):
        place = _place(path)
        name = f"{place}{PARTIAL}"
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(name, flags, NEW_FILE)
    with os.fdopen(handle, "r+b") as file:
        if not _locked(handle):
            refuse("output_busy", got=str(path))
        file.seek(0, os.SEEK_END)
        with _refusing(path, only=(OSError,)):
            yield file
            file.flush()
            os.fsync(handle)
            if sys.platform != "win32":
                os.replace(name, place)
    with _refusing(path, only=(OSError,)):
        if sys.platform == "win32":  # there an open file keeps its name
            os.replace(name, place)
        _sync(place.parent)


# --- drafts -----------------------------------------------------------------------------------------------------------


class _Draft(NamedTuple):
    """An open, locked file beside the `path` whose place it is to take."""

    file: IO[bytes]
    name: str
    path: Path


def _draft(path: Path) -> _Draft:
    """A new draft beside `path`, readable by whom the file at `path` is; leftovers in the folder are deleted."""
    _clean(path.parent)
    old = path.stat() if path.exists() else None
    while True:
        name = str(path.parent / f"{DRAFT}{secrets.token_hex(8)}{PART}")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(name, flags, 0o600 if old else NEW_FILE)
        if _locked(handle) and os.fstat(handle).st_nlink:  # else another writer took it for a leftover
            break
        os.close(handle)
    if old is not None and hasattr(os, "fchown"):
        with suppress(PermissionError):
            os.fchown(handle, old.st_uid, old.st_gid)
        with suppress(PermissionError):  # as file systems without modes say
            os.fchmod(handle, stat.S_IMODE(old.st_mode))
    return _Draft(os.fdopen(handle, "w+b"), name, path)


def _fill(draft: _Draft, content: Content) -> None:
    """Put the content into the draft, and the draft on the disk."""
    if callable(content):
        content(draft.file)
    else:
        # half of a surrogate pair, as broken text may hold, has no form in UTF-8; a question mark stands for it
        draft.file.write(content.encode("utf-8", "replace") if isinstance(content, str) else content)
    draft.file.flush()
    os.fsync(draft.file.fileno())


def _locked(handle: int) -> bool:
    """Lock the open file for as long as it is open; False where another holds the lock."""
    if sys.platform == "win32":
        return True  # there an open file cannot be deleted, which is all that the lock is for
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: nobody can take the draft for a leftover there
        return True
    return True


def _clean(folder: Path) -> None:
    """Delete the drafts in `folder` whose writers were killed: those that nobody holds a lock on."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(DRAFT) and entry.name.endswith(PART) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _delete_unlocked(entry.path)


def _delete_unlocked(name: str) -> None:
    if sys.platform == "win32":
        os.unlink(name)  # refused while it is open
        return
    handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(name)
    finally:
        os.close(handle)


# --- from drafts to files ---------------------------------------------------------------------------------------------


def _replace(drafts: Mapping[str | Path, _Draft]) -> None:
    """Let every draft take its place; where one cannot, those before it get their old content again."""
    old = {}
    if len(drafts) > 1:
        for name, draft in drafts.items():
            with _refusing(name):
                old[name] = draft.path.read_bytes() if draft.path.exists() else None
    done: list[str | Path] = []
    try:
        for name, draft in drafts.items():
            with _refusing(name):
                os.replace(draft.name, draft.path)
            done.append(name)
    except BaseException:
        for name in done:
            before = old[name]
            if before is None:
                drafts[name].path.unlink()
            else:
                write_file(drafts[name].path, before)
        raise
    for folder in {draft.path.parent for draft in drafts.values()}:
        _sync(folder)


def _sync(folder: Path) -> None:
    """Put a folder's list of names on the disk; a rename is durable only then."""
    if sys.platform == "win32":
        return  # no folder can be opened there
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems without folders of their own say these
            refuse("output_disk", got=str(folder), **system_reason(problem))
    finally:
        os.close(handle)
