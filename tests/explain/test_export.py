"""What is taken away is whole: JSON by its schema, a page that needs nothing, a program that gives the same numbers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

import xattn
from tests.models import MODELS, fitted
from xattn import InputError, Interactions, ItemTable, Ledger
from xattn.data.synthetic import planted
from xattn.explain import DEPTHS, Origin, explanation_schema
from xattn.explain.tell import markup
from xattn.explain.tell import page as page_module
from xattn.i18n.numbers import figure
from xattn.recommenders import CollaborativeAttention, ItemKNN, Recommender

every_model = pytest.mark.parametrize("name", MODELS)
SCHEMA = explanation_schema()


def some(name: str = "hybrid", item: str = "i2") -> Ledger:
    return fitted(name).explain(user="u3", item=item)


# --- explanation.json -------------------------------------------------------------------------------------------------


@every_model
def test_the_explanation_is_by_the_schema(name: str) -> None:
    told = json.loads(json.dumps(some(name).explanation(), allow_nan=False))
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    assert told["base"] + sum(c["contribution"] for c in told["cells"]) == pytest.approx(told["score"], abs=1e-6)
    for what, groups in told["groups"].items():
        assert sum(g["contribution"] for g in groups) == pytest.approx(told["score"] - told["base"], abs=1e-6), what
    assert told["texts"]["en"]["paragraph"] == told["text"]["en"]
    assert set(told["texts"]["zh"]) == set(DEPTHS)


def test_the_schema_is_one_and_refuses_what_is_wrong() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    told = some().explanation()
    for broken in ({**told, "version": 2}, {**told, "score": "much"}, {k: v for k, v in told.items() if k != "cells"}):
        assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(broken)


def test_it_says_where_it_comes_from() -> None:
    model = fitted("content")
    told = some("content").explanation(scenario="books")
    assert told["model"]["class"] == "ContentAttention"
    assert told["model"]["settings"] == model.get_params()
    assert told["model"]["seed"] == 0
    assert told["model"]["sha256"] == model.fingerprint()
    assert told["made_with"]["numba"] is not None
    assert told["data"]["events"] == model.data_.n_events
    assert told["scenario"] == "books"


def test_the_fingerprint_tells_fits_apart() -> None:
    data = planted("genre", n_users=20, seed=0).data
    first, again, other = (ItemKNN(n_neighbors=n).fit(data) for n in (5, 5, 6))
    assert first.fingerprint() == again.fingerprint() == first.fingerprint()
    assert first.fingerprint() != other.fingerprint()
    before = first.fingerprint()
    assert first.fit(data.select(data.user < 10)).fingerprint() != before


def test_what_was_asked_is_kept() -> None:
    why = fitted("hybrid").explain(
        "u3", "i2", k=4, exclude=iter(["i5"]), candidates=[f"i{n}" for n in range(30)], where={"genres": ("drama",)}
    )
    asked = why.explanation()["asked"]
    assert asked["k"] == 4
    assert asked["exclude"] == ["i5"]
    assert len(asked["candidates"]) == 30
    assert json.dumps(asked)


# --- the program ------------------------------------------------------------------------------------------------------


def run(program: str, folder: Path) -> list[dict[str, object]]:
    """The lines that a program prints, read as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(xattn.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_same(told: dict[str, object], why: Ledger) -> None:
    events = why.events()
    assert told["score"] == pytest.approx(why.score, abs=1e-9)
    assert (told["base"], told["rank"]) == (pytest.approx(why.base), why.rank)
    for name, column in (("contributions", "contribution"), ("effects", "effect")):
        known = {str(p): x for p, x in zip(events["position"], events[column], strict=True)}
        assert told[name] == pytest.approx(known, abs=1e-9)


ASKED: list[dict[str, Any]] = [
    {"user": "u3", "item": "i2"},
    {"history": [("i1", 5.0), ("i7", 1.0)], "item": "i2", "k": 3},
    {"user": "u3", "item": "i2", "where": {"genres": "drama"}, "exclude": ["i5"], "candidates": ["i2", "i3", "i4"]},
]


def test_a_saved_model_is_explained_alike(tmp_path: Path) -> None:
    """Someone known and someone new, conditions, masked events: all programs in one process, one after the other."""
    model = fitted("hybrid")
    model.save(tmp_path / "model.npz")
    asked: list[dict[str, Any]] = [
        *ASKED,
        {"history": model.history("u3").without([0, 2]), "item": "i2"},
        {"history": model.history(history=[("i1", 5.0), ("i7", 1.0), ("i9", 3.0)]).without([1]), "item": "i2"},
        {"history": model.history(history=["i1", "i7"]).followed_by([3], 5.0), "item": "i2"},
        {"user": "u3", "item": model.data_.items.ids[model.history("u3").item[0]], "seen": "keep"},
    ]
    whys = [model.explain(**given) for given in asked]
    for why, told in zip(whys, run("\n".join(why.snippet() for why in whys), tmp_path), strict=True):
        assert_same(told, why)


def test_files_are_read_and_fitted_alike(tmp_path: Path) -> None:
    data = planted("genre", n_users=60, seed=1).data
    frame = pd.DataFrame(
        {
            "user": [data.user_ids[u] for u in data.user],
            "item": [data.items.ids[j] for j in data.item],
            "rating": data.rating,
        }
    )
    frame.to_csv(tmp_path / "ratings.csv", index=False)
    items = pd.DataFrame({"item": data.items.ids, "title": data.items.titles, **data.items.frame})
    items.to_csv(tmp_path / "items.csv", index=False)
    read = xattn.read_interactions(tmp_path / "ratings.csv", tmp_path / "items.csv")
    why = xattn.HybridAttention(min_events=2, recency=(2.0, 9.0)).fit(read).explain("u3", read.items.ids[5])
    program = why.snippet(Origin(ratings="ratings.csv", items="items.csv"))
    assert "min_events=2" in program
    assert "random_state=0" in program
    assert_same(run(program, tmp_path)[0], why)


def test_the_program_reads_a_file_as_it_was_read(tmp_path: Path) -> None:
    """Columns, scale and the rest, without which the same file is other data or none."""
    rows = [(f"p{u}", f"i{(3 * u + t) % 11}", (u * t) % 3, f"{t + 1:02}.01.2024") for u in range(12) for t in range(5)]
    frame = pd.DataFrame(rows, columns=["who", "what", "opinion", "when"])
    frame.to_csv(tmp_path / "log.csv", index=False)
    columns = {"user": "who", "item": "what", "rating": "opinion", "time": "when"}
    reading = {"columns": columns, "scale": (1, 2), "unrated": [0.0], "time_format": "%d.%m.%Y"}
    data = xattn.read_interactions(tmp_path / "log.csv", **reading)
    assert np.isnan(data.rating).any()
    why = xattn.HybridAttention(min_events=1).fit(data).explain("p3", data.items.ids[5], seen="keep")
    program = why.snippet(Origin(ratings="log.csv", reading=reading))
    assert_same(run(program, tmp_path)[0], why)


def test_an_address_keeps_its_password() -> None:
    for address, told in (
        ("postgresql://me:se:cr/et@host/db", "postgresql://me:…@host/db"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
        ("a:b@c.csv", "a:b@c.csv"),
    ):
        assert Origin(ratings=address).read() == repr(told)


def test_a_bundled_set_is_named() -> None:
    data = xattn.load_dataset("movielens-small")
    assert "xattn.load_dataset('movielens-small')" in xattn.Popularity().fit(data).explain("42", "736").snippet()
    part = data.select(data.user < 50)
    assert "load_model" in xattn.Popularity().fit(part).explain(part.user_ids[0], "736").snippet(), "this is other data"


HOSTILE = "'); import os; os._exit(3) #\\"


def test_no_text_becomes_code(tmp_path: Path) -> None:
    rows = [("a", HOSTILE), ("a", "y"), ("b", HOSTILE), ("b", "y"), ("c\"'", HOSTILE)]
    data = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]), name="movielens'small")
    model = CollaborativeAttention(min_events=1, regularization=1.0).fit(data)
    model.save(tmp_path / "it's.npz")
    why = model.explain(user="c\"'", item="y", exclude=[])
    assert_same(run(why.snippet(Origin(model="it's.npz")), tmp_path)[0], why)


# --- the page ---------------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """The tags of a page, checked for balance, with their attributes and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("name", "lang", "drawn"),
    [
        ("hybrid", "en", True),
        ("content", "zh", True),
        *((name, "en", False) for name in MODELS),
        ("users", "zh", False),
    ],
)
def test_a_page_needs_nothing_else(name: str, lang: str, drawn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not drawn:  # drawing takes a second
        monkeypatch.setattr(page_module, "can_draw", lambda: False)
    why = some(name)
    page = Reader(why.to_html(lang))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "embed", "form", "svg"})
    for tag, attributes in page.tags:
        assert not any(attribute.startswith("on") for attribute in attributes), tag
        for value in (attributes.get("src"), attributes.get("href")):
            assert value is None or value.startswith("data:image/svg+xml;base64,")
        if tag == "img":
            assert attributes["alt"]
    assert why.text(lang) in page.text
    assert why.snippet() in page.text
    assert [attributes.get("lang") for tag, attributes in page.tags if tag == "html"] == [
        {"en": "en", "zh": "zh-Hans"}[lang]
    ]


def test_every_chart_has_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, why = some().to_html(), some()
    for module in (page_module, markup):
        monkeypatch.setattr(module, "can_draw", lambda: False)
    plain = why.to_html()
    assert drawn.count("<img") == 3
    assert plain.count("<img") == 1  # the card, which needs no package
    assert drawn.count("<table") == plain.count("<table") == 5
    assert "pip" not in plain
    assert "not installed" in plain


def test_titles_stay_text(monkeypatch: pytest.MonkeyPatch) -> None:
    titles = {"x": "<script>alert(1)</script>\u202e", "y": "\"><img src=x onerror=alert(1)> & 'so'"}
    rows = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "x")]
    items = ItemTable(tuple(titles), tuple(titles.values()), pd.DataFrame({"genre": ["<b>War</b>|Noir", "Noir"]}))
    data = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]), items=items, name="<i>odd</i>")
    for drawn, model in (
        (True, CollaborativeAttention(min_events=1, regularization=1.0)),
        (False, xattn.ContentAttention()),
    ):
        monkeypatch.setattr(page_module, "can_draw", lambda drawn=drawn: drawn)
        page = Reader(model.fit(data).explain(user="c", item="y").to_html())
        assert {tag for tag, _ in page.tags}.isdisjoint({"script", "b", "i"})
        assert [a for tag, a in page.tags if tag == "img" and not (a["src"] or "").startswith("data:")] == []
        assert "<script>alert(1)</script>" in page.text
        assert "\u202e" not in page.text


def test_the_numbers_of_the_page_are_the_ledgers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "can_draw", lambda: False)
    why = some()
    page = Reader(why.to_html())
    for row in why.events().to_dict("records"):
        assert figure(row["contribution"], sign=True) in page.text
        assert figure(row["effect"], sign=True) in page.text
    assert figure(why.score) in page.text


def test_a_depth_and_a_scenario_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "can_draw", lambda: False)
    assert "because you bought" in some().to_html("en", "clause", "shop")
    with pytest.raises(InputError, match="`lang` must be one of"):
        some().to_html("fr")


def test_the_model_is_not_changed_by_being_explained() -> None:
    model: Recommender = fitted("item knn")
    before = model.score("u3").tobytes()
    some("item knn").explanation()
    assert model.score("u3").tobytes() == before
    assert re.fullmatch("[0-9a-f]{64}", model.fingerprint())
