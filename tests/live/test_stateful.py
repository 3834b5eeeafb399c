"""Whatever happens in whatever order, a store and its lists are as a plain dictionary in memory says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.live.stage import data, model, sqlite
from xattn.live import Live, Plan, open_store

USERS = ("ann", "bob", data().user_ids[0])
ITEMS = data().items.ids[:6]
events = st.fixed_dictionaries(
    {
        "id": st.sampled_from([f"e{n}" for n in range(12)]),
        "user": st.sampled_from(USERS),
        "item": st.sampled_from((*ITEMS, "nowhere")),
    },
    optional={"time": st.integers(0, 5), "value": st.sampled_from([1.0, 3.0, 5.0])},
)


class Machine(RuleBasedStateMachine):
    """A Live beside a dictionary: id → event, and the order of arrival."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.known: dict[str, dict[str, Any]] = {}
        self.forgotten: set[str] = set()
        self.arrivals = 0
        self.open()

    def open(self) -> None:
        self.store = open_store(sqlite(Path(self.folder.name)))
        self.live = Live(self.store, model=model(), plan=Plan(solve_after=0))

    @rule(batch=st.lists(events, max_size=5))
    def send(self, batch: list[dict[str, Any]]) -> None:
        self.arrivals += 1
        accepted = repeated = refused = 0
        for event in batch:
            if event["id"] in self.known and event["item"] != "nowhere":
                repeated += 1
            elif event["item"] == "nowhere":  # judged after those that can be taken, by what is there then
                continue
            else:
                accepted += 1
                self.known[event["id"]] = {**event, "arrival": self.arrivals}
        for event in batch:
            if event["item"] == "nowhere":
                repeated += event["id"] in self.known
                refused += event["id"] not in self.known
        found = self.live.add(batch)
        assert (found.accepted, found.repeated, len(found.refused)) == (accepted, repeated, refused)

    @rule(user=st.sampled_from(USERS))
    def forget(self, user: str) -> None:
        mine = [own for own, event in self.known.items() if event["user"] == user]
        assert self.live.forget(user).events == len(mine)
        for own in mine:
            del self.known[own]
        self.forgotten.add(user)

    @rule()
    def restart(self) -> None:
        self.live.close()
        self.store.close()
        self.open()

    @rule()
    def solve(self) -> None:
        self.live.solve()

    @invariant()
    def histories_are_those_of_the_dictionary(self) -> None:
        for user in USERS:
            own = [event for event in self.known.values() if event["user"] == user]
            now = 1e12  # what has no time stands after what has a small one
            own.sort(key=lambda event: (event.get("time", now + event["arrival"]), event["id"]))
            base: list[tuple[float, str]] = []
            if user in data().user_ids and user not in self.forgotten:
                place = data().events_of(data().user_row(user))
                times = data().time
                assert times is not None
                pairs = zip(times[place].tolist(), data().item[place].tolist(), strict=True)
                base = [(at, data().items.ids[row]) for at, row in pairs]
            merged = [(at, 0, n, item) for n, (at, item) in enumerate(base)]
            merged += [(e.get("time", now + e["arrival"]), 1, n, e["item"]) for n, e in enumerate(own)]
            want = [item for _, _, _, item in sorted(merged)]
            history = self.live.person(user).history
            assert [data().items.ids[row] for row in history.item.tolist()] == want

    def teardown(self) -> None:
        self.live.close()
        self.store.close()
        self.folder.cleanup()


TestLive = Machine.TestCase
TestLive.settings = settings(max_examples=8, stateful_step_count=12, deadline=None)
