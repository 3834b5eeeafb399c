"""The article's worked example (§4.3): its numbers as printed, the exact ones beside them, and where the two part.

The steps: scores 2, 1, 3 → weights (softmax) → fused Σ a_i k_i → recommendation Σ a_i y_i → the item closest to it. The
query is not printed; the scores force q1 + q3 = 2 and q2 = 1, and [1, 1, 1] is the shortest vector that does so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from xattn.errors import check_array, check_same_columns, check_same_length, check_whole
from xattn.kernels.scorers import cosine
from xattn.tensor.attend import attend

__all__ = [
    "ITEMS",
    "KEYS",
    "PRINTED",
    "QUERY",
    "SCORES",
    "Erratum",
    "Nearest",
    "Steps",
    "WorkedExample",
    "least_norm_query",
    "nearest_item",
    "worked_example",
]

Vector = tuple[float, ...]
Table = tuple[Vector, ...]


@dataclass(frozen=True)
class Steps:
    """The three results of the example: weights (3,), fused vector (3,), recommendation (3,)."""

    weights: Vector
    fused: Vector
    recommendation: Vector


@dataclass(frozen=True)
class Nearest:
    """The item closest to a vector, as a position from 0: by Euclidean distance and by cosine; both for each item."""

    euclidean: int
    cosine: int
    distances: Vector
    cosines: Vector


@dataclass(frozen=True)
class Erratum:
    """One place where the article is wrong or silent: what it prints, what is exact, what its rounded weights give.

    The vectors are empty where there are no numbers to compare.
    """

    id: str
    section: str
    text: str
    printed: Vector = ()
    exact: Vector = ()
    rounded: Vector = ()


@dataclass(frozen=True)
class WorkedExample:
    """The whole example: what goes in, the exact steps, the printed ones, those of the rounded weights, the errata."""

    query: Vector
    keys: Table
    scores: Vector
    items: Table
    weights: Vector
    fused: Vector
    recommendation: Vector
    nearest: Nearest
    printed: Steps
    rounded: Steps
    errata: tuple[Erratum, ...]

    def __repr__(self) -> str:
        n, best, wrong = len(self.keys), self.nearest.euclidean, len(self.errata)
        return f"<WorkedExample: {n} events, nearest item {best}, {wrong} errata>"


QUERY: Vector = (1.0, 1.0, 1.0)  # not in the article: the least-norm solution of the printed scores
KEYS: Table = ((1.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 1.0, 1.0))
SCORES: Vector = (2.0, 1.0, 3.0)
ITEMS: Table = ((5.0, 10.0, 2.0), (3.0, 7.0, 1.0), (8.0, 4.0, 6.0))
PRINTED = Steps(weights=(0.2, 0.1, 0.7), fused=(0.2, 0.1, 0.7), recommendation=(3.2, 2.2, 5.4))


def least_norm_query(keys: Any, scores: Any) -> np.ndarray:
    """The shortest query (d,) whose dot products with `keys` (n, d) come closest to `scores` (n,).

    Raises InputError for arrays of other shapes or with numbers that are not finite.

    >>> least_norm_query(KEYS, SCORES).round(12).tolist()
    [1.0, 1.0, 1.0]
    """
    K = check_array("keys", keys, ndim=2, dtype=np.float64)
    e = check_array("scores", scores, ndim=1, dtype=np.float64)
    check_same_length(keys=K.shape[0], scores=e.size)
    return np.asarray(np.linalg.pinv(K) @ e)


def nearest_item(vector: Any, items: Any) -> Nearest:
    """The item of `items` (m, d) closest to `vector` (d,), by distance and by angle; of equals the first.

    Raises InputError for arrays of other shapes, or with numbers that are not finite, or without items.

    >>> nearest_item([6.8, 5.7, 4.6], ITEMS).euclidean
    2
    """
    y = check_array("vector", vector, ndim=1, dtype=np.float64)
    Y = check_array("items", items, ndim=2, dtype=np.float64)
    check_same_columns(vector=y.size, items=Y.shape[1])
    check_whole("number of items", Y.shape[0], low=1)
    distances = [math.dist(y, row) for row in Y]
    cosines = cosine(y[None], Y)[0]
    return Nearest(int(np.argmin(distances)), int(np.argmax(cosines)), tuple(distances), _vector(cosines))


def worked_example() -> WorkedExample:
    """The example of §4.3 to full precision (float64), beside what the article prints; positions count from 0.

    >>> e = worked_example()
    >>> [round(a, 5) for a in e.weights], e.nearest.euclidean
    ([0.24473, 0.09003, 0.66524], 2)
    """
    profile = attend(QUERY, KEYS, KEYS)
    exact = Steps(_vector(profile.weights), _vector(profile.fused), _vector(attend(QUERY, KEYS, ITEMS).fused))
    rounded = Steps(PRINTED.weights, _mix(PRINTED.weights, KEYS), _mix(PRINTED.weights, ITEMS))
    return WorkedExample(
        query=QUERY,
        keys=KEYS,
        scores=_vector(profile.scores),
        items=ITEMS,
        weights=exact.weights,
        fused=exact.fused,
        recommendation=exact.recommendation,
        nearest=nearest_item(exact.recommendation, ITEMS),
        printed=PRINTED,
        rounded=rounded,
        errata=_errata(exact, rounded),
    )


def _vector(array: np.ndarray) -> Vector:
    return tuple(array.tolist())


def _mix(weights: Vector, rows: Table) -> Vector:
    """Σ a_i x_i in the decimals of a pocket calculator: .2 + .7 is .9, without the binary tail."""
    return tuple(
        round(sum(a * x for a, x in zip(weights, column, strict=True)), 9) for column in zip(*rows, strict=True)
    )


def _errata(exact: Steps, rounded: Steps) -> tuple[Erratum, ...]:
    return (
        Erratum(
            "weights-rounded",
            "4.3",
            "The printed weights are the softmax rounded to one digit; they are followed by an equals sign.",
            PRINTED.weights,
            exact.weights,
            rounded.weights,
        ),
        Erratum(
            "fusion-is-the-weights",
            "4.3",
            "The printed fused vector repeats the weights: nothing has been multiplied with the keys and added up.",
            PRINTED.fused,
            exact.fused,
            rounded.fused,
        ),
        Erratum(
            "recommendation-fits-neither",
            "4.3",
            "The printed recommendation follows neither from the exact weights nor from the rounded ones.",
            PRINTED.recommendation,
            exact.recommendation,
            rounded.recommendation,
        ),
        Erratum(
            "query-not-printed",
            "4.3",
            "The query is not given. The scores force q1 + q3 = 2 and q2 = 1; the shortest such vector is used here.",
            exact=QUERY,
        ),
        Erratum(
            "keys-are-not-the-features",
            "4.3",
            "Each key is said to be a feature vector, but the printed keys are not the vectors x of step 1, and the "
            "items y of the last step are those same x.",
        ),
        Erratum(
            "flatten-has-no-weights",
            "5.2",
            "The heat map cannot be drawn: the code asks layer −2, a Flatten layer, for weights, and it has none. "
            "Nothing in that network computes attention weights.",
        ),
        Erratum(
            "names-not-defined",
            "5.2",
            "num_features, embedding_size, X_train and y_train are used but never defined, and the network is given "
            "X_train twice, as both of its inputs.",
        ),
        Erratum(
            "figures-without-protocol",
            "5.4",
            "Accuracy, recall and F1 come without data set, split, cut-off or baseline, so they cannot be checked.",
            printed=(0.85, 0.80, 0.82),
        ),
    )
