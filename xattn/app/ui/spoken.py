"""The language that a page is in: `html lang`, by which screen readers and hyphenation go, and Streamlit's own words.

Streamlit writes both in English alone. One fixed script a language sets them (`spoken.js`): it knows where in its
controls Streamlit writes what, and puts the catalogue's text there. The content security policy knows these scripts by
their checksums, and no others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from xattn.i18n import LANGUAGES, placeholders, t

__all__ = ["SCRIPTS", "WHERE", "say_language"]

CODES = {"en": "en", "zh": "zh-Hans"}
NAMED = "(?<of>: .+)?"  # Streamlit tells tools of several tables apart by their names
UPLOAD, TOOLS = "[data-testid=stFileUploader]", "[data-testid=stElementToolbar]"
TIP, LIST = "[data-testid=stTooltipContent]", "[role=listbox]"
WHERE = {  # by text of Streamlit's own: where it stands, and in which attribute ("": as text)
    "upload": ((f"{UPLOAD} button", ""),),
    "per_file_of": ((UPLOAD, ""),),
    "per_file": ((UPLOAD, ""),),
    "drop_file": ((UPLOAD, ""),),
    "drop_files": ((UPLOAD, ""),),
    "add_files": ((f"{UPLOAD} button", "aria-label"), (TIP, "")),
    "remove": ((f"{UPLOAD} button", "aria-label"),),
    "upload_failed": ((UPLOAD, ""), (TIP, "")),
    "no_results": ((LIST, ""), ("[data-testid=stSelectboxVirtualDropdownEmpty]", "")),
    "choose_option": (("[data-testid=stSelectbox] input", "placeholder"), ("[data-baseweb=select]", "")),
    "choose_options": (("[data-testid=stMultiSelect] input", "placeholder"), ("[data-baseweb=select]", "")),
    "apply": (("[data-testid=InputInstructions]", ""),),
    "apply_text": (("[data-testid=InputInstructions]", ""),),
    "apply_text_mac": (("[data-testid=InputInstructions]", ""),),
    "running": (("[data-testid=stStatusWidget]", ""),),
    "stop": (("[data-testid=stStatusWidget]", ""),),
    "main_menu": (("[data-testid=stMainMenu] button", "aria-label"),),
    "collapse": (("[data-testid=stSidebar] button", "aria-label"),),
    "expand": (("[data-testid=stHeader] button", "aria-label"),),
    "fullscreen": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "leave_fullscreen": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "search": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "download": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "columns": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "add_row": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "more": (("[data-testid=stNumberInput] button", "aria-label"),),
    "less": (("[data-testid=stNumberInput] button", "aria-label"),),
    "clear": (("[data-testid=stNumberInput] button", "aria-label"),),
    "open": (("[data-testid=stSelectbox] button", "aria-label"),),
    "help": (("[data-testid=stTooltipHoverTarget]", "aria-label"),),
    "rating": (("[data-testid=stFeedback] [role=radiogroup]", "aria-label"),),
    "stars": (("[data-testid=stFeedback] button", "aria-label"),),
    "show_data": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "as_png": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "vega": ((f"{TOOLS} button", "aria-label"), (TIP, "")),
    "sidebar": (("[data-testid=stSidebar]", "aria-label"),),
    "pages": (("[data-testid=stSidebarNav], [data-testid=stSidebarNav] *", "aria-label"),),
    "skip": (("body a", ""),),
    "heading": (("[data-testid=stHeaderActionElements] a", "aria-label"),),
    "add_option": (("[data-testid=stSelectbox] input", "placeholder"),),
    "copy": (("[data-testid=stCode] button", "aria-label"), ("[data-testid=stCode] button", "title")),
}


def _told(name: str, language: str, shape: str) -> str:
    """A text of Streamlit's own, with its placeholders in this shape."""
    key = f"streamlit.{name}"
    return t(key, language, **{own: shape.format(own) for own in placeholders(key, language)})


def _lines(language: str) -> Iterator[tuple[str, str, str, str]]:
    """What the script looks for, and what it writes, for one language: the words of any other give way."""
    for name, places in WHERE.items():
        to = _told(name, language, "$<{}>")
        for other in LANGUAGES:
            if other != language:
                found = re.sub("\0(.*?)\0", "(?<\\1>.+?)", re.escape(_told(name, other, "\0{}\0")))
                for where, what in places:
                    yield (where, what, f"{found}{NAMED}", f"{to}$<of>") if what else (where, what, found, to)


def _script(language: str) -> str:
    source = Path(__file__).with_name("spoken.js").read_text("utf-8").strip()
    table = json.dumps(list(_lines(language)), ensure_ascii=False).replace(
        "<", r"\u003c"
    )  # no tag, for who cleans HTML
    return f"({source})({json.dumps(CODES[language])}, {table})"


SCRIPTS = {language: _script(language) for language in CODES}


def say_language(language: str) -> None:
    """Have the browser's document be in `language`."""
    st.html(f"<script>{SCRIPTS[language]}</script>", unsafe_allow_javascript=True)
