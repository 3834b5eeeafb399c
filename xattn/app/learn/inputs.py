"""The numbers of the lesson: editors for its tables, widgets for settings and sizes, the link that carries them all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import quote, urlsplit

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from xattn.app.learn import person_choice
from xattn.app.learn.article import article_sheet
from xattn.app.learn.draft import Draft
from xattn.app.learn.edits import sentence
from xattn.app.learn.sheet import MOST_COLUMNS, MOST_ROWS, Sheet, decode
from xattn.app.learn.sizes import resized
from xattn.app.learn.snippet import of_sheet
from xattn.app.ui import snippet, undo
from xattn.app.ui.editors import Table, number_table, numbered
from xattn.app.ui.fields import number_field
from xattn.app.ui.glossary import meanings
from xattn.app.ui.session import widget
from xattn.errors import InputError, check_whole
from xattn.i18n import t
from xattn.tensor.attend import FUSIONS, SCORERS

__all__ = ["DRAFT", "inputs"]

SETTINGS = ("scorer", "temperature", "beta", "threshold", "fusion")
SIZES = {"n": MOST_ROWS, "d": MOST_COLUMNS, "m": MOST_COLUMNS}  # events, coordinates, coordinates of an item: the most
WIDE = 150  # pixels of a number field: less hides its number, its cross, its plus and minus


def _widget(name: str) -> str:
    return f"worked_{name}"


def _fill(sheet: Sheet) -> None:
    for name in SETTINGS:
        widget(_widget(name)).set(getattr(sheet, name))
    for name, size in zip(SIZES, (len(sheet.keys), len(sheet.query), len(sheet.items[0])), strict=True):
        widget(_widget(name)).set(size)


DRAFT = Draft("worked", "vectors", partial(decode, aligned=True), _fill)


def inputs(live: DeltaGenerator, language: str) -> Sheet:
    """Draw the editors, and the widgets in `live`; return the sheet that stands in them, and put it in the address."""
    base = DRAFT.base
    columns = base.features or None
    left, right = st.columns(2)
    with left:
        query = _editor("query", [base.query], ["q"], t("worked.query", language), columns)[0]
        rows = _rows("k", len(base.keys), base.events)
        keys = _editor("keys", base.keys, rows, t("worked.keys", language), columns)
    with right:
        same = columns if columns and len(columns) == len(base.items[0]) else None
        items = _editor(
            "items", base.items, _rows("y", len(base.items), base.titles), t("worked.items", language), same
        )
    with live:
        sheet = _settings(
            Sheet(query, keys, items, features=base.features, events=base.events, titles=base.titles), language
        )
    sheet = _parameters(sheet, language)
    _sizes(language)
    DRAFT.take(sheet)
    link = DRAFT.publish(sheet, article_sheet(), ("query", "keys", "items"), map(_widget, (*SETTINGS, *SIZES)))
    with live, st.container(horizontal=True, vertical_alignment="center"):
        person_choice.control(DRAFT.load, language)
        undo.bar(DRAFT.page, DRAFT.load, sentence, language)
        with st.popover(t("worked.link", language), icon=":material/link:"):
            if link is None:
                st.caption(t("worked.no_link", language))
            else:
                st.caption(t("worked.link_help", language))
                st.code(_full_address(link, language), language=None, wrap_lines=True)
                snippet.show(of_sheet(sheet), language)
    return sheet


def _rows(letter: str, n: int, names: Sequence[str]) -> list[str]:
    plain = numbered(letter, n)
    return [f"{k} · {name}" for k, name in zip(plain, names, strict=True)] if names else plain


def _settings(sheet: Sheet, language: str) -> Sheet:
    """The sheet with the settings that the widgets say."""

    def named(name: str) -> str:
        word = t(f"term.{name}", language)
        return word[:1].upper() + word[1:]

    def choice(name: str, options: Sequence[str], width: int) -> str:
        chosen: str = st.selectbox(
            named(name),
            options,
            format_func=named,
            key=_widget(name),
            help=meanings(options, language),
            width=width,
        )
        return chosen

    def number(name: str, step: float) -> float:
        typed: float | None = number_field(
            named(name),
            step=step,
            format="%.2f",
            key=_widget(name),
            help=t(f"meaning.{name}", language),
            width=WIDE,
        )
        return math.nan if typed is None else typed

    with st.container(horizontal=True):
        sheet = replace(
            sheet,
            scorer=choice("scorer", SCORERS, 175),
            temperature=number("temperature", 0.1),
            beta=number("beta", 0.05),
            threshold=number("threshold", 0.01),
            fusion=choice("fusion", FUSIONS, 125),
        )
    return sheet


def _resize() -> None:
    """Make the tables of what is typed now as large as the widgets ask for."""
    try:
        n, d, m = (check_whole(name, widget(_widget(name)).get(), low=1, high=most) for name, most in SIZES.items())
    except InputError:  # a client that ignores the limits of the widgets
        DRAFT.load(DRAFT.now)
    else:
        DRAFT.load(resized(DRAFT.now, n, d, m))


def _sizes(language: str) -> None:
    """The sizes of the tables, and the way back to the article's."""
    labels = (t("worked.n", language), t("worked.d", language), t("worked.m", language))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, (name, most) in zip(labels, SIZES.items(), strict=True):
            number_field(label, min_value=1, max_value=most, step=1, key=_widget(name), then=_resize, width=WIDE)
        st.button(
            t("worked.reset", language),
            icon=":material/restart_alt:",
            on_click=lambda: DRAFT.load(article_sheet()),
            key="worked_reset",
        )


def _parameters(sheet: Sheet, language: str) -> Sheet:
    """Editors for the scorer's own matrices; at first they leave the vectors as they are."""
    base = DRAFT.base
    d = len(sheet.query)
    same = tuple(map(tuple, np.eye(d).tolist()))
    if sheet.scorer == "bilinear":
        names = numbered("", d)
        return replace(sheet, W=_editor("W", base.W or same, names, t("worked.matrix", language, name="W")))
    if sheet.scorer == "additive":
        v = base.v or (1.0,) * d
        names = numbered("", len(v))
        left, middle, right = st.columns(3)
        with left:
            Wq = _editor("Wq", base.Wq or same, names, t("worked.matrix", language, name="Wq"))
        with middle:
            Wk = _editor("Wk", base.Wk or same, names, t("worked.matrix", language, name="Wk"))
        with right:
            v = _editor("v", [v], ["v"], t("worked.vector", language, name="v"))[0]
        return replace(sheet, Wq=Wq, Wk=Wk, v=v)
    return sheet


def _editor(
    part: str,
    table: Sequence[Sequence[float]],
    rows: Sequence[str],
    label: str,
    columns: Sequence[str] | None = None,
) -> Table:
    return number_table(DRAFT.key(part), table, rows, label, columns)


def _full_address(link: str, language: str) -> str:
    parts = urlsplit(str(st.context.url or ""))
    return f"{parts.scheme}://{parts.netloc}{parts.path}?lang={language}&{DRAFT.param}={quote(link, safe='*~')}"
