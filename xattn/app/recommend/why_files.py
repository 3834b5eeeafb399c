"""What can be taken away from an explanation: the ledger as JSON, a page, a table; the link; the Python behind it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.recommend.snippet import of_view
from xattn.app.recommend.view import YOU, View
from xattn.app.recommend.why_details import comparison
from xattn.app.ui import snippet
from xattn.app.ui.address import PARTS
from xattn.app.ui.exports import csv_bytes, file_name
from xattn.explain import Ledger
from xattn.explain.tell.card import card, card_page, card_png
from xattn.i18n import t
from xattn.recommenders import Recommender
from xattn.viz.card import THEMES
from xattn.viz.files import can_draw

__all__ = ["show"]


def show(fitted: Recommender, view: View, why: Ledger, events: pd.DataFrame, language: str) -> None:
    """The row of buttons below an explanation."""
    whose = YOU if why.user is None else f"user-{why.user}"

    def button(kind: str, data: object, mime: str) -> None:
        st.download_button(
            t(f"why.file_{kind}", language),
            data,  # type: ignore[arg-type]
            file_name=file_name("why", whose, why.item, suffix=kind),
            mime=mime,
            key=f"rec_{kind}",
            icon=":material/download:",
            on_click="ignore",
        )

    with st.container(horizontal=True):
        button("json", lambda: why.to_json(indent=1), "application/json")
        button("html", lambda: why.to_html(language), "text/html")
        button("csv", lambda: csv_bytes(comparison(events, why.rank is not None, language)), "text/csv")
        with st.popover(t("why.link", language), icon=":material/link:"):
            st.caption(t("why.link_help", language))
            parts = {name: value for name, value in st.query_params.to_dict().items() if name == PARTS}
            shown = replace(view, tab="why").to_query(fitted.data_)  # who follows it wants to read
            address = f"{st.context.url or ''}?{urlencode({**shown, **parts, 'lang': language})}"
            st.code(address, language=None, wrap_lines=True)
        _share(why, whose, address, language)
        snippet.popover(of_view(view, fitted.data_, why.item), language)


def _share(why: Ledger, whose: str, link: str, language: str) -> None:
    """A card of the explanation as a picture, light and dark, and as a page of one screen; the link to it."""
    with st.popover(t("card.share", language), icon=":material/share:"):
        st.caption(t("card.share_help", language))
        for theme in THEMES:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(t(f"card.file_{theme}", language), width=60)
                _file("svg", partial(card, why, language, theme, state.scenario()), "image/svg+xml", whose, why, theme)
                if can_draw():
                    make = partial(card_png, why, language, theme, state.scenario())
                    _file("png", make, "image/png", whose, why, theme)
        page = partial(card_page, why, language, state.scenario())
        _file("html", page, "text/html", whose, why, "card", t("card.page", language))
        st.code(link, language=None, wrap_lines=True)


def _file(kind: str, make: Any, mime: str, whose: str, why: Ledger, what: str, label: str = "") -> None:
    st.download_button(
        label or kind.upper(),
        make,
        file_name=file_name("why", whose, why.item, what, suffix=kind),
        mime=mime,
        key=f"rec_card_{what}_{kind}",
        icon=":material/download:",
        on_click="ignore",
    )
