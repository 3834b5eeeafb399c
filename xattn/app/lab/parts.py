"""One block of features and one event, down to words, patches and seconds; the sums that prove it; one part taken out.

    cells of the block  =  Σ parts of the event's item  =  Σ parts of the explained item
    score + announced effect of a part  =  what is served without the part

What is drawn is what the details of an explanation draw. Where the items that are shown have no parts, and beside them
where they have some, there are made data whose cause is known: one word, one patch, one tone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.lab.planted import made, said_of_truth
from xattn.app.recommend.answers import ledger, listed
from xattn.app.recommend.units import Units
from xattn.app.recommend.view import View
from xattn.app.recommend.why_parts import draw as draw_split
from xattn.app.ui import address
from xattn.app.ui.figures import csv_button, figures
from xattn.app.ui.text import plain, safe, spoken
from xattn.app.words import t
from xattn.data.synthetic_parts import PART_KINDS, PlantedPart
from xattn.explain import Ledger
from xattn.explain.parts import SIDES, block_cells
from xattn.explain.tell.sides import Split, speaking, split, telling_blocks
from xattn.features import feature_set
from xattn.i18n.numbers import figure
from xattn.i18n.titles import natural
from xattn.viz.attention import distinct
from xattn.viz.lab import signed_chart
from xattn.viz.names import part_name

__all__ = ["draw", "effects", "sums"]

SHOWN = "shown"
K = 20  # items of a list that can be chosen
MOST_BARS = 12
EXACT = Units(0.0, True)  # the lab shows the model's own numbers


class Asked(NamedTuple):
    """A ledger and the model that gave it; `truth` where the data are made."""

    model: Any
    why: Ledger
    truth: PlantedPart | None = None


def draw(language: str) -> None:
    """The choice of data, person and item; the parts; the sums; a removal."""
    own = [SHOWN] if feature_set(state.dataset().items).parts else []
    source = address.choose(
        "parts",
        [*own, *PART_KINDS],
        key="lab_parts_data",
        label=t("lab.parts_data", language),
        words=lambda name: t(f"lab.parts_data_{name}", language),
    )
    if not own:
        st.caption(t("lab.parts_none_shown", language))
    if source == SHOWN:
        _explained(_shown(language), language)
        return
    with state.in_words_of("items"):
        _explained(_planted(source, language), language)


# --- what is asked ----------------------------------------------------------------------------------------------------


def _shown(language: str) -> Asked:
    """Of the data that the pages show."""
    kinds = [name for name, kind in state.models().items() if "content" in getattr(kind, "kinds", ())]
    users = state.dataset().user_ids
    with st.container(horizontal=True, vertical_alignment="bottom"):
        user = _select("user", users, "recommendations.user", language)
        kind = _select("model", kinds, "lab.column_model", language)
        model, view = state.model(kind), View(user, kind, min(K, state.dataset().n_items), seen=state.seen())
        item = _item(model, list(listed(model, view)["item"]), language)
    return Asked(model, ledger(model, view, item))


def _planted(kind: str, language: str) -> Asked:
    """Of made data: the item that comes next in truth stands first."""
    truth, model = made(kind)
    users = truth.data.user_ids
    with st.container(horizontal=True, vertical_alignment="bottom"):
        user = _select("user", users, "recommendations.user", language)
        view = View(user, type(model).__name__, K)
        items = [truth.data.items.ids[truth.target[users.index(user)]], *listed(model, view)["item"]]
        item = _item(model, list(dict.fromkeys(items)), language)
    return Asked(model, ledger(model, view, item), truth)


def _select(name: str, options: Any, label: str, language: str) -> str:
    key = f"lab_parts_{name}"
    return address.select(name, options, key=key, label=t(label, language), words=str, width=220)


def _item(model: Any, items: list[str], language: str) -> str:
    titles = {item: plain(natural(model.data_.items.titles[model.data_.item_row(item)]), 80) for item in items}
    return address.select(
        "item",
        items,
        key="lab_parts_item",
        label=t("lab.parts_item", language),
        words=titles.__getitem__,
        width=320,
    )


# --- what is shown ----------------------------------------------------------------------------------------------------


def _explained(asked: Asked, language: str) -> None:
    why = asked.why
    blocks = telling_blocks(why)
    if not blocks:
        st.info(t("parts.none", language, title=spoken(why.title, 80)))
        return
    with st.container(border=True):
        block = _block(blocks, language)
        events = speaking(why, block)
        titles = {name: plain(natural(why.title_of(name)), 80) for name in events}
        event = address.select(
            "event",
            events,
            key="lab_parts_event",
            label=t("parts.event", language),
            words=titles.__getitem__,
        )
        found = split(why, block, event)
        draw_split(found, why.score, EXACT, language, key="lab")
        if asked.truth is not None:
            st.markdown(said_of_truth(asked.truth, why, found, language))
    with st.container(border=True):
        _sums(why, found, language)
    with st.container(border=True):
        _removal(asked, found, language)


def _block(blocks: tuple[str, ...], language: str) -> str:
    if len(blocks) == 1:
        return blocks[0]
    return address.choose(
        "block",
        blocks,
        key="lab_parts_block",
        label=t("parts.block", language),
        words=lambda name: safe(name, 60),
    )


def sums(why: Ledger, found: Split) -> np.ndarray:
    """(3, 2): the cells of the block, their parts in the items of the events, their parts in the explained item; with
    one event, and with all of them."""
    asked = (found.event, None)
    parts = [[why.parts(found.block, event, side)["contribution"].sum() for event in asked] for side in SIDES]
    return np.array([[block_cells(why, found.block, event) for event in asked], *parts])


def _sums(why: Ledger, found: Split, language: str) -> None:
    st.subheader(t("lab.parts_sums", language))
    added = sums(why, found)
    rows = [t(f"lab.parts_sum_{name}", language) for name in ("cells", *SIDES)]
    heads = [t(f"lab.parts_with_{name}", language) for name in ("one", "all")]
    frame = pd.DataFrame(added, columns=pd.Index(heads))
    frame.insert(0, t("lab.parts_what", language), rows)
    config: dict[str, Any] = dict.fromkeys(heads, st.column_config.NumberColumn(format="%+.10f"))
    st.dataframe(frame, hide_index=True, alt=t("lab.parts_sums", language), key="lab_parts_sums", column_config=config)
    csv_button(frame, "lab_parts_sums", language)
    apart = f"{np.ptp(added, axis=0).max():.1e}"
    whole = why.base + float(why.cells["contribution"].sum())
    told = {"base": figure(why.base), "whole": f"{whole:.10f}", "score": f"{why.score:.10f}"}
    st.caption(t("lab.parts_sums_say", language, apart=apart, **told))


# --- a removal --------------------------------------------------------------------------------------------------------


def effects(why: Ledger, found: Split, side: str) -> pd.DataFrame:
    """The parts of one side that move the score, the worst loss first: place, part, contribution, effect.

    A part of an event's item is gone from all events with this item, a part of the explained item from all events; so
    contributions are summed over the same.
    """
    event = found.event if side == "event" else None
    said = why.parts(found.block, event, side).groupby("place")["contribution"].sum()
    frame = why.part_removals(found.block, event, side)
    return frame.assign(contribution=frame["place"].map(said).fillna(0.0))[["place", "part", "contribution", "effect"]]


def _removal(asked: Asked, found: Split, language: str) -> None:
    st.subheader(t("lab.parts_removal", language))
    st.caption(t("lab.parts_removal_says", language))
    side = address.choose(
        "side",
        SIDES,
        key="lab_parts_side",
        label=t("lab.parts_whose", language),
        words=lambda name: t(f"lab.parts_side_{name}", language),
    )
    frame = effects(asked.why, found, side)
    if not len(frame):
        st.info(t("lab.parts_no_effect", language))
        return
    names = distinct([plain(part_name(part, language), 60) for part in frame["part"]])
    told = dict(zip(frame["place"].map(str), names, strict=True))
    _bars(frame.assign(part=names), language)
    place = address.select(
        "gone",
        list(told),
        key="lab_parts_gone",
        label=t("lab.parts_gone", language),
        words=told.__getitem__,
        width=320,
    )
    row = frame[frame["place"] == int(place)].iloc[0]
    _served(asked, found, side, int(place), float(row["effect"]), language)


def _bars(frame: pd.DataFrame, language: str) -> None:
    """What each part contributes, as bars; contributions beside effects, as their table."""
    names = ("parts.part", "chart.contribution", "lab.parts_effect")
    table = frame[["part", "contribution", "effect"]].set_axis([t(name, language) for name in names], axis=1)
    most = frame.loc[frame["contribution"].abs().sort_values(ascending=False, kind="stable").index[:MOST_BARS]]
    bars = pd.DataFrame({"name": most["part"], "value": most["contribution"]})
    number = st.column_config.NumberColumn(format="%+.4g")
    chart = signed_chart(bars, t("chart.contribution", language), language)
    figures(chart, table, key="lab_parts_bars", config=dict.fromkeys(table.columns[1:], number))


def _served(asked: Asked, found: Split, side: str, place: int, effect: float, language: str) -> None:
    """The score with the part, announced without it, served without it."""
    why = asked.why
    item = found.event if side == "event" else why.item
    twin = asked.model.without_parts(found.block, item, [place])
    served = float(twin.scores_of(why.history)[why.question.target])
    rows = {"with": why.score, "announced": why.score + effect, "served": served}
    frame = pd.DataFrame(
        {
            t("lab.parts_what", language): [t(f"lab.parts_score_{name}", language) for name in rows],
            t("chart.score", language): [f"{score:.10f}" for score in rows.values()],
        }
    )
    st.table(frame, border="horizontal", hide_index=True, alt=t("lab.parts_removal", language))
    apart = f"{abs(served - rows['announced']):.1e}"
    st.caption(t("lab.parts_apart", language, apart=apart))
