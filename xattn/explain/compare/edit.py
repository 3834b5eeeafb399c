"""The smallest edit of behaviour that puts one item before another, for the article's model of vectors (§4.3).

    y = Σ a_i x_i,  a = softmax of a query's scores of keys,  items ranked by how close they are to y

lead(edit) = closeness of `above` − closeness of `below` is negative before and 0 at the smallest edit. Two kinds of
edit are answered: of a single number x_if, and of a whole vector x_i. With keys of their own, y is linear in x_i, and
for Euclidean distance and the dot product so is the lead: the smallest edit is then known in closed form. Where the
vectors are keys too, weights move along, and the edit is searched for: a number by scanning outwards in both
directions and halving, a vector by Newton steps along the slope of the lead, then halving. Every answer is attended to
again: `verified` is never assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xattn.errors import check_array, check_choice, check_same_columns, check_same_length, check_whole, refuse
from xattn.explain.tell.words import quotable
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure
from xattn.tensor.attend import attend

__all__ = ["MEASURES", "Edit", "NumberEdit", "VectorEdit", "minimal_edit"]

MEASURES = ("euclidean", "cosine", "dot")
WIDEST = 1e4  # a number is moved by at most so many times the largest number there is
STEPS = 64  # of the scan outwards, evenly on a logarithmic scale from SHORTEST of the largest number
SHORTEST = 1e-4
HALVINGS = 60
NEWTON = 40
PAST = 1e-9  # an answer is moved past the boundary by this share of the edit, so that rounding does not undo it

Lead = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class NumberEdit:
    """One number: `feature` (column) of the vector of `event` (row) goes from `before` to `after`."""

    event: int
    feature: int
    before: float
    after: float

    @property
    def size(self) -> float:
        """How far the number moves."""
        return abs(self.after - self.before)


@dataclass(frozen=True, eq=False)
class VectorEdit:
    """One event's vector (d,) goes from `before` to `after`; `size` is the length of the change."""

    event: int
    before: np.ndarray = field(repr=False)
    after: np.ndarray
    size: float


@dataclass(frozen=True)
class Edit:
    """The smallest edits found after which `above` ranks before `below`; None where none was found.

    `lead` is how much closer `above` is now (negative: it is behind). `exact`: the lead is linear in the vectors, so no
    smaller edit of its kind exists. `verified`: with either edit `above` does rank before `below`.
    """

    number: NumberEdit | None
    vector: VectorEdit | None
    lead: float
    exact: bool
    verified: bool

    def text(self, above: str, below: str, events: Sequence[str], features: Sequence[str], lang: str = "en") -> str:
        """The edit of one number in words, with the titles of the two items and names for events and features."""
        check_choice("lang", lang, LANGUAGES)
        titles = {"above": quotable(above, lang), "below": quotable(below, lang)}
        if self.number is None:
            return t("words.edit_none", lang, **titles)
        return t(
            "words.edit_number",
            lang,
            **titles,
            event=quotable(events[self.number.event], lang),
            feature=quotable(features[self.number.feature], lang),
            before=figure(self.number.before),
            after=figure(self.number.after),
        )


def minimal_edit(
    query: Any,
    keys: Any,
    values: Any,
    items: Any,
    above: int,
    below: int,
    *,
    measure: str = "euclidean",
    **how: Any,
) -> Edit:
    """The smallest edits of `values` (n, d) after which item `above` is before item `below` of `items` (m, d).

    `query` and `keys` are those of `attend`, as are the options in `how` (scorer, temperature, …). With ``keys=None``
    the values are the keys as well. `measure` says what ranks items by y: "euclidean" distance, "cosine", or "dot".
    Raises InputError for wrong arrays, and where `above` is before `below` already.

    >>> found = minimal_edit([1, 1, 1], [[1, 0, 1], [0, 1, 0], [1, 1, 1]], [[5, 10, 2], [3, 7, 1], [8, 4, 6]],
    ...                      [[5, 10, 2], [3, 7, 1], [8, 4, 6]], above=0, below=2)
    >>> found.exact, found.verified, round(found.number.size, 3) >= round(found.vector.size, 3)
    (True, True, True)
    """
    check_choice("measure", measure, MEASURES)
    X = check_array("values", values, ndim=2, dtype=np.float64)
    Y = check_array("items", items, ndim=2, dtype=np.float64)
    check_same_columns(values=X.shape[1], items=Y.shape[1])
    check_whole("above", above, low=0, high=len(Y) - 1)
    check_whole("below", below, low=0, high=len(Y) - 1)
    own_keys = keys is not None
    K = check_array("keys", keys, ndim=2, dtype=np.float64) if own_keys else X
    check_same_length(keys=len(K), values=len(X))

    def lead(changed: np.ndarray) -> float:
        y = attend(query, K if own_keys else changed, changed, **how).fused
        return _closeness(y, Y[above], measure) - _closeness(y, Y[below], measure)

    now = lead(X)
    if now > 0:
        refuse("above_already", got=str(above), got_below=str(below))
    linear = own_keys and measure != "cosine" and how.get("fusion", "multiply") == "multiply"
    number, vector = _smallest_number(lead, X, linear), _smallest_vector(lead, X, linear)
    edited = [_set(X, number.event, number.feature, number.after)] if number else []
    edited += [_set(X, vector.event, slice(None), vector.after)] if vector else []
    verified = bool(edited) and all(lead(changed) > 0 for changed in edited)
    return Edit(number, vector, now, linear, verified)


def _closeness(y: np.ndarray, item: np.ndarray, measure: str) -> float:
    if measure == "euclidean":
        return -float(((y - item) ** 2).sum())
    if measure == "dot":
        return float(y @ item)
    length = float(np.linalg.norm(y) * np.linalg.norm(item))
    return float(y @ item) / length if length > 0 else 0.0


def _set(X: np.ndarray, event: int, place: Any, value: Any) -> np.ndarray:
    changed = X.copy()
    changed[event, place] = value
    return changed


def _slope(lead: Lead, X: np.ndarray, event: int, linear: bool) -> np.ndarray:
    """(d,) the slope of the lead in the numbers of one event, by central differences; of a linear one by long steps,
    in which rounding is lost."""
    h = (1.0 if linear else 6e-6) * max(1.0, float(np.abs(X).max()))
    steps = [(_set(X, event, f, X[event, f] + h), _set(X, event, f, X[event, f] - h)) for f in range(X.shape[1])]
    return np.array([(lead(up) - lead(down)) / (2 * h) for up, down in steps])


def _smallest_number(lead: Lead, X: np.ndarray, linear: bool) -> NumberEdit | None:
    best: NumberEdit | None = None
    largest = max(1.0, float(np.abs(X).max()))
    now = lead(X)
    for event in range(X.shape[0]):
        slope = _slope(lead, X, event, linear) if linear else np.zeros(X.shape[1])
        for f in range(X.shape[1]):
            x = float(X[event, f])

            def at(delta: float, event: int = event, f: int = f, x: float = x) -> float:
                return lead(_set(X, event, f, x + delta))

            if linear:
                delta = _along(at, -now / slope[f]) if abs(slope[f]) > 1e-12 * max(abs(now), 1e-300) else None
                if delta is not None and abs(delta) > WIDEST * largest:
                    delta = None
            else:
                delta = _outwards(at, largest, best.size if best else np.inf)
            if delta is not None and (best is None or abs(delta) < best.size):
                best = NumberEdit(event, f, x, float(x + delta))
    return best


def _along(at: Callable[[float], float], delta: float) -> float | None:
    """`delta`, moved past the boundary by as little as shows."""
    for share in (PAST, 1e-7, 1e-5, 1e-3):
        if at(delta * (1 + share)) > 0:
            return delta * (1 + share)
    return None


def _outwards(at: Callable[[float], float], largest: float, shorter_than: float) -> float | None:
    """The shortest step in either direction at which the lead turns positive, found by scanning and halving."""
    before = 0.0
    for size in np.geomspace(SHORTEST * largest, WIDEST * largest, STEPS):
        if before >= shorter_than:
            return None
        found = [sign * size for sign in (1.0, -1.0) if at(sign * size) > 0]
        if found:
            return min((_halved(at, np.sign(step) * before, step) for step in found), key=abs)
        before = float(size)
    return None


def _halved(at: Callable[[float], float], low: float, high: float) -> float:
    """The boundary between `low` (not positive) and `high` (positive), from the side of `high`."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if at(middle) > 0 else (middle, high)
    return high


def _smallest_vector(lead: Lead, X: np.ndarray, linear: bool) -> VectorEdit | None:
    best: VectorEdit | None = None
    for event in range(X.shape[0]):
        delta = np.zeros(X.shape[1])
        for _ in range(1 if linear else NEWTON):
            here = _set(X, event, slice(None), X[event] + delta)
            slope = _slope(lead, here, event, linear)
            steep = float(slope @ slope)
            if steep <= 1e-18:
                break
            towards = (float(slope @ delta) - lead(here)) / steep * slope  # the shortest edit that the slope promises
            if np.abs(towards - delta).max() <= 1e-12 * max(1.0, float(np.abs(X).max())):
                delta = towards
                break
            delta = towards

        def at(share: float, event: int = event, delta: np.ndarray = delta) -> float:
            return lead(_set(X, event, slice(None), X[event] + share * delta))

        if not delta.any():
            continue
        share = _along(at, 1.0) if linear else _outwards(at, 1.0, np.inf)
        if share is None:
            continue
        size = abs(share) * float(np.linalg.norm(delta))
        if size <= WIDEST * max(1.0, float(np.abs(X).max())) and (best is None or size < best.size):
            best = VectorEdit(event, X[event].copy(), X[event] + share * delta, float(size))
    return best
