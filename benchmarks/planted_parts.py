"""Is the part that made people choose named first? Planted words, patches and tones, with and without noise.

    python benchmarks/planted_parts.py [seeds]             the ledger
    python benchmarks/planted_parts.py [seeds] others      LIME and Kernel SHAP beside it, by their own packages

For every user whose last item has the key that they follow, the item is explained from the events before it, by a
model that was fitted without it. Shares of these users: the block of the key is the first of all blocks; the part that
is the key is the first of its block (on the side of the item); the lure is.

LIME and Kernel SHAP (for the first 50 people) ask the same model for the score of the item without some parts, as
`without_parts` serves it. What a block says is the sum of its parts; the other block is one part of its own.
Their packages are no dependencies of xattn: ``pip install lime shap``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy import sparse

from xattn import ContentAttention, History
from xattn.data.feature_set import places_of
from xattn.data.synthetic_parts import PART_KINDS, planted_part
from xattn.explain.parts import parts_of_block
from xattn.features import feature_set
from xattn.features.planted import with_look


class Masked:
    """The score of one item for one history with some of its components taken out: the P parts of the block "look",
    then each other block as a whole. Masks (n, P + others) hold 1 for what stays."""

    def __init__(self, model: ContentAttention, history: History, target: int) -> None:
        self.model, self.history, self.target = model, history, target
        items = model.data_.items
        features = feature_set(items)
        self.names = features.names
        parts = sparse.csr_array(parts_of_block(items, "look")(target)[1])
        self.n_parts, own = parts.shape[0], np.zeros((parts.shape[0], len(features)))
        own[:, features.of_block("look")] = parts.toarray()
        others = [block for block in features.columns if block != "look"]
        whole = np.zeros((len(others), len(features)))
        for row, block in enumerate(others):
            whole[row, features.of_block(block)] = features.F[[target]].toarray()[0, features.of_block(block)]
        self.brings = np.concatenate([own, whole])
        self.score = float(model.explain(history=history, item=items.ids[target]).score)

    def __call__(self, masks: np.ndarray) -> np.ndarray:
        less = sparse.csr_array((1.0 - masks) @ self.brings)
        out = np.full(len(masks), self.score)
        for part in self.model.parts_:
            w = self.model._strength(part.strength, self.history)
            out += part.effects(self.history, w, self.target, self.target, self.names, less)
        return out


def lime(score: Masked, rng: np.random.Generator) -> np.ndarray:
    """What the package lime gives each component: its rule of sampling for texts, its kernel, its ridge regression."""
    from lime.lime_base import LimeBase

    n = len(score.brings)
    masks = np.ones((SAMPLES, n))
    for row in masks[1:]:
        row[rng.choice(n, rng.integers(1, n + 1), replace=False)] = 0.0
    kept = masks.sum(axis=1) / n
    distance = 100 * (1.0 - np.sqrt(kept))  # of the cosine between a mask and all ones

    def kernel(d: np.ndarray) -> np.ndarray:
        return np.asarray(np.sqrt(np.exp(-(d**2) / LIME_WIDTH**2)))

    base = LimeBase(kernel, random_state=np.random.RandomState(int(rng.integers(2**31))))
    _, found, _, _ = base.explain_instance_with_data(
        masks, score(masks)[:, None], distance, 0, n, feature_selection="none"
    )
    out = np.zeros(n)
    for component, weight in found:
        out[component] = weight
    return out


def kernel_shap(score: Masked, rng: np.random.Generator) -> np.ndarray:
    """What the package shap gives each component against an item that has none of them."""
    import shap

    n = len(score.brings)
    explainer = shap.KernelExplainer(score, np.zeros((1, n)), seed=int(rng.integers(2**31)))
    return np.asarray(explainer.shap_values(np.ones((1, n)), nsamples=SAMPLES, l1_reg=False, silent=True)).reshape(n)


SAMPLES = 1000  # masks
MOST_ASKED = 50  # people of one setting, where others are asked
LIME_WIDTH = 25.0  # lime's own for texts
OTHERS: dict[str, Callable[[Masked, np.random.Generator], np.ndarray]] = {"lime": lime, "kernel_shap": kernel_shap}


def has_others() -> bool:
    """The packages are there; a sentence where they are not."""
    missing = [name for name in ("lime", "shap") if find_spec(name) is None]
    if missing:
        print(f"This comparison needs packages: pip install {' '.join(missing)}", file=sys.stderr)
    return not missing


def rates(kind: str, fusion: str, noise: float, seed: int, explainers: tuple[str, ...] = ("ledger",)) -> dict[str, Any]:
    """Shares of the users by explainer: `block`, `part`, `lure` first; and `ms`, the mean time of one explanation."""
    truth = with_look(planted_part(kind, seed=seed, noise=noise))
    data = truth.data
    last = data.indptr[1:] - 1
    train = data.select(~np.isin(np.arange(data.n_events), last))
    model = ContentAttention(fusion=fusion, content_recency=100.0, random_state=seed).fit(train)
    rng = np.random.default_rng(seed)
    asked = truth.caused.nonzero()[0][: None if explainers == ("ledger",) else MOST_ASKED].tolist()
    items = model.data_.items
    places = places_of(parts_of_block(items, "look"))
    found = {name: {"block": 0.0, "part": 0.0, "lure": 0.0, "ms": 0.0} for name in explainers}
    for user in asked:
        target = int(truth.target[user])
        for name in explainers:
            begun = time.perf_counter()
            first_block, first = (
                ledger_says(model, data.user_ids[user], items.ids[target])
                if name == "ledger"
                else (other_says(name, Masked(model, model.history(data.user_ids[user]), target), rng))
            )
            found[name]["ms"] += 1000 * (time.perf_counter() - begun)
            at = truth.slot(first, places(target)[first]) if first >= 0 and places is not None else -1
            found[name]["block"] += first_block
            found[name]["part"] += at == truth.key_place[target]
            found[name]["lure"] += at == truth.lure_place[target]
    each = {name: {what: round(n / len(asked), 4) for what, n in of.items()} for name, of in found.items()}
    return {"asked": len(asked), **(each["ledger"] if explainers == ("ledger",) else each)}


def ledger_says(model: ContentAttention, user: str, item: str) -> tuple[bool, int]:
    """Whether "look" is the first block, and its first part."""
    why = model.explain(user=user, item=item)
    parts = why.parts("look", side="target").groupby("place")["contribution"].sum()
    return bool(why.by("block")["block"].iloc[0] == "look"), int(parts.idxmax()) if len(parts) else -1


def other_says(name: str, score: Masked, rng: np.random.Generator) -> tuple[bool, int]:
    """The same of another explainer."""
    amounts = OTHERS[name](score, rng)
    own, others = amounts[: score.n_parts], amounts[score.n_parts :]
    return bool(own.sum() > others.max(initial=-np.inf)), int(own.argmax()) if len(own) else -1


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    seeds, explainers = (numbers or [3])[0], ("ledger",)
    if "others" in sys.argv:
        if not has_others():
            raise SystemExit(2)
        explainers = ("ledger", *OTHERS)
    for kind in PART_KINDS:
        for fusion in ("multiply", "softmax"):
            for noise in (0.0, 0.2):
                for seed in range(seeds):
                    facts = {"kind": kind, "fusion": fusion, "noise": noise, "seed": seed}
                    print(json.dumps({**facts, **rates(kind, fusion, noise, seed, explainers)}), flush=True)


if __name__ == "__main__":
    main()
