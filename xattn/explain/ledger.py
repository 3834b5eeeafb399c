"""The ledger: one score as a table of cells that adds up, and what follows from masking each event.

    score = base + Σ cells,      cell = gate · weight · strength · value      (per event × head [× feature])

It is built from the model's own terms, not from a model of the model; there is no remainder to hide.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from xattn.errors import check_choice
from xattn.explain.counterfactual import Counterfactual, counterfactual
from xattn.explain.question import Question, Scorer, rank_of
from xattn.explain.removal import Removals, removals
from xattn.explain.words import sentences
from xattn.i18n import LANGUAGES
from xattn.model.head import HeadCells
from xattn.viz.charts import Chart, ledger_chart

__all__ = ["Ledger"]

CELL_COLUMNS = [
    "head", "event", "title", "position", "feature", "weight", "strength", "value", "gate", "contribution",
]  # fmt: skip


class Ledger:
    """Why one item has its score for one history. Comes from `Recommender.explain`; does not change afterwards.

    `user` (id or None), `item`, `title`, `score` (as served), `base`, `rank` (None where the item may not be
    recommended, as when it was seen), `k` (length of the list). `cells` is a frame with the columns head, event (item
    id), title, position (0: oldest), feature ("" where a value does not split), weight, strength, value, gate,
    contribution; its contributions sum to score − base.
    """

    def __init__(self, scorer: Scorer, question: Question) -> None:
        self._scorer = scorer
        self._question = question
        scores = scorer.scores_of(question.history)
        table = scorer.data_.items
        self.user = question.user
        self.item = table.ids[question.target]
        self.title = table.titles[question.target]
        self.score = float(scores[question.target])
        self.base = float(scorer.base_[question.target])
        self.rank = rank_of(scores, question.target, question.allowed)
        self.k = question.k
        heads = scorer.cells_of(question.history, question.target)
        self.cells = _cells_frame(heads, question, scorer)

    def __repr__(self) -> str:
        rank = "not in the list" if self.rank is None else f"rank {self.rank}"
        whose = "someone new" if self.user is None else f"user {self.user}"
        return (
            f"Ledger({self.item} for {whose}: score {self.score:.6g} = base {self.base:.6g} "
            f"+ {len(self.cells)} cells, {rank})"
        )

    @property
    def history(self) -> Any:
        """The History that is explained."""
        return self._question.history

    def title_of(self, item: str) -> str:
        """The title of any item of the data."""
        table = self._scorer.data_.items
        return table.titles[table.row(item)]

    @cached_property
    def _removals(self) -> Removals:
        return removals(self._scorer, self._question)

    @cached_property
    def _counterfactual(self) -> Counterfactual:
        return counterfactual(self._scorer, self._question, self._removals)

    def events(self) -> pd.DataFrame:
        """One row per live event, largest contribution first.

        Columns: event, title, position, rating (NaN where there is none), weight (the event's share of the attention
        of all heads together), contribution (its cells' sum), effect (score without it − score), score_without,
        rank_without.
        """
        history = self._question.history
        table = self._scorer.data_.items
        live = np.flatnonzero(history.live)
        sums = self.cells.groupby("position")["contribution"].sum()
        per_head = self.cells.drop_duplicates(["head", "position"])  # a weight stands once a head, not once a feature
        weight = per_head.groupby("position")["weight"].sum()
        total = float(weight.sum())
        without = self._removals
        frame = pd.DataFrame(
            {
                "event": [table.ids[history.item[p]] for p in live],
                "title": [table.titles[history.item[p]] for p in live],
                "position": live,
                "rating": np.full(len(live), np.nan) if history.rating is None else history.rating[live],
                "weight": weight.reindex(live, fill_value=0.0).to_numpy() / (total if total > 0 else 1.0),
                "contribution": sums.reindex(live, fill_value=0.0).to_numpy(),
                "effect": without.score[live] - self.score,
                "score_without": without.score[live],
                "rank_without": without.rank[live],
            }
        )
        order = np.argsort(-frame["contribution"].to_numpy(), kind="stable")
        return frame.iloc[order].reset_index(drop=True)

    def removals(self) -> pd.DataFrame:
        """What masking each event does, worst loss first: event, title, position, effect, score_without, rank_without.

        The other events keep their ages; the event's item stays out of the list. Exactly what ``recommend`` then
        serves: with ``without=[event]`` where the item occurs once, else for ``history(…).without([position])``.
        """
        frame = self.events()[["event", "title", "position", "effect", "score_without", "rank_without"]]
        return frame.sort_values("effect", kind="stable").reset_index(drop=True)

    def counterfactual(self) -> Counterfactual:
        """A smallest set of events without which the item is not among the k best; see `Counterfactual`."""
        return self._counterfactual

    def text(self, lang: str = "en") -> str:
        """The ledger in words, English ("en") or Chinese ("zh"); every number is one of the ledger's."""
        check_choice("lang", lang, LANGUAGES)
        return sentences(self, lang)

    def chart(self, kind: str = "waterfall", lang: str = "en") -> Chart:
        """An Altair chart: "waterfall" (base + events = score), "heatmap" (event × head and feature), "weights"."""
        check_choice("lang", lang, LANGUAGES)
        return ledger_chart(kind, self.cells, self.events(), self.base, self.score, lang)

    def to_dict(self) -> dict[str, Any]:
        """The ledger as plain lists and dicts (the JSON shape of `xattn explain --json`)."""
        what_if = self.counterfactual()
        columns = ["event", "title", "position", "effect", "score_without", "rank_without"]
        return {
            "user": self.user,
            "item": self.item,
            "title": self.title,
            "score": self.score,
            "base": self.base,
            "rank": self.rank,
            "k": self.k,
            "cells": self.cells.to_dict(orient="records"),
            "removals": self.removals()[columns].to_dict(orient="records"),
            "counterfactual": {
                "remove": list(what_if.remove),
                "exact": what_if.exact,
                "found": what_if.found,
                "replaced_by": what_if.replaced_by,
                "rank_after": what_if.rank_after,
            },
            "text": {lang: self.text(lang) for lang in LANGUAGES},
        }

    def to_json(self, indent: int | None = None) -> str:
        """`to_dict` as JSON text (strict: no NaN)."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=indent)


def _cells_frame(heads: list[HeadCells], question: Question, scorer: Scorer) -> pd.DataFrame:
    """The cells of all heads over the live events; features of value 0 are left out, one row an event stays."""
    history, table = question.history, scorer.data_.items
    live = np.flatnonzero(history.live)
    parts = []
    for head in heads:
        keep = head.value[live] != 0.0
        names = np.array([*head.features, ""], dtype=object)
        alone = ~keep.any(axis=1)  # events that say nothing about the target: one cell of value 0
        at = np.concatenate([np.nonzero(keep)[0], np.flatnonzero(alone)])
        feature = np.concatenate([np.nonzero(keep)[1], np.full(int(alone.sum()), len(head.features))])
        order = np.lexsort((feature, at))
        at, feature = at[order], feature[order]
        value = np.hstack([head.value, np.zeros((len(head.value), 1))])
        contribution = np.hstack([head.contribution, np.zeros((len(head.value), 1))])
        rows = live[at]
        parts.append(
            pd.DataFrame(
                {
                    "head": head.name,
                    "event": [table.ids[j] for j in history.item[rows]],
                    "title": [table.titles[j] for j in history.item[rows]],
                    "position": rows,
                    "feature": names[feature],
                    "weight": head.weight[rows],
                    "strength": head.strength[rows],
                    "value": value[rows, feature],
                    "gate": head.gate,
                    "contribution": contribution[rows, feature],
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=CELL_COLUMNS)
    return frame[CELL_COLUMNS].astype(dict.fromkeys(CELL_COLUMNS[5:], float))
