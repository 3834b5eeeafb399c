"""The words, in full: generated explanations of movielens-small, each read back to its last number and name.

    python benchmarks/words.py [--count 10000] [--model NAME] [--seed 0]

Draws users, items, depths and scenarios at random, one in four an item outside the list, one in eight someone new with
a handful of events. Each text, in English and in Chinese, is parsed by the catalogue's wordings, and every claim is
looked up again: sums in the frame of cells, removals and sets by serving the masked history. Ends with 1 on a mismatch.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

import numpy as np

import xattn
from xattn.explain import DEPTHS, SCENARIOS
from xattn.i18n import LANGUAGES
from xattn.testing.claims import read_back
from xattn.testing.texts import mismatches

LONGEST = 300  # events: longer histories take most of the time and tell nothing new
FROM_ONE_PERSON = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="texts in each language")
    parser.add_argument("--model", default="HybridAttention", help="a recommender, or a file of `xattn fit`")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.model.endswith(".npz"):
        model = xattn.load_model(asked.model)
    else:
        model = getattr(xattn, asked.model)().fit(xattn.load_dataset("movielens-small"))
    data, rng = model.data_, np.random.default_rng(asked.seed)
    people = np.flatnonzero(np.diff(data.indptr) <= LONGEST)
    claims, wrong, done, start = Counter[str](), 0, 0, time.perf_counter()
    while done < asked.count:
        if rng.random() < 1 / 8:
            items = rng.choice(data.n_items, rng.integers(1, 7), replace=False)
            given = [(data.items.ids[j], float(rng.integers(1, 11)) / 2) for j in items]
            history = model.history(history=given)
        else:
            history = model.history(data.user_ids[int(rng.choice(people))])
        listed = model.recommend(history=history)["item"].tolist()
        for _ in range(min(FROM_ONE_PERSON, asked.count - done)):
            item = str(rng.choice(listed)) if rng.random() < 3 / 4 else data.items.ids[int(rng.integers(data.n_items))]
            why = model.explain(history=history, item=item)
            depth, scenario = DEPTHS[int(rng.integers(3))], SCENARIOS[int(rng.integers(len(SCENARIOS)))]
            for lang in LANGUAGES:
                found = mismatches(why, lang, depth, scenario)
                claims.update(claim.key for claim in read_back(why.text(lang, depth, scenario), lang, depth, scenario))
                if found:
                    wrong += 1
                    print(f"{history!r}, item {item}, {lang}, {depth}: {found}")
            done += 1
        if done % 1000 < FROM_ONE_PERSON and sys.stderr.isatty():
            print(f"{done:,} read", file=sys.stderr)
    seconds = time.perf_counter() - start
    told = f"{done:,} texts in each of {len(LANGUAGES)} languages, {claims.total():,} claims"
    print(f"{told}, {wrong} mismatches, {seconds:.0f} s")
    print(", ".join(f"{key.removeprefix('words.')} {count:,}" for key, count in claims.most_common()))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
