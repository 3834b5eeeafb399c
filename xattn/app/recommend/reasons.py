"""The reasons of one item in human units: a sentence, then three reasons and the rest, with the person's own ratings.

reason              your rating   share   without it
Sherlock Holmes     ★ 4           60%     26th
…
the rest (44)                     19%
popularity                        1%
against it (23)                   −11%
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.picture.flows import is_odd
from xattn.app.picture.words import CHANGES, REASONS, base_key, few_carry, own_rating, said_of
from xattn.app.picture.words import reasons as reasons_of
from xattn.app.recommend.present import change
from xattn.app.recommend.units import Units, rank_words
from xattn.app.recommend.view import DEPTHS, View
from xattn.app.ui.session import DEPTH
from xattn.app.ui.text import safe, spoken
from xattn.app.words import t
from xattn.explain import Ledger
from xattn.explain.tell.words import both_say, joined, quotable, spaced, worded
from xattn.i18n.numbers import percent, place

__all__ = ["odd_ones", "reason_table", "show", "text"]

MOST_ODD = 2  # puzzles that are explained
OWN = {"arrival": "shares.arrival", "average": "shares.average"}  # what is said of amounts that are changes


def show(why: Ledger, view: View, units: Units, language: str) -> None:
    """The words at the depth that the visitor wants, the table, and what in it is puzzling."""
    if DEPTH.get() != view.depth:
        DEPTH.set(view.depth)
    st.segmented_control(
        t("why.depth", language),
        DEPTHS,
        required=True,
        format_func=lambda name: t(f"why.depth_{name}", language),
        key=DEPTH.name,
        on_change=lambda: change(depth=DEPTH.get()),
        label_visibility="collapsed",
        wrap=True,
    )
    words = why.text(language, depth=view.depth, scenario=state.scenario())
    st.markdown(safe(words if units.exact else text(why, view.depth, language), 5000))
    table = reason_table(why, units, language)
    if len(table):
        st.table(table, border="horizontal", hide_index=True, alt=t("why.reasons", language))
    for line in odd_ones(why, why.rows.position[:REASONS].tolist(), language)[:MOST_ODD]:
        st.caption(line)


def reason_table(why: Ledger, units: Units, language: str) -> pd.DataFrame:
    """The table of the module's head, as it is read (Markdown)."""
    rows, each = why.rows, why.without_each
    amounts = rows.contribution
    ratings, scale = why.history.rating, why.scorer.data_.scale
    lines: list[tuple[str, str, str, str]] = []
    named = [at for at in range(min(REASONS, len(amounts))) if amounts[at] > 0]
    for at in named:
        position = int(rows.position[at])
        rating = "" if ratings is None else own_rating(float(ratings[position]), scale)
        there = rank_words(int(each.rank[position]) if why.rank is not None else None, language)
        then = units.score(float(each.score[position]), there)
        lines.append((f"**{spoken(why.title_at(position), 60)}**", safe(rating), _for(units, amounts[at]), then))
    others = amounts[len(named) :]
    for key, part in (("shares.rest", others[others > 0]), ("shares.against", others[others < 0])):
        if len(part):
            label = t(key, language, n=len(part))
            lines.append((label, "", _for(units, float(part.sum())), ""))
    if why.base:
        label = t(base_key(why.amounts), language)
        lines.insert(len(lines) - bool((others < 0).any()), (label, "", _for(units, why.base), ""))
    names = ("shares.reason", "shares.your_rating", "shares.share", "shares.without")
    return pd.DataFrame(lines, columns=[t(name, language) for name in names])


def _for(units: Units, amount: float) -> str:
    """An amount, coloured by whether it speaks for the item."""
    return f":{'blue' if amount >= 0 else 'orange'}[{safe(units.told(float(amount)))}]"


def odd_ones(why: Ledger, positions: list[int], language: str) -> list[str]:
    """Why the removal of an event does the opposite of what its contribution says, for those of `positions` that do."""
    size = Units.of(why, False).size
    contribution = dict(zip(why.rows.position.tolist(), why.rows.contribution.tolist(), strict=True))
    told = []
    for position in positions:
        effect = float(why.without_each.score[position]) - why.score
        if is_odd(contribution[position], effect, size):
            key = "picture.odd" if contribution[position] > 0 else "picture.odd_against"
            told.append(t(key, language, title=spoken(why.title_at(position), 60)))
    return told


# --- in words ---------------------------------------------------------------------------------------------------------


def text(why: Ledger, depth: str, language: str) -> str:
    """The explanation without a decimal: a clause, a sentence, a paragraph.

    What an event changed on arrival, or on average over orders, is told as that, and never as a part of the score.
    """
    if depth == "clause":
        return why.text(language, depth=depth, scenario=state.scenario())
    sentences = [*_changed(why, language), *both_say(why, language), *_moves(why, language)]
    if depth == "paragraph":
        sentences += [*_both_sides(why, language), *_honesty(why, language)]
    return spaced(sentences, language)


def _changed(why: Ledger, language: str) -> list[str]:
    """What the few first reasons are of all that speaks for it, named as what their amounts are."""
    sentence, _ = said_of(why, language, {})
    found = reasons_of(why)
    few, share = (0, 0.0) if found is None else few_carry(found)
    if found is None or not few or why.amounts not in CHANGES:
        return [sentence]
    names = joined((why.title_at(position) for position, _ in found.first[:few]), language)
    facts = {"title": quotable(why.title, language), "names": names, "share": percent(share)}
    own = t(OWN[why.amounts], language, did=t(f"words.did.{state.scenario()}", language), **facts)
    listed = why.rank is not None and why.rank <= why.k
    return [own] if listed else [sentence, own]


def _moves(why: Ledger, language: str) -> list[str]:
    """What the removal of the first reason does to its place."""
    rows = why.rows
    if why.rank is None or not len(rows.position) or rows.contribution[0] <= 0:
        return []
    first = int(rows.position[0])
    then, title = int(why.without_each.rank[first]), quotable(why.title_at(first), language)
    facts = {"title": title, "then": place(then, language), "now": place(why.rank, language)}
    return [t("shares.moves" if then != why.rank else "shares.moves_not", language, **facts)]


def _both_sides(why: Ledger, language: str) -> list[str]:
    """What speaks for it and against it, with shares."""
    size, rows = Units.of(why, False).size, why.rows
    if size <= 0:
        return []
    did = t(f"words.did.{state.scenario()}", language)
    speak_for = np.flatnonzero(rows.contribution > 0)[:REASONS]
    speak_against = np.flatnonzero(rows.contribution < 0)[::-1][:REASONS]
    told = []
    for key, at in (("words.for", speak_for), ("words.against", speak_against)):
        names = [
            t(
                "words.named",
                language,
                title=quotable(why.title_at(int(rows.position[one])), language),
                amount=percent(float(rows.contribution[one]) / size),
            )
            for one in at
        ]
        if names:
            told.append(t(worded(key, why.amounts), language, did=did, names=t("words.and", language).join(names)))
    return told


def _honesty(why: Ledger, language: str) -> list[str]:
    """What would drop it, the honest cases, how sure the reasons are."""
    told, found = [], why.counterfactual()
    if found.found:
        told.append(t("words.drop_alone", language, names=joined(map(why.title_of, found.remove), language), k=why.k))
    for note in ("popularity", "no_reason"):
        if note in why.notes:
            told.append(t(worded(f"words.{note}", why.amounts), language))
    if "stays" in why.notes:
        told.append(t(worded("words.stays", why.amounts), language, k=why.k))
    if why.orders is not None and not why.orders.orders:
        told.append(t("words.all_orders", language))
    elif why.orders is not None and (size := Units.of(why, False).size) > 0:
        widths = why.intervals()
        within = percent(float((widths["high"] - widths["contribution"]).max()) / size)
        told.append(t("words.orders", language, orders=why.orders.orders, within=within))
    n = why.rows.events
    if "short" in why.notes:
        told.append(t("words.short" if n > 1 else "words.short_one", language, n=n))
    if n:
        told.append(t(f"words.confidence_{why.confidence.level}", language, k=why.k))
    return told
