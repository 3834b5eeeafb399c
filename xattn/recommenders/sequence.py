"""Learned attention over the sequence of events, alone: `SequenceAttention`."""

from __future__ import annotations

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import (
    InputError,
    check_array,
    check_choice,
    check_index_array,
    check_number,
    check_probability,
    check_whole,
)
from xattn.model.fit.sequence import Training
from xattn.model.fit.training import Epoch
from xattn.model.heads.learned import LearnedPart
from xattn.model.heads.part import HeadCells
from xattn.model.heads.target import TargetPart
from xattn.model.sequence import LOSSES, Parameters, Shape
from xattn.model.strength import presence
from xattn.progress import Progress
from xattn.recommenders.base import Recommender
from xattn.recommenders.learning import HeldOut, Learned, learn

__all__ = ["SequenceAttention", "learned_of", "state_of_learned"]

TABLES = ("E", "U", "Wq", "Wk", "Wv", "r", "omega", "b")


class SequenceAttention(Recommender):
    """Learned causal self-attention: several heads of low-rank queries and keys, values linear in the item.

    What was done last asks, every event of the window answers; only the weights look at more than one event, so each
    score is a sum over events like that of any other model. With ``query="target"`` each candidate asks instead, which
    costs an attention for each sampled candidate in training. Trained by our own kernels on the next item of every
    position.

    Parameters: `query` ("newest", "target"), `dimensions` of the embeddings, `heads`, `key_dimensions` of a head's
    queries and keys, `window` in events, `query_events` (how many of the newest events ask), `beta` in [0, 1] (1:
    softmax), `threshold` in [0, 1]; `loss` ("cross-entropy", "bpr", "logistic"), `negatives` drawn for it (0:
    cross-entropy over the whole catalogue where it has at most 8,000 items, else 1,024; where the target asks, 8);
    `epochs`, `batch_events`, `learning_rate`, `weight_decay`, `dropout` and `weight_dropout` in [0, 1), `optimizer`
    ("adam", "sgd"), `schedule` ("cosine", "constant"), `patience` in epochs; `min_events` an item needs to be learned;
    `dislike` in [−1, 1], what a clear dislike counts (1: as any event, which predicts best); `random_state`. After
    `fit`, `epochs_` holds what each epoch came to.

    Sources: attention over the own history for the next item, Kang & McAuley (ICDM 2018); the exponent β, He et al.
    (TKDE 2018); cross-entropy over the whole catalogue, Klenitskiy & Vasilev (RecSys 2023).

    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> model = SequenceAttention(dimensions=8, heads=2, epochs=2, min_events=2, random_state=0).fit(data)
    >>> why = model.explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> len(model.epochs_), bool(abs(why.cells["contribution"].sum() + why.base - why.score) < 1e-9)
    (2, True)
    """

    epochs_: list[Epoch]
    part_: LearnedPart | TargetPart | None

    def __init__(
        self,
        *,
        dimensions: int = 64,
        heads: int = 4,
        key_dimensions: int = 16,
        window: int = 200,
        query: str = "newest",
        query_events: int = 1,
        beta: float = 0.7,
        threshold: float = 0.0,
        loss: str = "cross-entropy",
        negatives: int = 0,
        epochs: int = 15,
        batch_events: int = 1200,
        learning_rate: float = 0.006,
        weight_decay: float = 0.0,
        dropout: float = 0.3,
        weight_dropout: float = 0.0,
        optimizer: str = "adam",
        schedule: str = "cosine",
        patience: int = 3,
        min_events: int = 5,
        dislike: float = 1.0,
        random_state: int | None = 0,
    ) -> None:
        self.dimensions = dimensions
        self.heads = heads
        self.key_dimensions = key_dimensions
        self.window = window
        self.query = query
        self.query_events = query_events
        self.beta = beta
        self.threshold = threshold
        self.loss = loss
        self.negatives = negatives
        self.epochs = epochs
        self.batch_events = batch_events
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.weight_dropout = weight_dropout
        self.optimizer = optimizer
        self.schedule = schedule
        self.patience = patience
        self.min_events = min_events
        self.dislike = dislike
        self.random_state = random_state

    def _check_params(self) -> None:
        for name in ("dimensions", "heads", "key_dimensions", "window", "query_events", "epochs", "batch_events"):
            check_whole(name, getattr(self, name), low=1)
        check_whole("patience", self.patience, low=1)
        check_whole("min_events", self.min_events, low=1)
        check_whole("negatives", self.negatives, low=0)
        check_probability("beta", self.beta)
        check_probability("threshold", self.threshold)
        check_number("learning_rate", self.learning_rate, low=0.0, high=1.0, open_low=True)
        check_number("weight_decay", self.weight_decay, low=0.0, high=1.0)
        check_number("dropout", self.dropout, low=0.0, high=0.95)
        check_number("weight_dropout", self.weight_dropout, low=0.0, high=0.95)
        check_number("dislike", self.dislike, low=-1.0, high=1.0)
        check_choice("query", self.query, ("newest", "target"))
        check_choice("loss", self.loss, LOSSES)
        check_choice("optimizer", self.optimizer, ("adam", "sgd"))
        check_choice("schedule", self.schedule, ("cosine", "constant"))

    @property
    def _shape(self) -> Shape:
        window = int(self.window)
        asking = min(int(self.query_events), window)
        sizes = (int(self.dimensions), int(self.heads), int(self.key_dimensions), window, asking)
        return Shape(0, *sizes, float(self.beta), self.query == "target")

    @property
    def _training(self) -> Training:
        return Training(
            loss=self.loss,
            negatives=int(self.negatives),
            epochs=int(self.epochs),
            positions=int(self.batch_events),
            learning_rate=float(self.learning_rate),
            weight_decay=float(self.weight_decay),
            dropout=float(self.dropout),
            weight_dropout=float(self.weight_dropout),
            optimizer=self.optimizer,
            schedule=self.schedule,
            patience=int(self.patience),
        )

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        share = (data.counts() + 1) / (data.counts() + 1).sum()
        rng = np.random.default_rng(self.random_state)
        held = HeldOut.of(data, rng)
        seed = int(rng.integers(2**31))
        learned = learn(held, share, int(self.min_events), self._shape, self._training, seed, progress)
        self.epochs_ = learned.epochs
        self._keep(learned, learned.base(share) if learned.params else np.log(share))

    def _keep(self, learned: Learned, base: np.ndarray) -> None:
        self.base_ = base
        self.learned_ = learned
        gate = np.ones(len(base))
        self.part_ = learned.part(gate, float(self.threshold), 1.0) if learned.params else None

    def _w(self, history: History) -> np.ndarray:
        return np.asarray(presence(history.rating, len(history), self.scale_, float(self.dislike)), dtype=float)

    def _scores(self, history: History) -> np.ndarray:
        if self.part_ is None or not len(history):
            return self.base_.copy()
        scores: np.ndarray = self.base_ + self.part_.scores(history, self._w(history))
        return scores

    def _scores_without(self, history: History, targets: np.ndarray) -> np.ndarray:
        out = np.repeat(self.base_[targets][:, None], len(history), axis=1)
        if self.part_ is not None and len(history):
            self.part_.add_without_each(history, self._w(history), targets, out)
        return out

    def _cells(self, history: History, target: int) -> list[HeadCells]:
        return [] if self.part_ is None else self.part_.cells(history, self._w(history), target)

    def _state(self) -> dict[str, np.ndarray]:
        return {"base": self.base_, **state_of_learned(self.learned_)}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        base = check_array("base", state["base"], ndim=1)
        learned = learned_of(state, self._shape, len(base))
        self.epochs_ = learned.epochs
        self._keep(learned, base)


def state_of_learned(learned: Learned) -> dict[str, np.ndarray]:
    """Arrays for a model file."""
    epochs = np.array(
        [[e.number, e.loss, e.lr, np.nan if e.validation is None else e.validation] for e in learned.epochs]
    )
    return {
        "learned.rows": learned.rows,
        "learned.epochs": epochs.reshape(-1, 4),
        **{f"learned.{name}": p for name, p in learned.params.items()},
    }


def learned_of(state: dict[str, np.ndarray], shape: Shape, M: int) -> Learned:
    """What `state_of_learned` gave, sizes checked against `shape` and M items. Raises InputError."""
    params: Parameters = {name: state[f"learned.{name}"] for name in TABLES if f"learned.{name}" in state}
    C = len(params["U"]) if params else 0
    shape = shape._replace(C=C)
    rows = check_index_array("rows", state["learned.rows"], size=C + 1)
    _, d, H, dk, L, P, *_ = shape
    sizes = {
        "E": (C + 1, d),
        "U": (C, d),
        "Wq": (H, d, dk),
        "Wk": (H, d, dk),
        "Wv": (H, d, d),
        "r": (H, L),
        "omega": (H, P),
        "b": (C,),
    }
    if len(rows) != M or any(params[name].shape != size for name, size in sizes.items() if params):
        raise InputError(f"the learned tables must fit {M:,} items and the model's sizes; got others.")
    for name, table in params.items():
        check_array(name, table, ndim=table.ndim)
    kept = state["learned.epochs"].reshape(-1, 4)
    epochs = [Epoch(int(n), float(loss), float(lr), None if np.isnan(v) else float(v)) for n, loss, lr, v in kept]
    return Learned(shape, params, rows, epochs)
