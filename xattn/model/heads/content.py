"""The content head: target attention over item features; its cells split over features (docs/model.md, eq. 6–7).

    e_i(j) = cos(F_{x_i}, F_j)/T − g_i/τ,      v(x_i, j) = b_j Σ_f θ_f F_{x_i f} F_{j f}

The more an event resembles the target, the more weight it has. Its value says how much each feature that both have
lifts the target above its base b_j: θ_f = 0.5 means half as likely again. How θ is learned stands in
`model/fit/worths.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy import sparse

from xattn.errors import check_array, check_same_length
from xattn.kernels.content import content_field, content_scores
from xattn.kernels.fields import FAINT
from xattn.model.heads.field import Events, Factors, HeadField, fields_masked, fields_scores
from xattn.model.heads.part import Part
from xattn.model.state import rows_of_state, rows_state, text_array, texts_of

__all__ = ["ContentPart", "ItemFeatures"]

NAME = "content"
MANY = 500  # features from which only those that the events have are looked at

Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class ItemFeatures(NamedTuple):
    """Features of M items, d each: `F` (M, d) sparse, and the length of each row (1 where it is 0).

    Items of the same features are of one kind: `kinds` are the K of them as targets, `kind` (M,) is that of each item.
    """

    names: tuple[str, ...]
    blocks: tuple[str, ...]  # (d,) the block of each feature
    F: sparse.csr_array
    norm: np.ndarray
    kinds: Rows
    kind: np.ndarray

    @classmethod
    def of(
        cls, names: tuple[str, ...], F: np.ndarray | sparse.csr_array, blocks: tuple[str, ...] | None = None
    ) -> ItemFeatures:
        """From a matrix (M, d). Without `blocks`, a feature named "genres: Drama" belongs to the block "genres"."""
        rows = sparse.csr_array(F, copy=True)  # writeable: kernels would be compiled again for read-only arrays
        rows.sort_indices()
        norm = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), np.float64).ravel())
        norm = np.where(norm > 0, norm, 1.0)
        places: dict[bytes, int] = {}
        spans = [slice(*ends) for ends in zip(rows.indptr[:-1], rows.indptr[1:], strict=True)]
        kind = [places.setdefault(rows.indices[s].tobytes() + rows.data[s].tobytes(), len(places)) for s in spans]
        first = np.unique(np.array(kind, np.int64), return_index=True)[1]
        kinds = _targets(rows[first], norm[first])
        if blocks is None:
            blocks = tuple(name.partition(": ")[0] for name in names)
        return cls(names, blocks, rows, norm, kinds, np.array(kind, np.int64))

    def targets(self, targets: np.ndarray | None) -> Rows:
        """(ptr, index, value, norm) of some items, or of all."""
        if targets is not None and len(targets) == 1:  # as a ledger asks; slicing a sparse array is slow
            index, value = self.of_item(int(targets[0]))
            return np.array([0, len(index)]), index, value, self.norm[targets]
        return _targets(self.F, self.norm) if targets is None else _targets(self.F[targets], self.norm[targets])

    def of_item(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """(index, value) of the features that one item has."""
        own = slice(*self.F.indptr[row : row + 2])
        return self.F.indices[own].astype(np.int64), self.F.data[own]

    def dense(self, item: np.ndarray) -> np.ndarray:
        """The features (n, d) of some items."""
        start, stop = self.F.indptr[:-1][item].astype(np.int64), self.F.indptr[1:][item]
        length = stop - start
        place = np.arange(length.sum()) + np.repeat(start - (np.cumsum(length) - length), length)
        out = np.zeros((len(item), self.F.shape[1]))
        out[np.repeat(np.arange(len(item)), length), self.F.indices[place]] = self.F.data[place]
        return out

    def lessened(self, row: int, less: Mapping[int, float]) -> ItemFeatures:
        """The features when those of one item are less by so much; its length stays what it was."""
        index, value = self.of_item(row)
        own = dict(zip(index.tolist(), value.tolist(), strict=True))
        for feature, amount in less.items():
            own[feature] = own.get(feature, 0.0) - amount
        named = sorted(own)
        low, high = self.F.indptr[row : row + 2].tolist()
        data = np.concatenate([self.F.data[:low], [own[f] for f in named], self.F.data[high:]])
        indices = np.concatenate([self.F.indices[:low], np.array(named, self.F.indices.dtype), self.F.indices[high:]])
        indptr = self.F.indptr.copy()
        indptr[row + 1 :] += len(named) - (high - low)
        F = sparse.csr_array((data, indices, indptr), shape=self.F.shape)
        first = np.unique(self.kind, return_index=True)[1]
        own_kind = sparse.csr_array(sparse.vstack([self.F[first], F[[row]]]))  # after the others, which stay
        kind = self.kind.copy()
        kind[row] = len(first)
        return self._replace(F=F, kinds=_targets(own_kind, self.norm[np.append(first, row)]), kind=kind)

    def seen(self, item: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The features of some items, and where each feature stands there; None: where it stands in F.

        Of many features, only those that some of the items have are kept, and after them one column of zeros
        (n, s + 1), which stands for all others.
        """
        if self.F.shape[1] <= MANY:
            return self.dense(item), None
        own = self.F[item]
        has, column = np.unique(own.indices, return_inverse=True)
        out = np.zeros((len(item), len(has) + 1))
        out[np.repeat(np.arange(len(item)), np.diff(own.indptr)), column] = own.data
        place = np.full(self.F.shape[1], len(has), np.int64)
        place[has] = np.arange(len(has))
        return out, place

    def events(self, item: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(unit, weighted), both (d, n): the events' features divided by their length, and multiplied by strength."""
        return self.events_of(self.dense(item), item, w)

    def events_of(self, own: np.ndarray, item: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same from the features `own` (n, d) of the items."""
        return np.ascontiguousarray((own / self.norm[item][:, None]).T), np.ascontiguousarray((own * w[:, None]).T)


@dataclass(frozen=True, eq=False)
class _Near:
    """The events at the places `place` of a history."""

    place: np.ndarray
    item: np.ndarray
    rating: np.ndarray | None
    age: np.ndarray
    live: np.ndarray
    elapsed: None = None  # this head forgets by events

    @classmethod
    def of(cls, events: Events, edge: float) -> _Near:
        """Those whose age is at most `edge`."""
        place = np.flatnonzero(events.age <= edge)
        rating = None if events.rating is None else events.rating[place]
        return cls(place, events.item[place], rating, events.age[place], events.live[place])

    def __len__(self) -> int:
        return len(self.place)


def _targets(rows: sparse.csr_array, norm: np.ndarray) -> Rows:
    return rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data, norm


@dataclass(frozen=True, eq=False)
class ContentPart(Part):
    """A fitted content head; `gate` (M,) multiplies each target's values: the base, in a hybrid times 1 − γ."""

    features: ItemFeatures
    worth: np.ndarray  # (d,) θ
    temperature: float
    tau: float
    beta: float
    theta: float
    gate: np.ndarray
    name: str = NAME

    strength: ClassVar[str] = "likes"

    @classmethod
    def of_state(cls, state: dict[str, np.ndarray], gate: np.ndarray, **settings: Any) -> ContentPart:
        """The part of `state()`; `settings` are its other fields. Raises InputError where sizes do not fit."""
        names = _names(state)
        worth = check_array("worth", state["worth"], ndim=1, dtype=np.float64)
        check_same_length(features=len(names), worths=len(worth))
        F = rows_of_state(state, "F", len(gate), len(names))
        named = "feature_blocks" in state
        blocks = texts_of("feature_blocks", state["feature_blocks"], len(names)) if named else None
        return cls(ItemFeatures.of(names, F, blocks), worth, gate=gate, **settings)

    def state(self) -> dict[str, np.ndarray]:
        names, blocks = text_array(self.features.names), text_array(self.features.blocks)
        named = {"feature_names": names, "feature_blocks": blocks, "worth": self.worth}
        return {**named, **rows_state("F", self.features.F)}

    @property
    def heads(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def n_items(self) -> int:
        return len(self.gate)

    def with_heads(self, stay: list[int]) -> ContentPart:
        return self

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """The field over `targets` (J,) item rows; none where there are no features."""
        if not self.features.names:
            return []
        seen, place = self.features.seen(events.item)
        unit, weighted = self.features.events_of(seen, events.item, w)
        rows, g, gate = self.features.targets(targets), events.age / self.tau, self.gate[targets]
        E, X = content_field(*self._placed(rows, place), gate, unit, weighted, g, self.temperature)
        return [HeadField(self.name, E, X, self.beta, self.theta, partial(self._factors, seen, place, w, targets))]

    def _placed(self, rows: Rows, place: np.ndarray | None) -> tuple[Rows, np.ndarray]:
        """The rows of targets and the worths of features, by the places where `seen` has the features."""
        if place is None:
            return rows, self.worth
        worth = np.zeros(int(place.max()) + 1)
        worth[place] = self.worth
        worth[-1] = 0.0  # what no event has
        return (rows[0], place[rows[1]], *rows[2:]), worth

    def _factors(
        self, seen: np.ndarray, place: np.ndarray | None, w: np.ndarray, targets: np.ndarray, at: int
    ) -> Factors:
        """The factors for one target, split over the features that it shares with some event."""
        features, target = self.features, int(targets[at])
        index, value = features.of_item(target)
        values = seen[:, index if place is None else place[index]] * (value * self.worth[index])
        shared = (values != 0).any(axis=0)
        numbers = tuple(index[shared].tolist())
        names, blocks = (tuple(of[f] for f in numbers) for of in (features.names, features.blocks))
        return Factors(w, values[:, shared], self.gate[target], names, blocks, numbers, ("event", "target"))

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        if not self.features.names or not len(events):
            return np.zeros(len(self.gate))
        kinds = self.features.kinds
        near = _Near.of(events, self._edge(events.age, events.age[events.live]))
        ones = np.ones(len(kinds[-1]))
        seen, place = self.features.seen(near.item)
        unit, weighted = self.features.events_of(seen, near.item, w[near.place])
        g = near.age / self.tau
        of_kind = content_scores(
            *self._placed(kinds, place), ones, unit, weighted, g, self.temperature, near.live, self.beta, self.theta
        )
        return np.asarray(of_kind[self.features.kind] * self.gate)  # once a kind: half of 9,066 films

    def scores_masked(self, events: Events, w: np.ndarray, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        if not self.features.names:
            return np.zeros((len(live), len(targets)))
        _, first, kind = np.unique(self.features.kind[targets], return_index=True, return_inverse=True)
        plain, of_kind = replace(self, gate=np.ones(len(self.gate))), np.empty((len(live), len(first)))
        edges = np.array([self._edge(events.age, events.age[row]) for row in live])
        for edge in np.unique(edges):
            near, rows = _Near.of(events, edge), edges == edge
            fields = plain.fields(near, w[near.place], targets[first])
            of_kind[rows] = fields_masked(fields, live[rows][:, near.place], np.zeros(len(first)))
        return np.asarray(of_kind[:, kind] * self.gate[targets])

    def _edge(self, age: np.ndarray, live: np.ndarray) -> float:
        """The age up to which scores look at events: of these ages (n,), of which those of unmasked ones are `live`.

        Logits are within ±c/T of −g/τ. So an event that is 2cτ/T older than the newest has the largest logit of no
        target, and one that is τ (2c/T − ln FAINT) older than a live one is fainter than `FAINT` beside it.
        """
        apart = 2.0 * self._most_alike / self.temperature
        heard = live.min() + self.tau * (apart - np.log(FAINT)) if len(live) else -np.inf
        return float(max(age.min() + self.tau * apart, heard))

    @cached_property
    def _most_alike(self) -> float:
        """c ≥ 1, which no cosine exceeds. It can be over 1 where features are `lessened` and their length stays."""
        F = self.features.F
        length = np.sqrt(np.asarray(F.multiply(F).sum(axis=1), np.float64).ravel()) / self.features.norm
        return max(1.0, float(length.max(initial=0.0)) ** 2)

    # --- without parts of an item's features --------------------------------------------------------------------------

    def lessened(self, item: int, less: Mapping[str, float]) -> ContentPart:
        known = {at: less[name] for at, name in enumerate(self.features.names) if name in less}
        return replace(self, features=self.features.lessened(item, known)) if known else self

    def effects(
        self, events: Events, w: np.ndarray, target: int, item: int, names: Sequence[str], less: sparse.csr_array
    ) -> np.ndarray:
        place = {name: at for at, name in enumerate(self.features.names)}
        at = np.array([place.get(name, -1) for name in names], np.int64)
        if not len(events) or not (at >= 0).any():
            return np.zeros(less.shape[0])
        index, f = self.features.of_item(target)
        own = self.features.dense(events.item)
        is_event, is_target = events.item == item, float(item == target)
        # rows of D: what each removal takes, and a first row that takes nothing, against which effects are measured
        taken = sparse.csr_array(less[:, np.flatnonzero(at >= 0)])
        D = sparse.csr_array(
            (taken.data, at[at >= 0][taken.indices], taken.indptr), shape=(taken.shape[0], own.shape[1])
        )
        D = sparse.csr_array(sparse.vstack([sparse.csr_array((1, own.shape[1])), D]))
        norm = self.features.norm
        sums = []
        for worth in (np.ones(own.shape[1]), self.worth):  # the inner products of the logits, and those of the values
            whole = own[:, index] @ (f * worth[index])
            by_event = (D[:, index] @ (f * worth[index]))[:, None] * is_event
            by_target = is_target * (D @ (own * worth).T)
            by_both = is_target * np.asarray(D.multiply(D) @ worth).ravel()[:, None] * is_event
            sums.append(whole - by_event - by_target + by_both)
        z = sums[0] / (norm[events.item] * norm[target] * self.temperature) - events.age / self.tau
        E = np.exp(z - z.max(axis=1, keepdims=True))
        field = HeadField(NAME, E, sums[1] * (w * self.gate[target]), self.beta, self.theta)
        scores = fields_scores([field], events.live, np.zeros(len(E)))
        return np.asarray(scores[1:] - scores[0])

    # --- what is quick to know about the whole catalogue --------------------------------------------------------------

    @property
    def bounded(self) -> bool:
        return self.theta == 0.0

    def add_approximate(self, out: np.ndarray, events: Events, w: np.ndarray) -> np.ndarray:
        return self._size(events, w)  # small beside other parts: nothing is added

    def reach(self, events: Events, w: np.ndarray, m: int) -> np.ndarray:
        return self._size(events, w)

    def _size(self, events: Events, w: np.ndarray) -> np.ndarray:
        """(M,) what the head's part of a score cannot exceed in size, whatever is masked.

        |Σ a_i x_i| ≤ max |x_i| · (Σ E_i)^(1 − β), and E_i ≤ exp(2/T − (g_i − min g)/τ), at most 1.
        """
        if not self.features.names or not len(events):
            return np.zeros(len(self.gate))
        largest = np.abs(self.features.dense(events.item) * w[:, None]).max(axis=0) * np.abs(self.worth)
        x = abs(self.features.F) @ largest
        with np.errstate(over="ignore"):
            E = np.minimum(1.0, np.exp(2.0 / self.temperature - (events.age - events.age.min()) / self.tau))
        return np.asarray(np.abs(self.gate) * x * E.sum() ** (1.0 - self.beta))


def _names(state: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Names of features; older files keep them as lines."""
    if "feature_names" in state:
        return texts_of("feature_names", state["feature_names"])
    return tuple(state["features"].tobytes().decode().split("\n")) if len(state["features"]) else ()
