"""The ledger in words: sentences from the catalogue, filled with the ledger's own numbers and titles, and nothing else.

Order: what the score is made of, what speaks for it, what against, what a removal does, what would drop it, then the
honest cases: mostly popularity, too short a history, weight and effect in disagreement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xattn.i18n import t
from xattn.i18n.numbers import figure

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["SHORT_HISTORY", "sentences", "short_title", "weight_and_effect_disagree"]

SHORT_HISTORY = 5  # events under which a history is called short
MOST_NAMES = 3
LONGEST_TITLE = 80


def short_title(title: str) -> str:
    """A title that fits a sentence: at most 80 characters."""
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"


def weight_and_effect_disagree(events: pd.DataFrame) -> tuple[int, int] | None:
    """Rows (most looked at, most moving when masked) of an events frame where they differ, else None."""
    if len(events) < 2:
        return None
    weight, effect = events["weight"].to_numpy(), np.abs(events["effect"].to_numpy())
    looked, moving = int(np.argmax(weight)), int(np.argmax(effect))
    return (looked, moving) if weight[looked] > weight[moving] and effect[moving] > effect[looked] else None


def _names(frame: pd.DataFrame, lang: str) -> str:
    return t("words.and", lang).join(
        t("words.named", lang, title=short_title(title), amount=figure(amount, sign=True))
        for title, amount in zip(frame["title"], frame["contribution"], strict=True)
    )


def sentences(ledger: Ledger, lang: str) -> str:
    """The whole text of a ledger in one language."""
    events = ledger.events()
    space = " " if lang == "en" else ""
    return space.join(
        [*_made_of(ledger, events, lang), *_what_if(ledger, events, lang), *_honesty(ledger, events, lang)]
    )


def _made_of(ledger: Ledger, events: pd.DataFrame, lang: str) -> list[str]:
    facts = {"title": short_title(ledger.title), "score": figure(ledger.score), "base": figure(ledger.base)}
    if not events["contribution"].any():
        return [t("words.score_empty", lang, **facts)]
    said = [t("words.score", lang, **facts, lift=figure(ledger.score - ledger.base, sign=True), n=len(events))]
    speaks_for = events[events["contribution"] > 0].head(MOST_NAMES)
    against = events[events["contribution"] < 0].iloc[::-1].head(MOST_NAMES)
    if len(speaks_for):
        said.append(t("words.for", lang, names=_names(speaks_for, lang)))
    if len(against):
        said.append(t("words.against", lang, names=_names(against, lang)))
    return said


def _what_if(ledger: Ledger, events: pd.DataFrame, lang: str) -> list[str]:
    if not events["contribution"].any():
        return []
    worst = events.iloc[int(np.argmin(events["effect"].to_numpy()))]
    facts = {"title": short_title(worst["title"]), "score": figure(worst["score_without"])}
    if ledger.rank is None:
        return [t("words.removal_unranked", lang, **facts), t("words.unranked", lang)]
    rank = int(worst["rank_without"])
    moved = "words.removal" if rank != ledger.rank else "words.removal_same"
    said = [t(moved, lang, **facts, rank=rank, rank_now=ledger.rank)]
    what_if = ledger.counterfactual()
    if what_if.found:
        title_at = dict(zip(events["position"], events["title"], strict=True))
        names = t("words.and", lang).join(
            t("words.plain", lang, title=short_title(title_at[p])) for p in what_if.positions
        )
        if what_if.replaced_by is None:
            said.append(t("words.drop_alone", lang, names=names, k=ledger.k))
        else:
            replacement = short_title(ledger.title_of(what_if.replaced_by))
            said.append(t("words.drop", lang, names=names, k=ledger.k, replacement=replacement))
        if len(what_if.positions) > 1:
            said.append(t("words.smallest" if what_if.exact else "words.not_smallest", lang))
    elif ledger.rank <= ledger.k:
        said.append(t("words.stays", lang, k=ledger.k))
    return said


def _honesty(ledger: Ledger, events: pd.DataFrame, lang: str) -> list[str]:
    said = []
    if events["contribution"].any() and ledger.base > ledger.score - ledger.base:
        said.append(t("words.popularity", lang))
    if 0 < len(events) < SHORT_HISTORY:
        said.append(t("words.short", lang, n=len(events)))
    apart = weight_and_effect_disagree(events)
    if apart:
        looked, moving = events.iloc[apart[0]], events.iloc[apart[1]]
        said.append(
            t(
                "words.disagree",
                lang,
                looked=short_title(looked["title"]),
                weight=f"{looked['weight']:.1%}",
                moving=short_title(moving["title"]),
                effect=figure(moving["effect"], sign=True),
            )
        )
    return said
