"""What stands on the page after each event: the change, the list, weights and profile, what can be said, the log."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app.live import feedback
from xattn.app.live.stage import Stage, Step
from xattn.app.picture.words import own_rating
from xattn.app.ui.figures import figures
from xattn.app.ui.text import spoken
from xattn.app.words import t
from xattn.data import History
from xattn.explain.profile import fused_profile
from xattn.features import feature_set
from xattn.i18n.joined import said, sentences
from xattn.i18n.titles import natural
from xattn.live.changes import reasons
from xattn.requests.answers import Listed
from xattn.viz.charts import FOR, WEIGHT
from xattn.viz.lab import share_chart, signed_chart
from xattn.viz.names import feature_name

__all__ = ["draw", "happened"]

SHOWN = 8  # events and features in the charts
LOGGED = 12  # changes in the log
MOST_NAMED = 3  # titles in a sentence


def draw(own: Stage, playing: bool, language: str) -> None:
    """Draw all of it."""
    history = own.person.shown
    values = own.values
    if own.steps:
        _change(own, own.steps[-1], language)
    else:
        st.info(t("live.nothing_yet", language), icon=":material/hourglass_empty:")
    left, right = st.columns([5, 6], gap="large")
    with left:
        _list(own, values, history, language)
    with right:
        _charts(own, values, history, language)
    if playing:
        st.caption(t("live.pause_first", language))
    else:
        feedback.draw(own, values, history, language)
    _log(own, language)


# --- the newest change ------------------------------------------------------------------------------------------------


def _change(own: Stage, step: Step, language: str) -> None:
    with st.container(border=True, key="live_change"):
        st.markdown(f"**{happened(own, step, language)}**")
        st.markdown(_moves(own, step, language))
        times = {"stored": step.stored_ms, "listed": step.list_ms}
        st.caption(t("live.latency", language, n=len(own.person.history), **times))


def happened(own: Stage, step: Step, language: str) -> str:
    """What came, in words, for Markdown."""
    title = "" if step.item is None else spoken(own.data.items.titles[step.item], 60)
    if step.kind == "event":
        value = "" if step.value is None else own_rating(step.value, own.data.scale)
        if not value:
            return t("live.event", language, title=title)
        return t("live.event_value", language, title=title, value=value)
    return t("live.said", language, what=t(f"live.kind_{step.kind}", language), title=title or "–")


def _moves(own: Stage, step: Step, language: str) -> str:
    """Who came, who left, who moved, as one sentence each."""
    told = []
    for key, found in (("live.entered", step.entered), ("live.left", step.left)):
        if found:
            told.append(t(key, language, names=named(own, found, language)))
    moved = sum(by != 0 for by in step.moved.values())
    if moved:
        told.append(t("live.moved", language, n=moved))
    return sentences(told, language) or t("live.unmoved", language)


def named(own: Stage, found: list[Listed], language: str) -> str:
    """Titles in a sentence, for Markdown."""
    titles = [spoken(own.title(one.item), 50) for one in found[:MOST_NAMED]]
    more = len(found) - len(titles)
    names = t("words.and", language).join(titles)
    return t("live.more", language, names=names, n=more) if more else names


# --- the list ---------------------------------------------------------------------------------------------------------


def _list(own: Stage, values: np.ndarray, history: History, language: str) -> None:
    st.subheader(t("live.list", language))
    newest = own.steps[-1] if own.steps else None
    came = {one.item for one in newest.entered} if newest else set()
    moved = newest.moved if newest else {}
    for one, at in zip(own.served.items, reasons(values, history), strict=True):
        mark = ""
        if one.item in came:
            mark = f" :green-badge[{t('live.new', language)}]"
        elif moved.get(one.item, 0):
            by = moved[one.item]
            mark = f" :gray-badge[{'▲' if by > 0 else '▼'} {abs(by)}]"
        because = "" if at is None else t("live.because", language, title=spoken(own.data.items.titles[at], 50))
        line = f"{one.rank} · **{spoken(own.title(one.item), 60)}**{mark}"
        st.markdown(f"{line}  \n:small[{because or t('live.base', language)}]")


# --- weights and profile ----------------------------------------------------------------------------------------------


def _charts(own: Stage, values: np.ndarray, history: History, language: str) -> None:
    st.subheader(t("live.weights", language))
    live = np.flatnonzero(history.live)
    if not len(live) or not len(values):
        st.caption(t("live.no_events", language))
        return
    model = own.live.serving.model
    target = own.data.item_row(own.served.items[0].item)
    weight = np.zeros(len(history))
    for head in model.cells_of(history, target):
        weight += head.weight
    frame = _weights(own, history, weight, values, language)
    st.caption(t("live.weights_say", language))
    columns = {"group": t("live.column_event", language), "series": t("live.column_what", language)}
    figures(
        share_chart(frame, t("live.share", language), language, colours=(WEIGHT, FOR)),
        frame.rename(columns={**columns, "value": t("live.share", language)}),
        key="live_weights",
    )
    features = feature_set(own.data.items)
    if features.names and weight.sum() > 0:
        st.subheader(t("live.profile", language))
        profile = fused_profile(history, weight / weight.sum(), features, model.scale_).total
        largest = profile.abs().sort_values(ascending=False, kind="stable").index[:SHOWN]
        shown = profile[largest].sort_values(ascending=False, kind="stable")
        names = [feature_name(name, language) for name in shown.index]
        table = pd.DataFrame({"name": names, "value": shown.to_numpy()})
        amount = t("live.amount", language)
        figures(
            signed_chart(table, amount, language, share=True),
            table.rename(columns={"name": t("live.feature", language), "value": amount}),
            key="live_profile",
            config={amount: st.column_config.NumberColumn(format="percent")},
        )


def _weights(own: Stage, history: History, weight: np.ndarray, values: np.ndarray, language: str) -> pd.DataFrame:
    """The newest items of the history, and their shares of attention and of what the list is made of."""
    given = np.abs(values).sum(axis=0)
    met = list(dict.fromkeys(history.item[np.flatnonzero(history.live)][::-1].tolist()))
    rows: list[dict[str, Any]] = []
    used: dict[str, int] = {}
    for item in met[:SHOWN]:
        title = natural(own.data.items.titles[item])[:60]
        used[title] = used.get(title, 0) + 1
        name = title if used[title] == 1 else f"{title} · {own.data.items.ids[item]}"
        at = history.item == item
        for series, amounts in (("live.attention", weight), ("live.reasons", given)):
            share = float(amounts[at].sum() / amounts.sum()) if amounts.sum() > 0 else 0.0
            rows.append({"group": name, "series": t(series, language), "value": share})
    return pd.DataFrame(rows)


# --- the log ----------------------------------------------------------------------------------------------------------


def _log(own: Stage, language: str) -> None:
    if not own.steps:
        return
    st.subheader(t("live.log", language))
    rows = [
        {
            t("live.column_event", language): _plain(own, step, language),
            t("live.column_entered", language): " · ".join(own.title(one.item) for one in step.entered[:MOST_NAMED]),
            t("live.column_left", language): " · ".join(own.title(one.item) for one in step.left[:MOST_NAMED]),
            t("live.column_moved", language): sum(by != 0 for by in step.moved.values()),
            t("live.column_ms", language): round(step.stored_ms + step.list_ms, 1),
        }
        for step in reversed(own.steps[-LOGGED:])
    ]
    sizes = {"event": 150, "entered": 225, "left": 225, "moved": 60, "ms": 60}
    widths = {t(f"live.column_{name}", language): st.column_config.Column(width=size) for name, size in sizes.items()}
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=widths, alt=t("live.log", language))


def _plain(own: Stage, step: Step, language: str) -> str:
    """What came, as plain text."""
    title = "" if step.item is None else natural(own.data.items.titles[step.item])[:60]
    if step.kind == "event" or not title:
        return title or t(f"live.kind_{step.kind}", language)
    return said(t(f"live.kind_{step.kind}", language), title, language)
