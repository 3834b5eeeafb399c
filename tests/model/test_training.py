"""Learning rates by hand, early stopping by hand, and the loop: what is left in the parameters however it ends."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.errors import InputError
from xattn.model.fit.training import EarlyStopping, Epoch, Schedule, batches, n_batches, train

# --- learning rates ---------------------------------------------------------------------------------------------------


def test_warm_up_is_a_straight_line_to_the_peak() -> None:
    rate = Schedule(0.8, total=100, warmup=4)
    assert [rate(t) for t in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_cosine_is_half_way_in_the_middle_and_ends_at_the_floor() -> None:
    rate = Schedule(1.0, total=110, warmup=10, floor=0.2)
    assert rate(10) == 1.0
    assert rate(60) == pytest.approx(0.6)
    assert rate(110) == rate(1000) == pytest.approx(0.2)


def test_constant_stays_after_its_warm_up() -> None:
    rate = Schedule(0.3, total=10, warmup=2, kind="constant")
    assert [rate(t) for t in (0, 1, 2, 10, 99)] == pytest.approx([0.15, 0.3, 0.3, 0.3, 0.3])


@given(st.integers(0, 50), st.integers(0, 50), st.sampled_from(("cosine", "constant")), st.floats(0, 1))
def test_no_rate_is_above_the_peak_or_below_the_floor(total: int, warmup: int, kind: str, floor: float) -> None:
    rates = [Schedule(2.0, total, warmup, kind, floor)(t) for t in range(120)]
    assert all(0.0 <= r <= 2.0 + 1e-12 for r in rates)
    falling = rates[warmup:]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] >= 2.0 * floor - 1e-12


# --- early stopping ---------------------------------------------------------------------------------------------------


def fed(figures: list[float], patience: int, least_gain: float = 0.0) -> tuple[EarlyStopping, dict[str, np.ndarray]]:
    """Early stopping after it was fed until it stopped; the parameter is the number of the epoch."""
    params = {"p": np.zeros(1)}
    stopping = EarlyStopping(params, patience, least_gain)
    for number, figure in enumerate(figures, start=1):
        params["p"][0] = number
        if stopping.update(figure):
            break
    return stopping, params


@pytest.mark.parametrize(
    ("figures", "patience", "gain", "best", "last"),
    [
        ([0.1, 0.2, 0.3], 1, 0.0, 3, 3),
        ([0.1, 0.2, 0.1, 0.9], 1, 0.0, 2, 3),
        ([0.1, 0.2, 0.1, 0.9], 2, 0.0, 4, 4),
        ([0.2, 0.2, 0.2], 2, 0.0, 1, 3),  # equal is no better
        ([0.1, 0.15, 0.19, 0.3], 2, 0.1, 1, 3),  # better, by too little
        ([math.nan, 0.1, math.nan], 3, 0.0, 2, 3),
        ([math.nan, math.nan], 2, 0.0, 0, 2),  # what there was at first is left
        ([-math.inf, -5.0], 3, 0.0, 2, 2),
    ],
)
def test_the_best_epoch_is_put_back(figures: list[float], patience: int, gain: float, best: int, last: int) -> None:
    stopping, params = fed(figures, patience, gain)
    assert (stopping.best_epoch, stopping.epoch) == (best, last)
    array = params["p"]
    stopping.restore()
    assert params["p"] is array  # written in place: whoever holds the array sees it
    assert array == [best]


def test_what_is_kept_is_a_copy() -> None:
    params = {"p": np.zeros(2)}
    stopping = EarlyStopping(params, patience=3)
    stopping.update(1.0)
    params["p"] += 7.0
    stopping.restore()
    assert params["p"].tolist() == [0.0, 0.0]


# --- mini-batches -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 40), st.integers(1, 12), st.integers(0, 9))
def test_an_epoch_is_every_row_once(n: int, size: int, seed: int) -> None:
    parts = list(batches(n, size, np.random.default_rng(seed)))
    assert len(parts) == n_batches(n, size)
    assert all(len(part) == size for part in parts[:-1])
    assert sorted(np.concatenate([*parts, np.zeros(0, int)]).tolist()) == list(range(n))


def test_the_order_comes_from_the_generator_alone() -> None:
    one, same, other = (np.concatenate(list(batches(50, 8, np.random.default_rng(s)))) for s in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()


# --- the loop ---------------------------------------------------------------------------------------------------------


class Toy:
    """One number p, to be brought to the mean of some rows; it counts what it is called for."""

    def __init__(self) -> None:
        self.params = {"p": np.zeros(1)}
        self.rows = np.random.default_rng(0).normal(5.0, 1.0, 64)
        self.calls = 0
        self.rates: list[float] = []

    def step(self, which: np.ndarray, lr: float) -> float:
        gap = self.params["p"][0] - self.rows[which]
        self.params["p"][0] -= lr * 2 * gap.mean()
        self.calls += 1
        self.rates.append(lr)
        return float((gap**2).sum())

    def train(self, step: Callable[[np.ndarray, float], float] | None = None, **more: object) -> list[Epoch]:
        given = {"n": 64, "batch_size": 16, "epochs": 30, "schedule": Schedule(0.1, 120, kind="constant")}
        return train(self.params, step or self.step, **{**given, "rng": np.random.default_rng(1), **more})  # type: ignore[arg-type]


def test_training_finds_the_minimum_and_records_the_way() -> None:
    toy = Toy()
    records = toy.train(schedule=Schedule(0.2, 120))
    assert [record.number for record in records] == list(range(1, 31))
    assert toy.params["p"][0] == pytest.approx(toy.rows.mean(), abs=0.05)
    assert records[-1].loss == pytest.approx(toy.rows.var(), rel=0.05)
    assert records[0].loss > 5 * records[-1].loss
    assert records[0].validation is None
    assert toy.rates == [Schedule(0.2, 120)(t) for t in range(120)]
    assert records[4].lr == toy.rates[19]
    with pytest.raises(AttributeError):
        records[0].loss = 0.0  # type: ignore[misc]


def test_the_best_epoch_is_what_is_left() -> None:
    toy, seen = Toy(), []
    figures = iter([0.1, 0.5, 0.4, 0.3, 0.9])

    def validate() -> float:
        seen.append(toy.params["p"][0])
        return next(figures)

    records = toy.train(validate=validate, patience=2)
    assert [record.validation for record in records] == [0.1, 0.5, 0.4, 0.3]
    assert toy.params["p"][0] == seen[1]


def test_without_patience_all_epochs_run_and_the_best_is_left() -> None:
    toy, seen = Toy(), []
    figures = iter([0.1, 0.5, 0.4])

    def validate() -> float:
        seen.append(toy.params["p"][0])
        return next(figures)

    assert len(toy.train(validate=validate, epochs=3)) == 3
    assert toy.params["p"][0] == seen[1]


@pytest.mark.parametrize("problem", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("validated", [True, False])
def test_an_interruption_leaves_a_whole_epoch(problem: type[BaseException], validated: bool) -> None:
    toy, whole = Toy(), []

    def breaking(which: np.ndarray, lr: float) -> float:
        if toy.calls % 4 == 0:
            whole.append(toy.params["p"][0])
        if toy.calls == 10:  # in the middle of the third epoch
            toy.params["p"][0] = math.nan  # half-written
            raise problem
        return toy.step(which, lr)

    figures = iter([0.9, 0.1])
    with pytest.raises(problem):
        toy.train(breaking, validate=(lambda: next(figures)) if validated else None)
    assert toy.params["p"][0] == whole[1 if validated else 2]


def test_an_interruption_before_the_first_epoch_ends_leaves_the_start() -> None:
    toy = Toy()

    def told(what: str, share: float) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toy.train(progress=told)
    assert toy.calls == 1
    assert toy.params["p"][0] == 0.0


def test_progress_rises_from_nothing_to_all() -> None:
    told: list[tuple[str, float]] = []
    figures = iter([0.3, 0.2, 0.1, 0.0])
    Toy().train(
        progress=lambda what, share: told.append((what, share)),
        validate=lambda: next(figures),
        patience=2,
        what="toy",
    )
    shares = [share for _, share in told]
    assert {what for what, _ in told} == {"toy"}
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares[4] == pytest.approx(4 / 120)


def test_a_loss_that_runs_away_is_told_in_one_sentence() -> None:
    toy = Toy()
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(
            InputError, match="`learning_rate` must be small enough for the loss to stay finite; got 1e\\+200"
        ),
    ):
        toy.train(schedule=Schedule(1e200, 120, kind="constant"))
    assert np.isfinite(toy.params["p"]).all()


def test_no_rows_make_epochs_without_steps() -> None:
    toy = Toy()
    records = toy.train(n=0, epochs=2)
    assert (toy.calls, [record.loss for record in records]) == (0, [0.0, 0.0])
