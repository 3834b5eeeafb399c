"""What stands behind the tabs of an open explanation: cells, the comparison of measures, heads, another item."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn.app.picture.words import is_quiet
from xattn.app.recommend import changes
from xattn.app.recommend.answers import ledger
from xattn.app.recommend.heads import head_names, shares
from xattn.app.recommend.present import change
from xattn.app.recommend.reasons import MOST_ODD, odd_ones
from xattn.app.recommend.units import Units, rank_words
from xattn.app.recommend.view import View
from xattn.app.ui.figures import figures
from xattn.app.ui.session import SPEAKS, VERSUS
from xattn.app.ui.text import plain, safe, spoken
from xattn.app.words import t
from xattn.explain import Ledger
from xattn.explain.compare.difference import Difference
from xattn.explain.honesty import disagreement
from xattn.explain.question import TERMS
from xattn.explain.tell.words import quotable, spaced
from xattn.i18n.joined import sentences
from xattn.i18n.numbers import percent
from xattn.i18n.titles import natural
from xattn.recommenders import Recommender
from xattn.viz.charts import heat_chart, heat_width, waterfall_chart, weight_chart
from xattn.viz.frames import heat_frame, waterfall_frame, weight_frame
from xattn.viz.lab import signed_chart
from xattn.viz.names import head_name

__all__ = ["comparison", "difference_words", "human", "show", "table_of"]

EVENT_WIDTH = 150  # pixels: more pushes the last columns out of sight
MOST_NAMES = 3
PERCENT = st.column_config.NumberColumn(format="percent")


def show(
    name: str, fitted: Recommender, view: View, why: Ledger, units: Units, others: list[str], language: str
) -> None:
    """The tab called `name`."""
    events = why.events()
    if name == "sum":
        _sum(events, why, units, language)
    elif name == "heat":
        _heat(why, events, units, language)
    elif name == "compare":
        _compare(events, why, units, language)
    elif name == "heads":
        _heads(fitted, view, why, units, language)
    else:
        _versus(fitted, view, why, units, others, language)


def _with_unit(key: str, units: Units, language: str) -> str:
    """What a chart shows, and what its per cents are of."""
    return sentences([t(key, language), *([] if units.per is None else [t("shares.are_of", language)])], language)


def _sum(events: pd.DataFrame, why: Ledger, units: Units, language: str) -> None:
    """The waterfall from nothing to the score."""
    st.caption(_with_unit("why.sum_help", units, language))
    frame = waterfall_frame(events, why.base, why.score, language, amounts_are=why.amounts, per=units.per)
    figures(
        waterfall_chart(frame, language, share=units.per is not None), table_of(frame, language), key="rec_waterfall"
    )


def table_of(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """The text twin of a chart: what each row is, and its amount as printed."""
    columns = {"title": "chart.event", "column": "chart.column", "text": "chart.amount"}
    kept = frame[[name for name in columns if name in frame]]
    return kept.rename(columns={name: t(key, language) for name, key in columns.items()})


def _heat(why: Ledger, events: pd.DataFrame, units: Units, language: str) -> None:
    if why.cells.empty:
        st.info(t("why.no_cells", language))
        return
    frame = heat_frame(why.cells, events, language, per=units.per)
    st.caption(_with_unit("why.heat_help", units, language))
    figures(
        heat_chart(frame, language, share=units.per is not None),
        table_of(frame, language),
        key="rec_heat",
        width=heat_width(frame),
    )


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
            t("chart.event", language): [natural(str(title))[:200] for title in events["title"]],
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


def human(events: pd.DataFrame, ranked: bool, units: Units, language: str) -> pd.DataFrame:
    """The same in shares and places: weight, share of what speaks for the item, place without it, own rating."""
    exact = comparison(events, ranked, language)
    kept = [t("chart.event", language), t("why.note", language), t("term.weight", language)]
    frame = exact[[name for name in kept if name in exact]].copy()
    frame[t("term.contribution", language)] = events["contribution"] / units.size
    frame[t("term.removal_effect", language)] = events["effect"] / units.size
    later = (t("why.rank_without", language), t("recommendations.rating", language))
    return frame.join(exact[[name for name in later if name in exact]])


def _compare(events: pd.DataFrame, why: Ledger, units: Units, language: str) -> None:
    st.caption(_with_unit("why.compare_help", units, language))
    apart = _apart(events)
    if apart:
        looked, moving = (events.iloc[row].to_dict() for row in apart)
        weight, effect = percent(float(looked["weight"])), units.told(float(moving["effect"]))
        most = f":violet-badge[{t('why.most_looked', language)}] {spoken(looked['title'], 60)} ({weight})"
        st.markdown(
            f"{most}  \n:violet-badge[{t('why.most_moving', language)}] {spoken(moving['title'], 60)} ({effect})"
        )
    ranked = why.rank is not None
    exact = units.per is None
    frame = comparison(events, ranked, language) if exact else human(events, ranked, units, language)
    signed = st.column_config.NumberColumn(format="%+.4g" if exact else "percent")
    st.dataframe(
        frame,
        hide_index=True,
        height=250,
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
    for line in odd_ones(why, events["position"].tolist(), language)[:MOST_ODD]:
        st.caption(line)
    weights = weight_frame(events)
    st.caption(t("meaning.weight", language))
    figures(weight_chart(weights, language), table_of(weights, language), key="rec_weights")


# --- heads ------------------------------------------------------------------------------------------------------------


def _heads(fitted: Recommender, view: View, why: Ledger, units: Units, language: str) -> None:
    """How much attention each head gets and what it contributes, with a switch that mutes it for the whole list."""
    own = shares(why)
    st.caption(_with_unit("why.heads_help", units, language))
    if len(own):
        names = [head_name(name, language) for name in own["head"]]
        amounts = own["contribution"] / (units.per or 1.0)
        table = pd.DataFrame({t("term.head", language): names, t("term.contribution", language): amounts})
        columns = {} if units.per is None else {t("term.contribution", language): PERCENT}
        if why.amounts == TERMS:  # others pay no attention
            table[t("shares.attention", language)] = [percent(weight) for weight in own["attention"]]
        table[t("lab.column_share", language)] = [percent(share) for share in own["share"]]
        frame = pd.DataFrame({"name": names, "value": amounts})
        chart = signed_chart(frame, t("term.contribution", language), language, share=units.per is not None)
        figures(chart, table, key="rec_heads", config=columns)
        for name, weight, share in zip(names, own["attention"], own["share"], strict=True):
            if why.amounts == TERMS and is_quiet(weight, share):
                facts = {"name": safe(name), "weight": percent(weight), "share": percent(share)}
                st.markdown(f":material/visibility: {t('shares.quiet', language, **facts)}")
    able = head_names(fitted)
    if not able:
        st.caption(t("why.one_head", language))
        return
    st.markdown(f"**{t('why.mute', language)}**")
    with st.container(horizontal=True):
        for name in able:
            speaks = SPEAKS.of(name)
            speaks.set(name not in view.muted)
            st.toggle(safe(head_name(name, language)), key=speaks.name, on_change=_mute, args=(name, why.item))


def _mute(head: str, item: str) -> None:
    """The item stays the one that is explained."""
    changes.mute(head)
    change(item=item)


# --- another item -----------------------------------------------------------------------------------------------------


def _versus(fitted: Recommender, view: View, why: Ledger, units: Units, others: list[str], language: str) -> None:
    """Why this item stands above (or below) another one of the list, event by event."""
    choices = [item for item in others if item != why.item]
    if not choices:
        st.caption(t("recommendations.nothing", language))
        return
    titles = {item: plain(natural(why.title_of(item)), 80) for item in choices}
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
    rows = apart.events()
    words = apart.text(language) if units.per is None else difference_words(apart, rows, units, language)
    st.markdown(safe(words, 2000))
    events = rows[rows["event"] != ""].rename(columns={"difference": "contribution"})
    base = float(rows.loc[rows["event"] == "", "difference"].sum())
    frame = waterfall_frame(events, base, apart.total, language, amounts_are=why.amounts, per=units.per)
    difference = t("why.difference", language)
    frame.loc[frame.index[-1], ["label", "title"]] = difference
    st.caption(_with_unit("why.versus_help", units, language))
    chart = waterfall_chart(frame, language, share=units.per is not None)
    figures(chart, table_of(frame, language), key="rec_versus_chart", alt=difference)


def difference_words(apart: Difference, rows: pd.DataFrame, units: Units, language: str) -> str:
    """Two items side by side in places and shares: shares are of all that speaks for the first one."""
    places = {
        "a": quotable(apart.a.title, language),
        "b": quotable(apart.b.title, language),
        "place_a": rank_words(apart.a.rank, language),
        "place_b": rank_words(apart.b.rank, language),
    }
    said_of = [t("shares.side_by_side", language, **places)]
    moved = rows[rows["event"] != ""]
    sides = (("words.gap_more", moved[moved["difference"] > 0]), ("words.gap_less", moved[moved["difference"] < 0]))
    for key, part in sides:
        part = part.head(MOST_NAMES)
        names = [
            t("words.named", language, title=quotable(title, language), amount=percent(amount / units.size))
            for title, amount in zip(part["title"], part["difference"], strict=True)
        ]
        if names:
            said_of.append(t(key, language, names=t("words.and", language).join(names)))
    return spaced(said_of, language)
