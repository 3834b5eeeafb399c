"""The contract of all recommenders, run for every model; and what holds of ours alone: sentences, planted causes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import MODELS, SINGLE, assert_adds_up, assert_removals_hold, fitted
from xattn import History, InputError, UnknownIdError
from xattn.explain.rows import contributions
from xattn.recommenders import Recommender
from xattn.recommenders.registry import OWN, model_class
from xattn.testing import RecommenderContract

every_model = pytest.mark.parametrize("name", MODELS)


def contract(name: str) -> type[RecommenderContract]:
    """The tests of one model."""
    settings: dict[str, object] = {
        "make": lambda self: MODELS[name](),
        "tolerance": 1e-5 if name in SINGLE else 1e-10,
        "knows_users": "users" in name,
    }
    return type(f"Test{name.title().replace(' ', '')}", (RecommenderContract,), settings)


globals().update({kind.__name__: kind for kind in map(contract, MODELS)})


@st.composite
def questions(draw: st.DrawFn, ratings: bool = True) -> tuple[list[tuple[str, float]], str, set[int]]:
    """A history on the spot (repeats allowed), a target, and positions to mask."""
    n = draw(st.integers(1, 9))
    items = draw(st.lists(st.integers(0, 39), min_size=n, max_size=n))
    rated = draw(st.lists(st.sampled_from((1.0, 2.0, 4.0, 5.0)), min_size=n, max_size=n))
    target = draw(st.integers(0, 39))
    masked = draw(st.sets(st.integers(0, n - 1), max_size=n))
    return [(f"i{i}", r) for i, r in zip(items, rated, strict=True)], f"i{target}", masked


# --- explain ----------------------------------------------------------------------------------------------------------


@every_model
@given(question=questions())
@settings(max_examples=40)
def test_ledger_is_the_score(name: str, question: tuple[list[tuple[str, float]], str, set[int]]) -> None:
    events, item, masked = question
    model = fitted(name)
    history = model.history(history=events).without(sorted(masked))
    ledger = model.explain(item=item, history=history)
    assert_adds_up(ledger, float(model.score(history=history)[model.data_.item_row(item)]), name in SINGLE)
    assert not masked & set(ledger.cells["position"])


@every_model
@given(question=questions())
@settings(max_examples=15)
def test_contributions_to_many_are_the_sums_of_the_cells(
    name: str, question: tuple[list[tuple[str, float]], str, set[int]]
) -> None:
    events, item, masked = question
    model = fitted(name)
    history = model.history(history=events).without(sorted(masked))
    targets = np.array([model.data_.item_row(item), 0, 7, 0])
    want = [contributions(model.cells_of(history, target), len(history)) for target in targets.tolist()]
    np.testing.assert_allclose(model.contributions_of(history, targets), want, rtol=1e-11, atol=1e-12)


@every_model
@given(question=questions())
@settings(max_examples=25)
def test_announced_removal_is_what_happens(name: str, question: tuple[list[tuple[str, float]], str, set[int]]) -> None:
    events, item, masked = question
    model = fitted(name)
    history = model.history(history=events).without(sorted(masked))
    assert_removals_hold(model, history, model.data_.item_row(item), name in SINGLE)


@every_model
def test_batch_is_single(name: str) -> None:
    """Many targets at once give, bit for bit, what each gives alone."""
    model = fitted(name)
    history = model.history("u9")
    together = model.scores_without_each(history, np.arange(12))
    for j in range(12):
        np.testing.assert_array_equal(model.scores_without_each(history, np.array([j]))[0], together[j])


# --- wrong input ------------------------------------------------------------------------------------------------------

WRONG = [
    ({"user": "nobody"}, UnknownIdError, "`user` must be one of the 120 users of planted-genre; got 'nobody'."),
    ({"user": -1}, UnknownIdError, "got '-1'"),
    ({"user": "u1", "k": -1}, InputError, "`k` must be"),
    ({"user": "u1", "k": 0}, InputError, "`k` must be"),
    ({"user": "u1", "k": 41}, InputError, "`k` must be"),
    ({"user": "u1", "k": 10**9}, InputError, "`k` must be"),
    ({"user": "u1", "k": 2.5}, InputError, "`k` must be"),
    ({"user": "u1", "exclude": ["nosuch"]}, UnknownIdError, "nosuch"),
    ({"user": "u1", "exclude": "i1"}, InputError, "`exclude` must be a list of item ids; got 'i1'."),
    ({"user": "u1", "candidates": ["nosuch"]}, UnknownIdError, "nosuch"),
    ({"user": "u1", "without": ["nosuch"]}, UnknownIdError, "nosuch"),
    ({}, InputError, "exactly one of `user` and `history` must be given; got none."),
    ({"user": "u1", "history": ["i1"]}, InputError, "got both"),
    ({"history": []}, InputError, "`history` must hold at least one event; got none."),
    ({"history": ["nosuch"]}, InputError, "`history` must hold at least one of the 40 items"),
    ({"history": "i1"}, InputError, "`history` must be a list"),
    ({"history": [("i1", float("nan"))]}, InputError, "rating in history"),
    ({"history": [("i1", float("inf"))]}, InputError, "rating in history"),
    ({"history": [("i1", 99.0)]}, InputError, "rating in history"),
    ({"history": [("i1", 5.0), "i2"]}, InputError, "a rating for every event or for none"),
]


@every_model
@pytest.mark.parametrize(("arguments", "error", "sentence"), WRONG, ids=[str(w[0])[:40] for w in WRONG])
def test_wrong_arguments_get_one_sentence(
    name: str, arguments: dict[str, object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as caught:
        fitted(name).recommend(**arguments)  # type: ignore[arg-type]
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@every_model
def test_explain_refuses_an_unknown_item(name: str) -> None:
    with pytest.raises(UnknownIdError, match="`item` must be one of the 40 items of planted-genre; got 'nosuch'"):
        fitted(name).explain(user="u1", item="nosuch")


@every_model
def test_an_item_left_unsaid_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="`item`"):
        fitted(name).explain(user="u1")


def test_a_history_of_other_data_is_refused() -> None:
    other = History(np.array([10_000]), None, np.zeros(1), np.ones(1, bool))
    with pytest.raises(InputError, match="`history`"):
        fitted("hybrid").recommend(history=other)


@pytest.mark.parametrize(
    "changed",
    [
        {"temperature": 0.0},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"temperature": "1"},
        {"beta": 1.5},
        {"threshold": -0.1},
        {"recency": ()},
        {"recency": 5.0},
        {"recency": (0.0,)},
        {"recency": (float("inf"),)},
        {"objective": "all"},
        {"event_weights": ["view"]},
        {"regularization": 0.0},
        {"kappa": 0.0},
        {"dislike": 2.0},
        {"min_events": 0},
        {"dtype": "float16"},
        {"content_recency": 0.0},
    ],
)
def test_wrong_parameters_are_told_at_fit(changed: dict[str, object]) -> None:
    (parameter,) = changed
    model = fitted("hybrid").__class__(**changed)
    with pytest.raises(InputError, match=f"`{parameter}` must"):
        model.fit(fitted("hybrid").data_)


@pytest.mark.parametrize("kind", ["copurchase", "recency"])
@pytest.mark.parametrize("name", ["collaborative", "hybrid"])
def test_the_planted_cause_weighs_most(name: str, kind: str) -> None:
    """Where the cause is known, the event with the largest removal effect on the true target is that cause."""
    from xattn.data.synthetic import planted

    truth = planted(kind, n_users=400, seed=1)
    model = MODELS[name]().fit(truth.data)
    right = 0
    for row in range(60):
        history = History.of(truth.data, row)
        past = history.without([len(history) - 1])
        target = int(history.item[-1])
        losses = model.scores_of(past)[target] - model.scores_without_each(past, np.array([target]))[0][:-1]
        right += int(np.argmax(losses)) in truth.causes_of(row)
    assert right >= 54  # 90 %; chance is 12 %


def test_recommenders_are_what_is_tested() -> None:
    """What the package exports stands in the registry, and what stands there is tested."""
    import xattn.recommenders as home

    exported = {getattr(home, name) for name in home.__all__ if isinstance(getattr(home, name), type)}
    assert exported - {Recommender} == {model_class(name) for name in OWN}
    assert {model_class(name) for name in OWN} == {type(make()) for make in MODELS.values()}
