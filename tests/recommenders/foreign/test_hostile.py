"""Models that cannot be trusted are told in one sentence each, before anything is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from tests.recommenders.foreign.models import Histories, data, ease, factors, fading
from xattn import EASE, InputError, show, wrap
from xattn.data import Interactions
from xattn.recommenders.foreign import ItemFactors

M = 40
Scores = Callable[[Histories], Any]


def changed(change: Callable[[np.ndarray], Any]) -> Scores:
    """The good function, with something done to its answers."""
    good = fading(data())
    return lambda histories: change(good(histories))


def poked(value: float) -> Scores:
    def poke(scores: np.ndarray) -> np.ndarray:
        scores[-1, 5] = value
        return scores

    return changed(poke)


def stops(histories: Histories) -> np.ndarray:
    raise RuntimeError("out of\nmemory")


def no_empty(histories: Histories) -> np.ndarray:
    if any(len(one) == 0 for one in histories):
        raise IndexError("index -1 is out of bounds")
    return fading(data())(histories)


class Drawn:
    """Answers that change from call to call."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, histories: Histories) -> np.ndarray:
        return fading(data())(histories) + self.rng.normal(scale=1e-3, size=(len(histories), M))


def beside_others(histories: Histories) -> np.ndarray:
    scores = fading(data())(histories)
    return np.asarray(scores - scores.mean(axis=0))


def turned(histories: Histories) -> np.ndarray:
    order = np.random.default_rng(5).permutation(M)
    return fading(data())([order[one] for one in histories])[:, order]


def other_order(B: np.ndarray, seed: int = 0) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(len(B))
    return B[order][:, order]


HOSTILE: list[tuple[str, Any, dict[str, Any], str]] = [
    ("NaN", poked(np.nan), {}, r"`?the model must give every item a finite score.*; got nan for 'i5'\."),
    ("minus infinity", poked(-np.inf), {}, "got -inf for 'i5'"),
    ("too few columns", changed(lambda s: s[:, 1:]), {}, r"5 histories × 40 items; got the shape \(5, 39\)"),
    ("too many columns", changed(lambda s: np.hstack([s, s])), {}, r"got the shape \(5, 80\)"),
    ("one row short", changed(lambda s: s[1:]), {}, r"got the shape \(4, 40\)"),
    ("a column", changed(lambda s: s[:, 0]), {}, r"got the shape \(5,\)"),
    ("nothing", changed(lambda s: None), {}, "with a table of numbers"),
    ("texts", changed(lambda s: s.astype(str)), {}, "with a table of numbers"),
    ("complex numbers", changed(lambda s: s + 1j), {}, "got complex128"),
    ("ragged lists", changed(lambda s: [list(range(r)) for r in range(len(s))]), {}, "with a table of numbers"),
    ("an exception", stops, {}, r"must score 5 histories of up to \d+ events; got RuntimeError: out of"),
    ("random answers", Drawn(), {}, "must give the same scores when it is asked again; got scores that differ by 0.00"),
    ("answers beside others", beside_others, {}, "must score a history alone as it does beside others"),
    ("another order of a function", turned, {}, "must stand in the order of the data"),
    ("another order of a matrix", other_order(ease(data())), {}, "must stand in the order of the data"),
    (
        "no empty history",
        no_empty,
        {},
        "`base` must be given where the model does not score an empty history",
    ),
    ("a short base", fading(data()), {"base": np.zeros(3)}, "`base` must hold what each of 40 items"),
    ("a base with NaN", ease(data()), {"base": np.full(M, np.nan)}, "`base` must hold finite numbers"),
    ("a matrix with NaN", np.full((M, M), np.nan), {}, "`model` must hold finite numbers"),
    ("a sparse matrix with infinity", sparse.csr_array(np.full((M, M), np.inf)), {}, "must hold finite numbers"),
    ("a table of users", np.zeros((7, M)), {}, r"must be a matrix of items × items; got the shape \(7, 40\)"),
    ("a small matrix", np.zeros((7, 7)), {}, "one row for each of 40 items"),
    ("few factors", ItemFactors(np.zeros((7, 2)), 1.0), {}, "one row for each of 40 items"),
    ("a negative λ", ItemFactors(np.zeros((M, 2)), -1.0), {}, "`regularization` must be a finite number >= 0"),
    ("no λ", ItemFactors(np.zeros((M, 2)), 0.0), {"items": data().items.ids}, "`regularization` must be large enough"),
    ("α of 0", ItemFactors(np.zeros((M, 2)), 1.0, 0.0), {}, "`alpha` must be a finite number > 0"),
    ("a number", 3.0, {}, "`model` must be a matrix of items × items"),
    ("a text", "model.pt", {}, "`model` must be a matrix of items × items"),
    ("nothing at all", None, {}, "`model` must be a matrix of items × items"),
    ("one of ours", EASE(), {}, "`model` must come from elsewhere; got EASE"),
    ("ids twice", ease(data()), {"items": ["i0"] * M}, "`items` must hold each item once; got 'i0' twice"),
    ("ids missing", ease(data()), {"items": ["x", *data().items.ids[1:]]}, r"got none for 1 of them \('i0'\)"),
    ("an odd id", ease(data()), {"items": [1.5] * M}, "`items` must"),
    ("another kind", fading(data()), {"kind": "shap"}, "`kind` must be one of auto, items"),
    ("a matrix as a function", ease(data()), {"kind": "arrival"}, "`model` must be a matrix"),
    ("a function as factors", fading(data()), {"kind": "factors"}, "`model` must be a matrix"),
    ("a function as a matrix", fading(data()), {"kind": "items"}, "`model` must"),
    ("weights of a function", fading(data()), {"weights": "one"}, "`weights` must be left out with the kind arrival"),
    ("a budget of arrivals", fading(data()), {"budget": 9}, "`budget` must be left out with the kind arrival"),
    ("a base of factors", factors(data()), {"base": np.zeros(M)}, "`base` must be left out with the kind factors"),
    ("padding of a function", fading(data()), {"pad": 0}, "`pad` must be left out with the kind arrival"),
    ("other weights", ease(data()), {"weights": "tfidf"}, "`weights` must be one of one, rating"),
    ("a batch of 0", fading(data()), {"batch_size": 0}, "`batch_size` must be a whole number >= 1"),
    ("other events", fading(data()), {"events_as": "dicts"}, "`events_as` must be one of rows, ids, table"),
    ("no function to train", ease(data()), {"train": 3}, "`train` must be a function"),
]


@pytest.mark.parametrize(
    ("model", "options", "sentence"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE]
)
def test_it_is_told_in_one_sentence(model: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        wrap(model, data(), **options)
    for lang in ("en", "zh"):
        said = caught.value.told(lang)
        assert "\n" not in said
        assert said.endswith((".", "。"))


def test_a_base_lets_a_function_go_without_empty_histories() -> None:
    base = data().counts() / data().n_events
    model = wrap(no_empty, data(), base=base)
    np.testing.assert_array_equal(model.base_, base)
    assert model.explain("u0", "i5").amounts == "arrival"


def test_a_fault_that_comes_later_is_told_then() -> None:
    good, long = fading(data()), 12

    def late(histories: Histories) -> np.ndarray:
        scores = good(histories)
        return np.where(np.array([len(one) > long for one in histories])[:, None], np.nan, scores)

    model = wrap(late, data())
    with pytest.raises(InputError, match="must give every item a finite score"):
        model.recommend(history=data().items.ids[: long + 1])


def test_a_fit_of_others_that_stops_is_told() -> None:
    def train(events: Interactions) -> np.ndarray:
        raise MemoryError("no room")

    with pytest.raises(InputError, match="`train` must fit a model to the data .*; got MemoryError: no room"):
        wrap(None, data(), train=train)


@pytest.mark.parametrize("seed", range(12))
def test_other_orders_are_seen_whatever_they_are(seed: int) -> None:
    with pytest.raises(InputError, match="must stand in the order of the data|must number the items as the data does"):
        wrap(other_order(ease(data()), seed), data())


@pytest.mark.parametrize("axes", [(0, 1), (1,)])
@pytest.mark.parametrize("step", [1, -1])
def test_items_that_are_numbered_from_one_further_are_seen(axes: tuple[int, ...], step: int) -> None:
    B = ease(data())
    for axis in axes:
        B = np.roll(B, step, axis=axis)
    with pytest.raises(InputError, match="one further on" if step > 0 else "one further back"):
        wrap(B, data())


def test_an_order_that_is_stated_is_believed() -> None:
    assert wrap(other_order(ease(data())), data(), items=data().items.ids).amounts == "sum"


def test_a_function_is_in_no_file_and_goes_to_no_other_process() -> None:
    model = wrap(fading(data()), data())
    with pytest.raises(
        InputError, match="must consist of tables to be saved or sent to another process; got a WrappedScores"
    ):
        show(model)
