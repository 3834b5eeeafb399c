"""Pictures, sounds and videos that are made for tests: one colour with a patch of another, tones, noise."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import soundfile
from PIL import Image

__all__ = ["picture", "sound", "video"]

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


def video(
    seconds: Sequence[tuple[str, str | None, tuple[int, int]]] = (),
    hertz: float | None = None,
    kind: str = "matroska",
    codec: str = "ffv1",
    heard: str = "pcm_s16le",
    rate: int = 4,
) -> bytes:
    """A video of 64 × 64 pixels: each second a ground, and a field of another colour as in `picture`; and a tone that
    lasts as long, or two seconds. Without `seconds` it has no pictures, without `hertz` no sound."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=kind, options={"fflags": "bitexact"}) as out:  # no random numbers in it
        if seconds:
            shown = out.add_stream(codec, rate=rate)
            shown.width = shown.height = 64
            shown.pix_fmt = {"ffv1": "bgr0", "mjpeg": "yuvj420p", "huffyuv": "rgb24"}.get(codec, "yuv420p")
        if hertz is not None:
            to = 48_000 if heard == "libopus" else 22_050
            sounds = out.add_stream(heard, rate=to, layout="mono")
        for ground, patch, (r, c) in seconds:
            pixels = np.full((64, 64, 3), RGB[ground], np.uint8)
            if patch is not None:
                pixels[r * 16 : (r + 1) * 16, c * 16 : (c + 1) * 16] = RGB[patch]
            for _ in range(rate):
                out.mux(shown.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        if seconds:
            out.mux(shown.encode(None))
        if hertz is not None:
            t = np.arange(22_050 * (len(seconds) or 2)) / 22_050
            tone = (0.5 * np.sin(2 * np.pi * hertz * t)).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.rate = 22_050
            fitting = av.AudioResampler(sounds.format.name, "mono", to, sounds.frame_size or None)
            for piece in (*fitting.resample(frame), *fitting.resample(None)):
                out.mux(sounds.encode(piece))
            out.mux(sounds.encode(None))
    return file.getvalue()
