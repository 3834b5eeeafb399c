"""The recommendations page on small data: Streamlit's own test driver over a page whose models are fitted already."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.models import fitted
from xattn.app import state
from xattn.recommenders import Recommender

PAGE = "from xattn.app.recommend import page; page.render()"
SMALL = {  # class on the page: its small twin among the models of this suite
    "HybridAttention": "hybrid",
    "ContentAttention": "content",
    "CollaborativeAttention": "collaborative",
    "UserAttention": "users",
    "ItemKNN": "item knn",
    "Popularity": "popularity",
}

Opener = Callable[..., AppTest]


def small(kind: str = "HybridAttention") -> Recommender:
    """The small twin of a class."""
    return fitted(SMALL[kind])


def shown_text(page: AppTest) -> str:
    """All texts of a page that may hold Markdown, one a line."""
    groups: tuple[Any, ...] = (page.markdown, page.caption, page.error, page.warning, page.info, page.title)
    labels = [widget.label for widget in (*page.checkbox, *page.button, *page.selectbox, *page.multiselect)]
    return "\n".join([*(element.value for group in groups for element in group), *labels])


LINE = re.compile(r"\*\*(\d+)\*\* · (.*?)  \n(?::(?:blue|orange)-badge\[[^]]*\] )?:small\[(.*)\]")


def lines(page: AppTest) -> list[tuple[int, str, str]]:
    """(rank, title, reason) of each line of the list, in order."""
    found = (LINE.fullmatch(button.label) for button in page.button if str(button.key).startswith("rec_why_"))
    return [(int(line[1]), line[2], line[3]) for line in found if line]


def scores(page: AppTest) -> list[str]:
    """The scores of the lines, of a page that shows exact numbers."""
    return [score[1] for _, _, said in lines(page) if (score := re.search(r"score \*\*(.*)\*\*", said))]


def visited(script: str, language: str = "", **params: str) -> AppTest:
    """A page that a script draws, opened at an address with these parameters; "": in the language of the browser."""
    page = AppTest.from_string(script, default_timeout=60)
    if language:
        page.session_state["lang"] = language
    for name, value in params.items():
        page.query_params[name] = value
    return page.run()


def sound(page: AppTest) -> AppTest:
    """The page, which must have no error on it."""
    assert not page.exception
    assert not [element.value for element in page.error]
    return page


def address(page: AppTest) -> dict[str, str]:
    """The query parameters of a page."""
    return {name: value if isinstance(value, str) else value[0] for name, value in page.query_params.items()}


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open the page at query parameters: open_page(user="u1", k="5")."""
    monkeypatch.setattr(state, "_fitted", lambda kind, name: small(kind))
    monkeypatch.setattr(state, "dataset", lambda name="": small().data_)

    def open_at(script: str = PAGE, **params: str) -> AppTest:
        page = visited(script, **params)
        assert not page.exception
        return page

    return open_at
