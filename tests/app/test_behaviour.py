"""The behaviour page: typed vectors and picked films lead to the library's own attention, profile and list at once."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.models import MODELS, fitted
from xattn import InputError, attend
from xattn.app import state
from xattn.app.learn.sheet import Sheet, decode, encode
from xattn.app.ui.session import VERSION
from xattn.app.ui.text import safe
from xattn.app.yours import picks, vectors
from xattn.explain import minimal_edit
from xattn.i18n import LANGUAGES, t
from xattn.model.example import nearest_item
from xattn.model.strength import signed
from xattn.viz.digits import digits

MODEL = fitted("hybrid")
DATA = MODEL.data_
FILMS = (DATA.items.ids[0], DATA.items.ids[3], DATA.items.ids[7])
PICKS = ((FILMS[0], 5), (FILMS[1], 4), (FILMS[2], 1))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted data and its model, in the place of the bundled ones."""
    monkeypatch.setattr(state, "dataset", lambda: DATA)
    monkeypatch.setattr(state, "model", lambda: MODEL)


def page(lang: str = "en", **params: str) -> AppTest:
    """The page, opened at an address with these parameters."""
    at = AppTest.from_string("from xattn.app.yours import page; page.render()", default_timeout=60)
    at.session_state["lang"] = lang
    for name, value in params.items():
        at.query_params[name] = value
    return at.run()


def sound(at: AppTest) -> AppTest:
    """The page, which must have no error on it."""
    assert not at.exception
    assert not [element.value for element in at.error]
    return at


# --- films ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_empty_history_says_so(lang: str) -> None:
    at = sound(page(lang))
    assert [element.value for element in at.info] == [t("behaviour.empty", lang)]
    assert not at.dataframe


def test_films_are_picked_rated_and_taken_out() -> None:
    at = page()
    for film in FILMS:
        at.text_input(key="behaviour_add").set_value(DATA.items.titles[DATA.item_row(film)]).run()
        at.button(key=f"behaviour_add_hit_{film}").click().run()
        assert at.text_input(key="behaviour_add").value == ""  # ready for the next one
    at.feedback(key=f"behaviour_stars_{FILMS[2]}").set_value(0).run()
    sound(at)
    assert at.query_params["films"] == f"1*{FILMS[0]}_5~{FILMS[1]}_5~{FILMS[2]}_1"
    at.button(key=f"behaviour_remove_{FILMS[1]}").click().run()
    assert sound(at).query_params["films"] == f"1*{FILMS[0]}_5~{FILMS[2]}_1"


def test_stars_cannot_be_taken_away_altogether() -> None:
    at = page(films=picks.write(PICKS))
    at.feedback(key=f"behaviour_stars_{FILMS[1]}").set_value(None).run()
    assert at.query_params["films"] == picks.write(PICKS)
    assert at.feedback(key=f"behaviour_stars_{FILMS[1]}").value == 3


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_list_and_the_numbers_are_the_model_s(lang: str) -> None:
    at = sound(page(lang, films=picks.write(PICKS)))
    history = [(item, float(stars)) for item, stars in PICKS]
    listed = MODEL.recommend(history=history, k=10)
    shown, weights, beside, genres = (element.value for element in at.dataframe)
    assert shown[t("behaviour.film", lang)].tolist() == listed["title"].tolist()
    assert shown[t("chart.score", lang)].tolist() == listed["score"].tolist()

    ledger = MODEL.explain(history=history, item=listed["item"][0], k=10)
    events = ledger.events()
    assert weights[t("term.weight", lang)].tolist() == events["weight"].tolist()
    assert beside[t("term.contribution", lang)].tolist() == events["contribution"].tolist()
    assert beside[t("term.removal_effect", lang)].tolist() == events["effect"].tolist()
    assert ledger.text(lang) in "\n".join(m.value for m in at.markdown).replace("\\", "").replace("\u2060", "")

    weight = events.set_index("position")["weight"].sort_index().to_numpy()
    strength = signed(np.array([5.0, 4.0, 1.0]), 3, MODEL.scale_)
    genre = DATA.items.frame["genres"].iloc[[DATA.item_row(item) for item in FILMS]]
    by_genre = pd.Series(weight * strength).groupby(genre.to_numpy()).sum()
    assert sorted(genres["Σ"]) == pytest.approx(sorted(by_genre))


def test_another_film_can_be_explained() -> None:
    at = page(films=picks.write(PICKS))
    history = [(item, float(stars)) for item, stars in PICKS]
    third = MODEL.recommend(history=history, k=10)["item"][2]
    at.selectbox(key="behaviour_target").select(third).run()
    events = MODEL.explain(history=history, item=third, k=10).events()
    assert sound(at).dataframe[1].value.iloc[:, 1].tolist() == events["weight"].tolist()


def test_too_short_a_history_says_so() -> None:
    at = sound(page(films=picks.write(PICKS[:1])))
    assert [element.value for element in at.warning] == [t("behaviour.one_film")]


def test_everything_disliked_says_so() -> None:
    at = sound(page(films=picks.write(tuple((item, 1) for item in FILMS))))
    assert [element.value for element in at.warning] == [t("behaviour.all_disliked")]
    assert len(at.dataframe) == 4


def test_an_example_is_one_click_away() -> None:
    at = page()
    at.button(key="behaviour_try").click().run()
    assert len(sound(at).dataframe) == 4


@pytest.mark.parametrize(
    "link", ["zzz", "2*1_5", "1*", "1*nosuch_5", f"1*{FILMS[0]}_9", f"1*{FILMS[0]}_nan", f"1*{FILMS[0]}_5~{FILMS[0]}_4"]
)
def test_bad_films_in_the_address_give_one_sentence(link: str) -> None:
    at = sound(page(films=link))
    assert [element.value for element in at.warning] == [t("behaviour.bad_films")]
    assert "films" not in at.query_params


@pytest.mark.parametrize("link", ["1*" + "~".join(f"{i}_5" for i in range(61)), "1*" + "9" * 5000 + "_5", "1*_5"])
def test_oversized_picks_are_refused(link: str) -> None:
    with pytest.raises(InputError):
        picks.read(link)


def test_picks_read_back() -> None:
    chosen = (("260", 5), ("a~b_c*d%", 1), ("电影", 3))
    assert picks.read(picks.write(chosen)) == chosen


NASTY = "**bold** <img src=x> :red[no] $x$"
LIVE = re.compile(r"(?<!\\)[*<\[$]")  # a mark that Markdown would obey


def test_titles_are_shown_literally(monkeypatch: pytest.MonkeyPatch) -> None:
    data = replace(DATA, items=replace(DATA.items, titles=(NASTY,) * len(DATA.items)))
    model = MODELS["hybrid"]().fit(data)
    monkeypatch.setattr(state, "dataset", lambda: data)
    monkeypatch.setattr(state, "model", lambda: model)
    said = [m.value for m in sound(page(films=picks.write(PICKS))).markdown if "bold" in m.value]
    assert len(said) == len(PICKS) + 1  # the picks, and the sentence of the ledger
    assert not [text for text in said if LIVE.search(text)]


# --- vectors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_vectors_are_attended_to_as_the_library_does(lang: str) -> None:
    at = sound(page(lang, way="vectors"))
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
    at = page(way="vectors", events=link_of())
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
    at = edit(page(way="vectors", events=link_of()), "events", added_rows=[{"name": "e3", "f1": 3.0, "f2": 1.0}])
    assert decode(sound(at).query_params["events"]).keys[2] == (3.0, 1.0)
    at = edit(page(way="vectors", events=link_of()), "events", deleted_rows=[0])
    assert [element.value for element in sound(at).warning] == [t("behaviour.one_event")]
    at = edit(page(way="vectors", events=link_of()), "events", deleted_rows=[0, 1])
    assert [element.value for element in sound(at).info] == [t("behaviour.no_events")]
    at = edit(page(way="vectors", events=link_of()), "items", deleted_rows=[0])
    assert [element.value for element in sound(at).info] == [t("behaviour.no_items")]


@pytest.mark.parametrize("cell", [None, math.nan, math.inf, "much"])
@pytest.mark.parametrize(("part", "name"), [("profile", "query"), ("events", "keys")])
def test_a_wrong_cell_is_refused(part: str, name: str, cell: object) -> None:
    at = edit(page(way="vectors"), part, edited_rows={0: {"f1": cell}})
    assert not at.exception
    assert [e.value.replace("\\", "").partition(";")[0] for e in at.error] == [
        f"`{name}` must hold finite numbers only"
    ]


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_wrong_temperature_is_refused(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.number_input", lambda label, **options: value)
    at = page("zh", way="vectors")
    assert not at.exception
    assert at.error[0].value.replace("\\", "") == f"`temperature` 必须是大于 0 的有限数；收到 {value:g}。"


@pytest.mark.parametrize("link", ["zzz", link_of(features=()), link_of(scorer="bilinear", W=((1.0, 0.0), (0.0, 1.0)))])
def test_a_bad_link_gives_one_sentence_and_the_example(link: str) -> None:
    at = sound(page(way="vectors", events=link))
    assert [element.value for element in at.warning] == [t("behaviour.bad_link")]
    assert at.text_input(key="behaviour_features").value.startswith("outdoors")


def test_an_untouched_example_follows_the_language() -> None:
    at = page("en", way="vectors")
    at.session_state["lang"] = "zh"
    at.run()
    assert at.text_input(key="behaviour_features").value.startswith("户外")


def test_names_are_shown_literally() -> None:
    at = sound(page(events=link_of(titles=("**x** :red[y]",))))
    name = at.success[0].value.partition("**")[2].rpartition("**")[0]
    assert "red" in name
    assert not LIVE.search(name)


def test_the_way_is_kept_in_the_address() -> None:
    at = page()
    at.segmented_control(key="behaviour_way").set_value("vectors").run()
    assert sound(at).query_params["way"] == "vectors"
    assert sound(page(way="nosuch")).segmented_control(key="behaviour_way").value == "films"


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
    at = swapping(page(lang, way="vectors"))
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
    at = swapping(page(lang, way="vectors", events=link_of(items=((1.0, 1.0), (1.0, 1.0)), titles=("a", "b"))))
    assert [element.value for element in at.info] == [t("swap.none_behaviour", lang, above="b", below="a")]
    many = {"features": tuple("abcdefgh"), "query": (1.0,) * 8, "keys": ((1.0,) * 8,) * 13, "events": ("x",) * 13}
    items = {"items": ((1.0,) * 8, (0.0,) * 8), "titles": ("a", "b")}
    at = swapping(page(lang, way="vectors", events=link_of(**many, **items)))
    assert [element.value for element in at.info] == [t("swap.many", lang)]
