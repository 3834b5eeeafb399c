"""Where a visitor is: all of it stands in the address, and nowhere else.

    ?scenario=finance&who=17&item=HSTOCKS&without=3~5

An address is read with suspicion: what it names must be known, else it is left out and one sentence says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from xattn.data import History, Interactions
from xattn.errors import InputError, shown
from xattn.i18n import t
from xattn.i18n.joined import listed
from xattn.scenarios import names

__all__ = ["Place", "asked", "here", "move", "turn"]

SCENARIO, WHO, ITEM, WITHOUT = "scenario", "who", "item", "without"
MOST_WITHOUT = 50


class Place(NamedTuple):
    """The person whose list is shown, the item that is explained, and positions of what is left out, the newest choice
    last."""

    user: str
    item: str | None = None
    without: tuple[int, ...] = ()


def asked(complaints: list[str], language: str) -> str | None:
    """The scenario that the address names; None: all cards."""
    name = st.query_params.get(SCENARIO)
    if name is None or name in names():
        return name
    complaints.append(
        _complaint(SCENARIO, t("link.must_choice", language, names=listed(names(), language)), name, language)
    )
    return None


def here(data: Interactions, start: str, complaints: list[str], language: str) -> Place:
    """The place within a scenario; `start` is the person of an address that names none."""
    params = st.query_params.to_dict()
    user, item = start, None
    without: tuple[int, ...] = ()
    if WHO in params:
        if _known(data.user_row, params[WHO]):
            user = params[WHO]
        else:
            complaints.append(_complaint(WHO, t("scenarios.must_who", language), params[WHO], language))
    if ITEM in params:
        if _known(data.item_row, params[ITEM]):
            item = params[ITEM]
        else:
            complaints.append(_complaint(ITEM, t("other.link.must_item", language), params[ITEM], language))
    if WITHOUT in params:
        newest = set(History.of(data, data.user_row(user)).newest.tolist())
        words = params[WITHOUT].split("~")
        if all(re.fullmatch("[0-9]{1,6}", word) and int(word) in newest for word in words):
            without = tuple(dict.fromkeys(map(int, words)))[:MOST_WITHOUT]
        else:
            complaints.append(_complaint(WITHOUT, t("scenarios.must_without", language), params[WITHOUT], language))
    return Place(user, item, without)


def turn(name: str | None) -> None:
    """Go to a scenario; None: to the cards."""
    _write({SCENARIO: name} if name else {})


def move(name: str, place: Place) -> None:
    """Go to another place in a scenario."""
    params = {SCENARIO: name, WHO: place.user}
    if place.item is not None:
        params[ITEM] = place.item
    if place.without:
        params[WITHOUT] = "~".join(map(str, place.without))
    _write(params)


def _write(params: dict[str, str]) -> None:
    own = (SCENARIO, WHO, ITEM, WITHOUT)
    others = {name: value for name, value in st.query_params.to_dict().items() if name not in own}
    st.query_params.from_dict({**others, **params})  # at once: one step of the browser's history


def _known(row_of: Callable[[str], int], name: str) -> bool:
    try:
        row_of(name)
    except InputError:
        return False
    return True


def _complaint(name: str, must: str, got: str, language: str) -> str:
    return t("link.bad", language, name=name, must=must, got=shown(got))
