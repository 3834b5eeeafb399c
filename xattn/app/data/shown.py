"""What this session shows now: its name and sizes, ways to the other pages, the model to take away, the way back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from xattn.app import state
from xattn.app.data.fit import progress
from xattn.app.data.fitting import Fitting, can_learn
from xattn.app.ui.exports import file_name
from xattn.app.ui.session import BROUGHT, DATA_REFUSED, FITTING, GO_TO, OPTIONS, OUTCOME, OWN
from xattn.app.ui.text import safe
from xattn.i18n import t
from xattn.recommenders import HybridAttention, Recommender

__all__ = ["draw"]


def draw(language: str) -> None:
    """A box, where the session shows something of its own."""
    own: state.Own | None = OWN.get()
    if own is None:
        if BROUGHT.is_set:
            st.button(
                t("mine.forget", language), key="data_forget", icon=":material/delete:", type="tertiary",
                on_click=_forget,
            )  # fmt: skip
        return
    model = own.model
    assert model is not None
    with st.container(border=True, key="data_shown"):
        sizes = {"users": own.data.n_users, "items": own.data.n_items, "events": own.data.n_events}
        said = t(
            "mine.shown", language, name=safe(own.data.name, 80), model=type(model).__name__,
            **{name: f"{number:,}" for name, number in sizes.items()},
        )  # fmt: skip
        st.success(said, icon=":material/check_circle:")
        with st.container(horizontal=True):
            st.button(
                t("mine.go", language),
                key="data_go",
                type="primary",
                icon=":material/recommend:",
                on_click=lambda: GO_TO.set("recommendations"),
            )
            st.download_button(
                t("mine.take", language),
                lambda: _saved(model),
                file_name=file_name(own.data.name or "yours", suffix="npz"),
                mime="application/octet-stream",
                key="data_take",
                icon=":material/download:",
                on_click="ignore",
                help=t("mine.take_help", language),
            )
            st.button(t("mine.forget", language), key="data_forget", icon=":material/delete:", on_click=_forget)
        _learning(own, model, language)


def _saved(model: Recommender) -> bytes:
    with tempfile.TemporaryDirectory(prefix="xattn-taken-") as folder:
        path = Path(folder) / "yours.npz"
        model.save(path)
        return path.read_bytes()


def _forget() -> None:
    fitting: Fitting | None = FITTING.get()
    if fitting is not None:
        fitting.cancel()
    for key in (BROUGHT, OPTIONS, OUTCOME, FITTING, DATA_REFUSED):
        key.take()
    state.let_go()


def _learning(own: state.Own, model: Any, language: str) -> None:
    """Where there is enough to learn from: which heads the model has, and the offer to train those that it lacks."""
    fitting: Fitting | None = FITTING.get()
    if not isinstance(model, HybridAttention) or not can_learn(own.data):
        return
    if fitting is not None and fitting.learns and fitting.awaited:
        st.caption(t("mine.learning", language))
        progress(fitting, True, language)
    elif fitting is not None and fitting.learns and fitting.state == "done":
        st.caption(t("mine.learned" if model.alpha_ > 0 else "mine.learned_nothing", language))
    elif model.learned_ is None:
        st.caption(t("mine.not_learned", language))
        if fitting is not None and fitting.learns:
            progress(fitting, False, language)
        st.button(
            t("mine.learn", language), key="data_learn", icon=":material/model_training:", on_click=_learn,
            args=(own, model),
        )  # fmt: skip


def _learn(own: state.Own, model: HybridAttention) -> None:
    settings = {**model.get_params(deep=False), "learned": "always"}
    program = own.program.replace("learned='never'", "learned='always'")
    FITTING.set(Fitting(own._replace(model=None, program=program), settings))
