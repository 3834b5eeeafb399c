"""Heads muted: the same fitted model without some of its heads, and what share of a score each head has."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn.explain import Ledger
from xattn.recommenders import Recommender

__all__ = ["head_names", "shares", "without_heads"]


def head_names(fitted: Recommender) -> tuple[str, ...]:
    """The heads that can be muted one by one; none where the model has fewer than two."""
    names = fitted.head_groups
    return names if len(names) > 1 else ()


@st.cache_resource(show_spinner=False, max_entries=16)
def without_heads(_fitted: Recommender, kind: str, checksum: str, muted: tuple[str, ...]) -> Recommender:
    """The model `kind`, fitted to the data of `checksum`, without the heads `muted`."""
    return _fitted.without_heads(muted)


def shares(why: Ledger) -> pd.DataFrame:
    """One row a head: head, contribution, share (of the sum of all heads' absolute contributions), largest first."""
    frame = why.by("head")[["head", "contribution"]]
    size = float(frame["contribution"].abs().sum())
    frame["share"] = frame["contribution"].abs() / (size if size > 0 else 1.0)
    return frame.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)
