"""The parts of an explanation in its HTML file: of each block, the event that it adds most for, word by word.

Words are marked in both texts, and patches and sounds drawn where charts can be; a table lists the amounts with their
sum. Texts are escaped; pictures are PNGs of ours, made from pixels alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from xattn.explain.parts import WORDS
from xattn.explain.tell.markup import embedded, image, say, table, text_of, title_of
from xattn.explain.tell.sides import Piece, Side, Split, parts_table, speaking, split, telling_blocks
from xattn.explain.tell.words import quotable
from xattn.i18n import t
from xattn.i18n.numbers import figure
from xattn.viz.files import can_draw
from xattn.viz.names import part_name
from xattn.viz.parts import PLACED, Sheet, part_chart

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["parts_sections", "sheet_of"]

MOST_BLOCKS = 5
MOST_PARTS = 100  # rows of a table
BOLD = 0.5  # of the strongest word: a word that adds so much is bold


def parts_sections(ledger: Ledger, lang: str) -> list[str]:
    """The section; nothing where no block has parts that say something."""
    blocks = telling_blocks(ledger)[:MOST_BLOCKS]
    if not blocks:
        return []
    found = [f"<h2>{say('parts.title', lang)}</h2>", f'<p class="note">{say("parts.help", lang)}</p>']
    for block in blocks:
        found += _of(ledger, split(ledger, block, speaking(ledger, block)[0]), lang)
    return found


def _of(ledger: Ledger, found: Split, lang: str) -> list[str]:
    titles = {"event": quotable(found.own.title, lang), "item": quotable(ledger.title, lang), "block": found.block}
    what = t("parts.between", lang, **titles)
    rows = [
        [
            title_of(part_name(part, lang)) if part else say("parts.rest", lang),
            figure(own, sign=True),
            figure(other, sign=True),
        ]
        for part, own, other in parts_table(found).head(MOST_PARTS).itertuples(index=False)
    ]
    rows.append([say("parts.sum", lang), *[figure(found.amount, sign=True)] * 2])
    heads = [say(key, lang) for key in ("parts.part", "parts.in_event", "parts.in_item")]
    amounts = {"amount": figure(found.amount, sign=True), "whole": figure(found.whole, sign=True)}
    adds_up = say("parts.adds_up", lang, **amounts, block=found.block, score=figure(ledger.score))
    return [
        f"<h3>{text_of(what)}</h3>",
        *_shown(found, what, lang),
        f"<p>{adds_up}</p>",
        table(text_of(what), heads, rows, {1, 2}),
    ]


def _shown(found: Split, what: str, lang: str) -> list[str]:
    sides = (found.own, found.other)
    if found.kind == WORDS:
        most = max((abs(piece.amount or 0.0) for side in sides for piece in side.pieces), default=0.0)
        return [f"<p><b>{title_of(side.title)}</b><br>{_marked(side.pieces, most)}</p>" for side in sides]
    if found.kind in PLACED and can_draw():
        return [image(part_chart(found.kind, [sheet_of(side, found.kind, lang) for side in sides], lang), what)]
    return [embedded(side.shown, side.title, "image/png") for side in sides if isinstance(side.shown, bytes)]


def _marked(pieces: tuple[Piece, ...], most: float) -> str:
    """A text in HTML with its words marked; a word that speaks against the item has a minus.

    >>> _marked((Piece("a <b> "), Piece("heist", 0.5), Piece(" "), Piece("night", -0.1)), 0.5)
    'a &lt;b&gt; <mark class="for most">heist</mark> <mark class="against">−night</mark>'
    """
    told = []
    for piece in pieces:
        if piece.amount is None:
            told.append(text_of(piece.text))
            continue
        kind = "for" if piece.amount >= 0 else "against"
        most_of = " most" if abs(piece.amount) >= BOLD * most else ""
        sign = "" if piece.amount >= 0 else "−"
        told.append(f'<mark class="{kind}{most_of}">{sign}{text_of(piece.text)}</mark>')
    return "".join(told)


def sheet_of(side: Side, kind: str, lang: str) -> Sheet:
    """A side as its chart takes it."""
    frame = pd.DataFrame(list(side.places), columns=list(PLACED[kind]), dtype=float)
    told = [figure(amount, sign=True) for amount in side.amounts.tolist()]
    frame = frame.assign(name=[part_name(name, lang) for name in side.names], contribution=side.amounts, text=told)
    return Sheet(side.title, frame, side.shown if isinstance(side.shown, bytes) else None)
