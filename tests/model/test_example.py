"""The worked example: exact to the last digits, the article's numbers beside it, each erratum true."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from tests.checks import assert_within, unit
from xattn.errors import InputError
from xattn.model.example import ITEMS, KEYS, PRINTED, QUERY, SCORES, least_norm_query, nearest_item, worked_example

U = unit(np.float64)
EXAMPLE = worked_example()
SOFTMAX = [math.exp(s) / (math.exp(2) + math.exp(1) + math.exp(3)) for s in (2, 1, 3)]


def mix(a: list[float], rows: object) -> np.ndarray:
    return np.array([sum(w * row[j] for w, row in zip(a, rows, strict=True)) for j in range(3)])


def test_steps_are_exact() -> None:
    assert EXAMPLE.scores == SCORES == (2.0, 1.0, 3.0)
    assert_within(EXAMPLE.weights, np.array(SOFTMAX), 8 * U)
    assert_within(EXAMPLE.fused, mix(SOFTMAX, KEYS), 16 * U)
    assert_within(EXAMPLE.recommendation, mix(SOFTMAX, ITEMS), 16 * U)


def test_known_digits() -> None:
    assert [round(a, 5) for a in EXAMPLE.weights] == [0.24473, 0.09003, 0.66524]
    assert [round(a, 5) for a in EXAMPLE.fused] == [0.90997, 0.75527, 0.90997]
    assert [round(a, 5) for a in EXAMPLE.recommendation] == [6.81566, 5.73846, 4.57093]


def test_rounded_weights_give_what_they_give() -> None:
    assert EXAMPLE.rounded.weights == (0.2, 0.1, 0.7)
    assert EXAMPLE.rounded.fused == (0.9, 0.8, 0.9)
    assert EXAMPLE.rounded.recommendation == (6.9, 5.5, 4.7)


def test_nearest_item_is_the_third_by_both_measures() -> None:
    y = EXAMPLE.recommendation
    distances = [math.sqrt(sum((a - b) ** 2 for a, b in zip(y, item, strict=True))) for item in ITEMS]
    assert (EXAMPLE.nearest.euclidean, EXAMPLE.nearest.cosine) == (2, 2)
    assert_within(EXAMPLE.nearest.distances, np.array(distances), 8 * U)
    assert EXAMPLE.nearest.distances[2] == min(EXAMPLE.nearest.distances)
    assert EXAMPLE.nearest.cosines[2] == max(EXAMPLE.nearest.cosines)


def test_nearest_measures_may_differ() -> None:
    near = nearest_item([1.0, 1.0], [[10.0, 10.0], [1.0, 0.0]])
    assert (near.euclidean, near.cosine) == (1, 0)
    assert nearest_item([0.0], [[1.0], [-1.0]]).euclidean == 0  # a tie: the first
    with pytest.raises(InputError, match="number of items"):
        nearest_item([1.0], np.empty((0, 1)))
    with pytest.raises(InputError, match="equally many coordinates"):
        nearest_item([1.0], [[1.0, 2.0]])


def test_least_norm_query() -> None:
    """[1, 1, 1] gives the scores; any other such query differs by a multiple of [1, 0, −1] and is longer."""
    assert_within(least_norm_query(KEYS, SCORES), np.array(QUERY), 64 * U)
    for t in (-1.0, 0.1, 3.0):
        other = np.array(QUERY) + t * np.array([1, 0, -1])
        assert (np.array(KEYS) @ other).tolist() == list(SCORES)
        assert np.linalg.norm(other) > np.linalg.norm(QUERY)
    with pytest.raises(InputError, match="same length"):
        least_norm_query(KEYS, (1.0,))


ERRATA = {erratum.id: erratum for erratum in EXAMPLE.errata}


def test_errata_are_all_there_once() -> None:
    assert list(ERRATA) == [
        "weights-rounded",
        "fusion-is-the-weights",
        "recommendation-fits-neither",
        "query-not-printed",
        "keys-are-not-the-features",
        "flatten-has-no-weights",
        "names-not-defined",
        "figures-without-protocol",
    ]
    assert len(ERRATA) == len(EXAMPLE.errata)
    assert all(e.text.endswith(".") and e.section in ("4.3", "5.2", "5.4") for e in EXAMPLE.errata)


def test_errata_are_true() -> None:
    rounded = ERRATA["weights-rounded"]
    assert tuple(round(a, 1) for a in rounded.exact) == rounded.printed != rounded.exact
    assert ERRATA["fusion-is-the-weights"].printed == PRINTED.weights
    for name in ("fusion-is-the-weights", "recommendation-fits-neither"):
        e = ERRATA[name]
        assert not np.allclose(e.printed, e.exact, atol=0.1)
        assert not np.allclose(e.printed, e.rounded, atol=0.1)
    assert ERRATA["query-not-printed"].exact == QUERY


def test_record_is_frozen_and_goes_into_json() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        EXAMPLE.weights = ()  # type: ignore[misc]
    assert worked_example() == EXAMPLE
    shown = json.loads(json.dumps(dataclasses.asdict(EXAMPLE)))
    assert shown["printed"] == {"weights": [0.2, 0.1, 0.7], "fused": [0.2, 0.1, 0.7], "recommendation": [3.2, 2.2, 5.4]}
    assert repr(EXAMPLE) == "<WorkedExample: 3 events, nearest item 2, 8 errata>"
