"""The tab of parts: words marked in both texts, patches over pictures, bands over time; the table is the ledger's."""

from __future__ import annotations

import json
import re
from functools import cache

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import xattn
from tests.app.conftest import PAGE, shown_text, sound, visited
from xattn import ContentAttention
from xattn.app import state
from xattn.app.recommend.why_parts import marked
from xattn.app.state import Own
from xattn.data.synthetic_parts import planted_part
from xattn.explain.tell.sides import Piece, split
from xattn.features.planted import with_look
from xattn.i18n import t
from xattn.recommenders import Recommender

BAD = "<script>x</script> *star* [link](http://x.example) :red[heist] 🎻 $1$ www.example.org"


@cache
def model_of(kind: str) -> Recommender:
    """A model of planted words, patches or tones; of texts that would be markup if they were not shown as text."""
    if kind == "texts":
        items = pd.DataFrame(
            {
                "item": list("abcd"),
                "title": ["One", "Two", "Three", "Four"],
                "story": [
                    f"A heist with a crew. {BAD}",
                    f"The crew plans a heist {BAD}",
                    "a night at sea",
                    "机器人 night",
                ],
                "aside": ["a red door", "the red door", "a blue door", "a blue sea"],
            }
        )
        events = pd.DataFrame({"user": list("uuvvww"), "item": list("acbdba")})
        return ContentAttention().fit(xattn.read_interactions(events, items=items))
    return ContentAttention().fit(with_look(planted_part(kind, n_users=40)).data)


def opened(kind: str, monkeypatch: pytest.MonkeyPatch, lang: str = "", **params: str) -> AppTest:
    model = model_of(kind)
    monkeypatch.setattr(state, "_own", Own(model.data_, model, scenario="items"))
    user = model.data_.user_ids[0]
    return sound(visited(PAGE, lang, user=user, model="ContentAttention", tab="parts", **params))


def table_of(page: AppTest, lang: str = "en") -> pd.DataFrame:
    (found,) = [frame.value for frame in page.dataframe if t("parts.in_event", lang) in frame.value]
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", ["word", "patch", "tone"])
def test_the_table_is_the_ledgers_and_its_sum_is_the_cells(
    kind: str, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(kind, monkeypatch, lang, exact="1")
    why = model_of(kind).explain(user="u0", item=model_of(kind).recommend(user="u0")["item"].iloc[0])
    found = split(why, "look", page.selectbox(key="rec_part_event").value)
    table = table_of(page, lang)
    assert table.iloc[-1, 0] == t("parts.sum", lang)
    cells = why.cells[(why.cells["event"] == found.event) & why.cells["feature"].str.startswith("look: ")]
    for side in (1, 2):
        assert table.iloc[:-1, side].sum() == pytest.approx(table.iloc[-1, side], abs=1e-12)
        assert table.iloc[-1, side] == pytest.approx(cells["contribution"].sum(), abs=1e-12)
    assert found.own.title in shown_text(page) or kind != "word"
    if kind == "word":
        assert ":blue-background[**" in shown_text(page)
    else:
        (chart,) = [spec for c in page.get("vega_lite_chart") if "hconcat" in (spec := json.loads(c.proto.spec))]
        marks = [layer["mark"]["type"] for sheet in chart["hconcat"] for layer in sheet["layer"]]
        assert marks.count("image") == (2 if kind == "patch" else 0)
        assert marks.count("rect") == 2


def test_another_event_and_another_block_are_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened("texts", monkeypatch, k="1", item="b")
    assert page.segmented_control(key="rec_part_block").value == "aside"  # adds most
    page.segmented_control(key="rec_part_block").set_value("story").run()
    assert page.query_params["block"] == "story"
    assert "heist" in table_of(sound(page)).iloc[:, 0].tolist()
    again = opened("texts", monkeypatch, k="1", item="b", block="story", event="a")
    assert again.segmented_control(key="rec_part_block").value == "story"
    strange = opened("texts", monkeypatch, k="1", item="b", block="nosuch", event="d")
    assert strange.segmented_control(key="rec_part_block").value == "aside"
    assert strange.selectbox(key="rec_part_event").value == "c"  # the other with a door


def test_texts_of_strangers_stay_text(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened("texts", monkeypatch, k="1", item="b", block="story")
    told = next(m.value for m in page.markdown if m.value.startswith("**Two**  \n") and "script" in m.value)
    live = re.sub(r"\\.", "", told)  # what is not escaped
    live = re.sub(r":(blue|orange)-background\[", "[", live).removeprefix("**Two**")
    assert set("<>$`_(){}!#") & set(live) == set()
    assert ":red[" not in told
    assert re.search(r"-background\[−?\*\*heist\*\*\]", told)


def test_marks_say_for_and_against() -> None:
    told = marked((Piece("x:"), Piece("a", 0.5), Piece(" "), Piece("b", -0.5), Piece("…"), Piece("c", 0.1)), 0.5)
    assert told == "x\\:\u2060:blue-background[**a**] :orange-background[−**b**]…:blue-background[c]"


def test_data_without_parts_have_no_such_tab(monkeypatch: pytest.MonkeyPatch) -> None:
    events = pd.DataFrame({"user": list("uuvv"), "item": list("abbc")})
    items = pd.DataFrame({"item": list("abc"), "kind": ["x", "x", "y"]})
    model = ContentAttention().fit(xattn.read_interactions(events, items=items))
    monkeypatch.setattr(state, "_own", Own(model.data_, model, scenario="items"))
    page = sound(visited(PAGE, user="u", model="ContentAttention", tab="parts", k="1"))
    assert t("why.parts") not in [tab.label for tab in page.tabs]
    assert page.session_state["rec_tabs"] == t("why.reasons")
