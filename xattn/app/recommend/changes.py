"""What a visitor changed about a list: events left out, opinions given, heads muted; told, shown as a diff, undone."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import streamlit as st

from xattn.app.recommend import opinions
from xattn.app.recommend.answers import Asked, history_of
from xattn.app.recommend.list_diff import moved
from xattn.app.recommend.opinions import Opinions
from xattn.app.ui import address, undo
from xattn.app.ui.figures import csv_button
from xattn.app.ui.text import safe
from xattn.i18n import t
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender
from xattn.viz.names import head_name

__all__ = ["PAST", "Changes", "give", "mute", "panel", "present"]

PAST = "rec"  # of the session: the edits of the list
NAMED = 3  # titles in a sentence


class Changes(NamedTuple):
    """All that sets a list apart from the plain one."""

    said: Opinions = ()
    without: tuple[int, ...] = ()
    muted: tuple[str, ...] = ()

    def asked(self, plain: Asked) -> Asked:
        """The question with these changes."""
        return plain._replace(said=self.said, without=tuple(sorted(self.without)), muted=self.muted)


def present() -> Changes:
    """The changes of this session."""
    session = st.session_state
    return Changes(session["rec_said"], tuple(session["rec_without"]), session["rec_muted"])


def _restore(changes: Changes) -> None:
    st.session_state.update(rec_said=changes.said, rec_without=list(changes.without), rec_muted=changes.muted)


def give(item: str, kind: str, events: int) -> None:
    """Take in an opinion; what was said of it before no longer counts. `events` of the history are older than any."""
    session = st.session_state
    session["rec_said"] = opinions.added(session["rec_said"], item, kind)
    session["rec_without"] = [p for p in session["rec_without"] if p < events]
    if session["rec_item"] == item:
        session["rec_item"] = None


def mute(head: str) -> None:
    """Mute a head, or let it speak again."""
    muted = st.session_state["rec_muted"]
    st.session_state["rec_muted"] = tuple(name for name in muted if name != head) if head in muted else (*muted, head)


def panel(fitted: Recommender, plain: Asked, language: str) -> None:
    """Above the list: what is changed, undo, and what the last edit moved. Nothing where nothing was changed."""
    now = present()
    undo.note(PAST, now)
    if now == Changes() and len(undo.states(PAST)) < 2:
        return
    words = _Words(fitted, plain)
    with st.container(border=True, key="rec_changes"):
        if now != Changes():
            st.markdown(words.all(now, language))
        with st.container(horizontal=True, vertical_alignment="center"):
            undo.bar(PAST, _restore, words.told, language)
            st.button(
                t("recommendations.put_back", language),
                key="rec_put_back",
                icon=":material/restart_alt:",
                disabled=now == Changes(),
                on_click=_restore,
                args=(Changes(),),
            )
        before = undo.states(PAST)[-2:-1]
        if before:
            _diff(
                moved(fitted, before[0].asked(plain), now.asked(plain)), words.told(before[0], now, language), language
            )


class _Words:
    """Changes in words, for one question."""

    def __init__(self, fitted: Recommender, plain: Asked) -> None:
        self.fitted, self.plain = fitted, plain

    def _title(self, item: str) -> str:
        return safe(self.fitted.data_.items.titles[self.fitted.data_.item_row(item)], 60)

    def _events(self, changes: Changes, positions: tuple[int, ...], language: str) -> str:
        events = history_of(self.fitted, self.plain._replace(said=changes.said))
        titles = [safe(self.fitted.data_.items.titles[events.item[p]], 60) for p in positions[:NAMED]]
        more = [t("undo.more", language, n=len(positions) - NAMED)] if len(positions) > NAMED else []
        return t("words.and", language).join([*titles, *more])

    def all(self, changes: Changes, language: str) -> str:
        """Everything that is changed now, one sentence a kind."""
        said = []
        if changes.without:
            names = self._events(changes, changes.without, language)
            said.append(t("recommendations.left_out", language, n=len(changes.without), names=names))
        for kind in opinions.KINDS:
            titles = [self._title(item) for item, own in changes.said if own == kind]
            if titles:
                names = t("words.and", language).join(titles)
                said.append(t(f"recommendations.said_{kind}", language, names=names))
        if changes.muted:
            heads = t("words.and", language).join(safe(head_name(name, language)) for name in changes.muted)
            said.append(t("recommendations.muted", language, names=heads))
        return "  \n".join(said)

    def told(self, before: Changes, after: Changes, language: str) -> str:
        """One edit."""
        out = tuple(p for p in after.without if p not in before.without)
        back = tuple(p for p in before.without if p not in after.without)
        new = [pair for pair in after.said if pair not in before.said]
        muted = set(after.muted) ^ set(before.muted)
        if after == Changes():
            return t("recommendations.put_back", language)
        if new:
            item, kind = new[-1]
            return t(f"recommendations.said_{kind}", language, names=self._title(item))
        if muted:
            key = "recommendations.muted" if len(after.muted) > len(before.muted) else "recommendations.unmuted"
            names = t("words.and", language).join(safe(head_name(name, language)) for name in sorted(muted))
            return t(key, language, names=names)
        if out:
            names = self._events(after, out, language)
            return t("recommendations.left_out", language, n=len(out), names=names)
        return t("recommendations.came_back", language, names=self._events(before, back, language))


def _diff(frame: pd.DataFrame, edit: str, language: str) -> None:
    """What came of the last edit: a sentence, and the table behind it."""
    new = int(((frame["rank_before"] == 0) & (frame["rank_after"] > 0)).sum())
    gone = int((frame["rank_after"] == 0).sum())
    both = frame[(frame["rank_before"] > 0) & (frame["rank_after"] > 0)]
    other = int((both["rank_before"] != both["rank_after"]).sum())
    if not new and not gone and not other:
        st.caption(t("recommendations.nothing_moved", language, edit=edit))
        return
    st.markdown(t("recommendations.diff", language, edit=edit, new=new, gone=gone, moved=other))
    with address.part("moved", t("recommendations.diff_why", language), icon=":material/swap_vert:"):
        st.caption(t("recommendations.diff_help", language))
        table = pd.DataFrame(
            {
                t("recommendations.film", language): [str(title)[:200] for title in frame["title"]],
                t("recommendations.rank_before", language): _ranks(frame["rank_before"]),
                t("recommendations.rank_after", language): _ranks(frame["rank_after"]),
                t("recommendations.score_before", language): [figure(x) for x in frame["score_before"]],
                t("recommendations.score_after", language): [figure(x) for x in frame["score_after"]],
                t("recommendations.mostly", language): [
                    f"{title[:80]} ({figure(amount, sign=True)})" if title else "–"
                    for title, amount in zip(frame["because"], frame["change"], strict=True)
                ],
            }
        )
        st.dataframe(table, hide_index=True, key="rec_diff", alt=t("recommendations.diff_why", language))
        csv_button(table, "rec_diff", language)


def _ranks(ranks: pd.Series) -> list[str]:
    return ["–" if rank == 0 else str(rank) for rank in ranks]
