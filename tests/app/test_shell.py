"""The frame around the pages: titles stay text, errors become sentences, languages follow the visitor."""

from __future__ import annotations

import logging
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opener, address, shown_text
from xattn.app.ui.text import safe
from xattn.i18n import LANGUAGES, t

ROOT = Path(__file__).parents[2]

# --- untrusted text ---------------------------------------------------------------------------------------------------


@given(some.text(max_size=400), some.integers(1, 200))
def test_safe_text_is_escaped_short_and_on_one_line(text: str, limit: int) -> None:
    found = safe(text, limit)
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", found)
    assert not re.search(r"[!-/:-@\[-`{-~]", bare), "no punctuation without a backslash before it"
    assert not re.search(r"[\n\r\t\x00]", found)
    shown = found.replace("\u2060", "").replace("\\", "")
    assert len(shown) <= limit
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs"} for c in shown)


@given(some.text("abc xyz .:@-", max_size=60))
def test_safe_text_reads_as_it_was(text: str) -> None:
    assert safe(text, 100).replace("\\", "").replace("\u2060", "") == " ".join(text.split())


@pytest.mark.parametrize("text", [":red[x]", ":material/star:", "http://a.b", "www.a.b", "WWW.a.b", "a@b.c", ":smile:"])
def test_what_is_recognised_after_unescaping_is_broken(text: str) -> None:
    unescaped = safe(text).replace("\\", "")
    assert not re.search(r":[\w/]|https?:/|www\.|@\w", unescaped, re.IGNORECASE)


@pytest.mark.parametrize("value", [None, 3, float("nan"), ("a",), "x" * 1_000_000])
def test_safe_takes_anything(value: Any) -> None:
    assert 0 < len(safe(value)) <= 3 * 120


# --- errors and charts ------------------------------------------------------------------------------------------------

RAISING = """
from xattn.app.ui.refusals import reporting
from xattn.errors import InputError
import streamlit as st
with reporting():
    {statement}
st.markdown("after")
"""


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("raise InputError('`k` must be small; got *much*.')", safe("`k` must be small; got *much*.")),
        ("raise KeyError('inside')", t("app.failed")),
        ("1 / 0", t("app.failed")),
    ],
)
def test_errors_are_told_in_one_sentence(statement: str, sentence: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "xattn"):
        page = AppTest.from_string(RAISING.format(statement=statement)).run()
    assert [error.value for error in page.error] == [sentence]
    assert not page.exception
    assert [element.value for element in page.markdown] == ["after"]
    assert ("Traceback" in caplog.text) == (sentence == t("app.failed")), "faults are logged, refusals are not"


def test_stopping_and_rerunning_are_no_errors() -> None:
    page = AppTest.from_string(RAISING.format(statement="st.stop()")).run()
    assert not page.error
    assert not page.markdown


def test_a_chart_has_a_text_twin() -> None:
    def script() -> None:
        import altair as alt
        import pandas as pd

        from xattn.app.ui.figures import figures

        frame = pd.DataFrame({"a": [1, 2]})
        chart = alt.Chart(frame).mark_bar().encode(x="a:Q")
        figures(chart.properties(description="two bars"), frame, key="one", width=900)
        figures(chart, frame, key="two", alt="others")

    page = AppTest.from_function(script).run()
    assert not page.exception
    specs = [chart.proto.spec for chart in page.get("vega_lite_chart")]
    assert ['"description": "two bars"' in specs[0], '"description": "others"' in specs[1]] == [True, True]
    assert [frame.value["a"].tolist() for frame in page.dataframe] == [[1, 2], [1, 2]]


# --- the whole --------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_app(open_page: Opener) -> Opener:
    """Open the whole app, the recommendations page on small data in it."""

    def open_at(**params: str) -> AppTest:
        page = AppTest.from_file(ROOT / "app.py", default_timeout=60)
        for name, value in params.items():
            page.query_params[name] = value
        return page.run()

    return open_at


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_app_opens_on_the_first_page(open_app: Opener, language: str) -> None:
    page = open_app(lang=language)
    assert not page.exception
    assert not page.error
    assert page.title[0].value == t("front.title", language)
    assert t("front.promise", language) in shown_text(page)


def test_the_language_can_be_switched(open_app: Opener) -> None:
    page = open_app()
    assert "lang" not in address(page), "an address that is rewritten cannot be left with Back"
    page.sidebar.get("button_group")[0].set_value("zh").run()
    assert page.title[0].value == t("front.title", "zh")
    assert address(page)["lang"] == "zh"


def test_an_unknown_language_gets_one_sentence(open_app: Opener) -> None:
    page = open_app(lang="<b>fr")
    assert [warning.value for warning in page.warning] == [t("app.bad_language", got=safe("<b>fr"))]
    assert page.title[0].value == t("front.title")
    page.sidebar.get("button_group")[0].set_value("zh").run()
    assert not page.warning
