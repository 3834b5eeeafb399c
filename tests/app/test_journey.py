"""Visits in a real browser: the list and its reasons, the lesson, one's own behaviour, the lab, keys, phones, axe."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from tests.app.browser import chromium
from tests.app.visit import Visit, serving, settled
from xattn.app.recommend.view import TABS
from xattn.i18n import t
from xattn.i18n.numbers import figure

pytestmark = pytest.mark.browser

PROMISED = 5.0  # seconds to the first result on a warm server
PROMISED_SCENARIO = 10.0  # seconds until a scenario is open
PROMISED_LIST = 10.0  # seconds from the first of three taps to a list with its reason


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that is ready."""
    with serving(tmp_path_factory.mktemp("elsewhere")) as address:
        yield address


def test_a_visit(browser: Any, server: str, tmp_path: Path) -> None:
    visit = Visit(browser)
    page = visit.page
    first = [visit.open(f"{server}/?user=42&exact=1")]
    if first[0] > PROMISED:  # another process may have been in the way
        first.append(visit.open(f"{server}/?user=42&exact=1"))
    assert min(first) <= PROMISED

    visit.open_first("click")
    label = visit.boxes.first.locator("label")
    told = re.search(r"without it: (\S+), rank (\d+)", label.inner_text())
    assert told, label.inner_text()
    visit.shoot(tmp_path / "why.png")

    label.click()
    _, announced, rescored = visit.check()
    assert announced == rescored == [told[1], told[2]]
    page.get_by_text(t("why.equal")).wait_for()
    outside = page.locator("[class*=st-key-rec_outside_] button").inner_text()
    assert outside.startswith(f"{told[2]} · ")
    assert t("recommendations.outside_short", k=10) in outside
    visit.tab("take")
    settled(page)  # a page that is still being drawn anew holds parts of the one before
    with page.expect_download() as download:
        page.get_by_role("button", name=t("why.file_json")).click()
    ledger = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert figure(ledger["score"]) == rescored[0]
    assert ledger["rank"] == int(rescored[1])
    with page.expect_download() as download:
        page.get_by_role("button", name=t("why.file_csv")).click()
    assert len(Path(download.value.path()).read_text("utf-8-sig").splitlines()) == 70  # a header, 69 of the 70 events

    page.get_by_role("radio", name="中文").click()
    page.get_by_role("heading", name=t("recommendations.title", "zh")).wait_for()
    page.wait_for_function("document.documentElement.lang === 'zh-Hans'")
    visit.tab("whatif", "zh")
    assert visit.check()[1:] == [announced, rescored]
    permalink = page.url
    params = parse_qs(urlparse(permalink).query)
    assert set(params) == {"user", "model", "k", "without", "item", "lang", "exact", "tab"}
    assert params["lang"] == ["zh"]
    visit.close()

    other = Visit(browser, color_scheme="dark")
    other.open(permalink)
    assert other.check()[1:] == [announced, rescored]
    other.page.get_by_text(t("why.equal", "zh")).wait_for()
    other.shoot(tmp_path / "permalink-dark.png")
    other.close()


def test_three_taps_to_a_reason_and_one_to_its_proof(browser: Any, server: str) -> None:
    visit = Visit(browser)
    page = visit.turn_to(server, t("front.title"))
    start = time.monotonic()
    for item in ("2571", "1", "356"):
        page.locator(f".st-key-front_tile_{item} button").click()
    page.wait_for_url("**films=*356_5**")
    page.locator(".st-key-front_list button").nth(4).wait_for()
    prove = page.locator(".st-key-front_prove button")
    prove.wait_for()
    assert time.monotonic() - start <= PROMISED_LIST
    announced = re.search(r"place (\d+)", prove.inner_text())
    assert announced, prove.inner_text()
    settled(page)
    prove.click()
    said = page.get_by_text("What was announced is what happened.")
    said.wait_for()
    assert (
        f"Announced without “Forrest Gump”: place {announced[1]}. Happened: place {announced[1]}." in said.inner_text()
    )
    fallen = page.locator(".st-key-front_list button").filter(has_text=re.compile(f"^{announced[1]} · "))
    fallen.wait_for()
    page.get_by_role("link", name=t("front.door_whole")).click()
    page.get_by_role("heading", name=t("recommendations.title")).wait_for()
    page.get_by_text("Toy Story").first.wait_for()
    visit.close()


def test_back_and_forward(browser: Any, server: str) -> None:
    visit = Visit(browser)
    visit.open(f"{server}/recommendations")
    visit.page.get_by_role("link", name=t("app.worked")).click()
    visit.page.get_by_role("heading", name=t("app.worked")).wait_for()
    visit.page.get_by_role("link", name=t("app.recommendations")).click()
    visit.lines.nth(9).wait_for()
    settled(visit.page)
    visit.lines.nth(3).click()
    visit.page.wait_for_url("**item=**")
    close = visit.page.locator(".st-key-rec_close")
    visit.page.go_back()
    close.wait_for(state="detached")
    assert "item=" not in visit.page.url
    visit.page.go_forward()
    close.wait_for()
    visit.page.go_back()
    close.wait_for(state="detached")
    visit.page.go_back()
    visit.page.get_by_role("heading", name=t("app.worked")).wait_for()
    visit.close()


def test_a_phone(browser: Any, server: str, tmp_path: Path) -> None:
    visit = Visit(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    visit.open(f"{server}/?user=42")
    visit.open_first("tap")
    settled(visit.page)
    sheet = visit.page.locator(".st-key-rec_pane").bounding_box()
    assert sheet["y"] + sheet["height"] <= 844 + 1, "what was asked for comes up on the screen"
    assert sheet["y"] > 0
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing hangs over the side"
    visit.shoot(tmp_path / "phone.png")
    visit.close()


@pytest.mark.parametrize(
    "query", ["user=nobody", "k=x", "model=__import__", "item=%00", "without=%3Cscript%3E", "lang=fr"]
)
def test_a_bad_address_is_no_dead_end(browser: Any, server: str, query: str) -> None:
    visit = Visit(browser)
    visit.open(f"{server}/recommendations?{query}")
    main = visit.page.locator("body").inner_text()
    assert f"{query.partition('=')[0]} in the address must " in main
    assert "Traceback" not in main
    visit.close()


# --- edits of the list ------------------------------------------------------------------------------------------------


def titles(page: Any) -> list[str]:
    """The ranks and titles of the list."""
    return [text.partition("\n")[0] for text in page.locator("[class*=st-key-rec_why_] button").all_inner_texts()]


def test_less_like_this_is_told_and_undone(browser: Any, server: str) -> None:
    visit = Visit(browser)
    visit.open(f"{server}/?user=42")
    assert urlparse(visit.page.url).path == "/recommendations", "a link of before leads to what it opened"
    page = visit.page
    page.get_by_role("button", name=t("recommendations.say")).nth(9).wait_for()
    before = titles(page)
    page.get_by_role("button", name=t("recommendations.say")).nth(2).click()
    page.get_by_text("Less like this").click()
    page.get_by_text("What changed.").wait_for()
    settled(page)
    assert titles(page) != before
    assert "said=less_" in page.url
    page.get_by_role("button", name=t("undo.undo")).click()
    page.wait_for_function("!location.search.includes('said=')")
    settled(page)
    assert titles(page) == before
    visit.close()


def test_what_would_drop_it_drops_it_and_what_would_bring_it_in_brings_it_in(browser: Any, server: str) -> None:
    visit = Visit(browser)
    visit.open(f"{server}/?user=42&item=91542")
    page = visit.page
    first = titles(page)[0].partition(" · ")[2]
    head = page.locator(".st-key-rec_head")
    page.get_by_role("button", name=t("why.apply")).click()
    head.get_by_text("happened").wait_for()
    settled(page)
    assert first not in {title.partition(" · ")[2] for title in titles(page)}
    page.get_by_role("button", name=t("recommendations.put_back")).click()
    head.get_by_text("happened").wait_for(state="detached")
    settled(page)

    page.get_by_label(t("recommendations.why_not")).fill("amelie")
    page.locator(".st-key-rec_other_hits button").filter(has_text="Amelie").first.click()
    page.locator("[class*=st-key-rec_outside_] button").wait_for()
    settled(page)
    page.get_by_role("button", name=t("why.add")).click()
    visit.lines.filter(has_text=re.compile(r"^[0-9]+ · .*Amelie")).wait_for()
    visit.close()


def test_the_keyboard_is_enough(browser: Any, server: str) -> None:
    visit = Visit(browser)
    visit.open(f"{server}/?user=42")
    page = visit.page
    visit.lines.nth(9).wait_for()
    settled(page)
    visit.lines.first.focus()
    visit.press("Enter", page.locator(".st-key-rec_close"))
    page.get_by_role("tab", name=t(TABS["whatif"]), exact=True).focus()
    visit.press("Enter", visit.boxes.first)
    visit.boxes.first.locator("input").focus()
    visit.press("Space", page.locator(".st-key-rec_head").get_by_text("happened"))
    visit.close()


# --- where the eye is ------------------------------------------------------------------------------------------------


def test_a_line_that_was_clicked_stays_where_it_is(browser: Any, server: str) -> None:
    visit = Visit(browser, viewport={"width": 1280, "height": 800})
    visit.open(f"{server}/recommendations?user=42")
    page, line = visit.page, visit.lines.nth(8)
    line.wait_for()
    settled(page)
    line.scroll_into_view_if_needed()
    settled(page)
    before = line.bounding_box()
    line.click()
    page.locator(".st-key-rec_close").wait_for()
    settled(page)
    assert line.bounding_box() == before, "the line did not move"
    pane = page.locator(".stColumn > .stVerticalBlock:has(.st-key-rec_pane)")
    assert pane.bounding_box()["height"] <= 800, "an explanation is no higher than the screen"
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 1e6)")
    page.wait_for_function(
        """() => {const main = document.querySelector('[data-testid=stMain]');
        return main.scrollTop + main.clientHeight >= main.scrollHeight - 2}"""
    )
    line = visit.lines.nth(6)
    before = line.bounding_box()
    line.click()
    page.locator(".st-key-rec_head").get_by_text(titles(page)[6].partition(" · ")[2]).wait_for()
    settled(page)
    assert line.bounding_box() == before, "nor where the page is scrolled to its end"
    seen = pane.bounding_box()
    assert seen["y"] >= 0, "the head of the explanation is on the screen"
    assert seen["y"] + seen["height"] <= 800, "and so is its foot"
    visit.close()


PLACES = (".xp", ".stage", ".twin", ".st-key-rec_list", ".st-key-rec_other", ".st-key-rec_pane", "[data-testid=stMain]")


@pytest.mark.parametrize("look", [{}, {"viewport": {"width": 390, "height": 844}}], ids=["wide", "narrow"])
def test_nothing_moves_when_an_event_is_unticked(browser: Any, server: str, look: dict[str, Any]) -> None:
    """Not the picture, which has room for what drops out; not what stands below it: the lines, the field, the pane."""
    visit = Visit(browser, **look)
    visit.open(f"{server}/recommendations?user=42&item=91542")  # the first, which drops out
    page = visit.page
    visit.lines.nth(9).wait_for()
    settled(page)
    before = [page.locator(place).first.bounding_box() for place in PLACES]
    assert all(before)
    boxes = page.locator(".xp ul input")
    for n, places in enumerate(("1st → announced 26th", "26th → announced"), 1):
        box = boxes.nth(n - 1)
        where = box.bounding_box()
        box.evaluate("box => box.click()")  # where it is: the browser's own click would bring it to the middle
        page.locator(".xp .proof.same").get_by_text(places).wait_for()
        page.locator(".st-key-rec_list_end button").wait_for()
        settled(page)
        assert box.bounding_box() == where
        after = [page.locator(place).first.bounding_box() for place in PLACES]
        assert dict(zip(PLACES, after, strict=True)) == dict(zip(PLACES, before, strict=True))
    visit.close()


class Clicks:
    """Counts what a visitor has to click."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, what: Any) -> None:
        self.n += 1
        what.click()


def test_five_questions_and_what_they_cost(browser: Any, server: str) -> None:
    """The questions of docs/pages.md, each from where things stand, with the number of clicks that it says."""
    visit = Visit(browser, viewport={"width": 1280, "height": 800})
    page, found = visit.page, {}
    visit.open(f"{server}/recommendations?user=42")
    picture = page.locator(".xp")

    click = Clicks()  # why is the first item first?
    picture.get_by_text(re.compile("films? carr.* of “")).first.wait_for()
    page.locator(".st-key-rec_pane_first table").wait_for()
    assert "26th" in page.locator(".st-key-rec_pane_first table tbody tr").first.inner_text()
    found["why is the first item first?"] = click.n

    click = Clicks()  # what if I had not seen Y?
    settled(page)
    click(picture.locator("ul li").first.locator("input"))
    picture.locator(".proof").get_by_text("1st → announced 26th → happened 26th ✓").wait_for()
    found["what if I had not seen Y?"] = click.n

    click = Clicks()  # why not Z?
    settled(page)
    field = page.get_by_label(t("recommendations.why_not"))
    click(field)
    field.fill("amelie")
    click(page.locator(".st-key-rec_other_hits button").filter(has_text="Amelie").first)
    page.locator(".st-key-rec_why_not").get_by_text("of the score of").wait_for()
    found["why not Z?"] = click.n

    click = Clicks()  # which group is served worse?
    settled(page)
    click(page.get_by_role("link", name=t("app.lab")))
    page.get_by_role("heading", name=t("lab.title"), level=1).wait_for()
    settled(page)
    click(page.get_by_role("radio", name=t("lab.part_groups")))
    page.wait_for_url("**part=groups**")
    found["which group is served worse?"] = click.n

    click = Clicks()  # is my stars' meaning what happens?
    visit.open(f"{server}/recommendations?user=you&films=1*2571_5~1_5~356_5")
    settled(page)
    click(page.get_by_test_id("stFeedback").nth(2).get_by_role("radio").first)
    page.wait_for_url("**356_1**")
    row = picture.locator("ul li").filter(has_text="Forrest Gump")
    row.filter(has_text="★ 0.5").wait_for()
    settled(page)
    assert "−" in row.inner_text() or "speaks against" in picture.inner_text()
    found["is my stars’ meaning what happens?"] = click.n

    table = Path(__file__).parents[2].joinpath("docs", "pages.md").read_text("utf-8")
    told = re.findall(r"^\| (.*[?]) \| [^|]* \| ([0-9]+)[^|]*\|$", table, re.MULTILINE)
    assert {question: int(clicks) for question, clicks in told} == found
    visit.close()


# --- the other pages --------------------------------------------------------------------------------------------------


def test_the_lesson(browser: Any, server: str) -> None:
    visit = Visit(browser)
    page = visit.turn_to(f"{server}/worked", t("worked.title"))
    for step in (2, 3):
        visit.press("ArrowRight", page.get_by_role("heading", name=t(f"worked.step.{step}")))
    page.locator(".st-key-worked_weights_carried .mark-rect path").first.wait_for()
    page.locator(".st-key-worked_k_contributions_chart .mark-rect path").nth(4).click(force=True)
    page.locator(".katex .colorbox, .katex [style*=ffd76a]").first.wait_for()
    field = page.get_by_label("Temperature", exact=True)
    field.fill("0.5")
    field.press("Enter")
    page.wait_for_url("**vectors=**")
    settled(page)
    told = page.locator(".katex-mathml").first.inner_text()
    other = Visit(browser)
    again = other.turn_to(page.url, t("worked.title"))
    again.locator(".katex-mathml").first.wait_for(state="attached")
    assert again.locator(".katex-mathml").first.inner_text() == told, "a link opens the same numbers"
    other.close()
    visit.close()


def test_a_pointer_is_told_a_term_and_nothing_moves(browser: Any, server: str) -> None:
    visit = Visit(browser)
    sent: list[Any] = []
    visit.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page = visit.turn_to(f"{server}/worked?step=3", t("worked.title"))
    chart = page.locator(".st-key-worked_k_contributions_chart")
    chart.locator(".mark-rect path").nth(11).wait_for()
    chart.scroll_into_view_if_needed()
    settled(page)
    before, heard = chart.bounding_box(), len(sent)
    assert heard > 0
    for cell, term in ((6, "0.66524 × 1 = 0.66524"), (10, "0.24473 × 0 + 0.09003 × 1 + 0.66524 × 1 = 0.75527")):
        chart.locator(".mark-rect path").nth(cell).hover(force=True)
        chart.get_by_text(term).wait_for()
    assert chart.bounding_box() == before
    page.mouse.move(0, 0)
    chart.get_by_text("0.24473 × 0").wait_for(state="detached")
    settled(page)
    assert len(sent) == heard, "the server hears of nothing"
    visit.close()


def test_films_are_found_and_rated(browser: Any, server: str) -> None:
    visit = Visit(browser)
    page = visit.turn_to(f"{server}/behaviour?films=1*260_5", t("front.title"))
    assert urlparse(page.url).path == "/", "a link of before leads to what it opened"
    page.get_by_label(t("behaviour.add")).fill("toy story")
    page.get_by_role("button", name=re.compile("^.*Toy Story 2")).click()
    page.wait_for_url("**3114_5**")
    settled(page)
    page.get_by_role("heading", name=t("front.list")).wait_for()
    page.get_by_role("button", name=t("undo.undo")).click()
    page.wait_for_function("!location.search.includes('3114')")
    visit.close()


def test_a_strangers_file_is_explained_in_six_clicks(browser: Any, server: str) -> None:
    """Columns in another order, names of its own, rows that lack somebody: dropped, settled, fitted, asked why."""
    rows = [f"2024-05-0{1 + n},dish {(u * 5 + n * n) % 13},guest {u}" for u in range(40) for n in range(6)]
    table = "\n".join(["date,product,customer", *rows, "2024-05-07,,guest 1", "2024-05-08,dish 1,"])
    visit = Visit(browser)
    page = visit.turn_to(f"{server}/data", t("mine.title"))
    page.locator("input[type=file]").set_input_files(  # 1
        {"name": "kitchen.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    page.get_by_role("button", name=t("mine.do_missing")).click()  # 2
    page.get_by_role("button", name=t("mine.fit")).click()  # 3
    page.get_by_role("button", name=t("mine.go")).click()  # 4
    visit.lines.first.wait_for()
    settled(page)
    visit.lines.nth(1).click()  # 5
    page.locator(".st-key-rec_close").wait_for()
    said = page.get_by_test_id("stMain").inner_text()
    assert "“dish" in said
    assert "film" not in said.casefold()
    other = Visit(browser)
    other.open(f"{server}/?user=42")
    assert "dish" not in other.page.get_by_test_id("stMain").inner_text(), "nobody else sees it"
    other.close()
    visit.close()


# --- scenarios --------------------------------------------------------------------------------------------------------


def test_a_scenario_is_opened_doubted_and_replayed(browser: Any, server: str) -> None:
    """From the first page to a field, an event unticked there, what was announced proved, its events streamed in."""
    visit = Visit(browser)
    page = visit.turn_to(server, t("front.title"))
    page.get_by_role("link", name=t("front.door_scenarios")).click()
    page.get_by_role("heading", name=t("scenarios.title"), level=1).wait_for()
    pictures = page.locator(".scenario-picture")
    pictures.nth(9).wait_for()
    assert page.evaluate("[...document.querySelectorAll('.scenario-picture')].every(one => one.naturalWidth === 160)")
    settled(page)
    start = time.monotonic()
    page.get_by_role("button", name=t("scenarios.open", title="Smart home")).click()
    page.locator(".st-key-scenario_why").get_by_text(re.compile("you used")).wait_for()
    assert time.monotonic() - start <= PROMISED_SCENARIO
    settled(page)
    box = page.locator(".xp ul input").first
    box.uncheck(force=True)
    page.wait_for_url("**without=**")
    page.locator(".xp .proof.same").wait_for()
    settled(page)
    page.get_by_role("button", name=t("scenarios.go_live")).click()
    page.get_by_role("heading", name=t("live.title"), level=1).wait_for()
    settled(page)
    page.get_by_role("button", name=t("live.next")).click()
    page.get_by_test_id("stMain").get_by_text("Event 1.").wait_for()
    visit.close()


# --- live -------------------------------------------------------------------------------------------------------------


def _press_until(page: Any, button: Any, label: str) -> None:
    """Press a button until it bears this label: a click that comes while the page is drawn anew may be lost."""
    for _ in range(5):
        if label in button.inner_text():
            return
        button.click()
        for _ in range(40):
            page.wait_for_timeout(250)
            if label in button.inner_text():
                return
    raise AssertionError(f"no button {label}")


def test_events_stream_in_and_what_is_said_is_undone(browser: Any, server: str) -> None:
    visit = Visit(browser)
    page = visit.turn_to(f"{server}/live", t("live.title"))
    said = page.get_by_test_id("stMain")
    page.get_by_role("button", name=t("live.next")).click()
    said.get_by_text("Event 1.").wait_for()
    settled(page)
    button = page.locator(".st-key-live_play button")
    _press_until(page, button, t("live.pause"))
    page.wait_for_function("Number((document.body.innerText.match(/Event ([0-9]+)[.]/) || [0, 0])[1]) >= 4")
    _press_until(page, button, t("live.play"))
    page.get_by_role("button", name=t("live.say_it")).wait_for()
    settled(page)
    first = said.locator("strong", has_text=re.compile(".")).all_inner_texts()
    page.get_by_role("button", name=t("live.say_it")).click()
    said.get_by_text(t("live.said", what=t("live.kind_not_interested"), title="")[:-3]).first.wait_for()
    undo = page.get_by_role("button", name=re.compile("^" + t("live.undo", what="", title="").partition(":")[0]))
    undo.wait_for()
    settled(page)
    undo.click()
    undo.wait_for(state="detached")
    settled(page)
    assert said.locator("strong", has_text=re.compile(".")).all_inner_texts()[1:] == first[1:], "the list is back"
    visit.close()


PAGES = (
    ("/recommendations?user=42&item=91542", "recommendations.title"),
    ("/recommendations?user=42&item=91542&tab=whatif&exact=1", "recommendations.title"),
    ("/?films=1*260_5~1270_5&without=1270", "front.title"),
    ("/worked?step=3", "worked.title"),
    ("/worked?step=all&at=2_1&open=swap,tour", "worked.title"),
    ("/behaviour", "behaviour.title"),
    ("/data", "mine.title"),
    ("/live", "live.title"),
    ("/scenarios", "scenarios.title"),
    ("/scenarios?scenario=health", "words.scenario.health"),  # which is its title, too
    ("/lab", "lab.title"),
    ("/lab?part=models", "lab.title"),
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, server: str, scheme: str) -> None:
    """Rules of axe-core on every page; and nothing hangs over the side where a phone shows it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    visit = Visit(browser, color_scheme=scheme)
    found = []
    for path, title in PAGES:
        page = visit.turn_to(server + path, t(title))
        page.wait_for_timeout(500)  # charts fade in
        for rule in axe.Axe().run(page).response["violations"]:
            for node in rule["nodes"]:
                if rule["impact"] in ("serious", "critical"):
                    found.append((path, rule["id"], node["html"][:200]))
    assert found == []
    visit.close()


@pytest.mark.parametrize(("path", "title"), PAGES[1:], ids=[path for path, _ in PAGES[1:]])
def test_pages_fit_a_phone(browser: Any, server: str, path: str, title: str) -> None:
    visit = Visit(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = visit.turn_to(server + path, t(title))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing hangs over the side"
    visit.close()
