"""What a removal does, guessed and true: how far what people expect agrees with what happens, before and after they
have seen the ledger.

    agreement   the share of guesses that name what is then served; of one person and question the newest counts
    gain        agreement after − before, over the same guesses
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row

from xattn.live.satisfaction.intervals import Seen, mean, share

__all__ = ["OUTCOMES", "agreement", "outcome"]

OUTCOMES = ("leaves", "falls", "stays", "rises")


def outcome(before: int, after: int | None, k: int) -> str:
    """What became of an item at rank `before` of a list of k that is then at rank `after` (None: it may not be listed).

    >>> outcome(2, 11, 10), outcome(2, 4, 10), outcome(2, 2, 10), outcome(2, 1, 10)
    ('leaves', 'falls', 'stays', 'rises')
    """
    if after is None or after > k:
        return "leaves"
    return "stays" if after == before else "falls" if after > before else "rises"


def agreement(rows: Sequence[Row[Any]]) -> dict[str, Any]:
    """`guesses`, `people`, and of guesses `before` and `after` the share that are true, and the `gain`, with `ci95`."""
    newest: dict[tuple[str, ...], tuple[float, float]] = {}
    for row in rows:
        said = json.loads(row.answers)
        key = (row.user, str(row.list_id), said["item"], said["event"])
        newest[key] = (float(said["before"] == said["truth"]), float(said["after"] == said["truth"]))
    people = sorted({key[0] for key in newest})
    seen: list[list[Seen]] = [[], []]
    for user in people:
        own = np.array([pair for key, pair in newest.items() if key[0] == user])
        for side in (0, 1):
            seen[side].append(Seen(float(own[:, side].sum()), len(own)))
    gains = [after.hits / after.shown - before.hits / before.shown for before, after in zip(*seen, strict=True)]
    return {
        "guesses": len(newest),
        "people": len(people),
        "before": share(seen[0]),
        "after": share(seen[1]),
        "gain": mean(gains),
    }
