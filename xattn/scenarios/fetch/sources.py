"""Which public sets can be fetched: their addresses, terms, and what is kept of them (`sources.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from xattn.errors import check_some, refuse
from xattn.requests.plain import Given, parsed
from xattn.scenarios.manifest import Said

__all__ = ["PublicSet", "RemoteFile", "public_set", "public_sets"]


@dataclass(frozen=True)
class RemoteFile(Given):
    """A file under its address; `sha256` where the original was compared."""

    name: str
    url: str
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class PublicSet(Given):
    """A public set: where its files are published, under which terms, what makes of them what a converter reads
    (`originals.py`), and what of them is `kept`."""

    name: str
    prepare: str
    files: tuple[RemoteFile, ...]
    licence: str
    source: str
    page: str
    kept: Said

    def __post_init__(self) -> None:
        super().__post_init__()
        check_some("files", self.files, "file")


@dataclass(frozen=True)
class _Table(Given):
    sets: tuple[PublicSet, ...]


@cache
def public_sets() -> dict[str, PublicSet]:
    """All that can be fetched, by name.

    >>> sorted(public_sets())[:2]
    ['deezer-ro', 'fueleconomy-cars']
    """
    document = tomllib.loads((files(__package__) / "sources.toml").read_text("utf-8"))
    return {one.name: one for one in parsed(_Table, document, "sources.toml").sets}


def public_set(name: str) -> PublicSet:
    """The set of this name. Raises InputError for another."""
    known = public_sets()
    if name not in known:
        refuse("unknown_set", known=tuple(known), got=name)
    return known[name]
