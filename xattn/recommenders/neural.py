"""The article's neural network with users that are pooled from their events (docs/model.md, eq. 23).

    s(u, j) = b_j + Σ_h Σ_i a_hi w_hi (⟨P_hx, Q_j⟩ + c_hx),     σ(s) = the chance of a "yes"

Scores are log-odds. What "yes" means is the `objective`: that the person likes the item, or that it is what they do
next.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from xattn.data import History, Interactions, JoinedHistories
from xattn.errors import check_array, check_mask, refuse
from xattn.errors.constraints import (
    DTYPE,
    POSITIVE,
    PROBABILITY,
    SEED,
    Choice,
    Flag,
    Optional,
    Range,
    Whole,
    constraints,
)
from xattn.model.fit.article import Learned, Lesson, Setting, fit_network
from xattn.model.fit.training import Epoch, epochs_of, epochs_table
from xattn.model.heads.article import ArticleNetwork
from xattn.model.strength import UNRATED, signed
from xattn.progress import Progress
from xattn.recommenders.additive import Additive

__all__ = ["NeuralAttention"]

LIKED = 2 / 3  # of the way up the scale: 3.5 from 0.5 to 5, and 4 of five whole stars
ROUNDING = 1e-9
HELD = 0.1  # share of the events that "like" is validated on


class NeuralAttention(Additive):
    """Embeddings and attention learned by gradient descent: Adam on the binary cross-entropy, as in the article.

    Parameters:

        objective       what is learned: "like" (would this person like the item, from ratings), "next" (is it what
                        they do next), or "auto", which is "like" where the data holds likes and dislikes and "next"
                        elsewhere
        hidden_size     ≥ 1, the length of the embeddings
        learning_rate   > 0, of Adam
        threshold       from 0 to 1: a weight under it counts as 0, in the score too
        beta            from 0 to 1, the exponent β of the weights; 1 is softmax
        regularization  ≥ 0, the λ of the squared lengths
        epochs          ≥ 1, passes at most
        batch_size      ≥ 1, users a step
        negatives       ≥ 1, sampled items a step ("next")
        like_from       the least rating that is a like; None: the upper third of the scale
        early_stopping  true or false: stop after `patience` epochs without a better validation figure
        patience        ≥ 1, epochs
        dtype           "float32" or "float64", the type of the parameters
        random_state    a whole number, the seed; None: another run each time

    "like" puts first what the person would like best, known or not; what they are likely to take up is "next".

    Attributes after `fit`: `target_`, "like" or "next"; `training_`, a record of each epoch (number, loss, lr,
    validation). Source: the article, §5; asymmetric SVD (Koren, KDD 2008) is the case without attention.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> model = NeuralAttention(epochs=2).fit(data)
    >>> model.target_, [epoch.number for epoch in model.training_]
    ('like', [1, 2])
    >>> why = model.explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> bool(abs(why.cells["contribution"].sum() + why.base - why.score) < 1e-9)
    True
    """

    target_: str
    training_: list[Epoch]

    quick = False
    gaps = frozenset({"training"})
    _renamed = MappingProxyType({"attention_threshold": "threshold", "target": "objective"})
    settings_for = MappingProxyType({"next": {"objective": "next"}, "any": {"objective": "next"}})
    _constraints = constraints(
        objective=Choice(("auto", "like", "next")),
        learning_rate=POSITIVE,
        threshold=PROBABILITY,
        beta=PROBABILITY,
        regularization=Range(0.0),
        **dict.fromkeys(("hidden_size", "epochs", "batch_size", "negatives", "patience"), Whole(1)),
        like_from=Optional(Range()),
        early_stopping=Flag(),
        dtype=DTYPE,
        random_state=SEED,
    )

    def __init__(
        self,
        *,
        objective: str = "auto",
        hidden_size: int = 32,
        learning_rate: float = 0.003,
        threshold: float = 0.0,
        beta: float = 0.5,
        regularization: float = 0.015,
        epochs: int = 60,
        batch_size: int = 32,
        negatives: int = 256,
        like_from: float | None = None,
        early_stopping: bool = True,
        patience: int = 4,
        dtype: str = "float32",
        random_state: int | None = 0,
    ) -> None:
        self.objective = objective
        self.hidden_size = hidden_size
        self.learning_rate = learning_rate
        self.threshold = threshold
        self.beta = beta
        self.regularization = regularization
        self.epochs = epochs
        self.batch_size = batch_size
        self.negatives = negatives
        self.like_from = like_from
        self.early_stopping = early_stopping
        self.patience = patience
        self.dtype = dtype
        self.random_state = random_state

    # --- fit ---------------------------------------------------------------------------------------------------------

    def _fit(self, data: Interactions, progress: Progress) -> None:
        rng = np.random.default_rng(self.random_state)
        label = self._labels(data)
        lesson = Lesson(
            data.indptr,
            data.item,
            self._w(data.rating, data.n_events).astype(self.dtype),
            None if label is None else label.astype(self.dtype),
            self._held(data, label is None, rng),
            data.n_items,
        )
        setting = Setting(
            hidden_size=int(self.hidden_size),
            beta=float(self.beta),
            learning_rate=float(self.learning_rate),
            regularization=float(self.regularization),
            epochs=int(self.epochs),
            batch_size=int(self.batch_size),
            negatives=int(self.negatives),
            patience=int(self.patience),
            dtype=self.dtype,
        )
        learned = fit_network(lesson, setting, rng, progress)
        self._keep(learned)
        self.target_ = "next" if label is None else "like"
        self.training_ = learned.epochs

    def _labels(self, data: Interactions) -> np.ndarray | None:
        """(N,) how much of a "yes" each event is; None where the target is what comes next.

        Half of it is whether the event is liked, half where its rating stands on the scale: that a 5 says more than a
        3.5 helps to tell likes from dislikes (docs/log.md).
        """
        low, high = self.scale_[:2]
        if self.objective == "next" or data.rating is None or high <= low:
            self._check_target("no_ratings_on_a_scale")
            return None
        least = low + LIKED * (high - low) if self.like_from is None else float(self.like_from)
        rated, liked = ~np.isnan(data.rating), data.rating >= least - ROUNDING
        if liked[rated].all() or not liked.any():
            self._check_target("all_liked" if liked.any() else "none_liked")
            return None
        label: np.ndarray = (liked + np.where(rated, (data.rating - low) / (high - low), (UNRATED + 1.0) / 2)) / 2
        return label

    def _check_target(self, found: str) -> None:
        """Data without likes and dislikes is refused where they were asked for."""
        if self.objective == "like":
            refuse("no_opinions", found=found)

    def _held(self, data: Interactions, last: bool, rng: np.random.Generator) -> np.ndarray:
        """(N,) bool: the validation events: of "like" a random tenth, of "next" the last one of each longer history."""
        held = np.zeros(data.n_events, bool)
        if not self.early_stopping:
            return held
        if last:
            held[data.indptr[1:][np.diff(data.indptr) >= 3] - 1] = True
        else:
            held[rng.permutation(data.n_events)[: int(HELD * data.n_events)]] = True
        return held

    def _keep(self, learned: Learned) -> None:
        params = {name: table.astype(np.float64) for name, table in learned.params.items()}
        heads = range(len(params["phi"]))
        self._build(
            params["Q"][:, -1] + learned.offset,
            params["Q"][:, :-1],
            np.stack([params[f"P{h}"] for h in heads]),
            np.stack([params[f"k{h}"][:, 0] for h in heads]),
            np.exp(params["phi"]),
        )

    def _build(self, b: np.ndarray, Q: np.ndarray, P: np.ndarray, k: np.ndarray, rate: np.ndarray) -> None:
        Q1 = np.hstack([Q, np.ones((len(Q), 1))])
        self.parts_ = (ArticleNetwork(Q1, P, k, rate, float(self.beta), float(self.threshold)),)
        self.base_ = b

    def _strength(self, asked: str, events: History | JoinedHistories) -> np.ndarray:
        return self._w(events.rating, len(events.item))

    def _w(self, rating: np.ndarray | None, n: int) -> np.ndarray:
        """Strengths (H, n): that it was chosen, and on a rating scale what was thought of it."""
        heads = [np.ones(n)]
        if self.scale_.high > self.scale_.low or self.scale_.lasts:
            heads.append(signed(rating, n, self.scale_))
        return np.array(heads)

    # --- files -------------------------------------------------------------------------------------------------------

    def _state(self) -> dict[str, np.ndarray]:
        state = super()._state()
        tables = {name: state[name].astype(self.dtype) for name in ("Q", "P", "k")}
        liked = np.array([self.target_ == "like"])
        return state | tables | {"liked": liked, "training": epochs_table(self.training_)}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        super()._restore({**state, "base": state["base"] if "base" in state else state["b"]})  # as it was called before

    def _restore_parts(self, state: dict[str, np.ndarray]) -> None:
        M, d = self.data_.n_items, int(self.hidden_size)
        H = len(self._w(None, 0))
        shapes = {"Q": (M, d), "P": (H, M, d + 1), "k": (H, M), "rate": (H,)}
        arrays = {}
        for name, shape in shapes.items():
            arrays[name] = check_array(name, state[name], ndim=len(shape), dtype=np.float64)
            if arrays[name].shape != shape:
                refuse("shape", name=name, wanted=shape, got=arrays[name].shape)
        if arrays["rate"].min() < 0:
            refuse("negative", name="rate", got=arrays["rate"].min())
        self._build(self.base_, **arrays)
        self.target_ = "like" if check_mask("liked", state["liked"], size=1)[0] else "next"
        self.training_ = epochs_of("training", state["training"])
