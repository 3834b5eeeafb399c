"""One file from its address: with progress, gone on with where it broke off, whole or not there at all.

    path.partial          what has come so far
    path.partial.note     how the server calls this version of the file (ETag, or the time of its last change)

A fetch that breaks off is gone on with from the byte where it ended, if the server still has the same version
(``Range`` and ``If-Range``, RFC 9110); else it begins anew. Within one call a connection that breaks is tried again.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

import requests

from xattn.errors import refuse
from xattn.files import growing, write_file
from xattn.progress import Progress, silent

__all__ = ["Downloaded", "download"]

TRIES = 5  # connections in one call; each goes on where the last one broke off
WAIT = 1.0  # seconds before the second try; twice as many before each further one
TIMEOUT = (10.0, 60.0)  # seconds to connect, and without a byte
BLOCK = 2**16  # bytes
MOST = 2_000_000_000  # bytes of one file
LOCAL = ("127.0.0.1", "localhost", "::1")
AGENT = "xattn (data fetch)"


class Downloaded(NamedTuple):
    """Size and sha256 of a file that has come, and from which byte this call went on (0: from the beginning)."""

    size: int
    sha256: str
    from_byte: int


def download(url: str, path: Path, *, wait: float = WAIT, progress: Progress | None = None) -> Downloaded:
    """Fetch the file at `url` to `path`. Raises InputError, in one sentence, where it cannot be had; what has come is
    kept then, and the next call goes on with it."""
    note = path.with_name(f"{path.name}.partial.note")
    first = None
    with growing(path) as file:
        for attempt in range(TRIES):
            if attempt:
                time.sleep(wait * 2 ** (attempt - 1))
            try:
                start = _go_on(url, file, note, progress or silent)
                first = start if first is None else first
                break
            except requests.exceptions.InvalidSchema as problem:
                refuse("fetch", url=url, why=str(problem))
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as problem:
                first = first or 0
                if attempt == TRIES - 1:
                    refuse("fetch", url=url, why=_why(problem))
            except requests.RequestException as problem:
                refuse("fetch", url=url, why=_why(problem))
        size, digest = file.seek(0, 2), hashlib.sha256()
        file.seek(0)
        while block := file.read(BLOCK):
            digest.update(block)
    with suppress(FileNotFoundError):
        note.unlink()
    return Downloaded(size, digest.hexdigest(), first or 0)


def _go_on(url: str, file: IO[bytes], note: Path, tell: Progress) -> int:
    """Fetch what is missing; the byte from which it began. Raises RequestException where the connection breaks."""
    have = file.seek(0, 2)
    version = note.read_text("utf-8", "replace") if have and note.exists() else ""
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    if version:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if not answer.url.startswith("https:") and urlsplit(answer.url).hostname not in LOCAL:
            refuse("fetch_insecure", url=answer.url)
        if answer.status_code == 416:  # nothing is missing, or the file is shorter now: the next try begins anew
            file.truncate(0)
            raise requests.ConnectionError("416")
        if answer.status_code not in (200, 206):
            refuse("fetch", url=url, why=f"{answer.status_code} {answer.reason}")
        if answer.status_code == 200 or not _begins_at(answer.headers.get("Content-Range", ""), have):
            if answer.status_code == 206:
                file.truncate(0)
                raise requests.ConnectionError("206")
            file.seek(0)
            file.truncate()
            have = 0
        write_file(note, _version(answer))
        length = answer.headers.get("Content-Length", "")
        whole = have + int(length) if length.isdecimal() else 0
        come = have
        for block in answer.iter_content(BLOCK):
            file.write(block)
            come += len(block)
            if come > MOST:
                refuse("fetch_large", url=url, most=MOST)
            tell(f"{come / 1e6:,.1f} MB", come / whole if whole else 0.0)
        if whole and come < whole:
            raise requests.ConnectionError("incomplete")
    return have


def _begins_at(content_range: str, have: int) -> bool:
    return content_range.strip().lower().startswith(f"bytes {have}-")


def _version(answer: requests.Response) -> str:
    """What names this version of the file, so that its rest can be asked for; "" where nothing sure does."""
    etag = str(answer.headers.get("ETag", ""))
    return etag if etag and not etag.startswith("W/") else str(answer.headers.get("Last-Modified", ""))


def _why(problem: Exception) -> str:
    """The reason, without addresses of memory and the like."""
    if isinstance(problem, requests.Timeout):
        return "timeout"
    inner: BaseException = problem
    while inner.args and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    reason = getattr(inner, "reason", None)
    return str(reason if reason is not None else inner).rpartition(": ")[2][:120] or type(problem).__name__
