"""The page for one's own vectors: what is typed leads to the library's own attention, profile and nearest items."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import sound, visited
from xattn import attend
from xattn.app.learn.sheet import Sheet, decode, encode
from xattn.app.ui.session import VERSION
from xattn.app.ui.text import safe
from xattn.app.yours import vectors
from xattn.explain import minimal_edit
from xattn.i18n import LANGUAGES, t
from xattn.model.example import nearest_item
from xattn.viz.digits import digits


def page(lang: str = "en", **params: str) -> AppTest:
    """The page, opened at an address with these parameters."""
    return visited("from xattn.app.yours import page; page.render()", lang, **params)


LIVE = re.compile(r"(?<!\\)[*<\[$]")  # a mark that Markdown would obey

# --- vectors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_vectors_are_attended_to_as_the_library_does(lang: str) -> None:
    at = sound(page(lang))
    sheet = vectors.sample(lang)
    found = attend(sheet.query, sheet.keys, sheet.keys, temperature=sheet.temperature)
    twins = [element.value for element in at.dataframe if not element.key]
    weights, fused, near = twins[-3:]
    assert weights.iloc[:, 1].tolist() == found.weights.tolist()
    assert weights.iloc[:, 0].tolist() == list(sheet.events)
    assert fused.iloc[-1, 1:].tolist() == found.fused.tolist()
    nearest = nearest_item(found.fused, sheet.items)
    assert near.iloc[0, 0] == sheet.titles[nearest.euclidean]
    assert near.iloc[:, 1].tolist() == sorted(nearest.distances)
    assert sheet.titles[nearest.euclidean] in at.success[0].value
    assert "events" not in at.query_params


def link_of(**changes: object) -> str:
    """A link to a small sheet with names."""
    plain = {"query": (1.0, 0.0), "keys": ((1.0, 2.0), (0.0, 1.0)), "items": ((1.0, 1.0),)}
    names = {"features": ("a", "b"), "events": ("e1", "e2"), "titles": ("y",)}
    return encode(Sheet(**{**plain, **names, **changes}))  # type: ignore[arg-type]


def test_a_link_opens_its_vectors() -> None:
    link = link_of(scorer="cosine", temperature=0.25)
    at = sound(page(events=link))  # no `way` needed
    assert at.query_params["events"] == link
    assert at.text_input(key="behaviour_features").value == "a, b"
    assert at.selectbox(key="behaviour_scorer").value == "cosine"


def test_features_are_renamed_added_and_dropped() -> None:
    at = page(events=link_of())
    at.text_input(key="behaviour_features").set_value("x，y, z, ").run()
    sheet = decode(sound(at).query_params["events"])
    assert sheet.features == ("x", "y", "z")
    assert sheet.keys == ((1.0, 2.0, 0.0), (0.0, 1.0, 0.0))
    at.text_input(key="behaviour_features").set_value("x").run()
    assert decode(sound(at).query_params["events"]).query == (1.0,)
    at.text_input(key="behaviour_features").set_value(" , ").run()
    assert decode(sound(at).query_params["events"]).features == ("x",)


def edit(at: AppTest, part: str, **edits: object) -> AppTest:
    """The page after these edits of one of its tables."""
    key = f"behaviour_{part}_{at.session_state[VERSION.of('behaviour').name]}"
    at.session_state[key] = {"edited_rows": {}, "added_rows": [], "deleted_rows": [], **edits}
    return at.run()


def test_rows_can_be_added_and_taken_out() -> None:
    at = edit(page(events=link_of()), "events", added_rows=[{"name": "e3", "f1": 3.0, "f2": 1.0}])
    assert decode(sound(at).query_params["events"]).keys[2] == (3.0, 1.0)
    at = edit(page(events=link_of()), "events", deleted_rows=[0])
    assert [element.value for element in sound(at).warning] == [t("behaviour.one_event")]
    at = edit(page(events=link_of()), "events", deleted_rows=[0, 1])
    assert [element.value for element in sound(at).info] == [t("behaviour.no_events")]
    at = edit(page(events=link_of()), "items", deleted_rows=[0])
    assert [element.value for element in sound(at).info] == [t("behaviour.no_items")]


@pytest.mark.parametrize("cell", [None, math.nan, math.inf, "much"])
@pytest.mark.parametrize(("part", "name"), [("profile", "query"), ("events", "keys")])
def test_a_wrong_cell_is_refused(part: str, name: str, cell: object) -> None:
    at = edit(page(), part, edited_rows={0: {"f1": cell}})
    assert not at.exception
    assert [e.value.replace("\\", "").partition(";")[0] for e in at.error] == [
        f"`{name}` must hold finite numbers only"
    ]


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_wrong_temperature_is_refused(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.number_input", lambda label, **options: value)
    at = page("zh")
    assert not at.exception
    assert at.error[0].value.replace("\\", "") == f"`temperature` 必须是大于 0 的有限数；收到 {value:g}。"


@pytest.mark.parametrize("link", ["zzz", link_of(features=()), link_of(scorer="bilinear", W=((1.0, 0.0), (0.0, 1.0)))])
def test_a_bad_link_gives_one_sentence_and_the_example(link: str) -> None:
    at = sound(page(events=link))
    assert [element.value for element in at.warning] == [t("behaviour.bad_link")]
    assert at.text_input(key="behaviour_features").value.startswith("outdoors")


def test_an_untouched_example_follows_the_language() -> None:
    at = page("en")
    at.session_state["lang"] = "zh"
    at.run()
    assert at.text_input(key="behaviour_features").value.startswith("户外")


def test_names_are_shown_literally() -> None:
    at = sound(page(events=link_of(titles=("**x** :red[y]",))))
    name = at.success[0].value.partition("**")[2].rpartition("**")[0]
    assert "red" in name
    assert not LIVE.search(name)


# --- what would put one item before another ---------------------------------------------------------------------------


def swapping(at: AppTest) -> AppTest:
    """The page with its panel of changes open."""
    at.session_state["open.swap"] = True
    return sound(at.run())


def nearest(sheet: Sheet) -> list[float]:
    fused = attend(sheet.query, sheet.keys, sheet.keys, scorer=sheet.scorer, temperature=sheet.temperature).fused
    return list(nearest_item(fused, sheet.items).distances)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["number", "vector"])
def test_a_change_of_behaviour_that_swaps_two_items_is_told_applied_and_undone(lang: str, kind: str) -> None:
    at = swapping(page(lang))
    sheet = vectors.sample(lang)
    second, first = np.argsort(nearest(sheet))[1::-1].tolist()
    chosen = [at.selectbox(key=f"behaviour_{side}").value for side in ("above", "below")]
    assert chosen == [str(second + 1), str(first + 1)]
    edit = minimal_edit(
        sheet.query, None, sheet.keys, sheet.items, second, first, scorer=sheet.scorer, temperature=sheet.temperature
    )
    assert edit.verified
    (event, before), after = ((edit.vector.event, edit.vector.before), edit.vector.after)  # type: ignore[union-attr]
    keys = np.array(sheet.keys)
    if kind == "number":
        number = edit.number
        assert number is not None
        facts = {"before": digits(number.before), "after": digits(number.after)}
        names = {"row": safe(sheet.events[number.event]), "feature": safe(sheet.features[number.feature])}
        says = t("swap.number", lang, **names, **facts)
        keys[number.event, number.feature] = number.after
    else:
        ends = [safe(f"[{', '.join(map(digits, row))}]") for row in (before, after)]
        size = digits(edit.vector.size)  # type: ignore[union-attr]
        says = t("swap.vector", lang, row=safe(sheet.events[event]), before=ends[0], after=ends[1], size=size)
        keys[event] = after
    assert says in [element.value for element in at.markdown]
    at.button(key=f"behaviour_apply_{kind}").click().run()
    changed = decode(sound(at).query_params["events"])
    np.testing.assert_allclose(changed.keys, keys, rtol=1e-4)  # past the boundary, where rounding would undo it
    assert nearest(changed)[second] < nearest(changed)[first]
    at.button(key="behaviour.undo").click().run()
    assert "events" not in sound(at).query_params


@pytest.mark.parametrize("lang", LANGUAGES)
def test_where_nothing_swaps_two_items_the_page_says_so(lang: str) -> None:
    at = swapping(page(lang, events=link_of(items=((1.0, 1.0), (1.0, 1.0)), titles=("a", "b"))))
    assert [element.value for element in at.info] == [t("swap.none_behaviour", lang, above="b", below="a")]
    many = {"features": tuple("abcdefgh"), "query": (1.0,) * 8, "keys": ((1.0,) * 8,) * 13, "events": ("x",) * 13}
    items = {"items": ((1.0,) * 8, (0.0,) * 8), "titles": ("a", "b")}
    at = swapping(page(lang, events=link_of(**many, **items)))
    assert [element.value for element in at.info] == [t("swap.many", lang)]
