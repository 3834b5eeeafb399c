"""One scenario: its list as a living picture, why an item stands there, whom it serves, and what to watch.

The list and what is below it are one fragment: a click in the picture moves the visitor to another place (`place.py`),
and draws only this part anew.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from xattn.app import state
from xattn.app.picture.component import draw as draw_picture
from xattn.app.picture.component import follow
from xattn.app.picture.scene import scene
from xattn.app.recommend import reasons
from xattn.app.recommend.answers import ledger, listed
from xattn.app.recommend.exact import switch
from xattn.app.recommend.picture import removed, shown, stamp_of
from xattn.app.recommend.view import View
from xattn.app.scenarios import place, watch, whom
from xattn.app.scenarios.gallery import picture
from xattn.app.scenarios.opened import Opened, opened, people, view_of
from xattn.app.scenarios.place import Place
from xattn.app.state import Own
from xattn.app.ui import address
from xattn.app.ui.refusals import reporting
from xattn.app.ui.session import GO_TO, widget
from xattn.app.ui.text import plain, safe
from xattn.data import Interactions
from xattn.explain import Origin
from xattn.i18n import t

__all__ = ["draw"]

LONGEST = 5000  # characters of an explanation


def draw(name: str, complaints: list[str], language: str) -> None:
    """Draw the scenario of this name; what the address got wrong joins the `complaints`."""
    st.button(
        t("scenarios.all", language),
        key="scenario_all",
        icon=":material/arrow_back:",
        on_click=place.turn,
        args=(None,),
    )
    one = opened(name)
    manifest, data = one.scenario.manifest, one.found.data
    st.title(manifest.title.told(language))
    left, right = st.columns([7, 3], gap="large")
    with left:
        st.markdown(f"{manifest.story.told(language)}  \n:gray[{manifest.persona.told(language)}]")
        for warning in manifest.warnings:
            st.warning(warning.told(language), icon=":material/warning:")
        st.caption(safe(one.found.told(language), 1000))
    with right:
        picture(name, language)
        st.caption(t(f"scenarios.picture_{name.replace('-', '_')}", language))
    known = people(data)
    here = place.here(data, known[0], complaints, language)
    _who(name, data, known, here, language)
    st.fragment(_list)(one, known[0], language)
    _doors(one, language)  # outside of the fragment: another page is turned to
    whom.draw(one, language)
    watch.draw(one, language)
    _elsewhere(one, language)


def _who(name: str, data: Interactions, known: list[str], here: Place, language: str) -> None:
    """Whose list it is."""
    options = known if here.user in known else [here.user, *known]
    key = widget("scenario_who")
    key.set(here.user)
    st.selectbox(
        t("scenarios.who", language),
        options,
        key=key.name,
        format_func=lambda user: t("scenarios.person", language, user=plain(user, 40), n=_count(data, user)),
        on_change=lambda: place.move(name, Place(str(key.get()))),
        width=360,
    )


def _count(data: Interactions, user: str) -> int:
    own = data.events_of(data.user_row(user))
    return int(own.stop - own.start)


# --- the list ---------------------------------------------------------------------------------------------------------


def _list(one: Opened, start: str, language: str) -> None:
    """The picture of the list, and the item that is explained in the words of the field."""
    with reporting(), state.in_words_of(one.found.words):
        here = place.here(one.found.data, start, [], language)
        view = view_of(one, *here)
        frame = listed(one.model, view)
        if frame.empty:
            st.info(t("recommendations.nothing", language))
            return
        name = one.scenario.manifest.name
        values, stamp = scene(shown(one.model, view, language), language), stamp_of(one.model, view, language)
        key = f"scenario_picture_{name}"
        place_after = draw_picture(
            values, stamp, key=key, keep=partial(_keep, name, here), choose=partial(_choose, name, here)
        )
        item = here.item or str(frame["item"].iloc[0])
        _why(one, view, item, language)
        follow(place_after, removed(one.model, view, values, language), stamp, key=key)


def _keep(name: str, here: Place, position: int, kept: bool) -> None:
    others = tuple(p for p in here.without if p != position)
    place.move(name, here._replace(without=others if kept else (*others, position)))


def _choose(name: str, here: Place, item: str | None) -> None:
    place.move(name, here._replace(item=item))


def _why(one: Opened, view: View, item: str, language: str) -> None:
    why = ledger(one.model, view, item)
    with st.container(border=True, key="scenario_why"):
        title = safe(why.title, 80)
        head = (
            t("scenarios.why", language, title=title)
            if why.rank == 1
            else t("scenarios.why_this", language, title=title)
        )
        st.markdown(f"**{head}**")
        exact = switch(language)
        words = why.text(language, "paragraph", one.found.words) if exact else reasons.text(why, "paragraph", language)
        st.markdown(safe(words, LONGEST))
        gap = abs(why.base + float(why.cells["contribution"].sum()) - why.score)
        adds_up = (
            t("scenarios.adds_up_exact", language, gap=f"{gap:.0e}") if exact else t("scenarios.adds_up", language)
        )
        st.caption(adds_up)


def _doors(one: Opened, language: str) -> None:
    """Ways on: all pages on this scenario, and the replay of its events."""
    with st.container(horizontal=True, key="scenario_doors"):
        for path, icon in (("live", ":material/bolt:"), ("recommendations", ":material/recommend:")):
            st.button(
                t(f"scenarios.go_{path}", language),
                key=f"scenario_go_{path}",
                icon=icon,
                on_click=_go,
                args=(one, path),
                help=t("scenarios.go_help", language),
            )


def _go(one: Opened, path: str) -> None:
    """Show this visitor the scenario's data and model on every page, and turn to one of them."""
    with reporting():
        state.hold(Own(one.found.data, one.model, Origin(), one.found.words, seen=one.scenario.manifest.seen))
        GO_TO.set(path)


def _elsewhere(one: Opened, language: str) -> None:
    """The same as a command and as Python."""
    name = one.scenario.manifest.name
    with address.part("elsewhere", t("mine.elsewhere", language), icon=":material/terminal:"):
        st.code(f"xattn scenario run {name} --evaluate", language="bash")
        st.code(
            f'from xattn import scenarios\n\noutcome = scenarios.load("{name}").run()\nprint(outcome.text())',
            language="python",
        )
