"""What a visitor changed about a list: events left out, opinions given, heads muted; in words, as a diff, undone."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from xattn.app.recommend import opinions
from xattn.app.recommend.list_diff import list_diff
from xattn.app.recommend.present import EDITS, change, present
from xattn.app.recommend.view import View
from xattn.app.ui import undo
from xattn.app.ui.figures import csv_button
from xattn.app.ui.text import safe, spoken
from xattn.app.words import t
from xattn.i18n.numbers import figure
from xattn.i18n.titles import natural
from xattn.recommenders import Recommender
from xattn.viz.names import head_name

__all__ = ["give", "mute", "panel"]

NAMED = 3  # titles in a sentence


def _restore(view: View) -> None:
    now = present().edited_as(view)
    change(said=now.said, without=now.without, muted=now.muted)


def give(item: str, kind: str, events: int) -> None:
    """Take in an opinion; what was said of the item before no longer counts. `events` of the history are older than
    any opinion: of those alone it is remembered whether they are left out."""
    view = present()
    change(
        said=opinions.added(view.said, item, kind),
        without=tuple(position for position in view.without if position < events),
        item=None if view.item == item else view.item,
    )


def mute(head: str) -> None:
    """Mute a head, or let it speak again."""
    muted = present().muted
    change(muted=tuple(name for name in muted if name != head) if head in muted else (*muted, head))


def panel(fitted: Recommender, view: View, language: str) -> None:
    """Beside the list: what is changed and what the last edit moved, undo. It is as high when nothing was changed, so
    that nothing moves when something is."""
    undo.note(EDITS, view, lambda state: state.edits)
    before = [view.edited_as(state) for state in undo.states(EDITS)[-2:-1]]
    is_plain = not any(view.edits)
    words = _Words(fitted, view.plain)
    with st.container(key="rec_changes" if before or not is_plain else "rec_unchanged", gap="xsmall"):
        moved = list_diff(fitted, before[0], view) if before else None
        if moved is not None:
            text = _diff_says(moved, words.edit(before[0], view, language), language)
        else:
            text = words.all(view, language) if not is_plain else f":gray[{t('recommendations.unchanged', language)}]"
        st.markdown(text)
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall"):
            undo.bar(EDITS, _restore, words.edit, language)
            st.button(
                t("recommendations.put_back", language),
                key="rec_put_back",
                icon=":material/restart_alt:",
                disabled=is_plain,
                on_click=_restore,
                args=(view.plain,),
                help=None if is_plain else words.all(view, language),
            )
            with st.popover(
                t("recommendations.diff_why", language), icon=":material/swap_vert:", disabled=moved is None
            ):
                if moved is not None:
                    _diff(moved, view.exact, language)


class _Words:
    """Edits in words, for the question `plain`."""

    def __init__(self, fitted: Recommender, plain: View) -> None:
        self.data, self.plain = fitted.data_, plain

    def _title(self, item: str) -> str:
        return spoken(self.data.items.titles[self.data.item_row(item)], 60)

    def _events(self, view: View, positions: tuple[int, ...], language: str) -> str:
        events = self.plain.edited_as(view).events(self.data)
        titles = [spoken(self.data.items.titles[events.item[p]], 60) for p in positions[:NAMED]]
        more = [t("undo.more", language, n=len(positions) - NAMED)] if len(positions) > NAMED else []
        return t("words.and", language).join([*titles, *more])

    def all(self, view: View, language: str) -> str:
        """Everything that is changed now, one sentence a kind."""
        said = []
        if view.without:
            names = self._events(view, view.without, language)
            said.append(t("recommendations.left_out", language, n=len(view.without), names=names))
        for kind in opinions.KINDS:
            titles = [self._title(item) for item, own in view.said if own == kind]
            if titles:
                names = t("words.and", language).join(titles)
                said.append(t(f"recommendations.said_{kind}", language, names=names))
        if view.muted:
            heads = t("words.and", language).join(safe(head_name(name, language)) for name in view.muted)
            said.append(t("recommendations.muted", language, names=heads))
        return "  \n".join(said)

    def edit(self, before: View, after: View, language: str) -> str:
        """One edit."""
        out = tuple(p for p in after.without if p not in before.without)
        back = tuple(p for p in before.without if p not in after.without)
        new = [pair for pair in after.said if pair not in before.said]
        muted = set(after.muted) ^ set(before.muted)
        if not any(after.edits):
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


def _diff_says(frame: pd.DataFrame, edit: str, language: str) -> str:
    """What came of the last edit, in a sentence."""
    new = int(((frame["rank_before"] == 0) & (frame["rank_after"] > 0)).sum())
    gone = int((frame["rank_after"] == 0).sum())
    both = frame[(frame["rank_before"] > 0) & (frame["rank_after"] > 0)]
    other = int((both["rank_before"] != both["rank_after"]).sum())
    if not new and not gone and not other:
        return t("recommendations.nothing_moved", language, edit=edit)
    return t("recommendations.diff", language, edit=edit, new=new, gone=gone, moved=other)


def _diff(frame: pd.DataFrame, exact: bool, language: str) -> None:
    """The table behind it: places, and the event behind each move; exact numbers where they are wanted."""
    st.caption(t("recommendations.diff_help", language))
    columns = {
        t("recommendations.film", language): [natural(str(title))[:200] for title in frame["title"]],
        t("recommendations.rank_before", language): _ranks(frame["rank_before"]),
        t("recommendations.rank_after", language): _ranks(frame["rank_after"]),
    }
    if exact:
        columns[t("recommendations.score_before", language)] = [figure(x) for x in frame["score_before"]]
        columns[t("recommendations.score_after", language)] = [figure(x) for x in frame["score_after"]]
    columns[t("recommendations.mostly", language)] = [
        (f"{natural(title)[:80]} ({figure(amount, sign=True)})" if exact else natural(title)[:80]) if title else "–"
        for title, amount in zip(frame["because"], frame["change"], strict=True)
    ]
    table = pd.DataFrame(columns)
    st.dataframe(table, hide_index=True, key="rec_diff", alt=t("recommendations.diff_why", language))
    csv_button(table, "rec_diff", language)


def _ranks(ranks: pd.Series) -> list[str]:
    return ["–" if rank == 0 else str(rank) for rank in ranks]
