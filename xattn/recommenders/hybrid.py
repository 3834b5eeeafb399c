"""The default model: closed-form heads, learned heads beside them where there is enough to learn from, content.

    s(u, j) = b_j + γ_j · (collaborative_j + α · learned_j) + (1 − γ_j) · content_j,      γ_j = n_j / (n_j + κ)

The closed form sees how often things follow each other; the learned heads (`model/sequence.py`) see which events of a
history matter for what was just done. Each alone is about as good; together they are better, because they err on
different people. Both are sums over events, so their sum is one ledger. α is chosen on the last events of people that
neither had seen (`recommenders/learning.py`); α = 0 leaves the learned heads out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Self

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import check_number
from xattn.errors.constraints import POSITIVE, PROBABILITY, SEED, Choice, Optional, Whole, constraints
from xattn.model.fit.sequence import Training
from xattn.model.fit.training import Epoch
from xattn.model.sequence import Shape
from xattn.progress import Progress, part_of
from xattn.recommenders.attention import FUSION, AttentionModel
from xattn.recommenders.behaviour import BEHAVIOUR_CONSTRAINTS, BEHAVIOUR_SPACE, DROPOUT, OBJECTIVE_FOR
from xattn.recommenders.estimator import space
from xattn.recommenders.learning import EPOCHS, HeldOut, Learned, fused, learn

__all__ = ["HybridAttention"]

ENOUGH = 200_000  # events from which "auto" learns: on less the gain is within the noise, and the fit takes far longer
ENOUGH_SPARSE = 100_000  # the same where values are sparse and so many people are there to learn from:
ENOUGH_PEOPLE = 10_000  # there is more to gain
SHAPE = Shape(C=0, d=128, H=4, dk=16, L=100, P=1, beta=0.7)
TRAINING = Training(epochs=10, positions=1200, learning_rate=0.003, weight_decay=0.05, dropout=0.4, patience=5)
DEEP_SHAPE = Shape(C=0, d=128, H=8, dk=32, L=128, P=1, beta=1.0)  # where an encoder asks
DEEP_TRAINING = Training(epochs=20, learning_rate=0.002, weight_decay=0.05, dropout=0.4, patience=5)
SHARED = 30  # events an item with values: with fewer, the learned heads have one table of items (`model/fit/tied.py`)
SHARED_TRAINING = DEEP_TRAINING._replace(epochs=8, tied=True)
SPARSE = 20  # the same: with fewer, they are small too, and learn slowly
SPARSE_SHAPE = Shape(C=0, d=128, H=8, dk=16, L=50, P=1, beta=1.0)
SPARSE_TRAINING = Training(epochs=24, learning_rate=0.001, weight_decay=0.05, dropout=0.4, patience=24, tied=True)
BATCHES = 100  # mini-batches of an epoch, where they then have between so many positions:
POSITIONS = (1200, 4800)
SPARSE_BATCHES, SPARSE_POSITIONS = 200, (600, 4800)
FIRST, LAST = 0.08, 0.92  # of the time of a fit: where the closed form hands over to the learned heads, and back


class HybridAttention(AttentionModel):
    """The default model: collaborative heads where an item has been seen often, the content head where it has not.

    The gate γ_j = n_j/(n_j + κ) says how much of each: an item with `kappa` events is carried by both alike, one that
    nobody has met by content alone. Such a newcomer also inherits values from what is known of its features, so that
    it can get into lists.

    How much the learned heads count is chosen on events held out from both; `partial_fit` leaves them as they are.
    After `fit`, `alpha_` holds that factor and `epochs_` what each epoch of training came to. Where texts describe
    items that nobody has met, `way_` says how these are scored, as it was chosen in `fit`.

    Parameters:

        objective        "next", "any" or "auto", as in CollaborativeAttention
        recency          > 0 each, in events: one time scale for each head
        recency_days     > 0 each, in days: one more head for each, which forgets by elapsed time (docs/model.md, eq.
                         39); the data must hold times (None: no such head); "auto": one of a day where at least half
                         of the events came at the moment of the one before, kept as `days_`
        beta             from 0 to 1, the exponent β of the weights
        regularization   > 0, the λ of the ridge; None: 80 for what comes next, 150 for any
        dropout          from 0 to 0.95, of "any": the chance with which the fit drops each item of a history, in
                         expectation; small catalogues want less
        min_events       ≥ 1: how many events an item needs to get values; None: 5, but 2 where what comes next is asked
                         in a catalogue so large that values are sparse, of up to 500,000 events
        n_neighbors      ≥ 1: how many values a target has at most, over all heads; None: all, up to 12,000, and 200
                         where there are more (`partial_fit` then starts anew)
        kappa            > 0: the events at which behaviour and content carry an item alike
        newcomers        from 0 to 1: the share of first places that items nobody has met may take at most on average
                         (0: they inherit nothing; None: 0.12 for what comes next, 0.02 for any)
        learned          when heads are trained beside the closed form (those of `SequenceAttention`, with 128
                         dimensions): "auto" where there are 200,000 events or more and the order matters, "always"
                         where it does, or "never"
        encoder_blocks   ≥ 0, of the learned heads: their queries come from an encoder of so many blocks (0: from the
                         embeddings)
        fit_minutes      > 0, the time that a fit with learned heads may take: their training has what the closed form
                         leaves, but at least half; the best that it allows is kept, so that what is learned hangs on
                         the machine where the time is short (None: no limit)
        temperature      > 0, of the content attention
        content_recency  > 0, in events: how far back the content attention reaches
        fusion           of blocks of features, as in ContentAttention
        threshold        from 0 to 1: a weight under it counts as 0, in the score too
        dislike          from −1 to 1, the strength of an event rated in the bottom quarter of the scale (1: it counts
                         like any other); "auto": chosen in `fit` on events held out of the training data, and kept as
                         `dislike_`
        event_weights    from −1 to 1: the strength of each event type; a type that it does not name has 1, and what is
                         wanted next counts as far as it is over 0
        dtype            "float32" or "float64", the type of the value table
        days_floor       from 0 to 0.95: what such a head keeps of an event that was long ago
        pause_days       > 0, in days: what came next after a pause counts as evidence max(days_floor, e^(−pause/
                         pause_days)); the data must hold times (None: as much as anything)
        half_life        > 0, in days, of the base: an event counts half as much in it for every so many days before
                         the newest one; the data must hold times (None: all count alike)
        random_state     a whole number, the seed; None: another run each time

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> HybridAttention().fit(data).recommend(history=[data.items.ids[0]], k=3)["rank"].tolist()
    [1, 2, 3]
    """

    kinds = ("content", "collaborative")
    search_space = space(**BEHAVIOUR_SPACE, kappa=[0.5, 1.0, 2.0, 5.0])
    settings_for = OBJECTIVE_FOR
    gaps = frozenset({EPOCHS})
    _constraints = constraints(
        **BEHAVIOUR_CONSTRAINTS,
        kappa=POSITIVE,
        newcomers=Optional(PROBABILITY),
        learned=Choice(("auto", "always", "never")),
        encoder_blocks=Whole(),
        fit_minutes=Optional(POSITIVE),
        temperature=POSITIVE,
        content_recency=POSITIVE,
        half_life=Optional(POSITIVE),
        fusion=FUSION,
        random_state=SEED,
    )
    epochs_: list[Epoch]
    alpha_: float = 0.0
    learned_: Learned | None = None
    share_: np.ndarray  # (M,) the base without the learned heads

    def __init__(
        self,
        *,
        objective: str = "auto",
        recency: tuple[float, ...] = (3.0, 20.0),
        recency_days: tuple[float, ...] | str | None = "auto",
        days_floor: float = 0.0,
        pause_days: float | None = None,
        beta: float = 0.35,
        regularization: float | None = None,
        dropout: float = DROPOUT,
        min_events: int | None = None,
        n_neighbors: int | None = None,
        kappa: float = 1.0,
        newcomers: float | None = None,
        learned: str = "auto",
        encoder_blocks: int = 2,
        fit_minutes: float | None = 15.0,
        temperature: float = 1.0,
        content_recency: float = 5.0,
        fusion: str = "multiply",
        threshold: float = 0.0,
        dislike: float | str = "auto",
        event_weights: Mapping[str, float] | None = None,
        half_life: float | None = None,
        dtype: str = "float32",
        random_state: int | None = 0,
    ) -> None:
        self.objective = objective
        self.recency = recency
        self.recency_days = recency_days
        self.days_floor = days_floor
        self.pause_days = pause_days
        self.beta = beta
        self.regularization = regularization
        self.dropout = dropout
        self.min_events = min_events
        self.n_neighbors = n_neighbors
        self.kappa = kappa
        self.newcomers = newcomers
        self.learned = learned
        self.encoder_blocks = encoder_blocks
        self.fit_minutes = fit_minutes
        self.temperature = temperature
        self.content_recency = content_recency
        self.fusion = fusion
        self.threshold = threshold
        self.dislike = dislike
        self.event_weights = event_weights
        self.half_life = half_life
        self.dtype = dtype
        self.random_state = random_state

    def _gates(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        warm = self._behaviour.warm(counts)
        gamma = np.zeros(len(counts))
        gamma[warm] = counts[warm] / (counts[warm] + float(self.kappa))
        return {"collaborative": gamma, "content": 1.0 - gamma}

    def _learns(self, data: Interactions) -> bool:
        behaviour = self._behaviour
        sparse = data.n_users >= ENOUGH_PEOPLE and behaviour.is_sparse(data.counts())
        least = ENOUGH_SPARSE if sparse else ENOUGH
        enough = data.n_events >= least if self.learned == "auto" else self.learned == "always"
        return enough and behaviour.objective == "next"

    def _grow_from(self, old: Self, whole: Interactions) -> None:
        super()._grow_from(old, whole)
        self.learned_, self.alpha_ = old.learned_, old.alpha_

    def _fit(self, data: Interactions, progress: Progress) -> None:
        self.epochs_ = []
        trained = self.learned_
        if trained is not None:  # `partial_fit`: the learned heads stay as they are, new items have no row
            super()._fit(data, progress)
            rows = np.full(data.n_items, trained.shape.C, np.int64)
            rows[: len(trained.rows)] = trained.rows
            self._add_learned(trained._replace(rows=rows))
        elif self._learns(data):
            self._learn(data, progress)
        else:
            super()._fit(data, progress)
            self.share_ = self.base_

    def _learn(self, data: Interactions, progress: Progress) -> None:
        began = time.monotonic()
        rng = np.random.default_rng(self.random_state)
        held = HeldOut.of(data, rng)
        super()._fit(held.train, part_of(progress, 0.0, FIRST))
        histories = [History.of(held.train, user) for user in held.user.tolist()]
        closed = self.scores_of_many(histories)
        share = self.base_
        seed = int(rng.integers(2**31))
        part = part_of(progress, FIRST, LAST)
        counts = held.train.counts()
        least = self._behaviour.least(counts)
        per_item = held.train.n_events / max(1, int((counts >= least).sum()))
        training = self._training(held.train, per_item)
        if training.minutes is not None:  # the closed form is fitted once more afterwards
            closed_minutes = 2.0 * (time.monotonic() - began) / 60.0
            training = training._replace(minutes=training.minutes - min(closed_minutes, 0.5 * training.minutes))
        learned = learn(held, share, least, self._shape(per_item), training, seed, part)
        if learned.params:
            said = learned.scores([history.item for history in histories], share)
            self.alpha_ = fused(held, closed, said)
        super()._fit(data, part_of(progress, LAST, 1.0))
        self.share_, self.epochs_ = self.base_, learned.epochs
        if self.alpha_ > 0.0:
            self._add_learned(learned)

    def _shape(self, per_item: float) -> Shape:
        """Sizes of the learned heads where an item with values has so many events on average."""
        blocks = int(self.encoder_blocks)
        return (SPARSE_SHAPE if per_item < SPARSE else DEEP_SHAPE)._replace(blocks=blocks) if blocks else SHAPE

    def _training(self, data: Interactions, per_item: float) -> Training:
        minutes = None if self.fit_minutes is None else float(self.fit_minutes)
        if not self.encoder_blocks:
            return TRAINING._replace(minutes=minutes)
        if per_item < SPARSE:
            positions = int(np.clip(data.n_events // SPARSE_BATCHES, *SPARSE_POSITIONS))
            return SPARSE_TRAINING._replace(minutes=minutes, positions=positions)
        positions = int(np.clip(data.n_events // BATCHES, *POSITIONS))
        training = SHARED_TRAINING if per_item < SHARED else DEEP_TRAINING
        return training._replace(minutes=minutes, positions=positions)

    def _add_learned(self, learned: Learned) -> None:
        """Put the learned part beside the others, and its base on top of theirs, 0 for the least popular item."""
        self.learned_, self.share_, self.epochs_ = learned, self.base_, learned.epochs
        gate = self._gates(self.data_.counts())["collaborative"]
        self.parts_ = (*self.parts_, learned.part(gate, float(self.threshold), self.alpha_))
        b = learned.base(self.share_)
        self.base_ = self.share_ + self.alpha_ * (b - b.min())

    def _state(self) -> dict[str, np.ndarray]:
        state = super()._state()
        if self.learned_ is not None:
            state |= {"base": self.share_, "learned.alpha": np.array(self.alpha_), **self.learned_.state()}
        return state

    def _restore_parts(self, state: dict[str, np.ndarray]) -> None:
        super()._restore_parts(state)
        self.epochs_, self.share_ = [], self.base_
        if any(name.startswith("learned.") for name in state):
            self.alpha_ = check_number("alpha", float(state["learned.alpha"]), low=0.0)
            encoder = state.get("learned.Bqkv")  # files of before have none
            self.encoder_blocks = len(encoder) if encoder is not None and encoder.ndim else 0
            bias = state.get("learned.r")
            sparse = bias is not None and bias.ndim == 2 and bias.shape[1] == SPARSE_SHAPE.L
            shape = self._shape(0.0 if sparse else SPARSE)
            self._add_learned(Learned.of_state(state, shape, len(self.base_)))
