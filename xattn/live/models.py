"""The models that have served: their files in one folder, the newest few kept, and which one serves now.

A list names the model that made it by its fingerprint. As long as the file is there, the list is explained by the
model; after that by the ledger that was kept with the list. At most `most` files are kept (0: none is
written).
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from xattn.errors import ModelFileError, refuse, system_reason
from xattn.errors.tree import StoreError
from xattn.live.engine import file_of
from xattn.live.store import Store
from xattn.live.tables import models as table
from xattn.recommenders import Recommender, load_model

__all__ = ["Models", "folder_of"]

LOADED = 2  # models beside the current one that stay in memory
NEW = "solving.npz"


def folder_of(store: Store, given: str | Path | None = None) -> Path:
    """The folder of the models of a store: as given, else beside the file of SQLite, else one that goes with the
    process. Raises StoreError where it cannot be made."""
    file = file_of(store.url)
    folder = Path(given) if given is not None else _beside(file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        refuse("output", kind=StoreError, name="models", got=str(folder), **system_reason(problem))
    return folder


def _beside(file: Path | None) -> Path:
    """The folder beside a file of SQLite."""
    return Path(tempfile.mkdtemp(prefix="xattn-models-")) if file is None else file.parent / f"{file.stem}-models"


class Models:
    """The files of the models of one store; see the module's text."""

    def __init__(self, store: Store, folder: Path, most: int) -> None:
        self.store = store
        self.folder = folder
        self.most = most
        self._loaded: OrderedDict[str, Recommender] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def new(self) -> Path:
        """Where a model goes while it is solved."""
        return self.folder / NEW

    def file(self, fingerprint: str) -> Path:
        """The file of a model."""
        return self.folder / f"{fingerprint}.npz"

    def kept(self) -> list[str]:
        """The fingerprints of the models whose files are there, newest first."""
        there = {path.stem for path in self.folder.glob("*.npz") if re.fullmatch("[0-9a-f]{64}", path.stem)}
        order = dict.fromkeys(row.fingerprint for row in reversed(self.store.models()))
        return [fingerprint for fingerprint in order if fingerprint in there]

    def add(self, model: Recommender, base: str, knows: int) -> str:
        """Take in a model whose file stands at `new`; its fingerprint. `base` is the checksum of the data set."""
        fingerprint = model.fingerprint()
        if self.most:
            if not self.new.exists():
                model.save(self.new)
            self.new.replace(self.file(fingerprint))
        self.new.unlink(missing_ok=True)
        self.store.add(table, {"fingerprint": fingerprint, "made": self.store.now(), "base": base, "knows": knows})
        for old in self.kept()[self.most :]:
            self.drop(old)
        return fingerprint

    def drop(self, fingerprint: str) -> None:
        """Delete a model for good."""
        with self._lock:
            self._loaded.pop(fingerprint, None)
        self.file(fingerprint).unlink(missing_ok=True)

    def find(self, fingerprint: str) -> Recommender | None:
        """A model by its fingerprint; None where its file is gone."""
        with self._lock:
            if fingerprint in self._loaded:
                self._loaded.move_to_end(fingerprint)
                return self._loaded[fingerprint]
        if not self.file(fingerprint).exists():
            return None
        try:
            model = load_model(self.file(fingerprint))
        except ModelFileError:
            return None
        with self._lock:
            self._loaded[fingerprint] = model
            while len(self._loaded) > LOADED:
                self._loaded.popitem(last=False)
        return model

    def fitting(self, base: str) -> Iterator[tuple[str, int]]:
        """Models that stand on the data set with this checksum and are there, newest first, and what each knows."""
        there = set(self.kept())
        for row in reversed(self.store.models()):
            if row.fingerprint in there and row.base == base:
                yield row.fingerprint, int(row.knows)
