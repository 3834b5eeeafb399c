"""Asking a foreign model: what it is handed, how often, and what becomes of its answers.

A history goes out as the item numbers of its events in sight, oldest first; masked events are left out, so the model
sees a shorter history. Many go out together. Every answer is checked before it is used, and is brought into the order
of the data's items. Answers of late are kept by the history that they answer, so one history has one answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from xattn.errors import Quoted, XattnError, refuse
from xattn.progress import listener, part_of, told_to
from xattn.recommenders.foreign.source import said

__all__ = ["Asked", "Foreign"]

MOST_KEPT = 32_000_000  # scores that are kept: 256 MB; more than the explanations of one history ask for
Histories = list[np.ndarray]


class Foreign(NamedTuple):
    """A model as it is asked: `scores` of R histories, arrays of item numbers, is an (R, M) array.

    `along`, where there is one, gives the scores after each event of one history (n, M) in one pass. `base` (M,) is
    what each item scores without any history; None: the model is asked.
    """

    name: str
    scores: Callable[[Histories], Any]
    along: Callable[[np.ndarray], Any] | None = None
    base: Any = None


class Asked:
    """A foreign model that knows the items `ids` by their `place` (M,) with it; `batch` histories go out at once.

    `width` is how many items the model knows; its answers have so many columns.
    """

    def __init__(self, foreign: Foreign, ids: tuple[str, ...], place: np.ndarray, width: int, batch: int) -> None:
        self.foreign = foreign
        self.ids = ids
        self.place = place
        self.width = width
        self.batch = batch
        self._whole = np.array_equal(place, np.arange(width))
        self._kept: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def scores(self, histories: Sequence[np.ndarray]) -> np.ndarray:
        """(R, M) the scores after each of the histories, arrays of item rows; equal histories have equal bits."""
        keys = [np.ascontiguousarray(rows, np.int64).tobytes() for rows in histories]
        with self._lock:
            known = {key: self._kept[key] for key in set(keys) if key in self._kept}
        new = {key: rows for key, rows in zip(keys, histories, strict=True) if key not in known}
        for key, row in zip(new, self.fresh(list(new.values())), strict=True):
            known[key] = row
        with self._lock:
            for key in keys:
                self._kept[key] = known[key]
                self._kept.move_to_end(key)
            while len(self._kept) * len(self.place) > MOST_KEPT and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return np.array([known[key] for key in keys]).reshape(len(keys), len(self.place))

    def forget(self) -> None:
        """Keep no answer of before: the model is asked anew."""
        with self._lock:
            self._kept.clear()

    def fresh(self, histories: Sequence[np.ndarray]) -> np.ndarray:
        """(R, M) the same, asked anew and not kept."""
        found, tell, n = np.empty((len(histories), len(self.place))), listener(), len(histories)
        for low in range(0, n, self.batch):
            block = histories[low : low + self.batch]
            tell("asked", low / n)
            with told_to(part_of(tell, low / n, (low + len(block)) / n)):
                found[low : low + len(block)] = self.asked(block)
        return found

    def asked(self, histories: Sequence[np.ndarray]) -> np.ndarray:
        """(R, M) the answer to histories that go out together. Raises InputError where it is none."""
        longest = max((len(rows) for rows in histories), default=0)
        try:
            answer = self.foreign.scores([self.place[rows] for rows in histories])
        except XattnError:
            raise
        except Exception as problem:
            refuse("foreign_stopped", because=problem, n=len(histories), most=longest, got=said(problem))
        return self._checked(answer, len(histories))

    def along(self, items: np.ndarray) -> np.ndarray:
        """(n, M) the scores after each event of one history, in one pass."""
        assert self.foreign.along is not None
        try:
            answer = self.foreign.along(self.place[items])
        except XattnError:
            raise
        except Exception as problem:
            refuse("foreign_stopped", because=problem, n=1, most=len(items), got=said(problem))
        return self._checked(answer, len(items))

    def _checked(self, answer: Any, rows: int) -> np.ndarray:
        """The answer as float64, its columns in the order of the data's items."""
        table = answer.toarray() if sparse.issparse(answer) else answer
        try:
            table = np.asarray(table)
        except Exception:
            refuse("foreign_table", rows=rows, n=self.width, found="foreign_kind", got=Quoted(type(answer).__name__))
        if table.dtype.kind not in "fiub" or isinstance(answer, np.ma.MaskedArray):
            refuse("foreign_table", rows=rows, n=self.width, found="foreign_kind", got=Quoted(table.dtype))
        if table.shape != (rows, self.width):
            refuse("foreign_table", rows=rows, n=self.width, found="foreign_shape", got=table.shape)
        scores: np.ndarray = np.array(table if self._whole else table[:, self.place], np.float64)
        finite = np.isfinite(scores)
        if not finite.all():
            row, item = np.argwhere(~finite)[0].tolist()
            refuse("foreign_finite", got=float(scores[row, item]), item=self.ids[item])
        return scores
