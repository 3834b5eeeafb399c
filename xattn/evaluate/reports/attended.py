"""The attention of a model overall, by heads, ages and features: how much it looks there, and how much that moves.

For each user's first recommendation the report takes the share of a head's weight that falls on events of an age, and
the share of all |contribution| of the ledger that comes from these cells; for each feature its share of |contribution|
and the share of the score that it adds; for each head its share of both, and how many events it effectively looks at.
All are averaged over users.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from xattn.evaluate.reports.common import check_model, effective, figure, opening, people, sentence
from xattn.progress import Progress

__all__ = ["AGES", "attended"]

AGES = ("0", "1", "2–4", "5–9", "10–19", "20–49", "50+")
EDGES = (1, 2, 5, 10, 20, 50)  # ages at which the next group begins
NEWEST = 3  # groups that hold the five newest events
MOST_FEATURES = 40
BEHAVIOUR = "behaviour"  # block of values that do not split over features


def attended(model: Any, *, sample: int = 200, seed: int = 0, progress: Progress | None = None) -> dict[str, Any]:
    """A report of kind "attention": `rows` (head, age, weight, effect), `features`, `heads`; see the module's text.

    `sample` users are asked. Raises InputError for wrong arguments and NotFittedError before `fit`.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import CollaborativeAttention
    >>> model = CollaborativeAttention(min_events=1).fit(planted("recency", seed=0).data)
    >>> rows = attended(model, sample=20)["rows"]
    >>> rows[0]["head"], rows[0]["age"], rows[0]["weight"]["value"] > rows[1]["weight"]["value"]
    ('recency 3', '0', True)
    """
    model = check_model(model)
    asked = people(model, sample, 1, seed, progress)
    looked, moved, newest = _Table(), _Table(), _Table()
    features, signed, heads = _Table(), _Table(), {name: _Table() for name in ("weight", "effect", "events")}
    blocks: dict[str, str] = {}
    for one in asked:
        if not one.listed:
            continue
        target = one.listed[0]
        cells = model.cells_of(one.history, target)
        place = np.searchsorted(EDGES, one.history.age, side="right")
        size = sum(float(np.abs(head.contribution).sum()) for head in cells)
        attention = sum(float(head.weight.sum()) for head in cells)
        for table in (looked, moved, newest, features, signed, *heads.values()):
            table.next()
        for head in cells:
            weight, own = head.weight, np.abs(head.contribution)
            for age, name in enumerate(AGES):
                at = place == age
                looked.add((head.name, name), _part(weight[at].sum(), weight.sum()))
                moved.add((head.name, name), _part(own[at].sum(), size))
            newest.add("", _part(weight[place < NEWEST].sum(), attention))
            heads["weight"].add(head.name, _part(weight.sum(), attention))
            heads["effect"].add(head.name, _part(own.sum(), size))
            heads["events"].add(head.name, effective(weight))
            for at, name in enumerate(head.features):
                blocks[name] = name.partition(": ")[0] if name else BEHAVIOUR
                features.add(name, _part(own[:, at].sum(), size))
                signed.add(name, _part(float(head.contribution[:, at].sum()), abs(float(one.scores[target]))))
    rows = [
        {"head": head, "age": age, "weight": figure(values, seed), "effect": figure(moved[head, age], seed)}
        for (head, age), values in looked.items()
    ]
    listed = sorted(features.items(), key=lambda entry: -float(np.mean(entry[1])))[:MOST_FEATURES]
    return {
        **opening("attention", model, seed),
        "rows": rows,
        "features": [
            {
                "feature": name,
                "block": blocks[name],
                "contribution": figure(signed[name], seed),
                "share": figure(values, seed),
            }
            for name, values in listed
        ],
        "heads": [
            {
                "head": name,
                "weight_share": figure(values, seed),
                "effect_share": figure(heads["effect"][name], seed),
                "events": figure(heads["events"][name], seed),
            }
            for name, values in heads["weight"].items()
        ],
        "summary": _summary(heads, newest[""], moved),
    }


class _Table:
    """Key → one number a user, 0 where a user has none; several numbers of one user and key add up."""

    def __init__(self) -> None:
        self.users = 0
        self.values: dict[Any, list[float]] = defaultdict(list)

    def next(self) -> None:
        """The next user."""
        self.users += 1

    def add(self, key: Any, value: float) -> None:
        own = self.values[key]
        own += [0.0] * (self.users - len(own))
        own[-1] += float(value)

    def __getitem__(self, key: Any) -> np.ndarray:
        own = self.values[key]
        return np.array(own + [0.0] * (self.users - len(own)))

    def items(self) -> list[tuple[Any, np.ndarray]]:
        return [(key, self[key]) for key in self.values]


def _part(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole > 0 else 0.0


def _summary(heads: dict[str, _Table], newest: np.ndarray, moved: _Table) -> list[dict[str, Any]]:
    effects = {name: float(values.mean()) for name, values in heads["effect"].items()}
    if not effects or not any(effects.values()):
        return [sentence("no_attention")]
    strongest = max(effects, key=lambda name: effects[name])
    looked = float(newest.mean())  # of the attention of all heads together: a head counts by its share of it
    moving = sum(float(values.mean()) for (_, age), values in moved.items() if age in AGES[:NEWEST])
    return [
        sentence("strongest_head", head=strongest, share=effects[strongest]),
        sentence("newest_events", looked=looked, moving=moving),
    ]
