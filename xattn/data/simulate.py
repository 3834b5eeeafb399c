"""Simulated people over given items: every choice is known to the last term, so a ledger can be held against the truth.

Each column of the items is cut into indicator features F (M, d) ∈ {0, 1}: a text into its tokens (parted by `|`), a
number into its lower, middle and upper third. At step t person u sees a set of items on offer and takes

    j* = argmax_j  U_j + g_j,   g_j from Gumbel(0, 1), so P(j) ∝ exp U_j  (the multinomial logit: McFadden 1974)

    U_j = popularity · b_j                b_j = −ln(rank of j), the ranks drawn once: a few items are met by many
        + taste · Σ_f θ_f F_jf            θ_f = 1 for each feature that u loves, −1 for one that u avoids, else 0
        + pull · [j is the companion of one of the last `memory` events]
        − ln 2 · age_j / half_life        the odds of an item halve with every half-life, in days since it appeared

With the chance `noise` an event is drawn from all on offer instead: it has no cause. On offer is what has appeared and,
unless `repeats`, was not had before; with `exposure` = n, of these the n with the largest popularity · b_j + g'_j, as a
shop window shows what sells. Events come in sessions of about `session` events, minutes apart, with days between; when
a session begins, with the chance `drift` u loves another feature in the place of one.

An event is *decisive* for a later one if without the pull of its item, everything else and g being the same, another
item had been taken. People have about `n_events` events (Poisson, two at least, and never more than there are items).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from xattn.data.interactions import Interactions
from xattn.data.items import ItemTable
from xattn.errors import check_number, check_probability, check_type, check_whole, refuse

__all__ = ["Simulated", "Tastes", "indicators", "simulate"]

DAY = 86_400.0
START = 1_700_000_000.0  # seconds since 1970: the first day of every simulation
SPAN = 30.0  # days within which people come for the first time, and items appear where they age
GAP = 2.0  # days between sessions, on average
AT_FIRST = 0.3  # of the items that age: those that are there from the first day
NO_EVENT = -1
AGES = ("18-34", "35-54", "55+")
SEXES = ("f", "m")


@dataclass(frozen=True, kw_only=True)
class Tastes:
    """How people choose; the letters and terms are those of the module. Raises InputError for values out of bounds.

    `loved` features a person, `taste`, `popularity` and `pull` are weights ≥ 0, `memory` counts events, `paired` is the
    share of items that have a companion, `half_life` days (None: nothing ages), `exposure` items (None: all).
    """

    n_events: int = 14
    loved: int = 2
    taste: float = 3.0
    popularity: float = 0.7
    pull: float = 5.0
    memory: int = 3
    paired: float = 0.5
    noise: float = 0.1
    session: int = 4
    drift: float = 0.0
    repeats: bool = False
    exposure: int | None = None
    half_life: float | None = None

    def __post_init__(self) -> None:
        for name, low in (("n_events", 2), ("loved", 1), ("memory", 1), ("session", 1)):
            check_whole(name, getattr(self, name), low=low)
        for name in ("taste", "popularity", "pull"):
            check_number(name, getattr(self, name), low=0.0)
        for name in ("paired", "noise", "drift"):
            check_probability(name, getattr(self, name))
        if self.exposure is not None:
            check_whole("exposure", self.exposure, low=2)
        if self.half_life is not None:
            check_number("half_life", self.half_life, low=0.0, open_low=True)


@dataclass(frozen=True, eq=False)
class Simulated:
    """`data`, and the truth about it; row n is event n of `data`.

    `cause` (N,): the number of the decisive event, −1 where there is none. `by_taste` (N,) bool: without the person's
    taste another item had been taken. `at_random` (N,) bool: drawn, not chosen. `session` (N,): the number of the
    session within the person. `features` (d,) name the columns of `F` (M, d); `loved` (U, d) bool is the taste at the
    end. `companion` (M,) is the item row that each item leads to, −1 for none, `born` (M,) the moment at which it
    appears, in seconds: that of the first day where nothing ages. `people` is a frame of user, age, sex:
    age goes with the taste, sex with nothing; no choice is made by either.
    """

    data: Interactions
    cause: np.ndarray
    by_taste: np.ndarray
    at_random: np.ndarray
    session: np.ndarray
    features: tuple[str, ...]
    F: np.ndarray
    loved: np.ndarray
    companion: np.ndarray
    born: np.ndarray
    people: pd.DataFrame


class _World(NamedTuple):
    """What is the same for all people: b (M,), F (M, d), companions (M,), seconds at which items appear (M,)."""

    b: np.ndarray
    F: np.ndarray
    companion: np.ndarray
    born: np.ndarray


class _Step(NamedTuple):
    """One event of each person (U,): item, position of the decisive event, flags, session, seconds."""

    item: np.ndarray
    cause: np.ndarray
    by_taste: np.ndarray
    at_random: np.ndarray
    session: np.ndarray
    time: np.ndarray


def indicators(items: ItemTable) -> tuple[tuple[str, ...], np.ndarray]:
    """Names (d,) and F (M, d) of the features that people have tastes for; see the module.

    >>> table = ItemTable(("a", "b"), ("A", "B"), pd.DataFrame({"kind": ["tea|hot", "tea"], "price": [2.0, 9.0]}))
    >>> indicators(table)[0]
    ('kind: hot', 'kind: tea', 'price: low', 'price: high')
    """
    names, columns = [], []
    for name, column in items.frame.items():
        if pd.api.types.is_numeric_dtype(column.dtype):
            third = column.rank(method="average", pct=True).to_numpy(np.float64)
            parts = {"low": third <= 1 / 3, "middle": (third > 1 / 3) & (third <= 2 / 3), "high": third > 2 / 3}
            if len(column) < 3:
                parts = {"low": third <= 1 / 2, "high": third > 1 / 2}
        else:
            tokens = [set(filter(None, str(cell).split("|"))) for cell in column]
            parts = {t: np.array([t in own for own in tokens]) for t in sorted(set().union(*tokens))}
        for label, has in parts.items():
            if has.any():
                names.append(f"{name}: {label}")
                columns.append(has)
    return tuple(names), np.array(columns, np.float64).T.reshape(len(items), len(names))


def simulate(
    items: ItemTable,
    n_users: int = 300,
    *,
    tastes: Tastes | None = None,
    kinds: tuple[str, ...] = (),
    rated: bool = False,
    name: str = "simulated",
    seed: int = 0,
) -> Simulated:
    """`n_users` people over `items`; the same seed gives the same data.

    `kinds` = (weak, strong) are two types of events: strong with the chance 1/(1 + exp(1 − 2 θ·F_j)), as a purchase
    beside a look. `rated` adds whole stars, round(3 + θ·F_j + N(0, 0.7)) between 1 and 5. Raises InputError for fewer
    than 20 items, items without a column that sets them apart, and wrong arguments.

    >>> table = ItemTable(tuple(map(str, range(20))), ("x",) * 20, pd.DataFrame({"kind": list("abcd") * 5}))
    >>> truth = simulate(table, n_users=5, tastes=Tastes(n_events=4), seed=1)
    >>> truth.data.n_users, len(truth.cause) == truth.data.n_events
    (5, True)
    """
    check_type("items", items, ItemTable, "item_table")
    check_whole("items", len(items), low=20)
    U, M, tastes = check_whole("n_users", n_users, low=1), len(items), tastes or Tastes()
    rng = np.random.default_rng(check_whole("seed", seed))
    features, F = indicators(items)
    if F.shape[1] <= tastes.loved:
        refuse("no_tastes", wanted=tastes.loved + 1, got=F.shape[1])
    b = -np.log(rng.permutation(M) + 1.0)
    born = np.full(M, START)
    if tastes.half_life is not None:
        born += DAY * SPAN * np.maximum(0.0, rng.permutation(M) / M - AT_FIRST) / (1 - AT_FIRST)
    world = _World(b, F, _companions(M, tastes.paired, rng), born)
    most = M if tastes.repeats else int(np.count_nonzero(born == START))  # nobody runs out of items
    length = np.clip(rng.poisson(tastes.n_events, U), 2, most)
    theta, steps = _walk(world, tastes, U, int(length.max()), rng)
    keep = np.arange(len(steps))[None, :] < length[:, None]
    told = {field: np.stack([getattr(s, field) for s in steps], 1)[keep] for field in _Step._fields}
    indptr = np.concatenate([[0], np.cumsum(length)])
    first = np.repeat(indptr[:-1], length)
    cause = np.where(told["cause"] == NO_EVENT, NO_EVENT, told["cause"] + first)
    liking = (theta[np.repeat(np.arange(U), length)] * F[told["item"]]).sum(axis=1)
    rating = kind = None
    if rated:
        rating = np.clip(np.round(3 + liking + 0.7 * rng.normal(size=len(liking))), 1, 5)
    if kinds:
        strong = rng.random(len(liking)) < 1 / (1 + np.exp(1 - 2 * liking))
        kind = np.array(kinds, dtype=object)[strong.astype(int)]
    users = tuple(f"p{u + 1}" for u in range(U))
    data = Interactions(name, users, items, indptr, told["item"], rating, told["time"], kind)
    loved = theta > 0
    age = [AGES[int(np.argmax(own)) * len(AGES) // F.shape[1]] for own in loved]
    people = pd.DataFrame({"user": users, "age": age, "sex": rng.choice(SEXES, U)})
    by_taste, at_random, session = told["by_taste"], told["at_random"], told["session"]
    return Simulated(data, cause, by_taste, at_random, session, features, F, loved, world.companion, born, people)


def _companions(M: int, paired: float, rng: np.random.Generator) -> np.ndarray:
    """(M,) the item that each item leads to: along a circle through all items in random order; −1 for the others."""
    order = rng.permutation(M)
    companion = np.empty(M, np.int64)
    companion[order] = np.roll(order, -1)
    companion[rng.permutation(M)[round(paired * M) :]] = NO_EVENT
    return companion


def _walk(world: _World, tastes: Tastes, U: int, T: int, rng: np.random.Generator) -> tuple[np.ndarray, list[_Step]]:
    """θ (U, d) at the end, and T steps of all people."""
    (M, d), everyone = world.F.shape, np.arange(U)
    theta = np.zeros((U, d))
    for own in theta:
        features = rng.choice(d, tastes.loved + 1, replace=False)
        own[features], own[features[-1]] = 1.0, -1.0
    had, session = np.zeros((U, M), bool), np.zeros(U, np.int64)
    time = START + DAY * SPAN * rng.random(U)
    steps: list[_Step] = []
    for t in range(T):
        if t:
            begins = rng.random(U) < 1 / tastes.session
            session = session + begins
            time = time + np.where(begins, DAY * rng.exponential(GAP, U), 60.0 * rng.integers(1, 30, U))
            _drift(theta, begins & (rng.random(U) < tastes.drift), rng)
        offer = world.born[None, :] <= time[:, None]
        if not tastes.repeats:
            offer &= ~had
        liked = tastes.taste * theta @ world.F.T
        rest = np.broadcast_to(tastes.popularity * world.b, (U, M)) + rng.gumbel(size=(U, M))
        if tastes.half_life is not None:
            rest = rest - np.log(2) / tastes.half_life * (time[:, None] - world.born[None, :]) / DAY
        if tastes.exposure is not None:
            offer &= _window(world.b * tastes.popularity + rng.gumbel(size=(U, M)), offer, tastes.exposure)
        pulled, puller = _pulls(world.companion, steps[-tastes.memory :], t, U, M)
        pull = tastes.pull * pulled
        item = _best(rest + liked + pull, offer)
        at_random = rng.random(U) < tastes.noise
        drawn = _best(rng.random((U, M)), offer)
        decisive = pulled[everyone, item] & (_best(rest + liked, offer) != item) & ~at_random
        by_taste = (_best(rest + pull, offer) != item) & ~at_random
        cause = np.where(decisive, puller[everyone, item], NO_EVENT)
        item = np.where(at_random, drawn, item)
        had[everyone, item] = True
        steps.append(_Step(item, cause, by_taste, at_random, session, np.floor(time)))
    return theta, steps


def _drift(theta: np.ndarray, who: np.ndarray, rng: np.random.Generator) -> None:
    """Each of `who` (U,) loves a feature that was neither loved nor avoided in the place of one that was loved."""
    for u in np.flatnonzero(who).tolist():
        own = theta[u]
        old, new = np.flatnonzero(own > 0), np.flatnonzero(own == 0)
        if len(new):
            own[rng.choice(old)], own[rng.choice(new)] = 0.0, 1.0


def _pulls(companion: np.ndarray, last: list[_Step], t: int, U: int, M: int) -> tuple[np.ndarray, np.ndarray]:
    """Which items are companions of the last events (U, M), and the position of the newest event that leads there."""
    pulled, puller = np.zeros((U, M), bool), np.full((U, M), NO_EVENT)
    for at, step in enumerate(last, t - len(last)):
        to = companion[step.item]
        leads = np.flatnonzero(to != NO_EVENT)
        pulled[leads, to[leads]] = True
        puller[leads, to[leads]] = at
    return pulled, puller


def _window(score: np.ndarray, offer: np.ndarray, n: int) -> np.ndarray:
    """(U, M) the n items of largest score among those on offer."""
    score = np.where(offer, score, -np.inf)
    least = -np.partition(-score, min(n, score.shape[1]) - 1, axis=1)[:, min(n, score.shape[1]) - 1]
    return score >= least[:, None]


def _best(score: np.ndarray, offer: np.ndarray) -> np.ndarray:
    """(U,) the item of largest score among those on offer."""
    best: np.ndarray = np.argmax(np.where(offer, score, -np.inf), axis=1)
    return best
