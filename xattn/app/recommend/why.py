"""One explanation beside the list: what the item is, its place, then tabs; each fits one screen.

    reasons · what if · the sum · features · parts · measures · heads · against another · take away

`reasons` and `what_if` are the first two tabs, `why_details` and `why_parts` the middle ones, `why_files` the last.
The tab of parts is there where a block of features has some.
"""

from __future__ import annotations

import streamlit as st

from xattn.app.recommend import reasons, what_if, why_details, why_files, why_parts
from xattn.app.recommend.answers import ledger
from xattn.app.recommend.changes import give
from xattn.app.recommend.present import change, present
from xattn.app.recommend.units import Units, rank_words
from xattn.app.recommend.view import FEW_EVENTS, TABS, View
from xattn.app.ui.items import about
from xattn.app.ui.language import lang
from xattn.app.ui.session import TAB
from xattn.app.ui.text import safe, spoken
from xattn.app.words import t
from xattn.explain import Ledger
from xattn.explain.parts import moving_blocks
from xattn.explain.tell.words import spaced
from xattn.i18n.numbers import figure, percent
from xattn.recommenders import Recommender

__all__ = ["open_item", "show"]

BADGES = {
    "popularity": (":material/trending_up:", "orange"),
    "short": (":material/hourglass_empty:", "orange"),
    "disagree": (":material/compare_arrows:", "violet"),
    "no_reason": (":material/help_center:", "orange"),
    "stays": (":material/anchor:", "gray"),
}
SURE = {"strong": "green", "moderate": "blue", "weak": "orange"}


def open_item(item: str | None) -> None:
    """Open the explanation of an item; None closes the one that is open."""
    change(item=item, versus=None, event=None, boxes=FEW_EVENTS)


def show(fitted: Recommender, view: View, item: str, others: list[str]) -> None:
    """Draw the explanation of `item`; `others` are the items of the list, to be compared with."""
    language = lang()
    why = ledger(fitted, view, item)
    units = Units.of(why, view.exact)
    proof = what_if.proof_of(fitted, view, why)
    _head(fitted, view, why, proof, len(others), language)
    split = bool(moving_blocks(why))
    labels = {name: t(key, language) for name, key in TABS.items() if split or name != "parts"}
    label = labels.get(view.tab, labels["why"])
    if TAB.get() != label:
        TAB.set(label)
    for name, tab in zip(labels, st.tabs(list(labels.values()), key=TAB.name, on_change="rerun"), strict=True):
        if not tab.open:
            continue
        with tab:
            if name == "why":
                _reasons(why, view, units, language)
            elif name == "whatif":
                what_if.show(fitted, view, why, proof, units, language)
            elif name == "parts":
                why_parts.show(view, why, units, language)
            elif name == "take":
                why_files.show(fitted, view, why, why.events(), language)
            else:
                why_details.show(name, fitted, view, why, units, others, language)


# --- the head ---------------------------------------------------------------------------------------------------------


def _head(
    fitted: Recommender, view: View, why: Ledger, proof: what_if.Proof | None, listed: int, language: str
) -> None:
    """The title, a few facts, and one line that says where the item stands, or what came of the last removal."""
    facts = " · ".join(map(safe, about(fitted.data_, fitted.data_.item_row(why.item), language)))
    with st.container(horizontal=True, wrap=False, key="rec_head", gap="xsmall"):
        st.markdown(
            f"**{spoken(why.title, 80)}** :small[:gray[{facts}]]  \n{_place(why, view, proof, listed, language)}",
            width="stretch",
        )
        if view.item is not None:
            st.button(
                t("recommendations.close", language),
                key="rec_close",
                icon=":material/close:",
                type="tertiary",
                on_click=open_item,
                args=(None,),
            )


def _place(why: Ledger, view: View, proof: what_if.Proof | None, listed: int, language: str) -> str:
    """Where the item stands; the list has so many `listed` items, at times fewer than were asked for."""
    if proof is not None:
        return what_if.proof_line(proof, language)
    if why.rank is None:
        text = t("recommendations.seen", language)
    elif why.rank > view.k:
        text = t("recommendations.outside", language, k=view.k, rank=why.rank)
    else:
        text = t("shares.place", language, place=rank_words(why.rank, language), k=listed)
    if view.exact:
        text += f" · {t('recommendations.score', language, score=figure(why.score))}"
    return text


# --- the first tab ----------------------------------------------------------------------------------------------------


def _reasons(why: Ledger, view: View, units: Units, language: str) -> None:
    if why.rank is not None and why.rank > why.k:
        _why_not(why, units, language)
    reasons.show(why, view, units, language)
    _badges(why, language)
    _drop(why, language)


def _badges(why: Ledger, language: str) -> None:
    """How sure the reasons are, and the honest cases."""
    sure = why.confidence
    with st.container(horizontal=True, gap="xsmall"):
        st.badge(
            t(f"why.confidence_{sure.level}", language),
            icon=":material/verified:",
            color=SURE[sure.level],  # type: ignore[arg-type]
            help=t("why.confidence_help", language),
        )
        for note in why.notes:
            icon, colour = BADGES[note]
            st.badge(t(f"why.note_{note}", language), icon=icon, color=colour)  # type: ignore[arg-type]


def _why_not(why: Ledger, units: Units, language: str) -> None:
    """Say what an item outside the list lacks, and what would bring it in."""
    found = why.why_not()
    with st.container(key="rec_why_not", gap="xsmall"):
        last = found.difference.a.score
        if units.exact or last <= 0:
            says = safe(found.text(language), 2000)
        else:
            share = percent(max(why.score, 0.0) / last)
            facts = {"share": share, "cutoff": spoken(found.cutoff_title, 60), "k": why.k}
            lacks = t("shares.lacks", language, **facts)
            if found.added.found:
                names = t("words.and", language).join(
                    t("words.plain", language, title=spoken(title, 60)) for title in found.added.titles
                )
                there = rank_words(found.added.rank_after, language)
                brings = t("shares.brings", language, names=names, place=there)
            else:
                brings = t("shares.brings_none", language, n=found.added.tried)
            says = spaced([lacks, brings], language)
        st.markdown(says)
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


def _drop(why: Ledger, language: str) -> None:
    """The counterfactual, with a button that applies it."""
    found = why.counterfactual()
    if not found.found:
        return
    names = t("words.and", language).join(
        t("words.plain", language, title=spoken(name, 80)) for name in dict.fromkeys(map(why.title_of, found.remove))
    )
    facts = {"k": found.k, "names": names, "place": rank_words(found.rank_after, language)}
    if found.replaced_by is None:
        says = t("shares.drop_alone", language, **facts)
    else:
        says = t("shares.drop", language, **facts, replacement=spoken(why.title_of(found.replaced_by), 80))
    if len(found.remove) > 1:  # of one event nobody asks whether fewer would do
        exact = t("words.smallest" if found.exact else "words.not_smallest", language)
        says = f"{says} :gray[{exact}]"
    with st.container(key="rec_drop", gap="xsmall"):
        st.markdown(says)
        st.button(
            t("why.apply", language),
            key="rec_apply",
            icon=":material/playlist_remove:",
            on_click=_apply,
            args=(tuple(p for p in why.history.newest.tolist() if p in found.positions), why.item),
        )


def _apply(positions: tuple[int, ...], item: str) -> None:
    without = present().without
    change(without=(*without, *(p for p in positions if p not in without)), item=item)
