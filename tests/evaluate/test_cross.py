"""Cross-validation: everybody, or every event, is tested once, by a model that has not met them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pytest

from xattn import History, InputError, Interactions, ItemKNN, Popularity
from xattn.data.synthetic import planted
from xattn.evaluate import cross_validate
from xattn.evaluate.cross import _of_events, _of_users
from xattn.evaluate.setup import Setup


def data() -> Interactions:
    return planted("genre", n_users=62, seed=0).data


class Noted:
    """Scores popularity; notes what it was fitted on and asked."""

    def __init__(self) -> None:
        self.fits: list[Interactions] = []
        self.asked: list[History] = []

    def fit(self, train: Interactions) -> Self:
        self.fits.append(train)
        return self

    def scores_of(self, history: History) -> np.ndarray:
        self.asked.append(history)
        return self.fits[-1].counts().astype(float)


def test_folds_of_users_test_each_once_with_a_model_that_never_met_them() -> None:
    parts = list(_of_users(data(), 4, Setup(10, 0)))
    assert sorted(np.concatenate([users for users, _ in parts]).tolist()) == list(range(data().n_users))
    for users, questions in parts:
        assert not np.isin(questions.train.user, users).any()
        assert questions.train.n_events == (~np.isin(data().user, users)).sum()
        for user, history, relevant in zip(users.tolist(), questions.histories, questions.relevant, strict=True):
            own = data().item[data().events_of(user)]
            np.testing.assert_array_equal(history.item, own[:-1])
            assert relevant.tolist() == [own[-1]]
            assert history.user is None


def test_folds_of_events_hold_out_each_once_and_evenly() -> None:
    parts = list(_of_events(data(), 3, Setup(10, 0, positive=0.0)))
    trained = np.zeros(data().n_items)
    for _, questions in parts:
        trained += questions.train.counts()
        left = np.diff(data().indptr) - np.diff(questions.train.indptr)
        whole = np.diff(data().indptr)
        assert (np.abs(left - whole / 3) < 1).all()
    np.testing.assert_array_equal(trained, 2 * data().counts())


def test_a_row_is_the_mean_over_users() -> None:
    """Folds of users: each user has one figure, so the mean of all is that of the folds by their sizes."""
    result = cross_validate(data(), [ItemKNN(), Popularity()], folds=4)
    assert (result["protocol"], result["folds"], result["users"]) == ("next-item", 4, 62)
    sizes = [len(users) for users, _ in _of_users(data(), 4, Setup(10, 0))]
    for row in result["rows"]:
        for metric, parts in row["folds"].items():
            assert row[metric] == pytest.approx(np.average(parts, weights=sizes))
            low, high = row["ci95"][metric]
            assert low <= row[metric] <= high
    first, second = result["rows"]
    assert first["versus_first"] is None
    assert second["versus_first"].keys() == second["ci95"].keys()


def test_a_user_in_several_folds_counts_once() -> None:
    noted = Noted()
    result = cross_validate(data(), {"noted": lambda: noted}, folds=3, protocol="holdout", positive=0.0)
    users = np.array([history.user for history in noted.asked])
    assert result["users"] == len(np.unique(users)) <= 62 < len(users)
    assert len(noted.fits) == 3
    row = result["rows"][0]
    for metric in ("hr@10", "ndcg@10"):  # folds ask about as many users, so the mean over users lies among theirs
        assert min(row["folds"][metric]) * 0.9 <= row[metric] <= max(row["folds"][metric]) * 1.1


def test_it_repeats_by_seed() -> None:
    one, other, again = (
        cross_validate(data(), [ItemKNN()], folds=3, protocol="holdout", seed=seed)["rows"][0] for seed in (0, 1, 0)
    )
    assert one["folds"] == again["folds"] != other["folds"]
    assert one["ci95"] == again["ci95"]


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    cross_validate(data(), [Popularity()], folds=2, progress=lambda what, share: told.append((what, share)))
    assert [what for what, _ in told] == ["Popularity, fold 1 of 2", "Popularity, fold 2 of 2", "done"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"folds": 1}, "`folds` must be a whole number from 2 to 62; got 1."),
        ({"folds": 63}, "`folds` must be a whole number from 2 to 62; got 63."),
        ({"protocol": "time"}, "`protocol` must be one of next-item, holdout; got 'time'."),
        ({"positive": 3.0}, "`positive` must be left out with the protocol next-item; got 3."),
        ({"positive": 99.0, "protocol": "holdout"}, "`folds` must leave a liked event to find in each fold; got 5."),
        ({"models": []}, "`models` must hold at least one model; got none."),
        ({"data": None}, "`data` must be Interactions; got None."),
        ({"models": None}, "`models` must be a list of unfitted models, or a mapping .*; got None."),
        (
            {"models": [ItemKNN]},
            "`models` must be an unfitted model with the methods .*; got <class",
        ),
        ({"models": ["ItemKNN"]}, "`models` must be an unfitted model .*; got 'ItemKNN'."),
        ({"models": {"a": ItemKNN()}}, "`models` must be a mapping of names .text. to functions"),
        ({"models": {1: ItemKNN}}, "`models` must be a mapping of names .text. to functions"),
        ({"models": {"a": dict}}, "`models` must be an unfitted model .*; got {}."),
    ],
)
def test_wrong_arguments_get_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        cross_validate(**({"data": data(), "models": [Popularity()]} | arguments))
