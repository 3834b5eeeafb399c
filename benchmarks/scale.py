"""Made-up events of any number, and how long partition, fit and lists take: ``python benchmarks/scale.py N [WORKERS]``.

The lists are the ten best items of about 100,000 people, or of all where there are fewer.

Users grow with events: each has 50 to 150 events, 100 on average. Tastes are local: items stand in a ring, a user has a
place in it, and every event is an item at most `WIDTH` places away, near ones more often. So an item occurs together
with those at most 2 · WIDTH away: of all pairs of the 20,000 items the share 4 · WIDTH / 20,000, a twentieth, at most.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xattn import CollaborativeAttention
from xattn.scale import fit_partitions, partition, recommend_partitions

ITEMS, WIDTH = 20_000, 250
LISTS = 100_000  # people
LEAST, MOST = 50, 150  # events of a user
BLOCK = 10_000  # users made at a time


def write_events(path: Path, events: int, seed: int = 0) -> None:
    """About `events` events as a Parquet file, in order of users: user, item, time."""
    rng = np.random.default_rng(seed)
    schema = pa.schema([("user", pa.string()), ("item", pa.string()), ("timestamp", pa.int64())])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, events // 100, BLOCK):
            users = min(BLOCK, events // 100 - first)
            length = rng.integers(LEAST, MOST + 1, users)
            place = np.repeat(rng.integers(0, ITEMS, users), length)
            item = (place + np.rint(WIDTH * (rng.beta(2, 2, len(place)) * 2 - 1)).astype(np.int64)) % ITEMS
            user = np.repeat(np.arange(first, first + users), length)
            when = 1_600_000_000 + rng.integers(0, 10**8, len(place))
            columns = [pa.array(user).cast(pa.string()), pa.array(item).cast(pa.string()), pa.array(when)]
            writer.write_table(pa.table(columns, schema=schema))


def main(events: int, workers: int) -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        source = Path(folder) / "events.parquet"
        write_events(source, events)
        start = time.perf_counter()
        made = partition(source, Path(folder) / "parts", stream_from=0)
        parted = time.perf_counter()
        model = fit_partitions(made, CollaborativeAttention(), workers=workers).model
        fitted = time.perf_counter()
        lists = recommend_partitions(made, model, Path(folder) / "lists", users=LISTS, workers=workers)
        listed = time.perf_counter()
    own, theirs = (
        resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{made!r}: partition {parted - start:.1f} s, fit {fitted - parted:.1f} s with {workers} workers")
    print(f"{lists.rows:,} places of lists in {listed - fitted:.1f} s")
    print(f"most memory: client {own:.2f} GB, largest worker {theirs:.2f} GB")


if __name__ == "__main__":
    main(int(float(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 2)
