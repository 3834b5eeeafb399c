"""One history, many maskings: a model's scores with any events out of sight, for thousands of maskings at once.

A masking is a row of `live` (B, n), False where an event is masked. By definition its scores are those of the masked
history, ``scores_of(history.without(...))``, and `ByRescoring` computes just that. Five other ways give the same
numbers for many maskings at a time; tests compare them with the definition:

    ByMasking      `scores_masked`                                    what any recommender serves, asked in batches
    ByFields       s = b + Σ_h (live · E_h X_h) / (live · E_h)^β      heads over events (docs/model.md, eq. 18)
    ByThresholds   the same without terms whose weight is under θ     what passes θ changes with S: no shared sums
    ByNeighbours   l = live · part, a = softmax(l / T)                users as the attended set (eq. 19–20)
    ByFoldingIn    x = (A + (α − 1) Σ_live y yᵀ)⁻¹ α Σ_live y         a matrix factorisation (posthoc.py)

Sums of what is left are taken directly, so nothing is lost where one weight is nearly 1; `each` alone subtracts, and
adds up anew for an event that has more than half of the sum.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Protocol

import numpy as np

from xattn.data import History, Interactions
from xattn.evaluate.faithfulness.posthoc import PostHoc
from xattn.kernels.fields import add_field_scores, field_weights
from xattn.model.heads.field import HeadCells, HeadField, fields_scores, fields_without_each
from xattn.recommenders import Recommender, UserAttention

__all__ = [
    "ByFields",
    "ByFoldingIn",
    "ByMasking",
    "ByNeighbours",
    "ByRescoring",
    "ByThresholds",
    "Masked",
    "Scored",
    "masked_scores",
]

BLOCK = 2_000_000  # numbers held at a time in one array: 16 MB


class Scored(Protocol):
    """A fitted model as this protocol sees it: less than `xattn.explain.Scorer`, so that models of others fit in."""

    @property
    def data_(self) -> Interactions: ...
    @property
    def base_(self) -> np.ndarray: ...  # (M,) scores without any history
    def scores_of(self, history: History) -> np.ndarray: ...  # (M,) served scores
    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray: ...  # (J, n)
    def cells_of(self, history: History, target: int) -> list[HeadCells]: ...


class Masked(ABC):
    """A model and a history; asked about maskings of it."""

    all_pairs: ClassVar[bool] = False  # `each` is so quick that all pairs of a long history can be tried

    def __init__(self, model: Scored, history: History) -> None:
        self.model = model
        self.history = history

    @abstractmethod
    def of(self, live: np.ndarray, target: int) -> np.ndarray:
        """Scores (B,) of one target under the maskings `live` (B, n)."""

    @abstractmethod
    def all(self, live: np.ndarray) -> np.ndarray:
        """Scores (B, M) of every item."""

    def each(self, live: np.ndarray, target: int) -> np.ndarray:
        """Scores (B, n) of one target with each event masked as well; of no meaning where it is masked already."""
        alone = np.array([target])
        return np.array([self.model.scores_without_each(_served(self.history, row), alone)[0] for row in live])

    def with_each(self, live: np.ndarray, target: int) -> np.ndarray:
        """Scores (B, n) of one target with each event in sight as well."""
        n = live.shape[1]
        return np.array([self.of(row | np.eye(n, dtype=bool), target) for row in live])


def masked_scores(model: Scored, history: History) -> Masked:
    """The quickest way of asking this model."""
    if isinstance(model, UserAttention):
        return ByNeighbours(model, history)
    if isinstance(model, PostHoc):
        return ByFoldingIn(model, history)
    if not isinstance(model, Recommender):
        return ByRescoring(model, history)
    fields = model.fields_of(history, np.arange(1))
    if fields is None:
        return ByMasking(model, history)
    return (ByThresholds if any(field.theta > 0.0 for field in fields) else ByFields)(model, history)


def _served(history: History, live: np.ndarray) -> History:
    return history.without(np.flatnonzero(~live))


def _rows(n_rows: int, width: int) -> Iterator[slice]:
    """Slices of rows that hold at most BLOCK numbers each."""
    step = max(1, BLOCK // max(width, 1))
    return (slice(low, low + step) for low in range(0, n_rows, step))


class ByRescoring(Masked):
    """Serves every masked history: the definition, and the way for any model."""

    def of(self, live: np.ndarray, target: int) -> np.ndarray:
        return np.array([self.model.scores_of(_served(self.history, row))[target] for row in live])

    def all(self, live: np.ndarray) -> np.ndarray:
        return np.array([self.model.scores_of(_served(self.history, row)) for row in live])


class ByMasking(Masked):
    """Any recommender, asked about many maskings at a time."""

    model: Recommender

    def of(self, live: np.ndarray, target: int) -> np.ndarray:
        return np.asarray(self.model.scores_masked(self.history, live, np.array([target]))[:, 0])

    def all(self, live: np.ndarray) -> np.ndarray:
        return self.model.scores_masked(self.history, live, np.arange(len(self.model.base_)))

    def each(self, live: np.ndarray, target: int) -> np.ndarray:
        n = live.shape[1]
        return np.array([self.of(row & ~np.eye(n, dtype=bool), target) for row in live]).reshape(live.shape)


class ByFields(Masked):
    """Models whose score is a sum of heads over events whatever is masked, without a threshold."""

    model: Recommender
    all_pairs = True

    def __init__(self, model: Recommender, history: History) -> None:
        super().__init__(model, history)
        self._kept: dict[int, list[HeadField]] = {}

    def _fields(self, targets: np.ndarray) -> list[HeadField]:
        fields = self.model.fields_of(self.history, targets)
        assert fields is not None  # `masked_scores` has asked
        return fields

    def _of_target(self, target: int) -> list[HeadField]:
        if target not in self._kept:
            self._kept[target] = self._fields(np.array([target]))
        return self._kept[target]

    def of(self, live: np.ndarray, target: int) -> np.ndarray:
        out, fields = np.full(len(live), self.model.base_[target], float), self._of_target(target)
        if not fields:
            return out
        columns = np.column_stack([x for field in fields for x in (field.E[0], field.E[0] * field.X[0])])
        for rows in _rows(len(live), live.shape[1]):
            both = live[rows].astype(float) @ columns
            for at, field in enumerate(fields):
                out[rows] += _ratio(both[:, 2 * at], both[:, 2 * at + 1], field.beta)
        return out

    def each(self, live: np.ndarray, target: int) -> np.ndarray:
        out = np.full(live.shape, self.model.base_[target], float)
        for rows in _rows(len(live), live.shape[1]):
            kept = live[rows].astype(float)
            for field in self._of_target(target):
                E, EX = field.E[0], field.E[0] * field.X[0]
                S, s = kept @ E, kept @ EX
                part = kept * E
                S_left, s_left = S[:, None] - part, s[:, None] - kept * EX
                b, i = np.nonzero(part > S[:, None] / 2)  # at most one a row
                rest = kept[b]
                rest[np.arange(len(b)), i] = 0.0
                S_left[b, i], s_left[b, i] = rest @ E, rest @ EX
                out[rows] += _ratio(S_left, s_left, field.beta)
        return out

    def with_each(self, live: np.ndarray, target: int) -> np.ndarray:
        out = np.full(live.shape, self.model.base_[target], float)
        for rows in _rows(len(live), live.shape[1]):
            kept = live[rows].astype(float)
            for field in self._of_target(target):
                E, EX = field.E[0], field.E[0] * field.X[0]
                more = 1.0 - kept  # an event in sight is not counted twice
                out[rows] += _ratio((kept @ E)[:, None] + more * E, (kept @ EX)[:, None] + more * EX, field.beta)
        return out

    def all(self, live: np.ndarray) -> np.ndarray:
        B, M = len(live), len(self.model.base_)
        out = np.repeat(self.model.base_.astype(float)[None, :], B, axis=0)
        if not live.shape[1]:
            return out
        kept = live.T.astype(float)
        for targets in _rows(M, max(live.shape)):
            for field in self._fields(np.arange(M)[targets]):
                out[:, targets] += _ratio(field.E @ kept, (field.E * field.X) @ kept, field.beta).T
        return out


def _ratio(S: np.ndarray, s: np.ndarray, beta: float) -> np.ndarray:
    """s / S^β, and 0 where no attention is left; S may have one row for all of s."""
    found: np.ndarray = s * np.where(S > 0, np.where(S > 0, S, 1.0) ** -beta, 0.0)
    return found


class ByThresholds(ByFields):
    """The same with a threshold: each masking by the kernels that serve it, for the targets that are asked about."""

    all_pairs = False

    def of(self, live: np.ndarray, target: int) -> np.ndarray:
        fields, base = self._of_target(target), self.model.base_[[target]]
        return np.array([fields_scores(fields, row, base)[0] for row in live])

    def each(self, live: np.ndarray, target: int) -> np.ndarray:
        fields, base = self._of_target(target), self.model.base_[[target]]
        return np.array([fields_without_each(fields, row, base)[0] for row in live])

    def with_each(self, live: np.ndarray, target: int) -> np.ndarray:
        return Masked.with_each(self, live, target)

    def all(self, live: np.ndarray) -> np.ndarray:
        B, M = len(live), len(self.model.base_)
        out = np.repeat(self.model.base_.astype(float)[None, :], B, axis=0)
        for targets in _rows(M, max(live.shape)):
            for field in self._fields(np.arange(M)[targets]):
                if len(field.E) == 1:  # weights that all targets share
                    rows = [field_weights(field.E, row, field.beta, field.theta)[0] for row in live]
                    out[:, targets] += np.array(rows) @ field.X.T
                    continue
                for row, own in zip(live, out, strict=True):
                    add_field_scores(own[targets], field.E, field.X, row, field.beta, field.theta)
        return out


class ByNeighbours(Masked):
    """User attention: maskings are rows of summed logits."""

    model: UserAttention

    def __init__(self, model: UserAttention, history: History) -> None:
        super().__init__(model, history)
        self._part, self._shared = model._logits(history)

    def _score(self, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        out = np.empty((len(live), len(targets)))
        for rows in _rows(len(live), self.model.data_.n_users):
            kept = live[rows].astype(float)
            a = self.model._attention(kept @ self._part, kept @ self._shared > 0, self.history.user)
            out[rows] = self.model.base_[targets] + self.model._lift(a, targets)
        return out

    def of(self, live: np.ndarray, target: int) -> np.ndarray:
        found: np.ndarray = self._score(live, np.array([target]))[:, 0]
        return found

    def each(self, live: np.ndarray, target: int) -> np.ndarray:
        out, alone = np.empty(live.shape), np.array([target])
        for b, row in enumerate(live.astype(float)):
            total, users = row @ self._part, row @ self._shared
            for some in _rows(len(row), len(total)):
                logits = total - row[some, None] * self._part[some]
                shared = users - row[some, None] * self._shared[some] > 0
                a = self.model._attention(np.where(shared, logits, 0.0), shared, self.history.user)
                out[b, some] = self.model.base_[target] + self.model._lift(a, alone)[:, 0]
        return out

    def all(self, live: np.ndarray) -> np.ndarray:
        return self._score(live, np.arange(self.model.data_.n_items))


class ByFoldingIn(Masked):
    """A matrix factorisation: maskings are person vectors, solved for many at a time."""

    model: PostHoc

    def of(self, live: np.ndarray, target: int) -> np.ndarray:
        found: np.ndarray = self.model.scores(self.history, live, np.array([target]))[:, 0]
        return found

    def all(self, live: np.ndarray) -> np.ndarray:
        return self.model.scores(self.history, live, None)
