"""How good one explanation is, in five figures; reports compare groups of people and thresholds by them.

del@1, del@5    what is left of the score without the strongest event, without the five strongest, by removal effect
tau             Kendall's τ of the contributions with leave-one-out
events          how many events effectively matter: exp of the entropy of all heads' weights
base_share      base / score, where the score is positive
"""

from __future__ import annotations

import numpy as np

from xattn.data import History
from xattn.evaluate.faithfulness.case import Case, Met
from xattn.evaluate.faithfulness.explainers import EXPLAINERS
from xattn.evaluate.faithfulness.masked import masked_scores
from xattn.evaluate.faithfulness.metrics import kendall
from xattn.evaluate.reports.common import effective
from xattn.recommenders import Recommender

__all__ = ["QUALITY", "quality"]

QUALITY = ("del@1", "del@5", "tau", "events", "base_share")


def quality(model: Recommender, history: History, target: int, met: Met) -> dict[str, float]:
    """The figures of one recommendation, NaN where one has no meaning: shares of a score that is not positive."""
    case = Case(model, history, target, masked_scores(model, history), met, np.random.default_rng(0), {})
    score, out = case.score(), dict.fromkeys(QUALITY, float("nan"))
    weight = np.sum([np.zeros(case.n), *(head.weight for head in model.cells_of(history, target))], axis=0)
    out["events"] = effective(weight)
    if not case.n or not score > 0:
        return out
    out["base_share"] = float(model.base_[target]) / score
    removal, contribution = (EXPLAINERS[name](case, min(5, case.n)) for name in ("removal", "contribution"))
    assert removal.strength is not None
    assert contribution.strength is not None
    out["tau"] = kendall(contribution.strength, removal.strength)
    for K in (1, 5):
        kept = ~np.isin(np.arange(case.n), removal.strongest[min(K, case.n) - 1])
        out[f"del@{K}"] = case.score(kept) / score
    return out
