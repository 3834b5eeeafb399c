"""Where public sets lie: XATTN_TEST_DATA, the folder into which they are fetched, samples of the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["DATA", "FOLDER", "NOTE", "SAMPLES", "data_home", "folder_of", "is_sample"]

FOLDER = "XATTN_TEST_DATA"  # the variable that names a folder of public sets as they are kept for tests
DATA = "XATTN_DATA"  # the variable that names the folder into which sets are fetched
SAMPLES = Path(__file__).parents[1] / "samples"  # of sets whose terms allow it, made by benchmarks/scenario_samples.py
NOTE = "fetched.json"  # in the folder of a set that was fetched whole


def data_home() -> Path:
    """The folder into which sets are fetched: $XATTN_DATA, else xattn/ where programs of this system keep data."""
    if own := os.environ.get(DATA):
        return Path(own).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "xattn"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "xattn"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "xattn"


def folder_of(name: str) -> Path | None:
    """The folder of a public set, where it is at hand: the whole set if it is there, else a sample of it."""
    if Path(name).name != name:
        return None
    if (root := os.environ.get(FOLDER)) and (folder := Path(root) / name).is_dir():
        return folder
    try:
        if ((folder := data_home() / name) / NOTE).is_file():
            return folder
    except (OSError, RuntimeError):  # no home, or none that may be looked into
        pass
    sample = SAMPLES / name
    return sample if name and sample.is_dir() else None


def is_sample(folder: Path) -> bool:
    """This folder is one of those that come with the package."""
    return folder.parent == SAMPLES
