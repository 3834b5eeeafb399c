"""More about the list of a visitor: its numbers, the attention behind one item, genres, another setting beside it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.front import comparison
from xattn.app.recommend.answers import ledger, listed
from xattn.app.recommend.view import View
from xattn.app.ui import address, picks
from xattn.app.ui.caches import kept
from xattn.app.ui.figures import figures, twin
from xattn.app.ui.picks import Picks
from xattn.app.ui.pinned import control
from xattn.app.ui.session import FILMS
from xattn.app.words import t
from xattn.data import FeatureSet, History, Interactions
from xattn.explain import Ledger
from xattn.explain.profile import fused_profile
from xattn.features import feature_set
from xattn.recommenders import Recommender
from xattn.viz import attention as charts
from xattn.viz.names import genre_name

__all__ = ["draw"]


def draw(view: View, data: Interactions, language: str) -> None:
    """Draw this part of the page for a view whose item is explained; it is closed at first."""
    with address.part("more", t("front.more_title", language), icon=":material/expand_more:") as box:
        if not box.open:
            return
        model = state.model()
        kept = control("beside", view.films, picks.write, _known, FILMS.set, language)
        found = listed(model, view)
        if kept and kept != view.films:
            other = model.recommend(history=picks.events(data, kept), k=view.k)
            comparison.lists(other, found, language)
        _numbers(found, language)
        why = ledger(model, view, str(view.item))
        st.subheader(t("behaviour.attention", language))
        _attention(why, language)
        genres = _genres(data, data.checksum)
        if genres.names:
            st.subheader(t("behaviour.fused_genres", language))
            st.markdown(t("behaviour.fused_genres_say", language))
            _profile(why, view.events(data), genres, model, language)


def _known(link: str) -> Picks:
    """Picks of films that the data has. Raises InputError for any other text."""
    return picks.known(state.dataset(), link)


def _numbers(listed: pd.DataFrame, language: str) -> None:
    """The recommended films with their scores."""
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


@kept(st.cache_resource, speaks=False, max_entries=4)
def _genres(_data: Interactions, checksum: str) -> FeatureSet:
    """The genres of the items as features; none where the data has no genres."""
    found = feature_set(_data.items)
    return found.only([f for f, block in enumerate(found.blocks) if block.lower().startswith("genre")])
