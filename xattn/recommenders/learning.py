"""Fitting learned heads to a data set: which items get rows, who is held out, when to stop.

The last event of some people (at most 1,000) is held out from training. After each epoch the mean of 1/log₂(1 + rank)
of these events, among all items that the person has not met, says how good the parameters are; training stops when it
no longer rises, and the best are kept. The same events then say how much the learned heads count beside others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.data import Interactions
from xattn.errors import check_array, check_distinct, check_index_array, refuse
from xattn.features import feature_set
from xattn.model.deep import deep_outputs, deep_sizes
from xattn.model.fit.closed_form import warm_items
from xattn.model.fit.sequence import Training, train_sequences
from xattn.model.fit.training import Epoch, epochs_of, epochs_table
from xattn.model.heads.deep import DeepPart
from xattn.model.heads.learned import LearnedPart, logits
from xattn.model.heads.target import TargetPart
from xattn.model.heads.trained import TrainedPart
from xattn.model.sequence import Parameters, Shape, table_sizes
from xattn.progress import Progress

__all__ = ["EPOCHS", "HeldOut", "Learned", "fused", "learn"]

EPOCHS = "learned.epochs"  # in a model file; NaN where there was no validation

MOST_HELD_OUT = 1000  # people; more would cost time, and the figure is then good to about one part in a hundred
LEAST_EVENTS = 3  # of a person who is asked: two to learn from, one to find
MOST_ROWS = 20_000  # items with a row: 20,000 × 64 float32 a table
WHOLE_CATALOGUE = 8_000  # rows up to which cross-entropy runs over all of them, by default
SAMPLE = 1024  # negatives a shard beyond that
SHARES = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)  # of the evening-out, tried for α; 0: the learned heads are left out
NO_TABLES = {"rows", "epochs", "alpha"}  # what else of learned heads a model file holds
AT_ONCE = 16  # histories that the encoder reads together
REACH = 10  # places whose distance from the middle of the list is evened out


class HeldOut(NamedTuple):
    """The last events of V people: the rest of the data, and for each the user row and the item row."""

    train: Interactions
    user: np.ndarray  # (V,)
    item: np.ndarray  # (V,)

    @classmethod
    def of(cls, data: Interactions, rng: np.random.Generator) -> HeldOut:
        """Draw the people; nobody where all histories are short."""
        lengths = np.diff(data.indptr)
        able = np.flatnonzero(lengths >= LEAST_EVENTS)
        user = np.sort(rng.permutation(able)[:MOST_HELD_OUT])
        last = data.indptr[user + 1] - 1
        kept = np.ones(data.n_events, bool)
        kept[last] = False
        return cls(data.select(kept) if len(user) else data, user, data.item[last])

    def found(self, scores: np.ndarray) -> np.ndarray:
        """1/log₂(1 + rank) of each held-out item (V,) by `scores` (V, M); ties count against it, NaN is last."""
        found = np.zeros(len(self.user))
        for v, (row, user, item) in enumerate(zip(scores, self.user.tolist(), self.item.tolist(), strict=True)):
            rival = ~(row < row[item])
            rival[self.train.item[self.train.events_of(user)]] = False
            rival[item] = True
            if not np.isnan(row[item]):
                found[v] = 1.0 / np.log2(1.0 + rival.sum())
        return found

    def figure(self, scores: np.ndarray) -> float:
        """The mean of `found`; 0 where nobody is held out."""
        return float(self.found(scores).sum()) / max(1, len(self.user))


class Learned(NamedTuple):
    """Trained heads: `rows` (M,) is the table row of each item, C for those without one of their own."""

    shape: Shape
    params: Parameters
    rows: np.ndarray
    epochs: list[Epoch]

    def part(self, gate: np.ndarray, theta: float, alpha: float) -> TrainedPart:
        """As a part of a score; items without a row get nothing from it."""
        kind = DeepPart if self.shape.blocks else TargetPart if self.shape.target else LearnedPart
        return kind(self.shape, self.params, self.rows, gate, theta, alpha)

    def base(self, share: np.ndarray) -> np.ndarray:
        """b of every item (M,): the learned one, or the log of its `share` (M,) where it has no row."""
        b: np.ndarray = np.log(share)
        own = self.rows < self.shape.C
        b[own] = self.params["b"][self.rows[own]]
        return b

    def state(self) -> dict[str, np.ndarray]:
        """Rows and epochs as arrays for a model file; the tables are those of the part."""
        return {"learned.rows": self.rows, EPOCHS: epochs_table(self.epochs)}

    @classmethod
    def of_state(cls, state: dict[str, np.ndarray], shape: Shape, M: int) -> Learned:
        """What `state` and the part gave, sizes checked against `shape` and M items. Raises InputError."""
        names = {key.removeprefix("learned.") for key in state if key.startswith("learned.")} - NO_TABLES
        params = {name: state[f"learned.{name}"] for name in sorted(names)}
        shape = shape._replace(C=len(params["U"]) if "U" in params else 0)
        sizes = deep_sizes(shape) if shape.blocks else table_sizes(shape)
        rows = check_index_array("rows", state["learned.rows"], size=shape.C + 1)
        if len(rows) != M or (params and {name: table.shape for name, table in params.items()} != sizes):
            refuse("learned_tables", n=M)
        for name, table in params.items():
            check_array(name, table, ndim=table.ndim)
            if table.dtype.kind != "f":
                refuse("learned_tables", n=M)
        check_distinct("rows", rows[rows < shape.C], "table_row")
        return cls(shape, params, rows, epochs_of(EPOCHS, state[EPOCHS]))

    def scores(self, histories: list[np.ndarray], share: np.ndarray) -> np.ndarray:
        """Logits (R, M) after the item rows of each history."""
        out = np.tile(self.base(share), (len(histories), 1))
        own = self.rows < self.shape.C
        if self.shape.blocks:
            some = [r for r, history in enumerate(histories) if len(history)]
            for at in range(0, len(some), AT_ONCE):
                part = some[at : at + AT_ONCE]
                o = deep_outputs(self.params, self.shape, [self.rows[histories[r]] for r in part])
                out[np.array(part)[:, None], own] = (o @ self.params["U"].T + self.params["b"])[:, self.rows[own]]
            return out
        for row, history in zip(out, histories, strict=True):
            row[own] = logits(self.params, self.shape, self.rows[history])[self.rows[own]]
        return out


def learn(
    held: HeldOut,
    share: np.ndarray,
    min_events: int,
    shape: Shape,
    training: Training,
    seed: int,
    progress: Progress | None = None,
) -> Learned:
    """Train on what `held` leaves; `share` (M,) > 0 is how often each item comes. `shape.C` is filled in here.

    Items with fewer than `min_events` events have no row of their own: they are attended as one and the same, and are
    never predicted. Raises InputError where the learning rate is too high.
    """
    data = held.train
    warm = warm_items(data.counts(), min_events, MOST_ROWS)
    shape = shape._replace(C=len(warm))
    rows = np.full(data.n_items, len(warm), np.int64)
    rows[warm] = np.arange(len(warm))
    if not training.negatives and not shape.target and len(warm) > WHOLE_CATALOGUE:
        training = training._replace(negatives=SAMPLE)
    row_of_event = rows[data.item]
    sequences = [row_of_event[data.events_of(user)] for user in range(data.n_users)]
    asked = [data.item[data.events_of(user)] for user in held.user.tolist()]

    def figure(params: Parameters) -> float:
        return held.figure(Learned(shape, params, rows, []).scores(asked, share))

    if not len(warm):
        return Learned(shape, {}, rows, [])
    validate = figure if len(held.user) else None
    F = feature_set(data.items).F[warm] if training.tied else None
    trained = train_sequences(sequences, shape, share[warm], training, seed, validate, progress, F)
    return Learned(shape, trained.params, rows, trained.epochs)


def fused(held: HeldOut, closed: np.ndarray, learned: np.ndarray) -> float:
    """α for ``closed + α · learned`` (V, M scores of the held-out people each): the best of a few by `HeldOut.figure`.

    The unit is the α at which both lists fall alike from their tenth place to their middle, in the median person.
    """
    if not len(closed):
        return 0.0
    unit = float(np.median(_fall(closed)) / max(float(np.median(_fall(learned))), 1e-12))
    figures = [held.figure(closed + share * unit * learned) for share in SHARES]
    return SHARES[int(np.argmax(figures))] * unit


def _fall(scores: np.ndarray) -> np.ndarray:
    """(V,) by how much the REACHth best score is above the median one."""
    M = scores.shape[1]
    place = min(REACH, M) - 1
    return np.asarray(-np.partition(-scores, place, axis=1)[:, place] - np.median(scores, axis=1))
