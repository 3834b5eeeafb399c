"""The page "Your data": what is brought is read, settled, fitted, shown to one session alone, and taken away."""

from __future__ import annotations

import gc
import shlex
import threading
import time
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from tests.app.conftest import shown_text
from xattn import ItemKNN, load_model, read_interactions
from xattn.app import state
from xattn.app.data import brought as tables
from xattn.app.data.brought import by_database, by_files, by_text
from xattn.app.data.fitting import Fitting
from xattn.app.data.options import command, given_role, program, settled
from xattn.app.data.outcome import outcome_of
from xattn.app.state import Own
from xattn.app.ui.session import FITTING
from xattn.app.words import t
from xattn.cli import main
from xattn.data.synthetic import planted
from xattn.errors import InputError
from xattn.i18n import LANGUAGES, keys, placeholders
from xattn.i18n import t as plain
from xattn.recommenders import HybridAttention

PAGE = "from xattn.app.data import fitting, page; fitting.take_over(); page.render()"
OTHER = "from xattn.app.recommend import page; page.render()"


def lines(header: str = "visitor,song,stars,when") -> str:
    """Thirty people with six songs each."""
    rng = np.random.default_rng(0)
    rows = [
        f"v{u},Song {i},{1 + (u + i) % 5},{1_700_000_000 + 86_400 * n}"
        for u in range(30)
        for n, i in enumerate(rng.choice(12, 6, replace=False))
    ]
    return "\n".join([header, *rows]) + "\n"


def opened(script: str = PAGE) -> AppTest:
    page = AppTest.from_string(script, default_timeout=60)
    page.run()
    assert not page.exception
    return page


def dropped(*files: tuple[str, bytes]) -> AppTest:
    page = opened()
    page.file_uploader(key="data_files").set_value([(*file, "text/csv") for file in files]).run()
    assert not page.exception
    return page


def fitted(page: AppTest) -> AppTest:
    """The page when the fit has come to its end."""
    page.button(key="data_fit").click().run()
    for _ in range(300):
        if page.success:
            return page
        time.sleep(0.1)
        page.run()
    raise AssertionError(shown_text(page))


@pytest.fixture
def _no_seats() -> None:
    gc.collect()


# --- from a file to every page ----------------------------------------------------------------------------------------


def test_a_file_becomes_what_all_pages_of_this_session_show() -> None:
    page = fitted(dropped(("songs.csv", lines().encode())))
    own = page.session_state["own.shown"]
    assert own.data.name == "songs"
    assert own.data.n_events == 180
    assert own.scenario == "items"
    assert own.model.learned == "never"
    assert state.own() is None, "nobody else sees it"
    other = opened("from xattn.app import state; import streamlit as st; st.text(state.dataset().name)")
    assert other.text[0].value == state.DATASET


def test_the_recommendations_follow_and_come_back_when_it_is_forgotten() -> None:
    shown, mine = (planted("genre", n_users=20, seed=seed).data for seed in (1, 0))
    globals()["OWN"] = Own(mine, ItemKNN(n_neighbors=3).fit(mine), scenario="items")
    script = "import streamlit as st; from xattn.app import state; from tests.app import test_data_page as here\n"
    script += "if st.button('mine', key='mine'): state.hold(here.OWN)\n"
    script += "if st.button('not', key='not'): state.let_go()\n" + OTHER
    films, items = plain("recommendations.why_not"), plain("other.recommendations.why_not")
    state.use(Own(shown, ItemKNN(n_neighbors=5).fit(shown)))
    try:
        page = opened(script)
        assert films in {field.label for field in page.text_input}
        kept = page.session_state["rec.view"]
        page.button(key="mine").click().run()
        assert not page.exception
        assert items in {field.label for field in page.text_input}
        page.button(key="not").click().run()
        assert not page.exception
        assert films in {field.label for field in page.text_input}
        assert page.session_state["rec.view"] == kept
    finally:
        state.use(None)


@pytest.mark.usefixtures("_no_seats")
def test_no_more_sessions_than_the_server_takes_bring_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(state.HELD, "0")
    page = dropped(("songs.csv", lines().encode()))
    assert "at most 0 visitors" in shown_text(page)
    monkeypatch.setenv(state.HELD, "9")
    page = dropped(("songs.csv", lines().encode()))
    assert not page.error


def test_two_sessions_with_the_same_data_do_not_share_what_was_worked_out() -> None:
    """A model of other settings on the same data has the same class and the same data: answers are kept apart."""
    script = "from xattn.app import state; from tests.app import test_data_page as here; import streamlit as st\n"
    script += "state.hold(here.MODELS[{which}]); st.text(str(state.model().n_neighbors))"
    data = planted("genre", n_users=20, seed=0).data
    globals()["MODELS"] = [Own(data, ItemKNN(n_neighbors=n).fit(data)) for n in (2, 7)]
    said = [opened(script.format(which=which)).text[0].value for which in (0, 1)]
    assert said == ["2", "7"]


# --- columns and findings ---------------------------------------------------------------------------------------------


def test_columns_are_shown_with_samples_and_reasons_and_change_by_a_click() -> None:
    page = dropped(("strange.csv", lines("a,b,c,d").encode()))
    said = shown_text(page)
    assert "v0 · v1 · v2" in said
    assert "**unsure**" in said
    number = page.session_state["data.brought"].number
    page.selectbox(key=f"data_role_{number}_1").set_value("item").run()
    assert not page.exception
    data = page.session_state["data.outcome"][1].data
    assert data.items.ids[0].startswith("Song")
    assert data.rating is not None, "what is no item any more is looked at anew"
    assert page.session_state["data.options"]["columns"] == {"item": "b", "kind": ""}


def test_a_table_without_a_user_or_an_item_can_be_settled_by_a_click() -> None:
    page = dropped(("odd.csv", b"colour,price,shop\nred,3.5,east\nblue,4.5,west\n"))
    assert page.error
    number = page.session_state["data.brought"].number
    page.selectbox(key=f"data_role_{number}_0").set_value("user").run()
    page.selectbox(key=f"data_role_{number}_2").set_value("item").run()
    assert not page.error
    assert page.session_state["data.outcome"][1].data.n_events == 2


def test_a_finding_is_settled_by_a_click_and_taken_back() -> None:
    text = lines() + "v1,,3,1700000000\n,Song 1,3,1700000000\n"
    page = dropped(("songs.csv", text.encode()))
    assert page.error, "rows without a user or an item"
    assert "lines 182\\, 183 · costs 1.10% of the rows" in shown_text(page)
    page.button(key="data_settle_0_drop").click().run()
    assert not page.error
    assert page.session_state["data.outcome"][1].data.n_events == 180
    page.button(key="data_unsettle_missing").click().run()
    assert page.error


def test_a_mistake_loses_nothing() -> None:
    page = dropped(("songs.csv", lines().encode()))
    page.button_group(key="data_way").set_value("text").run()
    page.text_area(key="data_text").set_value("x" * 10).run()
    page.button_group(key="data_way").set_value("files").run()
    page.file_uploader(key="data_files").set_value([("a.csv", b"", "text/csv")]).run()
    assert page.error
    page.button_group(key="data_way").set_value("text").run()
    assert page.text_area(key="data_text").value == "x" * 10


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"%PDF-1.4 ...", "PDF"),
        (b"\x80\x04\x95\x00", "pickle"),
        (b"SQLite format 3\0" + bytes(200), "SQLite"),
        (b"\x1f\x8bno gzip", "gzip"),
    ],
)
def test_wrong_files_meet_one_sentence(raw: bytes, said: str) -> None:
    page = dropped(("thing.bin", raw))
    assert len(page.error) == 1
    assert said in page.error[0].value


# --- what is brought --------------------------------------------------------------------------------------------------


def test_several_files_are_told_apart() -> None:
    items = "song,title,genre\n" + "".join(f"Song {i},The {i},pop|rock\n" for i in range(12))
    files = [("about.csv", items.encode()), ("events.csv", lines().encode()), ("notes.txt", b"hello\nworld\n")]
    found = by_files(files)
    assert [file.kind for file in found.files] == ["items", "events", "unused"]
    outcome = outcome_of(found, {})
    assert outcome.data is not None
    assert outcome.data.items.titles[0].startswith("The ")


def test_part_files_are_one_table() -> None:
    head, *rows = lines().splitlines(keepends=True)
    parts = [(f"part-0000{n}.csv", (head + "".join(rows[60 * n : 60 * (n + 1)])).encode()) for n in range(3)]
    data = outcome_of(by_files(parts), {}).data
    assert data is not None
    assert data.n_events == 180


def test_limits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tables.UPLOAD, "1")
    with pytest.raises(InputError, match="at most 1 MB together; got 2 MB"):
        by_files([("a.csv", bytes(700_000)), ("b.csv", bytes(700_000))])
    monkeypatch.setattr("xattn.app.data.outcome.MOST_EVENTS", 100)
    refusal = outcome_of(by_text(lines()), {}).refusal
    assert refusal is not None
    assert "at most 100 events; got 180" in str(refusal)


def test_a_database_is_asked_only_where_the_server_allows_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "shop.db") as base:
        base.execute("create table plays (user text, item text)")
        base.executemany("insert into plays values (?, ?)", [("a", "x"), ("a", "y"), ("b", "x")])
    with pytest.raises(InputError, match="XATTN_DATABASES=on"):
        by_database(f"sqlite:///{tmp_path}/shop.db", "select * from plays")
    monkeypatch.setenv(tables.DATABASES, "on")
    found = outcome_of(by_database(f"sqlite:///{tmp_path}/shop.db", "select * from plays"), {})
    assert found.data is not None
    assert found.data.n_events == 3


# --- the same elsewhere -----------------------------------------------------------------------------------------------


def test_the_command_and_the_python_make_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = lines("a b,it's,c,d") + "v1,,3,1700000000\n"
    Path("it's mine.csv").write_text(text, "utf-8")
    found = by_files([("it's mine.csv", text.encode())])
    uses = outcome_of(found, {}).columns
    options = given_role({}, uses, 1, "item")
    options = given_role(options, uses, 2, "rating")
    options = settled(settled(options, "missing", "drop"), "scale", "1-5")
    data = outcome_of(found, options).data
    assert data is not None
    line = command(found, options, {"learned": "never"})
    done = CliRunner().invoke(main, shlex.split(line)[1:])
    assert done.exit_code == 0, done.output
    made = load_model("yours.npz")
    space: dict[str, Any] = {}
    exec(program(found, options, {"learned": "never"}), space)
    assert made.data_.checksum == space["data"].checksum == data.checksum
    assert made.fingerprint() == space["model"].fingerprint()


# --- models -----------------------------------------------------------------------------------------------------------


def test_a_model_is_taken_away_and_opened_again(tmp_path: Path) -> None:
    data = read_interactions(by_text(lines()).files[0].opened())
    model = ItemKNN(n_neighbors=3).fit(data)
    model.save(tmp_path / "m.npz")
    page = opened()
    page.button_group(key="data_way").set_value("model").run()
    raw = (tmp_path / "m.npz").read_bytes()
    page.file_uploader(key="data_model").set_value(("m.npz", raw, "application/zip")).run()
    assert not page.error
    assert page.session_state["own.shown"].model.fingerprint() == model.fingerprint()
    page.file_uploader(key="data_model").set_value(("m.npz", raw[:-900], "application/zip")).run()
    assert len(page.error) == 1
    assert page.session_state["own.shown"].model.fingerprint() == model.fingerprint(), "what was there stays"


# --- fits -------------------------------------------------------------------------------------------------------------


def until(done: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_fit_is_cancelled_and_is_given_up_with_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    class Slow:
        def __init__(self, **settings: Any) -> None: ...

        def fit(self, data: Any, progress: Any) -> None:
            try:
                while True:
                    progress("working", 0.5)
                    time.sleep(0.01)
            except BaseException as end:
                ended.append(type(end).__name__)
                raise

    monkeypatch.setattr("xattn.app.data.fitting.HybridAttention", Slow)
    data = planted("genre", n_users=9, seed=0).data
    fitting = Fitting(Own(data), {})
    until(lambda: fitting.share == 0.5)
    fitting.cancel()
    until(lambda: len(ended) == 1)
    assert fitting.state == "cancelled"
    held = [Fitting(Own(data), {})]
    until(lambda: held[0].share == 0.5)
    held.clear()
    gc.collect()
    until(lambda: len(ended) == 2)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("button", "place"),
    [("data_fit", "findings.settled"), ("data_learn", "shown.can_learn"), ("data_learn", "shown.progress")],
)
def test_a_fit_that_ends_while_the_page_is_drawn_is_shown(
    button: str, place: str, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came of it is drawn at the top, its progress further down; it ends at a place between them."""
    at = f"xattn.app.data.{place}"
    own = resolve_name(at)
    page = dropped(("songs.csv", lines().encode()))
    if button == "data_learn":
        monkeypatch.setattr("xattn.app.data.shown.can_learn", lambda data: True)
        page = fitted(page)
    may_end = threading.Event()

    class Held(HybridAttention):
        def fit(self, data: Any, y: None = None, *, progress: Any = None) -> Any:
            assert may_end.wait(30)
            if fails:
                raise InputError("it does not work")
            self.learned = "never"
            return super().fit(data)

    def ended(*drawn: Any) -> Any:
        may_end.set()
        fitting = FITTING.get()
        until(lambda: fitting is None or not fitting.goes_on)
        return place == "shown.can_learn" or own(*drawn)

    monkeypatch.setattr("xattn.app.data.fitting.HybridAttention", Held)
    monkeypatch.setattr(at, ended)
    page.button(key=button).click().run()
    assert not page.exception
    if fails:
        assert [one.value for one in page.error] == ["it does not work"]
        assert not page.button(key=button).disabled
    else:
        assert isinstance(page.session_state["own.shown"].model, Held)
        assert page.success


# --- words ------------------------------------------------------------------------------------------------------------

ABOUT_FILMS = ("film", "Film", "影片", "片名")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_speaks_of_films_where_none_are_shown(language: str) -> None:
    own = Own(planted("genre", n_users=9, seed=0).data, scenario="music")
    rooms = ("behaviour", "lab", "link", "pinned", "recommendations", "search", "tour", "why", "worked", "undo")
    pages = tuple(f"{room}." for room in rooms)
    state.use(own)
    try:
        for key in keys():
            if key.startswith(pages):
                values = dict.fromkeys(placeholders(key), "1")
                assert not any(word in t(key, language, **values) for word in ABOUT_FILMS), key
    finally:
        state.use(None)
    assert any(word in t("recommendations.why_not", language) for word in ABOUT_FILMS)
