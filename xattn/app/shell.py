"""The frame around the pages: which pages there are, and which of them the address asks for.

A page is a module with a function `render`, and one line in `PAGES`. It is imported when it is first asked for, so that
no page waits for another's libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from xattn.app.ui import address
from xattn.app.ui.glossary import glossary
from xattn.app.ui.language import choose_language, keep_language
from xattn.app.ui.refusals import reporting
from xattn.app.ui.session import FITTING, GO_TO, OWN
from xattn.app.ui.text import safe
from xattn.i18n import t

__all__ = ["run"]

ICON = Path(__file__).with_name("icon.svg")  # a :material: icon would be fetched from a foreign host


class Page(NamedTuple):
    """One page: the key of its title, its path in the address, its icon, and how its module is found."""

    title: str
    path: str
    icon: str
    module: Callable[[], Any]

    def render(self) -> None:
        """Draw the page."""
        self.module().render()


PAGES = (  # in the order of the sidebar; the first one is at the root as well
    Page("app.recommendations", "home", ":material/recommend:", lambda: import_module("xattn.app.recommend.page")),
    Page("app.worked", "worked", ":material/function:", lambda: import_module("xattn.app.learn.page")),
    Page("app.behaviour", "behaviour", ":material/tune:", lambda: import_module("xattn.app.yours.page")),
    Page("mine.title", "data", ":material/upload_file:", lambda: import_module("xattn.app.data.page")),
    Page("app.lab", "lab", ":material/experiment:", lambda: import_module("xattn.app.lab.page")),
)
OTHER_NAMES = {"recommendations": 0}  # paths that lead to a page under another name: its place in PAGES


def run() -> None:
    """Draw the sidebar and the page of the current address."""
    st.set_page_config(page_title="xattn", page_icon=str(ICON), layout="wide", initial_sidebar_state=250)
    language = choose_language()
    pages = [
        st.Page(
            page.render, title=t(page.title, language), icon=page.icon, url_path=page.path, default=page is PAGES[0]
        )
        for page in PAGES
    ]
    aliases = [
        st.Page(partial(_move, pages[at]), title="xattn", url_path=path, visibility="hidden")
        for path, at in OTHER_NAMES.items()
    ]
    page = st.navigation([*pages, *aliases])
    if address.turn_to(page.url_path):
        keep_language()
    if (path := GO_TO.take()) is not None:
        st.switch_page(next(to for to, own in zip(pages, PAGES, strict=True) if own.path == path))
    if FITTING.is_set:
        import_module("xattn.app.data.fitting").take_over()
    with st.sidebar:
        if OWN.is_set:
            st.caption(t("mine.shown_short", language, name=safe(OWN.get().data.name, 40)))
        glossary(language)
    with reporting():
        page.run()


def _move(to: Any) -> None:
    st.switch_page(to, query_params=st.query_params.to_dict())
