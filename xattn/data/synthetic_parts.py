"""Planted data whose cause is a part of an item: a word, a patch of a picture, a tone of a sound, a moment of a video.

Every item has one of four *keys*, and one of four *lures*, which is as plain to see and means nothing. People follow
one key through the items; lures and all else are drawn at random. An explanation that is right names the block of the
key first, and within it the part that is the key.

    word     a line of ten words; the key and the lure are two of them
    patch    a picture of 4 × 4 fields on white; the key is a field of one colour, the lure another field
    tone     a second of sound in four quarters; the key is a tone in one quarter, the lure a tone in another
    clip     a video of three seconds, white; the key is a quarter of the picture of one colour in one second, the lure
             another quarter in any second

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

PART_KINDS = ("word", "patch", "tone", "clip")
KEY_WORDS, LURE_WORDS = ("heist", "robot", "garden", "violin"), ("ZEBRA", "COMET", "LANTERN", "GLACIER")
KEY_COLOURS = ((200, 20, 20), (20, 40, 200), (20, 150, 30), (240, 220, 30))
LURE_COLOURS = ((250, 80, 200), (20, 210, 210), (160, 20, 220), (255, 140, 0))
KEY_TONES, LURE_TONES = (150.0, 750.0, 1800.0, 3500.0), (400.0, 1200.0, 2500.0, 6000.0)  # hertz
FILLERS = (
    "path", "stone", "window", "letter", "summer", "market", "ladder", "pepper", "corner", "candle", "ribbon", "valley",
)  # fmt: skip
SECONDS = 3  # of a clip
LENGTH = 8  # events of a user, the last of which is asked about


@dataclass(frozen=True, eq=False)
class PlantedPart:
    """`data`, and the truth about it.

    `cells` (M,) are the texts, or the bytes of the files, that the block "look" is made of; in the kind word, the items
    have them as a column. `key` (M,) and `lure` (M,) are which of four each item has, `key_place` (M,) and `lure_place`
    (M,) where: see `slot`. `target` (U,) is the item row of each user's last event; `caused` (U,) whether it has the
    key that the user follows.
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

    def slot(self, number: int, place: tuple[float, ...]) -> int:
        """Which word, field or quarter (row by row, second by second) the part `number` of an item lies in.

        `place` is where the part stands in its item.
        """
        if self.kind == "word":
            return number
        if self.kind == "tone":
            return int(place[0] * 4)
        if self.kind == "patch":
            return 4 * int(place[1] * 4) + int(place[0] * 4)
        return 4 * int(place[0]) + 2 * int(place[3] * 2) + int(place[2] * 2)


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
    slots = {"word": 10, "patch": 16, "tone": 4, "clip": 4 * SECONDS}[kind]
    places = np.array([rng.choice(slots, 2, replace=False) for _ in range(M)])
    make = {"word": _text, "patch": _picture, "tone": _sound, "clip": _video}[kind]
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


def _fields(key: int, lure: int, place: np.ndarray, rng: np.random.Generator, n: int, grid: int) -> np.ndarray:
    """n pictures (n, 64, 64, 3) of grid × grid fields, nearly white, but for the two fields of one colour each."""
    pixels, side = rng.integers(244, 256, (n, 64, 64, 3), dtype=np.uint8), 64 // grid
    for at, colour in ((place[1], LURE_COLOURS[lure]), (place[0], KEY_COLOURS[key])):
        number, field = divmod(int(at), grid * grid)
        r, c = divmod(field, grid)
        pixels[number, r * side : (r + 1) * side, c * side : (c + 1) * side] = colour
    return pixels


def _picture(key: int, lure: int, place: np.ndarray, rng: np.random.Generator) -> bytes:
    """A PNG of 64 × 64 pixels, nearly white, with two fields of one colour each."""
    (pixels,) = _fields(key, lure, place, rng, 1, 4)
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


def _video(key: int, lure: int, place: np.ndarray, rng: np.random.Generator) -> bytes:
    """An AVI of three pictures of 64 × 64 pixels as they are, one a second, without sound."""
    frames = [np.ascontiguousarray(p[::-1, :, ::-1]).tobytes() for p in _fields(key, lure, place, rng, SECONDS, 2)]
    size, n = 64 * 64 * 3, len(frames)
    main = struct.pack("<10I16x", 1_000_000, size, 0, 0, n, 0, 1, size, 64, 64)
    stream = struct.pack("<4s4sIHHIIIIIIII4H", b"vids", b"DIB ", 0, 0, 0, 0, 1, 1, 0, n, size, 0, 0, 0, 0, 64, 64)
    form = struct.pack("<IiiHHIIiiII", 40, 64, 64, 1, 24, 0, size, 0, 0, 0, 0)  # lines from below, blue first
    about = _listed(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", form))
    head = _listed(b"hdrl", _chunk(b"avih", main) + about)
    whole = head + _listed(b"movi", b"".join(_chunk(b"00db", frame) for frame in frames))
    return struct.pack("<4sI4s", b"RIFF", len(whole) + 4, b"AVI ") + whole


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", name, len(data)) + data


def _listed(name: bytes, chunks: bytes) -> bytes:
    return struct.pack("<4sI4s", b"LIST", len(chunks) + 4, name) + chunks
