"""Is the part that made people choose named first? Planted words, patches and tones, with and without noise.

    python benchmarks/planted_parts.py [seeds]

For every user whose last item has the key that they follow, the item is explained from the events before it, by a
model that was fitted without it. Shares of these users: the block of the key is the first of all blocks; the part that
is the key is the first of its block (on the side of the item); the lure is.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np

from xattn import ContentAttention
from xattn.data.feature_set import places_of
from xattn.data.synthetic_parts import PART_KINDS, PlantedPart, planted_part
from xattn.explain.parts import parts_of_block
from xattn.features import make_features
from xattn.features.media.pictures import Pictures
from xattn.features.media.sounds import Sounds


def prepared(truth: PlantedPart) -> PlantedPart:
    """With the block "look" among the features of the items."""
    if truth.kind == "word":
        return truth
    items = truth.data.items
    block = Pictures() if truth.kind == "patch" else Sounds()
    made = make_features(replace(items, frame=items.frame.assign(look=truth.cells)), {"look": block})
    return replace(truth, data=replace(truth.data, items=items.with_features(made)))


def slot(truth: PlantedPart, place: tuple[float, ...], number: int) -> int:
    """Which word, field or quarter a part lies in."""
    if truth.kind == "word":
        return number
    if truth.kind == "patch":
        return int(place[1] * 4) * 4 + int(place[0] * 4)
    return int(place[0] * 4)


def rates(kind: str, fusion: str, noise: float, seed: int) -> dict[str, float]:
    truth = prepared(planted_part(kind, seed=seed, noise=noise))
    data = truth.data
    last = data.indptr[1:] - 1
    train = data.select(~np.isin(np.arange(data.n_events), last))
    model = ContentAttention(fusion=fusion, content_recency=100.0, random_state=seed).fit(train)
    found = {"block": 0, "part": 0, "lure": 0}
    asked = truth.caused.nonzero()[0].tolist()
    items = model.data_.items
    places = places_of(parts_of_block(items, "look"))
    for user in asked:
        target = int(truth.target[user])
        why = model.explain(user=data.user_ids[user], item=data.items.ids[target])
        found["block"] += why.by("block")["block"].iloc[0] == "look"
        parts = why.parts("look", side="target").groupby("place")["contribution"].sum()
        first = int(parts.idxmax()) if len(parts) else -1
        at = slot(truth, places(target)[first], first) if first >= 0 and places is not None else -1
        found["part"] += at == truth.key_place[target]
        found["lure"] += at == truth.lure_place[target]
    return {"asked": len(asked), **{name: round(n / len(asked), 4) for name, n in found.items()}}


def main() -> None:
    seeds = int(sys.argv[1]) if sys.argv[1:] else 3
    for kind in PART_KINDS:
        for fusion in ("multiply", "softmax"):
            for noise in (0.0, 0.2):
                for seed in range(seeds):
                    facts = {"kind": kind, "fusion": fusion, "noise": noise, "seed": seed}
                    print(json.dumps({**facts, **rates(kind, fusion, noise, seed)}), flush=True)


if __name__ == "__main__":
    main()
