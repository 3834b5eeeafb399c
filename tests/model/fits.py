"""Small fits of every model: what each of them scores, and the record of its training."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from xattn import (
    EASE,
    CollaborativeAttention,
    ContentAttention,
    HybridAttention,
    Interactions,
    ItemKNN,
    ItemTable,
    NeuralAttention,
    RecencyEASE,
    SequenceAttention,
    UserAttention,
)
from xattn.data.simulate import Tastes, simulate
from xattn.recommenders import Recommender

__all__ = ["FITS", "said", "tolerance"]

WORDS = "heist crew night robot moon dog waltz letter tank trench vault sea".split()  # noqa: SIM905


@cache
def data() -> Interactions:
    """Fifty people with stars and times over 44 items with genres, a year and a few words; three items are new."""
    ids = tuple(f"i{n}" for n in range(44))
    frame = pd.DataFrame(
        {
            "genres": ["|".join(sorted({"abcdef"[n % 6], "abcdef"[n // 6 % 6]})) for n in range(44)],
            "year": 1950.0 + (np.arange(44) * 7) % 60,
            "story": [" ".join(WORDS[(n * step) % 12] for step in (1, 5, 7)) for n in range(44)],
        }
    )
    table = ItemTable(ids, ids, frame)
    tastes = Tastes(half_life=20.0, n_events=8, loved=2)
    made = simulate(table, 50, tastes=tastes, rated=True, kinds=("view", "buy"), seed=1).data
    return made.select(~np.isin(made.item, [5, 17, 29]))


def half(first: bool) -> Interactions:
    """The events of the first or of the second half of the people."""
    return data().select((data().user < 25) == first)


def fitted_in_two(model: Recommender) -> Recommender:
    """What one half of the people taught, and then the other."""
    return model.fit(half(True)).partial_fit(half(False))


WIDE: dict[str, Any] = {"min_events": 2, "regularization": 1.0, "dtype": "float64", "dislike": -0.5}
NET: dict[str, Any] = {"hidden_size": 4, "epochs": 3, "dtype": "float64", "batch_size": 8, "negatives": 8}
SEQ: dict[str, Any] = {"hidden_size": 8, "heads": 2, "key_size": 4, "epochs": 2, "min_events": 2, "batch_events": 60}

FITS: dict[str, Callable[[], Recommender]] = {
    "hybrid": lambda: HybridAttention(**WIDE, learned="never", objective="next").fit(data()),
    "hybrid, any": lambda: HybridAttention(**WIDE, learned="never", objective="any", newcomers=0.1).fit(data()),
    "hybrid, blocks": lambda: HybridAttention(**WIDE, learned="never", fusion="softmax", half_life=9.0).fit(data()),
    "hybrid, chosen": lambda: HybridAttention(learned="never", dtype="float64").fit(data()),
    "hybrid, sparse": lambda: HybridAttention(**WIDE, learned="never", n_neighbors=6).fit(data()),
    "hybrid, any, sparse": lambda: HybridAttention(**WIDE, learned="never", objective="any", n_neighbors=6).fit(data()),
    "collaborative": lambda: CollaborativeAttention(**WIDE, objective="next").fit(data()),
    "collaborative, any": lambda: CollaborativeAttention(**WIDE, objective="any").fit(data()),
    "collaborative, any, few people": lambda: CollaborativeAttention(**WIDE, objective="any").fit(half(True)),
    "collaborative, in two": lambda: fitted_in_two(CollaborativeAttention(**WIDE, objective="next")),
    "collaborative, in two, sparse": lambda: fitted_in_two(
        CollaborativeAttention(**WIDE, objective="next", n_neighbors=6)
    ),
    "collaborative, float32": lambda: CollaborativeAttention(min_events=2, objective="any").fit(data()),
    "collaborative, float32, next": lambda: CollaborativeAttention(min_events=2, objective="next").fit(data()),
    "content": lambda: ContentAttention(event_weights={"buy": 1.0, "view": 0.5}).fit(data()),
    "content, blocks": lambda: ContentAttention(fusion="softmax", content_recency=3.0, threshold=0.05).fit(data()),
    "users": lambda: UserAttention(temperature=0.1).fit(data()),
    "item knn": lambda: ItemKNN(n_neighbors=6, shrink=3.0).fit(data()),
    "ease": lambda: EASE(regularization=5.0, dtype="float64").fit(data()),
    "ease, float32": lambda: EASE(regularization=5.0).fit(data()),
    "ease, sparse": lambda: EASE(regularization=5.0, dtype="float64", n_neighbors=6).fit(data()),
    "recency ease": lambda: RecencyEASE(regularization=5.0, dtype="float64").fit(data()),
    "neural, like": lambda: NeuralAttention(**NET, objective="like").fit(data()),
    "neural, next": lambda: NeuralAttention(**NET, objective="next").fit(data()),
    "neural, to the end": lambda: NeuralAttention(**NET, objective="next", early_stopping=False).fit(data()),
    "sequence": lambda: SequenceAttention(**SEQ).fit(data()),
    "sequence, pairs": lambda: SequenceAttention(**SEQ, loss="bpr", optimizer="adam", window=5).fit(data()),
    "sequence, sampled": lambda: SequenceAttention(**SEQ, negatives=9, weight_decay=0.01).fit(data()),
    "sequence, target": lambda: SequenceAttention(**SEQ, query="target", window=9).fit(data()),
    "sequence, blocks": lambda: SequenceAttention(**SEQ, encoder_blocks=1, weight_dropout=0.1).fit(data()),
    "hybrid, learned": lambda: HybridAttention(
        min_events=2, regularization=1e3, learned="always", encoder_blocks=0, dislike=-0.5
    ).fit(data()),
}


def tolerance(name: str) -> float:
    """What another machine may differ by: sums in another order, in float64; or in float32, over some steps of Adam."""
    return 2e-3 if name.startswith("sequence") or "learned" in name else 1e-5 if "float32" in name else 1e-7


def said(name: str) -> list[float]:
    """The scores of three people for twelve items, the new ones among them; then the record of the training."""
    model = FITS[name]()
    items = np.r_[0:9, 5, 17, 29]
    found = [float(x) for user in (3, 20, 41) for x in model.scores_of(model.history(f"p{user + 1}"))[items]]
    record = getattr(model, "training_", None) or getattr(model, "epochs_", None) or []
    for epoch in record:  # rates are small, so by their logarithm
        found += [float(epoch.number), epoch.loss, float(np.log(epoch.lr))]
        found += [] if epoch.validation is None else [epoch.validation]
    return found
