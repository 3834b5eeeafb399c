"""Made data for the lab, whose cause is one word, patch, tone or moment; and what was planted in an item."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from xattn.app.ui.language import lang
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.data.synthetic_parts import PART_KINDS, PlantedPart, planted_part
from xattn.explain import Ledger
from xattn.explain.tell.sides import Side, Split
from xattn.features.planted import LOOK, with_look
from xattn.i18n.numbers import figure
from xattn.recommenders import ContentAttention
from xattn.viz.names import part_name

__all__ = ["Made", "made", "said_of_truth"]

USERS = 120


class Made(NamedTuple):
    """Planted data, and a model that has not seen the last event of anybody."""

    truth: PlantedPart
    model: ContentAttention


def made(kind: str) -> Made:
    """The data of one of the `PART_KINDS`. Raises InputError where the extra that reads them is not installed."""
    with st.spinner(t("app.fitting", lang())):
        return _made(kind)


@st.cache_resource(show_spinner=False, max_entries=len(PART_KINDS))
def _made(kind: str) -> Made:
    truth = with_look(planted_part(kind, n_users=USERS))
    data = truth.data
    train = data.select(~np.isin(np.arange(data.n_events), data.indptr[1:] - 1))
    return Made(truth, ContentAttention(content_recency=100.0).fit(train))


def said_of_truth(truth: PlantedPart, why: Ledger, found: Split, language: str) -> str:
    """What was planted in the explained item, and what the ledger says of it; in Markdown."""
    row = why.question.target
    user = why.history.user
    if found.block != LOOK or user is None:
        return t("lab.parts_truth_other", language, block=safe(found.block, 60))
    if truth.key[row] != truth.key[truth.target[user]]:
        return t("lab.parts_truth_none", language)
    slots = _slots(truth, found.other)
    key, lure = int(truth.key_place[row]), int(truth.lure_place[row])
    facts = {
        "key": safe(part_name(_name(truth, found.other, key), language), 40),
        "lure": safe(part_name(_name(truth, found.other, lure), language), 40),
        "amount": figure(slots.get(key, 0.0), sign=True),
        "lured": figure(slots.get(lure, 0.0), sign=True),
    }
    first = max(slots, key=slots.__getitem__) == key
    return t("lab.parts_truth_right" if first else "lab.parts_truth_wrong", language, **facts)


def _slots(truth: PlantedPart, side: Side) -> dict[int, float]:
    """What the words, fields or quarters of an item add."""
    found: dict[int, float] = {}
    for number, (place, amount) in enumerate(zip(side.places, side.amounts.tolist(), strict=True)):
        at = truth.slot(number, place)
        found[at] = found.get(at, 0.0) + amount
    return found


def _name(truth: PlantedPart, side: Side, slot: int) -> str:
    """The part of a slot that adds most; of a slot where nothing adds anything, the first."""
    own = [n for n, place in enumerate(side.places) if truth.slot(n, place) == slot]
    return side.names[max(own, key=lambda n: (abs(side.amounts[n]), -n))] if own else "–"
