"""What a foreign model must hold before anything is explained: it is asked about a few histories of the data.

Its answers are tables of the right size, finite, the same when it is asked again, and the same whoever else is asked
about together. A model that answers for an empty history gives the base; one that cannot is told to state it.
"""

from __future__ import annotations

import numpy as np

from xattn.data import Interactions
from xattn.errors import InputError, check_array, refuse
from xattn.recommenders.foreign.asking import Asked

__all__ = ["base_of", "check_answers", "goes_along", "probes_of"]

PEOPLE = 4  # whose histories are asked about: the longest, the shortest, and some between
LONGEST = 50  # events of a history that is asked about here
CLOSE = 1e-5  # of the larger of 1 and the largest score: what arithmetic in another order may differ by


def probes_of(data: Interactions) -> list[np.ndarray]:
    """Item rows of a few histories of several lengths, one of one event among them."""
    length = np.diff(data.indptr)
    users = np.flatnonzero(length)
    users = users[np.argsort(length[users], kind="stable")]
    chosen = np.unique(users[np.linspace(0, len(users) - 1, PEOPLE).astype(int)]).tolist()
    found = [data.item[data.events_of(user)][-LONGEST:] for user in chosen]
    return [found[-1][-1:], *found]


def check_answers(asked: Asked, histories: list[np.ndarray]) -> np.ndarray:
    """(R, M) the scores of the histories. Raises InputError where the answers are none, or change."""
    together = asked.fresh(histories)
    again = asked.fresh(histories)
    if not close(together, again):
        refuse("foreign_random", got=_apart(together, again))
    alone = np.concatenate([asked.asked([rows]) for rows in histories])
    if not close(together, alone):
        refuse("foreign_batch", got=_apart(together, alone))
    return together


def base_of(asked: Asked) -> np.ndarray:
    """(M,) what each item scores without any history: as stated, or as the model answers. Raises InputError."""
    stated = asked.foreign.base
    if stated is not None:
        base = check_array("base", stated, ndim=1, dtype=np.float64)
        if len(base) != len(asked.place):
            refuse("foreign_base", got=len(base), n=len(asked.place))
        return base
    try:
        found: np.ndarray = asked.asked([np.zeros(0, np.int64)])[0]
    except InputError as problem:
        refuse("foreign_empty", because=problem, why=problem.code, **problem.fields)
    return found


def goes_along(asked: Asked, histories: list[np.ndarray]) -> bool:
    """Whether one pass over a history gives what the model answers for each of its beginnings."""
    if asked.foreign.along is None:
        return False
    rows = max(histories, key=len)
    try:
        passed = asked.along(rows)
    except InputError:
        return False
    return close(passed, asked.fresh([rows[: n + 1] for n in range(len(rows))]))


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two tables of scores are equal but for rounding."""
    return _apart(a, b) <= CLOSE * max(1.0, float(np.abs(a).max(initial=0.0)))


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max(initial=0.0))
