"""The worked example's page shows the library's numbers, keeps them in the address, and tells wrong input kindly."""

from __future__ import annotations

import dataclasses
import math
import random
import re
from typing import Any

import pytest
import streamlit
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from tests.app.conftest import visited
from tests.models import fitted
from xattn import History, InputError, Interactions, attend, worked_example
from xattn.app import state
from xattn.app.learn import formulas, person_sheet, swap
from xattn.app.learn.article import article_sheet
from xattn.app.learn.results import results
from xattn.app.learn.sheet import MOST_COLUMNS, MOST_ROWS, Sheet, decode, encode, is_whole
from xattn.app.ui.session import LIT, VERSION
from xattn.app.ui.text import safe
from xattn.errors import XattnError, check_choice, check_no_overflow, check_number, check_same_columns, check_whole
from xattn.i18n import LANGUAGES, t
from xattn.tensor.attend import SCORERS
from xattn.viz.attention import FRAME
from xattn.viz.digits import digits

EXAMPLE = worked_example()
SHEET = article_sheet()


def page(lang: str = "en", **params: str) -> AppTest:
    """The page with all steps, opened at an address with these parameters."""
    return visited("from xattn.app.learn import page; page.render()", lang, **{"step": "all", **params})


def texts(at: AppTest) -> str:
    """Everything that the page says, as one text."""
    parts = [
        element.value for kind in ("markdown", "caption", "latex", "success", "subheader") for element in at.get(kind)
    ]
    return "\n".join([*parts, *(table.value.to_string() for table in at.table)])


def refused(at: AppTest) -> str:
    """The one sentence by which the page refuses its input; no formula stands beside it."""
    assert not at.exception
    assert len(at.error) == 1
    assert not at.latex
    return at.error[0].value.replace("\\", "")


def link_of(**changes: Any) -> str:
    """A link to the article's sheet with some changes."""
    return encode(Sheet(**{"query": SHEET.query, "keys": SHEET.keys, "items": SHEET.items, **changes}))


# --- the article's example --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_example_stands_there_at_first(lang: str) -> None:
    at = page(lang)
    assert not at.exception
    assert not at.error
    said = texts(at)
    for vector in (EXAMPLE.scores, EXAMPLE.weights, EXAMPLE.fused, EXAMPLE.recommendation):
        for x in vector:
            assert digits(x) in said
    assert "vectors" not in at.query_params  # its address is the plain one


def test_printed_exact_and_rounded_stand_side_by_side() -> None:
    tables = [table.value for table in page().table]
    beside = {len(frame): frame for frame in tables if "printed" in frame.index}
    assert beside[2].loc["exact"].tolist() == ["0.24473", "0.09003", "0.66524"]
    assert beside[2].loc["printed"].tolist() == ["0.2", "0.1", "0.7"]
    assert beside[3].loc["printed"].tolist() == ["3.2", "2.2", "5.4"]
    assert beside[3].loc["exact"].tolist() == ["6.81566", "5.73846", "4.57093"]
    assert beside[3].loc["with the rounded weights"].tolist() == ["6.9", "5.5", "4.7"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_erratum_is_told(lang: str) -> None:
    said = texts(page(lang))
    for erratum in EXAMPLE.errata:
        assert t(f"worked.erratum.{erratum.id}", lang) in said
        assert t("worked.section", lang, section=erratum.section) in said


def test_other_numbers_are_not_compared_with_the_article() -> None:
    at = page(vectors=link_of(temperature=2.0))
    assert not [table for table in at.table if "printed" in table.value.index]


# --- any numbers ------------------------------------------------------------------------------------------------------

CASES = [
    {"temperature": 0.5},
    {"beta": 0.5},
    {"threshold": 0.1},
    {"fusion": "add"},
    {"scorer": "scaled_dot", "temperature": 3.0, "beta": 0.0},
    {"scorer": "cosine", "keys": ((1.0, 0.0, 1.0), (0.0, 0.0, 0.0), (-1.0, -1.0, 2.5))},
    {"scorer": "bilinear", "W": ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0))},
    {"scorer": "additive", "Wq": ((1.0, 0.0, 0.0),), "Wk": ((0.0, 1.0, 0.0),), "v": (2.0,)},
    {"query": (1e-8,), "keys": ((1e9,),), "items": ((4.0, 5.0, 6.0, 7.0),)},
    {"query": (1.0, -1.0), "keys": ((0.5, 1.0),) * 9, "items": tuple((float(i),) for i in range(9))},
]


@pytest.mark.parametrize("changes", CASES, ids=lambda c: "-".join(c))
def test_the_page_shows_what_the_library_computes(changes: dict[str, Any]) -> None:
    link = link_of(**changes)
    sheet = decode(link, aligned=True)
    at = page(vectors=link)
    assert not at.exception
    assert not at.error
    assert at.query_params["vectors"] == link
    found = attend(
        sheet.query,
        sheet.keys,
        sheet.items,
        scorer=sheet.scorer,
        temperature=sheet.temperature,
        beta=sheet.beta,
        threshold=sheet.threshold,
        fusion=sheet.fusion,
        **{name: value for name in ("W", "Wq", "Wk", "v") if (value := getattr(sheet, name))},
    )
    ends = [0, len(sheet.keys) - 1]  # long histories are cut in the middle
    scores, weights, _, recommendation = (element.value for element in at.latex)
    assert all(f"= {formulas.tex(found.scores[i])}" in scores for i in ends)
    assert all(formulas.tex(found.weights[i]) in weights for i in ends)
    assert all(formulas.tex(x) in recommendation for x in found.fused)
    twins = [frame.value for frame in at.dataframe if not frame.key]
    listed = twins[2].iloc[:, 1].tolist()
    assert listed == found.weights.tolist()
    assert twins[4].iloc[-1, 1:].tolist() == found.fused.tolist()


def test_all_five_scorers_can_be_chosen() -> None:
    at = page()
    for scorer in SCORERS:
        at.selectbox(key="worked_scorer").select(scorer).run()
        assert not at.exception
        assert not at.error
        assert decode(at.query_params.get("vectors", encode(SHEET))).scorer == scorer


def test_a_widget_moves_every_step() -> None:
    at = page()
    at.number_input(key="worked_temperature").set_value(0.5).run()
    assert "0.86681" in at.latex[1].value
    assert at.query_params["vectors"] == link_of(temperature=0.5)
    at.number_input(key="worked_temperature").set_value(1.0).run()
    assert "vectors" not in at.query_params


def test_the_threshold_is_told_and_shown() -> None:
    at = page(vectors=link_of(threshold=0.1))
    assert r"0.09003 < 0.1 \;\Rightarrow\; 0" in at.latex[1].value
    assert t("worked.cut", kept=2, n=3) in texts(at)


def test_an_edited_cell_counts() -> None:
    at = page()
    version = at.session_state[VERSION.of("worked").name]
    at.session_state[f"worked_keys_{version}"] = {
        "edited_rows": {1: {"1": 2.0}},
        "added_rows": [],
        "deleted_rows": [],
    }
    at.run()
    assert decode(at.query_params["vectors"]).keys == ((1.0, 0.0, 1.0), (2.0, 1.0, 0.0), (1.0, 1.0, 1.0))


def test_tables_grow_with_zeros_and_shrink() -> None:
    at = page()
    at.number_input(key="worked_n").set_value(4).run()
    at.number_input(key="worked_d").set_value(2).run()
    at.number_input(key="worked_m").set_value(4).run()
    sheet = decode(at.query_params["vectors"])
    assert sheet.query == (1.0, 1.0)
    assert sheet.keys == ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0))
    assert sheet.items[0] == (5.0, 10.0, 2.0, 0.0)
    assert sheet.items[3] == (0.0,) * 4
    at.number_input(key="worked_n").set_value(1).run()
    assert not at.exception
    assert len(decode(at.query_params["vectors"]).keys) == 1


@pytest.mark.parametrize("name", ["n", "d", "m", "temperature", "beta", "threshold"])
def test_a_field_without_a_number_keeps_the_last_one(name: str) -> None:
    """As from a browser that tells of a field before it has heard what stands there."""
    at = page()
    at.number_input(key="worked_temperature").set_value(0.5).run()
    before, field = texts(at), at.number_input(key=f"worked_{name}").value
    at.number_input(key=f"worked_{name}").set_value(None).run()
    assert not at.error
    assert at.number_input(key=f"worked_{name}").value == field
    assert texts(at) == before


def test_fields_begin_with_nothing_and_not_with_the_least() -> None:
    """What the browser is told as a field's own start is what it says first: the least size would cut the tables."""
    assert [field.proto.HasField("default") for field in page().number_input] == [False] * 6


def test_reset_brings_the_article_back() -> None:
    at = page(vectors=link_of(temperature=2.0, keys=((1.0, 2.0, 3.0),), items=((1.0,),)))
    at.button(key="worked_reset").click().run()
    assert "vectors" not in at.query_params
    assert "0.24473" in texts(at)
    assert at.number_input(key="worked_n").value == 3


# --- one step at a time -----------------------------------------------------------------------------------------------


def test_steps_one_at_a_time() -> None:
    at = page(step="1")
    for step in "123":
        assert at.subheader[0].value == t(f"worked.step.{step}")
        assert len(at.latex) == 1
        assert at.button(key="worked_back").disabled == (step == "1")
        at.button(key="worked_next").click().run()
    assert at.query_params["step"] == "4"
    assert at.subheader[0].value == t("worked.step.4")
    assert at.button(key="worked_next").disabled
    at.button(key="worked_back").click().run()
    assert at.query_params["step"] == "3"


def test_a_lesson_begins_with_its_first_step() -> None:
    for step in ("99", "1"):
        at = page(step=step)
        assert at.subheader[0].value == t("worked.step.1")
        assert len(at.latex) == 1
        assert "step" not in at.query_params


def test_a_step_that_is_none_is_said() -> None:
    (warning,) = page(step="9").warning
    assert "`step` in the address must be one of 1, 2, 3, 4, all; got 9." in warning.value.replace("\\", "")


def test_what_a_step_made_is_carried_to_the_next() -> None:
    found = results(SHEET)
    for step, own in (("2", found.profile.scores), ("3", found.profile.weights), ("4", None)):
        at = page(step=step)
        assert t("worked.carried", step=int(step) - 1) in texts(at)
        carried = next(frame.value for frame in at.dataframe if not frame.key)
        if own is None:  # the whole of step 3: each key by its weight, and their sum
            assert carried.iloc[-1, 1:].tolist() == found.profile.fused.tolist()
        else:
            assert carried.iloc[:, 1].tolist() == own.tolist()


# --- pointing ---------------------------------------------------------------------------------------------------------

MARK = r"\colorbox"


def test_an_event_that_is_chosen_is_marked_in_every_formula() -> None:
    at = page()
    assert not [element for element in at.latex if MARK in element.value]
    at.pills(key="worked_follow").set_value("k2").run()
    weight, own = formulas.tex(EXAMPLE.weights[1]), [element.value for element in at.latex]
    assert all(MARK in text for text in own)
    assert all(formulas.MARKER % weight in text for text in own[1:])
    at.pills(key="worked_follow").set_value(None).run()
    assert not [element for element in at.latex if MARK in element.value]


def test_a_cell_that_is_chosen_is_marked_and_framed() -> None:
    at = page(step="3")
    at.session_state[LIT.name] = formulas.Lit(2, 1)
    at.run()
    (text,) = [element.value for element in at.latex]
    assert formulas.MARKER % formulas.tex(EXAMPLE.fused[1]) in text
    assert text.count(MARK) == 3  # the weight, the coordinate, the sum
    assert at.pills(key="worked_follow").value == "k3"
    specs = [chart.proto.spec for chart in at.get("vega_lite_chart")]
    assert len([spec for spec in specs if FRAME in spec]) == 2


def test_a_pointer_reruns_nothing() -> None:
    """Clicks are told to the server, what is under the pointer is not."""
    for chart in page().get("vega_lite_chart"):
        assert list(chart.proto.selection_mode) == ["lit"]
        assert "pointerover" in chart.proto.spec


def test_terms_of_the_example() -> None:
    found = results(SHEET)
    assert formulas.key_terms(SHEET)[0] == ["q1 = 1", "q2 = 1", "q3 = 1"]
    assert formulas.key_terms(SHEET)[2] == ["q · k2: 1 × 0", "q · k2: 1 × 1", "q · k2: 1 × 0"]
    assert formulas.score_terms(SHEET, found.profile)[2] == "e3 = 1 × 1 + 1 × 1 + 1 × 1 = 3"
    own = formulas.weight_terms(SHEET, found.profile, found.uncut.weights.tolist())
    assert own[0] == "a1 = e^2 / (e^2 + e^1 + e^3) = 0.24473"
    told = formulas.fusion_terms(SHEET, found.recommendation, SHEET.items)
    assert told[1] == ["0.09003 × 3 = 0.27009", "0.09003 × 7 = 0.63021", "0.09003 × 1 = 0.09003"]
    assert told[3][2] == "0.24473 × 2 + 0.09003 × 1 + 0.66524 × 6 = 4.57093"


@pytest.mark.parametrize("changes", CASES, ids=lambda c: "-".join(c))
def test_terms_end_in_the_library_s_numbers(changes: dict[str, Any]) -> None:
    sheet = decode(link_of(**changes))
    found = results(sheet)
    ends = [text.rpartition(" ")[2] for text in formulas.score_terms(sheet, found.profile)]
    assert ends == [digits(x) for x in found.profile.scores]
    ends = [
        text.rpartition(" ")[2] for text in formulas.weight_terms(sheet, found.profile, found.uncut.weights.tolist())
    ]
    assert ends == [digits(x) for x in found.profile.weights]
    told = formulas.fusion_terms(sheet, found.recommendation, sheet.items)
    wanted = [*found.recommendation.contributions.tolist(), found.recommendation.fused.tolist()]
    assert [[text.rpartition(" ")[2] for text in row] for row in told] == [[*map(digits, row)] for row in wanted]
    assert [len(row) for row in formulas.key_terms(sheet)] == [len(sheet.query)] * (1 + len(sheet.keys))


def test_an_event_that_is_gone_is_pointed_at_no_more() -> None:
    at = page(step="1")
    at.session_state[LIT.name] = formulas.Lit(2, 0)
    at.run()
    at.number_input(key="worked_n").set_value(2).run()
    assert not at.exception
    assert MARK not in at.latex[0].value


def test_the_tour_ticks_off_what_was_done() -> None:
    at = page(step="1")
    assert [e.label for e in at.expander if "0 of 6" in e.label]
    at.number_input(key="worked_temperature").set_value(0.5).run()
    at.number_input(key="worked_threshold").set_value(0.1).run()
    for _ in range(3):
        at.button(key="worked_next").click().run()
    assert [e.label for e in at.expander if "3 of 6" in e.label]
    assert sum(t("tour.is_done") in element.value for element in at.markdown) == 3


# --- what would put one item before another ---------------------------------------------------------------------------

PAIRS = [(above, below) for above in range(3) for below in range(3) if above != below]


def ranked(sheet: Sheet, above: int, below: int) -> float:
    """By how much `above` is nearer to the result than `below`, worked out from the definition."""
    how = {"temperature": sheet.temperature, "threshold": sheet.threshold, "fusion": sheet.fusion}
    y = attend(sheet.query, sheet.keys, sheet.items, scorer=sheet.scorer, beta=sheet.beta, **how).fused
    return math.dist(y, sheet.items[below]) - math.dist(y, sheet.items[above])


@pytest.mark.parametrize("changes", [*CASES[:5], {"items": ((5.0, 1.0), (3.0, 7.0), (8.0, 4.0))}], ids=str)
@pytest.mark.parametrize(("above", "below"), PAIRS)
def test_the_smallest_change_swaps_two_items_and_nothing_smaller_does(
    changes: dict[str, Any], above: int, below: int
) -> None:
    sheet = decode(link_of(**changes))
    if ranked(sheet, above, below) > 0:
        with pytest.raises(InputError):
            swap.of_other_items(sheet, above, below)
        return
    found = swap.of_other_items(sheet, above, below)
    shortest = {change.feature is None: change.size for change, _ in found}
    if (other := 3 - above - below) and sheet.fusion == "multiply" and not results(sheet).profile.weights[other]:
        assert found == (), "what has no weight moves nothing"
        return
    assert set(shortest) == {True, False}
    assert shortest[True] <= shortest[False], "one number is a change of its row too"
    for change, changed in found:
        assert changed == dataclasses.replace(sheet, items=change.of(sheet.items))
        assert change.row not in (above, below)
        assert ranked(changed, above, below) > 0
        for share in (0.5, 0.99, 1 - 1e-6):
            shorter = [a + share * (b - a) for a, b in zip(change.before, change.after, strict=True)]
            assert (
                ranked(
                    dataclasses.replace(sheet, items=change._replace(after=tuple(shorter)).of(sheet.items)),
                    above,
                    below,
                )
                < 0
            )
    draw = random.Random(0)
    for _ in range(200):  # no other direction gets there with a step a little shorter
        step = [draw.gauss(0, 1) for _ in sheet.items[0]]
        scale = 0.999 * shortest[True] / math.hypot(*step)
        moved = tuple(x + scale * s for x, s in zip(sheet.items[other], step, strict=True))
        assert (
            ranked(
                dataclasses.replace(sheet, items=(*sheet.items[:other], moved, *sheet.items[other + 1 :])), above, below
            )
            < 0
        )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["number", "vector"])
def test_a_change_that_swaps_two_items_is_told_applied_and_undone(lang: str, kind: str) -> None:
    at = swapping(page(lang, step="4"))
    options = at.selectbox(key="worked_above"), at.selectbox(key="worked_below")
    assert [box.value for box in options] == ["1", "3"], "the second and the first"
    (number, _), (vector, _) = swap.of_other_items(SHEET, 0, 2)
    assert t("swap.number", lang, row="y2", feature="2", before="7", after=digits(number.after[1])) in texts(at)
    sizes = {
        "before": r"\[3\, 7\, 1\]",
        "after": safe(f"[{', '.join(map(digits, vector.after))}]"),
        "size": digits(vector.size),
    }
    assert t("swap.vector", lang, row="y2", **sizes) in texts(at)
    assert results(SHEET).nearest.euclidean == 2
    at.button(key=f"worked_apply_{kind}").click().run()
    assert not at.exception
    change = number if kind == "number" else vector
    assert decode(at.query_params["vectors"]).items == change.of(SHEET.items)
    assert t("swap.already", lang, above="y1", below="y3") in texts(at)
    nearest = results(decode(at.query_params["vectors"])).nearest
    assert nearest.distances[0] < nearest.distances[2]
    at.button(key="worked.undo").click().run()
    assert "vectors" not in at.query_params
    assert t("swap.already", lang, above="y1", below="y3") not in texts(at)


def swapping(at: AppTest) -> AppTest:
    """The page with its panel of changes open."""
    at.session_state["open.swap"] = True
    at.run()
    assert not at.exception
    assert not at.error
    return at


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "changes",
    [
        {"keys": SHEET.keys[:2], "items": SHEET.items[:2]},
        {"threshold": 0.3},
        {"items": ((1.0, 1.0), (3.0, 7.0), (1.0, 1.0))},
    ],
    ids=["no other row", "no weight", "the same"],
)
def test_where_no_change_swaps_two_items_the_page_says_so(changes: dict[str, Any], lang: str) -> None:
    at = swapping(page(lang, vectors=link_of(**changes), step="4"))
    names = {
        "above": f"y{at.selectbox(key='worked_above').value}",
        "below": f"y{at.selectbox(key='worked_below').value}",
    }
    assert [element.value for element in at.info] == [t("swap.none_worked", lang, **names)]
    assert "worked_apply_number" not in {button.key for button in at.button}


def test_one_item_has_none_to_be_put_before() -> None:
    at = swapping(page(vectors=link_of(keys=SHEET.keys[:1], items=SHEET.items[:1])))
    assert t("swap.title") not in [element.label for element in at.expander]
    at = page(step="2")
    assert t("swap.title") not in [element.label for element in at.expander], "items come in the last step"


def test_an_item_that_is_before_another_already_is_told_so() -> None:
    at = swapping(page(step="4"))
    at.selectbox(key="worked_above").set_value("3").run()
    assert t("swap.already", above="y3", below="y1") in texts(at)
    assert not at.exception


# --- undo and somebody's own row --------------------------------------------------------------------------------------


def test_edits_are_told_and_undone() -> None:
    at = page()
    assert at.button(key="worked.undo").disabled
    at.number_input(key="worked_temperature").set_value(0.5).run()
    at.number_input(key="worked_beta").set_value(0.25).run()
    assert safe("temperature: 1 → 0.5") in "\n".join(element.value for element in at.markdown)
    at.button(key="worked.undo").click().run()
    assert at.query_params["vectors"] == link_of(temperature=0.5)
    at.button(key="worked.undo").click().run()
    assert "vectors" not in at.query_params
    assert at.button(key="worked.undo").disabled


@pytest.fixture
def small_data(monkeypatch: pytest.MonkeyPatch) -> Interactions:
    """Planted data in the place of the bundled set."""
    data = fitted("hybrid").data_
    monkeypatch.setattr(state, "dataset", lambda name="": data)
    return data


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_same_four_steps_on_a_real_row(small_data: Interactions, lang: str) -> None:
    at = page(lang)
    at.selectbox(key="worked_user").select("u3").run()
    at.button(key="worked_take_row").click().run()
    assert not at.exception
    assert not at.error
    sheet = decode(at.query_params["vectors"], aligned=True)
    events = History.of(small_data, small_data.user_row("u3"))
    rows = events.item[-person_sheet.EVENTS - 1 :]
    assert sheet.events == tuple(small_data.items.titles[row] for row in rows[:-1])
    genres = small_data.items.frame["genres"]
    assert {name for name, x in zip(sheet.features, sheet.query, strict=True) if x} == set(
        genres.iloc[rows[-1]].split("|")
    )
    found = results(sheet)
    assert all(formulas.tex(x) in at.latex[1].value for x in found.profile.weights[[0, -1]])
    best = person_sheet.nearest_title(small_data, sheet, found.recommendation.fused.tolist())
    assert best is not None
    assert best[0] not in sheet.events
    assert any(safe(best[0]) in element.value for element in at.success)


def test_too_short_a_row_is_refused_in_one_sentence(small_data: Interactions) -> None:
    events = History.of(small_data, 0)
    short = History(events.item[:2], None, events.age[-2:], events.live[:2])
    with pytest.raises(InputError, match="`history` must hold at least 3 events; got 2."):
        person_sheet.row_sheet(small_data, short)


# --- wrong input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("worked_temperature", 0.0, "`temperature` must be a finite number > 0; got 0."),
        ("worked_temperature", -1.0, "`temperature` must be a finite number > 0; got -1."),
        ("worked_temperature", math.nan, "`temperature` must be a finite number > 0; got nan."),
        ("worked_temperature", math.inf, "`temperature` must be a finite number > 0; got inf."),
        ("worked_beta", 1.5, "`beta` must be a finite number >= 0 and <= 1; got 1.5."),
        ("worked_threshold", -0.5, "`threshold` must be a finite number >= 0 and <= 1; got -0.5."),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(
    key: str, value: float, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = streamlit.number_input
    monkeypatch.setattr(streamlit, "number_input", lambda *a, **o: value if o["key"] == key else ask(*a, **o))
    at = page()
    assert refused(at) == sentence
    assert "vectors" not in at.query_params  # no link to what cannot be shown


def test_a_wrong_setting_is_refused_in_chinese() -> None:
    at = page("zh")
    at.number_input(key="worked_temperature").set_value(0.0).run()
    assert refused(at) == "`temperature` 必须是大于 0 的有限数；收到 0。"


@pytest.mark.parametrize("cell", [None, "much", math.nan, math.inf])
def test_a_wrong_cell_is_refused(cell: object) -> None:
    at = page()
    version = at.session_state[VERSION.of("worked").name]
    at.session_state[f"worked_keys_{version}"] = {
        "edited_rows": {0: {"2": cell}},
        "added_rows": [],
        "deleted_rows": [],
    }
    at.run()
    assert re.fullmatch("`keys` must hold finite numbers only; got (nan|inf).", refused(at))


def test_numbers_that_outgrow_floats_are_refused() -> None:
    at = page(vectors=link_of(query=(1e200,) * 3, keys=((1e200,) * 3,) * 3))
    assert refused(at).startswith("`scores` must stay under 1.8e+308 in size; got more")


def test_a_zero_key_has_a_cosine_of_zero() -> None:
    zero = ((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 1.0, 1.0))
    at = page(vectors=link_of(scorer="cosine", keys=zero))
    assert not at.error
    assert "= 0" in at.latex[0].value
    assert t("worked.zero_key") in texts(at)


BAD_LINKS = [
    "",
    "zzz",
    "2*q-1*k-1*y-1",
    "1",
    "1*q-1*k-1",
    "1*q-1*k-1*y-1*q-1",
    "1*q-1*k-1*y-1*z-1",
    "1*q-1*k-1*y",
    "1*q-nan*k-1*y-1",
    "1*q-inf*k-1*y-1",
    "1*q-1e999*k-1*y-1",
    "1*q-١*k-1*y-1",
    "1*q-1*k-1_2*y-1",
    "1*q-1*k-1~1_2*y-1",
    "1*q-1*k-1~2*y-1",
    "1*q-1*k-1*y-1*t-0",
    "1*q-1*k-1*y-1*b-2",
    "1*q-1*k-1*y-1*s-nosuch",
    "1*q-1*k-1*y-1*s-bilinear",
    "1*q-1*k-1*y-1*W-1",
    "1*q-1*k-1*y-1*s-additive*Q-1*K-1~1*v-1",
    "1*q-1*k-1*y-1*E-a~b",
    "1*q-" + "_".join("1" * (MOST_COLUMNS + 1)) + "*k-1*y-1",
    "1*q-1*k-" + "~".join("1" * (MOST_ROWS + 1)) + "*y-1",
    "1*q-1*k-1*y-" + "1" * 9000,
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize("link", BAD_LINKS, ids=lambda link: link[:24] or "empty")
def test_a_bad_link_is_refused(link: str) -> None:
    with pytest.raises(InputError) as caught:
        decode(link, aligned=True)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("link", ["zzz", "1*q-nan*k-1*y-1", BAD_LINKS[-2]], ids=["text", "nan", "oversized"])
def test_a_bad_link_gives_one_sentence_and_the_example(link: str) -> None:
    at = page(vectors=link)
    assert not at.exception
    assert [element.value for element in at.warning] == [t("worked.bad_link")]
    assert "0.24473" in texts(at)
    assert "vectors" not in at.query_params
    at.run()
    assert not at.warning


# --- the link ---------------------------------------------------------------------------------------------------------

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=0x4E20), max_size=12).filter(str.isprintable)


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    """Sheets of all shapes, with and without names and parameters."""
    n, d, m = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 3))

    def vector(size: int) -> tuple[float, ...]:
        return tuple(draw(st.lists(FLOATS, min_size=size, max_size=size)))

    def names(size: int) -> tuple[str, ...]:
        return tuple(draw(st.lists(NAMES, min_size=size, max_size=size)))

    scorer = draw(st.sampled_from(SCORERS))
    named = draw(st.booleans())
    return Sheet(
        vector(d),
        tuple(vector(d) for _ in range(n)),
        tuple(vector(m) for _ in range(n)),
        scorer=scorer,
        temperature=draw(st.floats(1e-300, 1e300)),
        beta=draw(st.floats(0, 1)),
        threshold=draw(st.floats(0, 1)),
        fusion=draw(st.sampled_from(["multiply", "add"])),
        W=tuple(vector(d) for _ in range(d)) if scorer == "bilinear" else (),
        Wq=tuple(vector(d) for _ in range(2)) if scorer == "additive" else (),
        Wk=tuple(vector(d) for _ in range(2)) if scorer == "additive" else (),
        v=vector(2) if scorer == "additive" else (),
        features=names(d) if named else (),
        events=names(n) if named else (),
        titles=names(n) if named else (),
    )


@given(sheets())
def test_a_link_reads_back_as_its_sheet(sheet: Sheet) -> None:
    link = encode(sheet)
    assert decode(link, aligned=True) == sheet
    assert re.fullmatch(r"[A-Za-z0-9_.~*%-]+", link)


@given(st.text(max_size=40) | st.text("1*qky-_~.e", max_size=40).map("1*".__add__))
def test_any_text_is_a_sheet_or_an_input_error(link: str) -> None:
    try:
        sheet = decode(link)
    except InputError:
        return
    assert is_whole(sheet)


# --- formulas and refusals --------------------------------------------------------------------------------------------


@given(sheets())
def test_every_sheet_has_formulas(sheet: Sheet) -> None:
    try:
        found = results(sheet)
    except XattnError:
        return  # outgrew floating point
    for text in (
        formulas.scores(sheet, found.profile),
        formulas.weights(sheet, found.profile, found.uncut.weights.tolist()),
        formulas.fusion(sheet, found.recommendation, sheet.items, "y"),
    ):
        assert text.count("{") == text.count("}")
        assert "nan" not in text


@pytest.mark.parametrize(
    "refuse",
    [
        lambda: check_number("beta", 2, low=0, high=1),
        lambda: check_number("temperature", 0, low=0, open_low=True),
        lambda: check_number("rating", math.nan),
        lambda: check_whole("k", 0, low=1, high=5),
        lambda: check_choice("scorer", "x", ("a", "b")),
        lambda: check_same_columns(query=1, keys=2),
        lambda: check_no_overflow("scores", attend([1.0], [[1.0]], [[1.0]]).scores + math.inf),
    ],
)
def test_the_library_s_sentences_are_known(refuse: Any) -> None:
    with pytest.raises(InputError) as caught:
        refuse()
    assert "必须" in caught.value.told("zh")
    assert caught.value.told("en") == str(caught.value)


def test_a_refusal_of_somebody_else_is_told_as_it_is() -> None:
    assert InputError("something else; got this.").told("zh") == "something else; got this."
