"""The heads of a model as the page shows them: which can be muted, and what share of a score each has."""

from __future__ import annotations

import pandas as pd

from xattn.explain import Ledger
from xattn.recommenders import Recommender

__all__ = ["attention", "head_names", "shares"]


def attention(why: Ledger) -> dict[str, float]:
    """By head, its share of the attention of all heads together."""
    live = why.history.live
    weights: dict[str, float] = {}
    for head in why.heads:
        weights[head.name] = weights.get(head.name, 0.0) + float(head.weight[live].sum())
    total = sum(weights.values()) or 1.0
    return {name: weight / total for name, weight in weights.items()}


def head_names(fitted: Recommender) -> tuple[str, ...]:
    """The heads that can be muted one by one; none where the model has fewer than two."""
    names = fitted.head_groups
    return names if len(names) > 1 else ()


def shares(why: Ledger) -> pd.DataFrame:
    """One row a head: head, contribution, share (of the sum of all heads' absolute contributions), attention (share of
    the attention of all heads together); largest share first."""
    frame = why.by("head")[["head", "contribution"]]
    size = float(frame["contribution"].abs().sum())
    frame["share"] = frame["contribution"].abs() / (size if size > 0 else 1.0)
    frame["attention"] = frame["head"].map(attention(why)).fillna(0.0)
    return frame.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)
