"""`fetch`: terms, files, checksums, what is made of them; whole at the end, or what was there before."""

from __future__ import annotations

import json
import tarfile
import zipfile
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from xattn.errors import refuse, system_reason
from xattn.files import write_file, write_files
from xattn.progress import Progress, part_of
from xattn.scenarios.fetch.download import download
from xattn.scenarios.fetch.home import NOTE, data_home
from xattn.scenarios.fetch.originals import ORIGINALS
from xattn.scenarios.fetch.sources import PublicSet, public_set

__all__ = ["Fetched", "accept", "accepted", "fetch", "fetched"]

TERMS = "terms.json"
COMING = "coming"  # folder of a set's originals while they come


@dataclass(frozen=True)
class Original:
    """A file that came: `verified` where its checksum was known before, `same` where an earlier fetch learned it (None:
    there was none)."""

    name: str
    url: str
    size: int
    sha256: str
    verified: bool
    same: bool | None

    @property
    def state(self) -> str:
        """What is known of the checksum: verified, learned, same, changed."""
        if self.verified:
            return "verified"
        return "learned" if self.same is None else "same" if self.same else "changed"


@dataclass(frozen=True)
class Fetched:
    """A set that lies in `folder`. `downloaded` is False where it was there already."""

    name: str
    folder: Path
    originals: tuple[Original, ...]
    when: str
    downloaded: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {**asdict(self), "folder": str(self.folder), "originals": [asdict(one) for one in self.originals]}


def accepted(one: PublicSet) -> bool:
    """The terms of this set were accepted before, in these words."""
    return _terms().get(one.name) == one.licence


def accept(one: PublicSet) -> None:
    """Keep that the terms of this set were accepted."""
    _make(data_home())
    write_file(data_home() / TERMS, json.dumps({**_terms(), one.name: one.licence}, indent=1, ensure_ascii=False))


def fetched(name: str) -> Fetched | None:
    """The set as it was fetched before; None where it was not."""
    note = data_home() / name / NOTE
    try:
        found = json.loads(note.read_text("utf-8"))
        originals = tuple(Original(**one) for one in found["originals"])
        return Fetched(name, note.parent, originals, str(found["when"]), downloaded=False)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fetch(
    name: str | PublicSet, *, again: bool = False, wait: float = 1.0, progress: Progress | None = None
) -> Fetched:
    """Bring a public set, unless it is there already (`again`: even then). Its terms must have been accepted.

    Raises InputError for an unknown set, for terms that were not accepted, where a file cannot be had or kept, and
    where it is not what it should be. What has come of the files is kept, and the next call goes on with it.
    """
    one = public_set(name) if isinstance(name, str) else name
    before = fetched(one.name)
    if before is not None and not again:
        return before
    if not accepted(one):
        refuse("terms", set=one.name, licence=one.licence)
    coming = data_home() / COMING / one.name
    _make(coming)
    learned = {} if before is None else {original.name: original.sha256 for original in before.originals}
    originals = []
    for at, file in enumerate(one.files):
        tell = part_of(progress, at / len(one.files), (at + 1) / len(one.files), file.name)
        came = download(file.url, coming / file.name, wait=wait, progress=tell)
        if file.sha256 is not None and came.sha256 != file.sha256:
            (coming / file.name).unlink()
            refuse("fetched_other", file=file.name, wanted=file.sha256[:12], got=came.sha256[:12])
        same = came.sha256 == learned[file.name] if file.name in learned else None
        originals.append(Original(file.name, file.url, came.size, came.sha256, file.sha256 is not None, same))
    try:
        kept = ORIGINALS[one.prepare](coming)
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        ParseError,
    ) as problem:
        _clear(coming, one)  # a page of the server's own in place of a file, or another edition: not to be gone on with
        refuse("fetched_odd", set=one.name, got=str(problem)[:120] or type(problem).__name__)
    folder = data_home() / one.name
    _make(folder)
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = Fetched(one.name, folder, tuple(originals), when)
    note = {**found.to_dict(), "licence": one.licence, "source": one.source}
    del note["folder"], note["downloaded"]
    write_files({folder / file: content for file, content in kept.items()})
    write_file(folder / NOTE, json.dumps(note, indent=1, ensure_ascii=False))
    _clear(coming, one)
    return found


def _terms() -> dict[str, str]:
    try:
        found = json.loads((data_home() / TERMS).read_text("utf-8"))
        return dict(found)
    except (OSError, ValueError, TypeError):
        return {}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        refuse("output", name="XATTN_DATA", got=str(folder), **system_reason(problem))


def _clear(coming: Path, one: PublicSet) -> None:
    for file in one.files:
        (coming / file.name).unlink(missing_ok=True)
    coming.rmdir()
