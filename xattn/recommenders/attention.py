"""Attention recommenders: content, collaborative, and the hybrid of the two behind a gate of evidence.

    s(u, j) = b_j + γ_j · collaborative_j + (1 − γ_j) · content_j,      γ_j = n_j / (n_j + κ)      (model.md, eq. 3)

Each is a base plus *parts*; a part yields fields (for scores and removals) and cells (for the ledger). With one part,
its gate is 1. The base is the share of all events that an item has: how often it comes next for no reason that the
history gives.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import (
    InputError,
    check_array,
    check_choice,
    check_index_array,
    check_number,
    check_probability,
    check_same_length,
    check_whole,
)
from xattn.features import item_features
from xattn.model.closed_form import ClosedForm, Progress, fit_closed_form, warm_items
from xattn.model.collaborative import CollaborativePart
from xattn.model.content import ContentPart, ItemFeatures, fit_feature_worths
from xattn.model.head import HeadCells, HeadField, fields_without_each
from xattn.model.strength import presence, signed
from xattn.recommenders.base import Recommender

__all__ = ["CollaborativeAttention", "ContentAttention", "HybridAttention"]

Part = CollaborativePart | ContentPart
MOST_PENALTY = 1e12  # above, float32 has no digits left for the data
MOST_UNKNOWNS = 12_000  # rows of the ridge problem, heads × items: 12,000² float32 are 0.6 GB and 10–15 s on two cores


class _AttentionRecommender(Recommender):
    """A base plus parts; subclasses say which parts they fit."""

    _kinds: ClassVar[tuple[str, ...]]
    parts_: tuple[Part, ...]

    def _check_params(self) -> None:
        params = self.get_params()
        check_probability("beta", params["beta"])
        check_probability("threshold", params["threshold"])
        if "recency" in params:
            recency = params["recency"]
            if not isinstance(recency, (tuple, list)) or not recency:
                raise InputError(f"`recency` must be a tuple of at least one number of events; got {recency!r}.")
            for tau in recency:
                check_number("recency", tau, low=0.0, open_low=True)
            check_number("regularization", params["regularization"], low=0.0, high=MOST_PENALTY, open_low=True)
            check_number("dislike", params["dislike"], low=-1.0, high=1.0)
            check_whole("min_events", params["min_events"], low=1)
            check_choice("dtype", params["dtype"], ("float32", "float64"))
        if "temperature" in params:
            check_number("temperature", params["temperature"], low=0.0, open_low=True)
        if "content_recency" in params:
            check_number("content_recency", params["content_recency"], low=0.0, open_low=True)
        if "kappa" in params:
            check_number("kappa", params["kappa"], low=0.0, open_low=True)

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        counts = data.counts()
        self.base_ = (counts + 1) / (counts + 1).sum()  # one more for each: an item that nobody has met may yet come
        gates = self._gates(counts)
        parts: list[Part] = []
        if "content" in self._kinds:
            parts.append(self._content(data, gates["content"]))
        if "collaborative" in self._kinds:
            parts.append(self._collaborative(data, counts, gates["collaborative"], progress))
        self.parts_ = tuple(parts)

    def _gates(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """γ of each part (M,): 1 for a part that stands alone."""
        return dict.fromkeys(self._kinds, np.ones(len(counts)))

    def _collaborative(
        self, data: Interactions, counts: np.ndarray, gate: np.ndarray, progress: Progress | None
    ) -> CollaborativePart:
        tau = tuple(float(t) for t in self.recency)
        form = fit_closed_form(
            data.indptr,
            data.item,
            np.ones((len(tau), data.n_events)),
            self.base_,
            warm_items(counts, self.min_events, MOST_UNKNOWNS // len(tau)),
            tau=np.array(tau),
            beta=np.full(len(tau), float(self.beta)),
            lam=float(self.regularization),
            dtype=np.dtype(self.dtype).type,
            progress=progress,
        )
        return self._collaborative_part(form, gate)

    def _collaborative_part(self, form: ClosedForm, gate: np.ndarray) -> CollaborativePart:
        tau = tuple(float(t) for t in self.recency)
        gate = np.where(form.row_of_item >= 0, gate, 0.0)
        return CollaborativePart(form, tau, float(self.beta), float(self.threshold), gate)

    def _content(self, data: Interactions, gate: np.ndarray) -> ContentPart:
        blocks = item_features(data.items)
        features = ItemFeatures.of(blocks.names, blocks.F)
        worth = fit_feature_worths(
            features,
            data.indptr,
            data.item,
            signed(data.rating, data.n_events, self.scale_),
            self.base_,
            temperature=float(self.temperature),
            tau=float(self.content_recency),
            beta=float(self.beta),
            rng=np.random.default_rng(self.random_state),
        )
        return self._content_part(features, worth, gate)

    def _content_part(self, features: ItemFeatures, worth: np.ndarray, gate: np.ndarray) -> ContentPart:
        return ContentPart(
            features,
            worth,
            float(self.temperature),
            float(self.content_recency),
            float(self.beta),
            float(self.threshold),
            gate * self.base_,
        )

    def _w(self, part: Part, history: History) -> np.ndarray:
        """Strengths (n,): content asks for likes and dislikes, behaviour for what happened."""
        if isinstance(part, ContentPart):
            return signed(history.rating, len(history), self.scale_)
        return presence(history.rating, len(history), self.scale_, float(self.dislike))

    def _scores(self, history: History) -> np.ndarray:
        out = self.base_.copy()
        if len(history):
            for part in self.parts_:
                out += part.scores(history, self._w(part, history))
        return out

    def _scores_without(self, history: History, targets: np.ndarray) -> np.ndarray:
        fields: list[HeadField] = []
        for part in self.parts_:
            fields += part.fields(history, self._w(part, history), targets)
        return fields_without_each(fields, history.live, self.base_[targets])

    def _state(self) -> dict[str, np.ndarray]:
        state = {"base": self.base_}
        for part in self.parts_:
            if isinstance(part, ContentPart):
                names = np.frombuffer("\n".join(part.features.names).encode(), np.uint8)
                state |= {"F": part.features.F, "features": names, "worth": part.worth}
            else:
                state |= {"warm": part.form.warm, "V": part.form.V}
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
            warm = check_index_array("warm", state["warm"], size=M)
            V = check_array("V", state["V"], ndim=3)
            if V.shape != (len(self.recency), len(warm), len(warm)):
                raise InputError(f"`V` must hold heads × items × items; got {V.shape}.")
            row_of_item = np.full(M, -1, np.int64)
            row_of_item[warm] = np.arange(len(warm))
            parts.append(self._collaborative_part(ClosedForm(warm, row_of_item, V), gates["collaborative"]))
        self.parts_ = tuple(parts)

    def _cells(self, history: History, target: int) -> list[HeadCells]:
        return [cells for part in self.parts_ for cells in part.cells(history, self._w(part, history), target)]


class ContentAttention(_AttentionRecommender):
    """Target attention over item features (genre, year, …): what resembles what you liked.

    Parameters: `temperature` > 0 of the attention; `recency` of the events in positions (`content_recency`, larger =
    longer memory); `beta` in [0, 1], 1 is softmax; `threshold` in [0, 1] under which a weight counts as 0, in the
    score too; `random_state` seeds the sampling of the fit.

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
        random_state: int | None = 0,
    ) -> None:
        self.temperature = temperature
        self.content_recency = content_recency
        self.beta = beta
        self.threshold = threshold
        self.random_state = random_state


class CollaborativeAttention(_AttentionRecommender):
    """Closed-form heads over behaviour: what people go on to after what you did, on several time scales at once.

    Parameters: `recency` one scale (in events) a head; `beta` in [0, 1]; `regularization` > 0, the λ of the ridge;
    `min_events` an item needs to get values; `threshold` in [0, 1]; `dislike` in [−1, 1], the strength of an event
    rated in the bottom quarter of the scale (1: it counts like any other); `dtype` of the value table, "float32" or
    "float64".

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
        recency: tuple[float, ...] = (3.0, 20.0),
        beta: float = 0.35,
        regularization: float = 80.0,
        min_events: int = 5,
        threshold: float = 0.0,
        dislike: float = -0.5,
        dtype: str = "float32",
    ) -> None:
        self.recency = recency
        self.beta = beta
        self.regularization = regularization
        self.min_events = min_events
        self.threshold = threshold
        self.dislike = dislike
        self.dtype = dtype


class HybridAttention(_AttentionRecommender):
    """The default model: collaborative heads where an item has been seen often, the content head where it has not.

    The gate γ_j = n_j/(n_j + κ) says how much of each: an item with `kappa` events is carried by both alike, one that
    nobody has met by content alone. The other parameters are those of CollaborativeAttention and ContentAttention.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> HybridAttention().fit(data).recommend(history=[data.items.ids[0]], k=3)["rank"].tolist()
    [1, 2, 3]
    """

    _kinds = ("content", "collaborative")

    def __init__(
        self,
        *,
        recency: tuple[float, ...] = (3.0, 20.0),
        beta: float = 0.35,
        regularization: float = 80.0,
        min_events: int = 5,
        kappa: float = 1.0,
        temperature: float = 1.0,
        content_recency: float = 5.0,
        threshold: float = 0.0,
        dislike: float = -0.5,
        dtype: str = "float32",
        random_state: int | None = 0,
    ) -> None:
        self.recency = recency
        self.beta = beta
        self.regularization = regularization
        self.min_events = min_events
        self.kappa = kappa
        self.temperature = temperature
        self.content_recency = content_recency
        self.threshold = threshold
        self.dislike = dislike
        self.dtype = dtype
        self.random_state = random_state

    def _gates(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        warm = warm_items(counts, self.min_events, MOST_UNKNOWNS // len(self.recency))
        gamma = np.zeros(len(counts))
        gamma[warm] = counts[warm] / (counts[warm] + float(self.kappa))
        return {"collaborative": gamma, "content": 1.0 - gamma}
