"""The bytes of a file, unpacked within a limit, from a path or an open file; else a DataError that names it.

Packing is told by content, never by the name of the file. What a file unpacks to counts against the limit, and nothing
is unpacked beyond it, so a small file that declares or yields a huge one is refused before memory is spent.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from xattn.data.source import Source
from xattn.errors import InputError, check_whole, refuse, shown, system_reason
from xattn.files import open_regular

__all__ = ["DAMAGED", "MAX_BYTES", "Content", "PathOrFile", "content_of"]

MAX_BYTES = 2 * 2**30  # 2 GiB
MOST_MEMORY = 512 * 2**20  # that unpacking xz may take for its dictionary
MOST_LAYERS = 3  # a gzip file in a zip file, and one more
MOST_MEMBERS = 10_000
STEP = 2**22

PathOrFile = str | os.PathLike[str] | BinaryIO

DATA_ENDINGS = (
    "csv",
    "tsv",
    "txt",
    "dat",
    "data",
    "json",
    "jsonl",
    "ndjson",
    "parquet",
    "xlsx",
    "inter",
    "item",
    "base",
)
SHEET_MEMBER = "xl/workbook.xml"
DAMAGED = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    struct.error,
    LookupError,
    zipfile.BadZipFile,
    pa.ArrowException,
)


class Content(NamedTuple):
    """A file's bytes, its bare name, the source that error sentences quote, and how it was packed, outermost first."""

    raw: bytes
    name: str
    source: Source
    packing: tuple[str, ...] = ()


def content_of(path: PathOrFile, max_bytes: int = MAX_BYTES, wanted: str = "") -> Content:
    """The content of the file at `path`, or of an open binary file (called "upload" when it has no name).

    Of a zip file with several tables, the one whose name fits the regular expression `wanted` is taken; a path may also
    name it: ``ml-25m.zip/ratings.csv``.
    """
    limit = min(check_whole("max_bytes", max_bytes, low=1), sys.maxsize - 1)
    member = ""
    if isinstance(path, (str, os.PathLike)):
        where, member = _member_of(os.fspath(path))
        name = os.path.basename(where) or where
        source = Source(shown(name))
        raw = _read(where, source, limit)
    elif hasattr(path, "read"):
        name = os.path.basename(str(getattr(path, "name", "upload")))
        source = Source(shown(name))
        raw = path.read(limit + 1)
        if not isinstance(raw, bytes):
            refuse("binary_file")
    else:
        refuse("type", name="path", what="path_or_file", got=path)
    packing: list[str] = []
    while len(raw) <= limit and (kind := _packing(raw)):
        if len(packing) == MOST_LAYERS:
            source.refuse("packed_often", most=MOST_LAYERS)
        try:
            if kind == "zip":
                found = _of_zip(raw, source, limit, member, wanted)
                if found is None:
                    break
                raw, inner = found
                name = f"{name}/{inner}" if packing or inner else name
            else:
                raw = _OPENERS[kind](raw, limit)
        except DAMAGED as problem:
            if isinstance(problem, InputError):
                raise
            source.refuse("damaged", form=kind)
        packing.append(kind)
    if len(raw) > limit:
        source.refuse("large_file", most=limit, found="more")
    return Content(raw, name, source, tuple(packing))


def _member_of(path: str) -> tuple[str, str]:
    """A path into a zip file as the file's path and the member's name."""
    match = re.fullmatch(r"(.+\.zip)/(.+)", path, re.IGNORECASE | re.DOTALL)
    if match and "\0" not in path and os.path.isfile(match[1]):
        return match[1], match[2]
    return path, ""


def _read(path: str, source: Source, limit: int) -> bytes:
    problem: dict[str, Any] = {}
    try:
        if os.path.isdir(path):
            problem = {"why": "a_folder"}
        elif not os.path.exists(path):
            problem = {"why": "no_file"}
        elif not os.path.isfile(path):  # reading a pipe or device might never end
            problem = {"why": "a_device_or_pipe"}
        else:
            with open_regular(path) as file:
                return file.read(limit + 1)
    except (OSError, ValueError) as error:
        problem = system_reason(error)
    source.refuse("no_readable_file", **problem)


def _packing(raw: bytes) -> str:
    starts = {
        b"\x1f\x8b": "gzip",
        b"PK\x03\x04": "zip",
        b"\x28\xb5\x2f\xfd": "zstd",
        b"\xfd7zXZ\0": "xz",
        b"BZh": "bz2",
    }
    return next((kind for start, kind in starts.items() if raw.startswith(start)), "")


def _gzip(raw: bytes, limit: int) -> bytes:
    out, left = bytearray(), raw
    while left and len(out) <= limit:
        one = zlib.decompressobj(31)
        out += one.decompress(left, limit + 1 - len(out))
        if not one.eof:
            if len(out) <= limit:
                raise EOFError
            break
        left = one.unused_data.lstrip(b"\0")
    return bytes(out)


def _zstd(raw: bytes, limit: int) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(raw), "zstd") as stream:
        out = bytearray()
        while len(out) <= limit and (part := stream.read(min(STEP, limit + 1 - len(out)))):
            out += part
    return bytes(out)


def _bz2(raw: bytes, limit: int) -> bytes:
    return bz2.BZ2File(io.BytesIO(raw)).read(limit + 1)


def _xz(raw: bytes, limit: int) -> bytes:
    one = lzma.LZMADecompressor(memlimit=MOST_MEMORY)
    out = one.decompress(raw, limit + 1)
    if not one.eof and len(out) <= limit:
        raise EOFError
    return out


_OPENERS: dict[str, Callable[[bytes, int], bytes]] = {"gzip": _gzip, "zstd": _zstd, "bz2": _bz2, "xz": _xz}


def _of_zip(raw: bytes, source: Source, limit: int, member: str, wanted: str) -> tuple[bytes, str] | None:
    """The one table of a zip file and its name; None for a zip that is an Excel file."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        infos = archive.infolist()
        if len(infos) > MOST_MEMBERS:
            source.refuse("zip_of_many", most=MOST_MEMBERS, got=len(infos))
        names = [info.filename for info in infos if not info.is_dir()]
        if SHEET_MEMBER in names:
            if sum(info.file_size for info in infos) > limit:
                source.refuse("large_file", most=limit, found="more")
            return None
        chosen = _chosen([name for name in names if "__MACOSX" not in name], source, member, wanted)
        info = archive.getinfo(chosen)
        if info.flag_bits & 1:
            source.refuse("zip_password")
        if info.file_size > limit:
            source.refuse("large_file", most=limit, found="bytes", got=info.file_size)
        with archive.open(info) as file:
            return file.read(limit + 1), os.path.basename(chosen)


def _chosen(names: list[str], source: Source, member: str, wanted: str) -> str:
    if member:
        if member not in names:
            source.refuse("zip_member", got=member)
        return member
    for tables in (
        names,
        [name for name in names if _stem_and_ending(name)[1] in DATA_ENDINGS and "readme" not in name.casefold()],
        [name for name in names if wanted and re.search(wanted, os.path.basename(name).casefold())],
    ):
        if len(tables) == 1:
            return tables[0]
    source.refuse("zip_of_several" if names else "zip_empty", got=len(names), known=tuple(names[:4]))


def _stem_and_ending(name: str) -> tuple[str, str]:
    """Name and last ending, without those of packed files."""
    base = re.sub(r"\.(gz|zst|xz|bz2)$", "", os.path.basename(name).casefold())
    stem, _, ending = base.rpartition(".")
    return stem, ending
