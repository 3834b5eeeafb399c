"""Each scenario in full: removals that were announced are served, texts are read back to their last number and name.

    XATTN_TEST_DATA=… python benchmarks/scenario_truth.py [NAME …] [--count 1000] [--simulated] [--seed 0]

Of people drawn at random items are explained, three in four from their list. Every announced removal of the three
events that matter most is served, and must have the score (to 1e-9 of it) and the place that were announced; the ledger
must add up. A text in English and in Chinese, at a depth drawn at random and in the words of the scenario, is parsed by
the wordings of the catalogue, and every claim is looked up again. Ends with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import re
import sys
import time

import numpy as np

from xattn.explain import DEPTHS
from xattn.i18n import LANGUAGES
from xattn.scenarios import load, names
from xattn.scenarios.manifest import NO_ADVICE
from xattn.testing.texts import mismatches

LONGEST = 300  # events
FROM_ONE_PERSON = 10
REMOVED = 3
SAME = 1e-9
PROMISES = re.compile(r"\b(should|will|advise|good for|earn|cure|safe|return)\b|应该|保证|治愈|收益|推荐|建议")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--count", type=int, default=1000, help="explanations of each scenario")
    parser.add_argument("--simulated", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    wrong = 0
    for name in given.names or names():
        begun = time.perf_counter()
        scenario = load(name)
        found = scenario.data("simulated" if given.simulated else None)
        model, seen = scenario.model(found).fit(found.data), scenario.manifest.seen
        data, rng = found.data, np.random.default_rng(given.seed)
        people = np.flatnonzero(np.diff(data.indptr) <= LONGEST)
        k = min(10, data.n_items)
        done = removals = broken = misread = promised = 0
        worst = 0.0
        while done < given.count:
            user = data.user_ids[int(rng.choice(people))]
            listed = model.recommend(user=user, k=k, seen=seen)["item"].tolist()
            for _ in range(min(FROM_ONE_PERSON, given.count - done)):
                inside = listed and rng.random() < 3 / 4
                item = str(rng.choice(listed)) if inside else data.items.ids[int(rng.integers(data.n_items))]
                why = model.explain(user=user, item=item, k=k, seen=seen)
                gap = abs(why.base + float(why.cells["contribution"].sum()) - why.score)
                worst = max(worst, gap)
                for row in why.events().head(REMOVED).itertuples():
                    after = model.explain(user=user, item=item, k=k, seen=seen, without=[row.event])
                    removals += 1
                    same = abs(after.score - row.score_without) <= SAME * max(1.0, abs(after.score))
                    broken += not (same and (after.rank or 0) == row.rank_without)
                depth = DEPTHS[int(rng.integers(len(DEPTHS)))]
                for lang in LANGUAGES:
                    misread += bool(mismatches(why, lang, depth, found.words))
                    if found.words in NO_ADVICE:
                        bare = re.sub("“[^“”]*”|《[^《》]*》", "", why.text(lang, depth, found.words))
                        promised += bool(PROMISES.search(bare))
                done += 1
        wrong += broken + misread + promised + (worst > SAME)
        told = f"{name} ({found.set_name or found.kind}): {done:,} explanations, sums within {worst:.1e}"
        told = f"{told}; {removals:,} removals, {broken} not as announced"
        told = f"{told}; {done * len(LANGUAGES):,} texts, {misread} mismatches"
        print(f"{told}, {promised} promises; {time.perf_counter() - begun:.0f} s", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
