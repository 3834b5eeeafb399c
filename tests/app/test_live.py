"""The page Live on small data: what it shows is the store's, previews hold, and everything said can be undone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opener, address, shown_text, small
from xattn.app.live import stage as stages
from xattn.app.live.stage import VISITOR, Stage
from xattn.app.ui.text import safe
from xattn.data import History, Interactions
from xattn.i18n import LANGUAGES, t
from xattn.live.satisfaction import CONSTRUCTS
from xattn.recommenders import HybridAttention

PAGE = "from xattn.app.live import page; page.render()"


@pytest.fixture
def opened(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open the page; `opened.own` is the newest stage that it stands on."""
    made: list[Stage] = []

    def fresh(checksum: str, kind: str, round_: int) -> Stage:
        while len(made) <= round_:
            made.append(Stage(small()))
        return made[round_]

    monkeypatch.setattr(stages, "_stage", fresh)

    class Opened:
        @property
        def own(self) -> Stage:
            return made[-1]

        def __call__(self, **params: str) -> AppTest:
            return open_page(PAGE, **params)

    yield Opened()
    for one in made:
        one.close()


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click().run()
    assert not page.exception
    assert t("app.failed") not in shown_text(page)


def listed(own: Stage) -> list[str]:
    return [one.item for one in own.served.items]


def test_each_event_is_kept_and_its_list_is_the_models(opened: Any) -> None:
    page = opened()
    own, model = opened.own, small()
    assert t("live.nothing_yet") in shown_text(page)
    for n in range(1, 4):
        before = listed(own)
        press(page, "live_next")
        assert len(own.store.of(VISITOR).events) == n
        text = shown_text(page)
        history = [(row.item, row.value) for row in own.store.of(VISITOR).events]
        assert listed(own) == model.recommend(history=history, k=10)["item"].tolist()
        titles = [model.data_.items.titles[model.data_.item_row(item)] for item in listed(own)]
        shown = re.findall(r"^(\d+) · \*\*(.+?)\*\*", text, re.MULTILINE)
        assert shown == [(str(rank), safe(title, 60)) for rank, title in enumerate(titles, 1)]
        step = own.steps[-1]
        assert [one.item for one in step.left] == [item for item in before if item not in listed(own)]
        assert t("live.new") in text or not step.entered
        assert f"Event {n}." in text
    user = address(page).get("who") or page.selectbox(key="live_who").value
    replayed = model.data_.item[model.data_.events_of(model.data_.user_row(user))][:3]
    assert [row.item for row in own.store.of(VISITOR).events] == [model.data_.items.ids[row] for row in replayed]


@pytest.mark.parametrize("kind", ["like", "not_interested", "more", "less"])
def test_what_is_announced_happens_and_can_be_undone(opened: Any, kind: str) -> None:
    page = opened()
    for _ in range(4):
        press(page, "live_next")
    own = opened.own
    page.segmented_control(key="live_kind").set_value(kind).run()
    before, count = listed(own), len(own.steps)
    told = {
        name: re.findall(re.escape(t(f"live.preview_{name}", names="")) + "(.*)", shown_text(page))
        for name in ("entered", "left")
    }
    press(page, "live_say")
    step = own.steps[-1]
    assert (len(own.steps), step.kind) == (count + 1, kind)
    for name, found in (("entered", step.entered), ("left", step.left)):
        want = " · ".join(safe(one.title, 50) for one in found[:5])
        assert [text.strip().startswith(want) for text in told[name]] == [True] * bool(found)
    press(page, f"live_undo_{step.id.replace(' ', '_')}")
    assert listed(own) == before
    assert not [button.key for button in page.button if button.key.startswith("live_undo_")]


def test_a_replay_plays_to_its_end_and_begins_anew(opened: Any) -> None:
    page = opened()
    press(page, "live_play")
    for _ in range(100):
        if page.button(key="live_play").label == t("live.play"):
            break
        page.run()  # what the browser asks for, at the speed that was chosen
    first = opened.own
    user = page.selectbox(key="live_who").value
    data = small().data_
    assert len(first.store.of(VISITOR).events) == data.events_of(data.user_row(user)).stop - (
        data.events_of(data.user_row(user)).start
    )
    assert page.button(key="live_next").disabled
    press(page, "live_again")
    assert opened.own is not first
    assert opened.own.steps == []


def test_own_events_are_found_by_title(opened: Any) -> None:
    page = opened(events="own")
    title = small().data_.items.titles[3]
    page.text_input(key="live_add").set_value(title).run()
    press(page, f"live_add_hit_{small().data_.items.ids[3]}")
    (row,) = opened.own.store.of(VISITOR).events
    assert row.item == small().data_.items.ids[3]
    assert "Event 1." in shown_text(page)


def test_guesses_and_answers_are_kept_and_reported(opened: Any) -> None:
    page = opened()
    for _ in range(5):
        press(page, "live_next")
    page.segmented_control(key="live_part").set_value("satisfaction").run()
    own = opened.own
    press(page, "live_guess_see")
    page.radio(key="live_guess_after").set_value("falls").run()
    press(page, "live_guess_tell")
    (row,) = own.store.held(VISITOR)["answers"]
    truth = re.findall(r'"truth": "(\w+)"', row["answers"])[0]
    assert t("live.guess_truth", truth=t(f"satisfaction.outcome_{truth}")) in "\n".join(
        one.value for one in page.success
    )
    for question in CONSTRUCTS["trust"]:
        page.segmented_control(key=f"live_answer_{question}").set_value(4)
    next(button for button in page.button if button.label == t("live.form_send")).click().run()
    report = own.live.satisfaction()
    trust = next(one for one in report["constructs"] if one["construct"] == "trust")
    assert (trust["people"], trust["mean"]["value"]) == (1, pytest.approx((4 + 4 + 2) / 3))
    assert f"Lists served: {report['lists']:,}." in shown_text(page)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("part", ["stream", "satisfaction"])
def test_the_page_is_whole_in_both_languages(opened: Any, lang: str, part: str) -> None:
    page = opened(lang=lang, part=part)
    words = [one.value for one in (*page.title, *page.subheader, *page.caption)]
    assert words
    assert all((re.search("[\u4e00-\u9fff]", word) is not None) == (lang == "zh") for word in words if word.strip())


def test_a_stage_leaves_nothing_behind() -> None:
    own = Stage(small())
    folder = own.folder.name
    own.event(0, 5.0)
    own.close()
    with pytest.raises(FileNotFoundError):
        list(Path(folder).iterdir())


def test_a_replay_keeps_the_pauses_of_its_person() -> None:
    """Nobody waits for them, and heads that forget by time see them; what is drawn is of the moment of the list."""
    plain = small().data_
    assert plain.time is not None
    time = 1.7e9 + (plain.time - plain.time.min()) * 30_000.0
    dated = Interactions("dated", plain.user_ids, plain.items, plain.indptr, plain.item, plain.rating, time)
    model = HybridAttention(min_events=2, recency_days=(1.0,)).fit(dated)
    own = Stage(model)
    try:
        history = History.of(dated, 0)
        assert history.elapsed is not None
        assert history.elapsed[0] > 1.0
        while own.play(history):
            found = own.person.history.elapsed
            assert found is not None
            want = history.elapsed[: own.played] - history.elapsed[own.played - 1]
            np.testing.assert_allclose(found, want, atol=1e-3)  # and the seconds that the store takes
            sums = own.values.sum(axis=1)
            np.testing.assert_allclose(sums, [one.score - one.base for one in own.served.items], atol=1e-12)
            again = model.contributions_of(own.person.history, dated.items.rows([x.item for x in own.served.items]))
            np.testing.assert_array_equal(own.values, again)
    finally:
        own.close()
