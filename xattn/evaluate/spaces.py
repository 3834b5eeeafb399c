"""Where `search` looks when it is not told: of each model the parameters that matter, and their range.

A list is tried as it stands; a distribution of SciPy is drawn from. Grids of the linear models are whole, so that a
search without a number of trials goes through all of them; what takes many parameters is drawn at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy import stats

__all__ = ["SPACES"]

PENALTIES = [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]

SPACES: dict[str, Mapping[str, Any]] = {
    "ALS": {
        "factors": [8, 16, 32, 64, 128],
        "regularization": stats.loguniform(1e-2, 1e2),
        "alpha": stats.loguniform(0.3, 30.0),
        "iterations": [10, 15, 30],
    },
    "BPR": {
        "factors": [32, 64, 128, 256],
        "learning_rate": stats.loguniform(3e-3, 0.1),
        "regularization": stats.loguniform(1e-3, 0.1),
        "iterations": [25, 50, 100, 200],
    },
    "SASRec": {
        "dimensions": [32, 64, 128],
        "blocks": [1, 2],
        "dropout": [0.2, 0.35, 0.5],
        "learning_rate": stats.loguniform(5e-4, 4e-3),
    },
    "EASE": {"regularization": PENALTIES},
    "RecencyEASE": {"regularization": PENALTIES, "recency": [1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 40.0, 80.0]},
    "ItemKNN": {"neighbours": [10, 20, 50, 100, 200], "shrink": [0.0, 3.0, 10.0, 30.0, 100.0]},
    "UserAttention": {"temperature": [0.002, 0.005, 0.01, 0.02, 0.05, 0.1]},
    "ContentAttention": {"temperature": [0.1, 0.3, 1.0, 3.0], "content_recency": [2.0, 5.0, 20.0, 100.0]},
    "CollaborativeAttention": {
        "recency": [(3.0, 20.0), (2.0, 10.0), (1.0, 6.0), (5.0, 50.0)],
        "beta": [0.2, 0.35, 0.5, 0.7, 1.0],
        "regularization": stats.loguniform(10.0, 1000.0),
    },
    "HybridAttention": {
        "recency": [(3.0, 20.0), (2.0, 10.0), (1.0, 6.0), (5.0, 50.0)],
        "beta": [0.2, 0.35, 0.5, 0.7, 1.0],
        "regularization": stats.loguniform(10.0, 1000.0),
        "kappa": [0.5, 1.0, 2.0, 5.0],
    },
}
