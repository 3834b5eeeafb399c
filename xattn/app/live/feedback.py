"""What a visitor says of a listed item: what it will do stands there before it is said; afterwards it can be undone."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from xattn.app.live.stage import Stage
from xattn.app.ui.refusals import refusals
from xattn.app.ui.session import LIVE_ABOUT, LIVE_ITEM, LIVE_KIND
from xattn.app.ui.text import spoken
from xattn.app.words import t
from xattn.data import History
from xattn.features import feature_set
from xattn.live.changes import Change, reasons

__all__ = ["draw"]

KINDS = ("like", "not_interested", "more", "less")
MOST_TAGS = 6


def draw(own: Stage, values: np.ndarray, history: History, language: str) -> None:
    """The choice of an item and of what to say, the preview, the buttons."""
    listed = list(own.served.items)
    if not listed:
        return
    with st.container(border=True, key="live_feedback"):
        st.subheader(t("live.say", language))
        titles = {one.item: own.title(one.item, 80) for one in listed}
        if LIVE_ITEM.get() not in titles:
            LIVE_ITEM.set(listed[0].item)
        st.selectbox(t("live.item", language), list(titles), key=LIVE_ITEM.name, format_func=lambda item: titles[item])
        LIVE_KIND.begin()
        st.segmented_control(
            t("live.kind", language),
            KINDS,
            key=LIVE_KIND.name,
            required=True,
            format_func=lambda kind: t(f"live.kind_{kind}", language),
        )
        item = str(LIVE_ITEM.get())
        place = next(at for at, one in enumerate(listed) if one.item == item)
        document = _document(own, item, reasons(values[[place]], history)[0], language)
        if document is None:
            st.caption(t("live.no_reason", language))
        else:
            with refusals():
                _preview(own, own.preview(document), language)
                st.button(
                    t("live.say_it", language),
                    key="live_say",
                    type="primary",
                    icon=":material/campaign:",
                    on_click=own.tell,
                    args=(document,),
                )
        _undo(own, language)


def _document(own: Stage, item: str, because: int | None, language: str) -> dict[str, Any] | None:
    """What would be said; None where there is nothing to say it of."""
    kind, ids = str(LIVE_KIND.get()), own.data.items.ids
    if kind == "like":
        return {"kind": kind, "item": item}
    if kind == "not_interested":
        return {"kind": kind, "item": item, **({} if because is None else {"event": ids[because]})}
    features = feature_set(own.data.items)
    row = own.data.item_row(item)
    tags = [features.names[at] for at in features.F[[row]].indices[:MOST_TAGS]]
    first = {"more": "item", "less": "event"}[kind]
    about: dict[str, str | None] = {first: item if kind == "more" else None if because is None else ids[because]}
    choices = [*(name for name, value in about.items() if value is not None), *tags]
    if not choices:
        return None
    if LIVE_ABOUT.get() not in choices:
        LIVE_ABOUT.set(choices[0])

    def words(choice: str) -> str:
        if choice not in about:
            return t("live.about_tag", language, tag=choice[:60])
        return own.title(str(about[choice]), 80)

    st.selectbox(t("live.about", language), choices, key=LIVE_ABOUT.name, format_func=words)
    chosen = str(LIVE_ABOUT.get())
    return {"kind": kind, chosen: about[chosen]} if chosen in about else {"kind": kind, "tag": chosen}


def _preview(own: Stage, found: Change, language: str) -> None:
    """What would change, line by line."""
    table = own.data.items

    def titles(ids: tuple[str, ...]) -> str:
        named = [spoken(table.titles[table.row(one)], 50) for one in ids[:5]]
        names = " · ".join(named)
        return t("live.more", language, names=names, n=len(ids) - 5) if len(ids) > 5 else names

    lines = [
        t(f"live.preview_{name}", language, names=titles(ids))
        for name, ids in (
            ("entered", found.entered),
            ("left", found.left),
            ("blocked", found.blocked),
            ("silenced", found.silenced),
            ("stayed", tuple(one.item for one in found.stayed)),
        )
        if ids
    ]
    with st.container(key="live_preview"):
        st.markdown("  \n".join([t("live.preview", language), *(lines or [t("live.unmoved", language)])]))


def _undo(own: Stage, language: str) -> None:
    gone = own.undone()
    said = [step for step in own.steps if step.kind not in ("event", "undo") and step.id not in gone]
    with st.container(horizontal=True):
        for step in reversed(said[-5:]):
            title = "" if step.item is None else spoken(own.data.items.titles[step.item], 40)
            st.button(
                t("live.undo", language, what=t(f"live.kind_{step.kind}", language), title=title),
                key=f"live_undo_{step.id.replace(' ', '_')}",
                icon=":material/undo:",
                on_click=own.tell,
                args=({"kind": "undo", "undoes": step.id},),
            )
