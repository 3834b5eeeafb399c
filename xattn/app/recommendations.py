"""The recommendations page: choose a person and a model; a ranked list; for each item, why, and what if not.

What is chosen stands in the session under `rec_*` and in the address, so that every view has a permalink. The list and
the open explanation are one fragment: opening a card or leaving an event out reruns only them.
"""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from xattn.app import link, state, why
from xattn.app.asked import Asked, about, history_of, labels, listed
from xattn.app.shell import lang, reporting, safe
from xattn.data import Interactions
from xattn.errors import shown
from xattn.i18n import t
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    language = lang()
    st.title(t("recommendations.title", language))
    st.caption(t("recommendations.promise", language))
    with reporting():
        with st.spinner(t("app.fitting", language)):
            data = state.dataset()
        if "rec_ready" not in st.session_state:
            _seed(data)
        notes = st.container()
        asked = _choose(data, language)
        if asked is None:
            _complain(notes, language)
            return
        fitted = state.model(asked.kind)
        _resolve(fitted, asked)
        _complain(notes, language)
        _history(fitted, asked, language)
        _results(fitted, asked)
        _other(fitted, language)


# --- the choice -------------------------------------------------------------------------------------------------------


def _seed(data: Interactions) -> None:
    """Take the first view of a session from the address."""
    asked, complaints = link.read(st.query_params.to_dict(), data, state.MODELS)
    session = st.session_state
    session["rec_who"] = link.YOU if asked.user == link.YOU else "user"
    session["rec_user"] = data.user_ids[0] if asked.user == link.YOU else asked.user
    session["rec_liked"], session["rec_disliked"] = list(asked.liked), list(asked.disliked)
    session["rec_model"], session["rec_k"] = asked.model, asked.k
    session["rec_tokens"], session["rec_without"] = asked.without, []
    session["rec_item"], session["rec_events"] = asked.item, why.FEW_EVENTS
    session["rec_complaints"] = complaints
    session["rec_ready"] = True


def _choose(data: Interactions, language: str) -> Asked | None:
    """The widgets; None where something is still missing, which is then said."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.segmented_control(
            t("recommendations.who", language),
            ["user", link.YOU],
            format_func=lambda choice: t(
                "recommendations.a_user" if choice == "user" else "recommendations.you", language
            ),
            required=True,
            key="rec_who",
            persist_state="session",
            on_change=_start_over,
        )
        if who == "user":
            user = st.selectbox(
                t("recommendations.user", language),
                data.user_ids,
                accept_new_options=True,
                key="rec_user",
                persist_state="session",
                on_change=_start_over,
                help=t("recommendations.user_help", language, n=data.n_users),
                width=160,
            )
        kind = st.selectbox(
            t("recommendations.model", language),
            list(state.MODELS),
            key="rec_model",
            persist_state="session",
            on_change=_settle,
            help=t("recommendations.model_help", language),
            width=230,
        )
        k = st.number_input(
            t("recommendations.k", language),
            min_value=1,
            max_value=link.MOST_K,
            step=1,
            key="rec_k",
            persist_state="session",
            on_change=_settle,
            width=130,
        )
    if who == "user":
        if not user:
            st.info(t("recommendations.no_user", language))
            return None
        return Asked(data.checksum, kind, str(user), (), int(k))
    picks = _picks(data, language)
    if not picks:
        st.info(t("recommendations.no_picks", language), icon=":material/touch_app:")
        return None
    return Asked(data.checksum, kind, None, picks, int(k))


def _picks(data: Interactions, language: str) -> tuple[tuple[str, float | None], ...]:
    """The picked films as events: disliked ones first, so that the newest event is the last film that was liked."""
    names = labels(data, data.checksum)
    low, high = (None, None) if data.rating is None else (float(data.rating.min()), float(data.rating.max()))
    chosen = {}
    for key, rating in (("liked", high), ("disliked", low)):
        if key == "disliked" and low == high:
            continue  # without a scale nothing can be disliked
        text = t("recommendations.liked" if key == "liked" else "recommendations.disliked", language)
        chosen[key, rating] = st.multiselect(
            text,
            list(names),
            format_func=names.__getitem__,
            key=f"rec_{key}",
            persist_state="session",
            on_change=_start_over,
            max_selections=link.MOST_PICKS,
            placeholder=t("recommendations.pick", language),
        )
    liked = next(ids for (key, _), ids in chosen.items() if key == "liked")
    return tuple(
        (item, rating)
        for (key, rating), ids in reversed(chosen.items())
        for item in ids
        if key == "liked" or item not in liked
    )


def _settle() -> None:
    """A choice was made: what the address got wrong is no longer of interest."""
    st.session_state["rec_complaints"] = []


def _start_over() -> None:
    """Another history: what was left out and what was open belong to the old one."""
    st.session_state.update(rec_without=[], rec_tokens=(), rec_item=None, rec_events=why.FEW_EVENTS)
    _settle()


def _resolve(fitted: Recommender, asked: Asked) -> None:
    """Turn the address's `without` into positions, once its history is known."""
    session = st.session_state
    if session["rec_tokens"]:
        events = history_of(fitted, asked)
        session["rec_without"], strange = link.without_positions(fitted.data_, events, session["rec_tokens"])
        session["rec_tokens"] = ()
        if strange:
            session["rec_complaints"].append(link.Complaint("without", "link.must_without", shown(strange[0])))


def _complain(notes: DeltaGenerator, language: str) -> None:
    """Say, above the choice, which parameters of the address were not followed."""
    said = [
        t("link.bad", language, name=name, must=t(must, language), got=safe(got, 80))
        for name, must, got in st.session_state["rec_complaints"]
    ]
    if said:
        notes.warning("  \n".join(said), icon=":material/link_off:")


def _publish(asked: Asked, fitted: Recommender) -> link.Link:
    """Put the view into the address; the link is returned."""
    session = st.session_state
    view = link.Link(
        user=link.YOU if asked.user is None else asked.user,
        model=asked.kind,
        k=asked.k,
        liked=tuple(session["rec_liked"]) if asked.user is None else (),
        disliked=tuple(session["rec_disliked"]) if asked.user is None else (),
        without=link.without_tokens(fitted.data_, history_of(fitted, asked), session["rec_without"]),
        item=session["rec_item"],
    )
    params = link.write(view)
    for name in link.PARAMETERS:
        if name not in params:
            if name in st.query_params:
                del st.query_params[name]
        elif st.query_params.get(name) != params[name]:
            st.query_params[name] = params[name]
    return view


# --- what is shown ----------------------------------------------------------------------------------------------------


def _history(fitted: Recommender, asked: Asked, language: str) -> None:
    events = history_of(fitted, asked)
    table = fitted.data_.items
    with st.expander(t("recommendations.history", language, n=len(events)), icon=":material/history:"):
        rows = events.item[::-1].tolist()
        frame = pd.DataFrame(
            {
                t("recommendations.film", language): [table.titles[row][:200] for row in rows],
                t("recommendations.about", language): [" · ".join(about(fitted.data_, row, language)) for row in rows],
            }
        )
        if events.rating is not None:
            frame[t("recommendations.rating", language)] = events.rating[::-1]
        st.dataframe(frame, hide_index=True, height=280, alt=t("recommendations.history", language, n=len(events)))


@st.fragment
def _results(fitted: Recommender, asked: Asked) -> None:
    with reporting():
        language = lang()
        session = st.session_state
        now = asked.leaving_out(session["rec_without"])
        frame = listed(fitted, now)
        rank_before = dict(zip(*listed(fitted, asked)[["item", "rank"]].to_numpy().T, strict=True))
        shared = _publish(asked, fitted)
        _left_out(fitted, asked, language)
        opened = session["rec_item"]
        if opened is not None and opened not in set(frame["item"]):
            _outside(fitted, asked, opened, shared, language)
        for row in frame.itertuples():
            moved = None if not now.without else rank_before.get(row.item, math.inf)
            with st.container(border=True):
                _card(fitted, row, moved, language)
                if row.item == opened:
                    why.show(fitted, asked, opened, shared)
        if frame.empty:
            st.info(t("recommendations.nothing", language))


def _card(fitted: Recommender, row: object, moved: float | None, language: str) -> None:
    """One line of the list. `moved` is the rank before events were left out (inf: not in the list), or None."""
    item, rank, score = str(row.item), int(row.rank), float(row.score)  # type: ignore[attr-defined]
    facts = about(fitted.data_, fitted.data_.item_row(item), language)
    badge = ""
    if moved is not None and moved != rank:
        words = (
            t("recommendations.new", language)
            if math.isinf(moved)
            else t("recommendations.was", language, rank=int(moved))
        )
        badge = f" :{'blue' if moved > rank else 'orange'}-badge[{words}]"
    because, amount = str(row.because), float(row.amount)  # type: ignore[attr-defined]
    if because:
        reason = t("recommendations.because", language, title=safe(because, 80), amount=figure(amount, sign=True))
    else:
        reason = t("recommendations.popular", language)
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        head = f"**{rank} · {safe(row.title)}** :small[:gray[{' · '.join(map(safe, facts))}]]"  # type: ignore[attr-defined]
        st.markdown(f"{head}{badge}  \n:small[{reason}]")
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.markdown(t("recommendations.score", language, score=figure(score)), width="content")
        _why_button(item, language)


def _why_button(item: str, language: str) -> None:
    is_open = st.session_state["rec_item"] == item
    st.button(
        t("recommendations.close" if is_open else "recommendations.why", language),
        key=f"rec_why_{item}",
        icon=":material/close:" if is_open else ":material/help:",
        on_click=_toggle,
        args=(item,),
    )


def _toggle(item: str) -> None:
    session = st.session_state
    session.update(rec_item=None if session["rec_item"] == item else item, rec_events=why.FEW_EVENTS)


def _left_out(fitted: Recommender, asked: Asked, language: str) -> None:
    """Which events are out of sight, with a way to put them back."""
    positions = st.session_state["rec_without"]
    if not positions:
        return
    events, titles = history_of(fitted, asked), fitted.data_.items.titles
    names = t("words.and", language).join(safe(titles[events.item[p]], 60) for p in positions[:5])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("recommendations.left_out", language, n=len(positions), names=names), width="stretch")
        st.button(
            t("recommendations.put_back", language),
            key="rec_put_back",
            icon=":material/undo:",
            on_click=lambda: st.session_state.update(rec_without=[]),
        )


def _outside(fitted: Recommender, asked: Asked, item: str, shared: link.Link, language: str) -> None:
    """The open item where it is not in the list: it dropped out, or was asked for by name."""
    title = fitted.data_.items.titles[fitted.data_.item_row(item)]
    rank = why.now(fitted, asked, item).rank
    with st.container(border=True):
        if rank is None:
            place = t("recommendations.seen", language)
        else:
            place = t("recommendations.outside", language, k=asked.k, rank=rank)
        left, right = st.columns([3, 2], vertical_alignment="center")
        left.markdown(f"**{safe(title)}**  \n:small[:gray[{place}]]")
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            _why_button(item, language)
        why.show(fitted, asked, item, shared)


def _other(fitted: Recommender, language: str) -> None:
    """Why not some other item: any film can be opened."""
    names = labels(fitted.data_, fitted.data_.checksum)

    def choose() -> None:
        if st.session_state["rec_other"] is not None:
            st.session_state.update(rec_item=st.session_state["rec_other"], rec_other=None, rec_events=why.FEW_EVENTS)

    st.selectbox(
        t("recommendations.why_not", language),
        list(names),
        index=None,
        format_func=names.__getitem__,
        key="rec_other",
        on_change=choose,
        placeholder=t("recommendations.pick", language),
    )
