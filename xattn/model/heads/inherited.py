"""What a newcomer inherits: collaborative heads, continued to it along item features (docs/model.md, eq. 24).

    v_h(x, j) = s (l_h[x] + Σ_f D_h[x, f] F_jf)

An event with x says D_h[x, f] about feature f of whatever comes next, and l_h[x] about any item. The sum splits exactly
over features, and the attention is that of the collaborative heads. How D, l and s are fitted stands in
`model/fit/inheritance.py`.

Where features in common count squared, the slopes are those of items with values k, which have the features G:

    v_h(x, j) = s (l_h[x] + Σ_k A_h[x, k] (F_j·G_k)²) = s (l_h[x] + Σ_f F_jf Σ_k A_h[x, k] (F_j·G_k) G_kf)

so a cell still splits over the features of the newcomer: each says what it has in common, times all that is in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import ClassVar, NamedTuple

import numpy as np
from scipy import sparse

from xattn.errors import check_array, check_distinct, check_index_array, check_number, refuse
from xattn.kernels.fields import field_weights
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.field import Events, Factors, HeadField
from xattn.model.heads.part import Part
from xattn.model.memory import Memory, memory_names
from xattn.model.state import rows_of_state, rows_state, text_array, texts_of

__all__ = ["Inheritance", "InheritedPart", "alike"]


def alike(F: sparse.csr_array, G: sparse.csr_array) -> np.ndarray:
    """(J, C) the squared inner products of the rows of `F` (J, d) and `G` (C, d).

    >>> alike(sparse.csr_array(np.array([[1.0, 2.0]])), sparse.csr_array(np.array([[1.0, 1.0], [0.0, 1.0]]))).tolist()
    [[9.0, 4.0]]
    """
    return np.asarray((F @ G.T).toarray() ** 2)


def _times(F: sparse.csr_array | np.ndarray, slope: np.ndarray) -> np.ndarray:
    """F slope (J,), each row to the same bits whichever rows stand beside it: a product by BLAS would not be."""
    return np.asarray(np.einsum("jc,c->j", F, slope) if isinstance(F, np.ndarray) else F @ slope)


class Inheritance(NamedTuple):
    """Slopes `D` (H, C, d), or (H, C, C) where what is in common counts squared, and levels `l` (H, C) over the C rows
    of a value table; float32, s multiplied in."""

    D: np.ndarray
    l: np.ndarray


@dataclass(frozen=True, eq=False)
class InheritedPart(Part):
    """H heads over newcomers: `new` (J,) item rows, `F` (J, d) their features, `place` (M,) row of F or −1."""

    inheritance: Inheritance
    row_of_item: np.ndarray  # (M,) row of D of each item as an event, −1 where it has none
    names: tuple[str, ...]
    blocks: tuple[str, ...]  # (d,) the block of each feature
    F: sparse.csr_array
    new: np.ndarray
    place: np.ndarray
    memories: tuple[Memory, ...]
    beta: float
    theta: float
    loudness: float = 1.0  # of the content head, where it speaks of newcomers beside these heads
    known: sparse.csr_array | None = None  # G (C, d), where what is in common counts squared

    strength: ClassVar[str] = "presence"

    @classmethod
    def of(
        cls,
        behaviour: CollaborativePart,
        inheritance: Inheritance,
        names: tuple[str, ...],
        F: sparse.csr_array,
        new: np.ndarray,
        blocks: Sequence[str] | None = None,
    ) -> InheritedPart:
        """The heads of `behaviour`, continued to the items `new` (J,) with the features `F` (J, d).

        Without `blocks`, a feature named "genres: Drama" belongs to the block "genres".
        """
        place = np.full(behaviour.n_items, -1)
        place[new] = np.arange(len(new))
        attention = (behaviour.memories, behaviour.beta, behaviour.theta)
        of = tuple(blocks) if blocks is not None else tuple(name.partition(": ")[0] for name in names)
        return cls(inheritance, behaviour.form.row_of_item, names, of, F.sorted_indices(), new, place, *attention)

    @classmethod
    def of_state(cls, state: dict[str, np.ndarray], behaviour: CollaborativePart) -> InheritedPart:
        """The part of `state()`, beside the collaborative part of its model. Raises InputError where sizes differ."""
        new = check_index_array("new", state["new"], size=behaviour.n_items)
        check_distinct("new", new, "item")
        old = "new_names" in state  # older files keep names as lines
        if old:
            names = tuple(state["new_names"].tobytes().decode().split("\n"))
        else:
            names = texts_of("new_feature_names", state["new_feature_names"])
        D, levels = check_array("slopes", state["slopes"], ndim=3), check_array("levels", state["levels"], ndim=2)
        F = rows_of_state(state, "new_F", len(new), len(names))
        C = len(behaviour.form.warm)
        known = rows_of_state(state, "new_known", C, len(names)) if "new_known_ptr" in state else None
        width = len(names) if known is None else C
        if D.shape != (len(behaviour.memories), C, width) or levels.shape != D.shape[:2]:
            refuse("slopes", got=D.shape, got_levels=levels.shape)
        named = "new_feature_blocks" in state
        blocks = texts_of("new_feature_blocks", state["new_feature_blocks"], len(names)) if named else None
        loudness = check_number("new_loudness", float(state.get("new_loudness", np.array(1.0))), low=0.0)
        part = cls.of(behaviour, Inheritance(D, levels), names, F, new, blocks)
        return replace(part, loudness=loudness, known=known)

    def state(self) -> dict[str, np.ndarray]:
        named = {"new_feature_names": text_array(self.names), "new_feature_blocks": text_array(self.blocks)}
        tables = {"new": self.new, "slopes": self.inheritance.D, "levels": self.inheritance.l}
        tables["new_loudness"] = np.array(self.loudness)
        known = {} if self.known is None else rows_state("new_known", self.known)
        return {**named, **tables, **rows_state("new_F", self.F), **known}

    @property
    def heads(self) -> tuple[str, ...]:
        return memory_names(self.memories, "inherited", "inherited")

    @property
    def n_items(self) -> int:
        return len(self.place)

    def with_heads(self, stay: list[int]) -> InheritedPart:
        D, l = self.inheritance
        return replace(self, inheritance=Inheritance(D[stay], l[stay]), memories=tuple(self.memories[h] for h in stay))

    @cached_property
    def said(self) -> sparse.csr_array | np.ndarray:
        """What the slopes are multiplied by, for each newcomer: its features (J, d), or how alike it is (J, C)."""
        return self.F if self.known is None else alike(self.F, self.known)

    @cached_property
    def _known_by_column(self) -> sparse.csc_array | None:
        return None if self.known is None else sparse.csc_array(self.known)

    def _E(self, events: Events, h: int) -> np.ndarray:
        return self.memories[h].exponentials(events)[None, :]

    def _rows(self, events: Events, h: int) -> tuple[np.ndarray, np.ndarray]:
        """(D, l) of the events, (n, d) and (n,) float64; 0 for an event without a row."""
        row = self.row_of_item[events.item]
        known = (row >= 0)[:, None]
        D = np.where(known, self.inheritance.D[h][row], 0.0)
        return D.astype(np.float64), np.where(known[:, 0], self.inheritance.l[h][row], 0.0).astype(np.float64)

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The heads' part of the score of every item (M,); 0 for items that have been met."""
        out = np.zeros(len(self.place))
        out[self.new] = self._of_new(events, w, events.live[None], self.said)[0]
        return out

    def scores_masked(self, events: Events, w: np.ndarray, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        out, new = np.zeros((len(live), len(targets))), self.place[targets] >= 0
        if new.any():
            out[:, new] = self._of_new(events, w, live, self.said[self.place[targets[new]]])
        return out

    def _of_new(self, events: Events, w: np.ndarray, live: np.ndarray, F: sparse.csr_array | np.ndarray) -> np.ndarray:
        """(R, J) of newcomers of which `F` (J, ·) is `said`, under the maskings `live` (R, n)."""
        heads = [(self._E(events, h), *self._rows(events, h)) for h in range(len(self.memories))]
        out = np.empty((len(live), F.shape[0]))
        for row, kept in zip(out, live, strict=True):
            slope, level = np.zeros(F.shape[1]), 0.0
            for E, D, l in heads:
                a = field_weights(E, kept, self.beta, self.theta)[0] * w
                slope, level = slope + a @ D, level + float(a @ l)
            row[:] = level + _times(F, slope)
        return out

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """One field a head over `targets` (J,) item rows; none where no target is a newcomer."""
        of_new = self.place[targets] >= 0
        if not of_new.any():
            return []
        F, found = self.said[self.place[targets[of_new]]], []
        for h, name in enumerate(self.heads):
            D, l = self._rows(events, h)
            X = np.zeros((len(targets), len(w)))
            X[of_new] = (F @ D.T + l) * w
            factors = partial(self._factors, D, l, w, targets)
            found.append(HeadField(name, self._E(events, h), X, self.beta, self.theta, factors, h))
        return found

    def _factors(self, D: np.ndarray, l: np.ndarray, w: np.ndarray, targets: np.ndarray, at: int) -> Factors:
        """The factors for one target, split over its features; the feature "" is the level."""
        row = self.place[targets[at]]
        if row < 0:
            return Factors(w, np.zeros((len(w), 1)), 1.0)
        own = slice(*self.F.indptr[row : row + 2])
        index = self.F.indices[own]
        names = tuple(self.names[f] for f in index)
        value = np.column_stack([l, self._slopes(D, row, index) * self.F.data[own]])
        blocks = (self.blocks[f] for f in index)
        return Factors(w, value, 1.0, ("", *names), ("", *blocks), (-1, *index.tolist()), ("target",))

    def _slopes(self, D: np.ndarray, row: int, index: np.ndarray) -> np.ndarray:
        """(n, ·) the slopes of the features `index` of one newcomer, from those of events."""
        if self._known_by_column is None:
            return D[:, index]
        common = self._known_by_column[:, index]
        return np.asarray((common.T @ (D * (common @ self.F[[row]].toarray()[0, index])).T).T)

    # --- without parts of an item's features --------------------------------------------------------------------------

    def lessened(self, item: int, less: Mapping[str, float]) -> InheritedPart:
        row = int(self.place[item])
        known = {at: less[name] for at, name in enumerate(self.names) if name in less}
        if row < 0 or not known:
            return self
        F = sparse.lil_array(self.F)
        for feature, amount in known.items():
            F[row, feature] -= amount
        return replace(self, F=sparse.csr_array(F))

    def effects(
        self, events: Events, w: np.ndarray, target: int, item: int, names: Sequence[str], less: sparse.csr_array
    ) -> np.ndarray:
        place = {name: at for at, name in enumerate(self.names)}
        at = np.array([place.get(name, -1) for name in names], np.int64)
        if item != target or self.place[target] < 0 or not len(events) or not (at >= 0).any():
            return np.zeros(less.shape[0])
        slope = np.zeros(self.inheritance.D.shape[2])
        for h in range(len(self.memories)):
            a = field_weights(self._E(events, h), events.live, self.beta, self.theta)[0] * w
            slope += a @ self._rows(events, h)[0]
        taken = sparse.csr_array(less[:, np.flatnonzero(at >= 0)])
        if self.known is None:
            return np.asarray(-(taken @ slope[at[at >= 0]]))
        gone = (taken @ self.known[:, at[at >= 0]].T).toarray()
        common = (self.F[[int(self.place[target])]] @ self.known.T).toarray()
        return np.asarray((gone * (gone - 2.0 * common)) @ slope)

    # --- what is quick to know about the whole catalogue --------------------------------------------------------------

    @property
    def bounded(self) -> bool:
        return self.theta == 0.0

    def add_approximate(self, out: np.ndarray, events: Events, w: np.ndarray) -> np.ndarray:
        own = np.zeros((len(self.new), len(events)))
        self.add_without_each(own, events, w, self.new)
        out[:, self.new] += own.T
        return np.zeros(len(self.place))

    def reach(self, events: Events, w: np.ndarray, m: int) -> np.ndarray:
        reach = np.zeros(len(self.place))
        reach[self.new] = np.inf
        return reach
