"""Processes that write events until they are killed, and say of each event, on a pipe, that it was acknowledged.

python -m tests.live.hammer URL: for each line PREFIX on stdin a process is forked, which prints its pid, and then the
ids of each batch once `add_events` has returned. When it has been killed, "ended" is printed. Forked, because imports
take longer than all else.
"""

from __future__ import annotations

import os
import sys

from xattn.errors import StoreError
from xattn.live.given import Event
from xattn.live.store import open_store


def write(url: str, prefix: str) -> None:
    """Write without end."""
    with open_store(url) as store:
        for n in range(1_000_000):
            ids = [f"{prefix}-{n}-{i}" for i in range(1 + n % 7)]
            store.add_events([Event(own, f"u{n % 5}", "x", value=float(n)) for own in ids])
            print(" ".join(ids), flush=True)


def main(url: str) -> None:
    """Fork a writer for each line that comes."""
    for line in sys.stdin:
        own = os.fork()
        if own == 0:
            print(f"pid {os.getpid()}", flush=True)
            while True:
                try:
                    write(url, line.strip())
                except StoreError as problem:
                    if problem.code != "store_in_use":  # the server may not have noticed yet that the last one is gone
                        raise
        os.waitpid(own, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
