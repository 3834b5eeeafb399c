"""How long features take: 10⁵ items of text, 10³ pictures, 10³ sounds, an explanation with its parts.

    python benchmarks/parts_speed.py [text|pictures|sounds|explain ...]

Prints one JSON line a measurement: seconds, seconds of one core, and the largest memory of the process in GB (of each
measurement alone when one is named). Texts are made of 20,000 words by Zipf's law, 30 words each; pictures are random
blobs of 128 × 128 pixels; sounds are chords of one second.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import time

import numpy as np
import pandas as pd

from xattn import ContentAttention, Interactions, ItemTable
from xattn.features import feature_set
from xattn.features.media.pictures import Pictures
from xattn.features.media.sounds import Sounds


def clock() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def tell(what: str, start: tuple[float, float], **facts: object) -> None:
    seconds, core = (now - then for now, then in zip(clock(), start, strict=True))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        json.dumps(
            {"what": what, "seconds": round(seconds, 4), "core": round(core, 4), "gb": round(memory, 2), **facts}
        ),
        flush=True,
    )


def texts(n: int, rng: np.random.Generator) -> list[str]:
    words = np.array([f"word{w}" for w in range(20_000)])
    share = 1 / np.arange(10, 20_010)
    picked = rng.choice(20_000, size=(n, 30), p=share / share.sum())
    return [" ".join(words[row]) for row in picked]


def data_of(n: int, events: int, rng: np.random.Generator) -> Interactions:
    ids = tuple(f"i{row}" for row in range(n))
    table = ItemTable(ids, ids, pd.DataFrame({"story": texts(n, rng)}))
    users = events // 50
    item = np.concatenate([rng.choice(n, 50, replace=False) for _ in range(users)])
    return Interactions("made up", tuple(f"u{u}" for u in range(users)), table, np.arange(users + 1) * 50, item)


def text() -> None:
    data = data_of(100_000, 100_000, np.random.default_rng(0))
    start = clock()
    found = feature_set(data.items)
    tell("text: features of 10⁵ items", start, features=len(found))
    ContentAttention().fit(data)
    tell("text: fit of 10⁵ items × 10⁴ keywords, features included", start)


def pictures() -> None:
    from PIL import Image

    rng, files = np.random.default_rng(0), []
    for _ in range(1000):
        small = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        file = io.BytesIO()
        small.resize((128, 128)).save(file, "JPEG")
        files.append(file.getvalue())
    start = clock()
    found = Pictures().fit(pd.Series(files, dtype=object))
    assert found is not None
    tell("10³ pictures of 128 × 128", start, features=len(found.labels))


def sounds() -> None:
    import soundfile

    rng, files, t = np.random.default_rng(0), [], np.arange(22_050) / 22_050
    for _ in range(1000):
        x = sum(0.2 * np.sin(2 * np.pi * hertz * t) for hertz in rng.uniform(60, 8000, 3))
        file = io.BytesIO()
        soundfile.write(file, x, 22_050, format="FLAC")
        files.append(file.getvalue())
    start = clock()
    found = Sounds().fit(pd.Series(files, dtype=object))
    assert found is not None
    tell("10³ sounds of 1 s", start, features=len(found.labels))


def explain() -> None:
    data = data_of(5_000, 50_000, np.random.default_rng(0))
    model = ContentAttention().fit(data)
    took: dict[str, list[tuple[float, float]]] = {"ledger": [], "with parts": []}
    for user in range(60):
        start = clock()
        why = model.explain(user=f"u{user}", item=data.items.ids[user])
        middle = clock()
        why.parts("story")
        end = clock()
        took["ledger"].append((middle[0] - start[0], middle[1] - start[1]))
        took["with parts"].append((end[0] - start[0], end[1] - start[1]))
    for what, times in took.items():
        wall, core = np.median(np.array(times[10:]), axis=0)
        now = clock()
        tell(f"explain, 50 events, 5,000 items: {what}, median", (now[0] - wall, now[1] - core))


if __name__ == "__main__":
    known = {"text": text, "pictures": pictures, "sounds": sounds, "explain": explain}
    for name in sys.argv[1:] or known:
        known[name]()
