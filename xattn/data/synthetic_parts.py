"""Planted data whose cause is a part of an item: one word of a text, one patch of a picture, one tone of a sound.

Every item has one of four *keys*, and one of four *lures*, which is as plain to see and means nothing. People follow
one key through the items; lures and all else are drawn at random. An explanation that is right names the block of the
key first, and within it the part that is the key.

    word     a line of ten words; the key and the lure are two of them
    patch    a picture of 4 × 4 fields on white; the key is a field of one colour, the lure another field
    tone     a second of sound in four quarters; the key is a tone in one quarter, the lure a tone in another

With `noise`, that share of all events is with items drawn from all of them.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xattn.data.interactions import Interactions
from xattn.data.items import ItemTable
from xattn.errors import check_choice, check_probability, check_whole

__all__ = ["PART_KINDS", "PlantedPart", "planted_part"]

PART_KINDS = ("word", "patch", "tone")
KEY_WORDS, LURE_WORDS = ("heist", "robot", "garden", "violin"), ("ZEBRA", "COMET", "LANTERN", "GLACIER")
KEY_COLOURS = ((200, 20, 20), (20, 40, 200), (20, 150, 30), (240, 220, 30))
LURE_COLOURS = ((250, 80, 200), (20, 210, 210), (160, 20, 220), (255, 140, 0))
KEY_TONES, LURE_TONES = (150.0, 750.0, 1800.0, 3500.0), (400.0, 1200.0, 2500.0, 6000.0)  # hertz
FILLERS = (
    "path", "stone", "window", "letter", "summer", "market", "ladder", "pepper", "corner", "candle", "ribbon", "valley",
)  # fmt: skip
LENGTH = 8  # events of a user, the last of which is asked about


@dataclass(frozen=True, eq=False)
class PlantedPart:
    """`data`, and the truth about it.

    `cells` (M,) are the texts, or the bytes of the pictures and sounds, that the block "look" is made of; in the kind
    word, the items have them as a column. `key` (M,) and `lure` (M,) are which of four each item has, `key_place` (M,)
    and `lure_place` (M,) where: the number of the word, of the field (row by row), or of the quarter. `target` (U,) is
    the item row of each user's last event; `caused` (U,) whether it has the key that the user follows.
    """

    kind: str
    data: Interactions
    cells: pd.Series[Any]
    key: np.ndarray
    lure: np.ndarray
    key_place: np.ndarray
    lure_place: np.ndarray
    target: np.ndarray
    caused: np.ndarray


def planted_part(kind: str, n_users: int = 200, n_items: int = 80, seed: int = 0, noise: float = 0.0) -> PlantedPart:
    """Data of one of the `PART_KINDS`; the same seed gives the same data.

    Raises InputError for an unknown kind, n_users < 1, n_items < 64 (each key needs enough items), or a noise that is
    no probability.

    >>> truth = planted_part("word", n_users=4)
    >>> truth.cells[0].split()[truth.key_place[0]] in ("heist", "robot", "garden", "violin")
    True
    """
    check_choice("kind", kind, PART_KINDS)
    U, M = check_whole("n_users", n_users, low=1), check_whole("n_items", n_items, low=64)
    noise = check_probability("noise", noise)
    rng = np.random.default_rng(check_whole("seed", seed))
    key, lure = rng.permutation(np.arange(M) % 4), rng.permutation(np.arange(M) % 4)
    slots = {"word": 10, "patch": 16, "tone": 4}[kind]
    places = np.array([rng.choice(slots, 2, replace=False) for _ in range(M)])
    make = {"word": _text, "patch": _picture, "tone": _sound}[kind]
    cells: list[Any] = [make(int(k), int(l), places[j], rng) for j, (k, l) in enumerate(zip(key, lure, strict=True))]
    follows = rng.integers(4, size=U)
    item = np.array([rng.choice(np.flatnonzero(key == own), LENGTH, replace=False) for own in follows])
    for u, own in enumerate(item):
        stray = np.flatnonzero(rng.random(LENGTH) < noise)
        free = np.setdiff1d(np.arange(M), own)
        item[u, stray] = rng.choice(free, len(stray), replace=False)
    ids = tuple(f"i{j}" for j in range(M))
    frame = pd.DataFrame({"shelf": [f"shelf {s}" for s in rng.integers(4, size=M)]})
    if kind == "word":
        frame["look"] = cells
    table = ItemTable(ids, tuple(f"Item {j}" for j in range(M)), frame)
    indptr = np.arange(U + 1) * LENGTH
    time = np.tile(np.arange(float(LENGTH)), U)
    users = tuple(f"u{u}" for u in range(U))
    data = Interactions(f"planted-{kind}", users, table, indptr, item.ravel(), None, time)
    target = item[:, -1].copy()
    series = pd.Series(cells, dtype=object)
    return PlantedPart(kind, data, series, key, lure, places[:, 0], places[:, 1], target, key[target] == follows)


def _text(key: int, lure: int, place: np.ndarray, rng: np.random.Generator) -> str:
    words = rng.choice(FILLERS, 10).tolist()
    words[place[0]], words[place[1]] = KEY_WORDS[key], LURE_WORDS[lure]
    return " ".join(map(str, words))


def _picture(key: int, lure: int, place: np.ndarray, rng: np.random.Generator) -> bytes:
    """A PNG of 64 × 64 pixels, nearly white, with two fields of one colour each."""
    pixels = rng.integers(244, 256, (64, 64, 3), dtype=np.uint8)
    for at, colour in ((place[1], LURE_COLOURS[lure]), (place[0], KEY_COLOURS[key])):
        r, c = divmod(int(at), 4)
        pixels[r * 16 : (r + 1) * 16, c * 16 : (c + 1) * 16] = colour
    rows = b"".join(b"\x00" + row.tobytes() for row in pixels)  # each line begins with its filter: none
    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _sound(key: int, lure: int, place: np.ndarray, rng: np.random.Generator) -> bytes:
    """A WAV of one second, 16,000 samples, with two tones in quarters of their own over a little noise."""
    rate = 16_000
    t = np.arange(rate // 4) / rate
    x = 0.0005 * rng.normal(size=(4, rate // 4))
    x[place[0]] += 0.4 * np.sin(2 * np.pi * KEY_TONES[key] * t)
    x[place[1]] += 0.4 * np.sin(2 * np.pi * LURE_TONES[lure] * t)
    data = (x.ravel() * 32767).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)  # one channel of 16 bits
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
