"""The parts that pages share: undo, opinions, what is pasted, what is found, what is kept, the Python that is shown."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from tests.app.conftest import small
from xattn.app.learn.sheet import MOST_COLUMNS, MOST_ROWS, Sheet
from xattn.app.learn.snippet import of_sheet
from xattn.app.recommend import opinions
from xattn.app.recommend.snippet import of_view
from xattn.app.recommend.view import View
from xattn.app.ui import search
from xattn.app.yours import pasted
from xattn.errors import InputError

DATA = small().data_

# --- opinions ---------------------------------------------------------------------------------------------------------

OPINIONS = some.lists(
    some.tuples(some.text(min_size=1, max_size=6), some.sampled_from(opinions.KINDS)),
    unique_by=lambda x: x[0],
    max_size=6,
).map(tuple)


@given(OPINIONS)
def test_opinions_read_back(said: opinions.Opinions) -> None:
    assert opinions.read(opinions.write(said)) == said


@pytest.mark.parametrize(
    "text", ["x", "more", "more_", "_1", "love_1", "more_1~more_1", "~", "~".join(f"more_{i}" for i in range(41))]
)
def test_strange_opinions_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="a link must hold"):
        opinions.read(text)


def test_opinions_are_the_newest_events_and_hiding_is_none() -> None:
    own = small().history("u3")
    said = (("i1", "more"), ("i2", "hide"), ("i5", "less"))
    longer = View("u3", "ItemKNN", said=said).events(DATA)
    assert longer.item.tolist() == [*own.item.tolist(), *DATA.items.rows(["i1", "i5"]).tolist()]
    assert longer.rating is not None
    assert longer.rating[-2:].tolist() == [5.0, 1.0]
    assert np.array_equal(longer.age[:-2], own.age + 2)
    assert longer.age[-2:].tolist() == [1.0, 0.0]
    assert longer.user == own.user
    hiding = View("u3", "ItemKNN", said=(("i2", "hide"),))
    assert len(hiding.events(DATA)) == len(own)
    assert opinions.hidden(said) == ("i2",)


# --- pasting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names", "features", "table"),
    [
        ("1\t2\n3\t4", (), (), ((1.0, 2.0), (3.0, 4.0))),
        ("a\tb\n1\t2", (), ("a", "b"), ((1.0, 2.0),)),
        ("\ta\tb\nx\t1\t2", ("x",), ("a", "b"), ((1.0, 2.0),)),
        ("x,1.5,2\ny,3,4", ("x", "y"), (), ((1.5, 2.0), (3.0, 4.0))),
        ("x;1,5;2\r\n\r\ny;3;4\r\n", ("x", "y"), (), ((1.5, 2.0), (3.0, 4.0))),
        ('"a, b"\t1\n"c"\t2', ("a, b", "c"), (), ((1.0,), (2.0,))),
        ("1e3\t-2", (), (), ((1000.0, -2.0),)),
    ],
)
def test_cells_are_read(text: str, names: tuple[str, ...], features: tuple[str, ...], table: object) -> None:
    assert pasted.read(text) == (names, features, table)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "got none"),
        ("a\tb\n", "names alone"),
        ("1\t2\n3", "several lengths"),
        ("x\t1\ny\tmuch", "finite numbers; got 'much'"),
        ("1\tnan\n1\tinf", "finite numbers"),
        ("\n".join("1\t2" for _ in range(MOST_ROWS + 1)), "at most 40 rows"),
        ("\t".join("1" * (MOST_COLUMNS + 1)), "16 columns"),
        ("1" * 200_000, "at most 100000 characters"),
    ],
)
def test_cells_that_will_not_do_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        pasted.read(text)


@given(some.text(max_size=200) | some.text('1234\t,;.\nab"', max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = pasted.read(text)
    except InputError:
        return
    assert np.isfinite(np.array(found.table)).all()
    assert len(found.features) in (0, len(found.table[0]))
    assert len(found.names) in (0, len(found.table))


# --- finding ----------------------------------------------------------------------------------------------------------


def test_titles_are_found_by_all_their_words() -> None:
    titles = dict(zip(DATA.items.ids, DATA.items.titles, strict=True))
    hits = search.found(DATA, "DRAMA item", most=40)
    assert set(hits) == {item for item, title in titles.items() if "drama" in title.lower()}
    counts = dict(zip(DATA.items.ids, DATA.counts(), strict=True))
    assert [counts[item] for item in hits if titles[item].startswith("Item")] == sorted(
        (counts[item] for item in hits), reverse=True
    )
    assert search.found(DATA, "drama", but=hits[:3])[0] not in hits[:3]
    assert search.found(DATA, "i7")[0] == "i7"
    assert search.found(DATA, "  ") == search.found(DATA, "no such title") == []


@given(some.text(max_size=100))
def test_any_text_can_be_searched_for(text: str) -> None:
    assert len(search.found(DATA, text)) <= search.MOST


# --- undo -------------------------------------------------------------------------------------------------------------

UNDO = """
import streamlit as st
from xattn.app.ui import undo
st.session_state.setdefault("n", 0)
st.number_input("n", key="n", step=1)
undo.note("p", st.session_state["n"])
undo.bar("p", lambda state: st.session_state.update(n=state), lambda a, b, language: f"{a} to {b}", "en")
"""


def test_edits_are_listed_undone_and_gone_back_before() -> None:
    at = AppTest.from_string(UNDO).run()
    for n in (1, 2, 3):
        at.number_input(key="n").set_value(n).run()
    assert [element.value for element in at.markdown] == ["3. 2 to 3", "2. 1 to 2", "1. 0 to 1"]
    at.button(key="p.undo").click().run()
    assert at.number_input(key="n").value == 2
    at.button(key="p.before.1").click().run()
    assert at.number_input(key="n").value == 0
    assert at.button(key="p.undo").disabled
    assert not at.exception


# --- the Python that is shown -----------------------------------------------------------------------------------------


def output(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_the_python_of_a_sheet_runs_and_gives_its_numbers() -> None:
    from xattn import attend

    sheet = Sheet((1.0, 2.0), ((1.0, 0.0), (0.5, 1.0)), ((5.0,), (7.0,)), temperature=0.5, threshold=0.1)
    found = attend(sheet.query, sheet.keys, sheet.items, temperature=0.5, threshold=0.1)
    assert output(of_sheet(sheet)).strip() == f"{found.scores} {found.weights} {found.fused}"


def test_the_python_of_a_view_holds_all_that_was_changed() -> None:
    said = (("i1", "more"), ("i2", "hide"))
    view = View("u3", "ItemKNN", 7, said=said, muted=("content",), without=(2, 0))
    code = of_view(view, DATA, "i4")
    compile(code, "page", "exec")
    assert "events.without(events.alike([0, 2]))" in code
    assert "('i1', 5.0)" in code
    assert "exclude=['i2']" in code
    assert "muted on the page" in code
