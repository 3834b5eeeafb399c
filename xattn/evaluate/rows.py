"""The last entries of every row of a comparison: intervals, p values against the first model, seconds, memory."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from xattn.evaluate.bootstrap import limits, versus
from xattn.evaluate.memory import peak_megabytes

__all__ = ["row_end"]


def row_end(
    names: Collection[str], drawn: np.ndarray, first: np.ndarray | None, fit_s: float, score_s: float
) -> dict[str, Any]:
    """The last entries of a model's row, from draws (draws, S) of its metrics `names`.

    `first` are the draws of the first model; None for the first model itself, which has nothing to be held against.
    """
    return {
        "ci95": dict(zip(names, limits(drawn).tolist(), strict=True)),
        "versus_first": None if first is None else versus(names, drawn, first),
        "fit_s": fit_s,
        "score_s": score_s,
        "peak_mb": peak_megabytes(),
    }
