"""What a newcomer inherits: collaborative heads, continued to it along item features (docs/model.md, eq. 27–29).

    v_h(x, j) = s (l_h[x] + Σ_f D_h[x, f] F_jf)

The values V_h[x, ·] of the items that have some are regressed on their features, row by row: D_h[x, f] is what an event
with x says about feature f of whatever comes next, l_h[x] what it says about any item. The sum splits exactly over
features, and the attention is that of the collaborative heads.

Ridge regression shrinks: what many items have in common is tamer than any one of them, and a newcomer would never get
past the others. s spreads the inherited scores out again, to the spread that the others' scores have, or less where the
newcomers would then take more than a given share of the first places. So a newcomer's score stands on the scale of the
others, and is no least-squares estimate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.kernels.fields import field_weights
from xattn.model.heads.part import Events, HeadCells, HeadField, head_cells
from xattn.model.value_table import Form

__all__ = ["Inheritance", "InheritedPart", "expected", "fit_inheritance", "spread"]

PENALTY = 20.0  # of the ridge over features, in items: a feature of 20 items is believed by half
PLACES = 50  # of a list, of which newcomers may take a share; a tenth of the items with values, where that is less
HALVINGS = 30  # of the search for s: far finer than the share is known


class Inheritance(NamedTuple):
    """Slopes `D` (H, C, d) and levels `l` (H, C) over the C rows of a value table; float32, s multiplied in."""

    D: np.ndarray
    l: np.ndarray


class InheritedPart(NamedTuple):
    """H heads over newcomers: `new` (J,) item rows, `F` (J, d) their features, `place` (M,) row of F or −1."""

    inheritance: Inheritance
    row_of_item: np.ndarray  # (M,) row of D of each item as an event, −1 where it has none
    names: tuple[str, ...]
    F: sparse.csr_array
    new: np.ndarray
    place: np.ndarray
    tau: tuple[float, ...]
    beta: float
    theta: float

    def _E(self, events: Events, h: int) -> np.ndarray:
        return np.exp(-events.age / self.tau[h])[None, :]  # age 0 is always there: m = 0

    def name(self, h: int) -> str:
        return f"inherited {self.tau[h]:g}" if np.isfinite(self.tau[h]) else "inherited"

    def _rows(self, events: Events, h: int) -> tuple[np.ndarray, np.ndarray]:
        """(D, l) of the events, (n, d) and (n,) float64; 0 for an event without a row."""
        row = self.row_of_item[events.item]
        known = (row >= 0)[:, None]
        D = np.where(known, self.inheritance.D[h][row], 0.0)
        return D.astype(np.float64), np.where(known[:, 0], self.inheritance.l[h][row], 0.0).astype(np.float64)

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The heads' part of the score of every item (M,); 0 for items that have been met."""
        out = np.zeros(len(self.place))
        slope, level = np.zeros(self.F.shape[1]), 0.0
        for h in range(len(self.tau)):
            a = field_weights(self._E(events, h), events.live, self.beta, self.theta)[0] * w
            D, l = self._rows(events, h)
            slope, level = slope + a @ D, level + float(a @ l)
        out[self.new] = level + self.F @ slope
        return out

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """One field a head over `targets` (J,) item rows; none where no target is a newcomer."""
        of_new = self.place[targets] >= 0
        if not of_new.any():
            return []
        F, found = self.F[self.place[targets[of_new]]], []
        for h in range(len(self.tau)):
            D, l = self._rows(events, h)
            X = np.zeros((len(targets), len(w)))
            X[of_new] = (F @ D.T + l) * w
            found.append(HeadField(self.name(h), self._E(events, h), X, self.beta, self.theta))
        return found

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        """The cells of each head for a newcomer, split over its features; none for another item."""
        if self.place[target] < 0:
            return []
        F = self.F[[self.place[target]]].toarray()[0]
        own = np.flatnonzero(F)
        names = ("", *(self.names[f] for f in own))
        found = []
        for h in range(len(self.tau)):
            D, l = self._rows(events, h)
            value = np.column_stack([l, D[:, own] * F[own]])
            E = self._E(events, h)
            found.append(
                head_cells(
                    self.name(h),
                    E,
                    events.live,
                    self.beta,
                    self.theta,
                    strength=w,
                    value=value,
                    gate=1.0,
                    features=names,
                    blocks=tuple(name.partition(": ")[0] for name in names),
                    numbers=(-1, *own.tolist()),
                )
            )
        return found


def _weights(F: sparse.csr_array) -> np.ndarray:
    """R (d + 1, C): what ridge regression on the rows of `F` (C, d) makes slopes and level of, from C values.

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
    """The base of newcomers (J,): what ridge regression on features makes of the `share` (M,) of the items met."""
    met = np.setdiff1d(np.arange(len(share)), new)
    slopes_level = _weights(F[met]) @ share[met]
    return np.asarray(np.maximum(F[new] @ slopes_level[:-1] + slopes_level[-1], least))


def spread(warm: np.ndarray, lifts: np.ndarray, alike: np.ndarray, rest: np.ndarray, most: float) -> float:
    """s ≥ 0, from what a sample of U people is served.

    `warm` (U, C) scores of the items with values; `lifts` (U, C) the heads' part of them; `alike` (U, C + J) what
    features alone make of that part, for those items and the J newcomers; `rest` (U, J) what else newcomers score. s
    makes the spread of what features say that of `lifts`; if the newcomers then took more than the share `most` of the
    first `PLACES` places, it is as much smaller as is needed; it is 0 where the rest alone gives them so many.
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
