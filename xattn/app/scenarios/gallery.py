"""The ten cards: a picture that is drawn from the scenario's own data, what people do there, which data are at hand."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path

import streamlit as st

from xattn.app.scenarios import place
from xattn.i18n import t
from xattn.scenarios import load, names
from xattn.scenarios.fetch.home import folder_of, is_sample
from xattn.scenarios.sets import at_hand

__all__ = ["draw", "picture"]

HERE = Path(__file__).parent
NARROWEST = 165  # pixels of a card


def draw(language: str) -> None:
    """Draw the cards."""
    with st.grid(5, min_column_width=NARROWEST, gap="small", key="scenario_cards"):
        for name in names():
            _card(name, language)


def _card(name: str, language: str) -> None:
    manifest = load(name).manifest
    title = manifest.title.told(language)
    kind = at_hand(manifest)[0]
    folder = folder_of(manifest.real.set) if manifest.real is not None and kind == "real" else None
    what = "sample" if folder is not None and is_sample(folder) else kind
    with st.container(border=True, key=f"scenario_card_{name}", height="stretch"):
        picture(name, language)
        st.markdown(f"#### {title}")
        badge = ":blue-badge" if kind == "real" else ":gray-badge"
        st.markdown(f"{badge}[{t(f'scenarios.on_{what}', language)}]")
        st.caption(manifest.persona.told(language))
        st.button(
            t("scenarios.open", language, title=title),
            key=f"scenario_open_{name}",
            icon=":material/arrow_forward:",
            icon_position="right",
            width="stretch",
            on_click=place.turn,
            args=(name,),
        )


def picture(name: str, language: str) -> None:
    """The picture of a scenario; a screen reader says what it shows."""
    drawn = b64encode(HERE.joinpath("pictures", f"{name}.svg").read_bytes()).decode()
    says = t(f"scenarios.picture_{name.replace('-', '_')}", language)
    st.html(f'<img class="scenario-picture" src="data:image/svg+xml;base64,{drawn}" alt="{escape(says)}">')
