"""Kill a writer of events in the middle of its work, many times, and count what it acknowledged and is lost.

    PYTHONPATH=. python benchmarks/live_kills.py [--kills 1000] [--store URL]

The store is a new one in a temporary folder, or a new database of PostgreSQL at URL. Prints JSON; exit code 1 where
anything is lost.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile

from tests.live.kills import killed


def main() -> None:
    """Kill, count, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--store")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = killed(given.store or f"sqlite:///{folder}/events.db", given.kills, given.seed, longest=0.2)
    sizes = {"kills": found.kills, "acknowledged": found.acknowledged}
    print(json.dumps({**sizes, "lost": len(found.lost), "torn": len(found.torn)}))
    sys.exit(bool(found.lost or found.torn))


if __name__ == "__main__":
    main()
