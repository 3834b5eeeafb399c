"""Cells split over the parts of items: words of a text, patches of a picture, seconds of a sound.

    cell_if = a_i w_i γ θ_f F_if F_jf,      F_if = Σ_p parts_pf
    part p of event i:  Σ_f cell_if parts_pf / F_if

Features are linear in the parts, so this is no estimate: the parts of an event (or, on the other side, of the target)
add up to its cells. What no part is known of stands as a part of its own, called "".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.data import History, ItemTable
from xattn.data.feature_set import FeatureSet, Parts, places_of
from xattn.errors import check_choice, check_named, refuse, some_of
from xattn.explain.question import Question, Scorer
from xattn.features import feature_set
from xattn.model.heads.field import HeadCells

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = [
    "SIDES", "Shared", "blocks_with_parts", "named_parts", "part_removals_frame", "parts_frame", "parts_of_block",
    "shared_parts",
]  # fmt: skip

SIDES = ("event", "target")
COLUMNS = ["event", "title", "position", "place", "part", "contribution"]


class Split(NamedTuple):
    """What the parts of one item bring: `names` (p,), `parts` (p, d) by the features of `features`."""

    names: tuple[str, ...]
    parts: sparse.csr_array
    whole: np.ndarray  # (d,) their sum


def blocks_with_parts(items: ItemTable) -> tuple[str, ...]:
    """The blocks whose features split into parts."""
    return tuple(feature_set(items).parts)


def parts_of_block(items: ItemTable, block: str) -> Parts:
    """The parts of a block. Raises InputError where it has none, and for a block that is not there."""
    features = feature_set(items)
    check_named("block", block, tuple(dict.fromkeys(features.blocks)), "feature_block")
    if block not in features.parts:
        refuse("block_without_parts", got=block, **some_of(tuple(features.parts)))
    return features.parts[block]


class Shared(NamedTuple):
    """What an event and the explained item have in common: `names` of parts, strongest first; `words` if they are."""

    title: str
    names: tuple[str, ...]
    words: bool


def shared_parts(ledger: Ledger, position: int) -> Shared | None:
    """The parts by which the item of the event at `position` speaks for the explained one, of the block where they
    speak loudest, and which both have; None where no block has parts."""
    event, best = ledger.items_table.ids[int(ledger.history.item[position])], None
    for block in blocks_with_parts(ledger.items_table):
        own, other = (ledger.parts(block, event, side) for side in SIDES)
        amount = float(own["contribution"].sum())
        theirs = set(other.loc[other["contribution"] > 0, "part"])
        mine = own.loc[own["contribution"] > 0].groupby("part", sort=False)["contribution"].sum()
        names = tuple(str(name) for name in mine.sort_values(ascending=False, kind="stable").index if name in theirs)
        names = tuple(name for name in names if name)
        if amount > 0 and names and (best is None or amount > best[0]):
            places = places_of(parts_of_block(ledger.items_table, block))
            lies = places(ledger.question.target) if places is not None else ()
            words = bool(lies) and len(lies[0]) == 2
            best = amount, Shared(ledger.title_of(event), names if words else _features(ledger, block, event), words)
    return None if best is None else best[1]


def _features(ledger: Ledger, block: str, event: str) -> tuple[str, ...]:
    """The features of a block by which an event speaks for the item, strongest first, without the name of the block."""
    cells = ledger.cells[(ledger.cells["event"] == event) & ledger.cells["feature"].str.startswith(f"{block}: ")]
    sums = cells.groupby("feature", sort=False)["contribution"].sum().sort_values(ascending=False, kind="stable")
    return tuple(str(name).removeprefix(f"{block}: ") for name in sums[sums > 0].index)


def named_parts(items: ItemTable, block: str, row: int) -> tuple[tuple[str, ...], sparse.csr_array]:
    """The features of a block (d,), by name, and what each part of an item brings of them (p, d)."""
    parts = parts_of_block(items, block)
    features = feature_set(items)
    return tuple(features.names[f] for f in features.of_block(block)), sparse.csr_array(parts(row)[1])


def parts_frame(
    heads: Sequence[HeadCells],
    history: History,
    items: ItemTable,
    target: int,
    block: str,
    side: str,
    event: str | None,
) -> pd.DataFrame:
    """The cells of `block` over the live events, split over parts; the columns are those of `Ledger.parts`."""
    check_choice("side", side, SIDES)
    parts = parts_of_block(items, block)
    place = _places(feature_set(items), block)
    positions = np.flatnonzero(history.live)
    if event is not None:
        positions = positions[history.item[positions] == _row_in(history, items, event)]
    known: dict[int, Split] = {}

    def split(row: int) -> Split:
        if row not in known:
            names, own = parts(row)
            known[row] = Split(names, sparse.csr_array(own), np.asarray(own.sum(axis=0)).ravel())
        return known[row]

    rows: list[tuple[str, str, int, int, str, float]] = []
    for position in positions.tolist():
        item = int(history.item[position])
        total, rest = _amounts(heads, position, block, place, side)
        if rest == 0.0 and not total:
            continue
        own = split(item if side == "event" else target)
        amounts, left = _over_parts(own, total)
        who = (items.ids[item], items.titles[item], position)
        rows += [(*who, p, own.names[p], float(amounts[p])) for p in np.flatnonzero(amounts).tolist()]
        if rest + left != 0.0:
            rows.append((*who, -1, "", rest + left))
    frame = pd.DataFrame(rows, columns=COLUMNS).astype({"position": int, "place": int, "contribution": float})
    return frame.sort_values("contribution", ascending=False, kind="stable").reset_index(drop=True)


def _places(features: FeatureSet, block: str) -> dict[str, int]:
    """The name of each feature of a block → its column among those of the block."""
    return {features.names[f]: at for at, f in enumerate(features.of_block(block))}


def _row_in(history: History, items: ItemTable, event: str) -> int:
    """The row of an item of the history."""
    row = items.row(event)
    if row not in history.item:
        refuse("event_not_met", got=event)
    return row


def _amounts(
    heads: Sequence[HeadCells], position: int, block: str, place: dict[str, int], side: str
) -> tuple[dict[int, float], float]:
    """The cells of one event in the block: by feature where they split on this `side`, and the sum of the others."""
    total: dict[int, float] = {}
    rest = 0.0
    for head in heads:
        mine = [f for f, own in enumerate(head.blocks) if own == block]
        if not mine:
            continue
        cells = float(head.weight[position] * head.strength[position] * head.gate) * head.value[position, mine]
        for f, cell in zip(mine, cells.tolist(), strict=True):
            at = place.get(head.features[f]) if side in head.sides else None
            if at is None:
                rest += cell
            elif cell != 0.0:
                total[at] = total.get(at, 0.0) + cell
    return total, rest


def _over_parts(own: Split, total: dict[int, float]) -> tuple[np.ndarray, float]:
    """(p,) what each part brings of the cells `total` by feature; and what no part brings."""
    share, left = np.zeros(own.parts.shape[1]), 0.0
    for f, cell in total.items():
        if own.whole[f] != 0.0:
            share[f] = cell / own.whole[f]
        else:
            left += cell
    return np.asarray(own.parts @ share), left


def part_removals_frame(
    scorer: Scorer, question: Question, score: float, items: ItemTable, block: str, side: str, event: str | None
) -> pd.DataFrame:
    """The effect of each part; the columns are those of `Ledger.part_removals`."""
    check_choice("side", side, SIDES)
    parts = parts_of_block(items, block)
    effects_of = getattr(scorer, "part_effects", None)
    if effects_of is None:
        refuse("parts_stay", model=type(scorer).__name__)
    history = question.history
    rows = [question.target] if side == "target" else list(dict.fromkeys(history.item[history.live].tolist()))
    if event is not None and side == "event":
        rows = [_row_in(history, items, event)]
    found: list[tuple[str, str, int, str, float, float]] = []
    for row in rows:
        effect, names = effects_of(history, question.target, row, block), parts(row)[0]
        who = items.ids[row], items.titles[row]
        found += [
            (*who, p, names[p], float(effect[p]), score + float(effect[p])) for p in np.flatnonzero(effect).tolist()
        ]
    frame = pd.DataFrame(found, columns=["event", "title", "place", "part", "effect", "score_without"])
    frame = frame.astype({"place": int, "effect": float, "score_without": float})
    return frame.sort_values("effect", kind="stable").reset_index(drop=True)
