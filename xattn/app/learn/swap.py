"""What would put one item before another: the smallest change of one number, and of one whole vector.

Items are ranked by how close they are to what the attention makes of the events; `xattn.explain.minimal_edit` finds
the change. On the page Your vectors the events are vectors of their own, and any of them may change. In the lesson
the events' vectors are the items themselves: there the two items stay as they are, and one of the others changes. Its
weight says how far it takes the result along:

    result y = Σ s_i y_i      y has to move by Δ      so row i has to move by Δ / s_i, least where s_i is most

Each change is put into the sheet and attended to again before it is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import streamlit as st

from xattn import attend
from xattn.app.learn.results import results
from xattn.app.learn.sheet import Sheet
from xattn.app.ui import address
from xattn.app.ui.editors import Table
from xattn.app.ui.session import SWAPPED
from xattn.app.ui.text import plain, safe
from xattn.explain import minimal_edit
from xattn.explain.compare.edit import Edit
from xattn.i18n import t
from xattn.model.example import nearest_item
from xattn.viz.digits import digits

__all__ = ["Change", "control", "of_events", "of_other_items"]

MOST_NUMBERS = 100  # of events: each is searched by attending again and again
PAST = (0.0, 1e-9, 1e-7, 1e-5)  # shares by which a change is lengthened where rounding has undone it
SIDES = {"above": "swap.above", "below": "swap.below"}
SAYS = {"worked": "swap.says_worked", "behaviour": "swap.says_behaviour"}  # by page
NONE = {"worked": "swap.none_worked", "behaviour": "swap.none_behaviour"}
APPLY = {"number": "swap.apply_number", "vector": "swap.apply_vector"}


class Change(NamedTuple):
    """A row goes from `before` to `after`; `feature` is the one number that changes, None where several may."""

    row: int
    before: tuple[float, ...]
    after: tuple[float, ...]
    feature: int | None = None

    def of(self, table: Table) -> Table:
        """The table with this change."""
        return (*table[: self.row], self.after, *table[self.row + 1 :])

    @property
    def size(self) -> float:
        """The length of the change."""
        return float(np.linalg.norm(np.subtract(self.after, self.before)))


Found = tuple[tuple[Change, Sheet], ...]
Finder = Callable[[Sheet, int, int], Found]


@lru_cache(maxsize=64)
def of_events(sheet: Sheet, above: int, below: int) -> Found:
    """The smallest changes of `keys`, keys and values at once, each with the sheet that it makes; none where there are
    none, or more than `MOST_NUMBERS`. Raises InputError where `above` is before `below` already."""
    if len(sheet.keys) * len(sheet.query) > MOST_NUMBERS:
        return ()
    edit = minimal_edit(
        sheet.query,
        None,
        sheet.keys,
        sheet.items,
        above,
        below,
        scorer=sheet.scorer,
        temperature=sheet.temperature,
    )

    def distances(changed: Sheet) -> Sequence[float]:
        result = attend(
            changed.query, changed.keys, changed.keys, scorer=changed.scorer, temperature=changed.temperature
        )
        return nearest_item(result.fused, changed.items).distances

    def offered() -> Iterator[tuple[Change, Sheet]]:
        for row, feature, after in _told(edit):
            old = sheet.keys[row]
            step = np.subtract(after, old if feature is None else old[feature])
            for change in _lengthened(row, old, feature, step):
                changed = replace(sheet, keys=change.of(sheet.keys))
                if _passes(distances(changed), above, below):
                    yield change, changed
                    break

    return tuple(offered())


@lru_cache(maxsize=64)
def of_other_items(sheet: Sheet, above: int, below: int) -> Found:
    """The smallest changes of a row of `items` that is neither of the two, each with the sheet that it makes; none
    where there are none. Raises InputError where `above` is before `below` already."""
    result = results(sheet).recommendation
    edit = minimal_edit([1.0], [[1.0]], [result.fused], sheet.items, above, below)
    shares = np.full(len(sheet.items), 1 / len(sheet.items)) if sheet.fusion == "add" else result.weights.copy()
    shares[[above, below]] = 0.0
    row = int(np.argmax(shares))
    if not shares[row] > 0:
        return ()

    def offered() -> Iterator[tuple[Change, Sheet]]:
        for _, feature, after in _told(edit):
            step = np.subtract(after, result.fused if feature is None else result.fused[feature]) / shares[row]
            for change in _lengthened(row, sheet.items[row], feature, step):
                changed = replace(sheet, items=change.of(sheet.items))
                if _passes(results(changed).nearest.distances, above, below):
                    yield change, changed
                    break

    return tuple(offered())


def _told(edit: Edit) -> list[tuple[int, int | None, np.ndarray | float]]:
    """(row, the number that changes or None, what it or the row becomes)."""
    told: list[tuple[int, int | None, np.ndarray | float]] = []
    if edit.number is not None:
        told.append((edit.number.event, edit.number.feature, edit.number.after))
    if edit.vector is not None:
        told.append((edit.vector.event, None, edit.vector.after))
    return told


def _lengthened(row: int, old: tuple[float, ...], feature: int | None, step: np.ndarray) -> Iterator[Change]:
    """The change of a row by `step`, then by a little more each time."""
    for share in PAST:
        if feature is None:
            new = tuple((np.asarray(old) + (1 + share) * step).tolist())
        else:
            new = (*old[:feature], float(old[feature] + (1 + share) * step), *old[feature + 1 :])
        yield Change(row, old, new, feature)


def _passes(distances: Sequence[float], above: int, below: int) -> bool:
    return distances[above] < distances[below]


# --- the control ------------------------------------------------------------------------------------------------------


def control(
    sheet: Sheet,
    find: Finder,
    distances: Sequence[float],
    items: Sequence[str],
    rows: Sequence[str],
    features: Sequence[str],
    load: Callable[[Sheet], None],
    language: str,
    *,
    key: str,
) -> None:
    """Two choices, the changes in words, a button for each; closed at first, and searched for only when it is open.

    `distances` are those of the items from the result, `items` their names, `rows` and `features` those of the vectors
    that change; `load` takes the sheet that a change makes.
    """
    if SWAPPED.of(key).take():
        st.rerun()  # the whole page: its tables have changed
    if len(items) < 2:
        return
    panel = address.part("swap", t("swap.title", language), icon=":material/swap_vert:")
    if not panel.open:
        return
    with panel:
        st.markdown(t(SAYS[key], language))
        order = np.argsort(distances, kind="stable").tolist()
        with st.container(horizontal=True, vertical_alignment="bottom"):
            above = _choice("above", f"{key}_above", order, order[1], items, language)
            rest = [i for i in order if i != above]
            below = _choice("below", f"{key}_below", rest, rest[0], items, language)
        names = {"above": safe(items[above], 60), "below": safe(items[below], 60)}
        if _passes(distances, above, below):
            st.caption(t("swap.already", language, **names))
            return
        found = find(sheet, above, below)
        if not found:
            many = find is of_events and len(sheet.keys) * len(sheet.query) > MOST_NUMBERS
            st.info(t("swap.many" if many else NONE[key], language, **names), icon=":material/block:")
            return
        for change, _ in found:
            st.markdown(_sentence(change, rows, features, language))
        with st.container(horizontal=True):
            for change, changed in found:
                kind = "vector" if change.feature is None else "number"
                st.button(
                    t(APPLY[kind], language),
                    key=f"{key}_apply_{kind}",
                    icon=":material/edit:",
                    on_click=_apply,
                    args=(load, changed, key),
                )


def _choice(side: str, key: str, options: list[int], start: int, names: Sequence[str], language: str) -> int:
    """One of the items, counted from 1 in the address."""
    chosen = address.select(
        side,
        [str(i + 1) for i in options],
        key=key,
        label=t(SIDES[side], language),
        words=lambda number: plain(names[int(number) - 1], 60),
        start=str(start + 1),
        width=260,
    )
    return int(chosen) - 1


def _sentence(change: Change, rows: Sequence[str], features: Sequence[str], language: str) -> str:
    if change.feature is not None:
        return t(
            "swap.number",
            language,
            row=safe(rows[change.row], 60),
            feature=safe(features[change.feature], 60),
            before=digits(change.before[change.feature]),
            after=digits(change.after[change.feature]),
        )
    before, after = (safe(f"[{', '.join(map(digits, row))}]", 400) for row in (change.before, change.after))
    return t(
        "swap.vector",
        language,
        row=safe(rows[change.row], 60),
        before=before,
        after=after,
        size=digits(change.size),
    )


def _apply(load: Callable[[Sheet], None], changed: Sheet, key: str) -> None:
    load(changed)
    SWAPPED.of(key).set(True)
