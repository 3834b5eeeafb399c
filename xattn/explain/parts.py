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
from xattn.data.feature_set import Parts, PartsOf, kind_of, places_of
from xattn.errors import check_choice, check_named, refuse, some_of
from xattn.explain.question import Question, Scorer
from xattn.features import feature_set
from xattn.model.heads.field import HeadCells

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = [
    "SIDES", "WORDS", "Shared", "block_cells", "blocks_with_parts", "kind_at", "moving_blocks", "named_parts",
    "part_removals_frame", "parts_frame", "parts_of_block", "shared_parts",
]  # fmt: skip

SIDES = ("event", "target")
WORDS = "words"
COLUMNS = ["event", "title", "position", "place", "part", "contribution"]


def blocks_with_parts(items: ItemTable) -> tuple[str, ...]:
    """The blocks whose features split into parts."""
    return tuple(feature_set(items).parts)


def moving_blocks(ledger: Ledger) -> tuple[str, ...]:
    """The blocks with parts that move this score at all, in the order of their columns."""
    moving = {block for head in ledger.heads for block in head.blocks}
    return tuple(block for block in blocks_with_parts(ledger.items_table) if block in moving)


def parts_of_block(items: ItemTable, block: str) -> Parts:
    """The parts of a block. Raises InputError where it has none, and for a block that is not there."""
    features = feature_set(items)
    check_named("block", block, tuple(features.columns), "feature_block")
    if block not in features.parts:
        refuse("block_without_parts", got=block, **some_of(tuple(features.parts)))
    return features.parts[block]


def kind_at(items: ItemTable, block: str, row: int) -> str:
    """What the parts of a block are; where a block does not say it, parts that lie between two places are words."""
    parts = parts_of_block(items, block)
    places = places_of(parts)
    lies = places(row) if places is not None else ()
    return kind_of(parts) or (WORDS if lies and len(lies[0]) == 2 else "")


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
            words = kind_at(ledger.items_table, block, ledger.question.target) == WORDS
            best = amount, Shared(ledger.title_of(event), names if words else _features(ledger, block, event), words)
    return None if best is None else best[1]


def _features(ledger: Ledger, block: str, event: str) -> tuple[str, ...]:
    """The features of a block by which an event speaks for the item, strongest first, without the name of the block."""
    cells = ledger.cells[(ledger.cells["event"] == event) & ledger.cells["feature"].str.startswith(f"{block}: ")]
    sums = cells.groupby("feature", sort=False)["contribution"].sum().sort_values(ascending=False, kind="stable")
    return tuple(str(name).removeprefix(f"{block}: ") for name in sums[sums > 0].index)


def block_cells(ledger: Ledger, block: str, event: str | None = None) -> float:
    """What the cells of a block add up to: over all live events, or over those with the item `event`."""
    history, table = ledger.history, ledger.items_table
    asked = history.live.copy()
    if event is not None:
        asked &= history.item == _row_in(history, table, event)
    mine = ((head, np.array([own == block for own in head.blocks], bool)) for head in ledger.heads)
    return float(sum(head.contribution[asked][:, own].sum() for head, own in mine if own.any()))


def named_parts(items: ItemTable, block: str, row: int) -> tuple[tuple[str, ...], sparse.csr_array]:
    """The features of a block (d,), by name, and what each part of an item brings of them (p, d)."""
    parts = parts_of_block(items, block)
    features = feature_set(items)
    return tuple(features.columns[block]), sparse.csr_array(parts(row)[1])


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
    split = parts.split if isinstance(parts, PartsOf) else PartsOf(parts).split
    place = feature_set(items).places[block]
    positions = np.flatnonzero(history.live)
    if event is not None:
        positions = positions[history.item[positions] == _row_in(history, items, event)]
    columns = _columns(heads, block, place, side)
    rows: list[tuple[str, str, int, int, str, float]] = []
    for position in positions.tolist():
        item = int(history.item[position])
        cells, rest = _amounts(columns, position)
        if rest == 0.0 and not cells:
            continue
        names, amounts, left = split(item if side == "event" else target, cells)
        who = (items.ids[item], items.titles[item], position)
        rows += [(*who, p, names[p], float(amounts[p])) for p in np.flatnonzero(amounts).tolist()]
        if rest + left != 0.0:
            rows.append((*who, -1, "", rest + left))
    rows.sort(key=lambda row: -row[-1])
    lists = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    of = dict(zip(COLUMNS, map(list, lists), strict=True))
    kinds = {"position": np.int64, "place": np.int64, "contribution": np.float64}
    return pd.DataFrame({name: np.array(own, kinds.get(name, object)) for name, own in of.items()})


def _row_in(history: History, items: ItemTable, event: str) -> int:
    """The row of an item of the history."""
    row = items.row(event)
    if row not in history.item:
        refuse("event_not_met", got=event)
    return row


class _Columns(NamedTuple):
    """The cells of one head in a block (n, F), and where each column stands in the block; −1: it does not split."""

    cells: np.ndarray
    place: list[int]


def _columns(heads: Sequence[HeadCells], block: str, place: dict[str, int], side: str) -> list[_Columns]:
    found = []
    for head in heads:
        mine = [f for f, own in enumerate(head.blocks) if own == block]
        if mine:
            splits = side in head.sides
            at = [place.get(head.features[f], -1) if splits else -1 for f in mine]
            found.append(_Columns(head.contribution[:, mine], at))
    return found


def _amounts(columns: Sequence[_Columns], position: int) -> tuple[dict[int, float], float]:
    """The cells of one event in the block: by feature where they split, and the sum of the others."""
    total: dict[int, float] = {}
    rest = 0.0
    for own in columns:
        for at, cell in zip(own.place, own.cells[position].tolist(), strict=True):
            if at < 0:
                rest += cell
            elif cell != 0.0:
                total[at] = total.get(at, 0.0) + cell
    return total, rest


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
