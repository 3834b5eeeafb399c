"""What sets two scores apart: every cell of both ledgers, one beside the other.

    a.score − b.score = (a.base − b.base) + Σ (cell of a − cell of b)

Why A stands above B for one person: two items, one history. Why a score has changed: one item, two histories or two
models. Cells meet by their places, never by printed names: the same head, event and feature. The n-th event with an
item meets the n-th. Heads and features of one model meet by their numbers. Between two models, the n-th head of a name
meets the n-th of that name, and features meet by block, name and occurrence. A cell without a partner stands against 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from xattn.errors import check_choice, refuse
from xattn.explain.rows import blocks_of, cell_places, occurrences
from xattn.explain.tell.words import named, quotable, spaced, worded
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["BASE", "Difference", "compare"]

BASE = "base"  # what stands for a head in the row of the two bases
NOWHERE = -1  # the position of an event that one of the histories does not have
MOST_NAMES = 3

Key = tuple[Hashable, tuple[str, int], Hashable]  # of a cell: head, event, feature


class _Cell(NamedTuple):
    """One cell of a ledger as a difference shows it."""

    head: str
    event: str
    title: str
    feature: str
    contribution: float


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
        one_model = self.a.scorer is self.b.scorer
        left, right = dict(_cells(self.a, one_model)), dict(_cells(self.b, one_model))
        rows: list[tuple[Any, ...]] = [(BASE, "", "", "", NOWHERE, NOWHERE, self.a.base, self.b.base)]
        at_a, at_b = _events(self.a), _events(self.b)
        for key in dict.fromkeys([*left, *right]):
            cell = left.get(key) or right[key]
            positions = at_a.get(key[1], NOWHERE), at_b.get(key[1], NOWHERE)
            amounts = (side[key].contribution if key in side else 0.0 for side in (left, right))
            rows.append((cell.head, cell.event, cell.title, cell.feature, *positions, *amounts))
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
        gap = worded("words.gap_same" if self.a.item == self.b.item else "words.gap", self.a.amounts)
        sentences = [t(gap, lang, **facts)]
        moved = events.iloc[1:]
        more = moved[moved["difference"] > 0].head(MOST_NAMES)
        less = moved[moved["difference"] < 0].head(MOST_NAMES)
        for key, part in (("words.gap_more", more), ("words.gap_less", less)):
            if len(part):
                sentences.append(t(key, lang, names=named(part["title"], part["difference"], lang)))
        return spaced(sentences, lang)

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
        refuse("two_ledgers", got=a, got_second=b)
    return found


def _events(ledger: Ledger) -> dict[tuple[str, int], int]:
    """(item, which of its live events) → position in the history."""
    history, ids = ledger.history, ledger.items_table.ids
    live = np.flatnonzero(history.live).tolist()
    return dict(zip(occurrences(ids[j] for j in history.item[live].tolist()), live, strict=True))


def _cells(ledger: Ledger, one_model: bool) -> Iterator[tuple[Key, _Cell]]:
    """The cells of a ledger by their places; `one_model`: the other ledger is of the same model."""
    history, table = ledger.history, ledger.items_table
    event_at = {position: event for event, position in _events(ledger).items()}
    heads: list[Hashable] = [*occurrences(head.place if one_model else head.name for head in ledger.heads)]
    for place, head in zip(heads, ledger.heads, strict=True):
        labels = [*head.features, ""]
        names: list[Hashable] = [*zip(blocks_of(head), head.features, strict=True)]
        features: list[Hashable] = [*occurrences(head.numbers if one_model and head.numbers else names)]
        features.append(features[head.features.index("")] if "" in head.features else None)  # of an event without say
        contribution = np.hstack([head.contribution, np.zeros((len(history), 1))])
        at, column = cell_places(head, history.live)
        for position, f, amount in zip(at.tolist(), column.tolist(), contribution[at, column].tolist(), strict=True):
            row = int(history.item[position])
            cell = _Cell(head.name, table.ids[row], table.titles[row], labels[f], amount)
            yield (place, event_at[position], features[f]), cell
