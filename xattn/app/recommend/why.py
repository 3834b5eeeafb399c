"""One open explanation: in words, the sum, what each event does, what would drop the item or bring it in.

Numbers that are announced come from the ledger before an event is left out; numbers that are re-scored come from the
model after it. The page shows the two beside each other. `why_details` draws what is behind the tabs, `why_files` what
can be taken away.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.recommend import why_details, why_files
from xattn.app.recommend.answers import ledger
from xattn.app.recommend.changes import give
from xattn.app.recommend.present import change, present
from xattn.app.recommend.view import DEPTHS, View
from xattn.app.recommend.why_details import table_of
from xattn.app.ui.figures import figures
from xattn.app.ui.language import lang
from xattn.app.ui.session import DEPTH, KEEP
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.explain import Ledger
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender
from xattn.viz.charts import waterfall_chart
from xattn.viz.frames import waterfall_frame

__all__ = ["MORE_EVENTS", "show"]

MORE_EVENTS = 25
SAME = 1e-9  # of the score: what two ways through floating point may differ by
BADGES = {
    "popularity": (":material/trending_up:", "orange"),
    "short": (":material/hourglass_empty:", "orange"),
    "disagree": (":material/compare_arrows:", "violet"),
    "no_reason": (":material/help_center:", "orange"),
    "stays": (":material/anchor:", "gray"),
}
SURE = {"strong": "green", "moderate": "blue", "weak": "orange"}


def show(fitted: Recommender, view: View, item: str, others: list[str]) -> None:
    """Draw the explanation of `item`; `others` are the items of the list, to be compared with."""
    language = lang()
    why = ledger(fitted, view, item)
    with st.skeleton(height=160):
        events = why.events()
        _words(why, view, language)
    _badges(why, language)
    if why.rank is not None and why.rank > why.k:
        _why_not(why, language)
    _check(fitted, view, why, language)
    left, right = st.columns([8, 5], gap="medium")
    with left:
        st.markdown(f"### {t('why.sum', language)}")
        frame = waterfall_frame(events, why.base, why.score, language, amounts_are=why.amounts)
        figures(waterfall_chart(frame, language), table_of(frame, language), key="rec_waterfall")
    with right:
        st.markdown(f"### {t('why.untick', language)}")
        _tick_boxes(fitted, view, why, language)
    _drop(why, language)
    why_details.show(fitted, view, why, events, others, language)
    why_files.show(fitted, view, why, events, language)


# --- words ------------------------------------------------------------------------------------------------------------


def _words(why: Ledger, view: View, language: str) -> None:
    """The explanation at the depth that the visitor wants; a paragraph says all."""
    if DEPTH.get() != view.depth:
        DEPTH.set(view.depth)
    st.segmented_control(
        t("why.depth", language),
        DEPTHS,
        required=True,
        format_func=lambda name: t(f"why.depth_{name}", language),
        key=DEPTH.name,
        on_change=lambda: change(depth=DEPTH.get()),
        wrap=True,
    )
    st.markdown(safe(why.text(language, depth=view.depth, scenario=state.scenario()), 5000))


def _badges(why: Ledger, language: str) -> None:
    """How sure the reasons are, and the honest cases."""
    sure = why.confidence
    with st.container(horizontal=True):
        st.badge(
            t(f"why.confidence_{sure.level}", language),
            icon=":material/verified:",
            color=SURE[sure.level],  # type: ignore[arg-type]
            help=t("why.confidence_help", language),
        )
        for note in why.notes:
            icon, colour = BADGES[note]
            st.badge(t(f"why.note_{note}", language), icon=icon, color=colour)  # type: ignore[arg-type]


def _why_not(why: Ledger, language: str) -> None:
    """Of an item outside the list: what it lacks, and what would bring it in."""
    with st.container(border=True, key="rec_why_not"):
        found = why.why_not()
        st.markdown(f"**{t('why.not_title', language)}**  \n{safe(found.text(language), 2000)}")
        if found.added.found:
            st.button(
                t("why.add", language),
                key="rec_add",
                icon=":material/playlist_add:",
                help=t("why.add_help", language),
                on_click=_add,
                args=(found.added.items, len(why.history)),
            )


def _add(items: tuple[str, ...], events: int) -> None:
    for item in items:
        give(item, "more", events)


# --- what if ----------------------------------------------------------------------------------------------------------


def _check(fitted: Recommender, view: View, why: Ledger, language: str) -> None:
    """What was announced before the last event was left out, beside what the model says now."""
    if not view.without:
        return
    *earlier, last = view.without
    before = ledger(fitted, replace(view, without=tuple(earlier)), why.item)
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
        st.table(
            frame, border="horizontal", hide_index=True, alt=t("why.without", language, title=str(row["title"])[:80])
        )
        if same:
            st.markdown(f":green-badge[:material/check: {t('why.equal', language)}]")
        else:
            st.error(t("why.unequal", language))


def _rank(rank: int | None) -> str:
    return "–" if rank is None else str(rank)


def _tick_boxes(fitted: Recommender, view: View, why: Ledger, language: str) -> None:
    """A box for each of the events that matter most in the full history; its order stays while boxes change."""
    full = ledger(fitted, replace(view, without=()), why.item).events()
    order = np.argsort(-full["contribution"].abs().to_numpy(), kind="stable")
    live = {int(row["position"]): row for row in why.events().to_dict(orient="records")}
    shown = full.iloc[order[: view.boxes]]
    st.caption(t("why.untick_help", language))
    for position, title in zip(shown["position"], shown["title"], strict=True):
        position = int(position)
        keep = KEEP.of(position)
        keep.set(position not in view.without)
        if position in live:
            row = live[position]
            facts = {"score": figure(row["score_without"]), "rank": _rank(int(row["rank_without"]) or None)}
            says = t("why.then" if why.rank is not None else "why.then_score", language, **facts)
        else:
            says = t("why.is_out", language)
        st.checkbox(
            f"{safe(title, 60)}  \n:small[:gray[{says}]]", key=keep.name, on_change=_tick, args=(position,), wrap=True
        )
    if len(full) > len(shown):
        st.button(
            t("why.more", language, n=min(MORE_EVENTS, len(full) - len(shown))),
            key="rec_more",
            type="tertiary",
            icon=":material/expand_more:",
            on_click=lambda: change(boxes=view.boxes + MORE_EVENTS),
        )


def _tick(position: int) -> None:
    others = tuple(p for p in present().without if p != position)
    change(without=others if KEEP.of(position).get() else (*others, position))


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
    if len(found.remove) > 1:  # of one event nobody asks whether fewer would do
        exact = t("words.smallest" if found.exact else "words.not_smallest", language)
        says = f"{says} :gray[{exact}]"
    with st.container(border=True, key="rec_drop"):
        st.markdown(f"**{t('why.drop_title', language)}**  \n{says}")
        st.button(
            t("why.apply", language),
            key="rec_apply",
            icon=":material/playlist_remove:",
            on_click=_apply,
            args=(tuple(p for p in why.history.newest.tolist() if p in found.positions),),
        )


def _apply(positions: tuple[int, ...]) -> None:
    without = present().without
    change(without=(*without, *(p for p in positions if p not in without)))
