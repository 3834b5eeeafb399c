"""Interests: people grouped by the features of what they met, each group named by what sets it apart.

    p_u = Σ_i F_{x_i} / |Σ_i F_{x_i}|                       what a person's events are like, of length 1
    clusters of p by k-means (scikit-learn);   name: the features whose share is most above that of everybody

*Steadiness* says how much the groups are those of the data and not of the draw: the mean adjusted Rand index between
the groups and those found anew on halves of the people, drawn without return (Ben-Hur et al., 2002). 1: the same groups
each time; 0: no more alike than by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from xattn.data import FeatureSet, Interactions
from xattn.errors import check_whole, refuse
from xattn.features.make import feature_set
from xattn.i18n import t

__all__ = ["Interests", "interests"]

NAMED = 3  # features in the name of a group
AGAIN = 10  # draws that steadiness is measured on


@dataclass(frozen=True, eq=False)
class Interests:
    """K groups of U people: `group` (U,), −1 for who met nothing that is known; `marks`, the features that set each
    group apart, strongest first; `sizes` (K,); `steadiness` from 0 to 1."""

    group: np.ndarray
    marks: tuple[tuple[str, ...], ...]
    sizes: np.ndarray
    steadiness: float

    def name(self, group: int, lang: str = "en") -> str:
        """What a group is called, in English ("en") or Chinese ("zh").

        >>> Interests(np.zeros(1, int), (("genres: War", "genres: Drama"),), np.ones(1), 1.0).name(0)
        'more genres: War, genres: Drama'
        """
        marks = self.marks[group]
        if not marks:
            return t("interests.as_all", lang)
        return t("interests.more", lang, names=t("phrase.comma", lang).join(marks))

    def frame(self, lang: str = "en") -> pd.DataFrame:
        """A row a group: group, name, people."""
        names = [self.name(group, lang) for group in range(len(self.marks))]
        return pd.DataFrame({"group": range(len(names)), "name": names, "people": self.sizes})


def interests(data: Interactions, k: int = 6, seed: int = 0) -> Interests:
    """The groups of the people of `data`, at most `k`. Raises InputError where no feature of their items is known.

    >>> from xattn.data.synthetic import planted
    >>> found = interests(planted("copurchase", seed=0).data, k=2)
    >>> found.group.shape, len(found.marks)
    ((200,), 2)
    """
    k = check_whole("k", k, low=1)
    features = feature_set(data.items)
    P = profiles(data, features)
    known = np.flatnonzero(np.diff(P.indptr))
    if not len(known):
        refuse("no_interests")
    own = P[known]
    k = min(k, len({own.indices[a:b].tobytes() + own.data[a:b].tobytes() for a, b in pairwise(own.indptr)}))
    labels = _grouped(own, k, seed)
    group = np.full(data.n_users, -1)
    group[known] = labels
    sizes = np.bincount(labels, minlength=k)
    return Interests(group, _marks(own, labels, k, features.names), sizes, _steadiness(own, labels, k, seed))


def profiles(data: Interactions, features: FeatureSet) -> sparse.csr_array:
    """p (U, d): what the events of each person are like; a row of zeros where nothing is known."""
    ones = np.ones(data.n_events)
    met = sparse.csr_array((ones, data.item, data.indptr), shape=(data.n_users, data.n_items))
    P = sparse.csr_array(met @ features.F)
    P.eliminate_zeros()
    length = np.sqrt(np.asarray(P.multiply(P).sum(axis=1)).ravel())
    P.data /= np.repeat(np.where(length > 0, length, 1.0), np.diff(P.indptr))
    small = P.indices.astype(np.int32), P.indptr.astype(np.int32)  # scikit-learn takes no others
    return sparse.csr_array((P.data, *small), shape=P.shape)


def _grouped(P: sparse.csr_array, k: int, seed: int) -> np.ndarray:
    labels: np.ndarray = KMeans(k, n_init=10, random_state=seed).fit_predict(P)
    return labels


def _marks(P: sparse.csr_array, labels: np.ndarray, k: int, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    everybody = np.asarray(P.mean(axis=0)).ravel()
    found = []
    for group in range(k):
        above = np.asarray(P[labels == group].mean(axis=0)).ravel() - everybody
        most = np.argsort(-above, kind="stable")[:NAMED]
        found.append(tuple(names[f] for f in most.tolist() if above[f] > 1e-9))
    return tuple(found)


def _steadiness(P: sparse.csr_array, labels: np.ndarray, k: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    n = P.shape[0]
    if k == 1 or n < 4 * k:
        return 1.0 if k == 1 else 0.0
    agree = []
    for draw in range(AGAIN):
        half = rng.choice(n, n // 2, replace=False)
        agree.append(adjusted_rand_score(labels[half], _grouped(P[half], k, seed + 1 + draw)))
    return float(np.clip(np.mean(agree), 0.0, 1.0))
