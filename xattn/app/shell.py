"""The frame around every page: navigation, language, errors told in one sentence.

Item titles, user ids and messages that quote them come from data that nobody vetted. They reach Markdown only through
`safe`.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from xattn.errors import XattnError
from xattn.i18n import LANGUAGES, t

__all__ = ["lang", "refusals", "reporting", "run", "safe"]

log = logging.getLogger(__name__)

ICON = Path(__file__).with_name("icon.svg")  # a :material: icon would be fetched from a foreign host
LONGEST = 120  # characters of a title on a page
NAMES = {"en": "English", "zh": "中文"}
FIRST = "recommendations"
PAGES = {  # module: its title and icon, in the order of the sidebar
    FIRST: ("app.recommendations", ":material/recommend:"),
    "worked": ("app.worked", ":material/function:"),
    "behaviour": ("app.behaviour", ":material/tune:"),
    "lab": ("app.lab", ":material/experiment:"),
}
WORDS = (  # of the glossary, in the order in which they build on each other
    "event",
    "strength",
    "query",
    "key",
    "attention_score",
    "softmax",
    "weight",
    "head",
    "value",
    "contribution",
    "base",
    "ledger",
    "removal_effect",
    "gate",
)


def run() -> None:
    """Draw the sidebar and the page of the current address."""
    st.set_page_config(page_title="xattn", page_icon=str(ICON), layout="wide", initial_sidebar_state=250)
    language = _choose_language()
    pages = [_page(name, language) for name in PAGES]
    # the first page lives at the root: its own name must not be a dead end
    alias = st.Page(partial(_move, pages[0]), title="xattn", url_path=FIRST, visibility="hidden")
    page = st.navigation([*pages, alias])
    _turn_to(page.url_path)
    with st.sidebar:
        _glossary(language)
    with reporting():
        page.run()


def _page(name: str, language: str) -> Any:
    """The page that module `name` renders. The path of the first one is the root; it takes a name all the same."""
    title, icon = PAGES[name]
    path = "home" if name == FIRST else name
    return st.Page(partial(_render, name), title=t(title, language), icon=icon, url_path=path, default=name == FIRST)


def _render(name: str) -> None:
    """Import a page when it is first asked for: none waits for another's libraries."""
    if name == "worked":
        from xattn.app.worked import render
    elif name == "behaviour":
        from xattn.app.behaviour import render
    elif name == "lab":
        from xattn.app.lab import render
    else:
        from xattn.app.recommendations import render
    render()


def _move(to: Any) -> None:
    st.switch_page(to, query_params=st.query_params.to_dict())


def _glossary(language: str) -> None:
    """The words of the project, within reach on every page."""
    with st.popover(t("app.glossary", language), icon=":material/menu_book:"):
        for word in WORDS:
            st.markdown(f"**{t(f'term.{word}', language)}**: {t(f'meaning.{word}', language)}")


# --- language ---------------------------------------------------------------------------------------------------------


def lang() -> str:
    """The language of this session: "en" or "zh"; the sidebar's choice, else the address's, else the browser's."""
    for asked in (st.session_state.get("lang"), st.query_params.get("lang")):
        if asked in LANGUAGES:
            return str(asked)
    return _browsers()


def _browsers() -> str:
    return "zh" if str(st.context.locale or "").lower().startswith("zh") else "en"


def _choose_language() -> str:
    """The sidebar's choice, with `lang` in the address (a bound widget would write its label there, not "zh").

    The address is written only when a choice is made: an address that a run rewrites cannot be left with Back.
    """
    session, asked = st.session_state, st.query_params.get("lang")
    if "lang" not in session and asked is not None and asked not in LANGUAGES:
        session["bad_language"] = asked
    if "lang" not in session or (asked in LANGUAGES and asked != session["lang_asked"]):
        session["lang"] = asked if asked in LANGUAGES else lang()
    session["lang_asked"] = asked
    with st.sidebar:
        st.segmented_control(
            t("app.language", lang()),
            LANGUAGES,
            required=True,
            format_func=NAMES.__getitem__,
            key="lang",
            on_change=_language_chosen,
        )
    if "bad_language" in session:
        st.warning(t("app.bad_language", lang(), got=safe(session["bad_language"], 20)), icon=":material/link_off:")
    return lang()


def _language_chosen() -> None:
    st.session_state.pop("bad_language", None)
    st.query_params["lang"] = st.session_state["lang"]


def _turn_to(page: str) -> None:
    """Note the page, for pages that must know whether they were just turned to; a new page has lost `lang`."""
    session = st.session_state
    session["page_before"], session["page"] = session.get("page"), page
    if session["page_before"] not in (None, page) and "lang" not in st.query_params and lang() != _browsers():
        st.query_params["lang"] = session["lang_asked"] = lang()


# --- untrusted text ---------------------------------------------------------------------------------------------------


def safe(text: Any, limit: int = LONGEST) -> str:
    """Any text as Markdown that shows it literally, on one line, with at most `limit` characters.

    Every ASCII punctuation mark is escaped. Directives, emoji codes and bare addresses are recognised in text that was
    already unescaped, so a word joiner (which shows nothing) breaks those. Control and direction characters become
    blanks.

    >>> safe("*a* <b>")
    '\\\\*a\\\\* \\\\<b\\\\>'
    """
    plain = str(text)[: 8 * limit]
    plain = "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else c for c in plain)
    plain = " ".join(plain.split())
    if len(plain) > limit:
        plain = plain[: limit - 1] + "…"
    joined = _RECOGNISED.sub(lambda found: found[0] + "\u2060", plain)
    return _PUNCTUATION.sub(r"\\\g<0>", joined)


_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_RECOGNISED = re.compile(r":(?=\S)|@|www(?=\.)", re.IGNORECASE)


# --- errors -----------------------------------------------------------------------------------------------------------


@contextmanager
def refusals() -> Iterator[None]:
    """Tell an XattnError raised inside in the reader's language, in the place where the result would have stood."""
    try:
        yield
    except XattnError as refusal:
        st.error(safe(refusal.told(lang()), 400), icon=":material/error:")


@contextmanager
def reporting() -> Iterator[None]:
    """`refusals`, and one neutral sentence for anything else that goes wrong inside (logged)."""
    try:
        with refusals():
            yield
    except Exception:  # Streamlit's own signals to stop or rerun are no Exception
        log.exception("a page failed")
        st.error(t("app.failed", lang()), icon=":material/error:")
