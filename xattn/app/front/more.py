"""More about the list of a visitor: its shares, the attention behind one item, genres, another setting beside it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.front import comparison
from xattn.app.picture.words import base_key, reasons
from xattn.app.recommend.answers import ledger, listed
from xattn.app.recommend.exact import switch
from xattn.app.recommend.units import Units, rank_words
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
from xattn.i18n.numbers import percent
from xattn.i18n.titles import natural
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
            other = model.recommend(history=picks.events(data, kept), k=view.k, seen=view.seen)
            comparison.lists(other, found, language)
        exact = switch(language)
        _numbers([ledger(model, view, item) for item in found["item"]], exact, language)
        why = ledger(model, view, str(view.item))
        st.subheader(t("behaviour.attention", language))
        _attention(why, exact, language)
        genres = _genres(data, data.checksum)
        if genres.names:
            st.subheader(t("behaviour.fused_genres", language))
            st.markdown(t("behaviour.fused_genres_say", language))
            _profile(why, view.events(data), genres, model, exact, language)


def _known(link: str) -> Picks:
    """Picks of films that the data has. Raises InputError for any other text."""
    return picks.known(state.dataset(), link)


def _numbers(ledgers: list[Ledger], exact: bool, language: str) -> None:
    """The list: of each item its first reason, and the shares of that, of popularity, and of what speaks against it."""
    columns = [t(key, language) for key in ("behaviour.rank", "behaviour.film", "shares.reason", "shares.share")]
    columns += [t(key, language) for key in (base_key(state.model().amounts), "front.against")]
    rows: list[tuple[str | int | None, ...]] = []
    for why in ledgers:
        found, title = reasons(why), why.title[:200]
        if found is None:
            rows.append((why.rank, title, "–", "–", "–", "–"))
            continue
        first, share = next(iter(found.first), (None, 0.0))
        named = "–" if first is None else why.title_at(first)[:200]
        rows.append((why.rank, title, named, *(percent(x) for x in (share, found.base, found.against))))
    frame, config = pd.DataFrame(rows, columns=columns), {}
    if exact:
        for name, key in (("score", "chart.score"), ("base", "term.base")):
            frame[t(key, language)] = [getattr(why, name) for why in ledgers]
            config[t(key, language)] = st.column_config.NumberColumn(format="%.5f")
    st.dataframe(frame, hide_index=True, column_config=config, alt=t("behaviour.recommended", language))


def _attention(why: Ledger, exact: bool, language: str) -> None:
    """Weights as bars, then weight, share and place without it side by side: the first alone would mislead."""
    events, units = why.events(), Units.of(why, exact=False)
    weight = t("term.weight", language)
    named = pd.DataFrame(
        {
            t("behaviour.film", language): [natural(title)[:200] for title in events["title"]],
            t("behaviour.stars", language): events["rating"],
            weight: [percent(x) for x in events["weight"]],
            t("shares.share", language): [units.told(x) for x in events["contribution"]],
            t("shares.without", language): [
                rank_words(int(rank) if why.rank is not None else None, language) for rank in events["rank_without"]
            ],
        }
    )
    titles = [natural(title) for title in events["title"]]
    figures(
        charts.weight_chart(titles, events["weight"], language, shares=not exact),
        named.iloc[:, [0, 2]].assign(**({weight: events["weight"]} if exact else {})),
        key="behaviour_films_chart",
    )
    config = {}
    if exact:
        for name, key in (("contribution", "term.contribution"), ("effect", "term.removal_effect")):
            named[t(key, language)] = events[name]
            config[t(key, language)] = st.column_config.NumberColumn(format="%+.5f")
    st.dataframe(named, hide_index=True, column_config=config, alt=t("behaviour.side_by_side", language))


def _profile(why: Ledger, history: History, genres: FeatureSet, model: Recommender, exact: bool, language: str) -> None:
    events = why.events().set_index("position")
    weight = events["weight"].reindex(range(len(history)), fill_value=0.0).to_numpy()
    profile = fused_profile(history, weight, genres, model.scale_)
    label = {name: genres.label(feature) for feature, name in enumerate(genres.names)}
    features = [genre_name(label[name], language) for name in profile.total.index]
    titles = [natural(str(title)) for title in events["title"].reindex(profile.contributions.index)]
    wide = charts.contribution_table(titles, features, profile.contributions, profile.total).T
    figures(
        charts.profile_chart(features, profile.total, language, shares=not exact),
        twin(wide if exact else wide.map(percent), t("behaviour.genre", language)),
        key="behaviour_profile_chart",
    )


@kept(st.cache_resource, speaks=False, max_entries=4)
def _genres(_data: Interactions, checksum: str) -> FeatureSet:
    """The genres of the items as features; none where the data has no genres."""
    found = feature_set(_data.items)
    return found.only([f for f, block in enumerate(found.blocks) if block.lower().startswith("genre")])
