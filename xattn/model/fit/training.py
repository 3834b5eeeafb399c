"""The training loop of every learned model: learning rates, order of mini-batches, early stopping.

    for each epoch:
        for each mini-batch of a new random order:  step(rows, η_t)
        figure = validate();  keep the parameters if it is the best;  stop after `patience` epochs without a better one

The parameters are arrays that the steps change in place. However training ends (all epochs done, stopped early, Ctrl-C,
an error in a callback), they hold the state of one epoch: the best one, where there is a validation figure, otherwise
the last whole one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from xattn.errors import check_array, refuse
from xattn.progress import Progress, silent

__all__ = ["EarlyStopping", "Epoch", "Schedule", "batches", "epochs_of", "epochs_table", "n_batches", "train"]


class Schedule(NamedTuple):
    """Learning rate of each step: a straight warm-up to `peak`, then a half cosine down to `floor` · peak, or constant.

    `warmup` and `total` are counts of steps (mini-batches), counted from 0; after `total` steps the rate stays at its
    last value. `kind` is "cosine" or "constant".

    >>> rate = Schedule(0.1, total=12, warmup=2)
    >>> [round(rate(t), 3) for t in (0, 1, 2, 7, 12, 99)]
    [0.05, 0.1, 0.1, 0.05, 0.0, 0.0]
    """

    peak: float
    total: int
    warmup: int = 0
    kind: str = "cosine"
    floor: float = 0.0

    def __call__(self, step: int) -> float:
        """The learning rate of this step."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        if self.kind == "constant":
            return self.peak
        share = min(1.0, (step - self.warmup) / max(1, self.total - self.warmup))
        return self.peak * (self.floor + (1.0 - self.floor) * 0.5 * (1.0 + math.cos(math.pi * share)))


class EarlyStopping:
    """Keeps a copy of the parameters of the best validation figure (larger is better); says when to stop waiting.

    A figure that is NaN is no improvement. The parameters at hand when this is made count as epoch 0, without a figure.

    >>> params = {"p": np.array([0.0])}
    >>> stopping = EarlyStopping(params, patience=2)
    >>> for figure in (0.1, 0.3, 0.2, 0.2, 0.9):
    ...     params["p"][0] = figure
    ...     if stopping.update(figure):
    ...         break
    >>> stopping.restore()
    >>> params["p"], stopping.best, stopping.best_epoch, stopping.epoch
    (array([0.3]), 0.3, 2, 4)
    """

    def __init__(self, params: Mapping[str, np.ndarray], patience: int, least_gain: float = 0.0) -> None:
        self.params = dict(params)
        self.patience = patience
        self.least_gain = least_gain
        self.best = -math.inf
        self.best_epoch = 0
        self.epoch = 0
        self._kept = _copied(self.params)

    def update(self, figure: float) -> bool:
        """Take the figure of one more epoch; True where training should stop: `patience` epochs without a better."""
        self.epoch += 1
        if figure > self.best + self.least_gain:
            self._kept = _copied(self.params)
            self.best, self.best_epoch = float(figure), self.epoch
        return self.epoch - self.best_epoch >= self.patience

    def restore(self) -> None:
        """Write the best parameters back into the arrays."""
        for name, kept in self._kept.items():
            self.params[name][...] = kept


class Epoch(NamedTuple):
    """The record of one pass over the training rows: `loss` is a mean over examples, `lr` the rate of its last step."""

    number: int  # from 1
    loss: float
    lr: float
    validation: float | None


def epochs_table(epochs: Sequence[Epoch]) -> np.ndarray:
    """The records as an array (epochs, 4) for a model file; NaN where there was no validation."""
    rows = [(e.number, e.loss, e.lr, np.nan if e.validation is None else e.validation) for e in epochs]
    return np.array(rows, np.float64).reshape(len(rows), 4)


def epochs_of(name: str, table: np.ndarray) -> list[Epoch]:
    """The records of `epochs_table`. Raises InputError, which names `name`, for another table."""
    table = check_array(name, table, ndim=2, finite=False)
    if table.shape[1] != 4:
        refuse("shape", name=name, wanted=(len(table), 4), got=table.shape)
    check_array(name, table[:, :3], ndim=2)
    return [Epoch(int(n), loss, lr, None if math.isnan(figure) else figure) for n, loss, lr, figure in table.tolist()]


def n_batches(n: int, size: int) -> int:
    """Mini-batches of at most `size` that n rows make."""
    return -(-n // size)


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The rows 0..n−1 in a random order, in runs of `size` (the last one may be shorter); one call is one epoch.

    >>> [len(rows) for rows in batches(7, 3, np.random.default_rng(0))]
    [3, 3, 1]
    """
    order = rng.permutation(n)
    for low in range(0, n, size):
        yield order[low : low + size]


def train(
    params: Mapping[str, np.ndarray],
    step: Callable[[np.ndarray, float], float],
    *,
    n: int,
    batch_size: int,
    epochs: int,
    schedule: Schedule,
    rng: np.random.Generator,
    examples: int | None = None,
    validate: Callable[[], float] | None = None,
    patience: int | None = None,
    least_gain: float = 0.0,
    progress: Progress | None = None,
    what: str = "train",
    minutes: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[Epoch]:
    """Train `params` in place for at most `epochs` passes over n rows; returns one record an epoch.

    `step(rows, lr)` trains on a mini-batch of row numbers and returns the *sum* of their losses; what is recorded is
    the sum of an epoch over `examples`, the number of losses in it (default: n). `validate()` gives the figure of the
    parameters as they are, larger is better; with it the best epoch's parameters are what is left in the end, and with
    `patience` training stops after so many epochs without a better figure. `progress(what, share)` is told after every
    mini-batch. `minutes` is the time that all this may take, validations included: where it would take longer, the
    learning rate falls by the time that is gone instead of the steps that are done, and the last epoch is cut short.
    What is learned then hangs on how fast the machine is.

    Raises InputError where the loss is no longer finite. On this and any other exception, KeyboardInterrupt too, the
    parameters are put back to the best epoch (without `validate`: the last whole one) before it goes on.
    """
    tell = progress or silent
    per_epoch = n_batches(n, batch_size)
    stopping = EarlyStopping(params, epochs + 1 if patience is None else patience, least_gain)
    history: list[Epoch] = []
    began, steps = clock(), epochs * per_epoch
    gone, took = 0.0, 0.0  # the share of the time; the seconds of a validation, for which there must be time

    def by_now() -> float:
        return 0.0 if minutes is None else (clock() - began + took) / (60.0 * minutes)

    try:
        tell(what, 0.0)
        for number in range(1, epochs + 1):
            total, lr, seen = 0.0, 0.0, 0
            for i, rows in enumerate(batches(n, batch_size, rng)):
                t = (number - 1) * per_epoch + i
                lr = schedule(max(t, int(gone * steps)))
                total += step(rows, lr)
                seen += len(rows)
                if not math.isfinite(total):
                    refuse("learning_rate", got=schedule.peak)
                gone = by_now()
                tell(what, min(1.0, max((t + 1) / steps, gone)))
                if gone >= 1.0:
                    break
            figure = None
            if validate is not None:
                begun = clock()
                figure = float(validate())
                took = clock() - begun
                gone = by_now()
            every = (n if examples is None else examples) * seen / max(1, n)
            history.append(Epoch(number, total / max(1.0, every), lr, figure))
            stop = stopping.update(float(number) if figure is None else figure)
            if stop or gone >= 1.0:
                break
        stopping.restore()
        tell(what, 1.0)
    except BaseException:
        stopping.restore()
        raise
    return history


def _copied(params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: p.copy() for name, p in params.items()}
