"""One "not interested" in an item of a list and its reason keeps away all items of that list with this reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.stage import data, model, sqlite
from xattn.live import Live, Plan, open_store
from xattn.live.changes import reasons
from xattn.live.person import known_to
from xattn.live.record import Numbers
from xattn.live.serving import ServedList


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=Plan(solve_after=0)) as own:
        yield own


def because(live: Live, served: ServedList) -> dict[str, str | None]:
    """The largest reason of each listed item."""
    row = live.store.listed(served.list_id)
    assert row is not None
    ledger = Numbers.of(row.numbers, len(served.items)).ledger
    ids = data().items.ids
    found = reasons(ledger, known_to(row, live.serving.data, live.store).shown)
    return {one.item: None if at is None else ids[at] for one, at in zip(served.items, found, strict=True)}


def shared(live: Live, k: int = 10) -> tuple[str, ServedList, str, set[str]]:
    """Somebody, their list, the reason of its first item, and all its items with this reason, at least three."""
    for user in data().user_ids:
        served = live.recommend(user, k)
        why = because(live, served)
        first = why[served.items[0].item]
        mine = {item for item, reason in why.items() if reason == first}
        if first is not None and 3 <= len(mine) < k:
            return user, served, first, mine
    raise AssertionError("the data has somebody like that")


def said(user: str, served: ServedList, event: str, **more: Any) -> dict[str, Any]:
    return {"id": "n", "user": user, "kind": "not_interested", "item": served.items[0].item, "event": event, **more}


def test_all_items_of_the_list_with_this_reason_leave(live: Live) -> None:
    user, served, event, mine = shared(live)
    told = live.preview(user, said=[said(user, served, event)], k=10)
    new, did = live.say(said(user, served, event), k=10)
    assert new
    assert told == did
    assert set(did.blocked) == mine
    assert not mine & {one.item for one in live.recommend(user, data().n_items).items}
    assert not {one.item for one in did.stayed} & mine


def test_undoing_brings_them_back(live: Live) -> None:
    user, served, event, _ = shared(live)
    live.say(said(user, served, event))
    live.say({"id": "u", "user": user, "kind": "undo", "undoes": "n"})
    assert live.recommend(user, 10).items == served.items


def test_it_is_about_the_list_that_is_named(live: Live) -> None:
    user, served, event, mine = shared(live)
    live.recommend(user, 1)  # a newer list, in which nobody else has the reason
    _, did = live.say(said(user, served, event, list_id=served.list_id))
    assert set(did.blocked) == mine


def test_without_a_name_it_is_about_the_newest_list(live: Live) -> None:
    user, served, event, _ = shared(live)
    live.recommend(user, 1)
    _, did = live.say(said(user, served, event))
    assert did.blocked == (served.items[0].item,)


def test_somebody_elses_list_and_an_unknown_one_say_nothing(live: Live) -> None:
    user, served, event, _ = shared(live)
    other = live.recommend(next(one for one in data().user_ids if one != user), 10)
    for name, list_id in (("a", other.list_id), ("b", "none")):
        _, did = live.say({**said(user, served, event, list_id=list_id), "id": name})
        assert set(did.blocked) <= {served.items[0].item}


def test_what_was_kept_does_not_change_with_later_lists(live: Live) -> None:
    user, served, event, mine = shared(live)
    live.say(said(user, served, event))
    (row,) = live.store.of(user).feedback
    assert {served.items[0].item, *json.loads(row.alike)} == mine
    live.recommend(user, 10)
    new, _ = live.say(said(user, served, event))
    assert not new
    assert live.store.of(user).feedback == [row]
