"""The recommendations page on small data: Streamlit's own test driver over a page whose models are fitted already."""

from __future__ import annotations

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


def address(page: AppTest) -> dict[str, str]:
    """The query parameters of a page."""
    return {name: value if isinstance(value, str) else value[0] for name, value in page.query_params.items()}


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open the page at query parameters: open_page(user="u1", k="5")."""
    monkeypatch.setattr(state, "_fitted", lambda kind, name: small(kind))
    monkeypatch.setattr(state, "dataset", lambda name="": small().data_)

    def open_at(script: str = PAGE, **params: str) -> AppTest:
        page = AppTest.from_string(script, default_timeout=60)
        for name, value in params.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    return open_at
