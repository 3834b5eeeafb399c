"""Sounds: how loud each band of pitch is, stretch by stretch, and whether it hums or hisses.

    sound  ──▶  stretches of ¼ s  ──▶  power in 10 bands, evenly spaced in mel  ──▶  "high hum", "deep hiss" …

The loudness of a band is how many decibels it lies above −60 dB of full scale, divided by 60. It hums where its power
stands in a few frequencies, and hisses where it is spread over all of them (spectral flatness; Johnston, 1988). A
feature is the mean over the stretches, times its rarity; the parts are stretches × bands.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xattn.data.feature_set import Skipped
from xattn.errors import check_number, refuse
from xattn.features.block import Fitted
from xattn.features.media.files import Decoded, Unusable, decoded, folder_of
from xattn.features.media.table import fitted_table

__all__ = ["HEARD", "Sounds", "fitted_sounds", "heard", "measured"]

PITCHES = (
    "deep", "low", "lower middle", "middle", "upper middle", "fairly high", "high", "very high", "shrill", "highest",
)  # fmt: skip
HEARD = (*(f"{pitch} hum" for pitch in PITCHES), *(f"{pitch} hiss" for pitch in PITCHES))
LOWEST, HIGHEST = 50.0, 10_000.0  # hertz
LONGEST = 30.0  # seconds of a sound that are read
RATES = (4_000, 192_000)  # samples a second
MOST_CHANNELS = 8
FLOOR = -60.0  # decibels of full scale


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))


EDGES = 700.0 * (10 ** (np.linspace(_mel(LOWEST), _mel(HIGHEST), len(PITCHES) + 1) / 2595.0) - 1.0)


class Sounds:
    """What is heard in the sounds that a column names: paths under `folder`, or bytes; `stretch` in seconds.

    WAV, FLAC, OGG and what else libsndfile reads, up to 20 MB; of each the first 30 seconds. Others are left out and
    named. Needs soundfile (``pip install 'xattn[sounds]'``). Raises InputError where it is not there.
    """

    def __init__(self, folder: str | Path | None = None, stretch: float = 0.25) -> None:
        self.folder = folder
        self.stretch = stretch

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """Loudness of hums and hisses by pitch; None where no cell is a sound."""
        if find_spec("soundfile") is None:
            refuse("extra_missing", what="sounds", install=("pip install xattn[sounds]",))
        stretch = check_number("stretch", self.stretch, low=0.05, high=LONGEST)
        made, skipped = decoded(column, folder_of(self.folder), lambda data: measured(*_samples(data), stretch))
        return fitted_sounds(made, skipped, stretch, len(column))


class Measured(NamedTuple):
    """The loudness (S, bands, d) of the stretches of a sound, and how many seconds it lasts."""

    loud: np.ndarray
    seconds: float


def measured(x: np.ndarray, rate: int, stretch: float) -> Measured:
    """What is heard in samples `x` (n,), a small table in the place of many samples."""
    return Measured(heard(x, rate, stretch), len(x) / rate)


def fitted_sounds(made: Sequence[Decoded], skipped: Sequence[Skipped], stretch: float, M: int) -> Fitted | None:
    """The features of some of M sounds, each of them `Measured`; None where nothing is heard."""
    tables, named, placed = {}, {}, {}
    for row, (loud, seconds) in made:
        S = len(loud)
        tables[row] = loud.reshape(S * len(PITCHES), len(HEARD))
        times = [(s * stretch, min((s + 1) * stretch, seconds)) for s in range(S)]
        named[row] = [f"{start:.2f}–{stop:.2f} s, {pitch}" for start, stop in times for pitch in PITCHES]
        bands = list(zip(EDGES[:-1].tolist(), EDGES[1:].tolist(), strict=True))
        placed[row] = [(*time, *band) for time in times for band in bands]
    return fitted_table(HEARD, tables, named, placed, M, skipped, "stretches")


def _samples(data: bytes) -> tuple[np.ndarray, int]:
    """(x, rate): samples from −1 to 1, all channels as one. Raises Unusable."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate, channels = int(file.samplerate), int(file.channels)
            if not RATES[0] <= rate <= RATES[1] or channels > MOST_CHANNELS:
                raise Unusable("odd_sound")
            x = file.read(int(LONGEST * rate), dtype="float64", always_2d=True).mean(axis=1)
    except Unusable:
        raise
    except Exception as problem:  # whatever a decoder makes of bytes that anybody wrote
        raise Unusable("broken") from problem
    if not len(x) or not np.isfinite(x).all():
        raise Unusable("odd_sound")
    return x, rate


def heard(x: np.ndarray, rate: int, stretch: float) -> np.ndarray:
    """The loudness (S, bands, d) of each of the `HEARD` in each stretch and band of samples `x` (n,).

    A band brings its own hum and its own hiss alone.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> HEARD[int(heard(tone, 8000, 0.25).sum(axis=(0, 1)).argmax())]
    'low hum'
    """
    n = max(16, int(np.ceil(stretch * rate)))
    S, B = -(-len(x) // n), len(PITCHES)
    padded = np.zeros(S * n)
    padded[: len(x)] = x
    frames = padded.reshape(S, n) * np.hanning(n)
    power = np.abs(np.fft.rfft(frames)) ** 2 / (np.hanning(n).sum() / 2) ** 2  # a full sine has power 1
    band = np.searchsorted(EDGES, np.fft.rfftfreq(n, 1.0 / rate), side="right") - 1
    out = np.zeros((S, B, len(HEARD)))
    for b in range(B):
        own = power[:, band == b]
        if not own.shape[1]:
            continue
        total = own.sum(axis=1)
        with np.errstate(divide="ignore"):
            level = np.clip((10 * np.log10(total) - FLOOR) / -FLOOR, 0.0, None)
            flat = np.exp(np.log(own + 1e-20).mean(axis=1)) / (own.mean(axis=1) + 1e-20)
        hiss = np.clip(flat / 0.56, 0.0, 1.0)  # .56: the flatness of white noise
        out[:, b, b], out[:, b, B + b] = level * (1 - hiss), level * hiss
    return out
