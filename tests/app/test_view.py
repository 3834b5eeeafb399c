"""A view and its address say the same; reading an address never fails, whatever it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.app.conftest import small
from xattn.app.recommend import view as module
from xattn.app.recommend.opinions import KINDS
from xattn.app.recommend.view import DEPTHS, MOST_K, PARAMETERS, TABS, YOU, View
from xattn.app.state import QUICK as MODELS
from xattn.app.ui.picks import Picks
from xattn.data import Interactions
from xattn.recommenders import ItemKNN

PLAIN = small().data_
STRANGE = Interactions.from_frame(  # items met twice; ids with every mark that an address uses
    pd.DataFrame(
        {
            "user": ["u", "u", "u", "u", "v", "v"],
            "item": ["a", "b,c", "a", "~1", "50%2C", "x_y~z"],
            "rating": [5.0, 1.0, 4.0, 3.0, 2.0, 5.0],
        }
    )
)


ITEMS = (ItemKNN(n_neighbors=2).fit(STRANGE), small("ItemKNN"))


def starred(ids: tuple[str, ...]) -> some.SearchStrategy[Picks]:
    """These items with any stars."""
    return some.tuples(*(some.tuples(some.just(item), some.integers(1, 5)) for item in ids))


@some.composite
def views(draw: some.DrawFn) -> tuple[View, Interactions]:
    """A view that the page can show, with its data."""
    data = draw(some.sampled_from([PLAIN, STRANGE]))
    ids = some.lists(some.sampled_from(data.items.ids), unique=True, max_size=5).map(tuple)
    user = draw(some.sampled_from([*data.user_ids, YOU]))
    by_hand = user == YOU
    said = draw(
        ids.flatmap(lambda own: some.tuples(*(some.tuples(some.just(i), some.sampled_from(KINDS)) for i in own)))
    )
    view = View(
        user,
        draw(some.sampled_from(list(MODELS))),
        draw(some.integers(1, MOST_K)),
        films=draw(ids.filter(len).flatmap(starred)) if by_hand else (),
        said=said,
        muted=draw(some.lists(some.sampled_from(["content", "recency 3", "a,b %2C"]), unique=True).map(tuple)),
        item=draw(some.none() | some.sampled_from(data.items.ids)),
        depth=draw(some.sampled_from(DEPTHS)),
        tab=draw(some.sampled_from(list(TABS))),
        versus=draw(some.none() | some.sampled_from(data.items.ids)),
        block=draw(some.none() | some.sampled_from(["story", "a,b %2C"])),
        event=draw(some.none() | some.sampled_from(data.items.ids)),
        boxes=draw(some.integers(1, 99_999)),
        exact=draw(some.booleans()),
    )
    places = some.sampled_from(view.events(data).newest.tolist())
    return replace(view, without=draw(some.lists(places, unique=True, max_size=4).map(tuple))), data


@given(views())
def test_a_view_reads_back_from_its_address(given_: tuple[View, Interactions]) -> None:
    view, data = given_
    assert View.from_query(view.to_query(data), data, MODELS) == (view, [])


@given(some.dictionaries(some.sampled_from(PARAMETERS), some.text(max_size=30)))
def test_any_text_gives_a_view_and_one_complaint_for_what_is_wrong(params: dict[str, str]) -> None:
    view, complaints = View.from_query(params, PLAIN, MODELS)
    assert view.user == YOU or view.user in PLAIN.user_ids
    assert view.model in MODELS
    assert 1 <= view.k <= MOST_K
    assert {item for item, _ in view.films} <= set(PLAIN.items.ids)
    assert {view.item, view.versus} <= {None, *PLAIN.items.ids}
    assert view.depth in DEPTHS
    assert view.tab in TABS
    assert view.boxes >= 1
    if view.is_whole(PLAIN):
        assert all(0 <= position < len(view.events(PLAIN)) for position in view.without)
    names = [complaint.name for complaint in complaints]
    assert len(set(names)) == len(names)
    assert set(names) <= set(params)
    assert all(len(complaint.got) <= 64 and "\n" not in complaint.got for complaint in complaints)
    for name in ("user", "model"):
        assert (name in names) == (name in params and getattr(view, name) != params[name])


@pytest.mark.parametrize(
    ("link", "view"),
    [
        ({"user": "u3", "model": "ItemKNN", "k": "7", "item": "i12"}, View("u3", "ItemKNN", 7, item="i12")),
        (
            {"user": "you", "liked": "i3,i7", "disliked": "i4"},  # before there were stars
            View(YOU, "HybridAttention", films=(("i4", 1), ("i3", 5), ("i7", 5))),
        ),
        (
            {"said": "more_i2~hide_i5", "muted": "recency 3", "tab": "heads", "boxes": "33"},
            View(
                "u0",
                "HybridAttention",
                said=(("i2", "more"), ("i5", "hide")),
                muted=("recency 3",),
                tab="heads",
                boxes=33,
            ),
        ),
        ({"depth": "clause", "versus": "i9"}, View("u0", "HybridAttention", depth="clause", versus="i9")),
    ],
)
def test_links_of_before_are_read(link: dict[str, str], view: View) -> None:
    assert View.from_query(link, PLAIN, MODELS) == (view, [])


def read_without(text: str) -> tuple[tuple[int, ...], list[str]]:
    """The events of u that a text leaves out, and what the complaints are about."""
    view, complaints = View.from_query({"user": "u", "without": text}, STRANGE, MODELS)
    return view.without, [complaint.got for complaint in complaints]


def test_an_item_that_is_left_out_goes_with_all_its_events() -> None:
    view = View("u", "ItemKNN", without=(2, 1))
    assert view.to_query(STRANGE)["without"] == "a,b%2Cc"
    assert np.flatnonzero(~view.events(STRANGE).live).tolist() == [0, 1, 2]
    assert view.request(STRANGE).masked == (0, 1, 2)
    assert read_without("a,b%2Cc") == ((2, 1), [])
    assert read_without("~2") == read_without("~0") == ((2,), [])
    assert read_without("~9,a") == ((2,), ["'~9'"])


@given(some.lists(some.text(max_size=12), max_size=4))
def test_tokens_that_name_no_event_are_reported(tokens: list[str]) -> None:
    positions, strange = read_without(",".join(tokens))
    assert len(set(positions)) == len(positions)
    assert all(0 <= position < 4 for position in positions)
    assert len(strange) <= 1
    if not any(tokens):
        assert not strange


def test_what_is_open_is_no_question_and_the_order_of_events_is_none() -> None:
    view = View("u3", "ItemKNN", without=(4, 1))
    opened = replace(view, item="i12", tab="heads", depth="clause", versus="i3", boxes=33, without=(1, 4))
    asked = view.request(PLAIN)
    assert asked == opened.request(PLAIN)
    assert hash(asked) == hash(opened.request(PLAIN))
    for other in (replace(view, k=9), replace(view, muted=("content",)), replace(view, without=(4,)), view.plain):
        assert other.request(PLAIN) != asked
    assert not any(view.plain.edits)
    assert view.plain.edited_as(view) == view


@given(views())
def test_the_events_are_those_of_the_request(given_: tuple[View, Interactions]) -> None:
    view, data = given_
    asked, own = view.request(data), view.events(data)
    events = asked.events(ITEMS[data is PLAIN])
    for name in ("item", "rating", "age", "live"):
        assert np.array_equal(getattr(events, name), getattr(own, name))


# --- the tests themselves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("_joined", ",".join),  # a comma inside of an id parts it
        ("_tokens", lambda data, view: [data.items.ids[view.events(data).item[p]] for p in view.without]),
        ("unquote", lambda text: text),
    ],
)
def test_a_fault_of_the_address_is_found(monkeypatch: pytest.MonkeyPatch, part: str, fault: object) -> None:
    """Each fault makes the address of one of these views say another one."""
    cases = [
        View("u", "ItemKNN", muted=("b,c", "50%2C")),
        View("u", "ItemKNN", without=(2, 1)),
        View("u", "ItemKNN", without=(3,)),
    ]
    assert all(View.from_query(view.to_query(STRANGE), STRANGE, MODELS) == (view, []) for view in cases)
    monkeypatch.setattr(module, part, fault)
    assert not all(View.from_query(view.to_query(STRANGE), STRANGE, MODELS) == (view, []) for view in cases)
