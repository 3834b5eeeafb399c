"""Every recommender with parameters that suit small planted data, and the checks that all of them must pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from sklearn.base import clone

from xattn import (
    EASE,
    CollaborativeAttention,
    ContentAttention,
    History,
    HybridAttention,
    ItemKNN,
    Ledger,
    NeuralAttention,
    Popularity,
    RecencyEASE,
    SequenceAttention,
    UserAttention,
)
from xattn.data.synthetic import planted
from xattn.recommenders import Recommender
from xattn.recommenders.registry import OWN, model_class

MODELS: dict[str, Callable[[], Recommender]] = {
    "content": lambda: ContentAttention(),
    "content by blocks": lambda: ContentAttention(fusion="softmax"),
    "content sharp": lambda: ContentAttention(temperature=0.1, content_recency=2.0, threshold=0.05),
    "collaborative": lambda: CollaborativeAttention(min_events=2, regularization=1.0),
    "collaborative one head": lambda: CollaborativeAttention(recency=(4.0,), beta=1.0, min_events=2, threshold=0.1),
    "collaborative f64": lambda: CollaborativeAttention(min_events=2, regularization=1.0, dtype="float64"),
    "collaborative any": lambda: CollaborativeAttention(objective="any", min_events=2, regularization=5.0),
    "hybrid": lambda: HybridAttention(min_events=2, regularization=1.0),
    "hybrid any": lambda: HybridAttention(
        objective="any", min_events=20, kappa=5.0, regularization=5.0, dtype="float64"
    ),
    "hybrid cold": lambda: HybridAttention(min_events=40, kappa=20.0, regularization=1.0, beta=0.7, dtype="float64"),
    "collaborative sparse": lambda: CollaborativeAttention(min_events=2, regularization=1.0, n_neighbors=7),
    "hybrid sparse": lambda: HybridAttention(min_events=2, n_neighbors=5, dtype="float64"),
    "hybrid any sparse": lambda: HybridAttention(objective="any", min_events=20, kappa=5.0, n_neighbors=5),
    "ease sparse": lambda: EASE(regularization=10.0, n_neighbors=5, dtype="float64"),
    "users": lambda: UserAttention(temperature=0.1),
    "users threshold": lambda: UserAttention(temperature=0.3, threshold=0.02),
    "item knn": lambda: ItemKNN(n_neighbors=8),
    "neural": lambda: NeuralAttention(hidden_size=4, epochs=4),
    "neural next": lambda: NeuralAttention(
        objective="next", hidden_size=4, threshold=0.1, beta=0.8, epochs=3, dtype="float64"
    ),
    "ease": lambda: EASE(regularization=10.0),
    "ease f64": lambda: EASE(regularization=10.0, dtype="float64"),
    "recency ease": lambda: RecencyEASE(regularization=10.0, recency=3.0),
    "sequence": lambda: SequenceAttention(hidden_size=8, heads=2, key_size=4, epochs=2, min_events=2),
    "sequence window": lambda: SequenceAttention(
        hidden_size=8, heads=3, window=5, query_events=3, threshold=0.15, loss="bpr", epochs=2, min_events=4
    ),
    "sequence target": lambda: SequenceAttention(
        query="target", hidden_size=8, heads=2, key_size=4, window=20, epochs=2, min_events=3
    ),
    "sequence deep": lambda: SequenceAttention(
        encoder_blocks=1, hidden_size=8, heads=2, key_size=4, window=12, epochs=2, min_events=2
    ),
    "hybrid learned": lambda: HybridAttention(  # a closed form so weak that the learned heads are worth having
        min_events=2, regularization=1e4, learned="always", encoder_blocks=0, dislike=-0.5
    ),
    "popularity": lambda: Popularity(),
}
_tuned = {type(make()).__name__ for make in MODELS.values()}
MODELS |= {name: model_class(name) for name in OWN if name not in _tuned}  # a new model is tested with its defaults
SINGLE = {
    "collaborative",
    "collaborative any",
    "collaborative one head",
    "hybrid",
    "hybrid learned",
    "collaborative sparse",
    "hybrid any sparse",
    "ease",
    "recency ease",
}  # value tables in float32


@cache
def fitted(name: str, kind: str = "genre") -> Recommender:
    """A model on planted data, fitted once a process and never changed."""
    return MODELS[name]().fit(planted(kind, n_users=120, seed=0).data)


def tolerance(score: float, single: bool) -> float:
    """The promise: 1e-5 relative to max(1, |score|) where values are float32, 1e-10 where they are float64."""
    return (1e-5 if single else 1e-10) * max(1.0, abs(score))


def assert_adds_up(ledger: Ledger, served: float, single: bool) -> None:
    """Base and cells sum to the served score."""
    total = ledger.base + ledger.cells["contribution"].sum()
    assert abs(total - served) <= tolerance(served, single), f"cells and base give {total}, served {served}"
    factors = ledger.cells[["gate", "weight", "strength", "value"]].prod(axis=1)
    np.testing.assert_allclose(ledger.cells["contribution"], factors, rtol=1e-9, atol=1e-300)


def assert_removals_hold(model: Recommender, history: History, target: int, single: bool) -> None:
    """The announced score without each event is what the model serves for the masked history."""
    announced = model.scores_without_each(history, np.array([target]))[0]
    for position in range(len(history)):
        served = model.scores_of(history.without([position]))[target]
        gap = abs(announced[position] - served)
        assert gap <= tolerance(served, single), f"event {position}: announced {announced[position]}, served {served}"


def with_what_was_chosen(model: Recommender) -> Recommender:
    """An unfitted model of the same settings, in which a dislike counts what it counts in `model`."""
    again: Recommender = clone(model)
    return (
        again.set_params(dislike=model.dislike_)
        if "dislike" in again.get_params() and hasattr(model, "dislike_")
        else again
    )
