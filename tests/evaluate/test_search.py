"""Search: only validation data is met, the budget is kept, the best is the best, an interrupt keeps what is there."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator

from xattn import (
    EASE,
    CollaborativeAttention,
    HybridAttention,
    InputError,
    Interactions,
    ItemKNN,
    ItemTable,
    Popularity,
)
from xattn.data import History
from xattn.data.split import leave_last_out
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate, search
from xattn.evaluate.holdout import SHARE, drawn_per_user
from xattn.evaluate.rivals import RIVALS
from xattn.evaluate.setup import Setup
from xattn.evaluate.spaces import space_of
from xattn.evaluate.validation import VALIDATIONS
from xattn.recommenders.registry import model_classes


def data() -> Interactions:
    return planted("genre", n_users=80, seed=0).data


def chain() -> Interactions:
    """Item i leads to item i + 1 of 30, by row; each of 40 users takes six steps."""
    item = (np.repeat(np.arange(40), 6) * 7 + np.tile(np.arange(6), 40)) % 30
    frame = pd.DataFrame({"user": np.repeat(np.arange(40), 6), "item": item})
    return Interactions.from_frame(frame, ItemTable.bare([str(row) for row in range(30)]))


class Noted(BaseEstimator):
    """Knows the chain but for noise of its parameter's size; keeps what it was fitted on."""

    fits: list[Interactions] = []  # noqa: RUF012  (of the class: the search works on clones)

    def __init__(
        self, *, size: float = 1.0, stop_at: float = np.inf, refuse_at: float = np.inf, odd: float = 0.0
    ) -> None:
        self.size, self.stop_at, self.refuse_at, self.odd = size, stop_at, refuse_at, odd

    def fit(self, train: Interactions) -> Self:
        if self.size >= self.stop_at:
            raise KeyboardInterrupt
        if self.size >= self.refuse_at:
            raise InputError(f"`size` must be a finite number < {self.refuse_at:g}; got {self.size:g}.")
        Noted.fits.append(train)
        self.train_ = train
        return self

    def scores_of(self, history: History) -> np.ndarray:
        noise = np.random.default_rng(0).normal(size=self.train_.n_items)
        odd = self.odd if self.size >= 2.0 else 0.0  # what is added to one score
        next_one = np.arange(self.train_.n_items) == (history.item[-1] + 1) % 30
        return next_one + self.size * noise + np.where(np.arange(self.train_.n_items) == 0, odd, 0.0)


def tried(model: Any, space: Any, **arguments: Any) -> dict[str, Any]:
    Noted.fits.clear()
    return search(chain(), model, space, **arguments)


# --- what it meets ----------------------------------------------------------------------------------------------------


def test_next_item_leaves_the_last_two_events_out() -> None:
    tried(Noted(), {"size": [0.0]})
    for train in Noted.fits:
        assert (np.diff(train.indptr) == 4).all()
        np.testing.assert_array_equal(train.item.reshape(40, 4), chain().item.reshape(40, 6)[:, :4])
    questions = VALIDATIONS["next-item"](chain(), Setup(10, 0))
    assert [int(items[0]) for items in questions.relevant] == chain().item.reshape(40, 6)[:, 4].tolist()


def test_changing_the_test_events_changes_no_trial() -> None:
    changed = data().item.copy()
    changed[leave_last_out(data()).target_event_index] = 0
    other = Interactions(data().name, data().user_ids, data().items, data().indptr, changed, data().rating, data().time)
    space = {"n_neighbors": [1, 5, 20]}
    first, second = (search(d, ItemKNN(), space)["trials"] for d in (data(), other))
    assert [t["value"] for t in first] == [t["value"] for t in second]


def test_holdout_never_meets_the_test_of_the_protocol() -> None:
    test = drawn_per_user(data(), SHARE, np.random.default_rng(3))
    questions = VALIDATIONS["holdout"](data(), Setup(10, 3, positive=0.0))
    train = questions.train
    times = {(u, t) for u, t in zip(data().user[test], data().time[test], strict=True)}  # no user has two at one time
    assert not times & set(zip(train.user, train.time, strict=True))
    lengths = np.diff(data().indptr)
    rest = lengths - lengths // 5
    np.testing.assert_array_equal(np.diff(train.indptr), rest - rest // 5)
    kept = {(u, i) for u, i in zip(data().user[~test], data().item[~test], strict=True)}
    asked = [(h.user, i) for h, items in zip(questions.histories, questions.relevant, strict=True) for i in items]
    assert asked
    assert set(asked) <= kept


def test_a_model_is_asked_what_the_protocol_asks() -> None:
    seen = []

    class Spy(CollaborativeAttention):
        def fit(self, *args: Any, **more: Any) -> Self:
            seen.append(self.objective)
            return super().fit(*args, **more)

    search(data(), Spy(min_events=2), {"beta": [0.5]}, protocol="holdout")
    assert set(seen) == {"any"}


# --- the budget -------------------------------------------------------------------------------------------------------


def test_all_combinations_and_the_model_as_given() -> None:
    found = tried(Noted(size=0.5), {"size": [0.0, 0.5, 2.0], "refuse_at": [9.0, np.inf]})
    params = [(t["params"]["size"], t["params"]["refuse_at"]) for t in found["trials"]]
    assert params[0] == (0.5, np.inf)
    assert sorted(params) == [(s, r) for s in (0.0, 0.5, 2.0) for r in (9.0, np.inf)]
    assert found["wanted"] == len(params) == 6
    assert found["complete"]


def test_draws_repeat_by_seed() -> None:
    space = {"size": stats.loguniform(0.01, 10.0)}
    one, two, again = (
        [t["params"]["size"] for t in tried(Noted(), space, trials=5, seed=seed)["trials"]] for seed in (0, 1, 0)
    )
    assert one == again
    assert one[1:] != two[1:]
    assert len(one) == 6
    assert all(type(size) is float for size in one)


def test_more_trials_than_combinations_are_all_of_them() -> None:
    assert len(tried(Noted(), {"size": [0.0, 2.0]}, trials=50)["trials"]) == 3


def test_the_best_is_the_highest_and_beats_the_model_as_given() -> None:
    found = tried(Noted(), {"size": [3.0, 0.0, 0.3]})
    assert found["best"]["params"] == {"size": 0.0}
    assert found["best"]["value"] == max(t["value"] for t in found["trials"]) > found["trials"][0]["value"]


def test_values_are_the_metric_on_validation() -> None:
    """One trial on the data less its last events is what the protocol measures there."""
    rest = leave_last_out(data()).train
    for metric, name in (("ndcg", "ndcg@5"), ("mrr", "mrr"), ("recall", "recall@5")):
        found = search(data(), ItemKNN(), {"n_neighbors": [7]}, metric=metric, k=5)
        measured = evaluate(rest, [ItemKNN(n_neighbors=7)], k=5)["rows"][0]
        assert found["metric"] == name
        assert found["trials"][1]["value"] == pytest.approx(measured[name], abs=1e-12)


def test_a_refused_setting_is_a_trial_without_value() -> None:
    found = tried(Noted(refuse_at=2.0), {"size": [5.0, 0.0]})
    assert [t["value"] is None for t in found["trials"]] == [False, True, False]
    assert found["trials"][1]["error"] == "`size` must be a finite number < 2; got 5."
    with pytest.raises(InputError, match="`space` must hold a setting that Noted can be fitted with; got `size` must"):
        tried(Noted(size=3.0, refuse_at=2.0), {"size": [5.0]})


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_setting_whose_scores_are_no_numbers_has_no_value(number: float) -> None:
    found = tried(Noted(odd=number), {"size": [0.0, 2.0]})
    assert [t["value"] is None for t in found["trials"]] == [False, False, True]
    assert found["trials"][2]["error"].startswith("`scores` must stay under 1.8e+308 in size; got more")
    with pytest.raises(InputError, match="`space` must hold a setting that Noted can .*; got `scores` must"):
        tried(Noted(size=3.0, odd=number), {"size": [2.0]})


def test_an_interrupt_keeps_what_has_been_found() -> None:
    found = tried(Noted(stop_at=2.0), {"size": [0.0, 3.0, 0.5]})
    assert [t["params"]["size"] for t in found["trials"]] == [1.0, 0.0]
    assert not found["complete"]
    assert found["best"]["params"] == {"size": 0.0}
    with pytest.raises(KeyboardInterrupt):
        tried(Noted(size=3.0, stop_at=2.0), {"size": [0.0]})


def test_no_trial_starts_after_the_time() -> None:
    found = tried(Noted(), {"size": [0.0, 0.5, 2.0]}, seconds=1e-9)
    assert len(found["trials"]) == 1
    assert not found["complete"]


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    tried(Noted(), {"size": [0.0, 2.0]}, progress=lambda what, share: told.append((what, share)))
    assert told[0] == ("trial 1 of 3", 0.0)
    assert told[-1] == ("done", 1.0)


# --- spaces and arguments ---------------------------------------------------------------------------------------------


SEARCHED = {name: kind for name, kind in {**RIVALS, **model_classes()}.items() if space_of(kind)}


@pytest.mark.parametrize("name", SEARCHED)
def test_every_space_is_of_its_model(name: str) -> None:
    assert space_of(SEARCHED[name]).keys() <= SEARCHED[name]().get_params(deep=False).keys()


def test_these_declare_a_space() -> None:
    """As many as before spaces were declared by the classes."""
    linear = {"EASE", "RecencyEASE", "ItemKNN", "UserAttention"}
    assert set(SEARCHED) == linear | {
        "ALS",
        "BPR",
        "SASRec",
        "ContentAttention",
        "CollaborativeAttention",
        "HybridAttention",
    }


def test_the_space_of_a_model_is_its_own() -> None:
    assert len(search(data(), EASE())["trials"]) == len(space_of(EASE)["regularization"])
    assert len(search(data(), HybridAttention(min_events=2), trials=2)["trials"]) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"model": Popularity()}, "`space` must be given for Popularity, which has none of its own; got none."),
        ({"model": HybridAttention()}, "`trials` must be given, since regularization has no list of values"),
        ({"space": {"size": [1]}}, "`space` must be one of n_neighbors, shrink; got 'size'."),
        ({"space": {"n_neighbors": 5}}, "`space` must hold a list of values or a distribution for n_neighbors; got 5."),
        ({"space": {"n_neighbors": []}}, "`space` must hold a list of values or a distribution for n_neighbors"),
        ({"trials": 0}, "`trials` must be a whole number >= 1; got 0."),
        ({"protocol": "rating"}, "`protocol` must be one of next-item, strict, holdout; got 'rating'."),
        ({"metric": "auc"}, "`metric` must be one of ndcg, hr, recall, precision, map, mrr; got 'auc'."),
        ({"seconds": 0}, "`seconds` must be a finite number > 0; got 0."),
        ({"k": 0}, "`k` must be"),
        ({"data": None}, "`data` must be Interactions; got None."),
        ({"model": None}, "`model` must be an unfitted model with the methods `fit` and `scores_of`; got None."),
        ({"model": ItemKNN}, "`model` must be an unfitted model with the methods `fit` and `scores_of`; got <class"),
        ({"data": data().select(np.zeros(data().n_events, bool))}, "a user with at least three events; got none."),
    ],
)
def test_wrong_arguments_get_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        search(**({"data": data(), "model": ItemKNN()} | arguments))
