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

from xattn.app.moved import HOME, meant
from xattn.app.ui import address
from xattn.app.ui.glossary import glossary
from xattn.app.ui.language import choose_language, keep_language
from xattn.app.ui.refusals import reporting
from xattn.app.ui.session import DOORS, FITTING, GO_TO, OWN
from xattn.app.ui.spoken import say_language
from xattn.app.ui.text import safe
from xattn.i18n import t

__all__ = ["run"]

STYLE = Path(__file__).with_name("ui") / "pages.css"
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


PAGES = (  # in the order of the sidebar; the first one is at the root
    Page("front.nav", "start", ":material/home:", lambda: import_module("xattn.app.front.page")),
    Page(
        "app.recommendations",
        "recommendations",
        ":material/recommend:",
        lambda: import_module("xattn.app.recommend.page"),
    ),
    Page("scenarios.title", "scenarios", ":material/category:", lambda: import_module("xattn.app.scenarios.page")),
    Page("app.worked", "worked", ":material/function:", lambda: import_module("xattn.app.learn.page")),
    Page("app.behaviour", "behaviour", ":material/tune:", lambda: import_module("xattn.app.yours.page")),
    Page("mine.title", "data", ":material/upload_file:", lambda: import_module("xattn.app.data.page")),
    Page("live.title", "live", ":material/bolt:", lambda: import_module("xattn.app.live.page")),
    Page("app.lab", "lab", ":material/experiment:", lambda: import_module("xattn.app.lab.page")),
)


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
    aliases = [st.Page(partial(_move, pages[0]), title="xattn", url_path=HOME, visibility="hidden")]
    page = st.navigation([*pages, *aliases])
    DOORS.set({own.path: to for own, to in zip(PAGES, pages, strict=True)} | {"": pages[0]})
    if address.turn_to(page.url_path):
        keep_language()
    if (path := GO_TO.take()) is not None:
        st.switch_page(DOORS.get()[path])
    if (path := meant(page.url_path, st.query_params.to_dict())) is not None:
        _move(DOORS.get()[path])
    if FITTING.is_set:
        import_module("xattn.app.data.fitting").take_over()
    say_language(language)
    st.html(STYLE)
    with st.sidebar:
        if OWN.is_set:
            st.caption(t("mine.shown_short", language, name=safe(OWN.get().data.name, 40)))
        glossary(language)
    with reporting():
        page.run()


def _move(to: Any) -> None:
    st.switch_page(to, query_params=st.query_params.to_dict())
