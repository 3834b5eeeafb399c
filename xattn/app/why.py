"""One open explanation: the sentence, the sum, what each event does, what would drop the item, and files to take away.

Numbers that are announced come from the ledger before an event is left out; numbers that are re-scored come from the
model after it. The page shows the two beside each other.
"""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app import link
from xattn.app.asked import Asked, ledger
from xattn.app.exports import csv_bytes, file_name
from xattn.app.shell import figures, lang, safe
from xattn.explain import Ledger
from xattn.explain.words import SHORT_HISTORY, weight_and_effect_disagree
from xattn.i18n import t
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender
from xattn.viz.charts import heat_chart, heat_width, waterfall_chart, weight_chart
from xattn.viz.frames import heat_frame, waterfall_frame, weight_frame

__all__ = ["FEW_EVENTS", "now", "show"]

FEW_EVENTS = 8  # events with a tick box at first
MORE_EVENTS = 25
SAME = 1e-9  # of the score: what two ways through floating point may differ by


def now(fitted: Recommender, asked: Asked, item: str) -> Ledger:
    """The ledger of an item with the session's events left out."""
    return ledger(fitted, asked.leaving_out(st.session_state["rec_without"]), item)


def show(fitted: Recommender, asked: Asked, item: str, shared: link.Link) -> None:
    """Draw the explanation of `item`; `asked` leaves nothing out, the session says what is."""
    language = lang()
    why = now(fitted, asked, item)
    with st.spinner(t("why.working", language)):
        events = why.events()
        text = why.text(language)
    st.markdown(safe(text, 5000))
    _badges(why, events, language)
    _check(fitted, asked, item, why, language)
    left, right = st.columns([8, 5], gap="medium")
    with left:
        st.markdown(f"##### {t('why.sum', language)}")
        frame = waterfall_frame(events, why.base, why.score, language)
        figures(waterfall_chart(frame, language), _table_of(frame, language))
    with right:
        st.markdown(f"##### {t('why.untick', language)}")
        _tick_boxes(fitted, asked, item, why, language)
    _drop(why, language)
    _details(why, events, language)
    _take_away(why, events, shared, language)


# --- honesty ----------------------------------------------------------------------------------------------------------


def _badges(why: Ledger, events: pd.DataFrame, language: str) -> None:
    said = []
    if why.base > why.score - why.base:
        said.append(("why.popularity", ":material/trending_up:", "orange"))
    if len(events) < SHORT_HISTORY:
        said.append(("why.short", ":material/hourglass_empty:", "orange"))
    if weight_and_effect_disagree(events):
        said.append(("why.disagree", ":material/compare_arrows:", "violet"))
    if said:
        with st.container(horizontal=True):
            for key, icon, colour in said:
                st.badge(t(key, language), icon=icon, color=colour)  # type: ignore[arg-type]


def _check(fitted: Recommender, asked: Asked, item: str, why: Ledger, language: str) -> None:
    """What was announced before the newest event was left out, beside what the model says now."""
    without = st.session_state["rec_without"]
    if not without:
        return
    *earlier, last = without
    before = ledger(fitted, asked.leaving_out(earlier), item)
    table = before.events()
    row = table[table["position"] == last].iloc[0].to_dict()
    rank = None if before.rank is None else int(row["rank_without"])
    announced, scored = float(row["score_without"]), why.score
    same = rank == why.rank and abs(announced - scored) <= SAME * max(1.0, abs(scored))
    frame = pd.DataFrame(
        {
            "": [t("why.before", language), t("why.announced", language), t("why.rescored", language)],
            t("chart.score", language): [figure(x) for x in (before.score, announced, scored)],
            t("why.rank", language): [_rank(r) for r in (before.rank, rank, why.rank)],
        }
    )
    with st.container(border=True, key="rec_check"):
        st.markdown(t("why.without", language, title=safe(row["title"], 80)))
        st.table(frame, border="horizontal", hide_index=True)
        if same:
            st.markdown(f":green-badge[:material/check: {t('why.equal', language)}]")
        else:
            st.error(t("why.unequal", language))


def _rank(rank: int | None) -> str:
    return "–" if rank is None else str(rank)


# --- what if ----------------------------------------------------------------------------------------------------------


def _tick_boxes(fitted: Recommender, asked: Asked, item: str, why: Ledger, language: str) -> None:
    """A box for each of the events that matter most in the full history; its order stays while boxes change."""
    session = st.session_state
    full = ledger(fitted, asked, item).events()
    order = np.argsort(-full["contribution"].abs().to_numpy(), kind="stable")
    live = {int(row["position"]): row for row in why.events().to_dict(orient="records")}
    shown = full.iloc[order[: session["rec_events"]]]
    st.caption(t("why.untick_help", language))
    for position, title in zip(shown["position"], shown["title"], strict=True):
        position = int(position)
        key = f"rec_keep_{position}"
        session[key] = position not in session["rec_without"]
        if position in live:
            row = live[position]
            facts = {"score": figure(row["score_without"]), "rank": _rank(int(row["rank_without"]) or None)}
            says = t("why.then" if why.rank is not None else "why.then_score", language, **facts)
        else:
            says = t("why.is_out", language)
        st.checkbox(
            f"{safe(title, 60)}  \n:small[:gray[{says}]]", key=key, on_change=_tick, args=(position,), wrap=True
        )
    if len(full) > len(shown):
        st.button(
            t("why.more", language, n=min(MORE_EVENTS, len(full) - len(shown))),
            key="rec_more",
            type="tertiary",
            icon=":material/expand_more:",
            on_click=lambda: session.update(rec_events=session["rec_events"] + MORE_EVENTS),
        )


def _tick(position: int) -> None:
    without = [p for p in st.session_state["rec_without"] if p != position]
    if not st.session_state[f"rec_keep_{position}"]:
        without.append(position)
    st.session_state["rec_without"] = without


def _drop(why: Ledger, language: str) -> None:
    """The counterfactual, with a button that applies it."""
    found = why.counterfactual()
    if not found.found:
        return
    names = [why.title_of(item) for item in found.remove]
    listed = t("words.and", language).join(
        t("words.plain", language, title=safe(name, 80)) for name in dict.fromkeys(names)
    )
    facts = {"k": found.k, "names": listed, "rank": _rank(found.rank_after)}
    if found.replaced_by is None:
        says = t("why.drop_alone", language, **facts)
    else:
        says = t("why.drop", language, **facts, replacement=safe(why.title_of(found.replaced_by), 80))
    if len(found.positions) > 1:  # of one event nobody asks whether fewer would do
        exact = t("words.smallest" if found.exact else "words.not_smallest", language)
        says = f"{says} :gray[{exact}]"
    with st.container(border=True, key="rec_drop"):
        st.markdown(f"**{t('why.drop_title', language)}**  \n{says}")
        st.button(
            t("why.apply", language),
            key="rec_apply",
            icon=":material/playlist_remove:",
            on_click=_apply,
            args=(found.positions,),
        )


def _apply(positions: tuple[int, ...]) -> None:
    without = st.session_state["rec_without"]
    st.session_state["rec_without"] = [*without, *(p for p in positions if p not in without)]


# --- details ----------------------------------------------------------------------------------------------------------


def _table_of(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """The text twin of a chart: what each row is, and its amount as printed."""
    columns = {"title": "chart.event", "column": "chart.column", "text": "chart.amount"}
    kept = frame[[name for name in columns if name in frame]]
    return kept.rename(columns={name: t(key, language) for name, key in columns.items()})


def _details(why: Ledger, events: pd.DataFrame, language: str) -> None:
    heat, table, weight = st.tabs([t("why.heat", language), t("why.compare", language), t("why.weights", language)])
    with heat:
        if why.cells.empty:
            st.info(t("why.no_cells", language))
        else:
            frame = heat_frame(why.cells, events, language)
            st.caption(t("why.heat_help", language))
            figures(heat_chart(frame, language), _table_of(frame, language), width=heat_width(frame))
    with table:
        _compare(events, why, language)
    with weight:
        frame = weight_frame(events)
        st.caption(t("meaning.weight", language))
        figures(weight_chart(frame, language), _table_of(frame, language))


def comparison(events: pd.DataFrame, ranked: bool, language: str) -> pd.DataFrame:
    """Weight, contribution and removal effect side by side, one row per event, with what stands out about it."""
    notes = [""] * len(events)
    apart = weight_and_effect_disagree(events)
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
    apart = weight_and_effect_disagree(events)
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
            t("term.weight", language): st.column_config.NumberColumn(format="percent"),
            t("term.contribution", language): signed,
            t("term.removal_effect", language): signed,
            t("why.score_without", language): st.column_config.NumberColumn(format="%.4g"),
        },
    )


def _take_away(why: Ledger, events: pd.DataFrame, shared: link.Link, language: str) -> None:
    whose = link.YOU if why.user is None else f"user-{why.user}"
    address = f"{st.context.url or ''}?{urlencode({**link.write(shared), 'lang': language})}"
    with st.container(horizontal=True):
        st.download_button(
            t("why.json", language),
            lambda: why.to_json(indent=1),
            file_name=file_name("why", whose, why.item, suffix="json"),
            mime="application/json",
            key="rec_json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            t("why.csv", language),
            lambda: csv_bytes(comparison(events, why.rank is not None, language)),
            file_name=file_name("why", whose, why.item, suffix="csv"),
            mime="text/csv",
            key="rec_csv",
            icon=":material/download:",
            on_click="ignore",
        )
        with st.popover(t("why.link", language), icon=":material/link:"):
            st.caption(t("why.link_help", language))
            st.code(address, language=None, wrap_lines=True)
