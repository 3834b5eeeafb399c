"""Pictures: what colours, edges and textures a picture shows, as features that a person can see; its parts are patches.

    picture (fitted into 128 × 128)  ──▶  4 × 4 patches  ──▶  share of each patch that is dark red, an upright edge …

Every pixel has one colour by hue, saturation and brightness, and belongs to one patch; a feature is the share of the
picture's pixels that show it, times its rarity. It is a sum over pixels, so it is a sum over patches. Pixels that one
can see through do not count.
"""

from __future__ import annotations

import io
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xattn.errors import check_whole, refuse
from xattn.features.block import Fitted
from xattn.features.media.files import Unusable, content, decoded, folder_of, is_empty
from xattn.features.media.table import fitted_table

__all__ = ["COLOURS", "LOOKS", "Pictures", "looks"]

SIDE = 128  # pixels: pictures are made to fit
MOST_PIXELS = 40_000_000  # of a picture before that
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
HUES = (  # first hue, of 256 round the circle
    (0, "red"), (11, "orange"), (30, "yellow"), (50, "green"), (117, "turquoise"), (138, "blue"), (181, "purple"),
    (206, "pink"), (243, "red"),
)  # fmt: skip
SHADES = ("dark ", "", "light ")
NAMED = tuple(dict.fromkeys(name for _, name in HUES))
GREYS = ("black", "dark grey", "light grey", "white")
COLOURS = (*(shade + name for name in NAMED for shade in SHADES), *GREYS)
EDGES = ("upright edges", "edges rising to the right", "level edges", "edges rising to the left")
TEXTURES = ("fine texture", "smooth areas")
LOOKS = (*COLOURS, *EDGES, *TEXTURES)

PALE, BLACK, DARK, WHITE = 45, 50, 120, 215  # saturation and brightness, of 255
LIGHT = 128  # saturation under which a bright colour is light
EDGE, FINE, FLAT = 40.0, 40.0, 6.0  # steps of brightness between neighbours


class Pictures:
    """What the pictures show that a column names: paths under `folder`, or bytes. Parts: `grid` × `grid` patches.

    PNG, JPEG, WEBP, GIF (its first picture) and BMP are read, up to 20 MB and 40 million pixels each; others are left
    out and named. Needs Pillow (``pip install 'xattn[pictures]'``). Raises InputError where it is not there.
    """

    def __init__(self, folder: str | Path | None = None, grid: int = 4) -> None:
        self.folder = folder
        self.grid = grid

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """The shares of colours, edges and textures; None where no cell is a picture."""
        if find_spec("PIL") is None:
            refuse("extra_missing", what="pictures", install=("pip install xattn[pictures]",))
        grid = check_whole("grid", self.grid, low=1, high=SIDE // 4)
        made, skipped = decoded(column, folder_of(self.folder), _pixels)
        measured = {row: looks(rgb, seen, grid) for row, (rgb, seen) in made}
        step = 1.0 / grid
        places = [(c * step, r * step, (c + 1) * step, (r + 1) * step) for r in range(grid) for c in range(grid)]
        names = [patch_name(r, c, grid) for r in range(grid) for c in range(grid)]
        rows = list(measured)
        named, placed = dict.fromkeys(rows, names), dict.fromkeys(rows, places)
        cells, where = column.tolist(), folder_of(self.folder)
        return fitted_table(
            LOOKS, measured, named, placed, len(column), skipped, "patches", lambda row: _png(cells[row], where)
        )


def patch_name(row: int, column: int, grid: int) -> str:
    """What a patch is called: the field of a chessboard, from the upper left corner.

    >>> patch_name(0, 0, 4), patch_name(3, 1, 4)
    ('A1', 'B4')
    """
    letter = chr(ord("A") + column) if column < 26 else f"{column + 1}/"
    return f"{letter}{row + 1}"


def _pixels(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """(rgb, seen): colours (h, w, 3) uint8 and whether each pixel can be seen (h, w). Raises Unusable."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow warns of bombs
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Unusable("too_many_pixels")
                picture.draft("RGB", (SIDE, SIDE))  # JPEG: decodes a smaller one straight away
                picture.thumbnail((SIDE, SIDE))
                rgba = np.asarray(picture.convert("RGBA"))
    except Unusable:
        raise
    except Exception as problem:  # whatever a decoder makes of bytes that anybody wrote
        raise Unusable("broken") from problem
    return np.ascontiguousarray(rgba[:, :, :3]), rgba[:, :, 3] >= 128


def _png(cell: Any, folder: Path | None) -> bytes | None:
    """The picture of a cell, decoded and made small again, as a PNG of ours; None where it cannot be used (any more).

    Nothing of the file but its pixels is in it.
    """
    from PIL import Image

    if is_empty(cell):
        return None
    try:
        rgb, seen = _pixels(content(cell, folder))
    except Unusable:
        return None
    out = io.BytesIO()
    Image.fromarray(np.dstack([rgb, np.where(seen, 255, 0).astype(np.uint8)]), "RGBA").save(out, "PNG")
    return out.getvalue()


def looks(rgb: np.ndarray, seen: np.ndarray, grid: int) -> np.ndarray:
    """The shares (grid², d) of each patch that show each of the `LOOKS`, of pixels (h, w, 3) that can be `seen` (h, w).

    >>> share = looks(np.full((8, 8, 3), (120, 0, 0), np.uint8), np.ones((8, 8), bool), 2)
    >>> share.shape == (4, len(LOOKS)), share[:, LOOKS.index("dark red")].tolist()
    (True, [1.0, 1.0, 1.0, 1.0])
    """
    h, w = seen.shape
    patch = (np.arange(h) * grid // h)[:, None] * grid + (np.arange(w) * grid // w)[None, :]
    d, P = len(LOOKS), grid * grid
    out = np.zeros((P, d))
    pixels = max(1.0, np.count_nonzero(seen) / P)  # a patch that is half empty weighs half
    colour = colours(rgb)
    counts = np.bincount(patch[seen] * d + colour[seen], minlength=P * d)
    out += counts.reshape(P, d)
    grey = rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    grey[~seen] = grey[seen].mean() if seen.any() else 0.0
    across, down = np.zeros((2, h, w))
    across[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) / 2
    down[1:-1] = (grey[2:] - grey[:-2]) / 2
    size = np.hypot(across, down)
    angle = np.arctan2(down, across) % np.pi  # 0: brightness changes along the line, so the edge is upright
    way = (np.floor(angle / (np.pi / 4) + 0.5).astype(int) % 4) + len(COLOURS)
    edge = seen & (size > EDGE / 2)
    rough = np.zeros((h, w))
    rough[1:-1, 1:-1] = np.abs(
        4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    )
    for where, what in (
        (edge, way),
        (seen & (rough > FINE), np.full((h, w), LOOKS.index("fine texture"))),
        (seen & (size < FLAT / 2) & (rough < FLAT), np.full((h, w), LOOKS.index("smooth areas"))),
    ):
        out += np.bincount(patch[where] * d + what[where], minlength=P * d).reshape(P, d)
    return np.asarray(out / pixels)


def colours(rgb: np.ndarray) -> np.ndarray:
    """The number among `COLOURS` of each pixel (h, w)."""
    x = rgb.astype(np.int64)
    most, least = x.max(axis=2), x.min(axis=2)
    spread = np.maximum(most - least, 1)
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    sixth = np.where(most == r, (g - b) / spread, np.where(most == g, 2 + (b - r) / spread, 4 + (r - g) / spread))
    hue = (sixth * 256 / 6) % 256
    saturation = 255 * (most - least) // np.maximum(most, 1)
    name = np.array([NAMED.index(n) for _, n in HUES])[np.searchsorted([h for h, _ in HUES], hue, side="right") - 1]
    shade = np.where(most < DARK + 15, 0, np.where(saturation < LIGHT, 2, 1))
    coloured = name * len(SHADES) + shade
    grey = len(COLOURS) - 4 + np.where(most < BLACK, 0, np.where(most < DARK, 1, np.where(most < WHITE, 2, 3)))
    return np.asarray(np.where((saturation < PALE) | (most < BLACK), grey, coloured))
