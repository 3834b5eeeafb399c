"""Reasons down to words, patches and seconds: what a block adds for one event, over the parts of both items.

Words are marked in both texts, patches lie over both pictures, bands over time stand for sounds; a table lists the same
amounts and their sum. Texts are anybody's: all that reaches Markdown went through `safe`.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from xattn.app.recommend.present import change
from xattn.app.recommend.units import Units
from xattn.app.recommend.view import View
from xattn.app.ui.figures import csv_button, figures
from xattn.app.ui.session import PART_BLOCK, PART_EVENT
from xattn.app.ui.text import plain, safe, spoken
from xattn.app.words import t
from xattn.explain import Ledger
from xattn.explain.parts import WORDS
from xattn.explain.tell.page_parts import sheet_of
from xattn.explain.tell.sides import Piece, Side, Split, parts_table, speaking, split, telling_blocks
from xattn.i18n.titles import natural
from xattn.viz.names import part_name
from xattn.viz.parts import PLACED, Sheet, part_chart, part_width

__all__ = ["draw", "marked", "show"]

BOLD = 0.5  # of the strongest word: a word that adds so much is bold
LONGEST = 400  # characters of a piece of text
JOINER = "\u2060"  # shows nothing, and keeps marks of two pieces apart


def show(view: View, why: Ledger, units: Units, language: str) -> None:
    """The blocks, the events, both sides, the sum."""
    blocks = telling_blocks(why)
    if not blocks:
        st.info(t("parts.none", language, title=spoken(why.title, 80)))
        return
    block = view.block if view.block in blocks else blocks[0]
    if len(blocks) > 1:
        if PART_BLOCK.get() != block:
            PART_BLOCK.set(block)
        st.segmented_control(
            t("parts.block", language),
            blocks,
            required=True,
            format_func=lambda name: safe(name, 60),
            key=PART_BLOCK.name,
            on_change=lambda: change(block=PART_BLOCK.get(), event=None),
            wrap=True,
        )
    events = speaking(why, block)
    event = view.event if view.event in events else events[0]
    if PART_EVENT.get() != event:
        PART_EVENT.set(event)
    titles = {name: plain(natural(why.title_of(name)), 80) for name in events}
    st.selectbox(
        t("parts.event", language),
        events,
        format_func=titles.__getitem__,
        key=PART_EVENT.name,
        on_change=lambda: change(block=block, event=PART_EVENT.get()),
    )
    draw(split(why, block, event), why.score, units, language)


def draw(found: Split, score: float, units: Units, language: str, key: str = "rec") -> None:
    """Both sides of one block and one event, the same amounts as a table, and the sum of which they are a part."""
    table = _table(found, units, language)
    number = st.column_config.NumberColumn(format="percent" if units.per is not None else "%+.4g")
    config: dict[str, Any] = dict.fromkeys(table.columns[1:], number)
    amounts = {name: units.told(x) for name, x in (("amount", found.amount), ("whole", found.whole))}
    adds_up = t("parts.adds_up", language, **amounts, block=safe(found.block, 60), score=units.told(score))
    if found.kind in PLACED:
        _chart(found, table, config, units, language, key)
        st.caption(adds_up)
    else:
        _texts(found, language, key)
        st.caption(adds_up)
        _listed(found, table, config, language, key)


# --- words ------------------------------------------------------------------------------------------------------------


def _texts(found: Split, language: str, key: str) -> None:
    most = max((abs(piece.amount or 0.0) for side in (found.own, found.other) for piece in side.pieces), default=0.0)
    st.caption(t("parts.help" if found.kind == WORDS else "parts.help_other", language))
    for name, side in (("event", found.own), ("item", found.other)):
        with st.container(key=f"{key}_text_{name}", border=True, gap="xsmall"):
            if not side.pieces and found.kind != WORDS:
                continue
            told = marked(side.pieces, most) or f":gray[{t('parts.no_text', language)}]"
            st.markdown(f"**{spoken(side.title, 80)}**  \n{told}")


def marked(pieces: tuple[Piece, ...], most: float) -> str:
    """A text as Markdown that shows it literally, with its words marked: blue for, orange and with a minus against.

    >>> marked((Piece("a *big* "), Piece("heist", 0.5), Piece(" by "), Piece("night", -0.1)), 0.5)
    'a \\\\*big\\\\* :blue-background[**heist**] by :orange-background[−night]'
    """
    told = []
    for piece in pieces:
        text = safe(piece.text, LONGEST)
        if piece.amount is None:
            before, after = (" " * end.isspace() for end in (piece.text[:1], piece.text[-1:]))  # `safe` takes them away
            told.append(f"{before}{text}{after}" if text else before)
            continue
        text = f"**{text}**" if abs(piece.amount) >= BOLD * most else text
        colour, sign = ("blue", "") if piece.amount >= 0 else ("orange", "−")
        joint = JOINER if told and told[-1].endswith(":") else ""
        told.append(f"{joint}:{colour}-background[{sign}{text}]")
    return "".join(told).strip()


# --- patches and stretches --------------------------------------------------------------------------------------------


def _chart(found: Split, table: pd.DataFrame, config: dict[str, Any], units: Units, language: str, key: str) -> None:
    st.caption(t("parts.help_other", language))
    sheets = [_sheet(side, found.kind, units, language) for side in (found.own, found.other)]
    chart = part_chart(found.kind, sheets, language, share=units.per is not None)
    figures(chart, table, key=f"{key}_parts", width=part_width(found.kind), config=config)


def _sheet(side: Side, kind: str, units: Units, language: str) -> Sheet:
    sheet = sheet_of(side, kind, language)
    told = [units.told(x) if x < 0 else f"+{units.told(x).removeprefix('+')}" for x in side.amounts.tolist()]
    frame = sheet.parts.assign(contribution=side.amounts / (units.per or 1.0), text=told)
    return sheet._replace(title=plain(natural(side.title), 80), parts=frame)


# --- the same as a table ----------------------------------------------------------------------------------------------


def _table(found: Split, units: Units, language: str) -> pd.DataFrame:
    """The parts by name with what they add on each side, and their sum."""
    table = parts_table(found)
    table[["own", "other"]] /= units.per or 1.0
    table["part"] = [
        plain(part_name(name, language), 80) if name else t("parts.rest", language) for name in table["part"]
    ]
    table.loc[len(table)] = [t("parts.sum", language), *table[["own", "other"]].sum()]
    table.columns = pd.Index([t(key, language) for key in ("parts.part", "parts.in_event", "parts.in_item")])
    return table


def _listed(found: Split, table: pd.DataFrame, config: dict[str, Any], language: str, key: str) -> None:
    titles = {"event": found.own.title, "item": found.other.title, "block": found.block}
    height = min(250, 35 * (len(table) + 1) + 3)
    alt = t("parts.between", language, **titles)
    st.dataframe(table, hide_index=True, height=height, alt=alt, key=f"{key}_parts_table", column_config=config)
    csv_button(table, f"{key}_parts", language)
