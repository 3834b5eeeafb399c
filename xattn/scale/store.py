"""Partitions on disk: a folder with a manifest, the items, and a folder of columns for each part of the users.

    manifest.json        sizes, checksums, scale, types; what is not named here is not there
    items-1f3a….npz      the item table
    part-00003-9c41…/    the columns of the third part (`xattn.scale.columns`), named by their checksum

A user's part follows from a hash of the id, so later events of the user come to the same part. Folders never change:
new days are new folders beside the old, and the manifest, written last and in one step, names the new ones.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from xattn.data import Interactions, ItemTable
from xattn.data.checksum import checksum_of
from xattn.data.scale import Scale
from xattn.errors import DataError, refuse, shown
from xattn.files import write_file
from xattn.recommenders.persist import items_of_state, items_state
from xattn.scale.columns import Columns, read_columns

__all__ = ["FORMAT", "MANIFEST", "Part", "Partitions", "opened", "part_of_user", "sampled"]

FORMAT = 1
MANIFEST = "manifest.json"


def part_of_user(user: str, parts: int) -> int:
    """The partition that a user belongs to, today and when new days are added."""
    return zlib.crc32(user.encode()) % parts


def sampled(users: tuple[str, ...], share: float) -> np.ndarray:
    """Which users (U,) are in a sample of this share of all: by a hash of the id, so the same ones everywhere."""
    drawn = np.fromiter((zlib.crc32(b"sample " + user.encode()) for user in users), np.int64, len(users))
    return np.asarray(drawn < share * 2**32)


@dataclass(frozen=True)
class Part:
    """One partition as the manifest names it."""

    folder: str
    users: int
    events: int
    sha256: str


@dataclass(frozen=True, eq=False)
class Partitions:
    """The partitions in `folder`; made by `partition`, or by `Partitions.open`.

    `next_place` is the place that the next new user will come to; `kinds` are the types of events, None without any.
    """

    folder: Path
    name: str
    parts: tuple[Part, ...]
    items_file: str
    items_sha256: str
    n_items: int
    next_place: int
    scale: Scale | None
    kinds: tuple[str, ...] | None
    summary: str = ""

    # --- the folder --------------------------------------------------------------------------------------------------

    @classmethod
    def open(cls, folder: str | Path) -> Partitions:
        """The partitions that stand in `folder`. Raises DataError where there are none, or those of a newer xattn."""
        where = Path(folder)
        try:
            said = json.loads((where / MANIFEST).read_text("utf-8"))
            if said["format"] > FORMAT:
                refuse("newer_partitions", kind=DataError, wanted=FORMAT, got=said["format"])
            return cls(
                where,
                str(said["name"]),
                tuple(Part(**part) for part in said["parts"]),
                str(said["items_file"]),
                str(said["items_sha256"]),
                int(said["n_items"]),
                int(said["next_place"]),
                None if said["scale"] is None else Scale(**said["scale"]),
                None if said["kinds"] is None else tuple(said["kinds"]),
                str(said.get("summary", "")),
            )
        except (OSError, KeyError, TypeError, ValueError) as problem:
            if isinstance(problem, DataError):
                raise
            refuse("no_partitions", kind=DataError, got=str(folder))

    def save(self) -> None:
        """Write the manifest: from now on these partitions are the ones in the folder. Others in it are deleted."""
        said = {
            "format": FORMAT,
            "name": self.name,
            "users": self.n_users,
            "events": self.n_events,
            "n_items": self.n_items,
            "items_file": self.items_file,
            "items_sha256": self.items_sha256,
            "next_place": self.next_place,
            "scale": None if self.scale is None else self.scale.to_dict(),
            "kinds": None if self.kinds is None else list(self.kinds),
            "summary": self.summary,
            "parts": [asdict(part) for part in self.parts],
        }
        write_file(self.folder / MANIFEST, json.dumps(said, ensure_ascii=False, indent=1) + "\n")
        named = {part.folder for part in self.parts} | {self.items_file}
        for entry in sorted(os.listdir(self.folder)):
            if entry.startswith(("part-", "items-")) and entry not in named:
                _delete(self.folder / entry)

    @staticmethod
    def write_items(folder: Path, items: ItemTable) -> dict[str, Any]:
        """Write the item table; returns what the manifest says of it."""
        sha256 = items.checksum
        name = f"items-{sha256[:12]}.npz"
        arrays = items_state(items)
        write_file(folder / name, lambda file: np.savez(file, allow_pickle=False, **arrays))
        return {"items_file": name, "items_sha256": sha256, "n_items": len(items)}

    # --- what is in it -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.parts)

    def __repr__(self) -> str:
        sizes = f"{len(self)} parts, {self.n_users:,} users, {self.n_items:,} items, {self.n_events:,} events"
        return f"Partitions({shown(self.name)}: {sizes})"

    @property
    def n_users(self) -> int:
        return sum(part.users for part in self.parts)

    @property
    def n_events(self) -> int:
        return sum(part.events for part in self.parts)

    @property
    def checksum(self) -> str:
        """SHA-256 over all that is in the partitions, as 64 hexadecimal digits."""
        scale = None if self.scale is None else json.dumps(self.scale.to_dict(), sort_keys=True)
        return checksum_of([part.sha256 for part in self.parts], self.items_sha256, self.kinds, scale)

    @cached_property
    def items(self) -> ItemTable:
        """The item table. Raises DataError where its file is damaged."""
        try:
            with np.load(self.folder / self.items_file, allow_pickle=False) as arrays:
                found = items_of_state({name.removeprefix("data."): arrays[name] for name in arrays.files})
        except (OSError, KeyError, ValueError, zlib.error, zipfile.BadZipFile):
            refuse("broken_partition", kind=DataError, got=self.items_file)
        if found.checksum != self.items_sha256:
            refuse("broken_partition", kind=DataError, got=self.items_file)
        return found

    def columns(self, place: int) -> Columns:
        """The columns of one partition, compared with its checksum. Raises DataError where they are damaged."""
        part = self.parts[place]
        try:
            found = read_columns(self.folder / part.folder)
            whole = found.checksum == part.sha256
        except (OSError, ValueError):
            whole = False
        if not whole:
            refuse("broken_partition", kind=DataError, got=part.folder)
        return found

    def part(self, place: int) -> Interactions:
        """The histories of one partition as a data set over all items."""
        return self.interactions(self.columns(place))

    def interactions(self, columns: Columns) -> Interactions:
        """Columns of one partition as a data set over all items; without anybody, as one user "-" without events."""
        if not columns.n_users:
            none, rating = np.empty(0, np.int64), None if self.scale is None else np.empty(0)
            return Interactions(self.name, ("-",), self.items, np.zeros(2, np.int64), none, rating, scale=self.scale)
        kinds = None
        if columns.kind is not None and self.kinds is not None:
            kinds = np.array(self.kinds, object)[columns.kind]
        vectors = columns.item.astype(np.int64), columns.rating, columns.time, kinds
        ids = columns.user_ids()
        scale = self.scale if columns.rating is not None else None
        return Interactions(self.name, ids, self.items, np.array(columns.indptr), *vectors, scale)

    def gathered(self, chosen: Iterable[Columns]) -> Interactions:
        """Users of several partitions as one data set, in the order in which they came."""
        every = [columns for columns in chosen if columns.n_users]
        first = np.concatenate([columns.first for columns in every])
        order = np.argsort(first, kind="stable")
        length = np.concatenate([np.diff(columns.indptr) for columns in every])
        start = np.concatenate([[0], np.cumsum(length)])[:-1][order]
        indptr = np.concatenate([[0], np.cumsum(length[order])])
        event = np.arange(indptr[-1]) + np.repeat(start - indptr[:-1], length[order])
        ids = [value for columns in every for value in columns.user_ids()]
        item = np.concatenate([columns.item for columns in every])[event].astype(np.int64)
        vectors: dict[str, np.ndarray | None] = {}
        for name in ("rating", "time", "kind"):
            given = [getattr(columns, name) for columns in every]
            vectors[name] = None if given[0] is None else np.concatenate(given)[event]
        if vectors["kind"] is not None:
            vectors["kind"] = np.array(self.kinds, object)[vectors["kind"]]
        scale = self.scale if vectors["rating"] is not None else None
        users = tuple(ids[place] for place in order.tolist())
        return Interactions(self.name, users, self.items, indptr, item, **vectors, scale=scale)


@cache
def opened(folder: str, manifest: str) -> Partitions:
    """The partitions in a folder, once a process; `manifest` is their checksum."""
    return Partitions.open(folder)


def _delete(path: Path) -> None:
    """A file, or a folder of files, that the manifest no longer names."""
    if path.is_dir():
        for name in os.listdir(path):
            os.unlink(path / name)
        os.rmdir(path)
    else:
        os.unlink(path)
