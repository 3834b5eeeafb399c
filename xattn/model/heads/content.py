"""The content head: target attention over item features; its cells split over features (docs/model.md, eq. 6–8).

    e_i(j) = cos(F_{x_i}, F_j)/T − g_i/τ,      v(x_i, j) = b_j Σ_f θ_f F_{x_i f} F_{j f}

An event is looked at the more, the more it resembles the target; what it then says is by how much each feature that
both have lifts the target above its base b_j: θ_f = 0.5 means half as likely again. θ solves a ridge problem over
sampled prefixes: predict the next item's share, relative to the base, from the pooled history.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.kernels.content import content_field, content_scores
from xattn.kernels.fields import field_weights
from xattn.model.heads.part import Events, HeadCells, HeadField, head_cells

__all__ = ["ContentPart", "ItemFeatures", "fit_feature_worths"]

NAME = "content"
SAMPLED_PREFIXES = 4000
SAMPLED_TARGETS = 64  # per prefix, drawn by the base
NEWEST = 200  # events of a prefix that the fit looks at

Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class ItemFeatures(NamedTuple):
    """Features of M items, d each: `F` (M, d), its non-zeros by rows, and the length of each row (1 where it is 0).

    Items of the same features are of one kind: `kinds` are the K of them as targets, `kind` (M,) is that of each item.
    """

    names: tuple[str, ...]
    F: np.ndarray
    rows: sparse.csr_array
    norm: np.ndarray
    kinds: Rows
    kind: np.ndarray

    @classmethod
    def of(cls, names: tuple[str, ...], F: np.ndarray) -> ItemFeatures:
        norm = np.sqrt((F**2).sum(axis=1))
        norm = np.where(norm > 0, norm, 1.0)
        rows = sparse.csr_array(F)
        places: dict[bytes, int] = {}
        spans = [slice(*ends) for ends in zip(rows.indptr[:-1], rows.indptr[1:], strict=True)]
        kind = [places.setdefault(rows.indices[s].tobytes() + rows.data[s].tobytes(), len(places)) for s in spans]
        first = np.unique(np.array(kind, np.int64), return_index=True)[1]
        return cls(names, F, rows, norm, _targets(rows[first], norm[first]), np.array(kind, np.int64))

    def targets(self, targets: np.ndarray | None) -> Rows:
        """(ptr, index, value, norm) of some items, or of all."""
        if targets is not None and len(targets) == 1:  # as a ledger asks; slicing a sparse array is slow
            own = slice(*self.rows.indptr[targets[0] : targets[0] + 2])
            index = self.rows.indices[own].astype(np.int64)
            return np.array([0, len(index)]), index, self.rows.data[own], self.norm[targets]
        return _targets(self.rows, self.norm) if targets is None else _targets(self.rows[targets], self.norm[targets])

    def events(self, item: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(unit, weighted), both (d, n): the events' features by length 1, and times strength."""
        own = self.F[item]
        return np.ascontiguousarray((own / self.norm[item][:, None]).T), np.ascontiguousarray((own * w[:, None]).T)


def _targets(rows: sparse.csr_array, norm: np.ndarray) -> Rows:
    return rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data, norm


class ContentPart(NamedTuple):
    """A fitted content head; `gate` (M,) multiplies each target's values: the base, in a hybrid times 1 − γ."""

    features: ItemFeatures
    worth: np.ndarray  # (d,) θ
    temperature: float
    tau: float
    beta: float
    theta: float
    gate: np.ndarray

    def _field(self, events: Events, w: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        unit, weighted = self.features.events(events.item, w)
        rows, g = self.features.targets(targets), events.age / self.tau
        return content_field(rows, self.worth, self.gate[targets], unit, weighted, g, self.temperature)

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """The field over `targets` (J,) item rows; none where there are no features."""
        if not self.features.names:
            return []
        return [HeadField(NAME, *self._field(events, w, targets), self.beta, self.theta)]

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The head's part of the score of every item (M,)."""
        if not self.features.names:
            return np.zeros(len(self.gate))
        kinds = self.features.kinds
        ones = np.ones(len(kinds[-1]))
        unit, weighted = self.features.events(events.item, w)
        g = events.age / self.tau
        of_kind = content_scores(
            kinds, self.worth, ones, unit, weighted, g, self.temperature, events.live, self.beta, self.theta
        )
        return np.asarray(of_kind[self.features.kind] * self.gate)  # once a kind: half of 9,066 films

    def size(self, events: Events, w: np.ndarray) -> np.ndarray:
        """(M,) what the head's part of a score cannot exceed in size, whatever is masked.

        |Σ a_i x_i| ≤ max |x_i| · (Σ E_i)^(1 − β), and E_i ≤ exp(2/T − (g_i − min g)/τ), at most 1.
        """
        if not self.features.names or not len(events):
            return np.zeros(len(self.gate))
        F, rows = self.features.F, self.features.rows
        largest = np.abs(F[events.item] * w[:, None]).max(axis=0) * np.abs(self.worth)
        x = abs(rows) @ largest
        with np.errstate(over="ignore"):
            E = np.minimum(1.0, np.exp(2.0 / self.temperature - (events.age - events.age.min()) / self.tau))
        return np.asarray(np.abs(self.gate) * x * E.sum() ** (1.0 - self.beta))

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        """The cells for one target item row, split over the features that both sides have."""
        if not self.features.names:
            return []
        F = self.features.F
        value = F[events.item] * (F[target] * self.worth)
        shared = np.flatnonzero((value != 0).any(axis=0))
        E, _ = self._field(events, w, np.array([target]))
        cells = head_cells(
            NAME,
            E,
            events.live,
            self.beta,
            self.theta,
            strength=w,
            value=value[:, shared],
            gate=self.gate[target],
            features=tuple(self.features.names[f] for f in shared),
            blocks=tuple(self.features.names[f].partition(": ")[0] for f in shared),
            numbers=tuple(shared.tolist()),
        )
        return [cells]


def fit_feature_worths(
    features: ItemFeatures,
    indptr: np.ndarray,
    item: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    *,
    temperature: float,
    tau: float,
    beta: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """θ (d,) by ridge over sampled prefixes (eq. 8). Histories `indptr`, `item`; strengths `w` (N,); base `b` (M,) > 0.

    With p_tj the derivative of the relative score by θ: min_θ Σ_t Σ_j b_j (y_tj/b_j − 1 − p_tj·θ)². Targets drawn with
    probability b stand for the sum over j.
    """
    F = features.F
    d = F.shape[1]
    length = np.diff(indptr)
    start = np.repeat(indptr[:-1], length)
    usable = np.flatnonzero(np.arange(len(item)) > start)  # events with a past
    if not d or not len(usable):
        return np.zeros(d)
    A, B = np.zeros((d, d)), np.zeros(d)
    chosen = np.sort(rng.choice(usable, min(SAMPLED_PREFIXES, len(usable)), replace=False))
    drawn_targets = rng.choice(len(b), (len(chosen), SAMPLED_TARGETS), p=b)
    s = min(temperature, 1.0)  # as in the kernel: a tiny T overflows nothing
    for t, others in zip(chosen.tolist(), drawn_targets, strict=True):
        past = np.arange(max(start[t], t - NEWEST), t)
        targets = np.r_[item[t], others]
        unit, weighted = features.events(item[past], w[past])
        # with a few targets a matrix product is quicker than the kernel, whose threads would wait for one another
        e = (F[targets] / features.norm[targets][:, None]) @ unit * (s / temperature) - (t - 1 - past) / tau * s
        a = field_weights(np.exp((e - e.max(axis=1, keepdims=True)) / s), np.ones(len(past), bool), beta, 0.0)
        P = (a @ weighted.T) * F[targets]
        drawn = P[1:]
        A += drawn.T @ drawn / SAMPLED_TARGETS
        B += P[0] - drawn.mean(axis=0)
    ridge = 1e-2 * np.trace(A) / d + 1e-12
    return np.linalg.solve(A + ridge * np.eye(d), B)
