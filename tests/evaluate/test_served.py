"""What `evaluate` measures is what `recommend` serves: figures worked out again from lists that were asked for by name.

The oracle knows nothing of the protocols' code. It parts a frame of events by hand, fits the model to what is learned
from, asks `recommend` for the whole list of each person, and looks the targets up in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from xattn import History, InputError, Interactions, ItemTable, Popularity
from xattn.evaluate import cross_validate, evaluate, search
from xattn.evaluate.holdout import drawn_per_user
from xattn.evaluate.questions import catalogue_of, last_events, questions_told
from xattn.evaluate.reports import groups, threshold
from xattn.evaluate.setup import asked
from xattn.recommenders import Recommender
from xattn.recommenders.registry import model_class, model_names
from xattn.testing.data import data_of

K = 4
SMALL: dict[str, dict[str, Any]] = {
    "NeuralAttention": {"epochs": 1, "hidden_size": 4},
    "SequenceAttention": {"epochs": 1, "min_events": 1, "hidden_size": 8, "heads": 2, "key_size": 4},
}
METRICS = (f"ndcg@{K}", f"hr@{K}", f"recall@{K}", f"precision@{K}", f"map@{K}", "mrr")
SEEN = ("drop", "keep")


def made(name: str) -> Recommender:
    return model_class(name)(**SMALL.get(name, {}))


def doubled(data: Interactions) -> Interactions:
    """Every line twice, the second at the end of the file."""
    frame = data.to_frame()
    return Interactions.from_frame(pd.concat([frame, frame], ignore_index=True), data.items, data.name)


@cache
def bare() -> Interactions:
    """Plays of a few songs that come again, with ties in time; nothing describes a song, and some are met once."""
    rng = np.random.default_rng(5)
    lines = [
        (f"p{u}", f"s{song}", t // 2)
        for u in range(40)
        for t, song in enumerate([*rng.choice(rng.choice(14, 5), rng.integers(1, 9)), 20 + u % 9 if u % 4 else 3])
    ]
    return Interactions.from_frame(pd.DataFrame(lines, columns=["user", "item", "time"]), name="bare")


DATA: dict[str, Callable[[], Interactions]] = {"messy": lambda: data_of("messy"), "bare": bare}


# --- the oracle -------------------------------------------------------------------------------------------------------


class Parts(NamedTuple):
    """Which lines (N,) are learned from and stand in histories, and which are to be found."""

    learned: np.ndarray
    wanted: np.ndarray
    told: np.ndarray | None = None  # stands in the history, after what was learned from


def likes(frame: pd.DataFrame) -> np.ndarray:
    if "rating" not in frame:
        return np.ones(len(frame), bool)
    return (frame["rating"] >= 1 + 2 / 3 * 4 - 1e-9).to_numpy()


def parts_of(protocol: str, frame: pd.DataFrame, data: Interactions) -> Parts:
    if protocol == "next-item":
        last = ~frame["user"].duplicated(keep="last").to_numpy() & frame["user"].duplicated(keep=False).to_numpy()
        return Parts(~last, last)
    if protocol == "strict":
        turn = frame.groupby("user").cumcount(ascending=False).to_numpy()  # 0: the last
        n = frame.groupby("user")["item"].transform("size").to_numpy()
        return Parts(turn >= np.minimum(n - 1, 2), (turn == 0) & (n > 2), (turn == 1) & (n > 2))
    if protocol == "holdout":
        held = drawn_per_user(data, 0.2, np.random.default_rng(0))
        return Parts(~held, held & likes(frame))
    late = (frame["time"] >= sorted(frame["time"])[int(np.ceil(0.8 * len(frame))) - len(frame)]).to_numpy()
    return Parts(~late, late & likes(frame))


class Found(NamedTuple):
    """The oracle's figures, and the counts that must be told."""

    figures: dict[str, float]
    counts: dict[str, int]
    users: int


def looked_up(model: Recommender, histories: dict[str, Any], wanted: dict[str, set[str]], seen: str) -> Found:
    """Figures from the lists that `recommend` serves to each person; `histories` are arguments of `recommend`."""
    catalogue = set(model.data_.items.ids)
    values, met_before, not_held, targets = [], 0, 0, 0
    for user, items in wanted.items():
        arguments = histories[user]
        before = {model.data_.items.ids[j] for j in model.history(**arguments).item}
        left = items - before if seen == "drop" else items
        met_before += len(items) - len(left)
        if not left:
            continue
        served = model.recommend(**arguments, k=model.data_.n_items, seen=seen)
        top = served["item"].head(K).tolist()
        score = dict(zip(served["item"], served["score"], strict=True))
        found = sorted((score[item] for item in left if item in score), reverse=True)
        others = [s for item, s in score.items() if item not in left]
        ranks = [1 + place + sum(s >= own for s in others) for place, own in enumerate(found)]
        ranks += [float("inf")] * (len(left) - len(found))
        targets, not_held = targets + len(left), not_held + len(left - catalogue)
        assert sum(rank <= K for rank in ranks) <= len(left & set(top)), "a hit that no served list holds"
        hits = [rank for rank in ranks if rank <= K]
        ideal = sum(1 / np.log2(1 + i) for i in range(1, min(K, len(left)) + 1))
        values.append(
            (
                sum(1 / np.log2(1 + rank) for rank in hits) / ideal,
                float(bool(hits)),
                len(hits) / len(left),
                len(hits) / K,
                sum((i + 1) / rank for i, rank in enumerate(hits)) / min(K, len(left)),
                1 / ranks[0],
            )
        )
    means = dict(zip(METRICS, np.mean(values, axis=0).tolist(), strict=True)) if values else {}
    return Found(means, {"targets": targets, "met_before": met_before, "not_held": not_held}, len(values))


def oracle(name: str, protocol: str, data: Interactions, seen: str) -> Found:
    frame = data.to_frame().drop_duplicates(ignore_index=True)
    whole = Interactions.from_frame(frame, data.items if len(data.items.frame.columns) else None, data.name)
    parts = parts_of(protocol, frame, whole)
    train = whole.select(parts.learned)
    if not len(data.items.frame.columns):  # what nothing describes is known from the lines that are learned from
        held = ItemTable.bare([item for item in whole.items.ids if item in set(frame.loc[parts.learned, "item"])])
        train = Interactions.from_frame(frame[parts.learned], held, data.name)
    model = asked(made(name), protocol).fit(train)
    known = set(frame["user"][parts.learned])
    wanted: dict[str, set[str]] = {}
    for user, item in frame.loc[parts.wanted, ["user", "item"]].itertuples(index=False):
        if user in known:
            wanted.setdefault(user, set()).add(item)
    if parts.told is not None:
        return looked_up_after(model, frame, parts.learned | parts.told, wanted, seen)
    return looked_up(model, {user: {"user": user} for user in wanted}, wanted, seen)


def looked_up_after(
    model: Recommender, frame: pd.DataFrame, told: np.ndarray, wanted: dict[str, set[str]], seen: str
) -> Found:
    """The same for histories that go on after what was learned from; what nobody holds may have been met before."""
    catalogue, asking, again = set(model.data_.items.ids), {}, 0
    for user, lines in frame[told].groupby("user"):
        if user in wanted:
            held = lines[lines["item"].isin(catalogue)]
            rating, kind = (held[name].to_numpy() if name in held else None for name in ("rating", "kind"))
            rows, n = model.data_.items.rows(held["item"].tolist()), len(held)
            history = History(rows, rating, np.arange(n)[::-1], np.ones(n, bool), model.data_.user_row(user), (), kind)
            asking[user] = {"history": history}
            met = wanted[user] & set(lines["item"]) - catalogue if seen == "drop" else set()
            again, wanted[user] = again + len(met), wanted[user] - met
    found = looked_up(model, asking, wanted, seen)
    return found._replace(counts={**found.counts, "met_before": found.counts["met_before"] + again})


def agrees(row: dict[str, Any], result: dict[str, Any], found: Found) -> None:
    assert result["users"] == found.users
    assert {name: result["questions"][name] for name in found.counts} == found.counts
    for name, value in found.figures.items():
        assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-15), name


# --- the class of all protocols and models ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", model_names())
@pytest.mark.parametrize("protocol", ["next-item", "strict", "holdout", "time"])
@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("shape", DATA)
def test_the_figures_are_those_of_the_lists_that_are_served(name: str, protocol: str, seen: str, shape: str) -> None:
    data = DATA[shape]()
    result = evaluate(data, [made(name)], protocol=protocol, k=K, seen=seen)
    assert result["seen"] == seen
    agrees(result["rows"][0], result, oracle(name, protocol, data, seen))


@pytest.mark.parametrize("name", ["HybridAttention", "ItemKNN", "Popularity"])
@pytest.mark.parametrize("seen", SEEN)
def test_so_are_those_of_a_given_split(name: str, seen: str) -> None:
    rng = np.random.default_rng(3)
    train, test, history = (
        pd.DataFrame(
            [(f"{who}{u}", f"s{item}") for u in range(12) for item in rng.choice(most, 6)], columns=["user", "item"]
        )
        for who, most in (("p", 12), ("p", 16), ("q", 16))
    )
    test = pd.concat([test, history.assign(item=history["item"].to_numpy()[::-1])], ignore_index=True)
    sets = {key: Interactions.from_frame(one) for key, one in (("test", test), ("history", history))}
    data = Interactions.from_frame(train)
    result = evaluate(data, [made(name)], protocol="given", k=K, seen=seen, **sets)
    model = made(name).fit(data)
    wanted = {user: set(own) for user, own in test.groupby("user")["item"]}
    own = {user: rows.tolist() for user, rows in history.groupby("user")["item"]}
    before = {user: {"history": own[user]} if user in own else {"user": user} for user in wanted}
    unknown = 0
    if seen == "drop":  # what is in no catalogue may still have been met
        for user, met in own.items():
            again = wanted[user] & set(met) - set(data.items.ids)
            unknown, wanted[user] = unknown + len(again), wanted[user] - again
    found = looked_up(model, before, wanted, seen)
    counts = {**found.counts, "met_before": found.counts["met_before"] + unknown}
    agrees(result["rows"][0], result, found._replace(counts=counts))
    assert result["questions"]["not_held"] > 0


@pytest.mark.parametrize("seen", SEEN)
def test_so_are_those_of_folds_of_users(seen: str) -> None:
    """Everybody in a fold of their own: the model has learned from all others, and answers for somebody new."""
    data = bare()
    result = cross_validate(data, [Popularity()], folds=data.n_users, k=K, seen=seen)
    frame, founds = data.to_frame().drop_duplicates(ignore_index=True), []
    for user in data.user_ids:
        own = frame.loc[frame["user"] == user, "item"].tolist()
        if len(own) < 2:
            continue
        model = Popularity().fit(Interactions.from_frame(frame[frame["user"] != user]))
        left = own[-1] not in own[:-1] or seen == "keep"
        if left and set(own[:-1]) & set(model.data_.items.ids):
            founds.append(looked_up(model, {user: {"history": own[:-1]}}, {user: {own[-1]}}, seen))
    assert result["users"] == sum(found.users for found in founds)
    for metric in METRICS:
        assert result["rows"][0][metric] == pytest.approx(np.mean([found.figures[metric] for found in founds]))


# --- lines that stand twice -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["next-item", "strict", "holdout", "time", "rating", "cold"])
def test_every_line_twice_gives_the_same_figures(protocol: str) -> None:
    data = data_of("messy") if protocol != "cold" else data_of("clean")
    arguments: dict[str, Any] = {"protocol": protocol, "k": K, "min_events": 2}
    once, twice = (evaluate(one, [made("HybridAttention")], **arguments) for one in (data, doubled(data)))
    timed = ("fit_s", "score_s", "peak_mb")
    assert [{k: v for k, v in row.items() if k not in timed} for row in once["rows"]] == [
        {k: v for k, v in row.items() if k not in timed} for row in twice["rows"]
    ]
    if "questions" in once:
        assert twice["questions"].pop("repeats") == once["questions"].pop("repeats") + data.n_events
        assert twice["questions"] == once["questions"]


def test_folds_and_searches_meet_each_line_once_too() -> None:
    data = data_of("messy")
    rows = [cross_validate(one, [Popularity()], folds=3, k=K)["rows"][0] for one in (data, doubled(data))]
    assert rows[0]["ndcg@4"] == rows[1]["ndcg@4"]
    best = [search(one, made("ItemKNN"), {"n_neighbors": [2, 5]}, k=K)["best"] for one in (data, doubled(data))]
    assert best[0]["value"] == best[1]["value"]


def test_events_without_time_and_rating_are_all_done() -> None:
    """Nothing tells a line that stands twice from a song that was played twice."""
    data = data_of("unrated")
    assert data.without_repeats() is data
    kept = data_of("clean").without_repeats()
    assert kept is data_of("clean")
    again = doubled(data_of("messy")).without_repeats()
    assert again.to_frame().equals(data_of("messy").to_frame().drop_duplicates(ignore_index=True))


# --- what is left out -------------------------------------------------------------------------------------------------


def log(viewed_first: bool) -> Interactions:
    """Each of forty people views an item, puts it into the cart, buys it; and the next one."""
    lines = [
        (f"u{u}", f"i{(7 * u + 3 * at) % 30}", 10 * at + step)
        for u in range(40)
        for at in range(6)
        for step in range(3 if viewed_first else 1)
    ]
    return Interactions.from_frame(pd.DataFrame(lines, columns=["user", "item", "time"]), name="log")


def test_what_could_never_be_listed_is_no_question() -> None:
    with pytest.raises(InputError, match=r"or `seen` must be `keep`; got 40 targets, all met before\."):
        evaluate(log(True), [Popularity()])
    result = evaluate(log(True), [Popularity()], seen="keep")
    assert result["questions"] == {"targets": 40, "met_before": 0, "not_held": 0, "repeats": 0}
    assert questions_told(result) == ["Lists could offer again what a person had met before."]
    assert evaluate(log(False), [Popularity()])["questions"]["met_before"] == 0
    for report in (groups, threshold):
        with pytest.raises(InputError, match="all met before"):
            report(made("HybridAttention").fit(log(True)), sample=5)


def test_an_item_that_only_a_test_event_holds_is_a_miss_unless_the_table_describes_it() -> None:
    frame = pd.DataFrame({"user": list("uuvvww"), "item": list("abbaaz")})
    result = evaluate(Interactions.from_frame(frame), [Popularity()], k=2)
    assert result["questions"] == {"targets": 3, "met_before": 0, "not_held": 1, "repeats": 0}
    assert result["rows"][0]["hr@2"] == pytest.approx(2 / 3)
    assert "are not in the catalogue" in questions_told(result)[0]
    table = ItemTable(tuple("abz"), tuple("ABZ"), pd.DataFrame({"kind": ["x", "y", "x"]}))
    described = evaluate(Interactions.from_frame(frame, table), [Popularity()], k=2)
    assert described["questions"]["not_held"] == 0
    assert described["rows"][0]["hr@2"] == 1.0  # it is the second of two that are left


def test_the_catalogue_keeps_what_a_given_feature_describes() -> None:
    data = bare()
    questions = last_events(data)
    assert questions.train.n_items < data.n_items
    assert questions.counts.not_held == sum(questions.missed or []) > 0
    whole, rows = catalogue_of(data)
    assert whole is data
    assert rows is None


@pytest.mark.parametrize("protocol", ["rating", "cold", "faithfulness"])
def test_protocols_without_lists_have_no_seen(protocol: str) -> None:
    with pytest.raises(InputError, match=f"`seen` must be left out with the protocol {protocol}; got one"):
        evaluate(data_of("clean"), [Popularity()], protocol=protocol, seen="keep")
    for call in (evaluate, cross_validate):
        with pytest.raises(InputError, match="`seen` must be one of drop, keep; got 'both'"):
            call(data_of("clean"), [Popularity()], seen="both")
