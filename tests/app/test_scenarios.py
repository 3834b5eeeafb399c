"""The page Scenarios: ten cards with their pictures; a list, its reasons, and its checks in the words of the field."""

from __future__ import annotations

import contextlib
import re
from importlib.resources import files

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import address, lines, shown_text, sound, visited
from xattn.app import state
from xattn.app.live.stage import VISITOR, K, Stage
from xattn.app.recommend import reasons
from xattn.app.scenarios import opened as behind
from xattn.app.scenarios.drawing import DRAWN, picture
from xattn.app.scenarios.opened import opened, people, view_of
from xattn.app.ui.session import EXACT
from xattn.app.ui.text import safe
from xattn.i18n import LANGUAGES, t
from xattn.scenarios import load, names
from xattn.scenarios.sets import FOLDER

PAGE = "from xattn.app.scenarios import page; page.render()"


@pytest.fixture(autouse=True)
def no_public_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)


def read(page: AppTest) -> str:
    """All texts, with what `safe` put into them taken out."""
    return re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", shown_text(page)).replace("\u2060", "")


# --- the cards --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_ten_cards(language: str) -> None:
    page = sound(visited(PAGE, language))
    text = read(page)
    for name in names():
        manifest = load(name).manifest
        assert f"#### {manifest.title.told(language)}" in text
        assert manifest.persona.told(language) in text
        page.button(key=f"scenario_open_{name}")
    badges = [t(f"scenarios.on_{what}", language) for what in ("simulated", "sample")]
    assert [text.count(f"[{badge}]") for badge in badges] == [8, 2]


def test_pictures_are_drawn_from_the_scenarios_own_data() -> None:
    assert set(DRAWN) == set(names())
    for name in ("e-commerce", "smart-home", "travel"):
        truth = load(name).data("simulated").truth
        assert truth is not None
        kept = (files("xattn.app.scenarios") / "pictures" / f"{name}.svg").read_text("utf-8")
        assert kept == picture(name, truth)
    drawn = {(files("xattn.app.scenarios") / "pictures" / f"{name}.svg").read_text("utf-8") for name in names()}
    assert len(drawn) == 10
    assert not any(re.search(r"script|href|<text|url|\bon\w+=", svg) for svg in drawn)


def test_a_card_leads_to_its_scenario_and_back() -> None:
    page = visited(PAGE)
    page.button(key="scenario_open_finance").click()
    sound(page.run())
    assert address(page) == {"scenario": "finance"}
    assert page.title[0].value == load("finance").manifest.title.en
    page.button(key="scenario_all").click()
    sound(page.run())
    assert address(page) == {}
    assert page.title[0].value == t("scenarios.title")


# --- one scenario -----------------------------------------------------------------------------------------------------


SHOWN = list(zip(names(), LANGUAGES * 5, strict=True))[1:]  # the first takes longest, and shows nothing else


@pytest.mark.parametrize(("name", "language"), SHOWN)
def test_a_scenario_shows_its_list_and_why(name: str, language: str) -> None:
    page = sound(visited(PAGE, language, scenario=name))
    one = opened(name)
    manifest, text = one.scenario.manifest, read(page)
    user = people(one.found.data)[0]
    listed = one.model.recommend(user=user, k=8, seen=manifest.seen)
    model = state.speaking(one.model, language)
    why = model.explain(user=user, item=listed["item"].iloc[0], k=8, seen=manifest.seen)
    with state.in_words_of(manifest.words):
        assert reasons.text(why, "paragraph", language) in text
    exact = why.text(language, "paragraph", manifest.words)
    assert exact not in text
    assert t("scenarios.adds_up", language) in text
    page.toggle(key=EXACT.name).set_value(True).run()
    assert exact in read(sound(page))
    assert page.query_params["exact"] == "1"
    for said in (
        manifest.story,
        manifest.watch,
        *manifest.warnings,
        *manifest.questions,
        manifest.claim,
        manifest.holds,
    ):
        assert said is not None
        assert said.told(language) in text
    assert one.found.told(language) in text
    told = read(page).casefold()
    assert not re.search(r"\bfilms?\b|\bwatched\b|影片|看过的电影", told)


def test_what_is_left_out_is_left_out_and_another_item_is_explained() -> None:
    one = opened("smart-home")
    user = people(one.found.data)[0]
    assert view_of(one, user).seen == "keep"
    item = one.model.recommend(user=user, k=8, seen="keep")["item"].iloc[2]
    first = one.model.explain(user=user, item=item, k=8, seen="keep").events().iloc[0]
    page = sound(visited(PAGE, scenario="smart-home", who=user, item=item, without=str(first["position"])))
    after = one.model.explain(user=user, item=item, k=8, seen="keep", without=[first["event"]])
    assert after.rank == first["rank_without"]
    with state.in_words_of("home"):
        assert reasons.text(after, "paragraph", "en") in read(page)
    key = "scenarios.why_this" if after.rank != 1 else "scenarios.why"
    assert t(key, title=safe(after.title, 80)) in shown_text(page)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"scenario": "banking"}, "scenario"),
        ({"scenario": "travel", "who": "nobody"}, "who"),
        ({"scenario": "travel", "item": "<b>"}, "item"),
        ({"scenario": "travel", "without": "x"}, "without"),
        ({"scenario": "travel", "without": "999999"}, "without"),
    ],
)
def test_a_wrong_address_is_told_and_left_out(params: dict[str, str], name: str) -> None:
    page = sound(visited(PAGE, **params))
    assert [
        w.value for w in page.warning if f"{name} in the address must" in w.value.replace("\\", "").replace("`", "")
    ]
    if name != "scenario":
        assert page.title[0].value == load("travel").manifest.title.en


def test_claims_are_held_against_figures() -> None:
    page = sound(visited(PAGE, scenario="smart-home"))
    text = read(page)
    assert "Does attention point at what decides?" in text
    rows = page.dataframe[-1].value
    assert len(rows) == 3
    assert ((rows.iloc[:, 2] <= rows.iloc[:, 1]) & (rows.iloc[:, 1] <= rows.iloc[:, 3])).all()


def test_groups_are_reported_when_the_part_is_opened() -> None:
    page = visited(PAGE, scenario="travel", open="groups")
    sound(page)
    options = page.selectbox(key="scenario_by_travel").options
    assert options == [
        t("scenarios.by_length"),
        t("scenarios.by_taste"),
        t("scenarios.by_audit", name="age"),
        t("scenarios.by_audit", name="sex"),
    ]
    page.selectbox(key="scenario_by_travel").set_value("sex")
    sound(page.run())
    assert any({"f · n", "m · n"} <= {str(v)[:5] for v in frame.value.iloc[:, 0]} for frame in page.dataframe)


def test_all_pages_can_show_a_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    page = visited(PAGE, scenario="finance")
    page.button(key="scenario_go_live").click()
    page.run()
    assert page.session_state["go_to"] == "live"
    own = page.session_state["own.shown"]
    assert own.scenario == "finance"
    assert own.model is behind.opened("finance").model


def test_words_of_a_part_of_a_page_are_its_own() -> None:
    assert state.scenario() == "films"
    with state.in_words_of("shop"):
        assert state.scenario() == "shop"
        with state.in_words_of("travel"):
            assert state.scenario() == "travel"
        assert state.scenario() == "shop"
    assert state.scenario() == "films"


def test_every_page_asks_a_scenario_as_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of the smart home may hold again what somebody had: on the recommendations, too."""
    given: list[state.Own] = []
    monkeypatch.setattr(state, "hold", given.append)
    page = sound(visited(PAGE, scenario="smart-home"))
    page.button(key="scenario_go_recommendations").click()
    page.run()
    (own,) = given
    assert own.seen == "keep"
    user = people(own.data)[0]
    state.use(own)
    try:
        page = sound(visited("from xattn.app.recommend import page; page.render()", user=user))
    finally:
        state.use(None)
    shown = [title for _, title, _ in lines(page)]
    assert own.model is not None
    kept, dropped = (own.model.recommend(user=user, seen=seen)["title"].tolist() for seen in ("keep", "drop"))
    assert kept != dropped
    assert [title.replace("\\", "").replace("\u2060", "") for title in shown] == kept


def test_live_asks_a_scenario_as_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of a replay stays in the list where the model puts it first, and so does its explanation."""
    one = opened("smart-home")
    state.use(state.Own(one.found.data, one.model, scenario=one.found.words, seen="keep"))
    try:
        own = Stage(one.model)
    finally:
        state.use(None)
    with contextlib.closing(own):
        for item in one.found.data.item[one.found.data.events_of(0)][:4].tolist():
            own.event(item, None)
        had = [row.item for row in own.store.of(VISITOR).events]
        want = one.model.recommend(history=own.person.shown, k=K, seen="keep")["item"].tolist()
        assert [one.item for one in own.served.items] == want
        assert set(had) & set(want)
        assert own.preview({"kind": "like", "item": had[0]}).before == own.served.items
