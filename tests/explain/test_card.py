"""The card: a picture whose bars are the ledger, in both themes and languages, with hostile titles as text."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest

from tests.models import MODELS, fitted
from xattn.errors import InputError
from xattn.explain import Ledger
from xattn.explain.tell.card import card, card_page, card_png
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure
from xattn.viz.card import THEMES
from xattn.viz.files import can_draw

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def why() -> Ledger:
    model = fitted("hybrid")
    return model.explain(user="u3", item=model.recommend(user="u3")["item"].iloc[0])


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def bars(svg: str) -> list[tuple[float, str]]:
    """Length and colour of each bar; the first rectangle is the ground."""
    found = list(ElementTree.fromstring(svg).iter(f"{SVG}rect"))[1:]
    return [(float(bar.get("width", 0)), str(bar.get("fill"))) for bar in found]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_bars_are_the_ledger(why: Ledger, lang: str, theme: str) -> None:
    svg = card(why, lang, theme)
    events = why.events()
    size = events["contribution"].abs().sort_values(ascending=False, kind="stable")
    first, rest = events.loc[size.index[:3]], events.loc[size.index[3:], "contribution"].sum()
    amounts = [*first["contribution"], rest, why.base]
    assert sum(amounts) == pytest.approx(why.score)
    said = texts(svg)
    for amount in amounts:
        assert f"{figure(amount, sign=True)} · {amount / why.score:.0%}" in said
    long = [length for length, _ in bars(svg)]
    assert pd.Series(long).div(long[0]).tolist() == pytest.approx([abs(a / amounts[0]) for a in amounts], abs=0.02)
    assert t("card.without", lang, title=events["title"].iloc[0], rank=events["rank_without"].iloc[0]) in " ".join(said)
    assert ElementTree.fromstring(svg).get("lang") == {"en": "en", "zh": "zh-Hans"}[lang]


def test_what_speaks_against_has_its_side_and_colour(why: Ledger) -> None:
    model = MODELS["hybrid"]().fit(replace(why.scorer.data_, rating=why.scorer.data_.rating))
    listed = [model.explain(user=user, item=item) for user in ("u3", "u5") for item in model.data_.items.ids]
    against = next(one for one in listed if one.rank and (one.events()["contribution"].abs().idxmax()) in
                   one.events().index[one.events()["contribution"] < 0])  # fmt: skip
    svg = card(against)
    assert THEMES["light"].kinds["against"] in [colour for _, colour in bars(svg)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_of_one_screen_has_both_and_asks_nobody(why: Ledger, lang: str) -> None:
    page = card_page(why, lang)
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert "src=" not in page
    assert "default-src 'none'" in page
    assert card(why, lang, "dark") in page


def test_titles_are_text(why: Ledger) -> None:
    data = why.scorer.data_
    nasty = '</text><script>alert(1)</script> & "x" \x00\u202e'
    named = replace(data, items=replace(data.items, titles=(nasty,) * len(data.items)))
    svg = card(MODELS["hybrid"]().fit(named).explain(user="u3", item=why.item))
    assert "<script" not in svg
    assert any("script" in text for text in texts(svg))


@pytest.mark.skipif(not can_draw(), reason="vl-convert is not installed")
def test_the_same_as_png(why: Ledger) -> None:
    assert card_png(why, "zh", "dark").startswith(b"\x89PNG")


@pytest.mark.parametrize(("lang", "theme"), [("fr", "light"), ("en", "blue")])
def test_unknown_languages_and_themes_are_refused(why: Ledger, lang: str, theme: str) -> None:
    with pytest.raises(InputError):
        card(why, lang, theme)
