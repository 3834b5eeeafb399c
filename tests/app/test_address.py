"""Every state has an address: a link that is opened in a new session shows what the old one showed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from tests.app.conftest import SMALL, Opener, address, scores, shown_text, small
from tests.models import fitted
from xattn.app import state
from xattn.app.learn.formulas import Lit
from xattn.app.recommend import page as recommend_page
from xattn.app.recommend.heads import head_names
from xattn.app.recommend.view import FEW_EVENTS, TABS
from xattn.app.recommend.what_if import MORE_EVENTS
from xattn.app.ui import address as parts
from xattn.app.ui.session import FILMS, LIT
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure
from xattn.model.heads.learned import LearnedPart
from xattn.recommenders import Recommender

LESSON = "from xattn.app.learn import page; page.render()"
LAB = "from xattn.app.lab import page; page.render()"
FRONT = "from xattn.app.front import page; page.render()"


def seen(page: AppTest) -> tuple[Any, ...]:
    """What a visitor sees: texts, tables, what is chosen and what is open."""
    tables = [frame.value.to_csv() for frame in (*page.dataframe, *page.table)]
    widgets = [(box.key, box.value) for group in (page.selectbox, page.checkbox, page.toggle) for box in group]
    opened = [(box.label, box.proto.expanded) for box in page.expander]
    tabs = [page.session_state[key] for key in ("rec_tabs",) if key in page.session_state]
    return shown_text(page), tables, widgets, opened, tabs


def settle(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    assert not page.error
    return page


def opens_the_same(open_page: Opener, page: AppTest, script: str, **more: str) -> None:
    again = open_page(script, **{**address(page), **more})
    assert seen(again) == seen(page)
    assert address(again) == {**address(page), **more}, "a link that is right is left as it is"


# --- the first page ---------------------------------------------------------------------------------------------------

FIRST = "from xattn.app.recommend import page; page.render()"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("tab", [tab for tab in TABS if tab != "parts"])  # these data have none
def test_the_open_tab(open_page: Opener, tab: str, lang: str) -> None:
    page = open_page(user="u3", item="i12", lang=lang)
    page.session_state["rec_tabs"] = t(TABS[tab], lang)
    settle(page)
    assert address(page).get("tab", "why") == tab
    opens_the_same(open_page, page, FIRST)
    other = open_page(**{**address(page), "lang": "en" if lang == "zh" else "zh"})
    assert other.session_state["rec_tabs"] == t(TABS[tab], "en" if lang == "zh" else "zh")


def test_a_tab_of_before_is_led_to_where_it_stands_now(open_page: Opener) -> None:
    page = open_page(user="u3", item="i12", tab="weights")
    assert page.session_state["rec_tabs"] == t("why.compare")


def test_a_tab_stays_open_when_the_language_changes(open_page: Opener) -> None:
    page = open_page(user="u3", item="i12", tab="heads")
    page.session_state["lang"] = "zh"
    settle(page)
    assert page.session_state["rec_tabs"] == t("why.heads", "zh")
    assert len(page.toggle) > 1


def test_back_leads_to_the_tab_before(open_page: Opener) -> None:
    page = open_page(user="u3", item="i12")
    before = address(page)
    page.session_state["rec_tabs"] = t("why.heads")
    assert address(settle(page))["tab"] == "heads"
    page.query_params.clear()
    page.query_params.update(before)
    settle(page)
    assert page.session_state["rec_tabs"] == t("why.reasons")
    assert "tab" not in address(page)


def test_whom_it_is_compared_with_and_how_many_boxes_there_are(open_page: Opener) -> None:
    first, *_, last = small().recommend(user="u3")["item"]
    page = open_page(user="u3", item=first, tab="versus")
    page.selectbox(key="rec_versus").set_value(last).run()
    assert address(page)["versus"] == last
    opens_the_same(open_page, page, FIRST)
    page.session_state["rec_tabs"] = t(TABS["whatif"])
    settle(page).button(key="rec_more").click().run()
    assert address(page)["boxes"] == str(FEW_EVENTS + MORE_EVENTS)
    assert len(page.checkbox) > FEW_EVENTS
    opens_the_same(open_page, page, FIRST)
    page.session_state["rec_tabs"] = t(TABS["take"])
    link = dict(parse_qsl(urlsplit(settle(page).code[0].value).query))
    here = {name: value for name, value in address(page).items() if name != "tab"}
    assert {**here, "lang": "en"}.items() <= link.items(), "it can be copied from the page too"
    assert "tab" not in link, "who follows it sees the reasons"


@pytest.mark.parametrize(
    ("tab", "parts"), [("why", ("history",)), ("sum", ("rec_waterfall", "history")), ("heat", ("rec_heat",))]
)
def test_the_open_parts(open_page: Opener, tab: str, parts: tuple[str, ...]) -> None:
    page = open_page(user="u3", item="i12", tab=tab)
    for part in parts:
        page.session_state[f"open.{part}"] = True
        settle(page)
    assert address(page)["open"] == ",".join(sorted(parts))
    opens_the_same(open_page, page, FIRST)
    page.session_state[f"open.{parts[0]}"] = False
    settle(page)
    assert address(page).get("open", "") == ",".join(sorted(parts[1:]))


def test_back_closes_a_part_and_a_late_address_does_not(open_page: Opener) -> None:
    page = open_page(user="u3", item="i12", tab="sum")
    before = address(page)
    page.session_state["open.history"] = True
    late = address(settle(page))
    page.session_state["open.rec_waterfall"] = True
    page.query_params.clear()
    page.query_params.update(before)  # what a browser says that has not heard of the first part yet
    settle(page)
    assert address(page)["open"] == "history,rec_waterfall"
    page.query_params.clear()
    page.query_params.update(late)
    settle(page)
    assert (page.session_state["open.history"], page.session_state["open.rec_waterfall"]) == (True, False)


# --- Back, then Forward at once: the run of Back is cut short by that of Forward --------------------------------------


def turn(page: AppTest, to: dict[str, str]) -> None:
    """Back or Forward leads to this address."""
    page.query_params.clear()
    page.query_params.update(to)
    page.run()
    assert not page.exception


def cut_short(*_: Any) -> NoReturn:
    """What a new run does to the one before it, wherever that is."""
    raise StopException


def test_forward_cuts_back_short(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(user="u3")
    before = address(page)
    next(button for button in page.button if str(button.key).startswith("rec_why_")).click().run()
    explained = address(page)
    assert "item" in explained
    with monkeypatch.context() as patched:
        patched.setattr(recommend_page, "listed", cut_short)
        turn(page, before)
    turn(page, explained)
    assert address(page) == explained
    assert len(page.button(key="rec_close").label) > 0
    assert page.session_state["rec.view"].item == explained["item"]


@pytest.mark.parametrize(
    ("script", "start", "key", "value"),
    [
        (FIRST, {"user": "u3", "item": "i12", "tab": "sum"}, "open.rec_waterfall", True),
        (LESSON, {"step": "all"}, "worked_step", "2"),
        (LESSON, {"step": "all"}, LIT.name, Lit(1)),
        (FRONT, {"films": "i3_5~i4_5~i7_5"}, FILMS.name, (("i3", 5), ("i4", 5))),
    ],
)
def test_forward_cuts_short_what_back_did_to_a_part(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch, script: str, start: dict[str, str], key: str, value: Any
) -> None:
    monkeypatch.setattr(state, "model", lambda kind="HybridAttention", name="": small(kind))
    page = open_page(script, **start)
    before = address(page)
    page.session_state[key] = value
    after = address(settle(page))
    (changed,) = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    show = parts.show
    with monkeypatch.context() as patched:
        patched.setattr(parts, "show", lambda param, *more: cut_short() if param == changed else show(param, *more))
        turn(page, before)
    turn(page, after)
    assert page.session_state[key] == value
    assert address(page) == after


def with_learned_heads() -> Recommender:
    """The default model as it is on more data: beside its other heads two that were trained."""
    twin: Any = copy(fitted("hybrid"))
    trained: Any = fitted("sequence")
    (part,) = trained.parts_
    assert isinstance(part, LearnedPart)
    twin.parts_ = (*twin.parts_, part)
    return twin  # type: ignore[no-any-return]


@pytest.fixture
def _no_answers() -> Iterator[None]:
    """Answers are kept under the name of a model; here two have the same."""
    caches = (streamlit.cache_data, streamlit.cache_resource)
    for cache in caches:
        cache.clear()
    yield
    for cache in caches:
        cache.clear()


@pytest.mark.usefixtures("_no_answers")
@pytest.mark.parametrize("learned", [False, True])
def test_every_head_that_can_be_muted(open_page: Opener, monkeypatch: pytest.MonkeyPatch, learned: bool) -> None:
    model = with_learned_heads() if learned else fitted("hybrid")
    monkeypatch.setattr(state, "_fitted", lambda kind, name: model)
    names = head_names(model)
    assert ("learned" in names) == learned
    for name in names:
        page = open_page(user="u3", item="i12", tab="heads", exact="1")
        assert all(box.value for box in page.toggle)
        page.toggle(key=f"rec_head_{name}").set_value(False).run()
        assert address(page)["muted"] == name
        twin = model.without_heads([name])
        heads = set(twin.explain(user="u3", item="i12").cells["head"])
        assert not [head for head in heads if head == name or (name == "learned" and head.startswith(name))]
        again = open_page(**address(page))
        assert scores(again) == scores(page) == [figure(x) for x in twin.recommend(user="u3")["score"]]
        assert (
            [box.value for box in again.toggle[1:]]
            == [box.value for box in page.toggle[1:]]  # the first one is the switch for exact numbers
            == [own != name for own in names]
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tab", "x"),
        ("versus", "nobody"),
        ("boxes", "0"),
        ("boxes", "1e9"),
        ("boxes", "٣"),
        ("open", "<b>"),
        ("open", "x"),
    ],
)
def test_what_no_link_would_say_is_left_out(open_page: Opener, name: str, value: str) -> None:
    page = open_page(user="u3", item="i12", **{name: value})
    plain = open_page(user="u3", item="i12")
    assert not page.error
    assert seen(page) == seen(plain)


# --- the other pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lit", "says"), [(Lit(1), "2"), (Lit(2, 1), "3_2")])
def test_what_is_pointed_at_in_the_lesson(open_page: Opener, lit: Lit, says: str) -> None:
    page = open_page(LESSON, step="all")
    page.session_state[LIT.name] = lit
    assert address(settle(page))["at"] == says
    again = open_page(LESSON, **address(page))
    assert [element.value for element in again.latex] == [element.value for element in page.latex]
    assert any("colorbox" in element.value for element in again.latex)
    assert again.pills(key="worked_follow").value == page.pills(key="worked_follow").value
    page.pills(key="worked_follow").set_value(None).run()
    assert "at" not in address(page)


@pytest.mark.parametrize("value", ["0", "4", "x", "1_", "99_99", "-1", "²"])
def test_nothing_is_pointed_at_that_is_not_there(open_page: Opener, value: str) -> None:
    page = open_page(LESSON, step="all", at=value)
    assert not page.error
    assert not [element for element in page.latex if "colorbox" in element.value]
    assert "at" not in address(page)


def test_the_parts_of_the_lesson(open_page: Opener) -> None:
    page = open_page(LESSON, step="all")
    assert page.session_state["open.errata"], "open by itself where all steps are shown"
    assert "open" not in address(page)
    for part, open_ in (("errata", False), ("tour", True), ("swap", True)):
        page.session_state[f"open.{part}"] = open_
        settle(page)
    assert address(page)["open"] == "-errata,swap,tour"
    page.selectbox(key="worked_below").set_value("2").run()
    assert address(page)["below"] == "2"
    opens_the_same(open_page, page, LESSON)
    page.segmented_control(key="worked_step").set_value("1").run()
    assert not page.session_state["open.errata"]


CHOICES: list[tuple[str, dict[str, str], Callable[[AppTest], Any], str]] = [
    (LAB, {"part": "threshold"}, lambda at: at.selectbox(key="lab_threshold_0"), "metric"),
    (LAB, {"part": "threshold"}, lambda at: at.selectbox(key="lab_threshold_2"), "other"),
    (LAB, {"part": "faithfulness"}, lambda at: at.segmented_control(key="lab_curve"), "curve"),
    (LAB, {"part": "models"}, lambda at: at.selectbox(key="lab_second"), "second"),
]


@pytest.mark.parametrize(("script", "params", "widget", "name"), CHOICES, ids=[choice[3] for choice in CHOICES])
def test_choices(
    open_page: Opener,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    params: dict[str, str],
    widget: Callable[[AppTest], Any],
    name: str,
) -> None:
    monkeypatch.setattr(state, "model", lambda kind="HybridAttention", name="": fitted(SMALL[kind]))
    page = open_page(script, **params)
    assert name not in address(page)
    choice = widget(page)
    others = [option for option in choice.options if option != choice.value]
    at = choice.options.index(others[-1])
    choice.set_value(choice.proto.options[at] if isinstance(choice.proto.options[at], str) else others[-1]).run()
    settle(page)
    assert name in address(page)
    opens_the_same(open_page, page, script)


def test_the_tables_of_the_lab(open_page: Opener) -> None:
    page = open_page(LAB)
    assert "open.lab_accuracy_all" in page.session_state
    page.session_state["open.lab_accuracy_all"] = True
    settle(page)
    assert address(page) == {"open": "lab_accuracy_all"}
    opens_the_same(open_page, page, LAB)
