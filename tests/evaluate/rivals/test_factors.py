"""ALS and BPR: their scores are those of implicit's own models; seeds repeat; what is wrong gets one sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from xattn import History, InputError, Interactions
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate
from xattn.evaluate.rivals import ALS, BPR, RIVALS, Rival
from xattn.evaluate.rivals.factors import taken

pytest.importorskip("implicit")


def data() -> Interactions:
    return planted("copurchase", n_users=80, seed=0).data


MADE = [lambda: ALS(factors=8, iterations=4), lambda: BPR(factors=8, iterations=200)]
each_rival = pytest.mark.parametrize("make", MADE, ids=["ALS", "BPR"])


def test_als_scores_are_those_of_implicit() -> None:
    from implicit.cpu.als import AlternatingLeastSquares

    ours = ALS(factors=8, iterations=4, regularization=0.5, alpha=3.0).fit(data())
    theirs = AlternatingLeastSquares(factors=8, iterations=4, regularization=0.5, alpha=3.0, random_state=0)
    theirs.fit(taken(data()), show_progress=False)
    for user in (0, 7, 33):
        # their own user vector is half an iteration older than the item vectors: solve it anew, as they do for a change
        vector = theirs.recalculate_user(user, taken(data())[[user]])
        np.testing.assert_allclose(ours.scores_of(History.of(data(), user)), theirs.item_factors @ vector, atol=1e-5)


def test_als_solves_the_normal_equations_of_a_history() -> None:
    """x = (YᵀY + Yᵀ(C − I)Y + λI)⁻¹ YᵀC p, with confidence α where something happened and 1 elsewhere."""
    model = ALS(factors=8, iterations=4, regularization=0.5, alpha=3.0).fit(data())
    history = History.of(data(), 5)
    Y = model._items.astype(float)
    own = Y[np.unique(history.item)]
    x = np.linalg.solve(Y.T @ Y + 2.0 * own.T @ own + 0.5 * np.eye(8), 3.0 * own.sum(axis=0))
    np.testing.assert_allclose(model.scores_of(history), Y @ x, atol=1e-4)


def test_bpr_scores_are_products_and_somebody_new_is_the_mean_person() -> None:
    model = BPR(factors=8, iterations=20).fit(data())
    history = History.of(data(), 5)
    np.testing.assert_allclose(model.scores_of(history), model._items @ model._users[5], rtol=1e-6)
    new = History(history.item, history.rating, history.age, history.live)
    np.testing.assert_allclose(model.scores_of(new), model._items @ model._users.mean(axis=0), rtol=1e-4, atol=1e-6)


@each_rival
def test_a_seed_means_one_result(make: type[Rival]) -> None:
    history = History.of(data(), 3)
    first, again = (make().fit(data()).scores_of(history) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = make().set_params(random_state=1).fit(data()).scores_of(history)
    assert (first != other).any()


def test_a_repeated_event_is_taken_once() -> None:
    frame = pd.DataFrame({"user": list("uuuv"), "item": list("aabb")})
    assert taken(Interactions.from_frame(frame)).toarray().tolist() == [[1.0, 1.0], [0.0, 1.0]]


def test_masked_events_and_repeats_do_not_count() -> None:
    """In ALS; the persons of BPR are learned, not made of events."""
    model = ALS(factors=8, iterations=4).fit(data())
    history = History.of(data(), 3)
    item = np.append(history.item, history.item[0])
    twice = History(item, None, np.arange(len(item))[::-1], np.ones(len(item), bool))
    np.testing.assert_array_equal(model.scores_of(history), model.scores_of(twice))
    assert (model.scores_of(history.without([0])) != model.scores_of(history)).any()


@each_rival
def test_rivals_learn_what_goes_together(make: type[Rival]) -> None:
    genres = planted("genre", n_users=300, seed=0).data
    rows = evaluate(genres, {"rival": make, "chance": RIVALS["Random"]}, protocol="holdout", k=5)["rows"]
    assert rows[0]["ndcg@5"] > 2 * rows[1]["ndcg@5"]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (ALS(factors=0), "`factors` must be a whole number >= 1; got 0."),
        (ALS(alpha=0.0), "`alpha` must be a finite number > 0; got 0."),
        (ALS(regularization=-1.0), "`regularization` must be a finite number >= 0; got -1."),
        (BPR(iterations=0), "`iterations` must be a whole number >= 1; got 0."),
        (BPR(learning_rate=float("nan")), "`learning_rate` must be a finite number > 0; got nan."),
        (BPR(random_state=-1), "`random_state` must be"),
    ],
)
def test_wrong_parameters_get_one_sentence(model: Rival, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        clone(model).fit(data())
