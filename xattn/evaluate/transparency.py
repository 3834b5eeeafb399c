"""The main parameters of a recommender, measured: the statement that people may ask for.

For drawn people and all k items of their lists, the size of a score's ledger is the base's lift over the least popular
item plus Σ |contribution|. A parameter is the base, or one head:

    share      its part of that size, averaged over the items of a list and over people; the shares add up to 1
    replaced   the part of the k places that other items would have without it, as the model then serves

The kinds of data that lists depend on are found by trial: each kind is taken from the histories, and the lists are made
again. `statement` puts all this into words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xattn.data import History
from xattn.evaluate.reports.common import Figure, Person, check_model, figure, people
from xattn.evaluate.statement import told
from xattn.kernels.topk import top_k
from xattn.progress import Progress
from xattn.recommenders import Recommender

__all__ = ["Parameter", "Transparency", "transparency"]

BASE = "base"
ROUNDING = 1e-9  # of sums in another order
TRIES = 20  # people whose lists are made again without a kind of data


@dataclass(frozen=True)
class Parameter:
    """One main parameter: a head by its name, or the base; `share` and `replaced` are figures with `ci95`."""

    name: str
    share: Figure
    replaced: Figure


@dataclass(frozen=True, eq=False)
class Transparency:
    """A statement about one fitted model; `text(lang)` says it in words, `to_dict()` gives it as plain values.

    `parameters` come by their share, the largest first; `features` (block → share of the ledgers, a figure) say which
    columns of the items count, and how much; `used` and `unused` are kinds of data: "events", "order", "opinions",
    "types", or "column: NAME" of the items.
    """

    model: str
    dataset: str
    users: int
    items: int
    events: int
    asked: int
    k: int
    parameters: tuple[Parameter, ...]
    features: dict[str, Figure]
    used: tuple[str, ...]
    unused: tuple[str, ...]

    def __repr__(self) -> str:
        first = self.parameters[0]
        share = "" if first.share["value"] is None else f" ({first.share['value']:.0%})"
        return f"<Transparency: {self.model} on {self.dataset}, most by {first.name}{share}>"

    def text(self, lang: str = "en") -> str:
        """The statement in English ("en") or Chinese ("zh"), a paragraph a line. Raises InputError for others."""
        return "\n".join(told(self.to_dict(), lang))

    def to_dict(self) -> dict[str, Any]:
        """The statement as plain lists and dicts, with its text in both languages left out."""
        parameters = [{"name": own.name, "share": own.share, "replaced": own.replaced} for own in self.parameters]
        plain = {name: getattr(self, name) for name in ("model", "dataset", "users", "items", "events", "asked", "k")}
        return {
            **plain,
            "parameters": parameters,
            "features": [{"name": name, "share": share} for name, share in self.features.items()],
            "used": list(self.used),
            "unused": list(self.unused),
        }


def transparency(
    model: Any, *, k: int = 10, sample: int = 100, seed: int = 0, progress: Progress | None = None
) -> Transparency:
    """The main parameters of a fitted model and their measured weight; see `Transparency`, and the module's text.

    `sample` people are drawn evenly over the lengths of histories, and their lists of `k` are looked at. Raises
    InputError for wrong arguments and NotFittedError before `fit`. What rules ask for such a statement:
    docs/transparency.md.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import HybridAttention
    >>> said = transparency(HybridAttention(min_events=2).fit(planted("genre", seed=0).data), sample=20)
    >>> round(sum(own.share["value"] for own in said.parameters), 9), "order" in said.used
    (1.0, True)
    """
    model = check_model(model)
    asked = people(model, sample, k, seed, progress)
    names = (BASE, *dict.fromkeys(model.head_names))
    shares: dict[str, list[float]] = {name: [] for name in names}
    replaced: dict[str, list[float]] = {name: [] for name in names}
    features: defaultdict[str, dict[int, float]] = defaultdict(dict)
    without = {name: model.without_heads([name]) for name in names if name != BASE}
    kept: list[Person] = []
    for one in asked:
        if not one.listed:
            continue
        size, blocks = _sizes(model, one)
        for name in {*names, *size} - {*shares}:  # heads that cannot be left out one by one
            shares[name] = [0.0] * len(kept)
        for name, own in shares.items():
            own.append(size.get(name, 0.0))
        for name, twin in without.items():
            replaced[name].append(_replaced(one, twin.scores_of(one.history), k))
        replaced[BASE].append(_replaced(one, one.scores - model.base_, k))
        for name, share in blocks.items():
            features[name][len(kept)] = share
        kept.append(one)
    measured = [
        Parameter(name, figure(own, seed), figure(replaced.get(name, []), seed)) for name, own in shares.items()
    ]
    by_block = {name: [own.get(n, 0.0) for n in range(len(kept))] for name, own in features.items()}
    by_block = {name: own for name, own in by_block.items() if any(own)}
    used, unused = _data(model, kept[:: max(1, len(kept) // TRIES)], set(by_block))
    data = model.data_
    return Transparency(
        type(model).__name__,
        data.name,
        data.n_users,
        data.n_items,
        data.n_events,
        len(kept),
        k,
        tuple(sorted(measured, key=lambda own: -(own.share["value"] or 0.0))),
        {name: figure(own, seed) for name, own in sorted(by_block.items(), key=lambda pair: -sum(pair[1]))},
        used,
        unused,
    )


def _sizes(model: Recommender, one: Person) -> tuple[dict[str, float], dict[str, float]]:
    """Parameter → share of the ledgers of a list, and block of features → share."""
    found: defaultdict[str, float] = defaultdict(float)
    blocks: defaultdict[str, float] = defaultdict(float)
    lowest = float(model.base_.min())
    for target in one.listed:
        cells = model.cells_of(one.history, target)
        amounts = [np.abs(head.contribution) for head in cells]
        lift = max(float(model.base_[target]) - lowest, 0.0)
        size = lift + sum(float(own.sum()) for own in amounts)
        if size <= 0.0:  # a ledger of noughts: what is left is the base
            lift = size = 1.0
        found[BASE] += lift / size / len(one.listed)
        for head, own in zip(cells, amounts, strict=True):
            found[head.name] += float(own.sum()) / size / len(one.listed)
            for at, name in enumerate(head.features):
                if name:
                    blocks[name.partition(": ")[0]] += float(own[:, at].sum()) / size / len(one.listed)
    return found, blocks


def _replaced(one: Person, scores: np.ndarray, k: int) -> float:
    """The part of a list that `scores` would replace."""
    best = top_k(scores[None, :], one.allowed[None, :], k).items[0]
    return len(set(one.listed) - set(best.tolist())) / len(one.listed)


# --- which data -------------------------------------------------------------------------------------------------------


def _reversed(history: History) -> History:
    turned = {name: own[::-1] for name in ("rating", "kind") if (own := getattr(history, name)) is not None}
    return replace(history, item=history.item[::-1], **turned)


def _without_opinions(history: History) -> History:
    return replace(history, rating=None if history.rating is None else np.full(len(history), np.nan))


def _without_types(history: History) -> History:
    return replace(history, kind=None if history.kind is None else np.full(len(history), "", object))


TRIED: dict[str, Callable[[History], History]] = {
    "order": _reversed,
    "opinions": _without_opinions,
    "types": _without_types,
}


def _differ(scores: np.ndarray, others: np.ndarray) -> bool:
    return bool(np.any(np.abs(scores - others) > ROUNDING * np.maximum(1.0, np.abs(scores))))


def _data(model: Recommender, some: list[Person], blocks: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which kinds of the data that are there move lists, and which do not."""
    data = model.data_
    there = {"order": True, "opinions": data.rating is not None, "types": data.kind is not None}
    moves = {"events": any(_differ(one.scores, model.base_) for one in some)}
    for name, changed in TRIED.items():
        if there[name]:
            moves[name] = any(_differ(one.scores, model.scores_of(changed(one.history))) for one in some)
    for column in dict.fromkeys([*map(str, data.items.frame.columns), *sorted(blocks)]):
        moves[f"column: {column}"] = column in blocks
    return (
        tuple(name for name, does in moves.items() if does),
        tuple(name for name, does in moves.items() if not does),
    )
