"""The second way: films picked by title and rated with stars. Attention, profile and recommendations follow at once.

The picks are a list of (item id, stars) in the session, oldest first; the stars' widgets write into it. The model is
the default one, fitted for everybody; someone new needs no re-fit.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.ui import address, search, undo
from xattn.app.ui.caches import kept
from xattn.app.ui.figures import figures, twin
from xattn.app.ui.pinned import control
from xattn.app.ui.session import FILMS, STARS
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.app.yours import comparison, picks
from xattn.app.yours.picks import MOST_PICKS, MOST_STARS, Picks
from xattn.data import FeatureSet, History, Interactions
from xattn.errors import InputError, UnknownIdError
from xattn.explain import Ledger
from xattn.explain.profile import fused_profile
from xattn.features import feature_set
from xattn.model.strength import signed
from xattn.recommenders import Recommender
from xattn.viz import attention as charts
from xattn.viz.names import genre_name

__all__ = ["draw"]

PARAM = "films"  # of the address
SAMPLE: Picks = (("260", 5), ("1270", 5), ("589", 4), ("1721", 1))  # ids of the bundled films; others are skipped
K = 10


class Found(NamedTuple):
    """What the model makes of the picks."""

    history: History
    listed: pd.DataFrame


def draw(language: str) -> None:
    """Draw the picker and what follows from the picks. Raises InputError where the model refuses them."""
    data = state.dataset()
    _open(data, language)
    with st.container(border=True):
        _picker(data, language)
    chosen = FILMS.get()
    address.show(
        PARAM,
        picks.write(chosen) if chosen else None,
        ["behaviour_add", *(STARS.of(item).name for item in dict(chosen))],
    )
    kept = control("beside", chosen, picks.write, _read, FILMS.set, language) if chosen else None
    if not chosen:
        st.info(t("behaviour.empty", language), icon=":material/playlist_add:")
        st.button(
            t("behaviour.try", language), icon=":material/lightbulb:", key="behaviour_try", on_click=_try, args=(data,)
        )
        return
    model = state.model()
    events = [(item, float(stars)) for item, stars in chosen]
    found = Found(model.history(history=events), model.recommend(history=events, k=K))
    _warn(found.history, model, language)
    if kept and kept != chosen:
        other = model.recommend(history=[(item, float(stars)) for item, stars in kept], k=K)
        comparison.lists(other, found.listed, language)
    _results(model, data, found, language)


# --- the picks --------------------------------------------------------------------------------------------------------


def _open(data: Interactions, language: str) -> None:
    """Take over the picks that the address brings; else keep those of the session."""
    link = address.arrived(PARAM)
    if link:
        try:
            FILMS.set(_read(link))
        except InputError:
            st.warning(t("behaviour.bad_films", language), icon=":material/link_off:")
            FILMS.set(())
    elif link == "":
        FILMS.set(())


def _read(link: str) -> Picks:
    """Picks of films that the data has. Raises InputError for any other text."""
    data, chosen = state.dataset(), picks.read(link)
    for item, _ in chosen:
        data.item_row(item)
    return chosen


def _picker(data: Interactions, language: str) -> None:
    """The field to add a film, then one line a film: title, stars, a button that takes it out."""
    chosen = FILMS.get()
    full = len(chosen) >= MOST_PICKS
    search.field("behaviour_add", t("behaviour.add", language), data, language, _add, but=dict(chosen), disabled=full)
    for item, stars in chosen:
        own = STARS.of(item)
        own.set(stars - 1)  # st.feedback counts from 0
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(safe(data.items.titles[data.item_row(item)]), width=300)
            st.feedback("stars", key=own.name, on_change=_rate, args=(item,))
            st.button(
                t("behaviour.remove", language),
                icon=":material/close:",
                type="tertiary",
                key=f"behaviour_remove_{item}",
                on_click=_remove,
                args=(item,),
            )
    if chosen:
        st.caption(t("behaviour.stars_say", language))
    undo.note(PARAM, chosen)
    if chosen or len(undo.states(PARAM)) > 1:
        undo.bar(PARAM, FILMS.set, partial(_sentence, data), language)


def _sentence(data: Interactions, before: Picks, after: Picks, language: str) -> str:
    """An edit of the picks in words."""
    old, new = dict(before), dict(after)

    def titles(items: list[str]) -> str:
        return t("words.and", language).join(safe(data.items.titles[data.item_row(item)], 60) for item in items)

    said = []
    if came := [item for item in new if item not in old]:
        said.append(t("behaviour.edit_added", language, names=titles(came)))
    if gone := [item for item in old if item not in new]:
        said.append(t("behaviour.edit_removed", language, names=titles(gone)))
    for item in new:
        if item in old and old[item] != new[item]:
            stars = {"before": old[item], "after": new[item]}
            said.append(t("behaviour.edit_rated", language, name=titles([item]), **stars))
    return " · ".join(said)


def _add(item: str) -> None:
    chosen = FILMS.get()
    if item not in dict(chosen) and len(chosen) < MOST_PICKS:
        FILMS.set((*chosen, (item, MOST_STARS)))


def _rate(item: str) -> None:
    got = STARS.of(item).get()
    if got is not None and 0 <= got < MOST_STARS:  # a second click on the same star takes it away: keep the last
        FILMS.set(tuple((i, got + 1 if i == item else s) for i, s in FILMS.get()))


def _remove(item: str) -> None:
    FILMS.set(tuple(pick for pick in FILMS.get() if pick[0] != item))


def _try(data: Interactions) -> None:
    """A first example: films of SAMPLE that the data has, or its first four items."""
    known = tuple(pick for pick in SAMPLE if _is_known(data, pick[0]))
    FILMS.set(known or tuple((item, MOST_STARS) for item in data.items.ids[:4]))


def _is_known(data: Interactions, item: str) -> bool:
    try:
        data.item_row(item)
    except UnknownIdError:
        return False
    return True


# --- results ----------------------------------------------------------------------------------------------------------


def _warn(history: History, model: Recommender, language: str) -> None:
    """Say where there is little to go by."""
    if (signed(history.rating, len(history), model.scale_) < 0).all():
        st.warning(t("behaviour.all_disliked", language), icon=":material/thumb_down:")
    elif len(history) == 1:
        st.warning(t("behaviour.one_film", language), icon=":material/hourglass_empty:")


def _results(model: Recommender, data: Interactions, found: Found, language: str) -> None:
    with st.container(border=True):
        st.subheader(t("behaviour.recommended", language))
        target = _list(found.listed, language)
    ledger = model.explain(history=found.history, item=target, k=K)
    with st.container(border=True):
        st.subheader(t("behaviour.attention", language))
        st.markdown(safe(ledger.text(language, scenario=state.scenario()), 2000))
        _attention(ledger, language)
    genres = _genres(data, data.checksum)
    if genres.names:
        with st.container(border=True):
            st.subheader(t("behaviour.fused_genres", language))
            st.markdown(t("behaviour.fused_genres_say", language))
            _profile(ledger, found.history, genres, model, language)


def _list(listed: pd.DataFrame, language: str) -> str:
    """The recommended films, and the one of them to be explained."""
    columns = {
        "rank": t("behaviour.rank", language),
        "title": t("behaviour.film", language),
        "score": t("chart.score", language),
        "base": t("term.base", language),
    }
    numbers = {columns[name]: st.column_config.NumberColumn(format="%.5f") for name in ("score", "base")}
    st.dataframe(
        listed[list(columns)].rename(columns=columns),
        hide_index=True,
        column_config=numbers,
        alt=t("behaviour.recommended", language),
    )
    titles = dict(zip(listed["item"], listed["title"], strict=True))
    return address.select(
        "item",
        list(titles),
        key="behaviour_target",
        label=t("behaviour.explain", language),
        words=titles.__getitem__,
    )


def _attention(ledger: Ledger, language: str) -> None:
    """Weights as bars, then weight, contribution and removal effect side by side: the first alone would mislead."""
    events = ledger.events()
    columns = {
        "title": t("behaviour.film", language),
        "rating": t("behaviour.stars", language),
        "weight": t("term.weight", language),
        "contribution": t("term.contribution", language),
        "effect": t("term.removal_effect", language),
    }
    named = events[list(columns)].rename(columns=columns)
    figures(
        charts.weight_chart(list(events["title"]), events["weight"], language),
        named[[columns["title"], columns["weight"]]],
        key="behaviour_films_chart",
    )
    signed_numbers = {
        columns[name]: st.column_config.NumberColumn(format="%+.5f") for name in ("contribution", "effect")
    }
    st.dataframe(
        named,
        hide_index=True,
        column_config={**signed_numbers, columns["weight"]: st.column_config.NumberColumn(format="percent")},
        alt=t("behaviour.side_by_side", language),
    )


def _profile(ledger: Ledger, history: History, genres: FeatureSet, model: Recommender, language: str) -> None:
    events = ledger.events().set_index("position")
    weight = events["weight"].reindex(range(len(history)), fill_value=0.0).to_numpy()
    profile = fused_profile(history, weight, genres, model.scale_)
    label = {name: genres.label(feature) for feature, name in enumerate(genres.names)}
    features = [genre_name(label[name], language) for name in profile.total.index]
    titles = [str(title) for title in events["title"].reindex(profile.contributions.index)]
    wide = charts.contribution_table(titles, features, profile.contributions, profile.total).T
    figures(
        charts.profile_chart(features, profile.total, language),
        twin(wide, t("behaviour.genre", language)),
        key="behaviour_profile_chart",
    )


@kept(st.cache_resource, max_entries=4)
def _genres(_data: Interactions, checksum: str) -> FeatureSet:
    """The genres of the items as features; none where the data has no genres."""
    found = feature_set(_data.items)
    return found.only([f for f, block in enumerate(found.blocks) if block.lower().startswith("genre")])
