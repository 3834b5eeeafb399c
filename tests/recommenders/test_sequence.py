"""SequenceAttention and the learned heads of the hybrid: what holds beyond the contract of all recommenders."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from xattn import HybridAttention, Interactions, SequenceAttention, load_model
from xattn.data.synthetic import planted
from xattn.errors import InputError
from xattn.evaluate import evaluate
from xattn.recommenders import hybrid
from xattn.recommenders.learning import HeldOut, fused

SMALL = {"hidden_size": 8, "heads": 2, "key_size": 4, "epochs": 3, "min_events": 2}


@pytest.fixture(scope="module")
def data() -> Interactions:
    return planted("copurchase", n_users=80, seed=0).data


def test_held_out_events_are_out_of_the_training(data: Interactions) -> None:
    held = HeldOut.of(data, np.random.default_rng(0))
    assert held.train.n_events == data.n_events - len(held.user)
    for user, item in zip(held.user.tolist(), held.item.tolist(), strict=True):
        assert data.item[data.events_of(user)].tolist() == [*held.train.item[held.train.events_of(user)].tolist(), item]


def test_the_figure_counts_ties_against_and_nan_last(data: Interactions) -> None:
    held = HeldOut.of(data, np.random.default_rng(0))
    one = held._replace(user=held.user[:1], item=held.item[:1])
    scores = np.zeros((1, data.n_items))
    scores[0, one.item] = 1.0
    assert one.figure(scores) == 1.0
    unmet = data.n_items - len(
        set(held.train.item[held.train.events_of(int(one.user[0]))].tolist()) - {int(one.item[0])}
    )
    assert one.figure(np.zeros_like(scores)) == pytest.approx(1 / np.log2(1 + unmet))
    scores[0, one.item] = np.nan
    assert one.figure(scores) == 0.0


def test_fusion_takes_the_better_of_two_and_leaves_out_what_says_nothing(data: Interactions) -> None:
    held = HeldOut.of(data, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(len(held.user), data.n_items))
    right = noise.copy()
    right[np.arange(len(held.user)), held.item] += 9.0
    assert fused(held, right, -right) == 0.0
    assert fused(held, noise, right) > 0.0


def test_early_stopping_reports_each_epoch(data: Interactions) -> None:
    model = SequenceAttention(**SMALL).fit(data)
    assert [epoch.number for epoch in model.epochs_] == list(range(1, len(model.epochs_) + 1))
    assert all(epoch.validation is not None for epoch in model.epochs_)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"heads": 0}, "`heads` must be a whole number >= 1; got 0."),
        ({"dropout": 1.0}, "`dropout` must be"),
        ({"loss": "hinge"}, "`loss` must be"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be"),
        ({"optimizer": "lbfgs"}, "`optimizer` must be"),
    ],
)
def test_wrong_parameters_are_refused(data: Interactions, wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        SequenceAttention(**{**SMALL, **wrong}).fit(data)


def test_items_without_a_row_are_left_to_the_base(data: Interactions) -> None:
    least = int(np.sort(data.counts())[data.n_items // 2])
    model = SequenceAttention(**{**SMALL, "min_events": least}).fit(data)
    rare = np.flatnonzero(model.learned_.rows == model.learned_.shape.C)
    assert len(rare)
    scores = model.score(data.user_ids[0])
    np.testing.assert_array_equal(scores[rare], model.base_[rare])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hybrid, "TRAINING", hybrid.TRAINING._replace(epochs=4, positions=200))


@pytest.mark.usefixtures("quick")
def test_the_hybrid_learns_where_it_is_told_and_the_file_keeps_it(data: Interactions, tmp_path: object) -> None:
    settings = {"min_events": 2, "regularization": 1.0}
    assert HybridAttention(**settings).fit(data).alpha_ == 0.0  # "auto": too few events
    assert HybridAttention(**settings, learned="always", encoder_blocks=0, objective="any").fit(data).alpha_ == 0.0
    model = HybridAttention(**settings, learned="always", encoder_blocks=0).fit(data)
    assert model.alpha_ > 0.0
    assert len(model.epochs_) >= 1
    heads = set(model.explain(user=data.user_ids[0], item=data.items.ids[3]).cells["head"])
    assert {"learned 1", "learned 4", "recency 3", "content"} <= heads
    path = f"{tmp_path}/model.npz"
    model.save(path)
    again = load_model(path)
    user = data.user_ids[5]
    np.testing.assert_array_equal(again.score(user), model.score(user))
    assert again.epochs_ == model.epochs_


@pytest.mark.usefixtures("quick")
def test_auto_learns_from_enough_events(data: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hybrid, "ENOUGH", data.n_events)
    assert HybridAttention(min_events=2, regularization=1.0).fit(data).epochs_


def test_order_is_learned_that_no_popularity_shows() -> None:
    """Items follow each other in a ring; every one is as popular as the others."""
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{(first + t) % 30}") for u in range(150) for first in [rng.integers(30)] for t in range(8)]
    data = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]))
    make = lambda: SequenceAttention(hidden_size=16, heads=2, epochs=30, batch_events=200, dropout=0.1)  # noqa: E731
    row = evaluate(data, {"learned": make})["rows"][0]
    assert row["ndcg@10"] > 0.9


@pytest.mark.usefixtures("quick")
def test_growth_keeps_the_learned_heads(data: Interactions) -> None:
    """New events move the closed form; the learned heads stay, and a new item has no row in them."""
    first = data.select(data.user < 70)
    model = HybridAttention(min_events=2, regularization=1.0, learned="always", encoder_blocks=0).fit(first)
    alpha, U = model.alpha_, model.learned_.params["U"]
    assert alpha > 0.0
    new = Interactions.from_frame(pd.DataFrame({"user": ["someone"] * 3, "item": ["brand new", *data.items.ids[:2]]}))
    model.partial_fit(new)
    assert model.alpha_ == alpha
    assert model.learned_.params["U"] is U
    assert model.learned_.rows[model.data_.item_row("brand new")] == model.learned_.shape.C
    why = model.explain(user="someone", item=data.items.ids[5])
    assert why.base + why.cells["contribution"].sum() == pytest.approx(why.score, abs=1e-5)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("given", "left"), [(15.0, 13.0), (3.0, 1.5), (None, None)])
def test_training_has_the_time_that_the_closed_form_leaves(
    data: Interactions, monkeypatch: pytest.MonkeyPatch, given: float | None, left: float | None
) -> None:
    """The closed form takes a minute by this clock, and is fitted twice."""
    clock, trained = iter([0.0, 60.0]), []
    monkeypatch.setattr(hybrid, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    learn = hybrid.learn

    def recorded(*args: Any) -> Any:
        trained.append(args[4].minutes)
        return learn(*args)

    monkeypatch.setattr(hybrid, "learn", recorded)
    HybridAttention(min_events=2, learned="always", encoder_blocks=0, fit_minutes=given).fit(data)
    assert trained == [left]
