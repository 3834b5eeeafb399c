"""A number field on a page of its own: what it starts with, what it does without a number, and whom it tells."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

PAGE = """
import streamlit as st
from xattn.app.ui.fields import number_field
if "size" not in st.session_state:
    st.session_state["size"] = 3
def told():
    st.session_state["told"] = st.session_state.get("told", 0) + 1
size = number_field("size", key="size", then=told, min_value=1, max_value=9, step=1)
st.text(f"{size} {st.session_state.get('told', 0)}")
"""


def test_a_field_starts_with_nothing_and_shows_what_is_set() -> None:
    page = AppTest.from_string(PAGE).run()
    assert not page.number_input[0].proto.HasField("default")
    assert page.text[0].value == "3 0"


def test_a_field_without_a_number_gets_the_last_one_back_and_nobody_is_told() -> None:
    page = AppTest.from_string(PAGE).run()
    page.number_input[0].set_value(5).run()
    assert page.text[0].value == "5 1"
    page.number_input[0].set_value(None).run()
    assert not page.exception
    assert page.text[0].value == "5 1"
    assert page.number_input[0].value == 5
