"""The rows of a faithfulness result: means over users, their intervals, curves over K, differences to removal.

A figure that is no mean of users (F, a harmonic mean of two means) is computed again in every bootstrap draw. `paired`
holds intervals of the differences to the order by removal on the same recommendations: users differ far more from each
other than explainers do on one user, so these are several times narrower than the difference of two intervals.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xattn.evaluate.faithfulness.metrics import CURVES, SHAPES, column_names, metric_names, shares, sizes_of

__all__ = ["Measured", "row_of"]

AGAINST = "removal"


class Measured(NamedTuple):
    """`values[explainer]` (U, columns), a user's recommendations averaged; `explained` and `skipped` count those."""

    k: int
    most: int
    values: dict[str, np.ndarray]
    explained: int
    skipped: int

    @property
    def names(self) -> list[str]:
        """The columns of `values`."""
        return column_names(self.k, self.most)


def row_of(explainer: str, model: str, found: Measured, seed: int) -> dict[str, Any]:
    """One row: explainer, model, `metric_names`, ci95, paired (None for removal itself, or without it), curves."""
    values = found.values[explainer]
    names = metric_names(found.k, found.most)
    if not len(values):
        nothing: dict[str, Any] = dict.fromkeys(names)
        return {"explainer": explainer, "model": model, **nothing, "ci95": {}, "paired": None, "curves": None}
    draws = shares(len(values), seed)
    mean, drawn = _figures(found, values.mean(axis=0)), _figures(found, draws @ values)
    known = [name for name in names if not np.isnan(mean[name])]
    ends = {name: np.quantile(drawn[name], [0.025, 0.975]).tolist() for name in known}
    figures = {name: float(mean[name]) if name in ends else None for name in names}
    first = found.values.get(AGAINST)
    paired = None
    if first is not None and explainer != AGAINST:
        other = _figures(found, draws @ first)
        paired = {
            name: np.quantile(drawn[name] - other[name], [0.025, 0.975]).tolist()
            for name in known
            if not np.isnan(other[name]).any()
        }
    curves = _curves(found, values, draws)
    return {"explainer": explainer, "model": model, **figures, "ci95": ends, "paired": paired, "curves": curves}


def _figures(found: Measured, means: np.ndarray) -> dict[str, Any]:
    """The metrics of a row by name, from means of the columns: one row of means (columns,) or many (draws, columns)."""
    k, most = found.k, found.most
    own = dict(zip(found.names, means.T, strict=True))
    for K in range(1, most + 1):
        necessary, sufficient = 1.0 - own[f"pos@{k},{K}"], own[f"ps@{k},{K}"]
        both = necessary + sufficient
        own[f"pn@{k},{K}"] = necessary
        own[f"f@{k},{K}"] = 2 * necessary * sufficient / np.where(both > 0, both, 1.0)
    own["comp"] = 1.0 - np.mean([own[f"del@{K}"] for K in range(1, most + 1)], axis=0)
    own["suff"] = 1.0 - np.mean([own[f"ins@{K}"] for K in range(1, most + 1)], axis=0)
    return own


def _curves(found: Measured, values: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    """Means over all sizes K, and their intervals; None from the size on that an explainer does not name."""
    sizes = sizes_of(found.most)
    shape = {kind: next(s for s in SHAPES if s.startswith(f"{kind}@")) for kind in CURVES}
    out: dict[str, Any] = {"K": list(sizes)}
    ends: dict[str, Any] = {}
    for kind in CURVES:
        at = [found.names.index(shape[kind].format(k=found.k, K=K)) for K in sizes]
        mean = values[:, at].mean(axis=0)
        limits = np.quantile(draws @ values[:, at], [0.025, 0.975], axis=0).T
        out[kind] = [None if np.isnan(x) else float(x) for x in mean]
        ends[kind] = [None if np.isnan(x) else pair.tolist() for x, pair in zip(mean, limits, strict=True)]
    return {**out, "ci95": ends}
