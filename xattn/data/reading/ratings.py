"""The step that reads opinions and amounts: what the numbers are, which rows carry none, which are returns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from xattn.data.reading.cells import floats_of, text_of
from xattn.data.reading.desk import Desk
from xattn.data.reading.opinions import opinions_of
from xattn.data.reading.report import Action, Told
from xattn.data.reading.words import hints_of
from xattn.data.scale import Scale, guess_scale, scale_of_lasting
from xattn.errors import shown

__all__ = ["MEANT", "RETURN", "amounts", "lasting_column", "lasting_values", "ratings"]

RETURN = "return"
MEANT = {"dwell": "a_dwell", "progress": "a_progress"}  # as phrases
NOT_THERE = frozenset(("na", "n/a", "nan", "null", "none", "-", "\\n", "?", "."))


def amounts(desk: Desk) -> np.ndarray | None:
    """The amounts; rows of returns are told, and left out unless they have a weight of their own."""
    column = desk.column("amount")
    if column is None:
        return None
    values = floats_of(column)
    if desk.options.lasting:
        return values
    back = desk.kept[values[desk.kept] < 0]
    if back.size:
        keep = RETURN in (desk.options.event_weights or {})
        action = None if keep else Action("event_weights", f"{RETURN}=-0.5")
        desk.tell(
            "returns_kept" if keep else "returns",
            "warning",
            back,
            cost=not keep,
            action=action,
            column=desk.name("amount"),
        )
        if not keep:
            desk.drop(back)
    return values


def ratings(desk: Desk) -> tuple[np.ndarray | None, Scale | None]:
    """The opinions (NaN where there is none) and their scale."""
    if desk.options.lasting:
        return _lasting(desk)
    role = "rating" if "rating" in desk.roles.place else "amount"
    column = desk.column(role)
    stated = desk.options.stated_scale()
    if column is None:
        return None, None
    name = desk.name(role)
    if role == "amount":
        values = floats_of(column)
        known = values[desk.kept][~np.isnan(values[desk.kept])]
        if not desk.options.amount or not known.size:
            if known.size:
                desk.tell("amounts", "note", action=Action("scale"), column=name)
            return None, None
        return values, Scale(float(known.min()), float(known.max()), "amount", "stated")
    values = opinions_of(column)
    numbers, texts = desk.options.unrated_values()
    unread_ratings(desk, column, values, texts, name)
    meant = "opinion" if any(hint.role == "rating" for hint in hints_of(name)) or desk.table.roles else ""
    guess = guess_scale(values[desk.kept], meant, numbers)
    scale = stated or guess.scale
    unrated(desk, values, guess.unrated if stated is None or numbers else _outside(guess.unrated, stated), name)
    if scale.kind == "amount":
        if np.isnan(values[desk.kept]).all():
            return None, None
        desk.tell("amounts", "note", action=Action("scale"), column=name)
        return values, scale
    outside = desk.kept[(values[desk.kept] < scale.low) | (values[desk.kept] > scale.high)]
    if outside.size:
        what = f"{values[outside[0]]:g}"
        desk.tell("absurd", "warning", outside, cost=True, action=Action("scale"), column=name, what=what)
        values[outside] = np.nan
    if scale.origin == "guessed":
        action = Action("scale", f"{scale.low:g}-{scale.high:g}")
        low, high = f"{scale.low:g}", f"{scale.high:g}"
        desk.tell("scale_guessed", "note", action=action, column=name, low=low, high=high)
    if np.isnan(values[desk.kept]).all():
        return None, None
    return values, scale


def lasting_column(desk: Desk) -> str:
    """The role of the column that says how long events lasted. Raises DataError where there is none."""
    role = next((role for role in ("amount", "rating") if role in desk.roles.place), "")
    if not role:
        desk.table.source.refuse("no_lasting", got=desk.options.lasting)
    return role


def lasting_values(desk: Desk, role: str) -> np.ndarray:
    """How long the events lasted; NaN for an empty cell. Cells that hold no number, or one under 0, are errors."""
    column, name = desk.column(role), desk.name(role)
    assert column is not None
    values = floats_of(column)
    unread_ratings(desk, column, values, desk.options.unrated_values()[1], name)
    values[~np.isfinite(values)] = np.nan
    numbers, _ = desk.options.unrated_values()
    unrated(desk, values, tuple(numbers or ()), name)
    under = desk.kept[values[desk.kept] < 0]
    if under.size:
        desk.refuse("lasting_under_0", under, Action("unrated", f"{values[under[0]]:g}"), column=name,
                    what=f"{values[under[0]]:g}")  # fmt: skip
    return values


def _lasting(desk: Desk) -> tuple[np.ndarray | None, Scale | None]:
    """How long each event lasted, and by which number that is measured."""
    role, kind = lasting_column(desk), desk.options.lasting
    values = lasting_values(desk, role)
    own = values[desk.kept]
    if (own < 0).any() or np.isnan(own).all():
        return None, None
    given = desk.options.scale
    value, often = np.unique(own[~np.isnan(own)], return_counts=True)
    scale = given if isinstance(given, Scale) else scale_of_lasting(value, often, kind)
    if scale is None:
        desk.table.source.refuse("not_lasting", meant=MEANT[kind], got=float(value[-1]))
    counts = Told(f"data.lasting.{'half' if kind == 'dwell' else 'full'}")
    what = Told(f"data.lasting.{kind}")
    desk.tell(
        "lasting",
        "note",
        action=Action("scale"),
        column=desk.name(role),
        what=what,
        high=f"{scale.high:g}",
        share=counts,
    )
    return values, scale


def unread_ratings(desk: Desk, column: pa.Array, values: np.ndarray, texts: set[str], name: str) -> None:
    """Cells of ratings that are neither opinions nor empty."""
    bad = desk.kept[np.isnan(values[desk.kept])]
    if not bad.size:
        return
    cells = text_of(column).take(pa.array(bad)).to_pylist()
    wrong = np.array([bool(cell) and cell.casefold() not in NOT_THERE | texts for cell in cells], bool)
    if pa.types.is_floating(column.type):
        wrong[:] = False
    if wrong.any():
        rows = bad[wrong]
        what = shown(cells[int(np.flatnonzero(wrong)[0])])
        desk.refuse("rating_unread", rows, Action("unrated", what.strip("'")), column=name, what=what)
    empty = bad[~wrong]
    if empty.size:
        desk.tell("unrated", "note", empty, column=name, what="—")


def unrated(desk: Desk, values: np.ndarray, marks: tuple[float, ...], name: str) -> None:
    rows = desk.kept[np.isin(values[desk.kept], marks)]
    if rows.size:
        what = ", ".join(f"{mark:g}" for mark in marks)
        desk.tell("unrated", "note", rows, action=Action("unrated", what), column=name, what=what)
        values[rows] = np.nan


def _outside(marks: tuple[float, ...], scale: Scale) -> tuple[float, ...]:
    return tuple(mark for mark in marks if not scale.low <= mark <= scale.high)
