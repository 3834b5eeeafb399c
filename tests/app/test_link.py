"""A permalink says all that a view is; reading one never fails, whatever it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from tests.app.conftest import small
from xattn.app.recommend import link
from xattn.app.recommend.opinions import KINDS
from xattn.app.state import MODELS
from xattn.data import History, Interactions

DATA = small().data_
IDS = some.lists(some.sampled_from(DATA.items.ids), unique=True, max_size=5).map(tuple)
LINKS = some.builds(
    link.Link,
    user=some.sampled_from([*DATA.user_ids, link.YOU]),
    model=some.sampled_from(list(MODELS)),
    k=some.integers(1, link.MOST_K),
    liked=IDS,
    disliked=IDS,
    without=IDS,
    item=some.none() | some.sampled_from(DATA.items.ids),
    said=IDS.flatmap(lambda ids: some.tuples(*(some.tuples(some.just(i), some.sampled_from(KINDS)) for i in ids))),
    muted=some.lists(some.sampled_from(["content", "recency 3"]), unique=True, max_size=2).map(tuple),
)


@given(LINKS)
def test_a_link_reads_back(view: link.Link) -> None:
    assert link.read(link.write(view), DATA, MODELS) == (view, [])


@given(some.dictionaries(some.sampled_from(link.PARAMETERS), some.text(max_size=30)))
def test_any_text_gives_a_view_and_one_complaint_for_what_is_wrong(params: dict[str, str]) -> None:
    view, complaints = link.read(params, DATA, MODELS)
    assert view.user == link.YOU or view.user in DATA.user_ids
    assert view.model in MODELS
    assert 1 <= view.k <= link.MOST_K
    assert set(view.liked + view.disliked) <= set(DATA.items.ids)
    assert view.item is None or view.item in DATA.items.ids
    names = [complaint.name for complaint in complaints]
    assert len(set(names)) == len(names)
    assert set(names) <= set(params)
    assert all(len(complaint.got) <= 64 and "\n" not in complaint.got for complaint in complaints)
    for name in ("user", "model"):
        assert (name in names) == (name in params and getattr(view, name) != params[name])


def repeated() -> tuple[Interactions, History]:
    """One user who met item a twice."""
    import pandas as pd

    data = Interactions.from_frame(pd.DataFrame({"user": ["u"] * 3, "item": ["a", "b", "a"]}))
    return data, History.of(data, 0)


def test_events_of_a_repeated_item_are_told_apart() -> None:
    data, events = repeated()
    tokens = link.without_tokens(data, events, [2, 1])
    assert tokens == ("~2", "b")
    assert link.without_positions(data, events, tokens) == ([2, 1], [])
    assert link.without_positions(data, events, ("a",)) == ([0, 2], [])


@given(some.lists(some.text(max_size=12), max_size=4).map(tuple))
def test_tokens_that_name_no_event_are_reported(tokens: tuple[str, ...]) -> None:
    data, events = repeated()
    positions, strange = link.without_positions(data, events, tokens)
    assert len(set(positions)) == len(positions)
    assert all(0 <= position < 3 for position in positions)
    assert set(strange) <= set(tokens)
