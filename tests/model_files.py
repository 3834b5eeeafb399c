"""Model files taken apart and put together again, with checksums that are right: what a careful forger could write."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xattn.recommenders.archive import FORMAT, digest

Arrays = dict[str, np.ndarray]


def npy(array: np.ndarray, **options: bool) -> bytes:
    """The bytes of an .npy."""
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def text(value: Any) -> np.ndarray:
    """JSON as an array of bytes."""
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def entries_of(path: Path) -> dict[str, bytes]:
    """The members of an archive, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, change: Mapping[str, bytes | None]) -> Path:
    """The archive with some members replaced, dropped (None) or added; checksums stay as they were."""
    out = path.with_name("changed.npz")
    with zipfile.ZipFile(out, "w") as new:
        for name, content in (entries_of(path) | change).items():
            if content is not None:
                new.writestr(name, content)
    return out


def taken_apart(path: Path) -> tuple[dict[str, Any], Arrays]:
    """The manifest, and the arrays that it speaks of."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name not in ("manifest", "checksum")}
        return json.loads(archive["manifest"].tobytes()), arrays


def sealed(path: Path, manifest: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Path:
    """A file of `arrays` and of what `manifest` says, whose checksums are right whatever they hold."""
    digests = {name: digest(array) for name, array in arrays.items()}
    whole = text({"format": FORMAT, "arrays": digests} | {key: manifest[key] for key in manifest if key != "arrays"})
    with open(path, "wb") as file:
        np.savez(file, allow_pickle=False, checksum=text(digest(whole)), manifest=whole, **arrays)
    return path


def forged(path: Path, changes: Mapping[str, np.ndarray | None] = {}, **manifest: Any) -> Path:
    """The file with some arrays and some of the manifest changed, as one that was saved so."""
    said, arrays = taken_apart(path)
    kept = {name: array for name, array in (arrays | dict(changes)).items() if array is not None}
    return sealed(path.with_name("changed.npz"), said | manifest, kept)
