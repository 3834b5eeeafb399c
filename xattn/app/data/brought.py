"""What a visitor has brought: tables as bytes, or the address of a database; and which of them holds what.

The bytes are those of the upload, never a copy on disk. The name that a client gave is shown and used for nothing else.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from xattn.data.reading.roles import event_roles, item_roles
from xattn.data.reading.tables import WANTED, table_of
from xattn.errors import XattnError, refuse

__all__ = [
    "KINDS",
    "MOST_EVENTS",
    "MOST_TEXT",
    "Brought",
    "Given",
    "by_database",
    "by_files",
    "by_text",
    "databases_allowed",
    "most_bytes",
    "most_unpacked",
]

UPLOAD = "XATTN_UPLOAD_MB"  # of the environment: megabytes that one visitor may bring
DATABASES = "XATTN_DATABASES"  # of the environment: on, where visitors may name the address of a database
MOST_EVENTS = 5_000_000
MOST_TEXT = 2_000_000  # characters that are pasted
HEAD = 2**18  # bytes of a text by which it is judged what it holds
KINDS = ("events", "items", "unused")
WHOLE = (b"PAR1", b"PK", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"[", b"{")  # no part can be read alone


def most_bytes() -> int:
    """How many bytes one visitor may bring."""
    text = os.environ.get(UPLOAD, "")
    return (int(text) if text.isdecimal() and int(text) > 0 else 200) * 10**6


def most_unpacked() -> int:
    """How many bytes a packed file may hold."""
    return 2 * most_bytes()


def databases_allowed() -> bool:
    """Whether visitors may name a database that this server then asks."""
    return os.environ.get(DATABASES, "off").strip().lower() in ("on", "1", "yes", "true")


class Given(NamedTuple):
    """One file: the name that the client gave, its content, and which of `KINDS` it is taken for."""

    name: str
    raw: bytes
    kind: str = "unused"

    def opened(self) -> io.BytesIO:
        """The content as an open file under its name."""
        return _file(self.raw, self.name)


class Brought(NamedTuple):
    """What is to be read. `how` is files, text or database; `number` tells one lot from the next."""

    how: str
    files: tuple[Given, ...] = ()
    url: str = ""
    query: str = ""
    number: int = 0

    def named(self, kind: str) -> tuple[Given, ...]:
        """The files of one kind."""
        return tuple(file for file in self.files if file.kind == kind)

    def source(self, kind: str) -> Any:
        """What `read_interactions` takes for the events or the items; None where there is nothing of the kind."""
        if self.how == "database":
            return self.url if kind == "events" else None
        files = self.named(kind)
        if not files:
            return None
        return files[0].opened() if len(files) == 1 else _joined(files)

    def taken_for(self, name: str, kind: str) -> Brought:
        """The same with one file taken for another kind."""
        return self._replace(files=tuple(f._replace(kind=kind) if f.name == name else f for f in self.files))


class _Named(io.BytesIO):
    name = ""


def _file(raw: bytes, name: str) -> io.BytesIO:
    file = _Named(raw)
    file.name = name
    return file


def _joined(files: Sequence[Given]) -> pa.Table:
    """Part files of one table, in the order of their names. Raises DataError where their columns differ."""
    tables = [table_of(file.opened(), max_bytes=most_unpacked()) for file in sorted(files)]
    if any(table.names != tables[0].names for table in tables):
        refuse("parts_differ", names=tuple(file.name for file in files))
    return pa.concat_tables(
        [pa.table(list(table.columns), names=list(table.names)) for table in tables], promote_options="permissive"
    )


def by_files(files: Sequence[tuple[str, bytes]]) -> Brought:
    """The files as they were dropped, each judged. Raises InputError where they are too large together."""
    size = sum(len(raw) for _, raw in files)
    if size > most_bytes():
        refuse("upload_large", most=most_bytes() // 10**6, got=-(-size // 10**6))
    names: dict[str, int] = {}
    given = []
    for name, raw in files:
        names[name] = names.get(name, 0) + 1
        given.append(Given(name if names[name] == 1 else f"{names[name]}-{name}", raw))
    return Brought("files", _judged(given))


def by_text(text: str) -> Brought:
    """Text that was pasted. Raises InputError where it is too long."""
    if len(text) > MOST_TEXT:
        refuse("text_long", subject="pasted_text", most=MOST_TEXT, got=len(text))
    return Brought("text", (Given("pasted.csv", text.encode("utf-8", "replace"), "events"),))


def by_database(url: str, query: str) -> Brought:
    """A table of a database. Raises InputError where this server asks none."""
    if not databases_allowed():
        refuse("databases_off", switch=DATABASES)
    return Brought("database", url=url.strip(), query=query.strip())


def _judged(files: Sequence[Given]) -> tuple[Given, ...]:
    """Each file with what it is taken for: the events, the items, or nothing."""
    if len(files) == 1 or all(os.path.basename(file.name).startswith("part-") for file in files):
        return tuple(file._replace(kind="events") for file in files)
    order = sorted(range(len(files)), key=lambda at: (-_by_name(files[at].name, "events"), -len(files[at].raw)))
    events = next((at for at in order if _can_be(files[at], "events")), order[0])
    rest = [at for at in order if at != events]
    rest.sort(key=lambda at: -_by_name(files[at].name, "items"))
    items = next((at for at in rest if _can_be(files[at], "items")), None)
    kinds = {events: "events", items: "items"}
    return tuple(file._replace(kind=kinds.get(at, "unused")) for at, file in enumerate(files))


def _by_name(name: str, kind: str) -> bool:
    return re.search(WANTED[kind], os.path.basename(name).casefold()) is not None


def _can_be(file: Given, kind: str) -> bool:
    """A reader finds the columns that it needs in the beginning of the file."""
    head = file.raw
    if not head.lstrip()[:8].startswith(WHOLE) and len(head) > HEAD:
        head = head[: head.rfind(b"\n", 0, HEAD) + 1] or head
    try:
        table = table_of(_file(head, file.name), of=kind, max_bytes=most_unpacked())
        (event_roles if kind == "events" else item_roles)(table)
    except XattnError:
        return False
    return True
