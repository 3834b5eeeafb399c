"""Interests are found again, named by what they are, steady where they are real; statistics as counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import xattn
from xattn import ContentAttention, InputError, Interactions
from xattn.data import planted
from xattn.features.behaviour import item_statistics, user_statistics, with_item_statistics
from xattn.features.clusters import interests


def people(mixed: float, seed: int = 0) -> tuple[Interactions, np.ndarray]:
    """90 people who each take to one of three kinds; `mixed` is the share of events with any kind."""
    rng = np.random.default_rng(seed)
    kinds = np.array(["war", "love", "crime"])[np.arange(60) % 3]
    taste = rng.integers(3, size=90)
    own = [rng.choice(np.flatnonzero((np.arange(60) % 3 == g) | (rng.random(60) < mixed)), 8) for g in taste]
    names = [f"i{j}" for j in range(60)]
    events = pd.DataFrame(
        {"user": np.repeat([f"u{u}" for u in range(90)], 8), "item": [names[j] for o in own for j in o]}
    )
    items = pd.DataFrame({"item": names, "title": names, "kind": kinds})
    return xattn.read_interactions(events, items=items), taste


def test_interests_are_found_and_named() -> None:
    data, taste = people(0.0)
    found = interests(data, k=3)
    row = np.array([data.user_row(f"u{u}") for u in range(90)])
    groups = found.group[row]
    for kind, name in enumerate(("war", "love", "crime")):
        (group,) = set(groups[taste == kind].tolist())
        assert found.name(group) == f"more kind: {name}"
        assert found.name(group, "zh") == f"更偏好kind: {name}"
    assert found.steadiness > 0.9
    assert found.sizes.sum() == 90
    assert found.frame()["people"].tolist() == found.sizes.tolist()


def test_interests_that_are_none_are_not_steady() -> None:
    data, _ = people(1.0)
    assert interests(data, k=5).steadiness < interests(people(0.0)[0], k=3).steadiness - 0.05


def test_people_of_nothing_known_have_no_interest() -> None:
    events = pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"]})
    with pytest.raises(InputError, match="some feature is known"):
        interests(xattn.read_interactions(events))


def test_statistics_by_hand() -> None:
    day = 86_400
    rows = [("u", "a", 0), ("u", "a", 1), ("u", "a", 2), ("u", "b", 9), ("v", "a", 3)]
    events = pd.DataFrame([(u, i, t * day) for u, i, t in rows], columns=["user", "item", "timestamp"])
    data = xattn.read_interactions(events)
    found = item_statistics(data).iloc[[data.item_row("a"), data.item_row("b")]].reset_index(drop=True)
    np.testing.assert_allclose(found["events"], np.log1p([4, 1]))
    np.testing.assert_allclose(found["people"], np.log1p([2, 1]))
    np.testing.assert_allclose(found["repeats"], [0.5, 0.0])
    np.testing.assert_allclose(found["recency"], np.log1p([6, 0]))
    np.testing.assert_allclose(found["span"], np.log1p([3, 0]))
    assert found["regularity"][0] == 1.0  # a day, a day, a day
    assert np.isnan(found["regularity"][1])
    own = user_statistics(data)
    np.testing.assert_allclose(own["items"].to_numpy()[data.user_row("u")], np.log1p(2))


def test_statistics_become_features_with_names() -> None:
    data = with_item_statistics(planted("recency", seed=0).data)
    why = ContentAttention().fit(data).explain(user="u0", item="i3")
    assert {"behaviour: events", "behaviour: people"} <= set(why.by("block")["block"])
    assert abs(why.base + why.cells["contribution"].sum() - why.score) < 1e-12
