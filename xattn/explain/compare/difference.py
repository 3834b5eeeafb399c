"""What sets two scores apart: every cell of both ledgers, one beside the other.

    a.score − b.score = (a.base − b.base) + Σ (cell of a − cell of b)

Why A stands above B for one person: two items, one history. Why a score has changed: one item, two histories or two
models. Cells meet where head, event and feature are the same; of an event that came more than once, the first meets the
first, and so on. A cell without a partner stands against 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.errors import InputError, check_choice, shown
from xattn.explain.tell.words import named, quotable, spaced
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["BASE", "Difference", "compare"]

BASE = "base"  # what stands for a head in the row of the two bases
NOWHERE = -1  # the position of an event that one of the histories does not have
MOST_NAMES = 3
Key = tuple[str, str, int, str]


class Difference:
    """Ledger `a` less ledger `b`. `score_a`, `score_b` and `total`, the difference of the scores."""

    def __init__(self, a: Ledger, b: Ledger) -> None:
        self.a = a
        self.b = b
        self.score_a, self.score_b = a.score, b.score
        self.total = a.score - b.score

    def __repr__(self) -> str:
        return f"Difference({self.a.item} {self.score_a:.6g} less {self.b.item} {self.score_b:.6g}: {self.total:.6g})"

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row a pair of cells; `difference` sums to `total`. The first row, with head "base", holds the two bases.

        Columns: head, event, title, feature, position_a, position_b (−1 where a history does not have the event),
        contribution_a, contribution_b, difference.
        """
        left, right = dict(_cells(self.a)), dict(_cells(self.b))
        places_a, places_b = _places(self.a), _places(self.b)
        titles = places_b | places_a
        rows: list[tuple[Any, ...]] = [(BASE, "", "", "", NOWHERE, NOWHERE, self.a.base, self.b.base)]
        for key in dict.fromkeys([*left, *right]):
            head, event, occurrence, feature = key
            which = (event, occurrence)
            position_a, position_b = (places.get(which, (NOWHERE, ""))[0] for places in (places_a, places_b))
            amounts = left.get(key, 0.0), right.get(key, 0.0)
            rows.append((head, event, titles[which][1], feature, position_a, position_b, *amounts))
        names = ["head", "event", "title", "feature", "position_a", "position_b", "contribution_a", "contribution_b"]
        frame = pd.DataFrame(rows, columns=names)
        frame["difference"] = frame["contribution_a"] - frame["contribution_b"]
        return frame

    def events(self) -> pd.DataFrame:
        """The cells summed per event, the largest difference first in size; the first row holds the bases (event "").

        Columns: event, title, position_a, position_b, contribution_a, contribution_b, difference.
        """
        columns = ["contribution_a", "contribution_b", "difference"]
        cells = self.cells
        by_event = cells.iloc[1:].groupby(["event", "title", "position_a", "position_b"], sort=False)[columns].sum()
        moved = pd.DataFrame(by_event).reset_index()
        moved = moved.iloc[np.argsort(-moved["difference"].abs().to_numpy(), kind="stable")]
        names = ["event", "title", "position_a", "position_b", *columns]
        return pd.concat([cells.iloc[:1], moved], ignore_index=True).reindex(columns=names)

    def text(self, lang: str = "en") -> str:
        """The difference in words; every number is one of the frame's."""
        check_choice("lang", lang, LANGUAGES)
        events = self.events()
        facts = {
            "a": quotable(self.a.title, lang),
            "b": quotable(self.b.title, lang),
            "score_a": figure(self.score_a),
            "score_b": figure(self.score_b),
            "total": figure(self.total, sign=True),
            "base": figure(float(events["difference"].iloc[0]), sign=True),
        }
        said = [t("words.gap_same" if self.a.item == self.b.item else "words.gap", lang, **facts)]
        moved = events.iloc[1:]
        more = moved[moved["difference"] > 0].head(MOST_NAMES)
        less = moved[moved["difference"] < 0].head(MOST_NAMES)
        for key, part in (("words.gap_more", more), ("words.gap_less", less)):
            if len(part):
                said.append(t(key, lang, names=named(part["title"], part["difference"].tolist(), lang)))
        return spaced(said, lang)

    def to_dict(self) -> dict[str, Any]:
        """As plain lists and dicts."""
        return {
            "a": {"user": self.a.user, "item": self.a.item, "title": self.a.title, "score": self.score_a},
            "b": {"user": self.b.user, "item": self.b.item, "title": self.b.title, "score": self.score_b},
            "total": self.total,
            "cells": self.cells.to_dict(orient="records"),
            "text": {lang: self.text(lang) for lang in LANGUAGES},
        }


def compare(a: Ledger, b: Ledger) -> Difference:
    """Ledger `a` less ledger `b`. Raises InputError where one of them is none."""
    found = a - b if hasattr(a, "cells") and hasattr(b, "cells") else None
    if not isinstance(found, Difference):
        raise InputError(f"`a` and `b` must be ledgers of `explain`; got {shown(a)} and {shown(b)}.")
    return found


def _places(ledger: Ledger) -> dict[tuple[str, int], tuple[int, str]]:
    """(event, which of its occurrences) → (position, title) of the live events."""
    history, table = ledger.history, ledger.items_table
    counts: dict[str, int] = {}
    found = {}
    for position in np.flatnonzero(history.live).tolist():
        row = int(history.item[position])
        event = table.ids[row]
        counts[event] = counts.get(event, -1) + 1
        found[event, counts[event]] = position, table.titles[row]
    return found


def _cells(ledger: Ledger) -> Iterator[tuple[Key, float]]:
    """((head, event, which of its occurrences, feature), contribution) of each cell."""
    occurrence = {position: key for key, (position, _) in _places(ledger).items()}
    columns = ("head", "position", "feature", "contribution")
    for head, position, feature, amount in zip(*(ledger.cells[name].tolist() for name in columns), strict=True):
        event, which = occurrence[position]
        yield (head, event, which, feature), amount
