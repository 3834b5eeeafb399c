"""The picture in the browser: one small component of our own, plain SVG and HTML, no network.

Text reaches the page as text nodes alone. The component tells two things: an event was ticked or unticked, an item was
clicked. Both are checked here like anything that a client sends. What the removals do comes later, through a component
that shows nothing and hands it over in the browser.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from xattn.app.ui.session import widget

__all__ = ["LATER", "SCRIPT", "draw", "follow"]

HERE = Path(__file__).parent
SCRIPT = "\n".join(HERE.joinpath(name).read_text("utf-8") for name in ("picture.js", "ribbons.js", "table.js"))
_picture = st.components.v2.component(
    "xattn_picture",
    html='<div class="xp"></div>',
    css=HERE.joinpath("picture.css").read_text("utf-8"),
    js=SCRIPT,
)
LATER = HERE.joinpath("removals.js").read_text("utf-8")
_removals = st.components.v2.component("xattn_removals", html="<span hidden></span>", js=LATER)


def draw(
    scene: dict[str, Any],
    stamp: str,
    *,
    key: str,
    keep: Callable[[int, bool], None],
    choose: Callable[[str | None], None],
) -> DeltaGenerator:
    """Draw `scene` (`picture.scene`), which is known by its `stamp`; the place in which its removals `follow`.

    `keep(position, kept)` is called when an event of it was ticked or unticked, `choose(item)` when an item of it was
    clicked (None: a second time)."""
    rows = [row["key"] for row in scene["rows"] if row["label"]]  # lists: what is looked for may be anything
    items = [item["id"] for item in scene["items"]]

    def kept() -> None:
        told = getattr(widget(key).get(), "keep", None)
        if isinstance(told, dict) and told.get("row") in rows and isinstance(told.get("keep"), bool):
            keep(int(told["row"]), told["keep"])

    def chosen() -> None:
        told = getattr(widget(key).get(), "choose", None)
        if isinstance(told, dict) and (told.get("item") is None or told["item"] in items):
            choose(told.get("item"))

    with st.container(gap=None):
        _picture(key=key, data={**scene, "stamp": stamp}, on_keep_change=kept, on_choose_change=chosen)
        return st.container(gap=None)


def follow(place: DeltaGenerator, removals: dict[str, Any], stamp: str, *, key: str) -> None:
    """Give the picture of this `stamp` what its removals do (`picture.scene.removals`)."""
    with place:
        _removals(key=f"{key}_removals", data={**removals, "stamp": stamp})
