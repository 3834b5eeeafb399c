"""What if an event had not been: a box for each, what is announced beside it, and in its place what happened.

Numbers that are announced come from the ledger before an event is left out; those that happened come from the model
after it. A box never moves, and keeps two lines whatever is said in the second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app.recommend.answers import ledger
from xattn.app.recommend.picture import tick
from xattn.app.recommend.present import change
from xattn.app.recommend.units import Units, rank_words
from xattn.app.recommend.view import View
from xattn.app.ui.session import KEEP
from xattn.app.ui.text import safe, spoken
from xattn.app.words import t
from xattn.explain import Ledger
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender

__all__ = ["MORE_EVENTS", "Proof", "proof_line", "proof_of", "show"]

MORE_EVENTS = 25
SAME = 1e-9  # of the score: what two ways through floating point may differ by


@dataclass(frozen=True)
class Proof:
    """The event that was left out last: the item before, what was announced, what happened."""

    position: int
    title: str
    before: Ledger
    now: Ledger
    rank: int | None  # announced
    score: float  # announced

    @property
    def same(self) -> bool:
        """What was announced is what happened."""
        now = self.now
        return self.rank == now.rank and abs(self.score - now.score) <= SAME * max(1.0, abs(now.score))


def proof_of(fitted: Recommender, view: View, why: Ledger) -> Proof | None:
    """None where no event is left out."""
    if not view.without:
        return None
    *earlier, last = view.without
    before = ledger(fitted, replace(view, without=tuple(earlier)), why.item)
    table = before.events()
    row = table[table["position"] == last].iloc[0].to_dict()
    rank = None if before.rank is None else int(row["rank_without"])
    return Proof(last, str(row["title"]), before, why, rank, float(row["score_without"]))


def proof_line(proof: Proof, language: str) -> str:
    """The proof in one line of Markdown."""
    before, announced, happened = (
        rank_words(rank, language) for rank in (proof.before.rank, proof.rank, proof.now.rank)
    )
    if not proof.same:
        return f":red[{t('why.unequal', language)}]"
    facts = {"before": before, "announced": announced, "happened": happened}
    return t("shares.proof", language, title=spoken(proof.title, 60), **facts)


def show(fitted: Recommender, view: View, why: Ledger, proof: Proof | None, units: Units, language: str) -> None:
    """The boxes; below them, in exact units, the three scores of the last one that was unticked."""
    full = ledger(fitted, replace(view, without=()), why.item).events()
    order = np.argsort(-full["contribution"].abs().to_numpy(), kind="stable")
    shown = full.iloc[order[: view.boxes]]
    st.caption(t("why.untick_help", language))
    with st.container(key="rec_boxes", gap="xsmall"):
        for position, title in zip(shown["position"], shown["title"], strict=True):
            position = int(position)
            keep = KEEP.of(position)
            keep.set(position not in view.without)
            says = _says(why, proof, position, units, language)
            st.checkbox(
                f"{spoken(title, 60)}  \n:small[:gray[{says}]]",
                key=keep.name,
                on_change=_tick,
                args=(position, why.item),
                wrap=True,
            )
    if len(full) > len(shown):
        st.button(
            t("why.more", language, n=min(MORE_EVENTS, len(full) - len(shown))),
            key="rec_more",
            type="tertiary",
            icon=":material/expand_more:",
            on_click=lambda: change(boxes=view.boxes + MORE_EVENTS),
        )
    if proof is not None and units.exact:
        _table(proof, language)


def _says(why: Ledger, proof: Proof | None, position: int, units: Units, language: str) -> str:
    """What is announced of an event; of the one that was left out last, what came of it."""
    if position in why.rows.position:
        score, rank = float(why.without_each.score[position]), int(why.without_each.rank[position])
        facts = {"score": figure(score), "rank": rank}
        if units.exact or units.size <= 0:
            return t("why.then" if why.rank is not None else "why.then_score", language, **facts)
        if why.rank is None:
            return t("shares.then_score", language, share=units.told(score - why.score))
        key = "shares.then_same" if rank == why.rank else "shares.then"
        return t(key, language, place=rank_words(rank, language))
    if proof is None or proof.position != position:
        return t("why.is_out", language)
    places = {
        "announced": rank_words(proof.rank, language),
        "happened": rank_words(proof.now.rank, language),
    }
    return t("shares.happened" if proof.same else "shares.not_happened", language, **places)


def _tick(position: int, item: str) -> None:
    """The item stays the one that is explained, also where it was so as the first of the list only."""
    tick(position, KEEP.of(position).get())
    change(item=item)


def _table(proof: Proof, language: str) -> None:
    """The score and the rank with the event, announced without it, and scored again without it."""
    scores = (proof.before.score, proof.score, proof.now.score)
    ranks = (proof.before.rank, proof.rank, proof.now.rank)
    frame = pd.DataFrame(
        {
            "": [t("why.before", language), t("why.announced", language), t("why.rescored", language)],
            t("chart.score", language): [figure(x) for x in scores],
            t("why.rank", language): ["–" if rank is None else str(rank) for rank in ranks],
        }
    )
    title = t("why.without", language, title=safe(proof.title, 80))
    with st.container(key="rec_check", gap="xsmall"):
        st.markdown(title)
        st.table(frame, border="horizontal", hide_index=True, alt=title)
        if proof.same:
            st.markdown(f":green-badge[:material/check: {t('why.equal', language)}]")
        else:
            st.error(t("why.unequal", language))
