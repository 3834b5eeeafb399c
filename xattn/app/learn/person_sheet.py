"""The lesson's four steps on a real person's history: films as genre vectors, ratings as signed strengths.

    q    the genres of the newest film: what the person is after now            (d,)
    k_i  the genres of each film before it                                      (n, d)
    y_i  the same genres times the rating's signed strength: a dislike is < 0   (n, d)

The features are genres that these films have: all of the newest film, whose row asks, then those that are most common.
So the query is never zero. Everything else is the worked example as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app.learn.sheet import MOST_NAME, Sheet
from xattn.app.ui.caches import kept
from xattn.data import History, Interactions
from xattn.errors import refuse
from xattn.model.example import nearest_item
from xattn.model.strength import RatingScale, signed

__all__ = ["LEAST", "nearest_title", "row_sheet"]

LEAST = 3  # events that make a row: one that asks, two that are attended to
EVENTS = 5  # newest events before the last one: as many as a page shows at a glance
FEATURES = 7
COLUMN = "genres"


def _genres(data: Interactions) -> pd.Series:
    """Genres of each item, as a tuple of names."""
    if COLUMN not in data.items.frame:
        refuse("column_needed", column=COLUMN)
    cells = data.items.frame[COLUMN]
    return pd.Series([tuple(x.split("|")) if isinstance(x, str) and x else () for x in cells])


def row_sheet(data: Interactions, history: History) -> Sheet:
    """The sheet of the newest events of a history. Raises InputError where it is too short, or no film of it has a
    genre."""
    if len(history) < LEAST:
        refuse("short_history", least=LEAST, got=len(history))
    genres = _genres(data)
    speaking = [place for place, row in enumerate(history.item.tolist()) if genres[row]]
    if not speaking:
        refuse("history_without", column=COLUMN)
    n = speaking[-1] + 1  # who asks is the newest film that has genres
    if n < LEAST:
        refuse("short_history", least=LEAST, got=n)
    rows = history.item[:n][-EVENTS - 1 :].tolist()
    times = pd.Series([name for row in rows for name in genres[row]]).value_counts(sort=True)
    own = [name for name in times.index if name in genres[rows[-1]]]
    features = tuple(str(name) for name in dict.fromkeys([*own, *times.index]))[: max(FEATURES, len(own))]
    F = _vectors(genres.iloc[rows], features)
    strength = signed(history.rating, len(history), RatingScale.of(data.scale))[:n][-EVENTS - 1 :]
    titles = tuple(_name(data.items.titles[row]) for row in rows[:-1])
    return Sheet(
        tuple(F[-1].tolist()),
        tuple(map(tuple, F[:-1].tolist())),
        tuple(map(tuple, (F[:-1] * np.round(strength[:-1, None], 6) + 0.0).tolist())),
        scorer="scaled_dot",
        features=features,
        events=titles,
        titles=titles,
    )


def _vectors(genres: pd.Series, features: tuple[str, ...]) -> np.ndarray:
    """(n, d): 1 where a film has the genre."""
    return np.array([[float(name in own) for name in features] for own in genres])


def _name(title: str) -> str:
    """A title as a link can carry it."""
    return "".join(c if c.isprintable() else " " for c in title[:MOST_NAME])


def nearest_title(data: Interactions, sheet: Sheet, vector: list[float]) -> tuple[str, float] | None:
    """(title, cosine) of the film of the catalogue whose genres point most in the direction of `vector`, none of the
    sheet's; None where the sheet's features are not genres of this data, or the vector is zero."""
    if COLUMN not in data.items.frame or not sheet.features or not any(vector):
        return None
    kinds = _kinds(data, data.checksum)
    if not set(sheet.features) <= set(kinds.names):
        return None
    wanted = dict(zip(sheet.features, vector, strict=True))
    near = nearest_item([wanted.get(name, 0.0) for name in kinds.names], kinds.F)
    for kind in np.argsort(-np.array(near.cosines), kind="stable").tolist():
        titles = [data.items.titles[row] for row in kinds.rows[kind][:50]]
        if fresh := [title for title in titles if _name(title) not in sheet.events]:
            return fresh[0], near.cosines[kind]
    return None


class _Kinds(NamedTuple):
    """Films of the same genres are of one kind: genre `names` (g,), `F` (K, g), and the `rows` of each kind's films,
    those with most events first."""

    names: tuple[str, ...]
    F: np.ndarray
    rows: list[list[int]]


@kept(st.cache_resource, max_entries=4)
def _kinds(_data: Interactions, checksum: str) -> _Kinds:
    genres = _genres(_data)
    names = tuple(sorted({name for own in genres for name in own}))
    rows: dict[tuple[str, ...], list[int]] = {}
    for row in np.argsort(-_data.counts(), kind="stable").tolist():
        if genres[row]:
            rows.setdefault(genres[row], []).append(row)
    return _Kinds(names, _vectors(pd.Series(list(rows)), names), list(rows.values()))
