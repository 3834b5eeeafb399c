"""What attention shows in a field, and what it does not: three figures about a fitted model, each with its interval.

    points    among people, how often the event with most attention is also the one whose removal costs the first
              item of the list most; `chance` is what a blind guess among the same events would reach
    base      the part of what speaks for a first item that is its base: popularity, whoever asks
    leaning   the share of places in lists that the most popular tenth of the items has; `events` is its share of events

Attention that shows what decides would give points near 1; lists that lean no further than behaviour would give leaning
near `events`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xattn.errors import check_whole, refuse
from xattn.evaluate.reports.common import Figure, figure
from xattn.progress import Progress, steps
from xattn.recommenders import Recommender

__all__ = ["Claims", "check_claims"]

FEWEST = 3  # items that somebody had: of two, a guess is right half of the time
MOST_EVENTS = 200  # of a history: all removals of each are worked out
TENTH = 10


class Claims(NamedTuple):
    """The figures of the module's head, about so many `people`."""

    people: int
    points: Figure
    chance: float
    base: Figure
    leaning: Figure
    events: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return self._asdict()


def check_claims(
    model: Recommender,
    *,
    seen: str = "drop",
    people: int = 40,
    k: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> Claims:
    """Look at the lists of `people` users, drawn with the `seed`, of those who had three items or more.

    Raises InputError for wrong arguments, and where nobody has so many.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> found = check_claims(ItemKNN().fit(planted("genre", seed=0).data), people=10)
    >>> found.people, 0 <= found.points["value"] <= 1
    (10, True)
    """
    data = model.data_
    people, seed = check_whole("people", people, low=1), check_whole("seed", seed)
    k = min(check_whole("k", k, low=1), data.n_items)
    pairs = np.unique(data.user * data.n_items + data.item) // data.n_items
    had = np.bincount(pairs, minlength=data.n_users)
    fitting = np.flatnonzero((had >= FEWEST) & (np.diff(data.indptr) <= MOST_EVENTS))
    if not len(fitting):
        refuse("scenario_person")
    chosen = np.sort(np.random.default_rng(seed).permutation(fitting)[:people])
    counts = data.counts()
    top = np.zeros(data.n_items, bool)
    top[np.argsort(-counts, kind="stable")[: max(1, data.n_items // TENTH)]] = True
    points, chance, base, leaning = [], [], [], []
    for row in steps(progress, "explaining", chosen.tolist()):
        user = data.user_ids[row]
        listed = model.recommend(user=user, k=k, seen=seen)["item"].tolist()
        if not listed:
            continue
        leaning.append(float(top[data.items.rows(listed)].mean()))
        why = model.explain(user=user, item=listed[0], k=k, seen=seen)
        events = why.events()
        weight, effect = events["weight"].to_numpy(np.float64), events["effect"].to_numpy(np.float64)
        if weight.max() > 0:
            points.append(float(effect[np.argmax(weight)] <= effect.min()))
            chance.append(1 / len(events))
        amounts = events["contribution"].to_numpy(np.float64)
        for_it = float(amounts[amounts > 0].sum()) + max(why.base, 0.0)
        if for_it > 0:
            base.append(max(why.base, 0.0) / for_it)
    return Claims(
        people=len(chosen),
        points=figure(points, seed),
        chance=float(np.mean(chance)) if chance else 0.0,
        base=figure(base, seed),
        leaning=figure(leaning, seed),
        events=float(counts[top].sum() / counts.sum()),
    )
