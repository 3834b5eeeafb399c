"""Files that appear whole or not at all: written beside their place, then moved into it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from xattn.errors import InputError, shown

__all__ = ["write_whole"]


def write_whole(path: str | Path, content: bytes | str) -> None:
    """Write `content` (text as UTF-8) to `path`; on any failure what stood there stays as it was.

    Raises InputError where the path cannot be written.
    """
    path = Path(path)
    raw = content.encode("utf-8") if isinstance(content, str) else content
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0o077)  # it can be read only by setting it
            os.umask(mask)
            os.chmod(draft, 0o666 & ~mask)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except (OSError, ValueError) as problem:
        got = getattr(problem, "strerror", None) or "a name that no file can have"
        raise InputError(f"`path` must be a file that can be written; got {shown(str(path))} ({got}).") from None
