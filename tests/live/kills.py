"""Kill a writing process again and again, and count what was acknowledged and is not there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from xattn.errors import StoreError
from xattn.live.store import Store, open_store

ROOT = Path(__file__).parents[2]


class Killed(NamedTuple):
    """How often a process was killed, how many events it had acknowledged, and which of them are lost or torn."""

    kills: int
    acknowledged: int
    lost: set[str]
    torn: set[str]


def opened(url: str) -> Store:
    """The store, once the server has noticed that its last owner is gone."""
    for _ in range(200):
        try:
            return open_store(url)
        except StoreError as problem:
            if problem.code != "store_in_use":
                raise
            time.sleep(0.05)
    return open_store(url)


def killed(url: str, kills: int, seed: int, longest: float) -> Killed:
    """Start a writer, kill it after up to `longest` seconds of writing, `kills` times; then look."""
    rng = random.Random(seed)
    acknowledged: set[str] = set()
    opened(url).close()
    command = [sys.executable, "-m", "tests.live.hammer", url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for n in range(kills):
            print(f"k{n}", file=parent.stdin, flush=True)
            own = int(parent.stdout.readline().split()[1])
            first = parent.stdout.readline()  # it writes
            acknowledged |= set(first.split())
            timer = threading.Timer(rng.uniform(0.0, longest), os.kill, (own, signal.SIGKILL))
            timer.start()
            for line in parent.stdout:
                if line.endswith("ended\n"):  # the last line of the writer may have been cut
                    break
                acknowledged |= set(line.split())
            timer.join()
        parent.stdin.close()
    with opened(url) as store:
        rows = [row.id for row in store.everybody()]
    there = set(rows)
    assert len(rows) == len(there)
    batches: dict[str, set[int]] = {}
    for own in there:
        prefix, n, i = own.split("-")
        batches.setdefault(f"{prefix}-{n}", set()).add(int(i))
    torn = {name for name, found in batches.items() if len(found) != 1 + int(name.split("-")[1]) % 7}
    return Killed(kills, len(acknowledged), acknowledged - there, torn)
