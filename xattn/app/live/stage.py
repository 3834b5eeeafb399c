"""What the page stands on: a store of its own for each session, in a folder that goes with the session.

A `Stage` takes in events one after the other, and keeps of each what it did: the list before and after, and how long
the store and the list took. All of it is the work of `xattn.live.Live`; nothing is computed for show. Where a history
is replayed, its pauses pass on the clock of the store, though nobody waits for them.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from xattn.app import state
from xattn.data import History, Interactions
from xattn.data.history import DAY
from xattn.i18n.titles import natural
from xattn.live import Live, Plan, open_store
from xattn.live.changes import Change
from xattn.live.person import Person, known_to
from xattn.live.record import Numbers
from xattn.live.serving import ServedList
from xattn.recommenders import Recommender
from xattn.requests.answers import Listed

__all__ = ["K", "Stage", "Step", "stage"]

K = 10  # length of the list
VISITOR = "visitor"
MOST_STEPS = 200  # changes that are kept to be shown; the store keeps all


@dataclass(frozen=True)
class Step:
    """One thing that came: an event or something said (`id`, `kind`, the `item` row or None), what it did to the list,
    and the milliseconds until it was durable and until the next list was there."""

    id: str
    kind: str
    item: int | None
    value: float | None
    before: tuple[Listed, ...]
    after: tuple[Listed, ...]
    stored_ms: float
    list_ms: float

    @property
    def entered(self) -> list[Listed]:
        """What was not in the list before."""
        old = {one.item for one in self.before}
        return [one for one in self.after if one.item not in old]

    @property
    def left(self) -> list[Listed]:
        """What is no longer in the list."""
        now = {one.item for one in self.after}
        return [one for one in self.before if one.item not in now]

    @property
    def moved(self) -> dict[str, int]:
        """By how many places each item that stayed rose (below 0: fell)."""
        old = {one.item: one.rank for one in self.before}
        return {one.item: old[one.item] - one.rank for one in self.after if one.item in old}


class Stage:
    """A store, the model of the pages on it, and one visitor; `replayed` are the events of somebody to be replayed."""

    def __init__(self, model: Recommender) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="xattn-live-")
        self.ahead = 0.0  # seconds of pauses that a replay has left out
        self.store = open_store(f"sqlite:///{self.folder.name}/events.db", clock=lambda: time.time() + self.ahead)
        plan = Plan(solve_after=0, most_models=0, scenario=state.scenario()[:64], seen=state.seen())
        self.live = Live(self.store, model=model, plan=plan)
        self.steps: list[Step] = []
        self.count = 0
        self.played = 0
        self.served: ServedList = self.live.recommend(VISITOR, k=K)

    def close(self) -> None:
        """Free all that was kept."""
        self.live.close()
        self.store.close()
        self.folder.cleanup()

    @property
    def data(self) -> Interactions:
        """The data set of the model."""
        return self.live.serving.model.data_

    def speak(self, model: Recommender) -> None:
        """Let the same model serve that calls items by their titles in another language."""
        if model.data_ is not self.data:
            keeper = self.live.keeper
            keeper.serving = keeper.serving._replace(model=model, data=model.data_)

    def title(self, item: str, limit: int = 60) -> str:
        """The title of an item by its id, cut to a length."""
        return natural(self.data.items.titles[self.data.item_row(item)])[:limit]

    @property
    def person(self) -> Person:
        """The visitor as the list knew them."""
        return known_to(self._row, self.live.serving.data, self.store)

    @property
    def values(self) -> np.ndarray:
        """(k, n) what each event of the history gives to each listed item."""
        row = self._row
        return Numbers.of(row.numbers, len(json.loads(row.items))).ledger

    @property
    def _row(self) -> Any:
        row = self.store.listed(self.served.list_id)
        assert row is not None
        return row

    # --- what comes -------------------------------------------------------------------------------------------------

    def event(self, item: int, value: float | None) -> Step:
        """An event of the visitor on an item row."""
        document: dict[str, Any] = {"id": self._next("event"), "user": VISITOR, "item": self.data.items.ids[item]}
        if value is not None and not np.isnan(value):
            document["value"] = float(value)
        begun = time.perf_counter()
        arrival = self.live.add([document])
        for one in arrival.refused:
            raise one.problem
        return self._step(document["id"], "event", item, document.get("value"), begun)

    def preview(self, document: dict[str, Any]) -> Change:
        """What saying it would do."""
        return self.live.preview(VISITOR, said=[document], k=K)

    def say(self, document: dict[str, Any]) -> Step:
        """Say something of an item, or take something back."""
        own = {"id": self._next("said"), "user": VISITOR, "list_id": self.served.list_id, **document}
        begun = time.perf_counter()
        self.live.say(own, k=K)
        about = document.get("item", document.get("event"))
        row = None if about is None else self.data.item_row(about)
        return self._step(own["id"], own["kind"], row, None, begun)

    def answer(self, form: str, answers: dict[str, Any], lang: str) -> str | None:
        """Keep answers to a form; of a guess, what is true."""
        document = {"id": self._next("answer"), "user": VISITOR, "form": form, "answers": answers, "lang": lang}
        return self.live.answer({**document, "list_id": self.served.list_id})[1]

    def undone(self) -> set[str]:
        """The ids of what was taken back."""
        return {row.undoes for row in self.store.of(VISITOR).feedback if row.kind == "undo"}

    def play(self, history: History) -> Step | None:
        """The next event of a history that is replayed; None at its end."""
        if self.played >= len(history):
            return None
        at, self.played = self.played, self.played + 1
        if at and history.elapsed is not None:
            self.ahead += float(history.elapsed[at - 1] - history.elapsed[at]) * DAY
        return self.event(int(history.item[at]), None if history.rating is None else float(history.rating[at]))

    def advance(self, history: History) -> None:
        """`play`, for a button."""
        self.play(history)

    def tell(self, document: dict[str, Any]) -> None:
        """`say`, for a button."""
        self.say(document)

    def _next(self, kind: str) -> str:
        self.count += 1
        return f"{kind} {self.count}"

    def _step(self, own: str, kind: str, item: int | None, value: float | None, begun: float) -> Step:
        stored = time.perf_counter()
        before: Sequence[Listed] = self.served.items
        self.served = self.live.recommend(VISITOR, k=K)
        done = time.perf_counter()
        spent = ((stored - begun) * 1e3, (done - stored) * 1e3)
        step = Step(own, kind, item, value, tuple(before), self.served.items, *spent)
        self.steps = [*self.steps[1 - MOST_STEPS :], step]
        return step


@st.cache_resource(scope="session", show_spinner=False, max_entries=1, on_release=lambda own: own.close())
def _stage(identity: str, kind: str, round_: int) -> Stage:
    return Stage(state.model())


def stage(round_: int) -> Stage:
    """The stage of this session; another `round_` begins anew with an empty one."""
    found: Stage = _stage(state.identity(), state.default_model(), round_)
    found.speak(state.model())
    return found
