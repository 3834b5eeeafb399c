"""Two lists of films side by side: that of the picks that were kept, and that of the present ones."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn.app.ui.figures import csv_button
from xattn.app.words import t

__all__ = ["lists"]


def lists(kept: pd.DataFrame, now: pd.DataFrame, language: str) -> None:
    """Two lists of recommendations: each film with its rank in both."""
    ranks = [dict(zip(frame["item"], frame["rank"], strict=True)) for frame in (kept, now)]
    titles = dict(zip([*now["item"], *kept["item"]], [*now["title"], *kept["title"]], strict=True))
    shared = len(set(ranks[0]) & set(ranks[1]))
    table = pd.DataFrame(
        {
            t("behaviour.film", language): [str(title)[:200] for title in titles.values()],
            t("pinned.rank_kept", language): [str(ranks[0].get(item, "–")) for item in titles],
            t("pinned.rank_now", language): [str(ranks[1].get(item, "–")) for item in titles],
        }
    )
    with st.container(border=True, key="behaviour_lists_beside"):
        st.subheader(t("pinned.title", language))
        st.markdown(t("pinned.shared", language, n=shared, k=len(now)))
        st.dataframe(table, hide_index=True, alt=t("pinned.title", language))
        csv_button(table, "behaviour_beside", language)
