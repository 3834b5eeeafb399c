"""Requests and answers: what a model says through them, their JSON there and back, and hostile JSON refused."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import fitted
from tests.planting import must_fail
from xattn.data import Interactions
from xattn.errors import InputError, UnknownIdError
from xattn.explain import explain_list
from xattn.recommenders import Popularity, Recommender
from xattn.requests import (
    Answer,
    CompareRequest,
    Condition,
    Event,
    ExplainAnswer,
    ExplainRequest,
    ListRequest,
    RecommendAnswer,
    RecommendRequest,
    Request,
    WhyNotRequest,
    plain,
    read,
)
from xattn.requests.documents import KINDS
from xattn.requests.plain import Plain, document

# --- what may be asked ------------------------------------------------------------------------------------------------

IDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=6).filter(str.strip)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
EVENTS = st.builds(Event, IDS, st.none() | NUMBERS)
CONDITIONS = st.builds(
    Condition, IDS, values=st.lists(st.text(max_size=3).filter(str.isprintable) | NUMBERS, max_size=3)
)
CONDITIONS |= st.builds(Condition, IDS, low=st.none() | NUMBERS, high=st.none() | NUMBERS)
LISTS = {
    "without": st.lists(IDS, max_size=2),
    "masked": st.lists(st.integers(0, 9), max_size=2),
    "further": st.lists(EVENTS, max_size=2),
    "muted": st.lists(st.text(max_size=3).filter(str.isprintable), max_size=2),
    "k": st.none() | st.integers(1, 99),
    "exclude": st.lists(IDS, max_size=3),
    "candidates": st.none() | st.lists(IDS, max_size=3),
    "where": st.lists(CONDITIONS, max_size=2, unique_by=lambda condition: condition.column),
}


@st.composite
def people(draw: st.DrawFn) -> dict[str, Any]:
    return {"user": draw(IDS)} if draw(st.booleans()) else {"history": draw(st.lists(EVENTS, max_size=3))}


@st.composite
def of_kind(draw: st.DrawFn, kind: type[Request], **more: st.SearchStrategy[Any]) -> Request:
    return kind(**draw(people()), **{name: draw(values) for name, values in {**LISTS, **more}.items()})


EXPLAINED = of_kind(ExplainRequest, item=IDS, scenario=st.sampled_from(("films", "shop")))
REQUESTS: st.SearchStrategy[Any] = st.one_of(
    of_kind(RecommendRequest, diversity=st.floats(0, 1)),
    EXPLAINED,
    of_kind(WhyNotRequest, item=IDS),
    of_kind(ListRequest),
    st.builds(CompareRequest, EXPLAINED, EXPLAINED),
)


def model() -> Recommender:
    return fitted("hybrid")


def answers() -> list[Answer]:
    """One of each kind, from a model."""
    about: dict[str, Any] = {"history": [Event("i1", 5.0), Event("i7", 2.0), Event("nowhere", 3.0)], "k": 4}
    asked = ExplainRequest(**about, item="i9", masked=[0], where=[Condition("genres", ["drama", "comedy"])])
    scores = RecommendRequest(**{**about, "k": 30}).ask(model())["item"].tolist()
    return [
        RecommendRequest(**about).answer(model()),
        asked.answer(model()),
        CompareRequest(asked, replace(asked, item="i4")).answer(model()),
        WhyNotRequest(**about, item=scores[-1]).answer(model()),
        ListRequest(**about).answer(model()),
    ]


# --- what is said -----------------------------------------------------------------------------------------------------


def test_answers_are_what_the_model_says() -> None:
    """By hand, the calls that the requests stand for."""
    shared = {"k": 5, "exclude": ("i3",), "candidates": [f"i{row}" for row in range(30)]}
    given = {**shared, "user": "u4", "where": [Condition("genres", ["drama"])]}
    want = model().recommend("u4", where={"genres": ["drama"]}, **shared)
    assert RecommendRequest(**given).answer(model()).body() == {"user": "u4", "items": want.to_dict(orient="records")}
    mixed = model().recommend("u4", where={"genres": ["drama"]}, diversity=0.5, **shared)
    found = RecommendRequest(**given, diversity=0.5).answer(model())
    assert [row.item for row in found.items] == mixed["item"].tolist()
    why = model().explain("u4", "i9", where={"genres": ["drama"]}, **shared)
    answer = ExplainRequest(**given, item="i9", scenario="shop").answer(model())
    assert answer.body() == json.loads(json.dumps(why.explanation(scenario="shop")))
    assert list(answer.body()) == list(why.explanation()), "the keys stand in the order of the explanation"
    other = model().explain("u4", "i5", where={"genres": ["drama"]}, **shared)
    compared = CompareRequest(ExplainRequest(**given, item="i9"), ExplainRequest(**given, item="i5")).answer(model())
    assert compared.body() == (why - other).to_dict()
    assert ListRequest(**given).answer(model()).body() == _listed(
        explain_list(model(), "u4", where={"genres": ["drama"]}, **shared).to_dict()
    )
    last = model().recommend("u4", k=30)["item"].iloc[-1]
    whole = WhyNotRequest(user="u4", k=5, item=last).answer(model())
    assert whole.body() == model().explain("u4", last, k=5).why_not().to_dict()


def _listed(told: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(told))


def test_events_are_masked_by_item_and_by_place() -> None:
    events = model().history("u4")
    third = model().data_.items.ids[events.item[2]]
    for asked in (RecommendRequest(user="u4", without=[third]), RecommendRequest(user="u4", masked=[2])):
        live = asked.events(model()).live
        assert (live.sum(), live[2]) == (len(events) - 1, False)


def test_further_events_are_the_newest() -> None:
    own = model().history("u4")
    events = RecommendRequest(user="u4", further=[Event("i3", 1.0), Event("i5")], masked=[0], without=["i5"]).events(
        model()
    )
    ids = model().data_.items.ids
    assert [ids[row] for row in events.item[len(own) :]] == ["i3", "i5"]
    assert events.item[: len(own)].tolist() == own.item.tolist()
    assert np.flatnonzero(~events.live).tolist() == [0, len(own) + 1]
    assert events.rating is not None
    np.testing.assert_array_equal(events.rating[len(own) :], [1.0, np.nan])
    with pytest.raises(InputError, match="rating in history"):
        RecommendRequest(user="u4", further=[Event("i3", 99.0)]).ask(model())


def test_events_without_an_opinion_are_as_good_as_the_users_own() -> None:
    """The history that a model gives out is one that it takes back, unrated events included."""
    frame = pd.DataFrame({"user": list("aaabbb"), "item": list("xyzxyw"), "rating": [1, 2, 3, 2, 3, 1]})
    rated = Interactions.from_frame(frame)
    unrated = Popularity().fit(replace(rated, rating=np.where(rated.rating == 1, np.nan, rated.rating)))
    want = unrated.recommend("a")
    assert unrated.recommend(history=unrated.history("a")).equals(want)
    assert RecommendRequest(user="a").ask(unrated).equals(want)


def test_muted_heads_are_silent() -> None:
    given = {"user": "u4", "k": 5, "muted": ["recency 3"]}
    quiet = model().without_heads(["recency 3"])
    assert RecommendRequest(**given).ask(model()).equals(quiet.recommend("u4", k=5))
    assert ListRequest(**given).answer(model()) == ListRequest(user="u4", k=5).answer(quiet)
    found = ExplainRequest(**given, item="i9").ask(model())
    assert found.score == quiet.explain("u4", "i9").score != model().explain("u4", "i9").score
    with pytest.raises(InputError, match="nosuch"):
        RecommendRequest(user="u4", muted=["nosuch"]).ask(model())


def test_two_models_are_compared() -> None:
    asked = ExplainRequest(user="u4", item="i9")
    other = fitted("item knn")
    found = CompareRequest(asked, asked).answer(model(), other)
    assert (found.a.score, found.b.score) == (asked.ask(model()).score, asked.ask(other).score)
    assert sum(cell.difference for cell in found.cells) == pytest.approx(found.total, abs=1e-9)


def test_what_the_data_lacks_is_known_before_any_fit() -> None:
    data = model().data_
    ExplainRequest(user="u4", item="i9", k=40).check(data)
    with pytest.raises(UnknownIdError, match="nobody"):
        RecommendRequest(user="nobody").check(data)
    with pytest.raises(InputError, match="'no'"):
        RecommendRequest(history=[Event("no")]).check(data)
    for more in ({"without": ["no"]}, {"exclude": ["no"]}, {"candidates": ["no"]}, {"further": [Event("no")]}):
        with pytest.raises(UnknownIdError, match="no"):
            ListRequest(user="u4", **more).check(data)
    with pytest.raises(UnknownIdError, match="no"):
        CompareRequest(ExplainRequest(user="u4", item="i9"), ExplainRequest(user="u4", item="no")).check(data)
    with pytest.raises(InputError, match="colour"):
        ListRequest(user="u4", where=[Condition("colour", ["red"])]).check(data)
    with pytest.raises(InputError, match="`k` must be a whole number from 1 to"):
        ListRequest(user="u4", k=10_000).check(data)


def test_a_list_of_nothing_has_no_explanation() -> None:
    with pytest.raises(InputError, match="none that may be listed"):
        ListRequest(user="u4", candidates=[]).ask(model())
    assert RecommendRequest(user="u4", candidates=[]).answer(model()).items == ()


# --- values -----------------------------------------------------------------------------------------------------------


def test_values_cannot_be_changed_and_can_be_keys() -> None:
    asked = RecommendRequest(user="u4", where=[{"column": "genres", "values": ["drama"]}])
    assert asked == RecommendRequest(user="u4", where=(Condition("genres", ("drama",)),))
    with pytest.raises(FrozenInstanceError):
        asked.k = 3  # type: ignore[misc]
    assert len({asked, replace(asked, k=3), *answers(), *answers()}) == 7


def _round_trip(value: Any) -> None:
    text = json.dumps(value.to_dict(), allow_nan=False)
    assert read(text) == value
    assert type(value).from_dict(json.loads(text)) == value
    assert json.dumps(read(text).to_dict()) == text


@given(REQUESTS)
def test_requests_come_back_from_their_json(asked: Any) -> None:
    _round_trip(asked)


@pytest.mark.parametrize("number", range(5))
def test_answers_come_back_from_their_json(number: int) -> None:
    _round_trip(answers()[number])


def test_a_lossy_document_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: numbers rounded on the way out; lists that lose their last entry."""
    whole = plain.to_plain
    monkeypatch.setattr(plain, "to_plain", lambda value: round(value, 3) if isinstance(value, float) else whole(value))
    must_fail(_round_trip, answers()[0])
    monkeypatch.setattr(plain, "to_plain", lambda value: whole(value[:-1] if isinstance(value, tuple) else value))
    must_fail(test_requests_come_back_from_their_json)


def test_an_answer_of_a_later_version_can_be_read_and_a_request_cannot() -> None:
    said, asked = answers()[0].to_dict(), RecommendRequest(user="u4").to_dict()
    assert RecommendAnswer.from_dict({**said, "model": "abc"}) == answers()[0]
    with pytest.raises(InputError, match="`document` must have no other keys than user, history, .*; got 'limit'"):
        RecommendRequest.from_dict({**asked, "limit": 5})
    for kind, told in ((RecommendAnswer, said), (RecommendRequest, asked)):
        with pytest.raises(InputError, match="`version` must be 1; got 2"):
            kind.from_dict({**told, "version": 2})
        with pytest.raises(InputError, match="`schema` must be 'xattn.recommend"):
            kind.from_dict({**told, "schema": "xattn.explanation"})
        assert kind.from_dict({key: told[key] for key in told if key not in ("schema", "version")}).to_dict() == told


# --- hostile JSON -----------------------------------------------------------------------------------------------------

HOSTILE: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        10**400,
        2**53 + 1,
        1e308,
        float("nan"),
        float("inf"),
        -0.5,
        "",
        " ",
        "\ud800",
        "\x00",
        "9" * 5000,
    ),
    *([], {}, [[]], [None], [{}], {"item": {}}, {"": 1}, "nan", "__class__", [True], ["a", 1], {"schema": 1}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every part of a document; of a list, to its first and last entry."""
    keys = list(value) if isinstance(value, dict) else [0, len(value) - 1] if isinstance(value, list) and value else []
    return [path, *(place for key in dict.fromkeys(keys) for place in places(value[key], (*path, key)))]


def spoiled(value: Any, path: tuple[Any, ...], part: Any) -> Any:
    """The document with another part at one place."""
    if not path:
        return part
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = spoiled(value[path[0]], path[1:], part)
    return copy


def _refused_or_read(kind: type[Plain], told: Any) -> None:
    """One sentence says what is wrong, or the value that was read is one that can be written and read again."""
    said = None
    try:
        found = kind.from_dict(told)
    except InputError as problem:
        said = str(problem)
    if said is not None:
        assert said.endswith(".")
        assert said.isprintable()
        assert len(said) < 500
        return
    assert kind.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


@given(REQUESTS, st.data())
def test_hostile_requests(asked: Any, data: st.DataObject) -> None:
    told = asked.to_dict()
    place = data.draw(st.sampled_from(places(told)))
    _refused_or_read(type(asked), spoiled(told, place, data.draw(st.sampled_from(HOSTILE))))


@pytest.mark.parametrize("number", range(5))
def test_hostile_answers(number: int) -> None:
    later = {"amounts", "orders", "intervals", "places"}
    assert {name for name, _, needed in plain.parts(ExplainAnswer) if not needed} == later
    said = answers()[number]
    told = said.to_dict()
    for place in places(told):
        for part in HOSTILE:
            _refused_or_read(type(said), spoiled(told, place, part))
    optional = {name for name, _, needed in plain.parts(type(said)) if not needed}  # documents of before lack them
    for key in told:
        if key not in ("schema", "version", *optional):
            with pytest.raises(InputError, match=f"must have the key '{key}'"):
                type(said).from_dict({other: told[other] for other in told if other != key})


def test_checks_that_are_left_out_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: fields are taken as they come."""
    monkeypatch.setattr(plain, "checked", lambda hint, value, path, strict=True: value)
    must_fail(test_hostile_answers, 1, by=Exception)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_refused_or_read(told: Any) -> None:
    for kind in KINDS.values():
        _refused_or_read(kind, told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be JSON; got 'Expecting value"),
        ("[" * 100_000, "must be JSON; got 'brackets too deep'."),
        ('{"schema": "xattn.recommend", "diversity": NaN}', "must be strict JSON, which has no NaN; got one."),
        ('{"schema": "xattn.recommend", "diversity": -Infinity}', "which has no -Infinity"),
        ('{"user": "a", "user": "b"}', "must name each key of an object once; got 'user' again."),
        ("[]", "must be an object; got []."),
        ("{}", "`schema` must be one of xattn.recommend, "),
        ('{"schema": ["xattn.recommend"]}', "`schema` must be one of"),
        ('{"schema": "xattn.recommend"}', "exactly one of `user` and `history` must be given; got none."),
        ('{"schema": "xattn.recommend", "user": "a", "history": []}', "got both."),
        ('{"schema": "xattn.recommend", "user": "a", "k": ' + "1" * 5000 + "}", "must be"),
        (b"\xff\xfe\xff", "must be JSON"),
        (
            '{"schema": "xattn.explain", "user": "a", "item": "b", "scenario": "war"}',
            "`scenario` must be one of films,",
        ),
        ('{"schema": "xattn.explain", "user": "a"}', "`document` must have the key 'item'"),
        ('{"schema": "xattn.compare", "a": {"user": "a", "item": "b"}, "b": {"user": 1.5}}', "`b.user` must be an id"),
        ('{"schema": "xattn.recommend", "history": [{"item": "a", "rating": "5"}]}', "`history[0].rating` must be a"),
        ('{"schema": "xattn.recommend", "user": "a", "masked": [0.5]}', "`masked[0]` must be a whole number"),
    ],
)
def test_one_clear_sentence(text: str | bytes, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(text)
    assert said in str(refusal.value)


def test_a_part_of_free_shape_has_a_bottom() -> None:
    told = answers()[1].to_dict()
    deep: Any = 1
    for _ in range(30):
        deep = [deep]
    with pytest.raises(InputError, match="must not be nested deeper than 20 levels"):
        ExplainAnswer.from_dict({**told, "asked": deep})


def test_documents_are_read_as_texts_too() -> None:
    assert document('{"a": [1, "é"]}') == document('{"a": [1, "é"]}'.encode()) == {"a": [1, "é"]}
