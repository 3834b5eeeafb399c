"""The living picture of the list of a view: its ledgers, what they announce, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.picture.component import draw, follow
from xattn.app.picture.flows import announced, flows, most_telling, speaks_for
from xattn.app.picture.scene import Shown, removals, scene
from xattn.app.picture.words import base_key, own_rating, said_of
from xattn.app.recommend.answers import ledger, listed
from xattn.app.recommend.heads import attention
from xattn.app.recommend.present import change, present
from xattn.app.recommend.view import FEW_EVENTS, View
from xattn.app.ui.caches import kept
from xattn.app.ui.items import about
from xattn.explain import Ledger
from xattn.recommenders import Recommender
from xattn.requests import RecommendRequest

__all__ = ["picture", "removed", "shown", "stamp_of", "tick"]

KEY = "rec_picture"
ITEMS, EVENTS = 10, 9  # that are drawn
MOST_OTHERS = 4  # events left out elsewhere that take a row of the picture
SAME = 1e-9  # of a score: what two ways through floating point may differ by


def picture(fitted: Recommender, view: View, language: str) -> Callable[[], None]:
    """Draw the picture of the list, nothing where the list is empty. What is returned adds, when it is called, what the
    removals do: that takes longest, and nobody waits for it."""
    if listed(fitted, view).empty:
        return lambda: None
    stamp = stamp_of(fitted, view, language)
    values = _scene(fitted, view, language, stamp)
    place = draw(values, stamp, key=KEY, keep=tick, choose=_choose)
    return lambda: follow(place, _removals(fitted, view, values, language, stamp), stamp, key=KEY)


def stamp_of(fitted: Recommender, view: View, language: str) -> str:
    """What a picture and its removals are known by, and kept by: all that either depends on. How the page around it is
    open (a tab, a depth of words) is no part of it."""
    depends = (view.model, state.identity(fitted.data_), view.request(fitted.data_), view.item, view.without, language)
    return blake2b(repr(depends).encode(), digest_size=16).hexdigest()


@kept(st.cache_data, max_entries=128)
def _scene(_fitted: Recommender, _view: View, _words: str, stamp: str) -> dict[str, Any]:
    return scene(shown(_fitted, _view, _words), _words)


@kept(st.cache_data, max_entries=128)
def _removals(_fitted: Recommender, _view: View, _drawn: dict[str, Any], _words: str, stamp: str) -> dict[str, Any]:
    return removed(_fitted, _view, _drawn, _words)


def removed(fitted: Recommender, view: View, drawn: dict[str, Any], language: str) -> dict[str, Any]:
    """What the removals do to the items of a picture of this view that is drawn."""
    effects = announced([ledger(fitted, view, item["id"]) for item in drawn["items"]])
    return removals(drawn, effects, view.k, language)


@kept(st.cache_data, max_entries=256, speaks=False)
def _rows(
    _fitted: Recommender, _view: View, kind: str, identity: str, request: RecommendRequest, items: int, events: int
) -> tuple[int, ...]:
    """The events of the picture of a view without anything left out: so each keeps its place whatever is left out."""
    return most_telling([ledger(_fitted, _view, item) for item in listed(_fitted, _view).head(items)["item"]], events)


def tick(position: int, kept: bool) -> None:
    """Leave an event out, or put it back."""
    others = tuple(p for p in present().without if p != position)
    change(without=others if kept else (*others, position))


def _choose(item: str | None) -> None:
    change(item=item, versus=None, boxes=FEW_EVENTS)


def shown(fitted: Recommender, view: View, language: str) -> Shown:
    """What the picture of this view is made of; every number from the ledgers of its items."""
    frame = listed(fitted, view).head(ITEMS)
    items = frame["item"].tolist()
    if view.item is not None and view.item not in items:
        items.append(view.item)
    ledgers = [ledger(fitted, view, item) for item in items]
    full = replace(view, without=())
    asked = full.request(fitted.data_)
    rows_of = _rows(fitted, full, view.model, state.identity(fitted.data_), asked, ITEMS, EVENTS)
    others = [position for position in view.without if position not in rows_of][-MOST_OTHERS:]
    positions = (*rows_of[: EVENTS - len(others)], *others)  # as many rows as before: the picture keeps its height
    proof = _proof(fitted, view)
    history = full.events(fitted.data_)
    ratings = history.rating if history.rating is not None else np.full(len(history), np.nan)
    notes = {p: own_rating(float(ratings[p]), fitted.data_.scale) for p in history.newest.tolist()}
    titles = fitted.data_.items.titles
    rows = pd.DataFrame(
        {
            "row": [str(p) for p in positions],
            "title": [titles[history.item[p]] for p in positions],
            "rating": [notes[p] for p in positions],
            "out": [p in view.without for p in positions],
        }
    )
    return Shown(
        rows,
        _items(fitted, view, ledgers, proof, notes, language),
        flows(ledgers, positions),
        proof,
        [attention(why) for why in ledgers],
        len(history.newest),
        view.k,
        view.item,
        str(view.without[-1]) if view.without else "",
        base_key(fitted.amounts),
    )


def _items(
    fitted: Recommender, view: View, ledgers: list[Ledger], proof: pd.DataFrame, notes: dict[int, str], language: str
) -> pd.DataFrame:
    before = dict(zip(proof["item"], proof["before"], strict=True))
    rows = []
    for why in ledgers:
        say, sub = said_of(why, language, notes)
        rows.append(
            {
                "item": why.item,
                "rank": why.rank or 0,
                "title": why.title,
                "facts": " · ".join(about(fitted.data_, fitted.data_.item_row(why.item), language)),
                "before": before.get(why.item, 0) if len(proof) else -1,
                "size": speaks_for(why),
                "say": say,
                "sub": sub,
            }
        )
    return pd.DataFrame(rows)


def _proof(fitted: Recommender, view: View) -> pd.DataFrame:
    """The list before the last event was left out: item, title, before, announced, happened (places), same (score and
    place are what was announced). Empty where none is left out."""
    columns = ["item", "title", "before", "announced", "happened", "same"]
    if not view.without:
        return pd.DataFrame(columns=columns)
    *earlier, last = view.without
    old = replace(view, without=tuple(earlier))
    items = listed(fitted, old).head(ITEMS)["item"].tolist()
    if view.item is not None and view.item not in items:
        items.append(view.item)
    rows = []
    for item in items:
        before, now = ledger(fitted, old, item), ledger(fitted, view, item)
        if last not in before.rows.position:
            continue
        rank = 0 if before.rank is None else int(before.without_each.rank[last])
        score = float(before.without_each.score[last])
        same = rank == (now.rank or 0) and abs(score - now.score) <= SAME * max(1.0, abs(now.score))
        rows.append((item, before.title, before.rank or 0, rank, now.rank or 0, same))
    return pd.DataFrame(rows, columns=columns)
