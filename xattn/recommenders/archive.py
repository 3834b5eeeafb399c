"""An archive of named arrays: an .npz (no pickle), whose manifest says what must be in it.

    checksum.npy      SHA-256 of manifest.npy's bytes, as text            (format 3 on; not in older files)
    manifest.npy      JSON: what the caller says, and of each array the SHA-256 of its type, shape and bytes
    NAME.npy  …       the arrays, stored as they are

Nothing in a file is believed before it is checked, and nothing in it can ask for more memory than the file is long.
Members are stored, never packed, and together are no longer than the file; the header of an array promises what its
member holds. Whatever else is wrong ends in one ModelFileError.
"""

from __future__ import annotations

import hashlib
import lzma
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from xattn.errors import ModelFileError, Quoted, refuse, system_reason
from xattn.files import open_regular, write_file
from xattn.model.state import text_array, text_of

__all__ = ["FORMAT", "digest", "opened", "write_archive"]

FORMAT = 3  # 2: checksums of bytes alone; 1: names of features as lines, their matrices dense
MOST_ARRAYS = 1000
MOST_MANIFEST = 2**24  # bytes; that of a thousand arrays has some hundred thousand
STEP = 2**22  # bytes that are read at once
MANIFEST, CHECKSUM = "manifest", "checksum"
NAME = re.compile(r"[A-Za-z0-9_.]+")
KINDS = "biufUS"  # of arrays: truth, whole numbers, numbers, texts
LARGEST_NUMBER = 8  # bytes
BROKEN = (  # what reading a broken file may raise, in NumPy, zipfile, json and where the parts are put together
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def digest(array: np.ndarray) -> str:
    """SHA-256 of an array's type, shape and bytes, whatever the order of bytes in a number."""
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    found = hashlib.sha256(f"{plain.dtype.str} {array.shape} ".encode())
    if array.size:
        found.update(plain.reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def _digest_of_bytes(array: np.ndarray) -> str:
    """What formats 1 and 2 keep of an array."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


# --- writing ----------------------------------------------------------------------------------------------------------


def write_archive(path: str | Path, manifest: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` and what `manifest` says; on any failure the file that stood there stays as it was.

    Raises InputError for an array that `opened` would not take, and where the file cannot be written; TypeError or
    ValueError where the manifest has no form in JSON.
    """
    for name, array in arrays.items():
        _check_name(name)
        if not _is_plain(array.dtype):
            refuse("unsaved_array", name=name, got=Quoted(array.dtype))
    if len(arrays) > MOST_ARRAYS:
        refuse("unsaved_arrays", most=MOST_ARRAYS, got=len(arrays))
    whole = {**manifest, "format": FORMAT, "arrays": {name: digest(array) for name, array in arrays.items()}}
    text = text_array(whole)
    first = {CHECKSUM: text_array(digest(text)), MANIFEST: text}
    write_file(path, lambda file: np.savez(file, allow_pickle=False, **first, **arrays))


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or name in (MANIFEST, CHECKSUM):
        refuse("unsaved_name", got=name)


def _is_plain(dtype: np.dtype) -> bool:
    plain = dtype.kind in KINDS and dtype.itemsize > 0
    return plain and (dtype.kind in "US" or dtype.itemsize <= LARGEST_NUMBER)


# --- reading ----------------------------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """The manifest and the arrays of a file, for what is made of them inside the ``with``.

    Raises ModelFileError where the file is missing, is no such archive, was cut or changed, or is newer; and where what
    is made of it breaks.
    """
    arrays = _arrays(path)
    try:
        manifest = _manifest(arrays, path.name)
        yield manifest, {name: a.astype(a.dtype.newbyteorder("="), copy=False) for name, a in arrays.items()}
    except BROKEN as problem:
        if isinstance(problem, ModelFileError):
            raise
        said = str(problem) or type(problem).__name__
        refuse("broken_model", kind=ModelFileError, file=path.name, got=said)


def _manifest(arrays: dict[str, np.ndarray], name: str) -> dict[str, Any]:
    """What the file says of itself, once it is certain that the file holds what it says. Takes it out of `arrays`."""
    text = arrays.pop(MANIFEST)
    manifest = text_of(text)
    form = manifest["format"]
    if isinstance(form, bool) or not isinstance(form, int) or form < 1:
        refuse("broken_model", kind=ModelFileError, file=name, got=f"format {str(form)[:20]}")
    if form > FORMAT:
        refuse("newer_format", kind=ModelFileError, wanted=FORMAT, got=form)
    sealed = arrays.pop(CHECKSUM, None)
    if form >= 3 and (sealed is None or text_of(sealed) != digest(text)):
        refuse("other_manifest", kind=ModelFileError, file=name)
    digest_of, digests = digest if form >= 3 else _digest_of_bytes, manifest["arrays"]
    if digests.keys() != arrays.keys() or any(digest_of(a) != digests[of] for of, a in arrays.items()):
        refuse("other_arrays", kind=ModelFileError, file=name)
    return dict(manifest)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array of the file; what the file says of their sizes is checked before any is read."""
    try:
        file = open_regular(path)
    except (OSError, ValueError) as problem:
        refuse("unreadable_model", kind=ModelFileError, got=path.name, **system_reason(problem))
    try:
        with file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_entries(entries, _length(file), path.name)
            return {entry.filename[:-4]: _array(archive, entry) for entry in entries}
    except BROKEN as problem:
        if isinstance(problem, ModelFileError):
            raise
        refuse("no_model", kind=ModelFileError, file=path.name)


def _length(file: IO[bytes]) -> int:
    at = file.tell()
    length = file.seek(0, 2)
    file.seek(at)
    return length


def _check_entries(entries: list[zipfile.ZipInfo], length: int, name: str) -> None:
    """The members are arrays, each there once, stored as they are, and together no longer than the file."""
    names = [entry.filename for entry in entries]
    odd = [one for one in names if not one.endswith(".npy") or not NAME.fullmatch(one)]
    if odd or len(set(names)) < len(names) or len(names) > MOST_ARRAYS + 2 or f"{MANIFEST}.npy" not in names:
        refuse("other_archive", kind=ModelFileError, file=name)
    packed = [e for e in entries if e.compress_type != zipfile.ZIP_STORED or e.flag_bits & 1]
    sizes = sum(entry.file_size for entry in entries)
    texts = sum(e.file_size for e in entries if e.filename in (f"{MANIFEST}.npy", f"{CHECKSUM}.npy"))
    if packed or sizes > length or texts > MOST_MANIFEST or any(e.file_size != e.compress_size for e in entries):
        refuse("packed_model", kind=ModelFileError, file=name)


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """One .npy whose header promises what its member holds."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read_header(file)
        left = entry.file_size - file.tell()
        promised = dtype.itemsize
        for size in shape:
            promised *= size
        if not _is_plain(dtype) or any(size < 0 for size in shape) or promised != left:
            refuse("array_cut", kind=ModelFileError, array=entry.filename)
        raw = np.empty(left, np.uint8)
        at = 0
        while at < left:
            piece = file.read(min(STEP, left - at))
            if not piece:
                raise EOFError
            raw[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
            at += len(piece)
    return raw.view(dtype).reshape(shape, order="F" if by_columns else "C")
