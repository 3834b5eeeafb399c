"""What stands behind the tabs of an open explanation: cells, the comparison of measures, heads, another item."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn.app.recommend import changes
from xattn.app.recommend.answers import ledger
from xattn.app.recommend.heads import head_names, shares
from xattn.app.recommend.present import change
from xattn.app.recommend.view import TABS, View
from xattn.app.ui.figures import figures
from xattn.app.ui.session import SPEAKS, TAB, VERSUS
from xattn.app.ui.text import plain, safe
from xattn.app.words import t
from xattn.explain import Ledger
from xattn.explain.honesty import disagreement
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender
from xattn.viz.charts import heat_chart, heat_width, waterfall_chart, weight_chart
from xattn.viz.frames import heat_frame, waterfall_frame, weight_frame
from xattn.viz.lab import signed_chart
from xattn.viz.names import head_name

__all__ = ["comparison", "show", "table_of"]

EVENT_WIDTH = 200  # pixels: more pushes the last columns out of sight


def show(fitted: Recommender, view: View, why: Ledger, events: pd.DataFrame, others: list[str], language: str) -> None:
    """The tabs; only the one that is open is worked out."""
    labels = {name: t(key, language) for name, key in TABS.items()}
    if TAB.get() != labels[view.tab]:
        TAB.set(labels[view.tab])
    for name, tab in zip(labels, st.tabs(list(labels.values()), key=TAB.name, on_change="rerun"), strict=True):
        if not tab.open:
            continue
        with tab:
            if name == "heat":
                _heat(why, events, language)
            elif name == "compare":
                _compare(events, why, language)
            elif name == "weights":
                frame = weight_frame(events)
                st.caption(t("meaning.weight", language))
                figures(weight_chart(frame, language), table_of(frame, language), key="rec_weights")
            elif name == "heads":
                _heads(fitted, view, why, language)
            else:
                _versus(fitted, view, why, others, language)


def table_of(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """The text twin of a chart: what each row is, and its amount as printed."""
    columns = {"title": "chart.event", "column": "chart.column", "text": "chart.amount"}
    kept = frame[[name for name in columns if name in frame]]
    return kept.rename(columns={name: t(key, language) for name, key in columns.items()})


def _heat(why: Ledger, events: pd.DataFrame, language: str) -> None:
    if why.cells.empty:
        st.info(t("why.no_cells", language))
        return
    frame = heat_frame(why.cells, events, language)
    st.caption(t("why.heat_help", language))
    figures(heat_chart(frame, language), table_of(frame, language), key="rec_heat", width=heat_width(frame))


# --- weight, contribution, effect -------------------------------------------------------------------------------------


def _apart(events: pd.DataFrame) -> tuple[int, int] | None:
    return disagreement(events["weight"].to_numpy(), events["effect"].to_numpy())


def comparison(events: pd.DataFrame, ranked: bool, language: str) -> pd.DataFrame:
    """Weight, contribution and removal effect side by side, one row per event, with what stands out about it."""
    notes = [""] * len(events)
    apart = _apart(events)
    if apart:
        notes[apart[0]], notes[apart[1]] = t("why.most_looked", language), t("why.most_moving", language)
    frame = pd.DataFrame(
        {
            t("chart.event", language): [str(title)[:200] for title in events["title"]],
            t("term.weight", language): events["weight"],
            t("term.contribution", language): events["contribution"],
            t("term.removal_effect", language): events["effect"],
            t("why.score_without", language): events["score_without"],
        }
    )
    if ranked:
        frame[t("why.rank_without", language)] = events["rank_without"]
    if events["rating"].notna().any():
        frame[t("recommendations.rating", language)] = events["rating"]
    if apart:
        frame.insert(1, t("why.note", language), notes)
    return frame


def _compare(events: pd.DataFrame, why: Ledger, language: str) -> None:
    st.caption(t("why.compare_help", language))
    apart = _apart(events)
    if apart:
        looked, moving = (events.iloc[row].to_dict() for row in apart)
        share, effect = f"{looked['weight']:.1%}", figure(moving["effect"], sign=True)
        most = f":violet-badge[{t('why.most_looked', language)}] {safe(looked['title'], 60)} ({share})"
        st.markdown(f"{most}  \n:violet-badge[{t('why.most_moving', language)}] {safe(moving['title'], 60)} ({effect})")
    frame = comparison(events, why.rank is not None, language)
    signed = st.column_config.NumberColumn(format="%+.4g")
    st.dataframe(
        frame,
        hide_index=True,
        alt=t("why.compare", language),
        key="rec_table",
        column_config={
            t("chart.event", language): st.column_config.TextColumn(width=EVENT_WIDTH),
            t("term.weight", language): st.column_config.NumberColumn(format="percent"),
            t("term.contribution", language): signed,
            t("term.removal_effect", language): signed,
            t("why.score_without", language): st.column_config.NumberColumn(format="%.4g"),
        },
    )


# --- heads ------------------------------------------------------------------------------------------------------------


def _heads(fitted: Recommender, view: View, why: Ledger, language: str) -> None:
    """What share of the score each head has, with a switch that mutes it for the whole list."""
    own = shares(why)
    st.caption(t("why.heads_help", language))
    if len(own):
        names = [head_name(name, language) for name in own["head"]]
        frame = pd.DataFrame({"name": names, "value": own["contribution"]})
        table = pd.DataFrame(
            {
                t("term.head", language): names,
                t("term.contribution", language): own["contribution"],
                t("lab.column_share", language): [f"{share:.1%}" for share in own["share"]],
            }
        )
        figures(signed_chart(frame, t("term.contribution", language), language), table, key="rec_heads")
    able = head_names(fitted)
    if not able:
        st.caption(t("why.one_head", language))
        return
    st.markdown(f"**{t('why.mute', language)}**")
    with st.container(horizontal=True):
        for name in able:
            speaks = SPEAKS.of(name)
            speaks.set(name not in view.muted)
            st.toggle(safe(head_name(name, language)), key=speaks.name, on_change=changes.mute, args=(name,))


# --- another item -----------------------------------------------------------------------------------------------------


def _versus(fitted: Recommender, view: View, why: Ledger, others: list[str], language: str) -> None:
    """Why this item stands above (or below) another one of the list, event by event."""
    choices = [item for item in others if item != why.item]
    if not choices:
        st.caption(t("recommendations.nothing", language))
        return
    titles = {item: plain(why.title_of(item), 80) for item in choices}
    other = view.versus if view.versus in choices else choices[0]
    if VERSUS.get() != other:
        VERSUS.set(other)
    st.selectbox(
        t("why.versus_which", language),
        choices,
        format_func=titles.__getitem__,
        key=VERSUS.name,
        on_change=lambda: change(versus=None if VERSUS.get() == choices[0] else VERSUS.get()),
    )
    apart = why - ledger(fitted, view, other)
    st.markdown(safe(apart.text(language), 2000))
    rows = apart.events()
    events = rows[rows["event"] != ""].rename(columns={"difference": "contribution"})
    base = float(rows.loc[rows["event"] == "", "difference"].sum())
    frame = waterfall_frame(events, base, apart.total, language, amounts_are=why.amounts)
    difference = t("why.difference", language)
    frame.loc[frame.index[-1], ["label", "title"]] = difference
    st.caption(t("why.versus_help", language))
    figures(waterfall_chart(frame, language), table_of(frame, language), key="rec_versus_chart", alt=difference)
