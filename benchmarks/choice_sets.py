"""Choice sets: cars, modes of travel, suppliers of energy. Which features explain a choice, beside a conditional logit.

    XATTN_TEST_DATA=… python benchmarks/choice_sets.py

Seven of ten people are learned from, the others asked. *Conditional logit* knows the features of all alternatives that
were offered, chosen or not. *Features of what was chosen* is ContentAttention: it sees what a person chose earlier, and
what others chose, and never what was offered and left. Where nobody chooses twice it cannot be asked. Hits are the
share of choices whose alternative stands first; intervals (95 %) over people.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from xattn.data import Interactions, read_interactions, read_items
from xattn.evaluate.choices import Choices, conditional_logit
from xattn.recommenders import ContentAttention

DRAWS = 1000


class Set(NamedTuple):
    """Choices with their features' names; `person` (S,) of each set; `profile` (n,) of each alternative, and the table
    of profiles, where people choose more than once."""

    name: str
    choices: Choices
    features: tuple[str, ...]
    person: np.ndarray
    profile: np.ndarray | None = None
    profiles: pd.DataFrame | None = None


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(os.environ["XATTN_TEST_DATA"]) / f"{name}.csv.gz")


def _of(frame: pd.DataFrame, features: list[str], group: str, chosen: str) -> Choices:
    X = frame[features].to_numpy(np.float64)
    scale = X.std(axis=0)
    number = np.unique(frame[group], return_inverse=True)[1]
    return Choices(X / np.where(scale > 0, scale, 1), number, frame[chosen].to_numpy(bool))


def cars() -> Set:
    """Six cars each, one chosen; nobody chooses twice."""
    wide = _read("choice-car/car")
    parts = []
    for n in range(1, 7):
        part = wide[[f"{c}{n}" for c in CAR]].set_axis(list(CAR), axis=1)
        parts.append(part.assign(case=wide["rownames"], chosen=wide["choice"] == f"choice{n}"))
    long = pd.concat(parts).sort_values("case", kind="stable").reset_index(drop=True)
    kinds = pd.get_dummies(long[["type", "fuel"]], dtype=float)
    kinds = kinds.drop(columns=["type_regcar", "fuel_gasoline"])
    long = pd.concat([long, kinds], axis=1)
    features = [c for c in CAR if c not in ("type", "fuel")] + list(kinds)
    return Set("choice-car", _of(long, features, "case", "chosen"), tuple(features), np.unique(long["case"]))


CAR = ("type", "fuel", "price", "range", "acc", "speed", "pollution", "size", "space", "cost", "station")


def trips() -> Set:
    """Trips from Montreal to Toronto by train, air, bus or car; nobody chooses twice."""
    long = _read("choice-travel/ModeCanada")
    long = long[long.groupby("case")["choice"].transform("sum") == 1].sort_values("case", kind="stable")
    modes = pd.get_dummies(long["alt"], dtype=float).drop(columns="car")
    long = pd.concat([long, modes], axis=1)
    features = ["cost", "ivt", "ovt", "freq", *modes]
    return Set("ModeCanada", _of(long, features, "case", "choice"), tuple(features), np.unique(long["case"]))


def swissmetro() -> Set:
    """Nine choices a person between train, Swissmetro and car."""
    wide = _read("choice-travel/swissmetro")
    wide = wide[wide["CHOICE"] > 0].reset_index(drop=True)
    parts = []
    for n, (mode, name) in enumerate((("TRAIN", "train"), ("SM", "swissmetro"), ("CAR", "car")), 1):
        part = pd.DataFrame({"mode": name, "time": wide[f"{mode}_TT"], "cost": wide[f"{mode}_CO"]})
        part["headway"] = wide[f"{mode}_HE"] if mode != "CAR" else 0
        free = (wide["GA"] == 1) & (mode != "CAR")
        part["cost"] = np.where(free, 0, part["cost"])
        part = part.assign(case=wide.index, person=wide["ID"], chosen=wide["CHOICE"] == n)
        parts.append(part[wide[f"{mode}_AV"] == 1])
    long = pd.concat(parts).sort_values("case", kind="stable").reset_index(drop=True)
    long = long[long.groupby("case")["chosen"].transform("sum") == 1]
    modes = pd.get_dummies(long["mode"], dtype=float).drop(columns="car")
    long = pd.concat([long, modes], axis=1)
    features = ["time", "cost", "headway", *modes]
    bins = long.assign(
        time=pd.qcut(long["time"], 5, labels=False, duplicates="drop").map(lambda q: f"fifth {q + 1}"),
        cost=pd.qcut(long["cost"], 5, labels=False, duplicates="drop").map(lambda q: f"fifth {q + 1}"),
        headway=long["headway"].map(lambda minutes: f"{minutes} min"),
    )
    return _panel("swissmetro", long, features, bins[["mode", "time", "cost", "headway"]])


def electricity() -> Set:
    """Up to twelve choices a household between four suppliers."""
    long = _read("choice-home-energy/electricity").sort_values(["chid", "alt"], kind="stable")
    long = long.assign(case=long["chid"], person=long["id"], chosen=long["choice"].astype(str).str.upper() == "TRUE")
    features = ["pf", "cl", "loc", "wk", "tod", "seas"]
    return _panel("electricity", long, features, long[features].astype(str).apply(lambda c: c.name + " " + c))


def _panel(name: str, long: pd.DataFrame, features: list[str], words: pd.DataFrame) -> Set:
    choices = _of(long, features, "case", "chosen")
    text = words.apply(" · ".join, axis=1).reset_index(drop=True)
    number, first = np.unique(text, return_inverse=True)[1], np.unique(text, return_index=True)[1]
    table = words.reset_index(drop=True).iloc[first].reset_index(drop=True)
    table.insert(0, "item", [f"p{n}" for n in range(len(first))])
    table.insert(1, "title", text.iloc[first].to_numpy())
    person = long["person"].to_numpy()[np.unique(choices.group, return_index=True)[1]]
    return Set(name, choices, tuple(features), person, number, table)


def attended(one: Set, asked: np.ndarray) -> np.ndarray:
    """(S,) whether the alternative that ContentAttention puts first was chosen; NaN where it was not asked."""
    assert one.profile is not None
    assert one.profiles is not None
    taken = one.profile[one.choices.chosen]
    learn = ~asked
    events = pd.DataFrame({"user": one.person[learn].astype(str), "item": [f"p{n}" for n in taken[learn]]})
    items = read_items(one.profiles, columns={"item": "item", "title": "title"})
    data: Interactions = read_interactions(events, items, one.name, columns={"user": "user", "item": "item"})
    model = ContentAttention().fit(data)
    hit = np.full(len(taken), np.nan)
    edges = np.searchsorted(one.choices.group, np.arange(len(taken) + 1))
    for person in np.unique(one.person[asked]):
        own = np.flatnonzero(one.person == person)
        for at in range(1, len(own)):
            history = model.history(history=[(f"p{n}", None) for n in taken[own[:at]]])
            low, high = edges[own[at]], edges[own[at] + 1]
            rows = data.items.rows([f"p{n}" for n in one.profile[low:high]])
            score = model.scores_of(history)[rows]
            best = score == score.max()
            hit[own[at]] = (best & one.choices.chosen[low:high]).sum() / best.sum()
    return hit


def told(hit: np.ndarray, person: np.ndarray) -> str:
    """Mean of people's means, with its interval over people."""
    known = ~np.isnan(hit)
    _, group = np.unique(person[known], return_inverse=True)
    each = np.bincount(group, hit[known]) / np.bincount(group)
    rng = np.random.default_rng(0)
    draws = each[rng.integers(0, len(each), (DRAWS, len(each)))].mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{each.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def main() -> None:
    print(
        "| set | people asked | choices | blind guess | conditional logit | features of what was chosen | difference |"
    )
    print("|---" * 7 + "|")
    sets: tuple[Callable[[], Set], ...] = (cars, trips, swissmetro, electricity)
    for make in sets:
        one = make()
        people = np.unique(one.person)
        asked = np.isin(one.person, people[np.random.default_rng(0).random(len(people)) < 0.3])
        fit = conditional_logit(one.choices.take(~asked))
        p = fit.probability(one.choices)
        top = np.zeros(len(one.person))
        np.maximum.at(top, one.choices.group, p)
        best = p >= top[one.choices.group] - 1e-12
        logit = np.bincount(one.choices.group, best & one.choices.chosen) / np.bincount(one.choices.group, best)
        chance = 1 / np.bincount(one.choices.group)
        ours = attended(one, asked) if one.profile is not None else np.full(len(logit), np.nan)
        where = asked & (~np.isnan(ours) if one.profile is not None else True)
        cells = [told(x[where], one.person[where]) for x in (chance, logit)]
        own = (
            [told(x[where], one.person[where]) for x in (ours, ours - logit)] if one.profile is not None else ["–"] * 2
        )
        print(
            "| "
            + " | ".join([one.name, f"{len(np.unique(one.person[where])):,}", f"{int(where.sum()):,}", *cells, *own])
            + " |"
        )
        size = np.abs(fit.cells(one.choices)[one.choices.chosen]).mean(axis=0)
        order = np.argsort(-size)[:4]
        print(f"    {one.name}: " + ", ".join(f"{one.features[f]} {fit.beta[f]:+.2f}" for f in order), flush=True)


if __name__ == "__main__":
    main()
