"""Bundled data sets: real data that comes with the package, each in a folder that describes itself (`dataset.toml`).

The folders lie in `xattn/data/bundled` of an installed package, or in `data` at the top of a checkout. Files are
checked against their sha256 before a byte of them is used.
"""

from __future__ import annotations

import csv
import hashlib
import io
import threading
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xattn.data.interactions import Interactions
from xattn.data.items import ItemTable
from xattn.data.reading.read import read_interactions, read_items
from xattn.data.source import Source
from xattn.errors import refuse

__all__ = ["DatasetInfo", "datasets", "load_dataset"]

FOLDERS = (Path(__file__).parent / "bundled", Path(__file__).parents[2] / "data")  # installed; checkout

_loaded: dict[str, Interactions] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class DatasetInfo:
    """What a bundled data set is: sizes, licence with its terms in short, where it comes from, how it is cited."""

    name: str
    title: str
    users: int
    items: int
    events: int
    licence: str
    source: str
    citation: str
    folder: Path = field(repr=False)
    files: dict[str, dict[str, Any]] = field(repr=False, compare=False)
    names: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False, compare=False)  # language → file


def datasets() -> list[DatasetInfo]:
    """The data sets at hand, by name. Raises DataError when one's `dataset.toml` is damaged.

    >>> [info.name for info in datasets()]
    ['movielens-small']
    """
    found: dict[str, DatasetInfo] = {}
    for folder in FOLDERS:
        for path in sorted(folder.glob("*/dataset.toml")):
            info = _info(path)
            found.setdefault(info.name, info)
    return [found[name] for name in sorted(found)]


def load_dataset(name: str) -> Interactions:
    """A bundled data set, read once per process and shared from then on (it cannot be changed).

    Raises InputError for an unknown name, DataError when a file is missing or not the one that was published.

    >>> load_dataset("movielens-small")
    Interactions('movielens-small': 671 users, 9,066 items, 100,004 events, with rating, time)
    """
    with _lock:  # two sessions that ask at once shall not read twice
        if not isinstance(name, str) or name not in _loaded:
            infos = {info.name: info for info in datasets()}
            if not isinstance(name, str) or name not in infos:
                refuse("unknown_dataset" if infos else "no_datasets", known=tuple(infos), got=name)
            info = infos[name]
            items = _named(read_items(_verified(info, info.files["items"])), info)
            _loaded[name] = read_interactions(_verified(info, info.files["ratings"]), items, name)
        return _loaded[name]


def _info(path: Path) -> DatasetInfo:
    try:
        entry = tomllib.loads(path.read_text(encoding="utf-8"))
        return DatasetInfo(
            name=str(entry["name"]),
            title=str(entry["title"]),
            users=int(entry["counts"]["users"]),
            items=int(entry["counts"]["items"]),
            events=int(entry["counts"]["events"]),
            licence=str(entry["licence"]),
            source=str(entry["source"]),
            citation=str(entry["citation"]),
            folder=path.parent,
            files={part: dict(entry["files"][part]) for part in ("ratings", "items")},
            names={lang: dict(file) for lang, file in entry.get("names", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:  # TOMLDecodeError is a ValueError
        Source(f"{path.parent.name}/{path.name}").refuse("no_description", got=repr(error))


def _named(items: ItemTable, info: DatasetInfo) -> ItemTable:
    """The items with their titles in other languages, which stand in files of their own: id, title."""
    names = {}
    for lang, file in info.names.items():
        text = _verified(info, file).read().decode("utf-8")
        found = dict(row for row in list(csv.reader(io.StringIO(text)))[1:])
        names[lang] = tuple(found.get(item, "") for item in items.ids)
    return replace(items, names=names) if names else items


def _verified(info: DatasetInfo, file: dict[str, Any]) -> io.BytesIO:
    """The bytes of a file of the set, checked; as an open file that carries its name."""
    name = str(file.get("path", ""))
    label = f"{info.name}/{name}"
    try:
        raw = (info.folder / name).read_bytes()
    except OSError as error:
        Source(label).refuse("missing_data", got=type(error).__name__)
    wanted, got = file.get("sha256"), hashlib.sha256(raw).hexdigest()
    if got != wanted:
        Source(label).refuse("changed_data", wanted=str(wanted)[:12], got=got[:12])
    opened = io.BytesIO(raw)
    opened.name = label
    return opened
