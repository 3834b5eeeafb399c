"""The worked example as a page: the article's numbers to start with, every step again for any numbers that are typed.

A Sheet comes from the address, the editors and the widgets. The four steps follow, one at a time (keys ← →) or all at
once, then the whole way on real data, and the places where the article's numbers part from the exact ones. All
mathematics is `xattn.attend` and `xattn.worked_example`.
"""

from __future__ import annotations

import streamlit as st

from xattn.app.learn import article, swap, tour, whole_way
from xattn.app.learn.inputs import DRAFT, inputs
from xattn.app.learn.results import results
from xattn.app.learn.sheet import Sheet
from xattn.app.learn.steps import STEPS, draw, item_names
from xattn.app.ui import address
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import refusals
from xattn.app.ui.session import widget
from xattn.i18n import t

__all__ = ["render"]

STEP = "worked_step"
ROOM = "<style>.katex-display { padding: 3px }</style>"  # else a formula hangs over by 2 pixels, and can be scrolled


def render() -> None:
    """Draw the page."""
    language = lang()
    st.html(ROOM)
    st.title(t("worked.title", language))
    st.markdown(t("worked.intro", language))
    tasks = st.container()
    DRAFT.open(article.article_sheet(), t("worked.bad_link", language))
    step = _step(language)
    live, lesson = st.container(border=True), st.container()
    st.subheader(t("worked.numbers", language))
    with st.container(border=True):
        sheet = inputs(live, language)
    tour.note(sheet, step)
    with tasks:
        tour.show(language)
    with lesson:
        _lesson(sheet, step, language)
    whole_way.show(language)
    article.errata(language, open_=article.is_its_own(sheet) and step == "all")


@st.fragment
def _lesson(sheet: Sheet, step: str, language: str) -> None:
    """The steps: pointing at an event or a cell reruns only them."""
    with refusals():
        draw(sheet, step, language)
        if step in ("4", "all"):
            names, columns = item_names(sheet, language)
            swap.control(
                sheet,
                swap.of_other_items,
                results(sheet).nearest.distances,
                names,
                names,
                columns,
                DRAFT.load,
                language,
                key="worked",
            )


def _step(language: str) -> str:
    """The step to show: the choice, kept in the address too; back and next beside it, with keys of their own."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        step = address.choose(
            "step",
            STEPS,
            key=STEP,
            label=t("worked.show", language),
            words=lambda name: t(f"worked.step.{name}", language),
        )
        at = STEPS.index(step)
        last = len(STEPS) - 2  # "all" comes after the steps
        st.button(
            t("worked.back", language),
            icon=":material/arrow_back:",
            key="worked_back",
            shortcut="Left",
            disabled=not 0 < at <= last,
            on_click=_go,
            args=(STEPS[max(0, at - 1)],),
        )
        st.button(
            t("worked.next", language),
            icon=":material/arrow_forward:",
            key="worked_next",
            shortcut="Right",
            disabled=at >= last,
            on_click=_go,
            args=(STEPS[min(last, at + 1)],),
        )
    return step


def _go(step: str) -> None:
    widget(STEP).set(step)
