"""What stands behind a card: a scenario's data and its fitted model, made once for all visitors and never changed."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import streamlit as st

from xattn.app import state
from xattn.app.recommend.view import View
from xattn.app.ui.language import lang
from xattn.data import Interactions
from xattn.i18n import t
from xattn.recommenders import Recommender
from xattn.scenarios import Scenario, ScenarioSet, load
from xattn.scenarios.fetch.home import folder_of
from xattn.scenarios.run import somebody
from xattn.scenarios.sets import at_hand

__all__ = ["K", "Opened", "opened", "people", "view_of"]

K = 8  # items that are listed
PEOPLE = 12  # who can be chosen
FEWEST, MOST = 3, 120  # events of theirs


class Opened(NamedTuple):
    """A scenario with its data and the model that was fitted to them."""

    scenario: Scenario
    found: ScenarioSet
    model: Recommender

    @property
    def label(self) -> str:
        """What its answers are kept under: nothing else is called so."""
        return f"scenario {self.scenario.manifest.name} {self.found.kind}"


def opened(name: str) -> Opened:
    """The scenario on the first of its data that are at hand. Raises InputError where these cannot be read."""
    manifest = load(name).manifest
    kind = at_hand(manifest)[0]
    folder = folder_of(manifest.real.set) if manifest.real is not None and kind == "real" else None
    with st.spinner(t("app.fitting", lang())):
        one = _opened(name, kind, str(folder))
    found = replace(one.found, data=one.found.data.in_language(lang()))
    return one._replace(found=found, model=state.speaking(one.model, lang()))


@st.cache_resource(show_spinner=False, max_entries=10)
def _opened(name: str, kind: str, folder: str) -> Opened:
    scenario = load(name)
    found = scenario.data(kind)
    return Opened(scenario, found, scenario.model(found).fit(found.data))


def people(data: Interactions) -> list[str]:
    """Somebody with a history of middling length first, then others from short to long histories."""
    lengths = np.diff(data.indptr)
    rows = np.flatnonzero((lengths >= FEWEST) & (lengths <= MOST))
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    chosen = rows[np.linspace(0, len(rows) - 1, min(PEOPLE, len(rows))).astype(int)]
    return list(dict.fromkeys([somebody(data), *(data.user_ids[row] for row in chosen.tolist())]))


def view_of(one: Opened, user: str, item: str | None = None, without: tuple[int, ...] = ()) -> View:
    """What is asked of the scenario's model for a person."""
    k = min(K, one.found.data.n_items)
    return View(user, one.label, k, item=item, without=without, seen=one.scenario.manifest.seen)
