"""Values for newcomers, items without events, by regression on item features (docs/model.md, eq. 24–26).

The values V_h[x, ·] of the items that have some are regressed on their features, row by row: D_h[x, f] is the effect of
an event with x on items with feature f, l_h[x] its effect on any item.

Ridge regression shrinks: predicted values vary less than the values themselves, so a newcomer would hardly ever pass
the others. The factor s gives the predicted scores the spread of the others' scores, or less where newcomers would then
take more than a given share of the first places. So the score of a newcomer is on the scale of the others, and is no
least-squares estimate.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from xattn.model.heads.inherited import Inheritance
from xattn.model.value_table import Form

__all__ = ["expected", "fit_inheritance", "spread"]

PENALTY = 20.0  # of the ridge over features, in items: the slope of a feature with 20 items is halved
PLACES = 50  # of a list, of which newcomers may take a share; or a tenth of the items with values, if that is less
HALVINGS = 30  # of the search for s


def _weights(F: sparse.csr_array) -> np.ndarray:
    """R (d + 1, C): its product with C values is their slopes and level by ridge regression on the rows of `F` (C, d).

    With F̄ the mean row, slopes are (F̃ᵀF̃ + λI)⁻¹ F̃ᵀ y for the centred F̃ = F − F̄, and the level is ȳ − slopes·F̄.
    """
    C, d = F.shape
    mean = np.asarray(F.mean(axis=0)).ravel()
    dense = (F.T @ F).toarray() - C * np.outer(mean, mean)
    slopes = np.linalg.solve(dense + PENALTY * np.eye(d), F.toarray().T - mean[:, None])
    return np.vstack([slopes, 1 / C - mean @ slopes])


def fit_inheritance(form: Form, F: sparse.csr_array) -> Inheritance:
    """Regress the value table on the features `F` (M, d) of the items that have values; s is 1."""
    both = form.against(_weights(F[form.warm]))
    return Inheritance(np.ascontiguousarray(both[:, :, :-1]), np.ascontiguousarray(both[:, :, -1]))


def expected(share: np.ndarray, F: sparse.csr_array, new: np.ndarray, least: float) -> np.ndarray:
    """The base of the items `new` (J,): ridge regression on features of the `share` (M,) of the other items."""
    met = np.setdiff1d(np.arange(len(share)), new)
    slopes_level = _weights(F[met]) @ share[met]
    return np.asarray(np.maximum(F[new] @ slopes_level[:-1] + slopes_level[-1], least))


def spread(warm: np.ndarray, lifts: np.ndarray, alike: np.ndarray, rest: np.ndarray, most: float) -> float:
    """s ≥ 0, from the scores of a sample of U people.

    `warm` (U, C) are the scores of the items with values; `lifts` (U, C) the heads' part of them; `alike` (U, C + J)
    the same part as predicted from features, for those items and the J newcomers; `rest` (U, J) the other parts of the
    newcomers' scores. s gives `alike` the spread of `lifts`. Where newcomers would then take more than the share `most`
    of the first PLACES places, s is as large as this share allows, and 0 where `rest` alone takes more.
    """
    C = lifts.shape[1]
    tame = float(alike[:, :C].std())
    s = float(lifts.std()) / tame if tame > 0 else 0.0
    k = min(PLACES, max(1, C // 10))
    best = -np.partition(-warm, k - 1, axis=1)[:, :k]

    def share(s: float) -> float:
        both = np.hstack([best, rest + s * alike[:, C:]])
        least = -np.partition(-both, k - 1, axis=1)[:, k - 1 : k]
        return float((both[:, k:] >= least).sum() / (k * len(both)))

    if share(s) <= most:
        return s
    low, high = 0.0, s
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) <= most else (low, middle)
    return low
