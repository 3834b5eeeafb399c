"""Synthetic data with a planted cause: for each user it is known which earlier event made the last one happen.

Each user's last event is the target; `cause` marks the earlier events that it comes from. Everything else is noise,
so an explanation that is right ranks the marked events first. Six kinds of cause:

    genre        the user likes one genre: liked events are rated 4–5, others 1–2; target = another item of that genre
    copurchase   item a leads to item b wherever a stands in the history; target = the b of the one a that occurs
    recency      the newest event alone leads on: target = the successor of the last item before it
    dislike      the user rates one genre 1 and then stays away from it: asked about is an item of that genre that the
                 user never took, and the marked events speak *against* it
    distractor   as copurchase, and the newest event, which recency attends to most, is never the cause: it is noise
    dwell        the user looks at items of two genres as often, and stays long with two of one: target = another item
                 of its genre; the other events of that genre lure

With `noise`, that share of the users did something else at last, drawn from the targets of all users: their target has
no cause. A model learns from them too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from xattn.data.interactions import Interactions
from xattn.data.items import ItemTable
from xattn.data.scale import Scale
from xattn.errors import check_choice, check_probability, check_whole

__all__ = ["KINDS", "Planted", "planted"]

KINDS = ("genre", "copurchase", "recency", "dislike", "distractor", "dwell")
RATED = ("genre", "dislike", "dwell")  # kinds with ratings, or with seconds
GENRES = ("action", "comedy", "drama", "romance")
SHORT, LONG = 10.0, 300.0  # seconds that people of the kind dwell stay with what they leave, and with what holds them
LENGTH = 8  # events of a user before the target


@dataclass(frozen=True, eq=False)
class Planted:
    """`data`, and the truth about it.

    `target` (U,): the event index of each user's last event. `asked` (U,): the item row that is to be explained from
    the events before it: that of the last event, in the kind dislike one that the user stays away from. `cause` (N,)
    bool: true for the events that it comes from (at least one per user whose target is no noise, never the target
    itself). `lure` (N,) bool: true for events that are attended and irrelevant; some only in distractor and dwell.
    """

    kind: str
    data: Interactions
    target: np.ndarray
    asked: np.ndarray
    cause: np.ndarray
    lure: np.ndarray

    @property
    def against(self) -> bool:
        """Whether the causes speak against what is asked about."""
        return self.kind == "dislike"

    def causes_of(self, user_row: int) -> np.ndarray:
        """Positions in the user's history (0 is the oldest) of the events that caused the target."""
        return np.flatnonzero(self.cause[self.data.events_of(user_row)])

    def lures_of(self, user_row: int) -> np.ndarray:
        """Positions in the user's history of the events that are attended and irrelevant."""
        return np.flatnonzero(self.lure[self.data.events_of(user_row)])


def planted(kind: str, n_users: int = 200, n_items: int = 40, seed: int = 0, noise: float = 0.0) -> Planted:
    """Data of one of the `KINDS`: n_users users with nine events each; the same seed gives the same data.

    `noise` in [0, 1] is the chance that a user's target is drawn at random. Raises InputError for an unknown kind,
    n_users < 1, n_items < 40 (each genre must have enough items to choose from), or a noise that is no probability.

    >>> truth = planted("recency", n_users=3, seed=1)
    >>> truth.data.n_events, truth.causes_of(0)
    (27, array([7]))
    """
    check_choice("kind", kind, KINDS)
    U = check_whole("n_users", n_users, low=1)
    M = check_whole("n_items", n_items, low=40)
    noise = check_probability("noise", noise)
    rng = np.random.default_rng(check_whole("seed", seed))
    make = {
        "genre": _genre,
        "copurchase": _copurchase,
        "recency": _recency,
        "dislike": _dislike,
        "distractor": _distractor,
        "dwell": _dwell,
    }[kind]
    histories = [make(rng, M) for _ in range(U)]
    item = np.array([items for items, _, _ in histories])
    cause = np.array([causes for _, causes, _ in histories])
    rating = np.concatenate([ratings for _, _, ratings in histories]) if kind in RATED else None
    lure = np.zeros_like(cause)
    lure[:, LENGTH - 1] = kind == "distractor"
    if kind == "dwell":
        lure = (item % len(GENRES) == item[:, -1:] % len(GENRES)) & ~cause
        lure[:, LENGTH] = False
    if noise > 0:
        _without_cause(item, cause, rng.random(U) < noise, rng)
    asked = _avoided(item, cause, rng, M) if kind == "dislike" else item[:, -1].copy()
    item, cause, lure = item.ravel(), cause.ravel(), lure.ravel()
    names = tuple(f"i{row}" for row in range(M))
    titles = tuple(f"Item {row} ({_genre_name(row)})" for row in range(M))
    table = ItemTable(names, titles, pd.DataFrame({"genres": [_genre_name(row) for row in range(M)]}))
    indptr = np.arange(U + 1) * (LENGTH + 1)
    time = np.tile(np.arange(LENGTH + 1.0), U)
    data = Interactions(f"planted-{kind}", tuple(f"u{row}" for row in range(U)), table, indptr, item, rating, time,
                        scale=Scale(0.0, SHORT, "dwell") if kind == "dwell" else None)  # fmt: skip
    target = indptr[1:] - 1
    for array in (target, asked, cause, lure):
        array.flags.writeable = False
    return Planted(kind, data, target, asked, cause, lure)


def _avoided(item: np.ndarray, cause: np.ndarray, rng: np.random.Generator, M: int) -> np.ndarray:
    """(U,) an item of the genre of each user's causes that the user has not met; any item where there is no cause."""
    asked = np.empty(len(item), np.int64)
    for user, (own, causes) in enumerate(zip(item, cause, strict=True)):
        free = np.setdiff1d(np.arange(M), own)
        asked[user] = rng.choice(free[free % len(GENRES) == own[causes][0] % len(GENRES)] if causes.any() else free)
    return asked


def _without_cause(item: np.ndarray, cause: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> None:
    """Give the `chosen` users (U,) a target of other users that they have not met; no event causes it."""
    targets = item[:, -1].copy()
    for user in np.flatnonzero(chosen).tolist():
        free = targets[~np.isin(targets, item[user, :-1])]
        item[user, -1] = rng.choice(free) if len(free) else item[user, -1]
        cause[user] = False


def _genre_name(row: int) -> str:
    return GENRES[row % len(GENRES)]


def _genre(rng: np.random.Generator, M: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    taste = rng.integers(len(GENRES))
    genre = np.arange(M) % len(GENRES)
    n_liked = int(rng.integers(2, LENGTH - 1))
    liked = rng.choice(np.flatnonzero(genre == taste), n_liked + 1, replace=False)
    other = rng.choice(np.flatnonzero(genre != taste), LENGTH - n_liked, replace=False)
    history = rng.permutation(np.concatenate([liked[1:], other]))
    items = np.append(history, liked[0])
    cause = np.append(genre[history] == taste, False)
    rating = np.where(genre[items] == taste, rng.integers(4, 6, items.size), rng.integers(1, 3, items.size))
    return items, cause, rating.astype(np.float64)


def _copurchase(rng: np.random.Generator, M: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A quarter of the items are causes a, the next quarter their effects b = a + M // 4, the rest noise."""
    a = int(rng.integers(M // 4))
    where = int(rng.integers(LENGTH))
    items = np.append(rng.choice(np.arange(M // 2, M), LENGTH, replace=False), a + M // 4)
    items[where] = a
    return items, np.arange(LENGTH + 1) == where, np.ones(LENGTH + 1)


def _recency(rng: np.random.Generator, M: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    items = rng.choice(M, LENGTH + 1, replace=False)
    successor = (items[LENGTH - 1] + 1) % M
    if successor in items[:LENGTH]:  # it stood in the history already: an item that nobody had takes its place there
        items[:LENGTH][items[:LENGTH] == successor] = items[LENGTH]
    items[LENGTH] = successor
    return items, np.arange(LENGTH + 1) == LENGTH - 1, np.ones(LENGTH + 1)


def _dislike(rng: np.random.Generator, M: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One to three events of a genre are rated 1; everything else is of other genres, and liked."""
    hated = rng.integers(len(GENRES))
    genre = np.arange(M) % len(GENRES)
    n = int(rng.integers(1, 4))
    bad = rng.choice(np.flatnonzero(genre == hated), n, replace=False)
    good = rng.choice(np.flatnonzero(genre != hated), LENGTH + 1 - n, replace=False)
    items = np.append(rng.permutation(np.concatenate([bad, good[1:]])), good[0])
    cause = np.isin(items, bad)
    return items, cause, np.where(cause, 1.0, rng.integers(4, 6, items.size))


def _distractor(rng: np.random.Generator, M: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As copurchase, but never is the newest event the cause: it is as any other of the noise, and attended most."""
    a = int(rng.integers(M // 4))
    where = int(rng.integers(LENGTH - 1))
    items = np.append(rng.choice(np.arange(M // 2, M), LENGTH, replace=False), a + M // 4)
    items[where] = a
    return items, np.arange(LENGTH + 1) == where, np.ones(LENGTH + 1)


def _dwell(rng: np.random.Generator, M: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four items of each of two genres, in any order. Two of one genre hold the user for about LONG seconds, which the
    target follows; the other two of that genre for about SHORT ones, as all of the second genre."""
    genre = np.arange(M) % len(GENRES)
    held, other = rng.choice(len(GENRES), 2, replace=False)
    own = rng.choice(np.flatnonzero(genre == held), LENGTH // 2 + 1, replace=False)
    rest = rng.choice(np.flatnonzero(genre == other), LENGTH // 2, replace=False)
    items = np.append(rng.permutation(np.concatenate([own[1:], rest])), own[0])
    cause = np.isin(items, own[1:3])
    long = cause | (items == own[0])
    return items, cause, np.where(long, LONG, SHORT) * rng.uniform(0.5, 1.5, items.size)
