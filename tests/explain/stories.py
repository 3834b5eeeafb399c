"""Small explanations and all that is said of each: texts, differences, what is missing, lists, pages, programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from xattn import EASE, ContentAttention, HybridAttention, Interactions, ItemKNN, Ledger, Popularity, UserAttention
from xattn.data import read_interactions
from xattn.explain import explain_list, list_changes
from xattn.explain.tell import markup, page_parts
from xattn.explain.tell import page as page_module
from xattn.explain.tell.card import card, card_page
from xattn.explain.tell.export import explanation
from xattn.explain.tell.snippet import Origin, plain_value
from xattn.explain.tell.words import both_say
from xattn.recommenders import Recommender
from xattn.recommenders.foreign import wrap

FILMS = {
    "heist": ("The “Heist” (1990)", "crime|comedy", "a crew plans a heist at night"),
    "vault": ("Vault", "crime", "the crew opens a vault by night"),
    "robot": ("Robot & Dog", "sci-fi", "a robot finds a dog"),
    "moon": ("Moon Base", "sci-fi|drama", "a robot alone on the moon"),
    "waltz": ("Waltz", "romance", "two people dance at night"),
    "letter": ("A Letter", "romance|drama", "a letter comes too late"),
    "tank": ("Tank", "war", "a crew in a tank"),
    "trench": ("Trench " * 14, "war|drama", "letters from a trench"),
}
RATED = {
    "ann": "heist5 vault4 robot2 waltz3 heist4",
    "bob": "heist4 vault5 tank4",
    "cy": "robot5 moon4 letter3 heist3",
    "dee": "waltz5 letter4 moon2",
    "eve": "tank5 trench4 vault4 heist4",
    "flo": "moon5 robot4 trench2",
    "gus": "letter5 waltz4 trench3",
    "hal": "vault3 heist5 moon1 tank4 robot3",
}


@cache
def data() -> Interactions:
    """Eight people and eight films with genres and a line of story; the opinions lie on a scale that is stated."""
    rows = [
        (user, film[:-1], int(film[-1]), 1_600_000_000 + 86_400 * (11 * n + m))
        for n, (user, films) in enumerate(RATED.items())
        for m, film in enumerate(films.split())
    ]
    items = pd.DataFrame([(name, *said) for name, said in FILMS.items()], columns=["item", "title", "genres", "story"])
    events = pd.DataFrame(rows, columns=["user", "item", "rating", "time"])
    return read_interactions(events, items, name="films", scale="1-5")


MODELS: dict[str, Callable[[], Recommender]] = {
    "knn": lambda: ItemKNN(n_neighbors=5),
    "content": lambda: ContentAttention(),
    "hybrid": lambda: HybridAttention(min_events=2, regularization=1.0, dtype="float64"),
    "users": lambda: UserAttention(temperature=0.5),
    "popularity": lambda: Popularity(),
    "ease": lambda: EASE(regularization=2.0, dtype="float64"),
}


@cache
def model(name: str) -> Recommender:
    return MODELS[name]().fit(data())


@cache
def wrapped() -> Recommender:
    """A function of the history that is no sum: what it says is an average over some orders of the events."""
    together = np.array([[len(set(a) & set(b)) for b in "abcdefgh"] for a in "abcdefgh"], float)
    together = np.add.outer(np.arange(8.0), 3.0 * np.arange(8.0)) % 5.0 + together

    def scores(histories: list[np.ndarray]) -> np.ndarray:
        return np.array([np.sqrt(together[own].sum(axis=0)) for own in histories])

    return wrap(scores, data(), kind="average", budget=12)


def why(name: str, user: str, item: str, **conditions: Any) -> Ledger:
    return model(name).explain(user, item, **conditions)


def texts(ledger: Ledger) -> Iterator[str]:
    """Every depth in both languages."""
    for lang in ("en", "zh"):
        for depth in ("clause", "sentence", "paragraph"):
            yield f"{lang} {depth}: {ledger.text(lang, depth, 'shop' if lang == 'en' else 'books')}"
        yield f"{lang} both say: {both_say(ledger, lang)}"
    yield f"notes {ledger.notes}; {ledger.confidence}; {ledger!r}"


def plain(page: str) -> str:
    """A page without its style, the versions of packages, fingerprints and pictures, a line for each piece of text."""
    page = re.sub(r"<style>.*?</style>", "<style>", page, flags=re.DOTALL)
    page = re.sub(r"data:image/[^\"]*", "data:", page)
    page = re.sub(r"\b[0-9a-f]{64}\b", "SHA256", page)
    return re.sub(r"python [\d.]+[^<]*", "VERSIONS", page).rstrip("\n")


def page(ledger: Ledger, lang: str) -> str:
    """The file of a machine that cannot draw."""
    modules, was = (page_module, markup, page_parts), page_module.can_draw
    for module in modules:
        module.can_draw = lambda: False  # type: ignore[attr-defined]
    try:
        return plain(ledger.to_html(lang))
    finally:
        for module in modules:
            module.can_draw = was  # type: ignore[attr-defined]


def numbers(frame: pd.DataFrame) -> str:
    """A frame as text."""
    frame = frame.map(rounded)
    return str(frame.to_csv(index=False, float_format="%.5g", lineterminator="\n")).rstrip("\n")


def rounded(value: Any) -> Any:
    """Plain values with five digits a number (sums of another machine differ in the last of sixteen), no fingerprint
    and no version."""
    if isinstance(value, dict):
        return {name: "…" if name in ("sha256", "made_with") else rounded(own) for name, own in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(own) for own in value]
    return float(f"{value:.5g}") * (abs(value) > 1e-9) + 0.0 if isinstance(value, float) else value


def as_json(value: Any) -> str:
    return json.dumps(rounded(value), ensure_ascii=False, indent=1)


def _frames(ledger: Ledger) -> str:
    frames = {
        "cells": ledger.cells, "events": ledger.events(), "removals": ledger.removals(),
        "strongest": ledger.strongest(3), "sufficient": ledger.sufficient(2), "head": ledger.by("head"),
        "feature": ledger.by("feature"), "block": ledger.by("block"), "occurrences": ledger.occurrences(),
    }  # fmt: skip
    return "\n".join(f"{name}\n{numbers(frame)}" for name, frame in frames.items())


def _list(name: str, user: str) -> str:
    found = explain_list(model(name), user, k=3)
    return "\n".join([repr(found), numbers(found.events()), as_json(found.to_dict())])


def _changes() -> str:
    found = list_changes(model("hybrid"), ["heist", "robot"], ["heist", "robot", "waltz"], k=3)
    return "\n".join([repr(found), numbers(found.items)])


def _programs() -> str:
    """The program of each way in which a person can be given, of a saved model and of files."""
    found, knn = [], model("knn")
    own = knn.history("ann")
    histories = [
        knn.history(history=["heist", "moon"]),
        knn.history(history=[("heist", 5.0), ("moon", 2.0)]),
        knn.history(history=["heist", "moon"]).without([0]),
        own.without([1, 2]),
        replace(own, age=own.age + 2.0),
        replace(own, rating=np.where(own.item == own.item[0], np.nan, 3.0), user=None),
        replace(own, kind=np.array(["view"] * len(own), dtype=object), user=None),
        replace(own, rating=None, user=None).without([0]),
    ]
    for history in histories:
        found.append(knn.explain(history=history, item="tank", k=2).snippet().split("model = ")[1].split("\n")[1])
    ledger = why("hybrid", "ann", "moon", where={"genres": "drama"}, exclude=["tank"])
    for origin in (
        Origin(model="m.npz"),
        Origin(ratings="r.csv", items="i.csv", reading={"scale": (1, 5), "drop": ("bots",)}),
        Origin(ratings="sqlite://ann:secret@host/db"),
    ):
        found.append(ledger.snippet(origin))
    values = {"a": np.float64(0.5), 2: (np.int64(3), True), "c": {1}, "d": np.array([1.5]), "e": None, "f": Origin}
    return "\n".join([*found, repr(plain_value(values))])


STORIES: dict[str, Callable[[], str]] = {
    **{
        f"texts of {name}: {user}, {item}": lambda name=name, user=user, item=item: "\n".join(
            texts(why(name, user, item, k=3))
        )
        for name, user, item in [
            ("knn", "ann", "tank"), ("content", "ann", "tank"), ("hybrid", "ann", "moon"), ("hybrid", "hal", "waltz"),
            ("users", "bob", "robot"), ("popularity", "bob", "robot"), ("ease", "hal", "trench"),
            ("hybrid", "ann", "heist"),
        ]
    },
    "frames": lambda: _frames(why("hybrid", "hal", "letter", k=3)),
    "why not, which one film would mend": lambda: as_json(why("hybrid", "bob", "letter", k=1).why_not().to_dict()),
    "why not, by serving": lambda: as_json(why("users", "bob", "letter", k=1).why_not().to_dict()),
    "a difference": lambda: as_json((why("hybrid", "hal", "letter") - why("hybrid", "hal", "trench")).to_dict()),
    "a difference of two people": lambda: numbers(
        (why("hybrid", "hal", "letter") - why("hybrid", "ann", "letter")).events()
    ),
    "a list": lambda: _list("hybrid", "ann"),
    "a list by popularity": lambda: _list("popularity", "hal"),
    "changes of a list": _changes,
    "an explanation": lambda: as_json(
        explanation(why("content", "ann", "tank", k=2), Origin(ratings="r.csv"), "music")
    ),
    "a page": lambda: page(why("content", "ann", "tank", k=2), "en"),
    "a page of what may not be listed": lambda: page(why("hybrid", "ann", "heist", k=2), "en"),
    "texts of a wrapped model": lambda: "\n".join(texts(wrapped().explain("hal", "trench", k=2))),
    "a page in Chinese": lambda: page(why("knn", "hal", "letter"), "zh"),
    "programs": _programs,
    "a card": lambda: card(why("hybrid", "hal", "letter"), "en", "dark"),
    "a page with a card": lambda: plain(card_page(why("knn", "hal", "letter"), "zh")),
}  # fmt: skip
