"""The bytes of a file: unpacked, within a size limit, from a regular file or an open one; else a DataError naming it.

Compression is told by content (gzip starts with 1f 8b), never by the name of the file. What a file unpacks to
counts against the same limit, so a small file that unpacks to a huge one is refused too.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from typing import BinaryIO, NamedTuple

from xattn.data.source import Source
from xattn.errors import InputError, check_whole, shown

__all__ = ["MAX_BYTES", "Content", "PathOrFile", "content_of"]

MAX_BYTES = 2 * 2**30  # 2 GiB

PathOrFile = str | os.PathLike[str] | BinaryIO


class Content(NamedTuple):
    """A file's bytes, its bare name, and the source that error sentences about it quote."""

    raw: bytes
    name: str
    source: Source


def content_of(path: PathOrFile, max_bytes: int = MAX_BYTES) -> Content:
    """The content of the file at `path`, or of an open binary file (called "upload" when it has no name)."""
    limit = check_whole("max_bytes", max_bytes, low=1)
    if isinstance(path, (str, os.PathLike)):
        name = os.path.basename(os.fspath(path)) or str(path)
        source = Source(shown(name))
        raw = _read(path, source, limit)
    elif hasattr(path, "read"):
        name = os.path.basename(str(getattr(path, "name", "upload")))
        source = Source(shown(name))
        raw = path.read(limit + 1)
        if not isinstance(raw, bytes):
            raise InputError("`path` must be a file opened as binary; got one opened as text.")
    else:
        raise InputError(f"`path` must be the path of a file or an open binary file; got {shown(path)}.")
    if raw.startswith(b"\x1f\x8b") and len(raw) <= limit:
        raw = _unpacked(raw, source, limit)
    if len(raw) > limit:
        raise source.error(f"it must hold at most {limit:,} bytes (unpacked)", "more")
    return Content(raw, name, source)


def _read(path: str | os.PathLike[str], source: Source, limit: int) -> bytes:
    problem = ""
    try:
        if os.path.isdir(path):
            problem = "a folder"
        elif not os.path.exists(path):
            problem = "no file of this name"
        elif not os.path.isfile(path):  # reading a pipe or device might never end
            problem = "a device or pipe"
        else:
            with open(path, "rb") as file:
                return file.read(limit + 1)
    except (OSError, ValueError) as error:
        problem = f"a refusal of the system ({type(error).__name__})"
    raise source.error("it must be a file that exists and can be read", problem)


def _unpacked(raw: bytes, source: Source, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            return file.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise source.error("a gzip file must be whole", "one that is cut off or damaged") from None
