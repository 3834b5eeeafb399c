"""What people say: it does what was announced, it can be taken back, and hard filters are told from what is learned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.live.stage import data, model, sqlite
from xattn.errors import InputError, UnknownIdError
from xattn.features import feature_set
from xattn.live import Live, Plan, open_store
from xattn.live.said import KINDS

ITEMS = data().items.ids
TAGS = feature_set(data().items).names


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with open_store(sqlite(tmp_path)) as store, Live(store, model=model(), plan=Plan(solve_after=0)) as found:
        found.add([{"id": f"e{n}", "user": "ann", "item": ITEMS[n], "value": 4.0} for n in (0, 5, 10, 15)])
        yield found


def items(listed: Any) -> list[str]:
    return [one.item for one in listed]


def test_previews_are_what_then_happens(live: Live) -> None:
    rng = np.random.default_rng(0)
    users = ["ann", "bob", data().user_ids[4]]
    for n in range(120):
        user = str(rng.choice(users))
        pick = rng.integers(6)
        if pick < 3:
            kind = str(rng.choice([kind for kind in KINDS if kind != "undo"]))
            about = {"item": str(rng.choice(ITEMS))}
            if kind in ("more", "less"):
                name = str(rng.choice(["item", "event", "tag"]))
                about = {name: str(rng.choice(TAGS if name == "tag" else ITEMS))}
            elif kind == "not_interested" and n % 2:
                about["event"] = str(rng.choice(ITEMS))
            document = {"id": f"f{n}", "user": user, "kind": kind, **about}
            told = live.preview(user, said=[document])
            assert live.say(document) == (True, told)
        elif pick == 3:
            event = {"id": f"x{n}", "user": user, "item": str(rng.choice(ITEMS)), "value": float(rng.integers(1, 6))}
            told = live.preview(user, add=[event])
            live.add([event])
        elif pick == 4:
            switches = {"muted": [str(rng.choice(TAGS))], "dropped": [str(rng.choice(TAGS))], "personal": bool(n % 3)}
            told = live.preview(user, settings=switches)
            assert live.switch(user, switches)[1] == told
        else:
            said = [row.id for row in live.store.of(user).feedback if row.kind != "undo"]
            if not said:
                continue
            document = {"id": f"f{n}", "user": user, "kind": "undo", "undoes": str(rng.choice(said))}
            told = live.preview(user, said=[document])
            assert live.say(document) == (True, told)
        assert live.recommend(user).items == told.after


def test_not_interested_silences_the_reason_and_says_what_stays(live: Live) -> None:
    served = live.recommend("ann")
    said, _ = live.why(served.list_id, served.items[0].item)
    by_event: dict[str, float] = {}
    for cell in said.cells:
        by_event[cell.event] = by_event.get(cell.event, 0.0) + cell.contribution
    reason = max(by_event, key=by_event.__getitem__)
    document = {"id": "f", "user": "ann", "kind": "not_interested", "item": served.items[0].item, "event": reason}
    _, did = live.say(document)
    assert served.items[0].item in did.blocked  # and what had the same reason: tests/live/test_alike.py
    assert did.silenced == (reason,)
    assert served.items[0].item in did.left
    assert all(one.item in items(did.after) for one in did.stayed)
    history = live.person("ann").history
    assert not history.live[history.item == data().item_row(reason)].any()


def test_undo_brings_the_list_back_to_the_bit(live: Live) -> None:
    before = live.recommend("ann").items
    for n, kind in enumerate(("like", "dislike", "not_interested", "more", "less")):
        live.say({"id": f"f{n}", "user": "ann", "kind": kind, "item": ITEMS[20 + n]})
    assert live.recommend("ann").items != before
    for n in range(5):
        live.say({"id": f"u{n}", "user": "ann", "kind": "undo", "undoes": f"f{n}"})
    assert live.recommend("ann").items == before


def test_an_old_list_does_not_know_what_was_said_later(live: Live) -> None:
    served = live.recommend("ann")
    live.say({"id": "f", "user": "ann", "kind": "less", "item": ITEMS[0]})
    live.switch("ann", {"personal": False})
    said, _ = live.why(served.list_id, served.items[0].item)
    assert said.score == served.items[0].score
    assert len(said.history) == 4


def test_personalisation_off_is_immediate_persistent_and_said(tmp_path: Path) -> None:
    with open_store(sqlite(tmp_path)) as store:
        with Live(store, model=model(), plan=Plan(solve_after=0)) as live:
            live.add([{"id": "e", "user": "ann", "item": ITEMS[0], "value": 5.0}])
            live.switch("ann", {"personal": False})
            served = live.recommend("ann")
            assert not served.personal
            assert [one.score for one in served.items] == [one.base for one in served.items]
            assert served.items == live.recommend("nobody").items
        with Live(store, model=model(), plan=Plan(solve_after=0)) as live:
            assert not live.recommend("ann").personal
            live.switch("ann", {"personal": True})
            assert live.recommend("ann").personal


def test_muted_tags_are_not_listed_and_dropped_ones_are_no_reasons(live: Live) -> None:
    tag = next(name for name in TAGS if "drama" in name)
    rows = feature_set(data().items).F[:, [TAGS.index(tag)]].toarray()[:, 0] > 0
    bearing = {ITEMS[row] for row in np.flatnonzero(rows)}
    _, did = live.switch("ann", {"muted": [tag]})
    assert not bearing & set(items(did.after))
    assert set(did.blocked) == bearing
    _, did = live.switch("ann", {"muted": [], "dropped": [tag]})
    assert set(did.silenced) == bearing & {ITEMS[n] for n in (0, 5, 10, 15)}


@pytest.mark.parametrize(
    ("document", "match"),
    [
        ({"kind": "love", "item": ITEMS[0]}, "`kind` must be one of"),
        ({"kind": "like"}, "must name one of `item`"),
        ({"kind": "like", "item": "nowhere"}, "`item` must be one of"),
        ({"kind": "like", "item": ITEMS[0], "tag": "x"}, "must name one of"),
        ({"kind": "more", "item": ITEMS[0], "event": ITEMS[1]}, "must name one of"),
        ({"kind": "more", "tag": "no such tag"}, "`tag` must name"),
        ({"kind": "undo", "undoes": "f9"}, "`undoes` must be the id"),
    ],
)
def test_faults_are_refused(live: Live, document: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        live.say({"id": "f", "user": "ann", **document})
    assert live.store.of("ann").feedback == []


def test_somebody_elses_words_cannot_be_undone(live: Live) -> None:
    live.say({"id": "f", "user": "ann", "kind": "like", "item": ITEMS[1]})
    with pytest.raises(UnknownIdError, match="this person said"):
        live.say({"id": "g", "user": "bob", "kind": "undo", "undoes": "f"})
    assert live.say({"id": "f", "user": "ann", "kind": "dislike", "item": ITEMS[2]})[0] is False
