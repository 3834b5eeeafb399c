"""Heads muted: the same fitted model without some of its heads, and what share of a score each head has.

A score is a sum over heads, so a model without one is a model again, with the same base; its ledgers add up too. What
was fitted is shared, not copied.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import pandas as pd
import streamlit as st

from xattn.explain import Ledger
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import NAME as CONTENT
from xattn.model.heads.content import ContentPart
from xattn.model.heads.inherited import InheritedPart
from xattn.recommenders import Recommender

__all__ = ["head_names", "shares", "without_heads"]


def head_names(fitted: Recommender) -> tuple[str, ...]:
    """The heads that can be muted one by one; none where the model has fewer than two."""
    names = [name for part in getattr(fitted, "parts_", ()) for name in _names(part)]
    return tuple(names) if len(names) > 1 else ()


LEARNED = "learned"  # the heads of a trained network, which speak and are silent together


def _names(part: Any) -> list[str]:
    if isinstance(part, ContentPart):
        return [CONTENT]
    if isinstance(part, CollaborativePart | InheritedPart):
        return [part.name(h) for h in range(len(part.tau))]
    return [LEARNED]


@st.cache_resource(show_spinner=False, max_entries=16)
def without_heads(_fitted: Recommender, kind: str, checksum: str, muted: tuple[str, ...]) -> Recommender:
    """The model `kind`, fitted to the data of `checksum`, without the heads `muted`."""
    if not muted:
        return _fitted
    twin = copy(_fitted)
    parts = [_kept(part, muted) for part in _fitted.parts_]
    twin.parts_ = tuple(part for part in parts if part is not None)
    return twin


def _kept(part: Any, muted: tuple[str, ...]) -> Any:
    """A part without its muted heads; None where none is left. A learned part is muted as a whole."""
    names = _names(part)
    stay = [h for h, name in enumerate(names) if name not in muted]
    if len(stay) == len(names):
        return part
    if not stay or not isinstance(part, CollaborativePart | InheritedPart):
        return None
    tau = tuple(part.tau[h] for h in stay)
    if isinstance(part, CollaborativePart):
        return part._replace(form=part.form.heads(stay), tau=tau)
    own = part.inheritance
    return part._replace(inheritance=own._replace(D=own.D[stay], l=own.l[stay]), tau=tau)


def shares(why: Ledger) -> pd.DataFrame:
    """One row a head: head, contribution, share (of the sum of all heads' absolute contributions), largest first."""
    sums = why.cells.groupby("head", sort=False)["contribution"].sum()
    size = float(sums.abs().sum())
    frame = pd.DataFrame({"head": sums.index, "contribution": sums.to_numpy()})
    frame["share"] = frame["contribution"].abs() / (size if size > 0 else 1.0)
    return frame.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)
