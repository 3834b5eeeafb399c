"""The session's keys are declared in one place: nobody else touches Streamlit's own state, and no name stands twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from xattn.app.ui import session
from xattn.app.ui.session import Key

APP = Path(session.__file__).parents[1]
FILES = sorted(path for path in APP.rglob("*.py") if path != Path(session.__file__))


def strays(source: str) -> Iterator[int]:
    """Lines that reach for Streamlit's own session state, in every way of writing it."""
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        if getattr(node, "attr", getattr(node, "id", "")) == "session_state" or "session_state" in names:
            yield getattr(node, "lineno", 0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(APP).as_posix())
def test_no_page_has_keys_of_its_own(path: Path) -> None:
    assert list(strays(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        'st.session_state["literal"] = 1',
        'x = streamlit.session_state.get(f"{name}.kept")',
        "session = st.session_state",
        "from streamlit import session_state as s",
        "session_state.update(a=1)",
    ],
)
def test_a_stray_key_is_found(source: str) -> None:
    assert list(strays(source))


def test_no_key_is_declared_twice() -> None:
    keys = {name: key.name for name, key in vars(session).items() if isinstance(key, Key)}
    names = list(keys.values())
    assert len(names) > 40
    assert sorted(names) == sorted(set(names))
    families = [name for name in names if name.endswith((".", "_"))]
    assert not [(family, name) for family in families for name in names if name != family and name.startswith(family)]
