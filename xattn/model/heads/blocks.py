"""Attention over blocks: a head for each block of features, and how much each counts for a target (docs/features.md).

    content_j = Σ_B π_B(j) · Σ_i a_Bi(j) w_i v_B(x_i, j),      π_B(j) = m_B(j) e^{ω_B} / Σ_C m_C(j) e^{ω_C}

Each block attends by its own cosine, so a text may look at other events than a picture. m_B(j) is 1 where block B says
something of item j, else 0: what says nothing gets no weight, and the rest share it. The weights ω are the same for
all targets and are learned on events held out (`model/fit/block_weights.py`). Without attention over blocks,
π_B(j) = m_B(j), and the blocks add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy import sparse

from xattn.model.heads.content import ContentPart, ItemFeatures
from xattn.model.heads.field import Events, HeadField
from xattn.model.heads.part import Part

__all__ = ["BlocksPart", "block_shares", "of_each_block"]


def of_each_block(features: ItemFeatures) -> dict[str, ItemFeatures]:
    """The features of each block, in the order in which the blocks first stand."""
    columns: dict[str, list[int]] = {}
    for feature, block in enumerate(features.blocks):
        columns.setdefault(block, []).append(feature)
    found = {}
    for block, own in columns.items():
        names, blocks = (tuple(of[f] for f in own) for of in (features.names, features.blocks))
        found[block] = ItemFeatures.of(names, features.F[:, own], blocks)
    return found


def block_shares(known: np.ndarray, omega: np.ndarray | None) -> np.ndarray:
    """π (B, M) from which blocks are `known` of each item (B, M) and ω (B,); without ω each counts whole.

    >>> block_shares(np.array([[True, True, False], [True, False, False]]), np.array([0.0, 0.0])).tolist()
    [[0.5, 1.0, 0.0], [0.5, 0.0, 0.0]]
    """
    if omega is None:
        return known.astype(np.float64)
    e = known * np.exp(omega - omega.max(initial=-np.inf))[:, None]
    total = e.sum(axis=0)
    return np.asarray(e / np.where(total > 0, total, 1.0))


@dataclass(frozen=True, eq=False)
class BlocksPart(Part):
    """One content head a block: `blocks` with gates of 1, their `shares` π (B, M), and the `gate` (M,) of all of them.

    `omega` (B,) are the weights that the shares come from; None where the blocks add up.
    """

    blocks: tuple[ContentPart, ...]
    shares: np.ndarray
    omega: np.ndarray | None
    gate: np.ndarray

    strength: ClassVar[str] = "likes"

    @classmethod
    def of(cls, whole: ContentPart, omega: np.ndarray | None) -> BlocksPart:
        """From one head over all features, whose worths each block keeps."""
        place = {name: f for f, name in enumerate(whole.features.names)}
        ones, blocks = np.ones(len(whole.gate)), []
        for block, own in of_each_block(whole.features).items():
            worth = whole.worth[[place[name] for name in own.names]]
            blocks.append(replace(whole, features=own, worth=worth, gate=ones, name=block))
        known = np.array([np.diff(part.features.F.indptr) > 0 for part in blocks]).reshape(len(blocks), len(ones))
        return cls(tuple(blocks), block_shares(known, omega), omega, whole.gate)

    @cached_property
    def gated(self) -> tuple[ContentPart, ...]:
        """The heads with their shares."""
        return tuple(
            replace(part, gate=self.gate * share) for part, share in zip(self.blocks, self.shares, strict=True)
        )

    @property
    def heads(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.blocks)

    @property
    def n_items(self) -> int:
        return len(self.gate)

    def with_heads(self, stay: list[int]) -> BlocksPart:
        """The shares of the blocks that stay are what they were: a head that is left out takes its share along."""
        omega = None if self.omega is None else self.omega[stay]
        return replace(self, blocks=tuple(self.blocks[h] for h in stay), shares=self.shares[stay], omega=omega)

    def state(self) -> dict[str, np.ndarray]:
        names = tuple(name for part in self.blocks for name in part.features.names)
        blocks = tuple(block for part in self.blocks for block in part.features.blocks)
        F = sparse.csr_array(sparse.hstack([part.features.F for part in self.blocks]))
        worth = np.concatenate([part.worth for part in self.blocks])
        whole = replace(self.blocks[0], features=ItemFeatures.of(names, F, blocks), worth=worth, gate=self.gate)
        return whole.state() | ({} if self.omega is None else {"block_omega": self.omega})

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        return [
            field._replace(place=h) for h, part in enumerate(self.gated) for field in part.fields(events, w, targets)
        ]

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        out = np.zeros(len(self.gate))
        for part in self.gated:
            out += part.scores(events, w)
        return out

    def scores_masked(self, events: Events, w: np.ndarray, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        out = np.zeros((len(live), len(targets)))
        for part in self.gated:
            out += part.scores_masked(events, w, live, targets)
        return out

    # --- without parts of an item's features --------------------------------------------------------------------------

    def lessened(self, item: int, less: Mapping[str, float]) -> BlocksPart:
        return replace(self, blocks=tuple(part.lessened(item, less) for part in self.blocks))

    def effects(
        self, events: Events, w: np.ndarray, target: int, item: int, names: Sequence[str], less: sparse.csr_array
    ) -> np.ndarray:
        out = np.zeros(less.shape[0])
        for part in self.gated:
            out += part.effects(events, w, target, item, names, less)
        return out

    # --- what is quick to know about the whole catalogue --------------------------------------------------------------

    @property
    def bounded(self) -> bool:
        return all(part.bounded for part in self.blocks)

    def add_approximate(self, out: np.ndarray, events: Events, w: np.ndarray) -> np.ndarray:
        return self.reach(events, w, 0)

    def reach(self, events: Events, w: np.ndarray, m: int) -> np.ndarray:
        return np.asarray(sum((part.reach(events, w, m) for part in self.gated), np.zeros(len(self.gate))))
