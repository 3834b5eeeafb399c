"""A block of features as one event and the explained item share it: their parts, in the texts and pictures they lie in.

    event   "The crew plans a [heist]"      heist +.02   crew +.01   ┐
    item    "A [heist] with a crew"         heist +.02   crew +.01   ┘  both sum to the block's cells of this event

What is shown is anybody's text, or a picture that was made anew from its pixels; whoever draws it escapes the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from xattn.data.feature_set import places_of, shown_of
from xattn.explain.parts import SIDES, kind_at, moving_blocks, parts_of_block

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["Piece", "Side", "Split", "parts_table", "pieces", "speaking", "split", "telling_blocks"]

LONGEST = 600  # characters of a text that is shown; of a longer one the surroundings of its words
AROUND = 60  # characters before and after a word


class Piece(NamedTuple):
    """A stretch of a text, and what it adds; None between words. "…" stands for what is left out."""

    text: str
    amount: float | None = None


class Side(NamedTuple):
    """An item by its parts. `amounts` has one number a part, `rest` is what no part is known of; `places` and `names`
    are those of all parts; `shown` is the text, or a PNG, or None."""

    item: str
    title: str
    names: tuple[str, ...]
    amounts: np.ndarray
    rest: float
    places: tuple[tuple[float, ...], ...]
    shown: str | bytes | None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The text with its words marked; nothing where there is none."""
        return pieces(self.shown, self.places, self.amounts) if isinstance(self.shown, str) else ()


class Split(NamedTuple):
    """The cells of `block` over one `event`, of `kind` "words", "patches", "frames", "stretches" or "", on each side.

    `amount` is what these cells add up to, and so do the amounts of each side; `whole` is what the block adds over all
    events.
    """

    block: str
    event: str
    kind: str
    amount: float
    whole: float
    own: Side
    other: Side


def telling_blocks(ledger: Ledger) -> tuple[str, ...]:
    """The blocks with parts whose cells say something of this item, the one that adds most first."""
    said = ledger.by("block")
    amount = dict(zip(said["block"], said["contribution"], strict=True))
    own = [block for block in moving_blocks(ledger) if len(ledger.parts(block))]
    return tuple(sorted(own, key=lambda block: -abs(amount.get(block, 0.0))))


def speaking(ledger: Ledger, block: str) -> tuple[str, ...]:
    """The events of which the block says something, the one that it adds most for first."""
    sums = ledger.parts(block).groupby("event", sort=False)["contribution"].sum()
    return tuple(map(str, sums.sort_values(ascending=False, kind="stable").index))


def split(ledger: Ledger, block: str, event: str) -> Split:
    """The cells of a block over one event (an item id), on both sides. Raises InputError as `Ledger.parts`."""
    frames = {side: ledger.parts(block, event, side) for side in SIDES}
    table, target = ledger.items_table, ledger.question.target
    rows = {"event": table.row(event), "target": target}
    own, other = (_side(ledger, block, rows[side], frames[side]) for side in SIDES)
    said = ledger.by("block")
    whole = float(said.loc[said["block"] == block, "contribution"].sum())
    kind = kind_at(table, block, target) or kind_at(table, block, rows["event"])
    return Split(block, event, kind, float(frames["event"]["contribution"].sum()), whole, own, other)


def _side(ledger: Ledger, block: str, row: int, frame: pd.DataFrame) -> Side:
    parts, table = parts_of_block(ledger.items_table, block), ledger.items_table
    names, places, shown = parts(row)[0], places_of(parts), shown_of(parts)
    known = frame[frame["place"] >= 0]
    amounts = np.bincount(known["place"], known["contribution"], len(names))
    lies = places(row) if places is not None and len(names) else ()
    seen = shown(row) if shown is not None else None
    rest = float(frame.loc[frame["place"] < 0, "contribution"].sum())
    return Side(table.ids[row], table.titles[row], tuple(names), amounts, rest, lies, seen)


def parts_table(found: Split) -> pd.DataFrame:
    """The parts by name, the largest first: part, own, other; parts of one name are one row, "" what no part is known
    of. Each of the two columns adds up to the amount."""
    sums = [
        pd.Series([*side.amounts, side.rest], [*side.names, ""], dtype=float).groupby(level=0, sort=False).sum()
        for side in (found.own, found.other)
    ]
    frame = pd.concat(sums, axis=1, keys=["own", "other"]).fillna(0.0)
    frame = frame[(frame != 0).any(axis=1)]
    order = np.argsort(-frame.abs().max(axis=1).to_numpy(), kind="stable")
    return frame.iloc[order].rename_axis("part").reset_index()


def pieces(text: str, places: Sequence[tuple[float, ...]], amounts: np.ndarray) -> tuple[Piece, ...]:
    """A text in pieces, end to end: words that add something, and what stands between them.

    Of a text of more than 600 characters the surroundings of the words that add most are left, with "…" between.

    >>> pieces("a heist by night", ((2, 7), (11, 16)), np.array([0.5, 0.0]))
    (Piece(text='a ', amount=None), Piece(text='heist', amount=0.5), Piece(text=' by night', amount=None))
    """
    words = sorted(
        (int(place[0]), int(place[1]), float(amount))
        for place, amount in zip(places, amounts.tolist(), strict=False)
        if amount != 0 and 0 <= place[0] < place[1] <= len(text)
    )
    found: list[Piece] = []
    for start, stop in _windows(len(text), words):
        if start > 0:
            found.append(Piece("…"))
        at = start
        for first, last, amount in words:
            if first >= at and last <= stop:
                found += [Piece(text[at:first])] if first > at else []
                found.append(Piece(text[first:last], amount))
                at = last
        found += [Piece(text[at:stop])] if stop > at else []
        at = stop
    if found and at < len(text):
        found.append(Piece("…"))
    return tuple(found)


def _windows(length: int, words: Sequence[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """The stretches of a text that are shown: all of a short one, else round the words that add most."""
    if length <= LONGEST:
        return [(0, length)] if length else []
    chosen: list[tuple[int, int]] = []
    for start, stop, _ in sorted(words, key=lambda word: -abs(word[2])):
        wider = _merged([*chosen, (max(0, start - AROUND), min(length, stop + AROUND))])
        if sum(b - a for a, b in wider) > LONGEST:
            break
        chosen = wider
    return chosen or [(0, LONGEST)]


def _merged(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, stop in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(stop, found[-1][1])
        else:
            found.append((start, stop))
    return found
