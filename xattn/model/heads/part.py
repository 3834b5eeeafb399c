"""A part of a score: one or several heads that belong together, with one protocol for all of them.

    s(u, j) = b_j + Σ_parts Σ_heads Σ_i a_hi(j) · w_i · v_h(x_i, j) · γ_hj          (docs/model.md, eq. 3)

A part says which strength w of the events it asks for, and adds its heads' sums to the scores of a whole catalogue. If
every weight depends on one event and the target alone, the part also gives fields: scores, removals and cells all
follow from them. A part whose weights look at several events at once gives no fields, and defines the removals and the
cells itself. A model sums over its parts and never asks what kind of part it has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from xattn.kernels.fields import add_field_without_each, field_weights
from xattn.model.heads.field import Events, HeadCells, HeadField, ManyEvents, Masked, fields_scores

__all__ = ["Part"]


class Part(ABC):
    """Heads over M items. In every method `events` are those of one history (n,), and `w` (n,) their strengths.

    `strength` names the strength that the part asks for; the model knows how to compute it:

        likes      the opinion of the event, from −1 to 1
        presence   that the event happened, and whether it was disliked
        kind       what the type of the event counts
        each head  a row (H, n) for each head that the article's network may have

    `streams` is True where `add_approximate` reads the values of the whole catalogue once for all removals, which is
    what makes an approximation quicker than the scores themselves. `group` is one name for all heads of the part,
    where readers would not tell them apart.
    """

    strength: ClassVar[str]
    streams: ClassVar[bool] = False
    group: ClassVar[str | None] = None

    @property
    @abstractmethod
    def heads(self) -> tuple[str, ...]:
        """The name of each head, as the ledger shows it."""

    @property
    @abstractmethod
    def n_items(self) -> int:
        """M."""

    @abstractmethod
    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField] | None:
        """The heads over `targets` (J,) item rows; None where a weight depends on several events.

        A head that has nothing to do with any of the targets may be left out. The `place` of a field is the place of
        its head among `heads`.
        """

    @abstractmethod
    def with_heads(self, stay: list[int]) -> Self:
        """The part with only the heads at these places, of which there is at least one."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """What was fitted, as plain arrays for a model file."""

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The part's addition to the score of every item (M,)."""
        every = np.arange(self.n_items)
        return fields_scores(self._fields(events, w, every), events.live, np.zeros(len(every)))

    def add_scores_of_many(self, out: np.ndarray, histories: ManyEvents, w: np.ndarray) -> None:
        """Add the `scores` of each of R histories to `out` (R, M), to the same bits; `w` (…, N) of all their events."""
        cuts = zip(histories.indptr[:-1], histories.indptr[1:], strict=True)
        for row, events, (low, high) in zip(out, histories, cuts, strict=True):
            if len(events):
                row += self.scores(events, w[..., low:high])

    def scores_masked(self, events: Events, w: np.ndarray, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The part's addition (R, J) to the scores of `targets` under the maskings `live` (R, n).

        Bit for bit the numbers of `scores`: it is asked where rounding decides which of two items is ahead. A part
        overrides it if it can score a few items without scoring all.
        """
        masked = [self.scores(Masked(events, row), w)[targets] for row in live]
        return np.array(masked).reshape(len(live), len(targets))

    def add_without_each(self, out: np.ndarray, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        """Add to `out` (J, n) the part of the targets' scores with each event masked in turn."""
        for field in self._fields(events, w, targets):
            add_field_without_each(out, field.E, field.X, events.live, field.beta, field.theta)

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        """The cells of each head for one target item row."""
        return [field.cells(events.live) for field in self._fields(events, w, np.array([target]))]

    def add_contributions(self, out: np.ndarray, events: Events, w: np.ndarray, targets: np.ndarray) -> None:
        """Add to `out` (J, n) what each event gives to each target, all heads together: the sums of the `cells`."""
        fields = self.fields(events, w, targets)
        if fields is None:
            for row, target in zip(out, targets.tolist(), strict=True):
                for head in self.cells(events, w, target):
                    row += head.contribution.sum(axis=1)
            return
        for field in fields:
            out += field_weights(field.E, events.live, field.beta, field.theta) * field.X

    def _fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        fields = self.fields(events, w, targets)
        assert fields is not None, f"{type(self).__name__} without fields must define what follows from them"
        return fields

    # --- without parts of an item's features --------------------------------------------------------------------------

    def lessened(self, item: int, less: Mapping[str, float]) -> Part:
        """The part when the features of one item row are less by so much, by name; lengths stay what they were.

        A part that knows no features, or none of these names, stays as it is.
        """
        return self

    def effects(
        self, events: Events, w: np.ndarray, target: int, item: int, names: Sequence[str], less: sparse.csr_array
    ) -> np.ndarray:
        """(P,) by how much the score of `target` changes as the features `names` (d,) of `item` are less by each row.

        `less` is (P, d). What `lessened` would serve, less what is served.
        """
        return np.zeros(less.shape[0])

    # --- what is quick to know about the whole catalogue --------------------------------------------------------------

    @property
    def bounded(self) -> bool:
        """Whether `add_approximate` and `reach` are defined for this part."""
        return False

    def add_approximate(self, out: np.ndarray, events: Events, w: np.ndarray) -> np.ndarray:
        """Add the part of every score without each event to `out` (n, M) float32, as exactly as is quick.

        Returns by how much (M,) a score of each item may be off, apart from rounding in float32.
        """
        raise NotImplementedError

    def reach(self, events: Events, w: np.ndarray, m: int) -> np.ndarray:
        """(M,) what the part's addition to each score cannot exceed when up to `m` events are masked."""
        raise NotImplementedError
