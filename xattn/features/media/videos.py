"""Videos: what is on screen, second by second, as pictures are seen; and what is heard, as sounds are.

    video  ──▶  a picture a second (fitted into 128 × 128)  ──▶  4 × 4 patches of each  ──▶  shares that are dark red …
           ──▶  the sound  ──▶  stretches of ¼ s × 10 bands  ──▶  "high hum" …

Both are sums over their parts: `Frames` over patches at times, `Soundtrack` over stretches and bands. A column of
videos takes both, one beside the other: ``make_features(items, {"clip": ["frames", "soundtrack"]})``.
"""

from __future__ import annotations

import io
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xattn.errors import check_number, check_whole, refuse
from xattn.features.block import Fitted
from xattn.features.media.files import Unusable, content, decoded, folder_of, is_empty
from xattn.features.media.pictures import LOOKS, looks, patch_name
from xattn.features.media.sounds import LONGEST, fitted_sounds, measured
from xattn.features.media.table import fitted_table
from xattn.features.media.video_files import SIDE, Still, samples, stills

__all__ = ["Frames", "Soundtrack"]

STRIPS = 32  # films of small pictures that are kept for whoever draws them


class Frames:
    """What the videos show that a column names: paths under `folder`, or bytes. Parts: `grid` × `grid` patches of the
    picture in the middle of `every` so many seconds.

    MP4, MOV, MKV, WebM, AVI and Ogg are read, up to 20 MB and 9 million pixels a picture; of each the first 30 seconds.
    Others are left out and named. Needs PyAV and Pillow (``pip install 'xattn[video]'``). Raises InputError where they
    are not there.
    """

    def __init__(self, folder: str | Path | None = None, grid: int = 4, every: float = 1.0) -> None:
        self.folder = folder
        self.grid = grid
        self.every = every

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """The shares of colours, edges and textures; None where no cell is a video with pictures."""
        _check_installed("av", "PIL")
        grid = check_whole("grid", self.grid, low=1, high=SIDE // 4)
        every = check_number("every", self.every, low=0.1, high=LONGEST)
        where = folder_of(self.folder)
        made, skipped = decoded(column, where, lambda data: _seen(stills(data, every), grid))
        shares, named, placed = {}, {}, {}
        cuts = [(c / grid, r / grid, (c + 1) / grid, (r + 1) / grid) for r in range(grid) for c in range(grid)]
        patches = [patch_name(r, c, grid) for r in range(grid) for c in range(grid)]
        for row, (times, share) in made:
            shares[row] = share
            named[row] = [f"{start:.2f}–{stop:.2f} s, {patch}" for start, stop in times for patch in patches]
            placed[row] = [(*time, *cut) for time in times for cut in cuts]
        cells = column.tolist()

        @lru_cache(maxsize=STRIPS)
        def strip(row: int) -> bytes | None:
            return _strip(cells[row], where, every)

        return fitted_table(LOOKS, shares, named, placed, len(column), skipped, "frames", strip)


class Soundtrack:
    """What is heard in the videos that a column names: paths under `folder`, or bytes; `stretch` in seconds.

    The same files as `Frames` reads; one without sound is left out and named. Needs PyAV
    (``pip install 'xattn[video]'``). Raises InputError where it is not there.
    """

    def __init__(self, folder: str | Path | None = None, stretch: float = 0.25) -> None:
        self.folder = folder
        self.stretch = stretch

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """Loudness of hums and hisses by pitch; None where no cell is a video with sound."""
        _check_installed("av")
        stretch = check_number("stretch", self.stretch, low=0.05, high=LONGEST)
        made, skipped = decoded(column, folder_of(self.folder), lambda data: measured(*samples(data), stretch))
        return fitted_sounds(made, skipped, stretch, len(column))


def _check_installed(*packages: str) -> None:
    if any(find_spec(package) is None for package in packages):
        refuse("extra_missing", what="videos", install=("pip install xattn[video]",))


def _seen(found: list[Still], grid: int) -> tuple[list[tuple[float, float]], np.ndarray]:
    """The times of the stills, and what each of their patches shows: (stills · grid², d)."""
    share = [looks(still.rgb, np.ones(still.rgb.shape[:2], bool), grid) for still in found]
    return [(still.start, still.stop) for still in found], np.concatenate(share)


def _strip(cell: Any, folder: Path | None, every: float) -> bytes | None:
    """The stills of a video side by side as a PNG of ours; None where it cannot be used (any more)."""
    from PIL import Image

    if is_empty(cell):
        return None
    try:
        found = stills(content(cell, folder), every)
    except Unusable:
        return None
    out = io.BytesIO()
    Image.fromarray(np.hstack([still.rgb for still in found])).save(out, "PNG")
    return out.getvalue()
