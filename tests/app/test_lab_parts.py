"""The lab's parts: the drawing is that of the details, the sums are the ledger's, an announced removal is served."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import address, shown_text, small, sound, visited
from tests.app.test_why_parts import model_of
from xattn import HybridAttention
from xattn.app import state
from xattn.app.lab import planted
from xattn.app.lab.parts import effects, sums
from xattn.app.state import Own
from xattn.data.synthetic_parts import PART_KINDS
from xattn.explain.parts import SIDES
from xattn.explain.tell.sides import speaking, split
from xattn.i18n import LANGUAGES, t

SCRIPT = "from xattn.app.lab import page; page.render()"


@pytest.fixture(autouse=True)
def _films(monkeypatch: pytest.MonkeyPatch) -> None:
    """Films without texts are shown, and small made data."""
    monkeypatch.setattr(planted, "USERS", 40)
    monkeypatch.setattr(state, "dataset", lambda name="": small().data_)
    monkeypatch.setattr(state, "model", lambda kind="HybridAttention", name="": small(kind))


def page(lang: str = "en", **params: str) -> AppTest:
    return sound(visited(SCRIPT, lang, part="parts", **params))


def table_with(at: AppTest, column: str) -> pd.DataFrame:
    (found,) = [frame.value for frame in at.dataframe if column in frame.value]
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", PART_KINDS)
def test_made_data_show_what_was_planted_and_that_it_adds_up(kind: str, lang: str) -> None:
    at = page(lang, parts=kind, user="u3")
    truth, model = planted.made(kind)
    assert at.selectbox(key="lab_parts_item").value == truth.data.items.ids[truth.target[3]]
    said = shown_text(at)
    assert t("lab.parts_truth_right", lang, key="", amount="", lure="", lured="")[:8] in said
    assert not re.search(r"[：:]\*\*\S", said), "a mark inside of bold text, before a letter, leaves its stars standing"
    added = table_with(at, t("lab.parts_with_one", lang)).iloc[:, 1:].to_numpy()
    why = model.explain(user="u3", item=at.selectbox(key="lab_parts_item").value)
    found = split(why, "look", at.selectbox(key="lab_parts_event").value)
    assert added == pytest.approx(sums(why, found), abs=1e-15)
    assert added[0, 0] == pytest.approx(found.amount, abs=1e-12)
    assert added[0, 1] == pytest.approx(found.whole, abs=1e-12)
    assert abs(added - added[0]).max() <= 1e-10
    charts = [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]
    assert any("hconcat" in spec for spec in charts) == (kind != "word")
    assert (":blue-background[" in said) == (kind == "word")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", PART_KINDS)
def test_what_is_announced_without_a_part_is_served(kind: str, side: str) -> None:
    at = page(parts=kind, side=side)
    model = planted.made(kind).model
    item, event, place = (at.selectbox(key=f"lab_parts_{name}").value for name in ("item", "event", "gone"))
    with_it, announced, served = (float(score) for score in at.table[0].value[t("chart.score")])
    why = model.explain(user=at.selectbox(key="lab_parts_user").value, item=item)
    assert with_it == pytest.approx(why.score, abs=1e-10)
    assert announced == pytest.approx(served, abs=1e-10)
    gone = model.without_parts("look", item if side == "target" else event, [int(place)])
    assert served == pytest.approx(gone.explain(user="u0", item=item).score, abs=1e-10)
    assert served < with_it, "the first part is the worst loss"
    table = table_with(at, t("lab.parts_effect"))
    frame = effects(why, split(why, "look", event), side)
    assert table[t("lab.parts_effect")].tolist() == frame["effect"].tolist()
    assert table[t("lab.parts_effect")].iloc[0] == pytest.approx(served - with_it, abs=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_all_effects_are_those_of_scoring_again(side: str) -> None:
    """Of every part, not of the first alone; and contributions add up to the sums of the same side."""
    truth, model = planted.made("tone")
    for user in range(5):
        item = truth.data.items.ids[truth.target[user]]
        why = model.explain(user=f"u{user}", item=item)
        found = split(why, "look", speaking(why, "look")[0])
        frame = effects(why, found, side)
        of = found.event if side == "event" else item
        for row in frame.itertuples():
            served = model.without_parts("look", of, [row.place]).scores_of(why.history)[why.question.target]
            assert abs(served - why.score - row.effect) <= 1e-10
        said = found.amount if side == "event" else found.whole
        assert frame["contribution"].sum() == pytest.approx(said, abs=1e-12)


def test_data_of_ones_own_with_texts_stand_first(monkeypatch: pytest.MonkeyPatch) -> None:
    data = model_of("texts").data_
    model = HybridAttention(learned="never").fit(data)
    monkeypatch.undo()
    monkeypatch.setattr(state, "_own", Own(data, model, scenario="items"))
    at = page(user="u", model="HybridAttention")
    assert at.segmented_control(key="lab_parts_data").value == "shown"
    assert at.selectbox(key="lab_parts_model").options == ["HybridAttention", "ContentAttention"]
    assert len(at.segmented_control(key="lab_parts_block").options) == 2
    with_it, announced, served = (float(score) for score in at.table[0].value[t("chart.score")])
    assert announced == pytest.approx(served, abs=1e-6)
    assert with_it != served
    at.segmented_control(key="lab_parts_block").set_value("story").run()
    assert address(sound(at))["block"] == "story"
    live = re.sub(r"\\.", "", shown_text(at))
    assert "<script>" not in live


def test_choices_stand_in_the_address_and_strange_ones_are_named() -> None:
    at = page(parts="patch")
    at.segmented_control(key="lab_parts_side").set_value("target").run()
    at.selectbox(key="lab_parts_user").set_value("u7").run()
    told = address(at)
    assert (told["parts"], told["side"], told["user"]) == ("patch", "target", "u7")
    again = page(parts="patch", side="target", user="u7")
    assert again.selectbox(key="lab_parts_item").value == at.selectbox(key="lab_parts_item").value
    strange = page(parts="<b>", user="nobody", gone="999")
    assert len(strange.warning) == 3
    assert all("<b>" not in warning.value.replace("\\<", "") for warning in strange.warning)


def test_a_missing_extra_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    planted._made.clear()
    monkeypatch.setattr("xattn.features.media.sounds.find_spec", lambda name: None)
    at = visited(SCRIPT, part="parts", parts="tone")
    assert not at.exception
    (error,) = at.error
    assert "xattn\\[sounds\\]" in error.value
