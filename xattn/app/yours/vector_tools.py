"""Tools beside the tables of one's own behaviour: cells from a spreadsheet, and features brought to one scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from xattn.app.learn.sheet import Sheet
from xattn.app.ui.editors import Table
from xattn.app.ui.text import safe
from xattn.app.yours import pasted
from xattn.errors import InputError
from xattn.i18n import t

__all__ = ["fitted", "paste", "uneven"]

UNEVEN = 20.0  # times another feature's largest number: then a dot product hears the large one alone
Load = Callable[[Sheet], None]


def fitted(row: tuple[float, ...], d: int) -> tuple[float, ...]:
    """A row cut, or grown with zeros, to d columns."""
    return (*row[:d], *(0.0,) * (d - len(row)))


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
            key="behaviour_paste_to",
        )
        st.text_area(t("behaviour.paste_cells", language), key="behaviour_paste_text", height=160)
        st.button(
            t("behaviour.paste_take", language),
            key="behaviour_paste_take",
            on_click=_take_pasted,
            args=(sheet, load, language),
        )
        refused = st.session_state.pop("behaviour.paste_refused", None)
        if refused is not None:
            st.error(safe(refused.told(language), 300), icon=":material/error:")


def _take_pasted(sheet: Sheet, load: Load, language: str) -> None:
    """Put what was pasted in the place of a table; the other tables get its columns."""
    session = st.session_state
    try:
        found = pasted.read(session["behaviour_paste_text"] or "")
    except InputError as refusal:
        session["behaviour.paste_refused"] = refusal
        return
    d = len(found.table[0])
    features = found.features or tuple([*sheet.features, *(f"f{i + 1}" for i in range(d))][:d])
    if len(set(features)) < d:
        features = tuple(f"{name} {i + 1}" for i, name in enumerate(features))
    new = t("behaviour.new_event", language)
    names = found.names or tuple(f"{new} {i + 1}" for i in range(len(found.table)))
    fit = partial(fitted, d=d)
    tables: dict[str, Any] = {"events": names, "keys": found.table, "items": tuple(map(fit, sheet.items))}
    if session["behaviour_paste_to"] == "items":
        tables = {"titles": names, "items": found.table, "keys": tuple(map(fit, sheet.keys))}
    load(replace(sheet, features=features, query=fit(sheet.query), **tables))
    session["behaviour_paste_text"] = ""


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
