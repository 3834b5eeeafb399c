"""The space of `search` by default: each model and each rival declares the settings that matter.

`search` tries all values of a list, and draws from a distribution of SciPy. The linear models declare whole grids, so a
search without a number of trials goes through all of them; models with many parameters declare distributions.
"""

from __future__ import annotations

from typing import Any

from scipy import stats

from xattn.recommenders.estimator import LogRange

__all__ = ["space_of"]


def space_of(model: Any) -> dict[str, Any]:
    """The settings that a model or its class declares, each with a list or a distribution; {} where it declares none.

    >>> from xattn.recommenders import ItemKNN
    >>> space_of(ItemKNN)["n_neighbors"]
    [10, 20, 50, 100, 200]
    """
    return {
        name: stats.loguniform(*values) if isinstance(values, LogRange) else values
        for name, values in getattr(model, "search_space", {}).items()
    }
