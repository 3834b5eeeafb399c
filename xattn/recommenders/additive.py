"""Models that are a base plus parts: s(u, j) = b_j + Σ_parts (docs/model.md, eq. 3).

All that explanations ask is a sum over the parts (`model/heads/part.py`). The model only says how strongly each event
counts, in the way that a part asks for.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from itertools import accumulate
from typing import Any, Self

import numpy as np

from xattn.data import History, JoinedHistories
from xattn.errors import check_array, check_ids, check_index_array, check_same_length, refuse
from xattn.explain.parts import named_parts
from xattn.explain.question import Approximation
from xattn.model.heads.field import HeadCells, HeadField
from xattn.model.heads.part import Part
from xattn.recommenders.base import Recommender
from xattn.recommenders.listing import refuse_head

__all__ = ["Additive"]

ROUNDED = 1e-6  # of the largest score: more than sums of a few terms in float32 are off by
LEFT_OUT = "heads_left_out"
FEW = 8  # a few targets alone cost about as much as eight times as many in one go


class Additive(Recommender):
    """A base plus `parts_`; `_fit` sets `base_` and `parts_`.

    In a model that `without_heads` made, `_whole` are the parts with all heads, and `_left_out` the places of those
    that are left out.
    """

    parts_: tuple[Part, ...]
    _whole: tuple[Part, ...] = ()
    _left_out: tuple[int, ...] = ()
    _lessened: bool = False

    def _strength(self, asked: str, events: History | JoinedHistories) -> np.ndarray:
        """The strengths w (n,) of events; `asked` is one of those that `Part` lists."""
        return np.ones(len(events.item))

    def _counted(self, events: History) -> Iterator[tuple[Part, np.ndarray]]:
        """Each part with the strengths (…, n) that it asks for; parts that ask for the same share one array."""
        found: dict[str, np.ndarray] = {}
        for part in self.parts_:
            if part.strength not in found:
                found[part.strength] = self._strength(part.strength, events)
            yield part, found[part.strength]

    def _placed(self) -> Iterator[tuple[int, Part]]:
        """Each part, and the place of its first head."""
        first = accumulate((len(part.heads) for part in self.parts_), initial=0)
        return zip(first, self.parts_, strict=False)

    # --- what explanations ask ---------------------------------------------------------------------------------------

    def scores_of(self, history: History) -> np.ndarray:
        out = self.base_.astype(np.float64)
        if len(history):
            for part, w in self._counted(history):
                out += part.scores(history, w)
        return out

    def scores_of_many(self, histories: Sequence[History]) -> np.ndarray:
        out = np.repeat(self.base_.astype(np.float64)[None, :], len(histories), axis=0)
        if not len(histories):
            return out
        joined = JoinedHistories.of(histories)
        for part in self.parts_:
            alone = [] if joined.alike else [self._strength(part.strength, events) for events in histories]
            w = np.concatenate(alone, axis=-1) if alone else self._strength(part.strength, joined)
            part.add_scores_of_many(out, joined, w)
        return out

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField] | None:
        found: list[HeadField] = []
        place = 0
        for part, w in self._counted(history):
            fields = part.fields(history, w, targets)
            if fields is None:
                return None
            found += [field._replace(place=place + field.place) for field in fields]
            place += len(part.heads)
        return found

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        out = np.repeat(self.base_[targets].astype(np.float64)[:, None], len(history), axis=1)
        if len(history):
            for part, w in self._counted(history):
                part.add_without_each(out, history, w, targets)
        return out

    def scores_masked(self, history: History, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        if FEW * len(targets) > len(self.base_):
            return super().scores_masked(history, live, targets)
        out = np.repeat(self.base_[targets].astype(np.float64)[None, :], len(live), axis=0)
        if len(history):
            for part, w in self._counted(history):
                out += part.scores_masked(history, w, live, targets)
        return out

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        found: list[HeadCells] = []
        place = 0
        for part, w in self._counted(history):
            cells = part.cells(history, w, target)
            found += [one._replace(place=place + one.place) for one in cells] if place else cells
            place += len(part.heads)
        return found

    def contributions_of(self, history: History, targets: np.ndarray) -> np.ndarray:
        out = np.zeros((len(targets), len(history)))
        if len(history) and len(targets):
            for part, w in self._counted(history):
                part.add_contributions(out, history, w, targets)
        return out

    def approximate_of(self, history: History) -> Approximation | None:
        if not self._bounded(history) or not any(part.streams for part in self.parts_):
            return None
        approximate = np.repeat(self.base_.astype(np.float32)[None, :], len(history), axis=0)
        slack = np.zeros(len(self.base_))
        for part, w in self._counted(history):
            slack += part.add_approximate(approximate, history, w)
        slack += ROUNDED * float(np.abs(approximate).max())
        return Approximation(approximate, slack)

    def reach_of(self, history: History, m: int) -> np.ndarray | None:
        if not self._bounded(history):
            return None
        reach = self.base_.astype(np.float64)
        for part, w in self._counted(history):
            reach += part.reach(history, w, m)
        return reach

    def _bounded(self, history: History) -> bool:
        return len(history) > 0 and all(part.bounded for part in self.parts_)

    # --- heads -------------------------------------------------------------------------------------------------------

    @property
    def head_names(self) -> tuple[str, ...]:
        return tuple(name for part in self.parts_ for name in part.heads)

    @property
    def head_groups(self) -> tuple[str, ...]:
        named = [(part.group,) if part.group else part.heads for part in self.parts_]
        return tuple(dict.fromkeys(name for names in named for name in names))

    def without_heads(self, heads: Iterable[str | int]) -> Self:
        self._check_fitted()
        gone = {place for asked in check_ids("heads", heads, "head") for place in self._places(asked)}
        if not gone:
            return self
        parts = []
        for place, part in self._placed():
            stay = [h for h in range(len(part.heads)) if place + h not in gone]
            if stay:
                parts.append(part if len(stay) == len(part.heads) else part.with_heads(stay))
        twin = copy(self)
        everywhere = [p for p in range(sum(len(part.heads) for part in self._all_parts)) if p not in self._left_out]
        twin._whole = self._all_parts
        twin._left_out = tuple(sorted({*self._left_out, *(everywhere[place] for place in gone)}))
        twin.parts_ = tuple(parts)
        twin._learned = self._learned | {"_whole", "_left_out"}
        return twin

    # --- without parts of an item's features --------------------------------------------------------------------------

    def without_parts(self, block: str, item: str, places: Iterable[int]) -> Self:
        """The same fitted model when some parts of an item are gone, as words of its text: they bring nothing.

        `places` number the parts of the item in `block`, as `Ledger.parts` does. The length of the item's features and
        the rarity of its words stay what they were, for this item and for all others. The model answers as any other,
        but is not saved. Raises InputError for a block without parts and for a place that the item does not have.
        """
        self._check_fitted()
        row = self.data_.items.row(item)
        names, parts = named_parts(self.data_.items, block, row)
        given = places if isinstance(places, np.ndarray) else list(places)
        gone = np.unique(check_index_array("places", given, size=parts.shape[0]))
        taken = np.asarray(parts[gone].sum(axis=0)).ravel()
        less = {names[f]: float(taken[f]) for f in np.flatnonzero(taken)}
        twin = copy(self)
        twin.parts_ = tuple(part.lessened(row, less) for part in self.parts_)
        twin._lessened = True
        twin._learned = self._learned | {"_lessened"}
        return twin

    def part_effects(self, history: History, target: int, item: int, block: str) -> np.ndarray:
        """(P,) by how much the score of `target` changes without each part of an item row: what `without_parts` serves,
        less what is served."""
        names, parts = named_parts(self.data_.items, block, item)
        out = np.zeros(parts.shape[0])
        for part, w in self._counted(history):
            out += part.effects(history, w, target, item, names, parts)
        return out

    def _places(self, asked: Any) -> list[int]:
        """The places of the heads that a name, the name of a group, or a place stands for. Raises InputError."""
        groups = [part.group for part in self.parts_ for _ in part.heads]
        names = self.head_names
        place = None if isinstance(asked, bool) else asked
        found = [p for p, pair in enumerate(zip(names, groups, strict=True)) if asked in pair or p == place]
        if not found or asked is None:
            refuse_head(names, asked)
        return found

    # --- files -------------------------------------------------------------------------------------------------------

    @property
    def _all_parts(self) -> tuple[Part, ...]:
        return self._whole or self.parts_

    def _state(self) -> dict[str, np.ndarray]:
        if self._lessened:
            refuse("parts_removed_unsaved", model=type(self).__name__)
        state = {"base": self.base_}
        for part in self._all_parts:
            state |= part.state()
        return state | ({LEFT_OUT: np.array(self._left_out)} if self._left_out else {})

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.base_ = check_array("base", state["base"], ndim=1)
        check_same_length(items=self.data_.n_items, base=len(self.base_))
        self._restore_parts(state)
        if LEFT_OUT in state:
            places = check_index_array(LEFT_OUT, state[LEFT_OUT], size=len(self.head_names))
            self.__dict__ = self.without_heads(places.tolist()).__dict__

    @abstractmethod
    def _restore_parts(self, state: dict[str, np.ndarray]) -> None:
        """Set `parts_` from what the parts gave; `base_` is there already. Raises InputError for odd arrays."""
