"""Each scenario: the default model beside popularity and three simple rivals, and its groups; for docs/scenarios.md.

    XATTN_TEST_DATA=… python benchmarks/scenarios.py [NAME …]
    XATTN_TEST_DATA=… python benchmarks/scenarios.py --groups [NAME …]

For each scenario the public set where it is at hand, and the simulated one; NDCG@10 with 95 % intervals.

`--groups`: of each group that the manifest names, on the set that is taken first, who is served best and who worst, and
who is explained best and worst (`del@5`: how much of a score is left without its five strongest events; less is
better). The audit by sensitive columns is on simulated people, and on households where the public set holds some. Then
these columns are shuffled among people and items, everything is read and fitted anew, and scores are compared.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.scenarios.audit import shuffled
from xattn.scenarios import Scenario, ScenarioSet, load, names
from xattn.scenarios.convert import converted
from xattn.scenarios.fetch.home import folder_of
from xattn.scenarios.sets import at_hand, made_items, read_frames, tables_of

COMPARED = 300  # people whose scores are compared after shuffling


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--groups", action="store_true")
    given = parser.parse_args()
    chosen = given.names or names()
    if given.groups:
        by_group(chosen)
    else:
        accuracy(chosen)


# --- accuracy ---------------------------------------------------------------------------------------------------------


def accuracy(chosen: list[str]) -> None:
    """One row for each data set."""
    heads = ("scenario", "data", "people", "items", "events", "protocol", "seen", "default model", "best simple rival")
    print("| " + " | ".join((*heads, "p", "popularity")) + " |")
    print("|---" * (len(heads) + 2) + "|")
    for name in chosen:
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


# --- groups -----------------------------------------------------------------------------------------------------------


def by_group(chosen: list[str]) -> None:
    """One row for each data set and way to part people or items, then what shuffling does."""
    heads = ("scenario", "data", "by", "groups", "served best", "served worst", "explained best", "explained worst")
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for name in chosen:
        scenario = load(name)
        first, *others = [scenario.data(kind) for kind in at_hand(scenario.manifest)]
        asked = [(first, by) for by in scenario.groups_of(first)]
        asked += [
            (found, by) for found in others for by in scenario.groups_of(found) if by not in scenario.manifest.groups
        ]
        fitted: dict[str, Any] = {}
        for found, by in asked:
            if found.kind not in fitted:
                fitted[found.kind] = scenario.model(found).fit(found.data)
            report = scenario.groups(found, by, model=fitted[found.kind])
            ndcg = f"ndcg@{report['k']}"
            rows = report["rows"]
            cells = [name, found.set_name or found.kind, by, ", ".join(f"{row['group']} {row['n']:,}" for row in rows)]
            cells += [*_ends(rows, ndcg, high=True), *_ends(rows, "del@5", high=False)]
            print("| " + " | ".join(cells) + " |", flush=True)
    for name in chosen:
        scenario = load(name)
        for told, one, two in pairs(scenario):
            print(f"{name}, {told}: checksum {'the same' if one.checksum == two.checksum else 'ANOTHER'}, ", end="")
            print(f"largest difference of scores {difference(scenario, told, one, two):g}", flush=True)


def _ends(rows: list[dict[str, Any]], metric: str, *, high: bool) -> list[str]:
    """The best and the worst group with their intervals; what is apart from the best is marked."""
    known = sorted((row for row in rows if row[metric]["value"] is not None), key=lambda row: row[metric]["value"])
    if len(known) < 2:
        return ["–", "–"]
    best, worst = (known[-1], known[0]) if high else (known[0], known[-1])
    low, top = (worst, best) if high else (best, worst)
    apart = low[metric]["ci95"][1] < top[metric]["ci95"][0]
    said = [
        "{} {:.3f} ({:.3f}–{:.3f})".format(row["group"], row[metric]["value"], *row[metric]["ci95"])
        for row in (best, worst)
    ]
    return [said[0], said[1] + (" **apart**" if apart else "")]


# --- sensitive columns ------------------------------------------------------------------------------------------------


def pairs(scenario: Scenario) -> Iterator[tuple[str, Any, Any]]:
    """The data as they are, and with the sensitive columns of people and items shuffled."""
    manifest = scenario.manifest
    if manifest.simulated is not None:
        truth = scenario.data("simulated").truth
        if truth is not None and manifest.simulated.items_from is None:
            items = made_items(manifest.simulated, manifest.name)
            for column in manifest.sensitive:
                items[column] = np.where(np.arange(len(items)) % 2, "this", "that")  # of items, too
            frames = tables_of(truth, items)
            yield "simulated", *(read_frames(manifest, one) for one in (frames, shuffled(frames, manifest.sensitive)))
    folder = None if manifest.real is None else folder_of(manifest.real.set)
    if manifest.real is not None and folder is not None:
        frames = converted(manifest.real.converter, folder)
        held = {*frames.events.columns, *frames.items.columns} & set(manifest.sensitive)
        if held:
            yield "real", *(read_frames(manifest, one) for one in (frames, shuffled(frames, manifest.sensitive)))


def difference(scenario: Scenario, kind: str, *data: Any) -> float:
    """The largest difference of scores of some people between two data sets."""
    scores = []
    for one in data:
        model = scenario.model(ScenarioSet(scenario.manifest, kind, one, scenario.manifest.words)).fit(one)
        scores.append(np.array([model.score(user) for user in one.user_ids[:COMPARED]]))
    return float(np.abs(scores[0] - scores[1]).max())


if __name__ == "__main__":
    main()
