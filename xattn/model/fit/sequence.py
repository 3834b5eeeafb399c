"""Training of the learned heads (`model/sequence.py`): pieces of histories, in mini-batches, by Adam or plain descent.

A history is a sequence of rows, cut into pieces of at most PIECE events, so that batches have similar sizes. Every
batch is divided among SHARDS workers, each with kernels and BLAS of one thread, and the gradients are added in the
order of the shards. So small products do not wait for each other in a thread pool, and the result is the same at any
number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from xattn.kernels.compile import num_threads, serial_kernels
from xattn.kernels.optim import SGD, Adam
from xattn.model.deep import deep_loss_and_gradients, initial_deep
from xattn.model.fit.target import target_loss_and_gradients
from xattn.model.fit.tied import Tied
from xattn.model.fit.training import Epoch, Schedule, n_batches, train
from xattn.model.sequence import Batch, Loss, Parameters, Shape, initial, loss_and_gradients
from xattn.progress import Progress

__all__ = ["Trained", "Training", "train_sequences"]

PIECE = 512  # events; a longer history becomes several sequences
SHARDS = 4  # parts of a batch; more than the usual number of cores would only make the products small
MANY = 100  # negatives of a shard, unless a number is given
FEW = 8  # the same, where each has an attention of its own
WARMUP = 50  # steps until the learning rate is at its peak
FLOOR = 0.05  # of the peak, at the end of the cosine


class Training(NamedTuple):
    """How to train. `positions` are events a mini-batch; `negatives` 0: the whole catalogue (cross-entropy only);
    `minutes` is the time that it may take."""

    loss: str = "cross-entropy"
    negatives: int = 0
    epochs: int = 15
    positions: int = 2400
    learning_rate: float = 0.006
    weight_decay: float = 0.0
    dropout: float = 0.3
    weight_dropout: float = 0.0
    optimizer: str = "adam"
    schedule: str = "cosine"
    patience: int = 3
    minutes: float | None = None
    tied: bool = False  # of a network with an encoder: one table of items, which has their features (`tied.py`)
    hold: Callable[[Parameters], None] | None = None  # resets what an ablation holds still, in place, after each step


class Trained(NamedTuple):
    """Parameters, and a record of each epoch (its loss is the mean over positions)."""

    params: Parameters
    epochs: list[Epoch]


def train_sequences(
    sequences: list[np.ndarray],
    shape: Shape,
    share: np.ndarray,
    training: Training,
    seed: int,
    validate: Callable[[Parameters], float] | None = None,
    progress: Progress | None = None,
    F: sparse.csr_array | None = None,
) -> Trained:
    """Parameters learned from `sequences` of rows 0..C, oldest first; `share` (C,) > 0 is how often each row occurs.

    `F` (C, f) are features of the rows, which tied tables look at (none: they have none).
    `validate(params)` is the figure that early stopping maximises. Raises InputError where the loss leaves the finite
    numbers. The same seed gives the same bits at any number of threads.
    """
    rng = np.random.default_rng(seed)
    params = (initial_deep if shape.blocks else initial)(shape, share, rng)
    pieces = _pieces(sequences, shape.L if shape.blocks else PIECE)
    if not pieces:
        return Trained(params, [])
    made: Callable[[Mapping[str, np.ndarray]], Parameters] = dict
    made_backward = made
    if training.tied and shape.blocks:
        tied = Tied.of(sparse.csr_array((shape.C, 0)) if F is None else F, shape.d)
        params, made, made_backward = tied.start(params, rng), tied.made, tied.made_backward
    hold = training.hold or (lambda params: None)
    hold(params)
    mean_length = sum(len(p) - 1 for p in pieces) / len(pieces)
    per_batch = max(1, round(training.positions / mean_length))
    kind = {"adam": Adam, "sgd": SGD}[training.optimizer]
    optimizer = kind(params, training.learning_rate, weight_decay=training.weight_decay)
    steps = training.epochs * n_batches(len(pieces), per_batch)
    schedule = Schedule(training.learning_rate, steps, min(WARMUP, steps // 4), training.schedule, FLOOR)
    count = 0
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(SHARDS, num_threads())) as pool:

        def step(rows: np.ndarray, rate: float) -> float:
            nonlocal count
            count += 1
            shards = _shards([pieces[row] for row in rows])
            weight = 1.0 / sum(len(piece) - 1 for shard in shards for piece in shard)
            losses = _losses(training, shape, share, np.random.default_rng([seed, count]), len(shards))
            whole = made(params)
            work = pool.map(
                lambda k: _shard(whole, shape, shards[k], losses[k], weight, [seed, count, k]), range(len(shards))
            )
            total, grads = 0.0, dict[str, np.ndarray]()
            for value, part in work:  # in the order of the shards
                total += value
                grads = {name: g if name not in grads else grads[name] + g for name, g in part.items()}
            optimizer.step(made_backward(grads), rate)
            hold(params)
            return total / mean_length

        epochs = train(
            params,
            step,
            n=len(pieces),
            batch_size=per_batch,
            epochs=training.epochs,
            schedule=schedule,
            rng=rng,
            validate=None if validate is None else lambda: validate(made(params)),
            patience=training.patience if validate is not None else None,
            progress=progress,
            what="learn",
            minutes=training.minutes,
        )
    return Trained(made(params), epochs)


def _shard(
    params: Parameters, shape: Shape, pieces: list[np.ndarray], loss: Loss, weight: float, seed: list[int]
) -> tuple[float, Parameters]:
    with serial_kernels():
        batch = Batch.of(pieces, shape.C)
        run = (
            deep_loss_and_gradients
            if shape.blocks
            else target_loss_and_gradients
            if shape.target
            else loss_and_gradients
        )
        return run(params, shape, batch, loss, weight, np.random.default_rng(seed))


def _losses(training: Training, shape: Shape, share: np.ndarray, rng: np.random.Generator, n: int) -> list[Loss]:
    """The loss of each of n shards; negatives are drawn anew for each, by how often items occur."""
    about = (training.dropout, training.weight_dropout)
    if not training.negatives and training.loss == "cross-entropy" and not shape.target:
        return [Loss(training.loss, None, None, *about)] * n
    size = training.negatives or (FEW if shape.target else MANY)
    p = share / share.sum()
    draws = (rng.choice(shape.C, size, p=p) for _ in range(n))
    return [Loss(training.loss, rows, p[rows], *about) for rows in draws]


def _pieces(sequences: list[np.ndarray], most: int = PIECE) -> list[np.ndarray]:
    """Sequences of 2 to `most` + 1 events; neighbours share one, so that each event but the first is predicted."""
    pieces = []
    for s in sequences:
        parts = n_batches(len(s) - 1, most) if len(s) > 1 else 0
        ends = np.linspace(0, len(s) - 1, parts + 1).astype(int)
        pieces += [s[low : high + 1] for low, high in pairwise(ends.tolist())]
    return pieces


def _shards(pieces: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Up to SHARDS parts of about equal length; the longest pieces are placed first."""
    shards: list[list[np.ndarray]] = [[] for _ in range(min(SHARDS, len(pieces)))]
    sizes = [0] * len(shards)
    for piece in sorted(pieces, key=len, reverse=True):
        smallest = sizes.index(min(sizes))
        shards[smallest].append(piece)
        sizes[smallest] += len(piece) - 1
    return shards
