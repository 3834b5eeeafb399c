"""The ledger: one score as a table of cells that adds up, and what follows from masking each event.

    score = base + Σ cells,      cell = gate · weight · strength · value      (per event × head [× feature])

It is built from the model's own terms, not from a model of the model; there is no remainder to hide. A model that was
fitted elsewhere and has no such terms says what the amounts are instead (`amounts`); they add up too. The ledger is a
record. What is made of it, in words, charts, files and comparisons, stands in `tell` and `compare`; its methods of
those names call them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data import History, ItemTable
from xattn.errors import by_name, check_choice, check_no_overflow, check_positions, check_whole
from xattn.explain.cache import cache_of
from xattn.explain.counterfactual import Counterfactual, counterfactual
from xattn.explain.frames import GROUPINGS, cells_frame, events_frame, groups_frame, occurrences_frame
from xattn.explain.honesty import Confidence, base_share, confidence_of, notes_of
from xattn.explain.parts import part_removals_frame, parts_frame
from xattn.explain.question import TERMS, Orders, Question, Scorer, rank_of
from xattn.explain.removal import Removals, SetRemoval, removals, set_removal
from xattn.explain.rows import EventRows, effective_number, event_rows
from xattn.explain.sets import SetsOfItems
from xattn.i18n import LANGUAGES
from xattn.progress import Progress, told_to

if TYPE_CHECKING:
    from xattn.explain.compare.difference import Difference
    from xattn.explain.compare.why_not import WhyNot
    from xattn.explain.tell.snippet import Origin
    from xattn.viz.charts import Chart

__all__ = ["Ledger"]

MOST_INDENT = 80  # blanks before a line of JSON


class Ledger(SetsOfItems):
    """Why one item has its score for one history. It comes from `Recommender.explain` and does not change afterwards.

    `user` (id or None), `item`, `title`, `score` (as served), `base`, `rank` (None where the item may not be
    recommended, as when it was seen), `k` (length of the list). `cells` is a frame with the columns head, event (item
    id), title, position (0: oldest), feature ("" where a value does not split), weight, strength, value, gate,
    contribution; its contributions sum to score − base. `heads` holds the same cells as arrays, head by head.
    `amounts` says what contributions are: the model's own "terms", those of a "sum" that was fitted elsewhere, what
    each event changed on its "arrival", or what it changes on "average" over orders.
    """

    def __init__(self, scorer: Scorer, question: Question) -> None:
        self.scorer = scorer
        self.question = question
        self.cache = cache_of(scorer, question.history)
        self.heads = scorer.cells_of(question.history, question.target)
        for head in self.heads:
            check_no_overflow("cells", head.weight)
            check_no_overflow("cells", head.contribution)
        self.user = question.user
        self.item = self.items_table.ids[question.target]
        self.title = self.items_table.titles[question.target]
        self.score = float(self.cache.scores[question.target])
        self.base = float(scorer.base_[question.target])
        self.rank = rank_of(self.cache.scores, question.target, question.allowed)
        self.k = question.k
        self.amounts: str = getattr(scorer, "amounts", TERMS)

    def __repr__(self) -> str:
        rank = "not in the list" if self.rank is None else f"rank {self.rank}"
        whose = "someone new" if self.user is None else f"user {self.user}"
        total = f"score {self.score:.6g} = base {self.base:.6g} + {int(self.history.live.sum())} events"
        return f"Ledger({self.item} for {whose}: {total}, {rank})"

    @property
    def history(self) -> History:
        """The History that is explained."""
        return self.question.history

    @property
    def items_table(self) -> ItemTable:
        """The items of the data."""
        return self.scorer.data_.items

    def title_of(self, item: str) -> str:
        """The title of any item of the data."""
        return self.items_table.titles[self.items_table.row(item)]

    def title_at(self, position: int) -> str:
        """The title of the event at this place of the history."""
        position = check_whole("position", position, low=0, high=len(self.history) - 1)
        return self.items_table.titles[int(self.history.item[position])]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The cells as a frame; see the class."""
        return cells_frame(self.heads, self.history, self.items_table)

    @cached_property
    def rows(self) -> EventRows:
        """The items of the live events as arrays, the largest contribution first."""
        return event_rows(self.heads, self.history)

    @cached_property
    def without_each(self) -> Removals:
        """Score and rank without each event, as arrays over the whole history."""
        return removals(self.cache, self.question)

    @cached_property
    def _counterfactual(self) -> Counterfactual:
        return counterfactual(self.cache, self.question, self.without_each)

    def events(self) -> pd.DataFrame:
        """One row per item of the live events, largest contribution first; all events of an item are one row.

        Columns: event (item id), title, times (how often it was met), position (of the newest), rating (its own; NaN
        where there is none), weight (the share of the attention of all heads together), contribution (its cells' sum),
        effect (score without it − score), score_without,
        rank_without.
        """
        return events_frame(self.rows, self.without_each, self.score, self.history, self.items_table)

    @cached_property
    def orders(self) -> Orders | None:
        """How many orders the averages are over, and how sure each is; None where the amounts are no averages."""
        of = getattr(self.scorer, "orders_of", None)
        found: Orders | None = None if of is None else of(self.history, self.question.target)
        return found

    def intervals(self) -> pd.DataFrame:
        """How sure the contribution of each item is, in the order of `events`: event, title, position, contribution,
        low, high.

        Averages over orders that were drawn have a 95 % interval, by the spread of the orders; of several events of one
        item the widths add up. All other amounts are exact: low and high are the contribution.
        """
        frame = self.events()[["event", "title", "position", "contribution"]]
        within = np.zeros(len(frame))
        if self.orders is not None:
            live = self.history.live
            by_item = np.bincount(self.history.item[live], self.orders.within[live], len(self.items_table.ids))
            within = by_item[self.history.item[self.rows.position]]
        return frame.assign(low=frame["contribution"] - within, high=frame["contribution"] + within)

    def removals(self, *, progress: Progress | None = None) -> pd.DataFrame:
        """What masking each item does, worst loss first. `progress` is told how far a slow model has been asked.

        Columns: event (item id), title, times, position, effect, score_without, rank_without. All events of the item
        are masked together; the others keep their ages, and the item stays out of the list. Exactly what ``recommend``
        then serves with ``without=[event]``. What one occurrence alone does: `occurrences`.
        """
        with told_to(progress):
            frame = self.events()[["event", "title", "times", "position", "effect", "score_without", "rank_without"]]
        return frame.sort_values("effect", kind="stable").reset_index(drop=True)

    def occurrences(self) -> pd.DataFrame:
        """What masking each single event does, oldest first: event, title, occurrence, position, contribution, effect,
        score_without, rank_without (0 where the item is not in the list of candidates).

        `occurrence` counts the events of one item from 1. Exactly what ``recommend`` then serves with
        ``without=[(event, occurrence)]``. Each event is served anew, so a long history takes its time.
        """
        return occurrences_frame(self.scorer, self.question, self.heads, self.score)

    def removal(self, positions: Iterable[int]) -> SetRemoval:
        """What masking the events at these `positions` of the history together does, as the model then serves it.

        Raises InputError for a position that the history does not have.
        """
        where = check_positions("positions", positions, size=len(self.history))
        return set_removal(self.scorer, self.question, tuple(where), self.score)

    def counterfactual(self) -> Counterfactual:
        """A smallest set of events without which the item is not among the k best; see `Counterfactual`."""
        return self._counterfactual

    # --- groups and summaries -----------------------------------------------------------------------------------------

    def by(self, what: str) -> pd.DataFrame:
        """The cells summed by "event", "head", "feature" or "block", the largest first; they add up to score − base.

        Columns: event, title, position; or head, effective (how many events its weights come down to); or block,
        feature; or block; then contribution. Of cells that do not split, the feature is "" and the block "behaviour".
        Raises InputError for another grouping.
        """
        check_choice("what", what, GROUPINGS)
        if what == "event":
            return self.events()[["event", "title", "position", "contribution"]]
        return groups_frame(what, self.heads, self.history.live)

    def parts(self, block: str, event: str | None = None, side: str = "event") -> pd.DataFrame:
        """The cells of a block split over words, patches or seconds, the largest first; they add up to its cells.

        `block` is a block of features with parts, as a column of texts. The parts are those of each event (`side`
        "event"), or those of the item that is explained ("target"); `event` (an item id) asks for its events alone.
        Columns: event, title, position, place (the number of the part in its item), part, contribution. What no part
        is known of is a part of its own, called "" and with place −1. Raises InputError for a block without parts.

        >>> import xattn, pandas as pd
        >>> items = pd.DataFrame({"item": ["a", "b", "c"], "title": ["A", "B", "C"],
        ...                       "story": ["a heist by night", "the heist", "a night at sea"]})
        >>> events = pd.DataFrame({"user": ["u", "u", "v", "v"], "item": ["a", "b", "b", "c"]})
        >>> why = xattn.ContentAttention().fit(xattn.read_interactions(events, items=items)).explain(user="u", item="c")
        >>> why.parts("story")[["event", "part"]].to_dict("records")
        [{'event': 'a', 'part': 'night'}]
        """
        table = self.items_table
        return parts_frame(self.heads, self.history, table, self.question.target, block, side, event)

    def part_removals(self, block: str, event: str | None = None, side: str = "event") -> pd.DataFrame:
        """What the removal of each part does to the score, the worst loss first; see `parts` for the arguments.

        Columns: event, title, place, part, effect, score_without. A part of an item is gone from all its events. This
        is what ``model.without_parts(block, item, [place])`` then serves: the length of the item's features and the
        rarity of its words stay. Raises InputError for a block without parts, and for a model that is no sum.
        """
        return part_removals_frame(self.scorer, self.question, self.score, self.items_table, block, side, event)

    def positives(self, n: int = 3) -> pd.DataFrame:
        """The `n` events (rows of `events`) that speak for the item most, strongest first."""
        events = self.events()
        return events[events["contribution"] > 0].head(check_whole("n", n, low=1)).reset_index(drop=True)

    def negatives(self, n: int = 3) -> pd.DataFrame:
        """The `n` events (rows of `events`) that speak against the item most, strongest first."""
        events = self.events()
        return events[events["contribution"] < 0].iloc[::-1].head(check_whole("n", n, low=1)).reset_index(drop=True)

    @cached_property
    def base_share(self) -> float:
        """How much of the ledger is base, from 0 to 1 (docs/explanations.md)."""
        return base_share(self.base, float(self.scorer.base_.min()), self.rows.contribution)

    @cached_property
    def effective_events(self) -> float:
        """How many events the attention comes down to: the exponential of the entropy of the events' shares of it."""
        return effective_number(self.rows.weight)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Which of the honest cases hold: "popularity", "short", "disagree", "no_reason", "stays"."""
        listed = self.rank is not None and self.rank <= self.k
        stays = listed and bool(self.history.live.any()) and not self._counterfactual.found
        found = notes_of(self.rows, self.without_each, self.score, self.base_share, stays)
        return tuple(note for note in found if note != "disagree" or self.amounts == TERMS)  # only terms have weights

    @cached_property
    def confidence(self) -> Confidence:
        """How sure the first reason is: strong, moderate or weak, by the rules of docs/explanations.md."""
        return confidence_of(self.rows, self.without_each, self.score, self.k, self.rank, self.base_share)

    # --- in words, charts, files and comparisons: these import on call what stands on the ledger ----------------------

    def text(self, lang: str = "en", depth: str = "paragraph", scenario: str = "films") -> str:
        """The ledger in words, English ("en") or Chinese ("zh"); every number is one of the ledger's.

        `depth` is "clause", "sentence" or "paragraph"; `scenario` says what people do with items: "films", "shop",
        "books", "music", "news", "social", "education", "health", "finance", "home", "travel", "cars",
        "items".
        """
        from xattn.explain.tell.words import ledger_text

        return ledger_text(self, lang, depth, scenario)

    def chart(self, kind: str = "waterfall", lang: str = "en") -> Chart:
        """An Altair chart: "waterfall" (base + events = score), "heatmap" (event × head and feature), "weights"."""
        check_choice("lang", lang, LANGUAGES)
        from xattn.viz.charts import ledger_chart  # Altair takes long to import, and most ledgers are not drawn

        return ledger_chart(kind, self.cells, self.events(), self.base, self.score, lang, self.amounts)

    def __sub__(self, other: Ledger) -> Difference:
        """What sets this score apart from another: ``a - b`` holds every cell of both; see `Difference`."""
        if not isinstance(other, Ledger):
            return NotImplemented
        from xattn.explain.compare.difference import Difference

        return Difference(self, other)

    def why_not(self) -> WhyNot:
        """What keeps an item out of the list, and what would bring it in; see `WhyNot`.

        Raises InputError where the item is in the list, or may not be in it.
        """
        from xattn.explain.compare.why_not import why_not

        return why_not(self)

    def to_dict(self) -> dict[str, Any]:
        """The ledger as plain lists and dicts (the JSON shape of `xattn explain --json`)."""
        from xattn.explain.tell.export import ledger_dict

        return ledger_dict(self)

    def to_json(self, indent: int | None = None) -> str:
        """`to_dict` as JSON text (strict: no NaN)."""
        if indent is not None:
            check_whole("indent", indent, high=MOST_INDENT)
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=indent)

    @by_name("origin", "scenario")
    def explanation(self, *, scenario: str = "films", origin: Origin | None = None) -> dict[str, Any]:
        """`to_dict` and where it comes from: what `explanation.json` holds, by the schema of `explanation_schema`.

        `origin` says where data or model can be read from; see `xattn.explain.tell.snippet`.
        """
        from xattn.explain.tell.export import explanation

        return explanation(self, origin, scenario)

    def snippet(self, origin: Origin | None = None) -> str:
        """Python that fits or loads the model, explains the same item, and prints the same numbers."""
        from xattn.explain.tell.snippet import snippet

        return snippet(self, origin)

    def to_html(
        self, lang: str = "en", depth: str = "paragraph", scenario: str = "films", origin: Origin | None = None
    ) -> str:
        """A page that holds the whole explanation and needs nothing else; see `xattn.explain.tell.page`."""
        check_choice("lang", lang, LANGUAGES)
        from xattn.explain.tell.page import page

        return page(self, lang, depth, scenario, origin)
