"""The ledger: one score as a table of cells that adds up, and what follows from masking each event.

    score = base + Σ cells,      cell = gate · weight · strength · value      (per event × head [× feature])

It is built from the model's own terms, not from a model of the model; there is no remainder to hide.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data import History, ItemTable
from xattn.errors import check_choice, check_index_array, check_whole
from xattn.explain.cache import study_of
from xattn.explain.compare.difference import Difference
from xattn.explain.compare.why_not import WhyNot, why_not
from xattn.explain.counterfactual import Counterfactual, counterfactual
from xattn.explain.honesty import NOTES, SHORT_HISTORY, Confidence, base_share, confidence_of, disagreement
from xattn.explain.question import Question, Scorer, rank_of
from xattn.explain.removal import Removals, SetRemoval, removals, set_removal
from xattn.explain.rows import EventRows, Group, block_of, effective_number, event_rows, feature_sums, head_sums
from xattn.explain.tell.export import explanation
from xattn.explain.tell.snippet import Origin, snippet
from xattn.explain.tell.words import DEPTHS, SCENARIOS, told
from xattn.i18n import LANGUAGES
from xattn.model.heads.field import HeadCells

if TYPE_CHECKING:
    from xattn.viz.charts import Chart

__all__ = ["Ledger"]

GROUPINGS = ("event", "head", "feature", "block")

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
        self._study = study_of(scorer, question.history)
        scores = self._study.scores
        table = scorer.data_.items
        self.user = question.user
        self.item = table.ids[question.target]
        self.title = table.titles[question.target]
        self.score = float(scores[question.target])
        self.base = float(scorer.base_[question.target])
        self.rank = rank_of(scores, question.target, question.allowed)
        self.k = question.k
        self._heads = scorer.cells_of(question.history, question.target)

    def __repr__(self) -> str:
        rank = "not in the list" if self.rank is None else f"rank {self.rank}"
        whose = "someone new" if self.user is None else f"user {self.user}"
        return (
            f"Ledger({self.item} for {whose}: score {self.score:.6g} = base {self.base:.6g} "
            f"+ {len(self._rows.position)} events, {rank})"
        )

    @property
    def history(self) -> History:
        """The History that is explained."""
        return self._question.history

    @property
    def items_table(self) -> ItemTable:
        """The items of the data."""
        return self._scorer.data_.items

    def title_of(self, item: str) -> str:
        """The title of any item of the data."""
        table = self._scorer.data_.items
        return table.titles[table.row(item)]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The cells as a frame; see the class."""
        return _cells_frame(self._heads, self._question, self._scorer)

    @cached_property
    def _rows(self) -> EventRows:
        return event_rows(self._heads, self._question.history.live)

    @cached_property
    def _removals(self) -> Removals:
        return removals(self._study, self._question)

    @cached_property
    def _counterfactual(self) -> Counterfactual:
        return counterfactual(self._study, self._question, self._removals)

    def events(self) -> pd.DataFrame:
        """One row per live event, largest contribution first.

        Columns: event, title, position, rating (NaN where there is none), weight (the event's share of the attention
        of all heads together), contribution (its cells' sum), effect (score without it − score), score_without,
        rank_without.
        """
        history, table, rows, without = self._question.history, self._scorer.data_.items, self._rows, self._removals
        at = rows.position
        items = history.item[at].tolist()
        return pd.DataFrame(
            {
                "event": [table.ids[j] for j in items],
                "title": [table.titles[j] for j in items],
                "position": at,
                "rating": np.full(len(at), np.nan) if history.rating is None else history.rating[at],
                "weight": rows.weight,
                "contribution": rows.contribution,
                "effect": without.score[at] - self.score,
                "score_without": without.score[at],
                "rank_without": without.rank[at],
            }
        )

    def removals(self) -> pd.DataFrame:
        """What masking each event does, worst loss first: event, title, position, effect, score_without, rank_without.

        The other events keep their ages; the event's item stays out of the list. Exactly what ``recommend`` then
        serves: with ``without=[event]`` where the item occurs once, else for ``history(…).without([position])``.
        """
        frame = self.events()[["event", "title", "position", "effect", "score_without", "rank_without"]]
        return frame.sort_values("effect", kind="stable").reset_index(drop=True)

    def removal(self, positions: Iterable[int]) -> SetRemoval:
        """What masking the events at these `positions` of the history together does, as the model then serves it.

        Raises InputError for a position that the history does not have.
        """
        where = tuple(sorted({int(p) for p in self.history_positions(positions)}))
        return set_removal(self._scorer, self._question, where, self.score)

    def history_positions(self, positions: Iterable[int]) -> np.ndarray:
        """`positions` checked: (n,) places in the history. Raises InputError for others."""
        given = list(positions) if not isinstance(positions, np.ndarray) else positions
        return check_index_array("positions", given, size=len(self._question.history))

    def counterfactual(self) -> Counterfactual:
        """A smallest set of events without which the item is not among the k best; see `Counterfactual`."""
        return self._counterfactual

    # --- groups -------------------------------------------------------------------------------------------------------

    def by(self, what: str) -> pd.DataFrame:
        """The cells summed by "event", "head", "feature" or "block": `contribution`, largest first, adds up to score −
        base.

        Beside it stand event, title, position; or head, effective (how many events its weights come down to: the
        exponential of their entropy); or block, feature; or block. Of cells that do not split, the feature is "" and
        the block "behaviour". Raises InputError for another grouping.
        """
        check_choice("what", what, GROUPINGS)
        live = self._question.history.live
        if what == "event":
            return self.events()[["event", "title", "position", "contribution"]]
        if what == "head":
            groups = sorted(head_sums(self._heads, live), key=lambda group: -group.contribution)
            columns: dict[str, Any] = {"head": [g.name for g in groups], "effective": [g.effective for g in groups]}
        elif what == "feature":
            groups = sorted(self._features, key=lambda group: -group.contribution)
            columns = {"block": [block_of(g.name) for g in groups], "feature": [g.name for g in groups]}
        else:
            sums: dict[str, float] = {}
            for group in self._features:
                sums[block_of(group.name)] = sums.get(block_of(group.name), 0.0) + group.contribution
            groups = [Group(name, amount) for name, amount in sorted(sums.items(), key=lambda pair: -pair[1])]
            columns = {"block": [g.name for g in groups]}
        return pd.DataFrame({**columns, "contribution": np.array([g.contribution for g in groups], dtype=float)})

    def positives(self, n: int = 3) -> pd.DataFrame:
        """The `n` events (rows of `events`) that speak for the item most, strongest first."""
        events = self.events()
        return events[events["contribution"] > 0].head(check_whole("n", n, low=1)).reset_index(drop=True)

    def negatives(self, n: int = 3) -> pd.DataFrame:
        """The `n` events (rows of `events`) that speak against the item most, strongest first."""
        events = self.events()
        return events[events["contribution"] < 0].iloc[::-1].head(check_whole("n", n, low=1)).reset_index(drop=True)

    @cached_property
    def _features(self) -> list[Group]:
        return feature_sums(self._heads, self._question.history.live)

    @cached_property
    def base_share(self) -> float:
        """How much of the ledger is base, from 0 to 1 (docs/explanations.md)."""
        return base_share(self.base, float(self._scorer.base_.min()), self._rows.contribution)

    @cached_property
    def effective_events(self) -> float:
        """How many events the attention comes down to: the exponential of the entropy of the events' shares of it."""
        return effective_number(self._rows.weight)

    # --- honesty ------------------------------------------------------------------------------------------------------

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Which of the honest cases hold: "popularity", "short", "disagree", "no_reason", "stays"."""
        rows, n = self._rows, len(self._rows.position)
        effect = self._removals.score[rows.position] - self.score
        stays = self.rank is not None and self.rank <= self.k and n > 0 and not self._counterfactual.found
        held = {
            "popularity": self.base_share > 0.5,
            "short": 0 < n < SHORT_HISTORY,
            "disagree": disagreement(rows.weight, effect) is not None,
            "no_reason": not (rows.contribution > 0).any(),
            "stays": stays,
        }
        return tuple(name for name in NOTES if held[name])

    @cached_property
    def confidence(self) -> Confidence:
        """How sure the first reason is: strong, moderate or weak, by the rules of docs/explanations.md."""
        return confidence_of(self._rows, self._removals, self.score, self.k, self.rank, self.base_share)

    # --- in words, charts and files -----------------------------------------------------------------------------------

    def text(self, lang: str = "en", depth: str = "paragraph", scenario: str = "films") -> str:
        """The ledger in words, English ("en") or Chinese ("zh"); every number is one of the ledger's.

        `depth` is "clause", "sentence" or "paragraph"; `scenario` says what people do with items: "films", "shop",
        "books", "music", "news", "social", "education", "health", "finance", "home", "travel", "cars".
        """
        check_choice("lang", lang, LANGUAGES)
        check_choice("depth", depth, DEPTHS)
        check_choice("scenario", scenario, SCENARIOS)
        return told(self, lang, depth, scenario)

    def chart(self, kind: str = "waterfall", lang: str = "en") -> Chart:
        """An Altair chart: "waterfall" (base + events = score), "heatmap" (event × head and feature), "weights"."""
        check_choice("lang", lang, LANGUAGES)
        from xattn.viz.charts import ledger_chart  # Altair takes long to import, and most ledgers are not drawn

        return ledger_chart(kind, self.cells, self.events(), self.base, self.score, lang)

    def __sub__(self, other: Ledger) -> Difference:
        """What sets this score apart from another: ``a - b`` holds every cell of both; see `Difference`."""
        if not isinstance(other, Ledger):
            return NotImplemented
        return Difference(self, other)

    def why_not(self) -> WhyNot:
        """What keeps an item out of the list, and what would bring it in; see `WhyNot`.

        Raises InputError where the item is in the list, or may not be in it.
        """
        return why_not(self)

    def to_dict(self) -> dict[str, Any]:
        """The ledger as plain lists and dicts (the JSON shape of `xattn explain --json`)."""
        what_if, confidence = self.counterfactual(), self.confidence
        return {
            "user": self.user,
            "item": self.item,
            "title": self.title,
            "score": self.score,
            "base": self.base,
            "rank": self.rank,
            "k": self.k,
            "cells": self.cells.to_dict(orient="records"),
            "removals": self.removals().to_dict(orient="records"),
            "counterfactual": {
                "remove": list(what_if.remove),
                "exact": what_if.exact,
                "found": what_if.found,
                "replaced_by": what_if.replaced_by,
                "rank_after": what_if.rank_after,
                "at_least": what_if.at_least,
            },
            "groups": {what: self.by(what).to_dict(orient="records") for what in GROUPINGS},
            "base_share": self.base_share,
            "effective_events": self.effective_events,
            "notes": list(self.notes),
            "confidence": {"level": confidence.level, "reason": confidence.reason},
            "text": {lang: self.text(lang) for lang in LANGUAGES},
        }

    def to_json(self, indent: int | None = None) -> str:
        """`to_dict` as JSON text (strict: no NaN)."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=indent)

    def explanation(self, origin: Origin | None = None, scenario: str = "films") -> dict[str, Any]:
        """`to_dict` and where it comes from: what `explanation.json` holds, by the schema of `explanation_schema`.

        Versions, the model's settings, hash and seed, the data, the history, all texts, and Python that gives the same
        numbers. `origin` says where data or model can be read from; see `xattn.explain.tell.snippet`.
        """
        return explanation(self, origin, scenario)

    def snippet(self, origin: Origin | None = None) -> str:
        """Python that fits or loads the model, explains the same item, and prints the same numbers."""
        return snippet(self, origin)

    def to_html(
        self, lang: str = "en", depth: str = "paragraph", scenario: str = "films", origin: Origin | None = None
    ) -> str:
        """A page that holds the whole explanation and needs nothing else: no network, no script, all text escaped.

        Charts are drawn where vl-convert is installed (``pip install 'xattn[export]'``); their tables are always there.
        """
        check_choice("lang", lang, LANGUAGES)
        from xattn.explain.tell.page import page

        return page(self, lang, depth, scenario, origin)

    # --- for the words ------------------------------------------------------------------------------------------------

    def _title_at(self, position: int) -> str:
        """The title of the event at a place of the history."""
        return self.items_table.titles[int(self._question.history.item[position])]


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
