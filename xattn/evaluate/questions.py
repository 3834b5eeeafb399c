"""Questions: what a protocol asks a fitted model, so that an answer can only be one that the model could serve.

    target                                    seen="drop" (default)          seen="keep"
    not met before                            is asked for                   is asked for
    in the history                            left out, and counted          is asked for
    not in the catalogue                      a miss, and counted            a miss, and counted

The catalogue of a split holds what its training part tells of: the items that the table of items describes, and those
of training events. A person whose targets are all left out is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from xattn.data import History, Interactions
from xattn.data.history import DAY
from xattn.data.items import plain_column
from xattn.data.split import leave_last_out
from xattn.data.values import MISSING
from xattn.errors import refuse
from xattn.i18n import t
from xattn.recommenders.listing import SEEN

__all__ = [
    "SEEN",
    "Asking",
    "Counts",
    "Questions",
    "catalogue_of",
    "check_asked",
    "held_part",
    "last_events",
    "pauses_before_last",
    "questions_about",
    "questions_told",
    "told_items",
    "total",
]


class Counts(NamedTuple):
    """How many targets are asked for, how many are left out because the person had met them, and how many are misses
    because the catalogue does not hold them."""

    targets: int = 0
    met_before: int = 0
    not_held: int = 0


class Questions(NamedTuple):
    """`train` to fit on; of each of U people the history and the relevant items (distinct rows of `train`).

    `missed[u]` counts relevant items that are in no list, because the catalogue does not hold them. `seen` says whether
    lists may hold the items of a history; with "drop" no relevant item is in one.
    """

    train: Interactions
    histories: list[History]
    relevant: list[np.ndarray]
    missed: list[int] | None = None
    seen: str = "drop"
    counts: Counts = Counts()

    def allowed(self, history: History) -> np.ndarray:
        """(M,) bool: what may be listed."""
        allowed = np.ones(self.train.n_items, bool)
        if self.seen == "drop":
            allowed[history.item] = False
        return allowed


class Asking:
    """Questions one after another, over the items of `train`."""

    def __init__(self, train: Interactions, seen: str) -> None:
        self.train, self.seen = train, seen
        self.histories: list[History] = []
        self.relevant: list[np.ndarray] = []
        self.missed: list[int] = []
        self.met_before = 0

    def ask(self, history: History, relevant: np.ndarray, missed: int = 0, met_before: int = 0) -> bool:
        """Ask for the distinct rows `relevant`, and for `missed` more that no list can hold; whether there was anything
        left to ask for. `met_before` are targets that the caller has left out."""
        if self.seen == "drop":
            met = np.isin(relevant, history.item)
            relevant, met_before = relevant[~met], met_before + int(met.sum())
        self.met_before += met_before
        if not len(relevant) and not missed:
            return False
        self.histories.append(history)
        self.relevant.append(relevant)
        self.missed.append(missed)
        return True

    def questions(self) -> Questions:
        """All that were asked."""
        asked = Counts(sum(map(len, self.relevant)) + sum(self.missed), self.met_before, sum(self.missed))
        return Questions(self.train, self.histories, self.relevant, self.missed, self.seen, asked)


def check_asked(questions: Questions) -> Questions:
    """There is a question left; else InputError, where all targets had been met before."""
    if not questions.histories and questions.counts.met_before:
        refuse("all_met_before", got=questions.counts.met_before)
    return questions


def questions_about(
    train: Interactions, wanted: Iterable[tuple[int, np.ndarray]], seen: str, pause: Mapping[int, float] | None = None
) -> Questions:
    """Ask each user row that has a history in `train`, in turn, for the distinct item rows that are `wanted`, so many
    days after the newest event of the history as `pause` has for the row."""
    train, row_of = catalogue_of(train)
    asking = Asking(train, seen)
    for user, items in wanted:
        rows = items if row_of is None else row_of[items]
        held = rows != MISSING
        history = History.of(train, user)
        if pause is not None:
            history = history.paused(pause[user])
        asking.ask(history, rows[held], int((~held).sum()))
    return asking.questions()


def catalogue_of(train: Interactions) -> tuple[Interactions, np.ndarray | None]:
    """`train` without the items that nothing in it tells of, and the new row of each old one (−1: not held).

    None in place of the rows where nothing changes. Such items come from test events: nobody has met them in training,
    and no column or feature describes them.

    >>> import pandas as pd
    >>> data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u", "v"], "item": ["a", "b", "a"]}))
    >>> train, rows = catalogue_of(data.select([True, False, True]))
    >>> train.items.ids, rows
    (('a',), array([ 0, -1]))
    """
    told = told_items(train)
    if told.all() or not train.n_events:
        return train, None
    kept = np.flatnonzero(told)
    row_of = np.full(train.n_items, MISSING, np.int64)
    row_of[kept] = np.arange(len(kept))
    vectors: dict[str, Any] = {"rating": train.rating, "time": train.time, "kind": train.kind, "scale": train.scale}
    item = row_of[train.item]
    return Interactions(train.name, train.user_ids, train.items.take(kept), train.indptr, item, **vectors), row_of


def held_part(history: History, row_of: np.ndarray | None, user: int | None = None) -> History:
    """The events of `history` with items that a catalogue holds, whose rows are `row_of` (M,) the old ones; `user` is
    whose events they are. An item that the catalogue does not hold takes no age."""
    if row_of is None:
        return replace(history, user=user)
    item = row_of[history.item]
    known = item != MISSING
    mine = (history.rating, history.kind, history.elapsed)
    rating, kind, elapsed = (None if vector is None else vector[known] for vector in mine)
    n = int(known.sum())
    return History(item[known], rating, np.arange(n)[::-1], np.ones(n, bool), user, (), kind, elapsed)


def told_items(train: Interactions) -> np.ndarray:
    """(M,) bool: items of which the data tell something: an event, a column or a given feature."""
    items, told = train.items, train.counts() > 0
    if told.all():
        return told
    if items.features is not None:
        told |= np.diff(items.features.F.indptr) > 0
    for _, column in items.frame.items():
        kind, values = plain_column(column)
        told |= np.array([bool(text) for text in values]) if kind == "text" else ~np.isnan(values)
    return told


def last_events(data: Interactions, seen: str = "drop") -> Questions:
    """The last event of each user with two events or more, after all others (`leave_last_out`), asked when it came."""
    split = leave_last_out(data)
    wanted = zip(split.user.tolist(), split.item[:, None], strict=True)
    return questions_about(split.train, wanted, seen, pauses_before_last(data, split.user))


def pauses_before_last(data: Interactions, users: np.ndarray) -> dict[int, float] | None:
    """Days between the last two events of these user rows, who have two or more; None where moments are not known."""
    if data.time is None:
        return None
    last = data.indptr[1:][users] - 1
    return dict(zip(users.tolist(), ((data.time[last] - data.time[last - 1]) / DAY).tolist(), strict=True))


def questions_told(result: Mapping[str, Any], lang: str = "en") -> list[str]:
    """Sentences about what a result of a protocol did not ask as it stood in the data; none where it asked all.

    >>> questions_told({"seen": "drop", "questions": {"targets": 8, "met_before": 2, "not_held": 0, "repeats": 0}})
    ['Of 10 targets 2 were left out, since the person had met them before (seen=keep asks for them too).']
    """
    counts = result.get("questions")
    if counts is None:
        return []
    every = counts["targets"] + counts["met_before"]
    said = [t("questions.strict", lang)] if result.get("protocol") == "strict" else []
    said += [t("questions.keep", lang)] if result["seen"] == "keep" else []
    for name in ("met_before", "not_held", "repeats"):
        if counts[name]:
            said.append(t(f"questions.{name}", lang, n=counts[name], **({} if name == "repeats" else {"all": every})))
    return said


def total(parts: Iterable[Questions]) -> Counts:
    """The counts of several sets of questions together."""
    return Counts(*(int(sum(column)) for column in zip(*(part.counts for part in parts), strict=True)))
