"""Attention recommenders: a base plus parts; content and collaborative alone (the hybrid stands in hybrid.py).

    s(u, j) = b_j + γ_j · collaborative_j + (1 − γ_j) · content_j,      γ_j = n_j / (n_j + κ)      (model.md, eq. 3)

Each is a base plus *parts*; a part yields fields (for scores and removals) and cells (for the ledger). With one part,
its gate is 1. The base is the share of all events that an item has: how often it comes next for no reason that the
history gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

import numpy as np

from xattn.data import History, Interactions, JoinedHistories
from xattn.errors import (
    check_array,
    check_number,
    check_probability,
    check_same_length,
)
from xattn.explain import Near
from xattn.features import item_features
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart, ItemFeatures, fit_feature_worths
from xattn.model.heads.inherited import InheritedPart
from xattn.model.heads.learned import LearnedPart
from xattn.model.heads.part import HeadCells, HeadField, fields_without_each
from xattn.model.strength import kind_strengths, signed
from xattn.model.value_table import Form, form_of
from xattn.progress import Progress
from xattn.recommenders.base import Recommender
from xattn.recommenders.batch import add_collaborative_scores
from xattn.recommenders.behaviour import Behaviour, Kept, check_behaviour, check_event_weights
from xattn.recommenders.newcomers import inherit, restored, state_of

__all__ = ["CollaborativeAttention", "ContentAttention"]

NEWCOMERS = {"next": 0.12, "any": 0.02}  # of the first places, by default; of the past little is unmet (docs/log.md)
ROUNDED = 1e-6  # of the largest score: more than sums of a few terms in float32 are off by
Part = CollaborativePart | ContentPart | InheritedPart | LearnedPart


class _AttentionRecommender(Recommender):
    """A base plus parts; subclasses say which parts they fit."""

    _kinds: ClassVar[tuple[str, ...]]
    _grows = True
    _kept: Kept | None = None
    parts_: tuple[Part, ...]

    def _check_params(self) -> None:
        params = self.get_params()
        check_probability("beta", params["beta"])
        check_probability("threshold", params["threshold"])
        check_event_weights(params["event_weights"])
        if "recency" in params:
            check_behaviour(params)
        if "temperature" in params:
            check_number("temperature", params["temperature"], low=0.0, open_low=True)
        if "content_recency" in params:
            check_number("content_recency", params["content_recency"], low=0.0, open_low=True)
        if "kappa" in params:
            check_number("kappa", params["kappa"], low=0.0, open_low=True)
        if params.get("newcomers") is not None:
            check_probability("newcomers", params["newcomers"])

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        counts = data.counts()
        worth = np.maximum(kind_strengths(data.kind, data.n_events, self.event_weights), 0.0)
        met = np.bincount(data.item, worth, minlength=data.n_items)
        self.base_ = (met + 1) / (met + 1).sum()  # one more for each: an item that nobody has met may yet come
        gates = self._gates(counts)
        parts: list[Part] = []
        if "content" in self._kinds:
            parts.append(self._content(data, gates["content"]))
        if "collaborative" in self._kinds:
            parts.append(self._collaborative(data, gates["collaborative"], progress))
        self.parts_ = tuple(parts)
        if "newcomers" in self.get_params(deep=False):
            given = self.newcomers
            self._welcome(data, NEWCOMERS[self._behaviour.objective] if given is None else float(given))

    def _before_growth(self, whole: Interactions) -> None:
        if "collaborative" in self._kinds:
            kept, self._kept = self._kept, None  # what is kept is used up
            self._kept = self._behaviour.keep(kept if kept and kept.data is self.data_ else None, whole)

    def _welcome(self, data: Interactions, most: float) -> None:
        """Give newcomers what they inherit, and the base that can be expected of them."""
        content, behaviour = self.parts_
        assert isinstance(content, ContentPart)
        assert isinstance(behaviour, CollaborativePart)
        found = inherit(data, content, behaviour, self._w, self._plain_values(data, behaviour), self.base_, most)
        if found is not None:
            self.parts_ = (found.content, behaviour, found.part)
            self.base_ = found.base

    def _plain_values(self, data: Interactions, behaviour: CollaborativePart) -> Callable[[], Form]:
        """Values from what people did alone. Where features took part in the fit, items that share some already speak
        for each other, and a regression of such values on features would find mostly that again (docs/log.md)."""
        if not item_features(data.items).names:
            return lambda: behaviour.form
        none, kept = np.zeros((data.n_items, 0)), self._kept
        return lambda: self._behaviour.fit(data, self.scale_, self.base_, none, kept, None)

    def _gates(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """γ of each part (M,): 1 for a part that stands alone."""
        return dict.fromkeys(self._kinds, np.ones(len(counts)))

    @property
    def _behaviour(self) -> Behaviour:
        return Behaviour.of(vars(self))

    def _collaborative(self, data: Interactions, gate: np.ndarray, progress: Progress | None) -> CollaborativePart:
        blocks = item_features(data.items).F if "content" in self._kinds else np.zeros((data.n_items, 0))
        if self._kept and self._kept.data is not data:
            self._kept = None
        form = self._behaviour.fit(data, self.scale_, self.base_, blocks, self._kept, progress)
        return self._collaborative_part(form, gate)

    def _collaborative_part(self, form: Form, gate: np.ndarray) -> CollaborativePart:
        behaviour = self._behaviour
        gate = np.where(form.row_of_item >= 0, gate, 0.0)
        return CollaborativePart(form, behaviour.tau, behaviour.beta, float(self.threshold), gate)

    @property
    def _content_tau(self) -> float:
        """Endless where the order means nothing."""
        whole = "collaborative" in self._kinds and self._behaviour.objective == "any"
        return np.inf if whole else float(self.content_recency)

    def _content(self, data: Interactions, gate: np.ndarray) -> ContentPart:
        blocks = item_features(data.items)
        features = ItemFeatures.of(blocks.names, blocks.F)
        worth = fit_feature_worths(
            features,
            data.indptr,
            data.item,
            self._likes(data),
            self.base_,
            temperature=float(self.temperature),
            tau=self._content_tau,
            beta=float(self.beta),
            rng=np.random.default_rng(self.random_state),
        )
        return self._content_part(features, worth, gate)

    def _content_part(self, features: ItemFeatures, worth: np.ndarray, gate: np.ndarray) -> ContentPart:
        return ContentPart(
            features,
            worth,
            float(self.temperature),
            self._content_tau,
            float(self.beta),
            float(self.threshold),
            gate * self.base_,
        )

    def _likes(self, events: History | Interactions) -> np.ndarray:
        """Signed strengths (n,) of events, each times that of its type."""
        n = len(events.item)
        return np.asarray(signed(events.rating, n, self.scale_) * kind_strengths(events.kind, n, self.event_weights))

    def _w(self, part: Part, history: History) -> np.ndarray:
        """Strengths (n,): content asks for likes and dislikes, behaviour for what happened; trained heads know no more
        of an event than its item and type, so a dislike is an event to them as any other."""
        if isinstance(part, ContentPart):
            return self._likes(history)
        if isinstance(part, LearnedPart):
            return kind_strengths(history.kind, len(history), self.event_weights)
        return self._behaviour.strengths(history, self.scale_)

    def _scores(self, history: History) -> np.ndarray:
        out = self.base_.copy()
        if len(history):
            for part in self.parts_:
                out += part.scores(history, self._w(part, history))
        return out

    def _scores_many(self, histories: Sequence[History]) -> np.ndarray:
        out = np.repeat(self.base_[None, :], len(histories), axis=0)
        joined = JoinedHistories.of(histories)
        for part in self.parts_:
            if isinstance(part, CollaborativePart):
                behaviour = self._behaviour
                add_collaborative_scores(part, joined, partial(behaviour.strengths, scale=self.scale_), out)
                continue
            for row, history in zip(out, histories, strict=True):
                if len(history):
                    row += part.scores(history, self._w(part, history))
        return out

    def _fields(self, history: History, targets: np.ndarray) -> list[HeadField] | None:
        if any(isinstance(part, LearnedPart) for part in self.parts_):
            return None
        return self._closed_fields(history, targets)

    def _closed_fields(self, history: History, targets: np.ndarray) -> list[HeadField]:
        """The fields of all parts but the learned one, whose queries the events make."""
        fields: list[HeadField] = []
        for part in self.parts_:
            if not isinstance(part, LearnedPart):
                fields += part.fields(history, self._w(part, history), targets)
        return fields

    def _scores_without(self, history: History, targets: np.ndarray) -> np.ndarray:
        fields = self._closed_fields(history, targets)
        out = fields_without_each(fields, history.live, self.base_[targets])
        for part in self.parts_:
            if isinstance(part, LearnedPart) and len(history):
                part.add_without_each(history, self._w(part, history), targets, out)
        return out

    def _near(self, history: History) -> Near | None:
        if float(self.threshold) > 0.0 or not len(history) or not self._streams:
            return None
        near = np.repeat(self.base_.astype(np.float32)[None, :], len(history), axis=0)
        slack = np.zeros(len(self.base_))
        for part in self.parts_:
            w = self._w(part, history)
            if isinstance(part, ContentPart):
                slack += part.size(history, w)
            elif isinstance(part, CollaborativePart):
                part.add_near_without_each(history, w, near)
            elif isinstance(part, InheritedPart):
                near[:, part.new] = self._scores_without(history, part.new).T
        slack += ROUNDED * float(np.abs(near).max())
        return Near(near, slack)

    def _reach(self, history: History, m: int) -> np.ndarray | None:
        if float(self.threshold) > 0.0 or not len(history) or not self._streams:
            return None
        reach = self.base_.copy()
        for part in self.parts_:
            w = self._w(part, history)
            if isinstance(part, ContentPart):
                reach += part.size(history, w)
            elif isinstance(part, CollaborativePart):
                reach[part.form.warm] += part.reach(history, w, m)
            elif isinstance(part, InheritedPart):
                reach[part.new] = np.inf
        return reach

    @property
    def _streams(self) -> bool:
        """Behaviour tells most of a score, and no part is learned."""
        kinds = [type(part) for part in self.parts_]
        return CollaborativePart in kinds and LearnedPart not in kinds

    def _state(self) -> dict[str, np.ndarray]:
        state = {"base": self.base_}
        for part in self.parts_:
            if isinstance(part, ContentPart):
                names = np.frombuffer("\n".join(part.features.names).encode(), np.uint8)
                state |= {"F": part.features.F, "features": names, "worth": part.worth}
            elif isinstance(part, InheritedPart):
                state |= state_of(part)
            elif isinstance(part, CollaborativePart):
                state |= part.form.state()
        return state

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.base_ = state["base"]
        M = len(self.base_)
        gates = self._gates(self.data_.counts())
        parts: list[Part] = []
        if "content" in self._kinds:
            names = tuple(state["features"].tobytes().decode().split("\n")) if len(state["features"]) else ()
            F = check_array("F", state["F"], ndim=2)
            check_same_length(items=M, rows_of_F=len(F))
            check_same_length(features=len(names), columns_of_F=F.shape[1], worths=len(state["worth"]))
            parts.append(self._content_part(ItemFeatures.of(names, F), state["worth"], gates["content"]))
        if "collaborative" in self._kinds:
            form = form_of(state, M, len(self._behaviour.tau))
            behaviour = self._collaborative_part(form, gates["collaborative"])
            parts.append(behaviour)
            if "new" in state:
                parts.append(restored(state, behaviour))
        self.parts_ = tuple(parts)

    def _cells(self, history: History, target: int) -> list[HeadCells]:
        return [cells for part in self.parts_ for cells in part.cells(history, self._w(part, history), target)]


class ContentAttention(_AttentionRecommender):
    """Target attention over item features (genre, year, …): what resembles what you liked.

    Parameters: `temperature` > 0 of the attention; `recency` of the events in positions (`content_recency`, larger =
    longer memory); `beta` in [0, 1], 1 is softmax; `threshold` in [0, 1] under which a weight counts as 0, in the
    score too; `event_weights` the strength of each event type in [−1, 1] (types it does not name: 1); `random_state`
    seeds the sampling of the fit.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> ContentAttention(random_state=0).fit(data).recommend(user=data.user_ids[0], k=2).columns.tolist()
    ['rank', 'item', 'title', 'score', 'base']
    """

    _kinds = ("content",)

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        content_recency: float = 5.0,
        beta: float = 1.0,
        threshold: float = 0.0,
        event_weights: Mapping[str, float] | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.temperature = temperature
        self.content_recency = content_recency
        self.beta = beta
        self.threshold = threshold
        self.event_weights = event_weights
        self.random_state = random_state


class CollaborativeAttention(_AttentionRecommender):
    """Closed-form heads over behaviour: what people go on to after what you did, on several time scales at once.

    `objective` says what is asked: "next", what comes next; "any", what belongs to the person at all, whatever the
    order (one head whose weights are 1; `recency` and `beta` play no part); "auto", "next" unless whoever asks says
    otherwise, as the protocols of `xattn.evaluate` do. Scores of "any" are estimates of 1 for what belongs.

    Parameters: `recency` one scale (in events) a head; `beta` in [0, 1]; `regularization` > 0, the λ of the ridge
    (default: 80 for what comes next, 150 for any); `min_events` an item needs to get values; `n_neighbors`, how many
    values a target has at most, over all heads (default: all, up to 12,000; 200 where there are more; `partial_fit`
    then starts anew); `threshold` in [0, 1];
    `dislike` in [−1, 1], the strength of an event rated in the bottom quarter of the scale (1: it counts like any
    other); `event_weights` the strength of each event type in [−1, 1] (types it does not name: 1; what is wanted next
    counts as far as it is over 0); `dtype` of the value table, "float32" or "float64".

    Values: Steck's EASE (WWW 2019) is the case of one head, β = 0 and an endless recency; the exponent β is from NAIS
    (He et al., TKDE 2018).

    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> model = CollaborativeAttention(min_events=2, regularization=1.0).fit(data)
    >>> why = model.explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> bool(abs(why.cells["contribution"].sum() + why.base - why.score) < 1e-6)
    True
    """

    _kinds = ("collaborative",)

    def __init__(
        self,
        *,
        objective: str = "auto",
        recency: tuple[float, ...] = (3.0, 20.0),
        beta: float = 0.35,
        regularization: float | None = None,
        min_events: int = 5,
        n_neighbors: int | None = None,
        threshold: float = 0.0,
        dislike: float = -0.5,
        event_weights: Mapping[str, float] | None = None,
        dtype: str = "float32",
    ) -> None:
        self.objective = objective
        self.recency = recency
        self.beta = beta
        self.regularization = regularization
        self.min_events = min_events
        self.n_neighbors = n_neighbors
        self.threshold = threshold
        self.dislike = dislike
        self.event_weights = event_weights
        self.dtype = dtype
