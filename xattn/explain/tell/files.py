"""Files that appear whole or not at all: written beside their place, then moved into it."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from xattn.errors import InputError, shown

__all__ = ["write_all", "write_whole"]

DRAFT = ".xattn-"  # no part of the file's own name, which may be as long as a name can be


def write_whole(path: str | Path, content: bytes | str) -> None:
    """Write `content` (text as UTF-8) to `path`; on any failure what stood there stays as it was.

    Raises InputError where the path cannot be written.
    """
    write_all({path: content})


def write_all(contents: Mapping[str | Path, bytes | str]) -> None:
    """Write several files, none before all of them lie beside their places; links are followed.

    Raises InputError where one cannot be written, or is a device, a pipe or a folder.
    """
    drafts: dict[str | Path, tuple[str, Path]] = {}
    try:
        for name, content in contents.items():
            with _refusing(name):
                path = Path(os.path.realpath(name))
                if path.exists() and not stat.S_ISREG(path.stat().st_mode):
                    raise OSError(errno.EINVAL, "a folder, a device or a pipe")
                drafts[name] = _draft(path, content), path
        for name in contents:
            with _refusing(name):
                os.replace(*drafts[name])
            del drafts[name]
    finally:
        for draft, _ in drafts.values():
            os.unlink(draft)


@contextmanager
def _refusing(name: str | Path) -> Iterator[None]:
    """What the system says about a path, as a refusal that names it."""
    try:
        yield
    except (OSError, ValueError) as problem:
        got = getattr(problem, "strerror", None) or "a name that no file can have"
        raise InputError(f"`path` must be a file that can be written; got {shown(str(name))} ({got}).") from None


def _draft(path: Path, content: bytes | str) -> str:
    """The content on the disk, in a file of another name beside `path`, as open() would have made it."""
    handle, draft = tempfile.mkstemp(prefix=DRAFT, suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0o077)  # it can be read only by setting it
        os.umask(mask)
        os.chmod(draft, 0o666 & ~mask)
    except BaseException:
        os.unlink(draft)
        raise
    return draft
