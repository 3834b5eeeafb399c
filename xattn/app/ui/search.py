"""A field that finds items by words of their titles: what it shows is a few buttons, however large the catalogue is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Container
from typing import NamedTuple

import numpy as np
import streamlit as st

from xattn.app.ui.caches import kept
from xattn.app.ui.items import about, original
from xattn.app.ui.session import widget
from xattn.app.ui.text import safe, spoken
from xattn.app.words import t
from xattn.data import Interactions

__all__ = ["MOST", "field", "found"]

MOST = 8  # hits that are shown
LONGEST = 60  # characters of what is typed


class _Titles(NamedTuple):
    """Titles folded for comparison, in the language of the page and as the data gave them; most events first."""

    rows: list[int]
    folded: list[str]


def _fold(text: str) -> str:
    """Lower case without accents.

    >>> _fold("Amélie")
    'amelie'
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in plain if not unicodedata.combining(c))


@kept(st.cache_resource, max_entries=4)
def _titles(_data: Interactions, checksum: str) -> _Titles:
    rows = np.argsort(-_data.counts(), kind="stable").tolist()
    names, plain = _data.items.titles, _data.items.original
    return _Titles(
        rows, [_fold(names[row] if names[row] == plain[row] else f"{names[row]} {plain[row]}") for row in rows]
    )


def found(data: Interactions, text: str, most: int = MOST, but: Container[str] = ()) -> list[str]:
    """Ids of at most `most` items, none of `but`, whose titles hold every word of `text` (or whose id it is): those
    that begin with it first, then those with most events."""
    wanted = _fold(text.strip()[:LONGEST])
    words = wanted.split()
    if not words:
        return []
    titles = _titles(data, data.checksum)
    hits = [at for at, title in enumerate(titles.folded) if all(word in title for word in words)]
    hits.sort(key=lambda at: not titles.folded[at].startswith(wanted))
    ids = data.items.ids
    items = [ids[titles.rows[at]] for at in hits]
    if text.strip() in ids and text.strip() not in items[:most]:
        items.insert(0, text.strip())
    return [item for item in items if item not in but][:most]


def field(
    key: str,
    label: str,
    data: Interactions,
    language: str,
    chosen: Callable[[str], None],
    *,
    but: Container[str] = (),
    disabled: bool = False,
) -> None:
    """The field, and below it what it finds; a click on a hit calls `chosen(item)` and empties the field."""
    st.text_input(
        label,
        key=key,
        type="search",
        live=True,
        max_chars=LONGEST,
        placeholder=t("search.type", language),
        disabled=disabled,
    )
    text = str(widget(key).get() or "")
    if not text.strip() or disabled:
        return
    items = found(data, text, but=but)

    def choose(item: str) -> None:
        widget(key).set("")
        chosen(item)

    with st.container(horizontal=True, key=f"{key}_hits"):
        for item in items:
            row = data.item_row(item)
            year = about(data, row, language)[: 2 if original(data, row) else 1]
            st.button(
                " · ".join([spoken(data.items.titles[row], 60), *map(safe, year)]),
                key=f"{key}_hit_{item}",
                icon=":material/add:",
                on_click=choose,
                args=(item,),
            )
    if not items:
        st.caption(t("search.none", language, text=safe(text, 40)))
