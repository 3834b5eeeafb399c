"""Ways to bring something: files, pasted text, a database where this server allows it, or a fitted model."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from xattn import load_model
from xattn.app import state
from xattn.app.data import brought as tables
from xattn.app.data.brought import KINDS, MOST_TEXT, Brought, databases_allowed, most_bytes
from xattn.app.ui.session import BROUGHT, DATA_REFUSED, FITTING, OPTIONS, OUTCOME, SCENARIO, widget
from xattn.app.ui.text import safe
from xattn.errors import XattnError, refuse
from xattn.explain import Origin
from xattn.files import write_file
from xattn.i18n import t

__all__ = ["draw", "files"]

WAYS = ("files", "text", "database", "model")
_numbers = itertools.count(1)


def draw(language: str) -> None:
    """The choice of a way, and its fields."""
    offered = [way for way in WAYS if way != "database" or databases_allowed()]
    way = st.segmented_control(
        t("mine.way", language),
        offered,
        required=True,
        default="files",
        format_func=lambda name: t(f"mine.way_{name}", language),
        key="data_way",
        persist_state="session",
        wrap=True,
    )
    {"files": _files, "text": _text, "database": _database, "model": _model}[str(way)](language)


def _take(make: Callable[[], Brought]) -> None:
    """Go on with what `make` makes; where it refuses, what was there stays."""
    DATA_REFUSED.take()
    try:
        state.take_seat()
        fresh = make()
    except XattnError as refusal:
        DATA_REFUSED.set(refusal)
        return
    OPTIONS.take()
    OUTCOME.take()
    BROUGHT.set(fresh._replace(number=next(_numbers)))


def _files(language: str) -> None:
    st.file_uploader(
        t("mine.drop", language),
        accept_multiple_files=True,
        key="data_files",
        help=t("mine.drop_help", language),
        max_upload_size=most_bytes() // 10**6,
        on_change=_dropped,
    )


def _dropped() -> None:
    files = widget("data_files").get() or []
    if files:  # an upload that is taken back leaves what was read
        _take(lambda: tables.by_files([(file.name, file.getvalue()) for file in files]))


def _text(language: str) -> None:
    st.text_area(
        t("mine.paste", language),
        key="data_text",
        height=180,
        max_chars=MOST_TEXT,
        persist_state="session",
        placeholder="user,item,rating\nanna,tea,5\nanna,milk,3\nben,tea,4",
    )
    st.button(
        t("mine.read_this", language),
        key="data_read_text",
        icon=":material/table_view:",
        on_click=lambda: _take(lambda: tables.by_text(str(widget("data_text").get() or ""))),
    )


def _database(language: str) -> None:
    labels = {"url": t("mine.url", language), "query": t("mine.query", language)}
    helps = {"url": t("mine.url_help", language), "query": t("mine.query_help", language)}
    for name, label in labels.items():
        st.text_input(label, key=f"data_{name}", max_chars=5000, persist_state="session", help=helps[name])
    texts = {name: widget(f"data_{name}") for name in ("url", "query")}
    st.button(
        t("mine.read_this", language),
        key="data_read_database",
        icon=":material/table_view:",
        on_click=lambda: _take(
            lambda: tables.by_database(*(str(texts[name].get() or "") for name in ("url", "query")))
        ),
    )


def _model(language: str) -> None:
    st.file_uploader(
        t("mine.open", language),
        type="npz",
        key="data_model",
        help=t("mine.open_help", language),
        max_upload_size=most_bytes() // 10**6,
        on_change=_opened,
    )


def _opened() -> None:
    """Show a model from a file that nobody vetted: `load_model` checks all of it, and unpickles nothing."""
    file = widget("data_model").get()
    if file is None:
        return
    DATA_REFUSED.take()
    try:
        state.take_seat()
        model = loaded(file.getvalue())
    except XattnError as refusal:
        DATA_REFUSED.set(refusal)
        return
    for key in (BROUGHT, OPTIONS, OUTCOME, FITTING):
        key.take()
    state.hold(state.Own(model.data_, model, Origin(model="yours.npz"), str(SCENARIO.get())))


def loaded(raw: bytes) -> Any:
    """The model in these bytes. Raises ModelFileError, and InputError where there are too many of them."""
    if len(raw) > most_bytes():
        refuse("upload_large", most=most_bytes() // 10**6, got=-(-len(raw) // 10**6))
    with tempfile.TemporaryDirectory(prefix="xattn-opened-") as folder:
        path = Path(folder) / "yours.npz"
        write_file(path, raw)
        return load_model(path)


def files(brought: Brought, language: str) -> None:
    """Where there are several files: what each is taken for, to be changed."""
    if len(brought.files) < 2:
        return
    with st.container(border=True):
        st.markdown(f"**{t('mine.files', language)}**")
        for at, file in enumerate(brought.files):
            with st.container(horizontal=True, vertical_alignment="center"):
                size = f"{len(file.raw) / 10**6:,.1f} MB"
                st.markdown(f"{safe(file.name, 60)} :small[:gray[{size}]]", width=320)
                key = f"data_kind_{brought.number}_{at}"
                st.segmented_control(
                    t("mine.kind", language, name=safe(file.name, 60)),
                    KINDS,
                    default=file.kind,
                    required=True,
                    format_func=lambda kind: t(f"mine.kind_{kind}", language),
                    key=key,
                    label_visibility="collapsed",
                    on_change=_kind,
                    args=(file.name, key),
                )


def _kind(name: str, key: str) -> None:
    brought: Brought = BROUGHT.get()
    BROUGHT.set(brought.taken_for(name, str(widget(key).get())))
    OPTIONS.take()
