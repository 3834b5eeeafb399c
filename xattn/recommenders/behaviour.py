"""The collaborative heads of the attention models: which ones an objective asks for, and how they are fitted.

*next* asks what comes next: one recency head for each scale, values from all prefixes (`model/fit/closed_form`). *any*
asks what belongs to the person at all, whatever the order: one head whose weights are 1, values from whole histories
with each item left out in turn (`model/fit/belonging`). *auto* is *next*, unless whoever asks says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions, JoinedHistories
from xattn.errors import refuse
from xattn.errors.constraints import DTYPE, POSITIVE, STRENGTH, Auto, Choice, Each, Optional, Range, Whole, constraints
from xattn.model.fit.belonging import DROPOUT, belonging_form, belonging_sums, form_of_belonging_sums
from xattn.model.fit.closed_form import fit_closed_form, warm_items
from xattn.model.fit.local_form import fit_local_form
from xattn.model.fit.pair_sums import BelongingSums, PairSums, pair_sums_of
from xattn.model.fit.pooling import pauses_of, pooled_by_memory
from xattn.model.fit.sums import Histories, Sums, exchanged, lessened, sums_of
from xattn.model.memory import Memory, memories_of
from xattn.model.strength import RatingScale, found, kind_strengths, lasted, once, presence, taste
from xattn.model.value_table import Form
from xattn.progress import Progress
from xattn.recommenders.estimator import LogRange, space

__all__ = [
    "AS_ANY_OTHER",
    "A_DAY",
    "BEHAVIOUR_CONSTRAINTS",
    "BEHAVIOUR_SPACE",
    "DROPOUT",
    "MOST_PENALTY",
    "MOST_UNKNOWNS",
    "NEIGHBORS_CONSTRAINT",
    "OBJECTIVES",
    "OBJECTIVE_FOR",
    "TASTE",
    "Behaviour",
    "Kept",
    "PartSums",
    "neighbors",
]

OBJECTIVES = ("auto", "next", "any")
REGULARIZATION = {"next": 80.0, "any": 150.0}  # chosen on validation (docs/log.md)
FEATURES = 1 / 40  # φ/λ of "next", likewise
MOST_PENALTY = 1e12  # above, float32 has no digits left for the data
MOST_UNKNOWNS = 12_000  # rows of the ridge problem, heads × items: 12,000² float32 are 0.6 GB and 10–15 s on two cores
A_DAY = (1.0,)  # of the head that forgets by time where people fill baskets: on validation no scale is better
AS_ANY_OTHER = 1.0  # what a clear dislike counts in "next", unless the data shows otherwise
TASTE = 0.5  # what a clear dislike counts in "any", as in its fit: as an event that was neither liked nor disliked
LEAST = 5  # events of an item that gets values, unless another number is given
LEAST_SPARSE = 2  # the same where values are sparse anyway: a long tail is then much of the catalogue (docs/log.md)
LONG_TAIL = 500_000  # events up to which that is so: of more, few are in the tail, and its values take time
NEIGHBORS = 200  # values a target where there are more unknowns than that; what they cost: docs/evaluation.md

NEIGHBORS_CONSTRAINT = Optional(Whole(1, MOST_UNKNOWNS))
BEHAVIOUR_CONSTRAINTS = constraints(  # of the parameters of collaborative heads
    objective=Choice(OBJECTIVES),
    recency=Each(POSITIVE, "number_of_events"),
    recency_days=Auto(Optional(Each(POSITIVE, "number_of_days"))),
    days_floor=Range(0.0, 0.95),
    pause_days=Optional(POSITIVE),
    regularization=Optional(Range(0.0, MOST_PENALTY, open_low=True)),
    dropout=Range(0.0, 0.95),
    dislike=Auto(STRENGTH),
    min_events=Optional(Whole(1)),
    n_neighbors=NEIGHBORS_CONSTRAINT,
    dtype=DTYPE,
)
BEHAVIOUR_SPACE = space(  # that a search tries
    recency=[(3.0, 20.0), (2.0, 10.0), (1.0, 6.0), (5.0, 50.0)],
    beta=[0.2, 0.35, 0.5, 0.7, 1.0],
    regularization=LogRange(10.0, 1000.0),
)
OBJECTIVE_FOR = {"next": {"objective": "next"}, "any": {"objective": "any"}, "rating": {"objective": "any"}}


def neighbors(given: int | None, unknowns: int) -> int | None:
    """How many values a target gets; None: all of the `unknowns`."""
    if given is not None:
        return None if given >= unknowns else int(given)
    return None if unknowns <= MOST_UNKNOWNS else NEIGHBORS


def _dislike(params: Mapping[str, Any], whole: bool) -> float:
    """The strength of a clear dislike: as given, or as it was chosen in the fit."""
    if params["dislike"] != "auto":
        return float(params["dislike"])
    return float(params.get("dislike_", TASTE if whole else AS_ANY_OTHER))


def _days(params: Mapping[str, Any]) -> tuple[float, ...]:
    """The scales in days: as given, or as they were chosen in the fit."""
    given = params.get("recency_days")
    return tuple(float(tau) for tau in (params.get("days_", ()) if given == "auto" else given or ()))


PartSums = Sums | PairSums | BelongingSums


class Kept(NamedTuple):
    """Sums of `data`, and what they were made by: scales, exponent, strengths of types."""

    data: Interactions
    by: tuple[Any, ...]
    sums: Sums


class Behaviour(NamedTuple):
    """What the parameters of a model say about its collaborative heads."""

    objective: str  # "next" or "any"
    tau: tuple[float, ...]
    beta: float
    lam: float
    min_events: int | None
    n_neighbors: int | None
    dislike: float
    dtype: type
    event_weights: Mapping[str, float] | None
    dropout: float = DROPOUT
    days: tuple[float, ...] = ()  # scales of the heads that forget by time
    days_floor: float = 0.0
    pause_days: float | None = None
    pace: float = 1.0  # days from one event to the next, where nobody knows

    @property
    def memories(self) -> tuple[Memory, ...]:
        """How each head forgets (H,)."""
        return memories_of(self.tau, self.days, self.days_floor, self.pace)

    @property
    def by_time(self) -> bool:
        """Whether a fit must know when events were."""
        return bool(self.days) or self.pause_days is not None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Behaviour:
        """From the (checked) parameters of CollaborativeAttention or HybridAttention."""
        whole = params["objective"] == "any"
        given = params["regularization"]
        return cls(
            "any" if whole else "next",
            (np.inf,) if whole else tuple(float(tau) for tau in params["recency"]),
            0.0 if whole else float(params["beta"]),
            REGULARIZATION["any" if whole else "next"] if given is None else float(given),
            None if params["min_events"] is None else int(params["min_events"]),
            params["n_neighbors"],
            _dislike(params, whole),
            np.dtype(params["dtype"]).type,
            params["event_weights"],
            float(params.get("dropout", DROPOUT)),
            () if whole else _days(params),
            float(params.get("days_floor", 0.0)),
            None if whole else params.get("pause_days"),
            float(params.get("pace_", 1.0)),
        )

    def warm(self, counts: np.ndarray) -> np.ndarray:
        """Rows of the items that get values, by `counts` (M,) of their events."""
        return warm_items(counts, self.least(counts))

    def least(self, counts: np.ndarray) -> int:
        """How many events an item needs to get values, by `counts` (M,) of those of all."""
        if self.min_events is not None:
            return self.min_events
        return LEAST_SPARSE if self.is_sparse(counts) and counts.sum() <= LONG_TAIL else LEAST

    def is_sparse(self, counts: np.ndarray) -> bool:
        """Whether what comes next is asked in a catalogue too large for values of all pairs."""
        least = LEAST if self.min_events is None else self.min_events
        return self.objective == "next" and len(self.memories) * int((counts >= least).sum()) > MOST_UNKNOWNS

    def _neighbors(self, warm: np.ndarray) -> int | None:
        return neighbors(self.n_neighbors, len(self.memories) * len(warm))

    def strengths(self, events: History | JoinedHistories, scale: RatingScale) -> np.ndarray:
        """w (n,) of a history that is answered, or of many."""
        n = len(events.item)
        kinds = kind_strengths(events.kind, n, self.event_weights)
        if self.objective == "any":
            return once(taste(events.rating, n, scale, self.dislike) * kinds, events.key)
        return np.asarray(presence(events.rating, n, scale, self.dislike) * kinds)

    def fit(
        self,
        data: Interactions,
        scale: RatingScale,
        base: np.ndarray,
        F: sparse.csr_array,
        kept: Kept | None,
        progress: Progress,
        whole: PartSums | None = None,
    ) -> Form:
        """The values. `base` (M,) is what they need not explain (next); `F` (M, d) are features, d may be 0.

        An event that is rated low counts as having happened here: what people take up says more than how they rate it.
        `kept` are the sums of this data, if they are known; `whole` those of a larger set of which it is a sample.
        """
        warm = self.warm(data.counts())
        if self.objective == "any":
            if isinstance(whole, BelongingSums):
                progress("solve", 0.0)
                size = (self.lam, self._neighbors(warm), data.n_items, self.dtype)
                return form_of_belonging_sums(whole, F[warm], *size, self.dropout)
            return self._fit_any(data, scale, warm, F, progress)
        histories, K = self._histories(data), self._neighbors(warm)
        problem = (histories.indptr, histories.item, histories.w, base, warm)
        options: dict[str, Any] = {
            "tau": self._tau,
            "beta": self._beta,
            "lam": self.lam,
            "dtype": self.dtype,
            "worth": histories.worth,
            "pooled": histories.pooled,
            "F": np.sqrt(FEATURES * self.lam) * F[warm] if F.shape[1] else None,
            "progress": progress,
        }
        if K is not None:
            return fit_local_form(
                *problem, n_neighbors=K, sums=whole if isinstance(whole, PairSums) else None, **options
            )
        sums = whole if isinstance(whole, Sums) else None if kept is None else kept.sums
        return fit_closed_form(*problem, sums=sums, **options)

    def part_sums(self, data: Interactions, scale: RatingScale, warm: np.ndarray) -> PartSums:
        """What `fit` needs of some of the users, ready to be added to that of others; `warm` are the items with values.

        Raises InputError where too many pairs of items occur together for memory.
        """
        if self.objective == "any":
            return belonging_sums(*self._belonging(data, scale, warm), warm)
        tau, beta = self._tau, self._beta
        make = sums_of if self._neighbors(warm) is None else pair_sums_of
        return make(self._histories(data), warm, data.n_items, tau, beta)

    def _histories(self, data: Interactions) -> Histories:
        kinds = kind_strengths(data.kind, data.n_events, self.event_weights)
        kinds = kinds * lasted(data.rating, data.n_events, RatingScale.of(data.scale))
        memories, pooled = self.memories, None
        if self.by_time:
            if data.time is None:
                refuse("recency_days_times")
            pause = pauses_of(data.indptr, data.time)
            forget = None if self.pause_days is None else Memory(self.pause_days, 1.0, self.days_floor)
            pooled = pooled_by_memory(data.indptr, pause, memories, self._beta, forget)
        w = np.tile(kinds, (len(memories), 1))
        return Histories(data.indptr, data.item, w, np.maximum(kinds, 0.0), pooled)

    @property
    def _tau(self) -> np.ndarray:
        return np.array([memory.tau for memory in self.memories])

    @property
    def _beta(self) -> np.ndarray:
        return np.full(len(self.memories), self.beta)

    def keep(self, kept: Kept | None, data: Interactions) -> Kept | None:
        """The sums of `data`, from those `kept` of data that has grown into it; all anew where these will not do.

        None for the objective "any", which has none: counting pairs is quick; and where values are sparse: so is A.
        """
        warm = self.warm(data.counts())
        if self.objective == "any" or self._neighbors(warm) is not None:
            return None
        tau, beta = self._tau, self._beta
        if kept is None or kept.by != self._made_by:
            sums = sums_of(self._histories(data), warm, data.n_items, tau, beta)
        else:
            old, new = self._histories(kept.data), self._histories(data)
            sums = exchanged(kept.sums, old, new, warm, data.n_items, tau, beta)
        return Kept(data, self._made_by, sums)

    @property
    def _made_by(self) -> tuple[Any, ...]:
        """What the sums depend on."""
        times = (self.days, self.days_floor, self.pause_days)
        return (self.tau, self.beta, times, None if self.event_weights is None else dict(self.event_weights))

    def lessen(self, kept: Kept | None, data: Interactions, gone: np.ndarray) -> Kept | None:
        """The sums of `data`, which is that of `kept` without the users in its rows `gone`; None as in `keep`."""
        warm = self.warm(data.counts())
        if kept is None or kept.by != self._made_by or self.objective == "any" or self._neighbors(warm) is not None:
            return self.keep(None, data)
        tau, beta = self._tau, self._beta
        histories = self._histories(kept.data).of(gone)
        return kept._replace(data=data, sums=lessened(kept.sums, histories, warm, data.n_items, tau, beta))

    def _fit_any(
        self,
        data: Interactions,
        scale: RatingScale,
        warm: np.ndarray,
        F: sparse.csr_array,
        progress: Progress,
    ) -> Form:
        progress("solve", 0.0)
        X, Y = self._belonging(data, scale, warm)
        size = (self.lam, self._neighbors(warm), warm, data.n_items, self.dtype)
        form = belonging_form(X, Y, F[warm], *size, self.dropout)
        progress("solve", 1.0)
        return form

    def _belonging(
        self, data: Interactions, scale: RatingScale, warm: np.ndarray
    ) -> tuple[sparse.csr_array, sparse.csr_array]:
        """X and Y (U, C) of "any": strengths, and what each item counts as a target."""
        kinds = kind_strengths(data.kind, data.n_events, self.event_weights)
        pair = data.user * data.n_items + data.item
        x = once(taste(data.rating, data.n_events, scale, 0.5) * kinds, pair)
        y = once(found(data.rating, data.n_events, scale) * np.maximum(kinds, 0.0), pair)
        shape = (data.n_users, data.n_items)
        X, Y = (sparse.csr_array((values, (data.user, data.item)), shape=shape)[:, warm] for values in (x, y))
        return X, Y
