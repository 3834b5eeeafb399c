"""The fit as a visitor sees it: a button, progress with a way to stop it, and the same as a command and as Python."""

from __future__ import annotations

from typing import Any

import streamlit as st

from xattn.app.data.brought import Brought
from xattn.app.data.fitting import Fitting, can_learn, settings_of
from xattn.app.data.options import command, program
from xattn.app.state import Own
from xattn.app.ui import address
from xattn.app.ui.session import FITTING, SCENARIO
from xattn.app.ui.text import safe
from xattn.data import Interactions
from xattn.explain import SCENARIOS, Origin
from xattn.i18n import t

__all__ = ["draw", "elsewhere", "progress"]


def draw(brought: Brought, options: dict[str, Any], data: Interactions, language: str) -> None:
    """What the items are, and the button."""
    fitting: Fitting | None = FITTING.get()
    awaited = fitting is not None and fitting.awaited
    if not SCENARIO.is_set:
        SCENARIO.set(SCENARIO.start)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            t("mine.scenario", language),
            sorted(SCENARIOS, key=lambda name: name != SCENARIO.start),
            format_func=lambda name: t(f"words.scenario.{name}", language),
            key=SCENARIO.name,
            persist_state="session",
            help=t("mine.scenario_help", language),
            width=220,
        )
        st.button(
            t("mine.fit", language),
            key="data_fit",
            type="primary",
            icon=":material/play_arrow:",
            disabled=awaited,
            on_click=_start,
            args=(brought, options, data, False),
        )
    if can_learn(data):
        st.caption(t("mine.closed_form", language, n=f"{data.n_events:,}"))
    if fitting is not None and not fitting.learns:
        progress(fitting, awaited, language)


def _start(brought: Brought, options: dict[str, Any], data: Interactions, learned: bool) -> None:
    settings = settings_of(options, learned)
    own = Own(data, None, Origin(), str(SCENARIO.get() or SCENARIO.start), program(brought, options, settings))
    FITTING.set(Fitting(own, settings))


def progress(fitting: Fitting, awaited: bool, language: str) -> None:
    """How a fit is going, drawn again every half second while it goes on. Where it was `awaited` when what stands above
    was drawn and has come to its end since, the whole page is drawn again, so that all of it shows one moment."""
    if awaited:
        st.fragment(_going, run_every="0.5s")(fitting, language)
    elif fitting.state == "failed" and fitting.refusal is not None:
        st.error(safe(fitting.refusal.told(language), 600), icon=":material/error:")
    elif fitting.state == "failed":
        st.error(t("app.failed", language), icon=":material/error:")
    elif fitting.state == "cancelled":
        st.warning(t("mine.cancelled", language), icon=":material/stop:")


def _going(fitting: Fitting, language: str) -> None:
    if not fitting.goes_on:
        st.rerun()
    what = t("mine.waiting" if fitting.state == "waiting" else "mine.fitting", language)
    st.progress(fitting.share, f"{what} {fitting.share:.0%} · {safe(fitting.what)}" if fitting.what else what)
    st.button(t("mine.cancel", language), key="data_cancel", icon=":material/stop:", on_click=fitting.cancel)


def elsewhere(brought: Brought, options: dict[str, Any], language: str) -> None:
    """The command line and the Python that do the same."""
    settings = settings_of(options, False)
    with address.part("elsewhere", t("mine.elsewhere", language), icon=":material/terminal:"):
        st.caption(t("mine.elsewhere_says", language))
        st.code(command(brought, options, settings), language="bash", wrap_lines=True)
        st.code(program(brought, options, settings), language="python", wrap_lines=True)
