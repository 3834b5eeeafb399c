"""What follows from the picks: a short list, why its item stands there, and the proof of it.

The proof: the film that speaks most for an item is taken out. Where the item falls to was announced by the ledger of
the whole history (`rank_without`); where it stands now is what the model says without the film. Both are shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.recommend import reasons
from xattn.app.recommend.answers import ledger, listed, reason_key
from xattn.app.recommend.view import YOU, View
from xattn.app.ui import address
from xattn.app.ui.picker import FIELD
from xattn.app.ui.picks import Picks
from xattn.app.ui.session import EXPLAINED, LEFT_OUT
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.data import Interactions
from xattn.explain import Ledger
from xattn.i18n.numbers import percent
from xattn.i18n.titles import brief
from xattn.model.strength import signed
from xattn.recommenders import Recommender

__all__ = ["K", "draw"]

K = 10  # items that are ranked
SHOWN = 5  # items that are listed
ITEM, WITHOUT = "item", "without"  # of the address


class Proof(NamedTuple):
    """The film that speaks most for an item, its place in the history, and the rank announced for the item without."""

    position: int
    item: str
    title: str
    announced: int


def draw(data: Interactions, chosen: Picks, enough: int, language: str) -> View | None:
    """The list and its first reason; None where there is nothing to go by, or the visitor is still to pick."""
    if not chosen:
        st.info(t("front.start", language, n=enough), icon=":material/touch_app:")
        return None
    model = state.model()
    view = View(YOU, state.default_model(), K, films=chosen, seen=state.seen())
    _warn(model, view, enough, language)
    found = listed(model, view)
    if found.empty:
        st.info(t("recommendations.nothing", language))
        return None
    item = _explained(found)
    why = ledger(model, view, item)
    proof = _proof(why)
    out = _left_out(proof, language)
    after = ledger(model, replace(view, without=(proof.position,)), item) if out and proof else None
    st.subheader(t("front.list_without" if after else "front.list", language), anchor="list")
    if after is None or proof is None:
        _rows(_lines(data, found, language), item)
    else:
        now = listed(model, replace(view, without=(proof.position,)))
        _rows(_lines(data, now, language, found, (item, after.rank)), item)
    _say(why, proof, after, language)
    with st.container(key="front_peek"):  # shown where the list is below the screen
        first = safe(brief(found["title"].iloc[0]), 40)
        st.markdown(f"[{t('front.peek', language, title=first)}](#list)")
    return replace(view, item=item)


def _warn(model: Recommender, view: View, enough: int, language: str) -> None:
    """Say where there is little to go by."""
    history = view.events(model.data_)
    if (signed(history.rating, len(history), model.scale_) < 0).all():
        st.warning(t("behaviour.all_disliked", language), icon=":material/thumb_down:")
    elif len(history) == 1:
        st.warning(t("behaviour.one_film", language), icon=":material/hourglass_empty:")
    elif len(history) < enough:
        st.caption(t("front.more", language, n=enough - len(history)))


# --- the list ---------------------------------------------------------------------------------------------------------


def _explained(found: pd.DataFrame) -> str:
    """The item that is explained: the chosen one while it is in the list, else the first."""
    link = address.arrived(ITEM)
    EXPLAINED.set(EXPLAINED.get() if link is None else link or None)
    items = found["item"].tolist()
    wanted = EXPLAINED.get()
    item = str(wanted if wanted in items else items[0])
    address.show(ITEM, None if item == items[0] else item, [FIELD, EXPLAINED.name])
    return item


class Line(NamedTuple):
    """One line of the list."""

    item: str
    title: str
    small: str


def _lines(
    data: Interactions,
    now: pd.DataFrame,
    language: str,
    before: pd.DataFrame | None = None,
    fallen: tuple[str, int | None] | None = None,
) -> list[Line]:
    """The first items; with the list `before`, what became of their places, and the one that has `fallen` last."""
    ranks = {} if before is None else dict(zip(before["item"], before["rank"], strict=True))
    rows: list[Any] = list(now[:SHOWN].itertuples())
    found = []
    for row in rows:
        moved = "" if before is None else _moved(ranks.get(row.item), row.rank, language)
        found.append(Line(row.item, f"**{row.rank}** · {_called(data, row.item)}{moved}", _reason(row, language)))
    if fallen is not None and fallen[0] not in [line.item for line in found]:
        item, rank = fallen
        moved = _moved(ranks.get(item), rank or 0, language)
        found.append(Line(item, f"**{rank or '–'}** · {_called(data, item)}{moved}", ""))
    return found


def _rows(lines: list[Line], item: str) -> None:
    """The list; each line is a button that explains its item."""
    with st.container(key="front_list", gap="xsmall"):
        for line in lines:
            st.button(
                line.title + (f"  \n:small[{line.small}]" if line.small else ""),
                key=f"front_item_{line.item}",
                type="secondary" if line.item == item else "tertiary",
                on_click=_explain,
                args=(line.item,),
                width="stretch",
                wrap=True,
            )


def _called(data: Interactions, item: str) -> str:
    return safe(brief(data.items.titles[data.item_row(item)]), 70)


def _moved(was: int | None, rank: int, language: str) -> str:
    """What became of the place of an item."""
    if was == rank:
        return ""
    words = t("recommendations.new", language) if was is None else t("recommendations.was", language, rank=was)
    return f" :{'blue' if was is None or was > rank else 'orange'}-badge[{words}]"


def _reason(row: Any, language: str) -> str:
    """Why an item stands there, in short: the film that speaks most for it, and its share in all that does."""
    model = state.model()
    if not row.because:
        return t(reason_key(model, False), language)
    facts = {"title": safe(brief(row.because), 60), "share": percent(float(row.share))}
    if model.amounts in ("arrival", "average"):  # what events changed, and not what they are a part of
        return t(reason_key(model, True, True), language, rating="", **facts)
    return t("front.because", language, **facts)


def _explain(item: str) -> None:
    EXPLAINED.set(item)
    LEFT_OUT.set(None)


# --- the reason, and its proof ----------------------------------------------------------------------------------------


def _proof(why: Ledger) -> Proof | None:
    """The film whose removal is announced and tried; None where no film speaks for the item, or there is one only."""
    events = why.events()
    if len(events) < 2 or why.rank is None:
        return None
    row = events.iloc[0].to_dict()
    if row["contribution"] <= 0:
        return None
    return Proof(int(row["position"]), str(row["event"]), str(row["title"]), int(row["rank_without"]))


def _left_out(proof: Proof | None, language: str) -> bool:
    """Whether the film of the proof is left out now, by a click or by the address."""
    link = address.arrived(WITHOUT)
    LEFT_OUT.set(LEFT_OUT.get() if link is None else link or None)
    if link and (proof is None or link != proof.item):
        must = t("front.must_without", language)
        st.warning(t("link.bad", language, name=WITHOUT, must=must, got=safe(link, 80)), icon=":material/link_off:")
    out = proof is not None and LEFT_OUT.get() == proof.item
    address.show(WITHOUT, proof.item if out and proof else None, [FIELD, LEFT_OUT.name])
    return out


def _say(why: Ledger, proof: Proof | None, after: Ledger | None, language: str) -> None:
    """The sentence, and the button that proves it; `after` it was pressed, what was announced beside what happened."""
    with st.container(border=True, key="front_why"):
        if after is None or proof is None:
            st.markdown(safe(reasons.text(why, "sentence", language), 2000))
        if proof is None:
            return
        facts = {"film": safe(brief(proof.title), 60), "item": safe(brief(why.title), 60)}
        if after is None:
            stays = proof.announced == why.rank
            st.button(
                t("front.prove_stays" if stays else "front.prove", language, rank=proof.announced, **facts),
                key="front_prove",
                type="primary",
                icon=":material/experiment:",
                on_click=LEFT_OUT.set,
                args=(proof.item,),
                wrap=True,
            )
            return
        if after.rank == proof.announced:
            ranks = {"announced": proof.announced, "happened": after.rank}
            st.success(t("front.proved", language, **ranks, **facts), icon=":material/check:")
        else:
            st.error(t("why.unequal", language))
        st.button(
            t("front.back", language, **facts),
            key="front_back",
            icon=":material/undo:",
            on_click=LEFT_OUT.set,
            args=(None,),
            wrap=True,
        )
