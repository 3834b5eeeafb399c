"""Each scenario: the default model beside popularity and three simple rivals, as docs/scenarios.md shows them.

    XATTN_TEST_DATA=… python benchmarks/scenarios.py [NAME …]

For each scenario the public set where it is at hand, and the simulated one; NDCG@10 with 95 % intervals.
"""

from __future__ import annotations

import sys
import time

from xattn.scenarios import load, names
from xattn.scenarios.sets import at_hand


def main() -> None:
    heads = ("scenario", "data", "people", "items", "events", "protocol", "seen", "default model", "best simple rival")
    print("| " + " | ".join((*heads, "p", "popularity")) + " |")
    print("|---" * (len(heads) + 2) + "|")
    for name in sys.argv[1:] or names():
        scenario = load(name)
        for kind in at_hand(scenario.manifest):
            begun = time.perf_counter()
            found = scenario.data(kind)
            result = scenario.accuracy(found)
            own, popular, *simple = result["rows"]
            metric = f"ndcg@{result['k']}"
            best = max(simple, key=lambda row: row[metric])
            said = ["{:.4f} ({:.4f}–{:.4f})".format(row[metric], *row["ci95"][metric]) for row in (own, best, popular)]
            data = found.data
            cells = [name, found.set_name or kind, f"{data.n_users:,}", f"{data.n_items:,}", f"{data.n_events:,}"]
            cells += [scenario.manifest.protocol, scenario.manifest.seen, said[0], f"{best['model']} {said[1]}"]
            cells += [f"{best['versus_first'][metric]:.3f}", said[2]]
            print("| " + " | ".join(cells) + " |", flush=True)
            others = ", ".join(f"{row['model']} {row[metric]:.4f}" for row in simple)
            print(f"{name} {kind}: {time.perf_counter() - begun:.0f} s; {others}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
