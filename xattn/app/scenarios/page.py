"""The page *Scenarios*: ten fields on cards; behind each its list, why it stands so, whom it serves, what to watch.

/scenarios                      the cards
/scenarios?scenario=finance     one of them (`place.py` says what else an address may hold)
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from xattn.app.scenarios import detail, gallery, place
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import reporting
from xattn.app.ui.text import safe
from xattn.i18n import t

__all__ = ["render"]

STYLE = Path(__file__).with_name("scenarios.css")


def render() -> None:
    """Draw the page."""
    language = lang()
    st.html(STYLE)
    notes = st.container()
    complaints: list[str] = []
    with reporting():
        name = place.asked(complaints, language)
        if name is None:
            st.title(t("scenarios.title", language))
            st.markdown(t("scenarios.promise", language))
            gallery.draw(language)
        else:
            detail.draw(name, complaints, language)
    with notes:
        for complaint in complaints:
            st.warning(safe(complaint, 300), icon=":material/link_off:")
