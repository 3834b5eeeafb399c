"""Training of the article's network: two questions, gradients written by hand, Adam, early stopping.

    like    was this event liked?       u_t pooled from the person's other events     labels from 0 to 1
    next    is this the next event?     u_t pooled from the events before it          label 1, and 0 for sampled items

Each event t of a person is one example, pooled as in serving: z_t = b_y + ⟨u_t, Q_y⟩ + its constant, y the event's
item. The loss is the binary cross-entropy of σ(z), and each example adds the penalty λ (‖u_t‖² + ‖Q_y‖² +
(b_y − offset)²), where u_t includes its constant. The penalty is on the pooled vector; a penalty on the values of each
event separates likes from dislikes less well (docs/log.md). A mini-batch is all events of some persons, because they
share their pools (`kernels/pooling.py`).

Parameters, all of one type; D = d + 1, the last column holds what meets no other vector:

    Q (M, D)      [Q_j, b_j − offset]      P0, P1 (M, D)     [P_hx, c_hx]
    k0, k1 (M, 1) k_h                      phi (H,)          −log τ_h

Only rows that a batch looks up have a gradient, and only those are stepped. The threshold θ is used in serving alone,
because it has no slope.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from xattn.kernels.compile import serial_kernels
from xattn.kernels.losses import bpr, bpr_backward, logistic, logistic_backward
from xattn.kernels.optim import Adam
from xattn.kernels.pooling import (
    Head,
    Persons,
    Pools,
    pool_before,
    pool_before_backward,
    pool_others,
    pool_others_backward,
)
from xattn.kernels.sums.rows import row_sums
from xattn.model.fit.training import Epoch, Schedule, n_batches, train
from xattn.progress import Progress, part_of

__all__ = ["Gradients", "Learned", "Lesson", "Params", "Setting", "fit_network", "gradients", "initial"]

Params = dict[str, np.ndarray]

SPREAD = {"like": 0.02, "next": 0.1}  # standard deviation of the embeddings at the start (docs/log.md)
MEMORY = {"like": 50.0, "next": 3.0}  # τ at the start, in events: the last events say most about the next one
MOST_VALIDATED = 1000  # persons of the validation figure of "next"
CHUNK = 32  # persons of a validation step
SEARCH = 0.6  # share of the progress: the search for the number of epochs takes longer than the fit after it
LEAST_SHARE = 1e-3  # of "yes" or "no" that the first bias assumes: the logit of 0 would be infinite


class Lesson(NamedTuple):
    """The training data: ragged histories, oldest event first, of U persons with N events in all."""

    indptr: np.ndarray  # (U + 1,)
    item: np.ndarray  # (N,)
    w: np.ndarray  # (H, N) strengths, of the parameters' type
    label: np.ndarray | None  # (N,) from 0 to 1 for "like"; None for "next"
    held: np.ndarray  # (N,) bool: validation events, which are no examples
    n_items: int


class Setting(NamedTuple):
    """Settings of a fit, as `NeuralAttention` describes them."""

    hidden_size: int
    beta: float
    learning_rate: float
    regularization: float
    epochs: int
    batch_size: int
    negatives: int
    patience: int
    dtype: str


class Gradients(NamedTuple):
    """Loss (sum over the examples), gradients of its mean plus the penalty; `rows`: which rows of a table have one."""

    loss: float
    grads: Params
    rows: dict[str, np.ndarray]


class Learned(NamedTuple):
    """The best parameters, the offset of every logit, and the record of the training."""

    params: Params
    offset: float
    epochs: list[Epoch]


def initial(lesson: Lesson, hidden_size: int, dtype: str, rng: np.random.Generator) -> Params:
    """Small random embeddings; no biases, and attention that depends on age alone."""
    H, M, ask = len(lesson.w), lesson.n_items, "next" if lesson.label is None else "like"
    names = ["Q", *(f"P{h}" for h in range(H))]
    params = {name: rng.normal(0.0, SPREAD[ask], (M, hidden_size + 1)).astype(dtype) for name in names}
    for table in params.values():
        table[:, -1] = 0.0
    params |= {f"k{h}": np.zeros((M, 1), dtype) for h in range(H)}
    return params | {"phi": np.full(H, -np.log(MEMORY[ask]), dtype)}


# --- forward ----------------------------------------------------------------------------------------------------------


class _Forward(NamedTuple):
    """All events of some persons: places `at` (T,) in the lesson, items `y`, pools of each head, their sum `u`."""

    at: np.ndarray
    y: np.ndarray
    heads: list[Head]
    persons: list[Persons]
    pools: list[Pools]
    u: np.ndarray  # (T, D)


def _forward(params: Params, lesson: Lesson, users: np.ndarray, beta: float) -> _Forward:
    start, stop = lesson.indptr[users], lesson.indptr[users + 1]
    size = stop - start
    ptr = np.cumsum(size) - size
    at = np.arange(int(size.sum())) + np.repeat(start - ptr, size)
    heads = [
        Head(params[f"P{h}"], params[f"k{h}"].reshape(-1), float(np.exp(phi)), beta)
        for h, phi in enumerate(params["phi"])
    ]
    persons = [Persons(lesson.item, w, start, stop, ptr) for w in lesson.w]
    pool = pool_before if lesson.label is None else pool_others
    pools = [pool(head, who) for head, who in zip(heads, persons, strict=True)]
    return _Forward(at, lesson.item[at], heads, persons, pools, np.sum([p.U for p in pools], axis=0))


def _logits(u: np.ndarray, own: np.ndarray, offset: float) -> np.ndarray:
    """z (T,) of pooled vectors and rows of Q, both (T, D)."""
    z: np.ndarray = np.einsum("td,td->t", u[:, :-1], own[:, :-1]) + u[:, -1] + own[:, -1] + u.dtype.type(offset)
    return z


# --- forward and backward of a mini-batch -----------------------------------------------------------------------------


def gradients(
    params: Params,
    lesson: Lesson,
    users: np.ndarray,
    *,
    beta: float,
    lam: float,
    offset: float,
    negatives: np.ndarray,
) -> Gradients:
    """Loss and gradients over the events of `users` (B,) that are not held out; `lam` is the λ of the penalty.

    `negatives` (S,) are item rows for "next": beside each event's own item with label 1, they have label 0.
    """
    Q = params["Q"]
    forward = _forward(params, lesson, users, beta)
    counted = ~lesson.held[forward.at]
    weight = (counted / max(1, int(counted.sum()))).astype(Q.dtype)
    own = Q[forward.y]
    z = _logits(forward.u, own, offset)
    t = np.ones_like(z) if lesson.label is None else lesson.label[forward.at]
    loss = float(logistic(z, t) @ counted)

    dz = logistic_backward(weight, z, t)[:, None]
    du, dQ = dz * own, dz * forward.u
    du[:, -1:] = dQ[:, -1:] = dz
    pull = (2 * lam * weight).astype(Q.dtype)[:, None]
    du += pull * forward.u
    dQ += pull * own
    against = None
    if lesson.label is None:
        against = _against(Q, forward, weight, offset, negatives)
        loss += against.loss
        du += against.du
    grads, rows = _backward(params, lesson, forward, du, dQ)
    if against is not None:
        both = row_sums(np.append(rows["Q"], negatives), np.vstack([grads["Q"], against.dQ]))
        grads["Q"], rows["Q"] = both.sums, both.rows
    return Gradients(loss, grads, rows)


def _backward(
    params: Params, lesson: Lesson, forward: _Forward, du: np.ndarray, dQ: np.ndarray
) -> tuple[Params, dict[str, np.ndarray]]:
    """From the gradients of each event's pooled vector and own row of Q (T, D) to those of the parameters."""
    backward = pool_before_backward if lesson.label is None else pool_others_backward
    columns, dphi = [dQ], np.zeros_like(params["phi"])
    for h, head in enumerate(forward.heads):
        g = backward(du, forward.pools[h], head, forward.persons[h])
        columns += [g.dX, g.de[:, None]]
        dphi[h] = g.drate.sum() * head.rate
    found = row_sums(forward.y, np.hstack(columns))  # all of them belong to the event's item: one look-up for all
    names = ["Q", *(name for h in range(len(forward.heads)) for name in (f"P{h}", f"k{h}"))]
    cuts = np.cumsum([column.shape[1] for column in columns])[:-1]
    grads = dict(zip(names, np.split(found.sums, cuts, axis=1), strict=True))
    return {**grads, "phi": dphi}, dict.fromkeys(names, found.rows)


class _Against(NamedTuple):
    """The negatives' part of the loss and the gradients."""

    loss: float
    du: np.ndarray  # (T, D)
    dQ: np.ndarray  # (S, D)


def _against(Q: np.ndarray, forward: _Forward, weight: np.ndarray, offset: float, negatives: np.ndarray) -> _Against:
    """Every example with every negative, label 0; the example's own item is left out."""
    u, own = forward.u, Q[negatives]
    Z = u[:, :-1] @ own[:, :-1].T + u[:, -1:] + own[:, -1] + Q.dtype.type(offset)
    Z[forward.y[:, None] == negatives] = -np.inf
    no = np.zeros(len(Z), Z.dtype)  # pairs with 0: the logistic loss of a "no"
    loss = float(bpr(Z, no) @ (weight > 0))
    dZ, dno = bpr_backward(weight, Z, no)
    du = np.hstack([dZ @ own[:, :-1], -dno[:, None]])
    dQ = np.hstack([dZ.T @ u[:, :-1], dZ.sum(axis=0)[:, None]])
    return _Against(loss, du, dQ)


# --- validation -------------------------------------------------------------------------------------------------------


def _validation(params: Params, lesson: Lesson, beta: float, offset: float) -> Callable[[], float] | None:
    """A figure of the current parameters, larger is better; None where no event is held out.

    "like": the mean loss of the events held out, negated. "next": the mean of 1/log₂(1 + rank) among all items of the
    catalogue that the person has not met before.
    """
    if not lesson.held.any():
        return None
    users = np.unique(np.searchsorted(lesson.indptr, np.flatnonzero(lesson.held), side="right") - 1)
    if lesson.label is None:
        users = users[np.unique(np.linspace(0, len(users) - 1, MOST_VALIDATED).astype(int))]
    chunks = [users[low : low + CHUNK] for low in range(0, len(users), CHUNK)]
    if lesson.label is None:
        return lambda: float(np.concatenate([_gains(params, lesson, part, beta) for part in chunks]).mean())
    return lambda: -float(np.concatenate([_held_losses(params, lesson, part, beta, offset) for part in chunks]).mean())


def _held_losses(params: Params, lesson: Lesson, users: np.ndarray, beta: float, offset: float) -> np.ndarray:
    assert lesson.label is not None
    forward = _forward(params, lesson, users, beta)
    counted = lesson.held[forward.at]
    z = _logits(forward.u[counted], params["Q"][forward.y[counted]], offset)
    return logistic(z, lesson.label[forward.at[counted]])


def _gains(params: Params, lesson: Lesson, users: np.ndarray, beta: float) -> np.ndarray:
    forward, Q = _forward(params, lesson, users, beta), params["Q"]
    counted = np.flatnonzero(lesson.held[forward.at])
    scores = forward.u[counted, :-1] @ Q[:, :-1].T + Q[:, -1]
    gains = np.empty(len(counted))
    for row, place in enumerate(forward.at[counted]):
        begin = lesson.indptr[np.searchsorted(lesson.indptr, place, side="right") - 1]
        own = scores[row, lesson.item[place]]
        scores[row, lesson.item[begin:place]] = -np.inf
        gains[row] = 1.0 / np.log2(1.0 + max(1, int((scores[row] >= own).sum())))
    return gains


# --- the fit ----------------------------------------------------------------------------------------------------------


def fit_network(
    lesson: Lesson, setting: Setting, rng: np.random.Generator, progress: Progress | None = None
) -> Learned:
    """Learn the network from a lesson; all that is random comes from `rng`.

    Where events are held out, they decide after how many epochs to stop. The network is then learned anew for so many
    epochs from all events, those included: for "next" they are everybody's newest, for "like" a tenth of all.

    Raises InputError where the loss does not stay finite.
    """
    seed = int(rng.integers(2**63))
    if not lesson.held.any():
        return _learn(lesson, setting, seed, progress)
    tried = _learn(lesson, setting, seed, part_of(progress, 0.0, SEARCH))
    figures = [-np.inf if e.validation is None or np.isnan(e.validation) else e.validation for e in tried.epochs]
    again = setting._replace(epochs=1 + int(np.argmax(figures)))
    whole = lesson._replace(held=np.zeros_like(lesson.held))
    learned = _learn(whole, again, seed, part_of(progress, SEARCH, 1.0))
    return learned._replace(epochs=tried.epochs)


def _learn(lesson: Lesson, setting: Setting, seed: int, progress: Progress | None) -> Learned:
    """One training, with early stopping where events are held out."""
    rng, chances = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    n_users, counted = len(lesson.indptr) - 1, ~lesson.held
    share = 1.0 / (1 + setting.negatives) if lesson.label is None else float(lesson.label[counted].mean())
    share = min(max(share, LEAST_SHARE), 1.0 - LEAST_SHARE)
    offset = float(np.log(share / (1.0 - share)))
    params = initial(lesson, setting.hidden_size, setting.dtype, rng)
    adam = Adam(params, setting.learning_rate)

    def step(users: np.ndarray, lr: float) -> float:
        negatives = chances.integers(0, lesson.n_items, setting.negatives)
        found = gradients(
            params,
            lesson,
            users,
            beta=setting.beta,
            lam=setting.regularization,
            offset=offset,
            negatives=negatives,
        )
        adam.step(found.grads, lr, found.rows)
        return found.loss

    n_steps = setting.epochs * n_batches(n_users, setting.batch_size)
    with threadpool_limits(1, "blas"), serial_kernels():  # each step is under a millisecond: threads would only wait
        epochs = train(
            params,
            step,
            n=n_users,
            batch_size=setting.batch_size,
            epochs=setting.epochs,
            schedule=Schedule(setting.learning_rate, n_steps, kind="constant"),
            rng=rng,
            examples=int(counted.sum()),
            validate=_validation(params, lesson, setting.beta, offset),
            patience=setting.patience,
            progress=progress,
        )
    return Learned(params, offset, epochs)
