"""The article's network as a recommender: which question it learns, what it finds, what is refused, what stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.models import fitted
from xattn import History, InputError, Interactions, ModelFileError, NeuralAttention, load_dataset, load_model
from xattn.data.synthetic import planted
from xattn.evaluate.holdout import drawn_per_user
from xattn.evaluate.likes import auc


def small(**more: Any) -> NeuralAttention:
    return NeuralAttention(**{"hidden_size": 4, "epochs": 3, **more})


def rated(ratings: list[float] | None) -> Interactions:
    frame = pd.DataFrame({"user": list("uuuvvvwww"), "item": list("abcbcaabc")})
    return Interactions.from_frame(frame if ratings is None else frame.assign(rating=ratings))


MIXED = [5.0, 1.0, 4.0, 2.0, 5.0, 1.0, 3.0, 4.0, 5.0]

# --- which question ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratings", "like_from", "target"),
    [
        (MIXED, None, "like"),
        (None, None, "next"),
        ([4.0] * 9, None, "next"),  # no scale
        (MIXED, 0.5, "next"),  # all liked
        (MIXED, 6.0, "next"),  # none liked
    ],
)
def test_auto_learns_likes_where_there_are_likes_and_dislikes(
    ratings: list[float] | None, like_from: float | None, target: str
) -> None:
    assert small(like_from=like_from).fit(rated(ratings)).target_ == target


@pytest.mark.parametrize(
    ("ratings", "like_from", "got"),
    [(None, None, "no ratings on a scale"), (MIXED, 0.5, "all liked"), (MIXED, 6.0, "none liked")],
)
def test_likes_are_not_learned_from_nothing(ratings: list[float] | None, like_from: float | None, got: str) -> None:
    with pytest.raises(InputError, match=f"`data` must hold likes and dislikes for the target like; got {got}."):
        small(objective="like", like_from=like_from).fit(rated(ratings))


def test_next_can_be_asked_of_rated_data() -> None:
    model = small(objective="next").fit(rated(MIXED))
    assert model.target_ == "next"
    assert set(model.explain("u", "a").cells["head"]) == {"choice", "taste"}


def test_labels_are_half_a_like_and_half_the_place_on_the_scale() -> None:
    model = small().fit(rated(MIXED))
    label = model._labels(rated(MIXED))
    assert label is not None
    assert label.tolist() == [1.0, 0.0, 0.875, 0.125, 1.0, 0.0, 0.25, 0.875, 1.0]  # a like from 3⅔ on


def test_what_is_held_out() -> None:
    """Of "next" the last event of histories of three or more; of "like" a tenth of all; nothing without stopping."""
    frame = pd.DataFrame({"user": list("uuuuvvwww"), "item": list("abcdabcab")})
    data, rng = Interactions.from_frame(frame), np.random.default_rng(0)
    assert np.flatnonzero(small()._held(data, True, rng)).tolist() == [3, 8]
    assert small()._held(planted("genre", 100, seed=0).data, False, rng).sum() == 90
    assert not small(early_stopping=False)._held(data, True, rng).any()


def test_without_ratings_there_is_one_head() -> None:
    assert set(small().fit(rated(None)).explain("u", "a").cells["head"]) == {"choice"}


# --- what it finds ----------------------------------------------------------------------------------------------------


def test_planted_tastes_are_found() -> None:
    """Each user likes one genre: of items they have not met, those of that genre come first."""
    data = planted("genre", n_users=300, seed=2).data
    model = NeuralAttention(hidden_size=8, learning_rate=0.01, epochs=40).fit(data)
    right = []
    for row in range(100):
        history = History.of(data, row)
        genre = history.item[history.rating >= 4][0] % 4
        right.append(float((model.recommend(user=f"u{row}", k=3)["item"].str[1:].astype(int) % 4 == genre).mean()))
    assert np.mean(right) > 0.9  # chance: a fifth


def test_the_planted_cause_weighs_most() -> None:
    truth = planted("recency", n_users=400, seed=1)
    model = NeuralAttention(hidden_size=16, learning_rate=0.02, epochs=60).fit(truth.data)
    right = 0
    for row in range(60):
        past = History.of(truth.data, row).without([8])
        target = int(truth.data.item[truth.target[row]])
        losses = model.scores_of(past)[target] - model.scores_without_each(past, np.array([target]))[0][:-1]
        right += int(np.argmax(losses)) in truth.causes_of(row)
    assert right >= 48  # 80 %; chance is 12 %


def test_a_dislike_speaks_against_what_a_like_speaks_for() -> None:
    model = fitted_on_genres()
    liked, other = model.score(history=[("i0", 5.0)]), model.score(history=[("i0", 1.0)])
    same = np.arange(4, 40, 4)  # the genre of i0
    assert (liked[same] - liked[same + 1]).mean() > (other[same] - other[same + 1]).mean() + 0.1


def fitted_on_genres() -> NeuralAttention:
    return NeuralAttention(hidden_size=8, learning_rate=0.01, epochs=20).fit(planted("genre", 300, seed=2).data)


def test_likes_are_told_from_dislikes_on_the_bundled_data() -> None:
    """A fifth of everybody's events held out. With the protocol's threshold .733 and .784 (docs/evaluation.md); always
    "like" is right for .634."""
    data = load_dataset("movielens-small").core(5)
    held = drawn_per_user(data, 0.2, np.random.default_rng(1))
    model = NeuralAttention().fit(data.select(~held))
    scores = np.concatenate(
        [model.score(user)[data.item[data.events_of(row)]] for row, user in enumerate(data.user_ids)]
    )[held]
    liked = data.rating[held] >= 3.5
    assert auc(liked, scores, np.ones(len(liked))) > 0.77
    assert np.mean((scores >= np.quantile(scores, 1 - liked.mean())) == liked) > liked.mean() + 0.08


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("objective", "rating"),
        ("hidden_size", 0),
        ("hidden_size", 2.5),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("threshold", 1.5),
        ("beta", -0.1),
        ("regularization", -1.0),
        ("epochs", 0),
        ("batch_size", 0),
        ("negatives", 0),
        ("patience", 0),
        ("like_from", "4"),
        ("like_from", float("inf")),
        ("early_stopping", "yes"),
        ("dtype", "float16"),
    ],
)
def test_wrong_parameters_are_told_at_fit(parameter: str, value: object) -> None:
    with pytest.raises(InputError, match=f"`{parameter}` must") as told:
        small(**{parameter: value}).fit(rated(MIXED))
    assert "\n" not in str(told.value)


def test_a_rate_too_large_is_told() -> None:
    with np.errstate(all="ignore"), pytest.raises(InputError, match="`learning_rate` must be small enough"):
        small(learning_rate=1e6).fit(planted("genre", seed=0).data)


def test_early_stopping_stops_and_without_it_every_epoch_runs() -> None:
    data = planted("genre", n_users=60, seed=0).data
    assert [e.number for e in small(early_stopping=False, epochs=7).fit(data).training_] == list(range(1, 8))
    stopped = small(learning_rate=0.1, epochs=60, patience=2).fit(data).training_
    figures = [e.validation for e in stopped]
    assert len(stopped) < 60
    assert int(np.argmax(figures)) == len(stopped) - 3  # type: ignore[arg-type]


def test_the_seed_decides() -> None:
    data = planted("genre", n_users=60, seed=0).data
    one, same, other = (small(random_state=seed).fit(data).score("u1") for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_the_threshold_leaves_out_of_score_and_ledger_alike() -> None:
    data = planted("genre", n_users=60, seed=0).data
    free, strict = (small(threshold=theta, beta=1.0).fit(data) for theta in (0.0, 0.9))
    np.testing.assert_array_equal(free.base_, strict.base_)  # learned alike: the threshold acts on what is served
    assert (strict.score("u1") == strict.base_).all()
    assert not strict.explain("u1", "i3").cells["contribution"].any()
    assert (free.score("u1") != free.base_).any()


# --- tiny data, interruptions, files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("events", [[("u", "a")], [("u", "a"), ("u", "b")], [("u", "a"), ("v", "a"), ("w", "b")]])
def test_the_smallest_data_is_learned(events: list[tuple[str, str]]) -> None:
    data = Interactions.from_frame(pd.DataFrame(events, columns=["user", "item"]))
    model = small().fit(data)
    assert np.isfinite(model.score(history=["a"])).all()


def test_an_interrupted_fit_leaves_the_fitted_model() -> None:
    data = planted("genre", n_users=60, seed=0).data
    model = small().fit(data)
    before, records = model.score("u1"), list(model.training_)

    def stop(what: str, share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.set_params(random_state=9).fit(data, progress=stop)
    np.testing.assert_array_equal(model.score("u1"), before)
    assert model.training_ == records


@pytest.mark.parametrize("name", ["neural", "neural next"])
def test_a_file_keeps_the_question_and_the_record(name: str, tmp_path: Path) -> None:
    model = fitted(name)
    assert isinstance(model, NeuralAttention)
    model.save(tmp_path / "model.npz")
    back = load_model(tmp_path / "model.npz")
    assert isinstance(back, NeuralAttention)
    assert (back.target_, back.training_) == (model.target_, model.training_)


def test_arrays_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    model = small().fit(planted("genre", n_users=60, seed=0).data)
    state = model._state()
    model._state = lambda: {**state, "k": state["k"] * np.nan}  # type: ignore[method-assign]
    with pytest.raises(InputError, match="`k` must hold finite numbers only; got nan"):
        model.save(tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Q", lambda a: a[:-1]),
        ("P", lambda a: a[:1]),
        ("k", lambda a: a[:-1]),
        ("rate", lambda a: -a),
        ("base", lambda a: a[:3]),
        ("training", lambda a: a[0]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, change: Any, tmp_path: Path) -> None:
    model = small().fit(planted("genre", n_users=60, seed=0).data)
    state = model._state()
    model._state = lambda: {**state, name: change(state[name])}  # type: ignore[method-assign]
    model.save(tmp_path / "model.npz")
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "model.npz")
