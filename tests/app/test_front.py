"""The first page: three taps give the library's own list and reason, one more proves it; stars mean one thing."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.app.conftest import address, sound, visited
from tests.models import MODELS, fitted
from xattn import InputError, load_dataset
from xattn.app import state
from xattn.app.front.wall import KNOWN, on_the_wall
from xattn.app.moved import redirect
from xattn.app.picture.flows import speaks_for
from xattn.app.ui import picks, search
from xattn.app.ui.session import EXACT
from xattn.app.ui.text import safe
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import percent, place
from xattn.i18n.titles import brief, natural
from xattn.model.strength import signed

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
    return visited("from xattn.app.front import page; page.render()", lang, **params)


def opened(at: AppTest) -> AppTest:
    """The page with what is more about the list."""
    at.session_state["open.more"] = True
    return sound(at.run())


def tiles(at: AppTest) -> list[str]:
    return [str(button.key).removeprefix("front_tile_") for button in at.button if "front_tile_" in str(button.key)]


def lines(at: AppTest) -> list[str]:
    """The list as it stands, without what is small."""
    return [button.label.partition("  \n")[0] for button in at.button if "front_item_" in str(button.key)]


# --- taps, list, reason, proof ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_opens_with_one_promise_and_a_wall(lang: str) -> None:
    at = sound(page(lang))
    assert at.title[0].value == t("front.title", lang)
    assert [element.value for element in at.info] == [t("front.start", lang, n=3)]
    assert tiles(at) == on_the_wall(DATA)
    assert not lines(at)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_three_taps_give_a_list_and_one_more_proves_it(lang: str) -> None:
    at = page(lang)
    taps = tiles(at)[:3]
    for item in taps:
        at.button(key=f"front_tile_{item}").click().run()
    history = [(item, 5.0) for item in taps]
    served = MODEL.recommend(history=history, k=10)
    names = [safe(brief(title)) for title in served["title"]]
    assert lines(sound(at)) == [f"**{rank}** · {names[rank - 1]}" for rank in range(1, 6)]
    why = MODEL.explain(history=history, item=served["item"][0], k=10)
    best = why.events().iloc[0]
    announced = int(best["rank_without"])
    places = {"then": place(announced, lang), "now": place(1, lang)}
    moves = t("shares.moves_not" if announced == 1 else "shares.moves", lang, title=natural(best["title"]), **places)
    (sentence,) = [m.value for m in at.markdown if safe(moves, 2000) in m.value]
    assert not re.search(r"[0-9][.][0-9]", sentence.replace("\\", "")), "shares and places, no decimals"
    film, item = safe(brief(best["title"])), safe(brief(why.title))
    key = "front.prove_stays" if announced == 1 else "front.prove"
    assert at.button(key="front_prove").label == t(key, lang, film=film, item=item, rank=announced)
    at.button(key="front_prove").click().run()
    left = MODEL.history(history=history).without([int(best["position"])])
    happened = MODEL.explain(history=left, item=why.item, k=10).rank
    assert happened == announced
    proved = t("front.proved", lang, film=film, announced=announced, happened=happened)
    assert [element.value for element in sound(at).success] == [proved]
    served = MODEL.recommend(history=left, k=10)
    assert [line.partition(" · ")[2].partition(" :")[0] for line in lines(at)[:5]] == [
        safe(brief(title)) for title in served["title"][:5]
    ]
    again = page(lang, **address(at))
    assert lines(again) == lines(at), "a link opens the same state"
    at.button(key="front_back").click().run()
    assert "without" not in sound(at).query_params
    assert not at.success


def test_a_planted_lie_would_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page compares what was announced with what the model says; it does not repeat the announcement."""
    from xattn.app.front import answer

    true = answer._proof
    monkeypatch.setattr(answer, "_proof", lambda why: true(why)._replace(announced=99))
    at = page(films=picks.write(PICKS))
    at.button(key="front_prove").click().run()
    assert [element.value for element in at.error] == [t("why.unequal")]
    assert not at.success


@pytest.mark.parametrize("value", ["nosuch", "<b>", FILMS[2]])
def test_a_bad_proof_in_the_address_is_said(value: str) -> None:
    at = page(films=picks.write(PICKS), without=value)
    assert not at.exception
    assert any("without" in warning.value for warning in at.warning)
    assert "without" not in at.query_params


def test_another_pick_ends_the_proof() -> None:
    at = page(films=picks.write(PICKS))
    at.button(key="front_prove").click().run()
    at.button(key=f"behaviour_remove_{FILMS[0]}").click().run()
    assert not sound(at).success or "without" in at.query_params


# --- what stars mean --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high"), [(0.5, 5.0), (1.0, 5.0), (0.0, 100.0), (-10.0, 10.0)])
def test_stars_mean_one_thing_on_every_scale(low: float, high: float, monkeypatch: pytest.MonkeyPatch) -> None:
    from xattn.model.strength import RatingScale

    monkeypatch.setattr(picks.RatingScale, "of", lambda scale: RatingScale(low, high))
    ratings = np.array([picks.rating(DATA, stars) for stars in range(1, 6)], dtype=float)
    np.testing.assert_allclose(signed(ratings, 5, RatingScale(low, high)), [-1, -0.5, 0, 0.5, 1])


def test_data_without_opinions_know_no_stars(monkeypatch: pytest.MonkeyPatch) -> None:
    data = replace(DATA, rating=None)
    model = MODELS["item knn"]().fit(data)
    monkeypatch.setattr(state, "dataset", lambda: data)
    monkeypatch.setattr(state, "model", lambda: model)
    at = sound(page(films=picks.write(PICKS)))
    assert not at.get("feedback")
    served = model.recommend(history=list(FILMS), k=10)
    assert [line.partition(" · ")[2] for line in lines(at)] == [safe(brief(title)) for title in served["title"][:5]]


# --- addresses of before ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "to"),
    [
        ("/", "user=42&item=260", "/recommendations?user=42&item=260"),
        ("/", "liked=260&user=you", "/recommendations?liked=260&user=you"),
        ("/", "item=%00", "/recommendations?item=%00"),
        ("/home", "", "/"),
        ("/home", "user=42", "/recommendations?user=42"),
        ("/behaviour", "films=1*260_5", "/?films=1*260_5"),
        ("/behaviour", "way=films", "/?way=films"),
        ("/", "films=1*260_5&item=1210&without=260", None),
        ("/", "lang=zh", None),
        ("/behaviour", "way=vectors", None),
        ("/recommendations", "user=42", None),
        ("/lab", "user=42", None),
    ],
)
def test_links_of_before_lead_to_what_they_opened(path: str, query: str, to: str | None) -> None:
    assert redirect(path, query) == to


# --- titles in two languages ------------------------------------------------------------------------------------------


def test_films_are_called_by_their_titles_in_the_language_of_the_page() -> None:
    data = load_dataset("movielens-small")
    spoken = data.in_language("zh")
    row = data.item_row("2571")
    assert (spoken.items.titles[row], spoken.items.original[row], data.items.titles[row]) == (
        "黑客帝国",
        "Matrix, The",
        "Matrix, The",
    )
    assert spoken.checksum == data.checksum
    assert data.in_language("en") is data
    most = np.argsort(-data.counts(), kind="stable")[:300]
    named = [bool(data.items.names["zh"][place]) for place in most]
    assert sum(named) >= 285
    assert len({title for title in data.items.names["zh"] if title}) == sum(map(bool, data.items.names["zh"]))
    assert set(KNOWN) <= set(data.items.ids)
    assert all(data.items.names["zh"][place] for place in data.items.rows(KNOWN))
    for words in ("黑客帝国", "matrix"):
        assert "2571" in search.found(spoken, words)
        assert "2571" in search.found(data, words), "the other title finds it too"


# --- films ------------------------------------------------------------------------------------------------------------


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
    at = opened(at)
    shown, weights, beside, genres = (element.value for element in at.dataframe)
    ledgers = [MODEL.explain(history=history, item=item, k=10) for item in listed["item"]]
    ledger = ledgers[0]
    events = ledger.events()
    for frame in (shown, weights, beside, genres):  # shares, places, and no number of the model
        assert not re.search(r"[0-9][.][0-9]{2}", frame.to_csv())
    assert shown[t("behaviour.film", lang)].tolist() == listed["title"].tolist()
    sizes = [speaks_for(why) for why in ledgers]
    bases = [max(why.base, 0) / size for why, size in zip(ledgers, sizes, strict=True)]
    assert shown[t("picture.base", lang)].tolist() == [percent(base) for base in bases]
    firsts = [max(why.rows.contribution[0], 0) / size for why, size in zip(ledgers, sizes, strict=True)]
    assert shown[t("shares.share", lang)].tolist() == [percent(share) for share in firsts]
    assert weights[t("term.weight", lang)].tolist() == [percent(weight) for weight in events["weight"]]
    assert beside[t("shares.share", lang)].tolist() == [percent(x / sizes[0]) for x in events["contribution"]]
    assert beside[t("shares.without", lang)].tolist() == [place(rank, lang) for rank in events["rank_without"]]

    at.toggle(key=EXACT.name).set_value(True).run()
    assert sound(at).query_params["exact"] == "1"
    shown, weights, beside, genres = (element.value for element in at.dataframe)
    assert shown[t("chart.score", lang)].tolist() == listed["score"].tolist()
    assert weights[t("term.weight", lang)].tolist() == events["weight"].tolist()
    assert beside[t("term.contribution", lang)].tolist() == events["contribution"].tolist()
    assert beside[t("term.removal_effect", lang)].tolist() == events["effect"].tolist()
    facts = {
        "title": events["title"].iloc[0],
        "now": place(1, lang),
        "then": place(events["rank_without"].iloc[0], lang),
    }
    said = "\n".join(m.value for m in at.markdown).replace("\\", "").replace("\u2060", "")
    assert t("shares.moves", lang, **facts) in said

    weight = events.set_index("position")["weight"].sort_index().to_numpy()
    strength = signed(np.array([5.0, 4.0, 1.0]), 3, MODEL.scale_)
    genre = DATA.items.frame["genres"].iloc[[DATA.item_row(item) for item in FILMS]]
    by_genre = pd.Series(weight * strength).groupby(genre.to_numpy()).sum()
    assert sorted(genres["Σ"]) == pytest.approx(sorted(by_genre))


def test_another_film_can_be_explained() -> None:
    at = page(films=picks.write(PICKS))
    history = [(item, float(stars)) for item, stars in PICKS]
    third = MODEL.recommend(history=history, k=10)["item"][2]
    at.button(key=f"front_item_{third}").click().run()
    events = MODEL.explain(history=history, item=third, k=10).events()
    assert opened(at).dataframe[1].value.iloc[:, 1].tolist() == [percent(weight) for weight in events["weight"]]
    assert at.query_params["item"] == third
    assert page(films=picks.write(PICKS), item=third).query_params["item"] == third


def test_too_short_a_history_says_so() -> None:
    at = sound(page(films=picks.write(PICKS[:1])))
    assert [element.value for element in at.warning] == [t("behaviour.one_film")]


def test_everything_disliked_says_so() -> None:
    at = opened(sound(page(films=picks.write(tuple((item, 1) for item in FILMS)))))
    assert [element.value for element in at.warning] == [t("behaviour.all_disliked")]
    assert len(at.dataframe) == 4


@pytest.mark.parametrize(
    "link", ["zzz", "2*1_5", "1*", "1*nosuch_5", f"1*{FILMS[0]}_9", f"1*{FILMS[0]}_nan", f"1*{FILMS[0]}_5~{FILMS[0]}_4"]
)
def test_bad_films_in_the_address_give_one_sentence(link: str) -> None:
    at = sound(page(films=link))
    assert [element.value for element in at.warning] == [t("behaviour.bad_films")]
    assert "films" not in at.query_params


@pytest.mark.parametrize("link", ["1*" + "~".join(f"{i}_5" for i in range(201)), "1*" + "9" * 9000 + "_5", "1*_5"])
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
    st.cache_data.clear()
    at = sound(page(films=picks.write(PICKS)))
    said = [m.value for m in at.markdown if "bold" in m.value]
    assert len(said) == len(PICKS) + 2  # the picks, the sentence of the ledger, the line that leads to the list
    peek = t("front.peek", title=safe(NASTY, 40))
    assert f"[{peek}](#list)" in said
    assert not [text for text in said if LIVE.search(text) and peek not in text]
    labels = [button.label for button in at.button if "bold" in button.label]
    assert not [text for text in labels if LIVE.search(re.sub(r"(?<!\\\\)\*\*", "", text).replace(":small[", ""))]
