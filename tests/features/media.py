"""Pictures and sounds that are made for tests: one colour with a patch of another, tones, noise."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from PIL import Image

__all__ = ["picture", "sound"]

RGB = {
    "red": (220, 20, 20),
    "dark red": (120, 0, 0),
    "blue": (30, 30, 220),
    "green": (20, 180, 20),
    "white": (250, 250, 250),
}


def picture(ground: str = "white", patch: str | None = None, at: tuple[int, int] = (0, 0), kind: str = "PNG") -> bytes:
    """A picture of 64 × 64 pixels; `patch` fills one of its 4 × 4 fields, at (row, column)."""
    pixels = np.full((64, 64, 3), RGB[ground], np.uint8)
    if patch is not None:
        r, c = at
        pixels[r * 16 : (r + 1) * 16, c * 16 : (c + 1) * 16] = RGB[patch]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def sound(
    hertz: float | None, seconds: float = 1.0, start: float = 0.0, rate: int = 22_050, kind: str = "FLAC"
) -> bytes:
    """A tone of so many hertz, or noise, from `start` on."""
    t = np.arange(int(seconds * rate)) / rate
    x = 0.1 * np.random.default_rng(0).normal(size=len(t)) if hertz is None else 0.5 * np.sin(2 * np.pi * hertz * t)
    file = io.BytesIO()
    soundfile.write(file, np.where(t >= start, x, 0.0), rate, format=kind)
    return file.getvalue()
