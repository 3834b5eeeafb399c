"""The pages speak one language: Streamlit's own words, which are English alone, give way to those of the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit

from xattn.app.ui.spoken import SCRIPTS, WHERE
from xattn.i18n import keys, t

BUNDLE = Path(streamlit.__file__).parent / "static" / "static" / "js"
NAMES = tuple(key.removeprefix("streamlit.") for key in keys() if key.startswith("streamlit."))
MADE = dict.fromkeys(("apply", "apply_text", "apply_text_mac"), "`apply`")  # `Press Enter to ${what}`


def test_every_text_has_its_places() -> None:
    assert set(NAMES) == set(WHERE)
    assert all(places for places in WHERE.values())


@pytest.mark.parametrize("name", NAMES)
def test_streamlit_writes_what_is_looked_for(name: str) -> None:
    """A newer Streamlit with other words shows here, and not as English on a Chinese page."""
    parts = re.split(
        r"\$<\w+>", t(f"streamlit.{name}", size="$<size>", kinds="$<kinds>", name="$<name>", n="$<n>", all="$<all>")
    )
    wanted = [MADE[name]] if name in MADE else [part.strip(" •") for part in parts if part.strip(" •")]
    bundle = "".join(path.read_text("utf-8") for path in sorted(BUNDLE.glob("*.js")))
    assert all(part in bundle for part in wanted)


def test_scripts_end_where_they_should() -> None:
    assert all("</script" not in script.lower() for script in SCRIPTS.values())
    assert '"zh-Hans"' in SCRIPTS["zh"]

    assert all('"选择文件"' in script for script in SCRIPTS.values()), "there and back"
