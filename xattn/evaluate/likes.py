"""Like or dislike from one score: accuracy, precision, recall, F1, AUC, and RMSE of a linear map; all weighted.

A score at or above the threshold says "like". The weight of an event is how often a bootstrap draw took its user; it is
1 in the figures themselves.
"""

from __future__ import annotations

import numpy as np

__all__ = ["NAMES", "auc", "best_threshold", "like_metrics", "linear_map"]

NAMES = ("accuracy", "precision", "recall", "f1", "auc", "rmse")


def like_metrics(
    liked: np.ndarray, score: np.ndarray, threshold: float, error: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """The six of `NAMES` over n events: `liked` (bool), `score`, squared `error` of the rating, `weight`.

    Precision is 0 where nothing is said to be liked, as are recall and F1 without a hit.
    """
    said = score >= threshold
    right, total = weight @ (said == liked), weight.sum()
    hit, named, there = weight @ (said & liked), weight @ said, weight @ liked
    precision = hit / named if named else 0.0
    recall = hit / there if there else 0.0
    f1 = 2 * hit / (named + there) if named + there else 0.0
    return np.array([right / total, precision, recall, f1, auc(liked, score, weight), np.sqrt(weight @ error / total)])


def auc(liked: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """Chance that a liked event scores above a disliked one, ties counting half; NaN where one kind is missing.

    >>> auc(np.array([True, False, True]), np.array([3.0, 2.0, 2.0]), np.ones(3))
    0.75
    """
    _, place = np.unique(score, return_inverse=True)
    up, down = np.bincount(place, weight * liked), np.bincount(place, weight * ~liked)
    pairs = up.sum() * down.sum()
    return float(up @ (np.cumsum(down) - down / 2) / pairs) if pairs else float("nan")


def best_threshold(liked: np.ndarray, score: np.ndarray) -> float:
    """The threshold of most right answers: one of the scores, or inf where saying "dislike" always is better.

    >>> best_threshold(np.array([False, True, True]), np.array([1.0, 2.0, 3.0]))
    2.0
    """
    levels, place = np.unique(score, return_inverse=True)
    up, down = np.bincount(place, liked), np.bincount(place, ~liked)
    right = np.append(np.cumsum(up[::-1])[::-1], 0) + np.append(0, np.cumsum(down))
    return float(np.append(levels, np.inf)[int(right.argmax())])


def linear_map(score: np.ndarray, rating: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the least-squares line from scores to ratings; slope 0 for a constant score.

    >>> linear_map(np.array([0.0, 1.0]), np.array([2.0, 5.0]))
    (3.0, 2.0)
    """
    centred = score - score.mean()
    spread = float(centred @ centred)
    slope = float(centred @ rating) / spread if spread > 0 else 0.0
    return slope, float(rating.mean() - slope * score.mean())
