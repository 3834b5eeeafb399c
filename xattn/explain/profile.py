"""A fused profile: what the attended events have in common, feature by feature.

    P_f = Σ_i a_i w_i F_{x_i f}        a: shares of attention, w: signed strengths, F: item features (M, d)

It is the article's weighted fusion (§4.3, step 4) on named features: positive where liked events meet, negative where
disliked ones do. It describes the history; the ledger, not the profile, says what moved a score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from xattn.data import FeatureSet, History
from xattn.errors import check_array, check_same_length
from xattn.kernels.fusion import fuse_multiply
from xattn.model.strength import RatingScale, signed

__all__ = ["Profile", "fused_profile"]


@dataclass(frozen=True, eq=False)
class Profile:
    """`total` (feature → amount, strongest likes first) and `contributions` (position of the event × feature, the same
    columns), which add up to it. Features that no live event has are left out."""

    total: pd.Series
    contributions: pd.DataFrame

    def __repr__(self) -> str:
        return f"<Profile: {len(self.contributions)} events, {len(self.total)} features>"


def fused_profile(history: History, weight: np.ndarray, features: FeatureSet, scale: RatingScale) -> Profile:
    """The profile of the live events of `history`, with `weight` (n,) of attention each, over `features` of the items.

    `scale` is the rating scale that signs the strengths. Raises InputError when `weight` is not n finite numbers.

    >>> import pandas as pd
    >>> from xattn.data import Interactions, ItemTable
    >>> from xattn.features import feature_set
    >>> items = ItemTable(("a", "b"), ("A", "B"), pd.DataFrame({"genre": ["War", "War|Noir"]}))
    >>> data = Interactions.from_frame(pd.DataFrame({"user": "u", "item": ["a", "b"], "rating": [5.0, 1.0]}), items)
    >>> history = History.given(data, [("a", 5.0), ("b", 1.0)])
    >>> p = fused_profile(history, np.array([0.6, 0.4]), feature_set(items), RatingScale(1.0, 5.0))
    >>> p.total.round(3).to_dict()
    {'genre: War': 0.2}
    """
    a = check_array("weight", weight, ndim=1, dtype=np.float64)
    check_same_length(weight=a.size, history=len(history))
    live = np.flatnonzero(history.live)
    F = features.dense(history.item[live])
    w = signed(history.rating, len(history), scale)[live]
    fused, terms = fuse_multiply(a[live][None], np.ascontiguousarray(F * w[:, None]), np.ones((1, live.size), np.bool_))
    order = np.argsort(-fused[0], kind="stable")
    order = order[(F != 0).any(axis=0)[order]]
    names = [features.names[f] for f in order]
    contributions = pd.DataFrame(terms[0][:, order], index=pd.Index(live, name="position"), columns=names)
    return Profile(pd.Series(fused[0][order], index=names, name="profile"), contributions)
