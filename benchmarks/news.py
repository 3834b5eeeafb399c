"""News: does it matter that the base forgets, and is an article that nobody has read listed on its first day?

    XATTN_TEST_DATA=… python benchmarks/news.py fresh [real] [simulated]
    python benchmarks/news.py cold

`fresh`: the model is fitted again and again to what was known at a moment (every 6 hours of the public set, every day
of the simulated stream), and each person who comes until the next moment is asked for: the first article that they had
not had, among all that are there. What was not there yet when the model was fitted counts as missed. Half-life and
ridge are chosen on the earlier moments by NDCG@10, one after the other, and measured once on the later ones. Intervals
(95 %) are over people.

`cold`: of each article of the simulated stream, at the moment at which it appears, is it in the list of ten of those
who come within a day? Nobody has read it then: what the model knows of it is its subject and its form. Each such
listing is explained; the ledger must add up, and its strongest feature is held against the subjects and forms that the
person loves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from xattn.data import Interactions
from xattn.data.history import History
from xattn.data.split import as_of
from xattn.data.values import MISSING
from xattn.evaluate.bootstrap import limits, resampled
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import Asking, Questions
from xattn.evaluate.ranking import rank
from xattn.model.fit.freshness import DAY
from xattn.recommenders import Popularity, RecencyEASE, Recommender
from xattn.scenarios import Scenario, ScenarioSet, load

HALF_LIVES = (8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.125, 0.06, 0.03)  # days
RIDGES = (80.0, 250.0, 800.0)
STEP = {"real": 0.25, "simulated": 1.0}  # days from one fit to the next
CHOSEN_ON = {"real": (2.0, 9.0), "simulated": (4.0, 14.0)}  # days since the first event
MEASURED_ON = {"real": (9.0, 20.0), "simulated": (14.0, 29.0)}
K = 10
FEWEST = 100  # events before a model is fitted to the stream


class Asked(NamedTuple):
    """What is asked at one moment; `user` (Q,) rows."""

    questions: Questions
    user: np.ndarray


def asked_at(data: Interactions, moment: float, until: float, born: np.ndarray | None) -> Asked | None:
    """The first new article of each person between two moments, of people who had done something before."""
    known = as_of(data, moment, born)
    asking, users = Asking(known, "drop"), []
    assert data.time is not None
    for user in np.unique(data.user[(data.time >= moment) & (data.time < until)]).tolist():
        own = data.events_of(user)
        item, time = data.item[own], data.time[own]
        new = item[(time >= moment) & (time < until) & ~np.isin(item, item[time < moment])]
        if len(new) and (time < moment).any():
            rows = known.items.rows([data.items.ids[new[0]]])
            held = rows[rows != MISSING]
            if asking.ask(History.of(known, user), held, missed=1 - len(held)):
                users.append(user)
    return Asked(asking.questions(), np.array(users)) if users else None


def moments(found: ScenarioSet, days: tuple[float, float]) -> Iterator[Asked]:
    """What is asked in these days, moment after moment."""
    data, step = found.data, STEP[found.kind] * DAY
    assert data.time is not None
    born = None if found.truth is None else found.truth.born
    begin = np.floor(data.time.min() / DAY) * DAY
    for moment in np.arange(begin + days[0] * DAY, begin + days[1] * DAY, step):
        one = asked_at(data, float(moment), float(moment + step), born)
        if one is not None:
            yield one


def figures(model: Recommender, every: list[Asked]) -> tuple[np.ndarray, np.ndarray]:
    """(Q,) NDCG of each question, and of the fresh base alone, without any history."""
    own, base = [], []
    for one in every:
        fitted = model.fit(one.questions.train)
        own.append(per_user(rank(fitted, one.questions, K).ranks, K)[f"ndcg@{K}"])
        popular = Popularity().fit(one.questions.train)
        popular.base_ = fitted.base_
        base.append(per_user(rank(popular, one.questions, K).ranks, K)[f"ndcg@{K}"])
    return np.concatenate(own), np.concatenate(base)


def over_people(values: np.ndarray, user: np.ndarray) -> str:
    """The mean over questions (Q,), or (Q, 2) their difference, with its interval over people."""
    _, person = np.unique(user, return_inverse=True)
    total, often = np.bincount(person, values), np.bincount(person)
    drawn = resampled(lambda times: np.array([times @ total / (times @ often)]), len(often), 0)
    low, high = limits(drawn)[0]
    return f"{values.mean():.4f} ({low:.4f} to {high:.4f})"


def fresh(kind: str) -> None:
    """Choose on the earlier moments, measure on the later ones."""
    scenario = load("news")
    found = scenario.data(kind)
    plain = scenario.model(found).set_params(half_life=None, regularization=None)
    earlier = list(moments(found, CHOSEN_ON[kind]))
    best: dict[str, Any] = {"half_life": None, "regularization": None}
    most = -1.0
    for name, values in (("half_life", (None, *HALF_LIVES)), ("regularization", RIDGES)):
        for value in values:
            tried = {**best, name: value}
            value_of = figures(plain.set_params(**tried), earlier)[0].mean()
            n = sum(len(one.user) for one in earlier)
            print(f"{kind}, chosen on {n} questions: {tried} {value_of:.4f}", flush=True)
            if value_of > most:
                best, most = tried, float(value_of)
    later = list(moments(found, MEASURED_ON[kind]))
    user = np.concatenate([one.user for one in later])
    missed = np.mean(np.concatenate([one.questions.missed for one in later]))
    print(f"{kind}, measured on {len(user)} questions of {len(np.unique(user))} people; {missed:.3f} not there yet")
    first, base = figures(plain.set_params(**best), later)
    rows = {f"default model with {best}": first, "its base alone": base}
    rows["the same ridge, no half-life"] = figures(plain.set_params(**{**best, "half_life": None}), later)[0]
    rows["as the scenario serves it"] = figures(scenario.model(found), later)[0]
    rows["without both"] = figures(plain.set_params(half_life=None, regularization=None), later)[0]
    rows["popularity"] = figures(Popularity(), later)[0]
    rows["RecencyEASE"] = figures(RecencyEASE(), later)[0]
    for name, values in rows.items():
        print(f"| {name} | {over_people(values, user)} | {over_people(first - values, user)} |", flush=True)


def cold(scenario: Scenario, settings: dict[str, Any]) -> None:
    """Articles on the day on which they appear."""
    found = scenario.data("simulated")
    truth, data = found.truth, found.data
    assert truth is not None
    assert data.time is not None
    model = scenario.model(found).set_params(**settings)
    loves = {name: truth.loved[:, at] for at, name in enumerate(truth.features)}
    articles = np.flatnonzero(truth.born > truth.born.min())
    places: list[int] = []
    right: list[bool] = []
    chance: list[float] = []
    gaps: list[float] = []
    asked = tried = listed = 0
    for article in articles[np.argsort(truth.born[articles])].tolist():
        moment = float(truth.born[article])
        known = as_of(data, moment, truth.born)
        if known.n_events < FEWEST:
            continue
        tried += 1
        model.fit(known)
        item = data.items.ids[article]
        assert known.counts()[known.item_row(item)] == 0
        soon = np.unique(data.user[(data.time >= moment) & (data.time < moment + DAY)])
        somewhere = False
        for user in soon.tolist():
            if known.indptr[user] == known.indptr[user + 1]:
                continue
            asked += 1
            name = known.user_ids[user]
            found_in = model.recommend(user=name, k=K)["item"].tolist()
            if item not in found_in:
                continue
            somewhere = True
            why = model.explain(user=name, item=item, k=K)
            places.append(found_in.index(item) + 1)
            gaps.append(abs(why.base + float(why.cells["contribution"].sum()) - why.score))
            by = why.cells[why.cells["feature"].isin(loves)].groupby("feature")["contribution"].sum()
            if len(by) and by.max() > 0:
                right.append(bool(loves[by.idxmax()][user]))
                chance.append(np.mean([loves[feature][user] for feature in by.index]))
        listed += somewhere
    place = np.array(places)
    print(f"{settings}: of {tried} articles {listed} are in somebody's list on their first day")
    where = f"median place {np.median(place):.0f}, first {(place == 1).mean():.3f}"
    print(f"  {asked} visits, listed in {len(places) / asked:.3f}; {where}")
    told = f"strongest loved in {np.mean(right):.3f}, a blind guess {np.mean(chance):.3f}"
    print(f"  {len(right)} with a feature that speaks for it: {told}; ledgers add up to {max(gaps):.1e}", flush=True)


def main() -> None:
    what = sys.argv[1:] or ["fresh", "cold"]
    if "fresh" in what:
        for kind in [name for name in what if name in STEP] or ["real", "simulated"]:
            fresh(kind)
    if "cold" in what:
        scenario = load("news")
        for half_life in (None, 0.5):
            cold(scenario, {"half_life": half_life})


if __name__ == "__main__":
    main()
