"""The calls of `tests/fuzz.py`: public functions, recommenders, ledgers, tables, requests and commands.

Data and models are small and made once. What a call writes goes into the current folder, so a run starts in an empty
one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from click.testing import CliRunner

import xattn
from tests.fuzz import Call
from tests.models import MODELS
from xattn import History, Interactions, ItemTable, Ledger, Popularity
from xattn.cli import main
from xattn.data import check_data, leave_last_out, leave_last_two_out, read_history
from xattn.data.synthetic import planted
from xattn.evaluate import cross_validate, evaluate, search, stability
from xattn.explain import compare, explain_list, list_changes, minimal_edit
from xattn.features import make_features
from xattn.recommenders import Recommender
from xattn.requests import CompareRequest, ExplainRequest, ListRequest, RecommendRequest, WhyNotRequest, read

__all__ = ["command_calls", "every_call", "write_files"]

SERVED_BY = ("popularity", "users", "users threshold", "item knn", "hybrid", "hybrid any sparse", "content sharp",
             "recency ease", "neural", "sequence")  # fmt: skip
QUICK = {"epochs": 1, "hidden_size": 2, "heads": 1, "key_size": 2, "min_events": 2}

HISTORIES = [["i1", "i2", "i3"], [("i1", 5.0), ("i2", 1.0)], {"i3": 2.0}, ["i1", "i1", "nosuch"]]
LISTED: dict[str, list[Any]] = {
    "k": [None, 1, 3, 40],
    "exclude": [(), ["i0"], ["i0", "i5"]],
    "candidates": [None, ["i1", "i2", "i9"], []],
    "where": [None, {"genres": "comedy"}, {"genres": ["comedy", "drama"]}],
}
SOMEBODY: dict[str, list[Any]] = {"user": ["u0", "u1", None], "history": [None, *HISTORIES], "without": [(), ["i1"]]}


@cache
def data() -> Interactions:
    return planted("genre", n_users=24, n_items=40, seed=0).data


@cache
def model(name: str) -> Recommender:
    return MODELS[name]().fit(data())


@cache
def ledger(name: str, rank: int = 1) -> Ledger:
    listed = model(name).recommend("u3", k=12)
    return model(name).explain("u3", listed["item"].iloc[min(rank, len(listed)) - 1], k=5)


def every_call(served_by: Sequence[str] = SERVED_BY) -> list[Call]:
    """Every public function but the commands, and `show`, which starts a server; of the models those of these names."""
    parts = (_functions(), _settings(served_by), _answers(served_by), _ledgers(served_by))
    return [call for part in (*parts, _tables(), _measures(), _requests()) for call in part]


# --- functions --------------------------------------------------------------------------------------------------------


def _functions() -> Iterator[Call]:
    rng = np.random.default_rng(0)
    x, mask = (
        [rng.normal(size=(2, 3)), np.array([1.0, 2.0, -1e308]), [[1, 2]], np.zeros((0, 2))],
        [None, np.array([[1, 0, 1]] * 2, bool)],
    )
    logits = {"x": x, "axis": [None, 0, -1, (0, 1)], "mask": mask, "temperature": [1.0, 0.1]}
    yield Call("softmax", xattn.softmax, logits)
    yield Call("log_softmax", xattn.log_softmax, logits)
    yield Call("logsumexp", xattn.logsumexp, {**logits, "keepdims": [True, False]})
    q, k, v = (rng.normal(size=(n, 2)) for n in (2, 3, 3))
    tables = {"q": [q], "k": [k], "v": [v], "mask": [None, np.ones((2, 3), bool)], "causal": [False, True]}
    more = {
        "window": [None, (1, 0)],
        "past": [0, 1],
        "lengths": [None, [3]],
        "scale": [None, 0.5],
        "softcap": [None, 3.0],
    }
    yield Call("attention", xattn.attention, {**tables, **more}, served=True)
    heads = {"query": [q[0]], "keys": [k], "values": [v], "scorer": ["dot", "cosine"], "temperature": [1.0, 0.2]}
    heads |= {
        "beta": [1.0, 0.3],
        "threshold": [0.0, 0.2],
        "fusion": ["multiply", "mean"],
        "mask": [None, np.ones(3, bool)],
    }
    yield Call("attend", xattn.attend, {**heads, "W": [None], "Wq": [None], "Wk": [None], "v": [None]}, served=True)
    near = {"queries": [q], "keys": [k], "k": [1, 3], "metric": ["dot", "cosine"], "allowed": [None]}
    yield Call("nearest", xattn.nearest, near)
    yield Call("load_dataset", xattn.load_dataset, {"name": ["nosuch"]})
    yield Call("load_model", xattn.load_model, {"path": ["model.npz", "ratings.csv"], "models": [None, {}]})
    files = {
        "source": ["ratings.csv", Path("ratings.csv")],
        "columns": [None, {"item": "item"}],
        "encoding": [None, "utf-8"],
    }
    files |= {"missing": ["refuse", "drop"], "query": [None], "max_bytes": [10**6]}
    yield Call("read_items", xattn.read_items, {**files, "source": ["items.csv"]})
    events = {
        "items": [None, "items.csv"],
        "name": [None, "x"],
        "scale": [None, (1, 5), "amount"],
        "unrated": [None, 0],
    }
    events |= {"amount": [None], "event_weights": [None], "time_format": [None, "s"], "repeats": ["keep", "drop"]}
    yield Call("read_interactions", xattn.read_interactions, {**files, **events})
    yield Call("check_data", check_data, {"source": ["ratings.csv"], "items": [None, "items.csv"]})
    yield Call("read_history", read_history, {"source": ["history.csv"], "max_bytes": [10**6]})
    yield Call(
        "make_features", make_features, {"items": [data().items], "blocks": [None, {"genres": "tokens"}], "bins": [9]}
    )
    yield Call("leave_last_out", leave_last_out, {"data": [data()]})
    yield Call("leave_last_two_out", leave_last_two_out, {"data": [data()]})
    kinds = {"kind": ["genre", "sequel"], "n_users": [9], "n_items": [40], "seed": [0, 1], "noise": [0.0, 0.3]}
    yield Call("planted", planted, kinds)


# --- recommenders -----------------------------------------------------------------------------------------------------


def _settings(served_by: Sequence[str]) -> Iterator[Call]:
    """Each class made with settings, fitted, and asked for scores."""
    makers = MODELS.values() if served_by == SERVED_BY else [MODELS[name] for name in served_by]
    for kind in sorted({type(make()) for make in makers}, key=lambda one: one.__name__):
        parameters = [p for p in inspect.signature(kind).parameters.values() if p.kind is p.KEYWORD_ONLY]
        if not kind.__module__.startswith("xattn.") or not parameters:
            continue
        quick = {p.name: QUICK.get(p.name, p.default) for p in parameters}
        sound = {name: [value, *_few(kind.search_space.get(name, ()))] for name, value in quick.items()}
        yield Call(f"{kind.__name__}()", _fitted(kind, quick), sound, served=True)


def _few(values: Any) -> list[Any]:
    return list(values)[:3] if isinstance(values, (list, tuple)) and not hasattr(values, "low") else []


def _fitted(kind: type[Recommender], quick: dict[str, Any]) -> Callable[..., Any]:
    def fitted(**settings: Any) -> np.ndarray:
        made = kind(**{**quick, **settings}).fit(data())
        return np.array([made.score("u0"), made.score(history=[("i1", 5.0), ("i2", 1.0)])])

    return fitted


def _answers(served_by: Sequence[str]) -> Iterator[Call]:
    for name in served_by:
        made = model(name)
        yield Call(f"{name}: recommend", made.recommend, {**SOMEBODY, **LISTED, "diversity": [0.0, 0.5]}, served=True)
        many = {"users": [["u0", "u1"], None], "histories": [None, HISTORIES, {"a": ["i1"]}], "diversity": [0.0]}
        yield Call(f"{name}: recommend_many", made.recommend_many, {**many, **LISTED}, served=True)
        yield Call(f"{name}: explain", _explained(made), {**SOMEBODY, **LISTED, "item": ["i4", "i0"]}, served=True)
        yield Call(f"{name}: score", made.score, SOMEBODY, served=True)
        yield Call(f"{name}: history", made.history, SOMEBODY)
        yield Call(
            f"{name}: similar_items", made.similar_items, {"item": ["i0"], **LISTED, "by": [None, "users", "features"]}
        )
        yield Call(
            f"{name}: similar_users", made.similar_users, {"user": ["u0", None], "history": [None], "k": [None, 3]}
        )
        yield Call(f"{name}: without_heads", made.without_heads, {"heads": [[], [0], ["content"]]})
        yield Call(f"{name}: save", made.save, {"path": ["saved.npz"]})
        yield Call(f"{name}: fit", MODELS[name]().fit, {"data": [data()]})
        yield Call(f"{name}: partial_fit", MODELS[name]().fit(data()).partial_fit, {"data": [data()]})
        yield Call(f"{name}: explain_list", _listed(made), {**SOMEBODY, **LISTED})


def _explained(made: Recommender) -> Callable[..., Any]:
    def explained(**given: Any) -> tuple[Any, ...]:
        why = made.explain(**given)
        return why.score, why.events(), why.cells, why.counterfactual(), why.text(), why.text("zh"), why.to_json()

    return explained


def _listed(made: Recommender) -> Callable[..., Any]:
    def listed(**given: Any) -> Any:
        found = explain_list(made, **given)
        return found.events(), found.text(), found.to_dict()

    return listed


# --- explanations -----------------------------------------------------------------------------------------------------


def _ledgers(served_by: Sequence[str]) -> Iterator[Call]:
    told = {"lang": ["en", "zh"], "depth": ["line", "paragraph", "full"], "scenario": ["films", "shop"]}
    for name in (name for name in ("hybrid", "users", "popularity", "item knn") if name in served_by):
        for rank in (1, 12):
            why = ledger(name, rank)
            where = f"{name} {rank}"
            yield Call(f"{where}: by", why.by, {"what": ["event", "head", "feature", "block"]})
            yield Call(f"{where}: chart", why.chart, {"kind": ["waterfall"], "lang": ["en", "zh"]})
            yield Call(f"{where}: positives", why.positives, {"n": [1, 3]})
            yield Call(f"{where}: negatives", why.negatives, {"n": [1, 3]})
            yield Call(f"{where}: removal", why.removal, {"positions": [[0], (0, 1), np.array([0])]})
            yield Call(f"{where}: text", why.text, told)
            yield Call(f"{where}: to_html", why.to_html, {**told, "origin": [None]})
            yield Call(f"{where}: to_json", why.to_json, {"indent": [None, 2]})
            yield Call(f"{where}: snippet", why.snippet, {"origin": [None]})
            yield Call(f"{where}: explanation", why.explanation, {"origin": [None], "scenario": ["films"]})
            yield Call(f"{where}: title_at", why.title_at, {"position": [0]})
            yield Call(f"{where}: title_of", why.title_of, {"item": ["i0"]})
            yield Call(f"{where}: why_not", _why_not(why), {"lang": ["en"], "scenario": ["films"]})
            yield Call(f"{where}: minus", _minus(why), {"other": [ledger(name, 2)]})
    shown = "hybrid" if "hybrid" in served_by else served_by[0]
    one, two = ledger(shown), ledger(shown, 2)
    yield Call("compare", compare, {"a": [one], "b": [two]})
    sides = {"model": [model(shown)], "before": [["i1", "i2"]], "after": [["i1"]], "k": [3], "model_before": [None]}
    yield Call("list_changes", list_changes, sides)
    vectors = {
        "query": [np.ones(2)],
        "keys": [np.eye(2)],
        "values": [np.eye(2)],
        "items": [np.array([[1.0, 0], [0, 1.1]])],
    }
    places = {"above": [0, 1], "below": [1, 0], "measure": ["euclidean", "manhattan"]}
    yield Call("minimal_edit", minimal_edit, {**vectors, **places})


def _why_not(why: Ledger) -> Callable[..., Any]:
    def why_not(lang: Any = "en", scenario: Any = "films") -> Any:
        found = why.why_not()
        return found.text(lang, scenario), found.to_dict()

    return why_not


def _minus(why: Ledger) -> Callable[..., Any]:
    def minus(other: Any) -> Any:
        return (why - other).to_dict() if isinstance(other, Ledger) else compare(why, other)

    return minus


# --- tables -----------------------------------------------------------------------------------------------------------


def _tables() -> Iterator[Call]:
    events, items = data(), data().items
    history = History.of(events, 0)
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "rating": [1.0, 5.0], "timestamp": [1, 2]})
    yield Call("select", events.select, {"mask": [np.ones(events.n_events, bool)]})
    yield Call("core", events.core, {"min_events": [1, 3]})
    yield Call("events_of", events.events_of, {"user_row": [0, 23]})
    yield Call("item_row", events.item_row, {"item": ["i0"]})
    yield Call("user_row", events.user_row, {"user": ["u0"]})
    yield Call("extended", events.extended, {"other": [events]})
    shape = {
        "frame": [frame],
        "items": [None],
        "name": ["x"],
        "columns": [None, {"user": "user"}],
        "missing": ["refuse"],
    }
    yield Call("Interactions.from_frame", Interactions.from_frame, shape)
    yield Call("ItemTable.from_frame", ItemTable.from_frame, {"frame": [frame[["item"]]], "columns": [None]})
    yield Call("ItemTable.bare", ItemTable.bare, {"ids": [["a", "b"]], "titles": [None, {"a": "A"}]})
    yield Call("ItemTable.row", items.row, {"item": ["i0"]})
    yield Call("ItemTable.take", items.take, {"rows": [np.array([0, 1])]})
    given = {"item": [np.array([0, 1])], "rating": [None, np.array([1.0, 5.0])], "age": [np.array([1, 0])]}
    yield Call("History", History, {**given, "live": [np.array([True, False])], "user": [None, 0]})
    yield Call("History.of", History.of, {"data": [events], "user_row": [0]})
    yield Call("History.given", History.given, {"data": [events], "events": HISTORIES})
    yield Call(
        "followed_by", history.followed_by, {"item": [[0], np.array([1, 2])], "rating": [None, 5.0], "kind": [None]}
    )
    yield Call("without", history.without, {"positions": [0, [0, 1]]})
    yield Call("alike", history.alike, {"positions": [[0], (0, 1)]})
    whole = {
        "user_ids": [("a",)],
        "items": [ItemTable.bare(["x"])],
        "indptr": [np.array([0, 1])],
        "item": [np.array([0])],
    }
    yield Call(
        "Interactions", Interactions, {"name": ["x"], **whole, "rating": [None, np.array([1.0])], "time": [None]}
    )


def _measures() -> Iterator[Call]:
    how = {"data": [data()], "models": [[Popularity()], {"p": Popularity}], "k": [3], "seed": [0], "min_events": [1]}
    how |= {"protocol": ["next-item", "holdout"], "positive": [None, 3.0]}
    yield Call(
        "evaluate", evaluate, {**how, "test": [None], "history": [None], "diversity": [0.0], "agreement": [False]}
    )
    yield Call("cross_validate", cross_validate, {**how, "folds": [2]})
    one = {name: how[name] for name in ("data", "protocol", "k", "seed", "min_events", "positive")}
    yield Call(
        "search",
        search,
        {**one, "model": [xattn.ItemKNN()], "space": [{"shrink": [0.0]}], "trials": [1], "metric": ["ndcg"]},
    )
    who = {"model": [model("popularity")], "user": ["u0"], "item": ["i1", None], "history": [None], "refits": [2]}
    yield Call("stability", stability, {**who, "how": ["bootstrap"], "top": [1], "k": [3], "seed": [0]})


def _requests() -> Iterator[Call]:
    yield Call("requests.read", read, {"text": ['{"schema": "x"}', "[]", '{"a": ' * 50]})
    for kind in (CompareRequest, ExplainRequest, ListRequest, RecommendRequest, WhyNotRequest):
        whole = {"schema": kind.SCHEMA, "version": 1, "user": "u0", "item": "i0", "k": 3}
        yield Call(
            f"{kind.__name__}.from_dict",
            kind.from_dict,
            {"document": [whole, {**whole, "k": "x"}, {**whole, "where": 3}]},
        )


# --- commands ---------------------------------------------------------------------------------------------------------

SOURCE = {"--ratings": ["ratings.csv"], "--items": ["items.csv", None], "--model": ["Popularity", "model.npz", None]}
WHO = {
    "--user": ["u0", None],
    "--history": [None, "history.csv"],
    "-k": ["3", None],
    "--where": [None, "genres=comedy"],
}
WHO |= {"--exclude": [None, "i0"], "--candidates": [None, "i1,i2"], "--lang": ["en", "zh"], "--set": [None]}
READING = {
    "--columns": [None, "item=item"],
    "--scale": [None, "1-5"],
    "--unrated": [None],
    "--encoding": [None, "utf-8"],
}
READING |= {"--time-format": [None, "s"], "--missing": [None, "drop"], "--amount": [None], "--event-weights": [None]}
COMMANDS: dict[str, dict[str, list[Any]]] = {
    "recommend": {**SOURCE, **WHO, **READING, "--diversity": [None, "0.5"], "--csv": [None, "out.csv"]},
    "explain": {
        **SOURCE,
        **WHO,
        **READING,
        "--item": ["i4", "i5"],
        "--against": [None, "i6"],
        "--html": [None, "out.html"],
    },
    "fit": {**SOURCE, "--out": ["out.npz"], "--set": [None], "--seed": [None, "1"], "--dtype": [None, "float32"]},
    "evaluate": {
        **SOURCE,
        "--models": ["Popularity"],
        "--protocol": ["next-item"],
        "-k": ["3"],
        "--folds": [None, "2"],
    },
    "data check": {"": ["ratings.csv", "items.csv", "nosuch.csv"], **READING},
    "data fetch": {"": ["nosuch"]},
    "example": {},
}
for _options in (COMMANDS["evaluate"],):
    _options.pop("--model")


def command_calls() -> list[Call]:
    """The commands with their options; a refusal ends with code 1 or 2 and one line on stderr."""
    return [Call(f"xattn {name}", _command(name), options, texts=True) for name, options in COMMANDS.items()]


def _command(name: str) -> Callable[..., Any]:
    def command(**options: str | None) -> None:
        words = name.split()
        for option, value in options.items():
            if value is not None:
                words += [f"{option}={value}"] if option.startswith("--") else [option, value] if option else [value]
        result = CliRunner().invoke(main, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code in (0, 1, 2), result.exit_code
        assert "Traceback" not in result.output + result.stderr
        if result.exit_code == 1:
            assert result.stderr.strip().splitlines()[-1:], "a refusal says why"

    return command


def write_files(folder: Path) -> None:
    """The files that the calls read: ratings.csv, items.csv, history.csv, model.npz."""
    events = data()
    frame = pd.DataFrame({"user": events.user, "item": events.item, "rating": events.rating, "timestamp": events.time})
    frame["user"] = [events.user_ids[row] for row in events.user]
    frame["item"] = [events.items.ids[row] for row in events.item]
    frame.to_csv(folder / "ratings.csv", index=False)
    events.items.frame.assign(item=events.items.ids, title=events.items.titles).to_csv(
        folder / "items.csv", index=False
    )
    (folder / "history.csv").write_text("item,rating\ni1,5\ni2,1\nnowhere,3\n", "utf-8")
    Popularity().fit(events).save(folder / "model.npz")
