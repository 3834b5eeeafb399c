"""Tools beside the tables of one's own behaviour: cells from a spreadsheet, and features brought to one scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from xattn.app.learn.sheet import Sheet
from xattn.app.learn.sizes import with_columns
from xattn.app.ui.editors import Table
from xattn.app.ui.session import PASTE_REFUSED, PASTE_TEXT, PASTE_TO
from xattn.app.ui.text import safe
from xattn.app.yours import pasted
from xattn.errors import InputError
from xattn.i18n import t

__all__ = ["paste", "uneven"]

UNEVEN = 20.0  # times another feature's largest number: then a dot product hears the large one alone
Load = Callable[[Sheet], None]


def paste(sheet: Sheet, load: Load, language: str) -> None:
    """Cells of a spreadsheet as the events, or as the items."""
    with st.popover(t("behaviour.paste", language), icon=":material/content_paste:"):
        st.caption(t("behaviour.paste_help", language))
        st.segmented_control(
            t("behaviour.paste_to", language),
            ("events", "items"),
            default="events",
            required=True,
            format_func=lambda part: t(f"behaviour.paste_{part}", language),
            key=PASTE_TO.name,
        )
        st.text_area(t("behaviour.paste_cells", language), key=PASTE_TEXT.name, height=160)
        st.button(
            t("behaviour.paste_take", language),
            key="behaviour_paste_take",
            on_click=_take_pasted,
            args=(sheet, load, language),
        )
        refused = PASTE_REFUSED.take()
        if refused is not None:
            st.error(safe(refused.told(language), 300), icon=":material/error:")


def _take_pasted(sheet: Sheet, load: Load, language: str) -> None:
    """Put what was pasted in the place of a table; the other tables get its columns."""
    try:
        found = pasted.read(PASTE_TEXT.get() or "")
    except InputError as refusal:
        PASTE_REFUSED.set(refusal)
        return
    d = len(found.table[0])
    features = found.features or tuple([*sheet.features, *(f"f{i + 1}" for i in range(d))][:d])
    if len(set(features)) < d:
        features = tuple(f"{name} {i + 1}" for i, name in enumerate(features))
    new = t("behaviour.new_event", language)
    names = found.names or tuple(f"{new} {i + 1}" for i in range(len(found.table)))
    wide = replace(with_columns(sheet, d), features=features)
    if PASTE_TO.get() == "items":
        load(replace(wide, titles=names, items=found.table))
    else:
        load(replace(wide, events=names, keys=found.table))
    PASTE_TEXT.set("")


def uneven(sheet: Sheet, load: Load, language: str) -> None:
    """Say where one feature's numbers dwarf the others', and offer to bring all to one scale."""
    table = np.abs(np.array([*sheet.keys, *sheet.items], dtype=float).reshape(-1, len(sheet.query)))
    if not table.size or not np.isfinite(table).all():
        return
    most = table.max(axis=0)
    small = most[most > 0]
    if len(small) < 2 or most.max() < UNEVEN * small.min():
        return
    name = safe(sheet.features[int(np.argmax(most))])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(t("behaviour.uneven", language, name=name), icon=":material/straighten:")
        st.button(
            t("behaviour.even_out", language),
            key="behaviour_even_out",
            on_click=load,
            args=(_even(sheet, np.where(most > 0, most, 1.0)),),
        )


def _even(sheet: Sheet, most: np.ndarray) -> Sheet:
    """The sheet with each feature divided by its largest number."""

    def scaled(table: Table) -> Table:
        return tuple(tuple(round(x / m, 6) for x, m in zip(row, most.tolist(), strict=True)) for row in table)

    return replace(sheet, keys=scaled(sheet.keys), items=scaled(sheet.items))
