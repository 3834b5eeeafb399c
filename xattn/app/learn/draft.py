"""A draft: the sheet that somebody edits on a page, with the link that carries it.

base   what the editors start from: they are never fed their own edits
now    what stands in them
version of the editors: a new one makes them forget earlier edits
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st

from xattn.app.learn.sheet import Sheet, encode, is_whole
from xattn.app.ui import address, undo
from xattn.app.ui.session import BASE, NOW, VERSION
from xattn.errors import InputError

__all__ = ["Draft"]


@dataclass(frozen=True)
class Draft:
    """The draft of one page: its name in the session and for undo, its parameter of the address, `read` for a link
    (raises InputError), and `fill`, which gives the widgets beside the editors what a sheet holds."""

    page: str
    param: str
    read: Callable[[str], Sheet]
    fill: Callable[[Sheet], None]

    @property
    def base(self) -> Sheet:
        """The sheet that the editors start from."""
        base: Sheet = BASE.of(self.page).get()
        return base

    @property
    def now(self) -> Sheet:
        """The sheet that stands in the editors, as of the last run."""
        now: Sheet = NOW.of(self.page).get()
        return now

    def key(self, part: str) -> str:
        """The key of one editor."""
        return f"{self.page}_{part}_{VERSION.of(self.page).get()}"

    def load(self, sheet: Sheet) -> None:
        """Make `sheet` what the editors and widgets start from."""
        BASE.of(self.page).set(sheet)
        NOW.of(self.page).set(sheet)
        VERSION.of(self.page).set(VERSION.of(self.page).get() + 1)
        self.fill(sheet)

    def take(self, sheet: Sheet) -> None:
        """Note what stands in the editors now; where it differs from before, it can be undone."""
        NOW.of(self.page).set(sheet)
        undo.note(self.page, sheet)

    def link(self, sheet: Sheet) -> str | None:
        """The link of a sheet; None where no link can carry it (an empty cell, too long)."""
        if not is_whole(sheet):
            return None
        link = encode(sheet)
        try:
            self.read(link)
        except InputError:
            return None
        return link

    def open(self, start: Sheet, bad_link: str) -> None:
        """Take over what the address brings; else go on with what was typed; else begin with `start`. `bad_link` is
        said of a link that cannot be read."""
        link = address.arrived(self.param)
        if link:
            try:
                self.load(self.read(link))
            except InputError:
                self.load(start)
                st.warning(bad_link, icon=":material/link_off:")
        elif link == "":
            self.load(start)
        elif address.is_new_here(self.param):
            self.load(self.now or start)

    def publish(self, sheet: Sheet, start: Sheet, editors: Iterable[str], widgets: Iterable[str]) -> str | None:
        """Put the sheet into the address, `start` as a bare one, and return its link; a sheet that no link can carry
        leaves the last one there."""
        link = self.link(sheet)
        keys = [*widgets, *map(self.key, editors)]
        if link is None:
            address.stay(self.param, keys)
        else:
            address.show(self.param, None if sheet == start else link, keys)
        return link
