"""Learned attention over the sequence of events, alone: `SequenceAttention`."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from xattn.data import History, Interactions, JoinedHistories
from xattn.errors import refuse
from xattn.errors.constraints import PROBABILITY, SEED, STRENGTH, Choice, Range, Whole, constraints
from xattn.model.fit.sequence import Training
from xattn.model.fit.training import Epoch
from xattn.model.sequence import LOSSES, Shape
from xattn.model.strength import presence
from xattn.progress import Progress
from xattn.recommenders.additive import Additive
from xattn.recommenders.learning import EPOCHS, HeldOut, Learned, learn

__all__ = ["SequenceAttention"]


class SequenceAttention(Additive):
    """Learned causal self-attention: several heads of low-rank queries and keys, values linear in the item.

    What was done last asks, every event of the window answers; only the weights look at more than one event, so each
    score is a sum over events like that of any other model. With ``query="target"`` each candidate asks instead, which
    costs an attention for each sampled candidate in training. Trained by our own kernels on the next item of every
    position.

    Parameters:

        hidden_size     ≥ 1, the length of the embeddings
        heads           ≥ 1
        key_size        ≥ 1, the length of the queries and keys of a head
        window          ≥ 1, events that are looked at
        query           "newest": the newest events ask; "target": each candidate asks
        query_events    ≥ 1: how many of the newest events ask
        encoder_blocks  ≥ 0; 0: the embeddings themselves ask and answer; else a causal encoder of so many blocks of
                        self-attention makes queries, keys and gates, while values stay linear in the item (with
                        "newest" alone)
        beta            from 0 to 1, the exponent β of the weights; 1 is softmax
        threshold       from 0 to 1: a weight under it counts as 0, in the score too
        loss            "cross-entropy", "bpr" or "logistic"
        negatives       ≥ 0, items drawn for the loss (0: cross-entropy over the whole catalogue where it has at most
                        8,000 items, else 1,024; where the target asks, 8)
        epochs          ≥ 1, passes at most
        batch_events    ≥ 1, events a step
        learning_rate   > 0 and at most 1
        weight_decay    from 0 to 1
        dropout         from 0 to 0.95, of the embeddings
        weight_dropout  from 0 to 0.95, of the attention weights
        optimizer       "adam" or "sgd"
        schedule        "cosine" or "constant", of the learning rate
        patience        ≥ 1, epochs without a better validation figure before it stops
        min_events      ≥ 1: how many events an item needs to be learned
        dislike         from −1 to 1, what a clear dislike counts (1: as any event, which predicts best)
        random_state    a whole number, the seed; None: another run each time

    After `fit`, `epochs_` holds what each epoch came to.

    Sources: attention over the own history for the next item, Kang & McAuley (ICDM 2018); the exponent β, He et al.
    (TKDE 2018); cross-entropy over the whole catalogue, Klenitskiy & Vasilev (RecSys 2023).

    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> model = SequenceAttention(hidden_size=8, heads=2, epochs=2, min_events=2, random_state=0).fit(data)
    >>> why = model.explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> len(model.epochs_), bool(abs(why.cells["contribution"].sum() + why.base - why.score) < 1e-9)
    (2, True)
    """

    epochs_: list[Epoch]
    learned_: Learned

    quick = False
    gaps = frozenset({EPOCHS})
    _renamed = MappingProxyType({"dimensions": "hidden_size", "key_dimensions": "key_size"})
    _constraints = constraints(
        **dict.fromkeys(("hidden_size", "heads", "key_size", "window", "query_events", "epochs"), Whole(1)),
        **dict.fromkeys(("batch_events", "patience", "min_events"), Whole(1)),
        encoder_blocks=Whole(),
        negatives=Whole(),
        beta=PROBABILITY,
        threshold=PROBABILITY,
        learning_rate=Range(0.0, 1.0, open_low=True),
        weight_decay=PROBABILITY,
        dropout=Range(0.0, 0.95),
        weight_dropout=Range(0.0, 0.95),
        dislike=STRENGTH,
        query=Choice(("newest", "target")),
        loss=Choice(LOSSES),
        optimizer=Choice(("adam", "sgd")),
        schedule=Choice(("cosine", "constant")),
        random_state=SEED,
    )

    def __init__(
        self,
        *,
        hidden_size: int = 64,
        heads: int = 4,
        key_size: int = 16,
        window: int = 200,
        query: str = "newest",
        query_events: int = 1,
        encoder_blocks: int = 0,
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
        self.hidden_size = hidden_size
        self.heads = heads
        self.key_size = key_size
        self.window = window
        self.query = query
        self.query_events = query_events
        self.encoder_blocks = encoder_blocks
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

    @property
    def _shape(self) -> Shape:
        window = int(self.window)
        asking = min(int(self.query_events), window)
        sizes = (int(self.hidden_size), int(self.heads), int(self.key_size), window, asking)
        return Shape(0, *sizes, float(self.beta), self.query == "target", int(self.encoder_blocks))

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

    def _fit(self, data: Interactions, progress: Progress) -> None:
        if self.encoder_blocks and self.query == "target":
            refuse("encoder_of_target")
        share = (data.counts() + 1) / (data.counts() + 1).sum()
        rng = np.random.default_rng(self.random_state)
        held = HeldOut.of(data, rng)
        seed = int(rng.integers(2**31))
        learned = learn(held, share, int(self.min_events), self._shape, self._training, seed, progress)
        self._keep(learned, learned.base(share) if learned.params else np.log(share))

    def _keep(self, learned: Learned, base: np.ndarray) -> None:
        self.base_, self.learned_, self.epochs_ = base, learned, learned.epochs
        gate = np.ones(len(base))
        self.parts_ = (learned.part(gate, float(self.threshold), 1.0),) if learned.params else ()

    def _strength(self, asked: str, events: History | JoinedHistories) -> np.ndarray:
        n = len(events.item)
        return np.asarray(presence(events.rating, n, self.scale_, float(self.dislike)), dtype=float)

    def fields_of(self, history: History, targets: np.ndarray) -> None:
        """None even where the target asks: sets of events are then served, which is quicker than to search among so
        many attentions."""
        return None

    def _state(self) -> dict[str, np.ndarray]:
        return super()._state() | self.learned_.state()

    def _restore_parts(self, state: dict[str, np.ndarray]) -> None:
        self._keep(Learned.of_state(state, self._shape, len(self.base_)), self.base_)
