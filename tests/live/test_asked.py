"""The moment at which a list is asked: it is kept with the list, and all that is asked of the list counts from it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from tests.live import stage
from xattn.data import History, Interactions
from xattn.errors import InputError
from xattn.live import Live, Plan, open_store
from xattn.live.person import known_to, person_of
from xattn.live.serving import StoredLedger, events_of, ledger_of
from xattn.live.tables import lists
from xattn.recommenders import HybridAttention

DAY = 86_400.0
NOW = 1_700_000_000.0  # in November 2023
SETTINGS: dict[str, Any] = {"dtype": "float64", "min_events": 2, "recency_days": (1.0, 20.0)}
ITEMS = stage.data().items.ids
PEOPLE = stage.data().user_ids


@cache
def data() -> Interactions:
    """The planted tastes, an event every two days, the newest of them ten days ago."""
    plain = stage.data()
    assert plain.time is not None
    time = NOW - 10 * DAY + (plain.time - plain.time.max()) * 2 * DAY
    return Interactions("dated", plain.user_ids, plain.items, plain.indptr, plain.item, plain.rating, time)


@cache
def model() -> HybridAttention:
    return HybridAttention(**SETTINGS).fit(data())


class Clock:
    """A clock that stands still unless it is set."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def live(url: str, clock: Clock) -> Iterator[Live]:
    plan = Plan(solve_after=0)
    with open_store(url, clock=clock) as store, Live(store, model=model(), plan=plan) as found:
        yield found


@pytest.fixture
def alone(tmp_path: Path, clock: Clock) -> Iterator[Live]:
    """Over SQLite; for what does not depend on the store."""
    plan = Plan(solve_after=0)
    with open_store(stage.sqlite(tmp_path), clock=clock) as store, Live(store, model=model(), plan=plan) as found:
        yield found


def event(name: str, user: str, item: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "user": user, "item": item, "value": 5.0, **more}


def asked(history: History, days: float) -> list[tuple[str, float]]:
    found = model().recommend(history=history.paused(days))
    return list(zip(found["item"], found["score"], strict=True))


def listed(served: Any) -> list[tuple[str, float]]:
    return [(one.item, one.score) for one in served.items]


def row_of(live: Live, served: Any) -> Any:
    row = live.store.listed(served.list_id)
    assert row is not None
    return row


# --- when a list is asked ---------------------------------------------------------------------------------------------


def test_a_list_is_asked_now(live: Live, clock: Clock) -> None:
    """Of a person of the data set days have passed since the newest event; heads by time say less from day to day."""
    own = data().events_of(data().user_row(PEOPLE[3]))
    assert data().time is not None
    since = (NOW - data().time[own][-1]) / DAY
    history = model().history(PEOPLE[3])
    first = live.recommend(PEOPLE[3])
    assert dict(listed(first)) == pytest.approx(dict(asked(history, since)), rel=1e-12)
    assert row_of(live, first).asked == NOW
    clock.now += 3 * DAY
    later = live.recommend(PEOPLE[3])
    assert dict(listed(later)) == pytest.approx(dict(asked(history, since + 3.0)), rel=1e-12)
    assert listed(later) != listed(first)


def test_what_came_live_is_as_old_as_it_is(live: Live, clock: Clock) -> None:
    live.add([event("a", "ann", ITEMS[0])])
    clock.now += 2 * DAY
    live.add([event("b", "ann", ITEMS[5]), event("c", "ann", ITEMS[9], time=NOW - DAY)])
    clock.now += 0.5 * DAY
    found = live.person("ann").history
    assert [ITEMS[row] for row in found.item] == [ITEMS[9], ITEMS[0], ITEMS[5]]
    assert found.elapsed is not None
    np.testing.assert_allclose(found.elapsed, [3.5, 2.5, 0.5], rtol=1e-12)


def test_a_moment_can_be_given(live: Live) -> None:
    live.add([event("a", "ann", ITEMS[0], time=NOW - 4 * DAY)])
    then = live.recommend("ann", at="2023-11-13T22:13:20")  # NOW, a day before
    assert row_of(live, then).asked == NOW - DAY
    assert listed(then) == listed(live.recommend("ann", at=NOW - DAY)) != listed(live.recommend("ann"))
    for wrong in ("yesterday", float("nan"), 1e13, True):
        with pytest.raises(InputError, match="`at` must"):
            live.recommend("ann", at=wrong)


def test_what_came_after_the_moment_was_just_now(alone: Live, clock: Clock) -> None:
    """A sender's clock that is ahead, a moment in the past: no pause is below nought, and the others keep theirs."""
    ahead = [event("b", "ann", ITEMS[5], time=NOW + 0.9 * DAY), event("c", "ann", ITEMS[6], time=NOW + 1.1 * DAY)]
    arrival = alone.add([event("a", "ann", ITEMS[0], time=NOW - 2 * DAY), *ahead])
    assert [one.problem.code for one in arrival.refused] == ["future"]
    with pytest.raises(InputError, match="must not lie more than a day after now"):
        alone.say({"id": "s", "user": "ann", "kind": "like", "item": ITEMS[0], "time": "2024-01-01"})
    with pytest.raises(InputError, match="must not lie more than a day after now"):
        alone.preview("ann", add=[event("x", "ann", ITEMS[0], time="2024-01-01")])
    found = alone.person("ann").history.elapsed
    assert found is not None
    np.testing.assert_allclose(found, [2.0, 0.0])
    past = alone.recommend("ann", at=NOW - 5 * DAY)
    seen = known_to(row_of(alone, past), data(), alone.store).history.elapsed
    assert seen is not None
    assert (seen == 0.0).all()
    alone.recommend("ann")


def test_a_clock_that_goes_back_asks_no_earlier_than_what_has_come(live: Live, clock: Clock) -> None:
    live.add([event("a", "ann", ITEMS[0])])
    clock.now -= 400 * DAY
    assert row_of(live, live.recommend("ann")).asked == NOW
    clock.now = float(NOW + DAY)
    assert row_of(live, live.recommend("ann")).asked == NOW + DAY


def test_running_numbers_are_no_moments(tmp_path: Path, clock: Clock) -> None:
    """Times 0, 1, 2, … say what came first; no clock can be set beside them, so the pace of the data stands in."""
    plain = stage.data()
    assert not plain.dated
    assert data().dated
    by_number = HybridAttention(**{**SETTINGS, "recency_days": (1e-5,)}).fit(plain)
    plan = Plan(solve_after=0)
    with open_store(stage.sqlite(tmp_path), clock=clock) as store, Live(store, model=by_number, plan=plan) as live:
        user = PEOPLE[3]
        want = by_number.recommend(user)
        assert listed(live.recommend(user)) == list(zip(want["item"], want["score"], strict=True))
        live.add([event("a", user, ITEMS[0]), event("b", "ann", ITEMS[0]), event("c", "ann", ITEMS[1], time=7)])
        assert live.person(user).history.elapsed is None
        assert live.person("ann").history.elapsed is None
    bare = Interactions("bare", plain.user_ids, plain.items, plain.indptr, plain.item, plain.rating)
    assert not bare.dated
    with open_store(stage.sqlite(tmp_path), clock=clock) as store:
        for user in (PEOPLE[0], "ann"):
            assert person_of(bare, user, store.of(user), NOW).history.elapsed is None


def test_a_model_that_reads_no_moments_serves_the_same_whenever_it_is_asked(tmp_path: Path, clock: Clock) -> None:
    by_events = HybridAttention(dtype="float64", min_events=2).fit(data())
    assert not by_events.reads_moments
    plan = Plan(solve_after=0)
    with open_store(stage.sqlite(tmp_path), clock=clock) as store, Live(store, model=by_events, plan=plan) as live:
        live.add([event("a", PEOPLE[3], ITEMS[0])])
        first = live.recommend(PEOPLE[3])
        clock.now += 500 * DAY
        assert live.recommend(PEOPLE[3]).items == first.items
        want = by_events.recommend(history=by_events.history(PEOPLE[3]).followed_by([0], rating=[5.0]))
        assert listed(first) == list(zip(want["item"], want["score"], strict=True))


# --- what is asked of a list later ------------------------------------------------------------------------------------


def why_all(live: Live, served: Any) -> list[dict[str, Any]]:
    return [live.why(served.list_id, one.item)[0].to_dict() for one in served.items]


def test_a_list_of_today_is_explained_tomorrow_to_the_bit(url: str, clock: Clock) -> None:
    """After other events, another model, and a restart with a clock of its own."""
    plan = Plan(solve_after=0)
    with open_store(url, clock=clock) as store, Live(store, model=model(), plan=plan) as live:
        live.add([event(f"e{n}", "ann", ITEMS[n], time=NOW - n * 0.7 * DAY) for n in range(4)])
        kept = [live.recommend(user, k=4) for user in ("ann", PEOPLE[3])]
        today = [why_all(live, served) for served in kept]
        clock.now += DAY
        live.add([event("late", "ann", ITEMS[9])])
        live.solve()
        assert [why_all(live, served) for served in kept] == today
    clock.now += 30 * DAY
    with open_store(url, clock=Clock(NOW + 77 * DAY)) as store, Live(store, model=model(), plan=plan) as live:
        assert [why_all(live, served) for served in kept] == today
        for served, found in zip(kept, today, strict=True):
            assert [one.score for one in served.items] == [one["score"] for one in found]
            for one in found:
                assert abs(one["base"] + sum(cell["contribution"] for cell in one["cells"]) - one["score"]) < 1e-12


def test_announced_removals_are_what_is_served_at_that_moment(live: Live, clock: Clock) -> None:
    live.add([event(f"e{n}", "ann", ITEMS[n], time=NOW - n * 0.7 * DAY) for n in range(4)])
    served = live.recommend("ann", k=5)
    clock.now += 9 * DAY
    row = row_of(live, served)
    person = known_to(row, data(), live.store)
    for one in served.items:
        told = ledger_of(model(), person, one.item, json.loads(row.conditions)).removals()
        assert len(told) == 4
        for removal in told.itertuples():
            history = events_of(model(), person).without([removal.position])
            score = float(model().scores_of(history)[data().item_row(one.item)])
            assert abs(removal.score_without - score) < 1e-12
            guess = {"item": one.item, "event": removal.event, "before": "stays", "after": "falls"}
            document = {"id": f"{one.item} {removal.event}", "user": "ann", "form": "removal", "answers": guess}
            _, true = live.answer({**document, "list_id": served.list_id})
            assert true == outcome_of(removal.rank_without, one.rank, 5)


def outcome_of(rank: int | None, before: int, k: int) -> str:
    if rank is None or np.isnan(rank) or rank > k:
        return "leaves"
    return "stays" if rank == before else "falls" if rank > before else "rises"


def test_previews_are_what_then_happens(live: Live, clock: Clock) -> None:
    """With heads by time: what is imagined comes now, and moves nothing of the past."""
    live.add([event(f"e{n}", "ann", ITEMS[n], time=NOW - n * 0.7 * DAY) for n in range(4)])
    for n, document in enumerate(
        (
            {"kind": "like", "item": ITEMS[12]},
            {"kind": "dislike", "item": ITEMS[17]},
            {"kind": "more", "item": ITEMS[2]},
            {"kind": "less", "event": ITEMS[1]},
            {"kind": "not_interested", "item": ITEMS[30], "event": ITEMS[0]},
        )
    ):
        said = {"id": f"s{n}", "user": "ann", **document}
        told = live.preview("ann", said=[said])
        assert live.say(said) == (True, told)
        assert live.recommend("ann").items == told.after
        clock.now += DAY
    add = [event("x", "ann", ITEMS[20])]
    told = live.preview("ann", add=add)
    live.add(add)
    assert live.recommend("ann").items == told.after
    clock.now += DAY
    told = live.preview("ann", settings={"personal": False})
    assert live.switch("ann", {"personal": False})[1] == told


def test_a_list_whose_model_is_gone_keeps_its_numbers(alone: Live, clock: Clock) -> None:
    alone.add([event(f"e{n}", "ann", ITEMS[n], time=NOW - n * DAY) for n in range(4)])
    served = alone.recommend("ann", k=3)
    clock.now += 50 * DAY
    alone.add([event("x", "bob", ITEMS[0])])
    alone.solve()
    alone.keeper.models.drop(served.model)
    said, _ = alone.why(served.list_id, served.items[0].item)
    assert isinstance(said, StoredLedger)
    assert abs(said.base + sum(cell.contribution for cell in said.cells) - served.items[0].score) < 1e-12


def test_lists_of_before_are_of_the_moment_of_their_newest_event(live: Live, clock: Clock) -> None:
    """They hold no moment; what is asked of them later has the scores that were served then."""
    live.add([event(f"e{n}", "ann", ITEMS[n], time=NOW - n * DAY) for n in range(1, 4)])
    old = live.recommend("ann", at=NOW - DAY, k=3)  # as it was served then
    live.store.writer.do(
        lambda batch: batch.connection.execute(update(lists).where(lists.c.id == old.list_id).values(asked=None))
    )
    clock.now += 3 * DAY
    for one in old.items:
        assert live.why(old.list_id, one.item)[0].score == one.score


def test_a_store_of_before_takes_in_the_moments(url: str, clock: Clock) -> None:
    plan = Plan(solve_after=0)
    with open_store(url, clock=clock) as store, Live(store, model=model(), plan=plan) as live:
        live.add([event("a", "ann", ITEMS[0], time=NOW - 3 * DAY)])
        old = live.recommend("ann", at=NOW - 3 * DAY, k=3)
        undo = ("alter table lists drop column asked", "update alembic_version set version_num = '0003'")
        store.writer.do(lambda batch: [batch.connection.execute(text(one)) for one in undo])
    with open_store(url, clock=clock) as store, Live(store, model=model(), plan=plan) as live:
        assert live.why(old.list_id, old.items[0].item)[0].score == old.items[0].score
        new = live.recommend("ann", k=3)
        assert {row.asked for row in store.ask(select(lists.c.asked))} == {None, NOW}
        assert row_of(live, new).asked == NOW
        assert listed(new) != listed(old)


moments = st.one_of(st.none(), st.floats(NOW - 400 * DAY, NOW + 400 * DAY), st.integers(0, 2_000_000_000))
steps = st.lists(
    st.tuples(
        st.sampled_from(("ann", PEOPLE[0])),
        st.sampled_from(ITEMS[:8]),
        moments,
        st.floats(-50 * DAY, 300 * DAY),  # how the clock moves before
        moments,  # when the list is asked
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(steps)
def test_whatever_comes_a_list_is_explained_by_its_own_moment(found: list[tuple[Any, ...]]) -> None:
    """Events with odd moments, a clock that jumps, lists of any moment: all explained at the end to their bits."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        kept = []
        plan = Plan(solve_after=0, most_models=0)
        with (
            open_store(f"sqlite:///{folder}/e.db", clock=clock) as store,
            Live(store, model=model(), plan=plan) as live,
        ):
            for n, (user, item, moment, later, at) in enumerate(found):
                clock.now += later
                live.add([event(f"e{n}", user, item, **({} if moment is None else {"time": moment}))])
                served = live.recommend(user, k=3, at=at)
                elapsed = known_to(row_of(live, served), data(), store).history.elapsed
                assert elapsed is not None
                assert (elapsed >= 0.0).all()
                assert (np.diff(elapsed) <= 0.0).all()
                kept.append(served)
            for served in kept:
                for one in served.items:
                    said, _ = live.why(served.list_id, one.item)
                    assert said.score == one.score
                    assert abs(said.base + sum(cell.contribution for cell in said.cells) - one.score) < 1e-10


def test_what_is_held_of_a_person_tells_the_moments(alone: Live) -> None:
    alone.recommend("ann")
    assert [row["asked"] for row in alone.held("ann")["lists"]] == [NOW]
