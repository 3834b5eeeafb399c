"""The short tour of the worked example: things to try, each ticked off once it was done, in any order."""

from __future__ import annotations

import streamlit as st

from xattn.app.learn.article import is_its_own
from xattn.app.learn.sheet import Sheet
from xattn.app.ui import address
from xattn.app.ui.session import HAS_POINTED, STEPS_SEEN, TOUR_DONE
from xattn.app.words import t
from xattn.i18n.joined import aside

__all__ = ["TASKS", "note", "show"]

TASKS = ("steps", "point", "sharpen", "cut", "number", "row")
SHARP = 0.5


def note(sheet: Sheet, step: str) -> None:
    """Tick off what this view shows to have been done."""
    visited = STEPS_SEEN.get() | {step}
    STEPS_SEEN.set(visited)
    done = {
        "steps": "all" in visited or {"1", "2", "3", "4"} <= visited,
        "point": HAS_POINTED.get(),
        "sharpen": sheet.temperature <= SHARP,
        "cut": sheet.threshold > 0,
        "number": not is_its_own(sheet) and not sheet.features and _vectors_differ(sheet),
        "row": bool(sheet.features),
    }
    TOUR_DONE.set(TOUR_DONE.get() | {task for task, is_done in done.items() if is_done})


def _vectors_differ(sheet: Sheet) -> bool:
    plain = Sheet(sheet.query, sheet.keys, sheet.items)
    return not is_its_own(plain)


def show(language: str) -> None:
    """The list, closed at first; its title says how far the reader is."""
    done = TOUR_DONE.get()
    with address.part("tour", t("tour.title", language, done=len(done), n=len(TASKS)), icon=":material/flag:"):
        for task in TASKS:
            icon, said = (
                ("check_circle", "tour.is_done") if task in done else ("radio_button_unchecked", "tour.is_open")
            )
            state = aside("", t(said, language), language)
            st.markdown(f":material/{icon}: {t(f'tour.{task}', language)} :small[:gray[{state}]]")
        if len(done) == len(TASKS):
            st.success(t("tour.all", language), icon=":material/celebration:")
