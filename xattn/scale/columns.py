"""One partition: the histories of some users as columns, each in a file that is memory-mapped when it is read.

    users.npy      the ids' bytes, one after the other        indptr.npy   (U + 1,) where each history begins
    user_ptr.npy   (U + 1,) where each id begins              item.npy     (N,) rows of the items, int32
    first.npy      (U,) which place the user came to          rating.npy   (N,)   time.npy (N,)   kind.npy (N,)

The last three are there where the data has them. `kind` counts in the list of types of the manifest.
"""

from __future__ import annotations

import os
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from xattn.data.checksum import checksum_of
from xattn.files import Content, write_files

__all__ = ["Columns", "read_columns", "write_columns"]

OPTIONAL = ("rating", "time", "kind")


class Columns(NamedTuple):
    """U users with N events, oldest first; `first` (U,) are the places by which users of all partitions are ordered."""

    users: np.ndarray  # (bytes,) uint8
    user_ptr: np.ndarray  # (U + 1,) int64
    first: np.ndarray  # (U,) int64
    indptr: np.ndarray  # (U + 1,) int64
    item: np.ndarray  # (N,) int32
    rating: np.ndarray | None  # (N,) float64
    time: np.ndarray | None  # (N,) float64
    kind: np.ndarray | None  # (N,) int32

    @property
    def checksum(self) -> str:
        """SHA-256 over all columns."""
        return checksum_of(*self)

    @property
    def n_users(self) -> int:
        return len(self.first)

    @property
    def n_events(self) -> int:
        return len(self.item)

    def user_ids(self) -> tuple[str, ...]:
        """The ids of the users, in order of their rows."""
        text, ptr = self.users.tobytes(), self.user_ptr.tolist()
        return tuple(text[low:high].decode() for low, high in pairwise(ptr))


def packed_ids(ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Ids as bytes, and where each begins (n + 1,)."""
    raw = [value.encode() for value in ids]
    ptr = np.concatenate([[0], np.cumsum([len(value) for value in raw], dtype=np.int64)]).astype(np.int64)
    return np.frombuffer(b"".join(raw), np.uint8), ptr


def write_columns(folder: Path, columns: Columns) -> None:
    """Write the files into `folder`, all or none. Raises InputError where that is not possible."""
    os.makedirs(folder, exist_ok=True)
    contents: dict[str | Path, Content] = {
        folder / f"{name}.npy": partial(_save, array) for name, array in columns._asdict().items() if array is not None
    }
    write_files(contents)


def _save(array: np.ndarray, file: IO[bytes]) -> None:
    np.save(file, array, allow_pickle=False)


def read_columns(folder: Path) -> Columns:
    """The columns, memory-mapped. Raises OSError or ValueError where a file is missing or is none of ours."""
    found = {
        name: None if name in OPTIONAL and not (folder / f"{name}.npy").exists() else _mapped(folder / f"{name}.npy")
        for name in Columns._fields
    }
    return Columns(**found)  # type: ignore[arg-type]


def _mapped(path: Path) -> np.ndarray:
    try:
        found: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # a file without a byte of content cannot be mapped
        found = np.load(path, allow_pickle=False)
    return found
