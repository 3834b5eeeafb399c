"""Values for newcomers, items without events, by regression on item features (docs/model.md, eq. 24–26).

The values V_h[x, ·] of the items that have some are regressed on their features, row by row: D_h[x, f] is the effect of
an event with x on items with feature f, l_h[x] its effect on any item.

Where features in common count squared, a newcomer inherits from each of the items with values as far as it is alike:

    D_h[x, f] is then A_h[x, k], of the item k, and F_jf is (F_j·F_k)²/m,      m the mean of F_k·F_k

by kernel ridge regression: few that have much in common say more than many that have a little.

The values of items that many people have met are larger, so that few items would decide most slopes. Where values are
evened, those of an item are divided by the root of the number of its events first.

Ridge regression shrinks: predicted values vary less than the values themselves, so a newcomer would hardly ever pass
the others. The factor s gives the predicted scores the spread of the others' scores, or less where newcomers would then
take more than a given share of the first places. So the score of a newcomer is on the scale of the others, and is no
least-squares estimate.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import solve
from scipy.sparse.linalg import LinearOperator, cg

from xattn.model.heads.inherited import Inheritance, alike
from xattn.model.value_table import Form

__all__ = [
    "PENALTY",
    "evening",
    "expected",
    "first_places",
    "fit_inheritance",
    "kernel_regression",
    "regression",
    "scaled",
    "spread",
]

PENALTY = 20.0  # of the ridge over features, in items: the slope of a feature with 20 items is halved
PLACES = 50  # of a list, of which newcomers may take a share; or a tenth of the items with values, if that is less
HALVINGS = 30  # of the search for s


def regression(F: sparse.csr_array, penalty: float) -> np.ndarray:
    """R (d + 1, C): its product with C values is their slopes and level by ridge regression on the rows of `F` (C, d).

    With F̄ the mean row, slopes are (F̃ᵀF̃ + λI)⁻¹ F̃ᵀ y for the centred F̃ = F − F̄, which is F̃ᵀ (F̃F̃ᵀ + λI)⁻¹ y where
    there are more features than rows, and the level is ȳ − slopes·F̄.
    """
    C, d = F.shape
    mean = np.asarray(F.mean(axis=0)).ravel()
    centred = F.toarray() - mean
    if d <= C:
        dense = (F.T @ F).toarray() - C * np.outer(mean, mean)
        slopes = solve(dense + penalty * np.eye(d), centred.T, assume_a="pos", overwrite_a=True)
    else:
        alike = centred @ centred.T
        slopes = solve(alike + penalty * np.eye(C), centred, assume_a="pos", overwrite_a=True).T
    return np.vstack([slopes, 1 / C - mean @ slopes])


def _regressed(F: sparse.csr_array, y: np.ndarray, penalty: float, worth: np.ndarray) -> tuple[np.ndarray, float]:
    """Slopes (d,) and level of `y` (C,), of which row counts `worth` (C,) ≥ 0, by conjugate gradients."""
    W, d = worth.sum(), F.shape[1]
    w = worth / W
    mean, level = np.asarray(w @ F).ravel(), float(w @ y)
    heavy = sparse.csr_array(sparse.diags_array(worth) @ F).T
    A = LinearOperator((d, d), lambda x: heavy @ (F @ x) + (penalty * x - W * (mean @ x) * mean), dtype=float)
    diagonal = np.asarray(F.multiply(F).T @ worth).ravel() - W * mean**2 + penalty
    slopes, failed = cg(A, heavy @ y - W * level * mean, rtol=1e-12, maxiter=20 * d, M=sparse.diags_array(1 / diagonal))
    assert not failed
    return slopes, level - float(mean @ slopes)


def kernel_regression(K: np.ndarray, penalty: float) -> np.ndarray:
    """R (C + 1, C): the same where items are as alike as `K` (C, C) says: a slope for each of the items with values,
    which is multiplied by how alike an item is to it. With K = FFᵀ this is `regression` on F in other slopes.

    With H = I − 1/C, slopes are (HKH + λI)⁻¹ H y, and the level is ȳ − slopes·K̄ (kernel ridge regression).
    """
    C = len(K)
    mean = K.mean(axis=0)
    centred = K - mean - mean[:, None] + mean.mean()
    slopes = solve(centred + penalty * np.eye(C), np.eye(C) - 1 / C, assume_a="pos", overwrite_a=True)
    return np.vstack([slopes, 1 / C - mean @ slopes])


def evening(counts: np.ndarray) -> np.ndarray:
    """What values of items are multiplied by (C,) before the regression, from the events n of each: mean √n / √n.

    >>> evening(np.array([1, 9])).round(2).tolist()
    [2.0, 0.67]
    """
    root = np.sqrt(counts)
    return np.asarray(root.mean() / root)


def fit_inheritance(
    form: Form,
    F: sparse.csr_array,
    penalty: float = PENALTY,
    factor: np.ndarray | None = None,
    known: sparse.csr_array | None = None,
) -> Inheritance:
    """Regress the value table on the features `F` (M, d) of the C items that have values; s is 1.

    With `factor` (C,), the values of each item are multiplied by it first (`evening`). With `known` (C, d), items are
    regressed on how much they are `alike` to these (`scaled`)."""
    own = F[form.warm]
    R = regression(own, penalty) if known is None else kernel_regression(alike(own, known), penalty)
    both = form.against(R if factor is None else R * factor)
    return Inheritance(np.ascontiguousarray(both[:, :, :-1]), np.ascontiguousarray(both[:, :, -1]))


def scaled(F: sparse.csr_array) -> sparse.csr_array:
    """`F` (C, d) divided by the root of the mean square length of a row: an item is `alike` to itself as by F·F."""
    square = float(F.multiply(F).sum()) / max(1, F.shape[0])
    return sparse.csr_array(F / np.sqrt(square)) if square > 0 else F


def expected(
    share: np.ndarray,
    F: sparse.csr_array,
    new: np.ndarray,
    least: float,
    penalty: float = PENALTY,
    young: np.ndarray | None = None,
) -> np.ndarray:
    """The base of the items `new` (J,): ridge regression on features of the `share` (M,) of the other items.

    With `young` (M,), the y = 2^(−age/half-life) of each item, it is that of what has just appeared: an item has been
    there for 1 − y of the time that a fresh share remembers, so share/(1 − y) is what it would have, had it come at
    this pace for ever. It counts by y (1 − y): old items, and those that are hardly there, say little of it.
    """
    met = np.setdiff1d(np.arange(len(share)), new)
    y, worth = share[met], np.ones(len(met))
    if young is not None:
        there = 1.0 - young[met]
        y = y / np.where(there > 0, there, 1.0)
        if (young[met] * there).any():
            worth = young[met] * there
    slopes, level = _regressed(F[met], y, penalty, worth)
    return np.asarray(np.maximum(F[new] @ slopes + level, least))


def first_places(C: int) -> int:
    """How many places of a list newcomers may take a share of, where C items have values."""
    return min(PLACES, max(1, C // 10))


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
    k = first_places(C)
    best = -np.partition(-warm, k - 1, axis=1)[:, :k]
    new = alike[:, C:]
    reach = np.maximum(rest, rest + s * new)  # of those who get in for no factor up to s, none is asked again
    able = np.argsort(-reach, axis=1)[:, : int((reach >= best[:, k - 1 :]).sum(axis=1).max())]
    rest, new = (np.take_along_axis(table, able, axis=1) for table in (np.broadcast_to(rest, new.shape), new))

    def share(s: float) -> float:
        both = np.hstack([best, rest + s * new])
        least = -np.partition(-both, k - 1, axis=1)[:, k - 1 : k]
        return float((both[:, k:] >= least).sum() / (k * len(both)))

    if share(s) <= most:
        return s
    low, high = 0.0, s
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) <= most else (low, middle)
    return low
