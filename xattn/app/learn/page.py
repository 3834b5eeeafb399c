"""The worked example as a page: the article's numbers to start with, every step again for any numbers that are typed.

What the address asks for → a Sheet from the editors and widgets → the four steps, one at a time (keys ← →) or all at
once → where the article's numbers part from the exact ones. All mathematics is `xattn.attend` and
`xattn.worked_example`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urlsplit

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from xattn import worked_example
from xattn.app.learn import article, person_choice, swap, tour
from xattn.app.learn.edits import told
from xattn.app.learn.sheet import MOST_COLUMNS, MOST_ROWS, Sheet, decode, encode, is_whole
from xattn.app.learn.snippet import of_sheet
from xattn.app.learn.steps import STEPS, draw, item_names, results
from xattn.app.ui import address, snippet, undo
from xattn.app.ui.editors import Table, number_table, numbered
from xattn.app.ui.fields import number_field
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import refusals
from xattn.errors import InputError, check_whole
from xattn.i18n import t
from xattn.tensor.attend import FUSIONS, SCORERS

__all__ = ["render"]

PARAM = "vectors"  # of the address
BASE, NOW, VERSION, PAST = "worked.base", "worked.now", "worked.version", "worked"
SETTINGS = ("scorer", "temperature", "beta", "threshold", "fusion")
SIZES = ("n", "d", "m")
WIDE = 150  # pixels of a number field: less hides its number, its cross, its plus and minus
STEP = "step"  # of the address
ROOM = "<style>.katex-display { padding: 3px }</style>"  # else a formula hangs over by 2 pixels, and can be scrolled


def render() -> None:
    """Draw the page."""
    language = lang()
    st.html(ROOM)
    st.title(t("worked.title", language))
    st.markdown(t("worked.intro", language))
    tasks = st.container()
    _open(language)
    step = _step(language)
    live, lesson = st.container(border=True), st.container()
    st.subheader(t("worked.numbers", language))
    with st.container(border=True):
        sheet = _inputs(live, language)
    _publish(sheet)
    tour.note(sheet, step)
    with tasks:
        tour.show(language)
    with lesson:
        _lesson(sheet, step, language)
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
                _load,
                language,
                key="worked",
            )


# --- state ------------------------------------------------------------------------------------------------------------


def article_sheet() -> Sheet:
    """The article's numbers."""
    example = worked_example()
    return Sheet(example.query, example.keys, example.items)


def _open(language: str) -> None:
    """Take over what the address brings; else go on with what was typed; else begin with the article's numbers."""
    link = address.arrived(PARAM)
    if link:
        try:
            _load(decode(link, aligned=True))
        except InputError:
            st.warning(t("worked.bad_link", language), icon=":material/link_off:")
            _load(article_sheet())
    elif link == "":
        _load(article_sheet())
    elif address.is_new_here(PARAM):
        _load(st.session_state.get(NOW) or article_sheet())


def _load(sheet: Sheet) -> None:
    """Make `sheet` what the editors and widgets start from; a new version makes them forget earlier edits."""
    st.session_state[BASE] = st.session_state[NOW] = sheet
    st.session_state[VERSION] = st.session_state.get(VERSION, 0) + 1
    for name in SETTINGS:
        st.session_state[f"worked_{name}"] = getattr(sheet, name)
    for name, size in zip(SIZES, (len(sheet.keys), len(sheet.query), len(sheet.items[0])), strict=True):
        st.session_state[f"worked_{name}"] = size


def _link(sheet: Sheet) -> str | None:
    """The link of a sheet; None where no link can carry it (an empty cell, too long)."""
    if not is_whole(sheet):
        return None
    link = encode(sheet)
    try:
        decode(link, aligned=True)
    except InputError:
        return None
    return link


def _publish(sheet: Sheet) -> None:
    """Put the sheet into the address; one that no link can carry leaves the last one there."""
    version = st.session_state[VERSION]
    editors = [f"worked_{part}_{version}" for part in ("query", "keys", "items")]
    widgets = [*(f"worked_{name}" for name in (*SETTINGS, *SIZES)), *editors]
    link = _link(sheet)
    if link is None:
        address.stay(PARAM, widgets)
    else:
        address.show(PARAM, None if sheet == article_sheet() else link, widgets)


def _resize() -> None:
    """Grow (with zeros) or cut the tables of what is typed now, to the sizes that the widgets ask for."""
    limits = {"n": MOST_ROWS, "d": MOST_COLUMNS, "m": MOST_COLUMNS}
    try:
        n, d, m = (check_whole(name, st.session_state[f"worked_{name}"], low=1, high=limits[name]) for name in SIZES)
    except InputError:  # a client that ignores the limits of the widgets
        _load(st.session_state[NOW])
        return
    now: Sheet = st.session_state[NOW]
    _load(
        replace(
            now,
            features=_names(now.features, d),
            events=_names(now.events, n),
            titles=_names(now.titles, n),
            query=_fitted([now.query], 1, d)[0],
            keys=_fitted(now.keys, n, d),
            items=_fitted(now.items, n, m),
            W=_fitted(now.W, d, d) if now.W else (),
            Wq=_fitted(now.Wq, len(now.v), d) if now.v else (),
            Wk=_fitted(now.Wk, len(now.v), d) if now.v else (),
        )
    )


def _names(names: Sequence[str], n: int) -> tuple[str, ...]:
    """Names cut, or grown with dashes, to n; none where there are none."""
    return tuple([*names, *"–" * n][:n]) if names else ()


def _fitted(table: Sequence[Sequence[float]], n: int, d: int) -> tuple[tuple[float, ...], ...]:
    """`table` cut, or grown with zeros, to n × d."""
    rows = [[*row[:d], *[0.0] * (d - len(row))] for row in table[:n]]
    rows += [[0.0] * d for _ in range(n - len(rows))]
    return tuple(map(tuple, rows))


# --- inputs -----------------------------------------------------------------------------------------------------------


def _inputs(live: DeltaGenerator, language: str) -> Sheet:
    base: Sheet = st.session_state[BASE]
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
    st.session_state[NOW] = sheet
    undo.note(PAST, sheet)
    with live, st.container(horizontal=True, vertical_alignment="center"):
        person_choice.control(_load, language)
        undo.bar(PAST, _load, told, language)
        with st.popover(t("worked.link", language), icon=":material/link:"):
            link = _link(sheet)
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
            key=f"worked_{name}",
            help=_meanings(options, language),
            width=width,
        )
        return chosen

    def number(name: str, step: float) -> float:
        typed: float | None = number_field(
            named(name),
            step=step,
            format="%.2f",
            key=f"worked_{name}",
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


def _sizes(language: str) -> None:
    """The sizes of the tables, and the way back to the article's."""
    sizes = {
        "n": (t("worked.n", language), MOST_ROWS),
        "d": (t("worked.d", language), MOST_COLUMNS),
        "m": (t("worked.m", language), MOST_COLUMNS),
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, (label, most) in sizes.items():
            number_field(label, min_value=1, max_value=most, step=1, key=f"worked_{name}", then=_resize, width=WIDE)
        st.button(
            t("worked.reset", language),
            icon=":material/restart_alt:",
            on_click=lambda: _load(article_sheet()),
            key="worked_reset",
        )


def _parameters(sheet: Sheet, language: str) -> Sheet:
    """Editors for the scorer's own matrices; at first they leave the vectors as they are."""
    base: Sheet = st.session_state[BASE]
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
    return number_table(f"worked_{part}_{st.session_state[VERSION]}", table, rows, label, columns)


def _meanings(names: Sequence[str], language: str) -> str:
    return "\n".join(f"- **{t(f'term.{name}', language)}**: {t(f'meaning.{name}', language)}" for name in names)


def _full_address(link: str, language: str) -> str:
    parts = urlsplit(str(st.context.url or ""))
    return f"{parts.scheme}://{parts.netloc}{parts.path}?lang={language}&{PARAM}={quote(link, safe='*~')}"


# --- one step or all --------------------------------------------------------------------------------------------------


def _step(language: str) -> str:
    """The step to show: the choice, kept in the address too; back and next beside it, with keys of their own."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        step = address.choose(
            STEP,
            STEPS,
            key="worked_step",
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
    st.session_state["worked_step"] = step
