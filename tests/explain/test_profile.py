"""A fused profile is the weighted, signed sum of its events' features, and says what each event put into it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models import fitted
from xattn import History, InputError
from xattn.explain.profile import fused_profile
from xattn.features import feature_set
from xattn.model.strength import signed

MODEL = fitted("hybrid")
FEATURES = feature_set(MODEL.data_.items)
F = FEATURES.F.toarray()


def test_it_is_the_naive_sum() -> None:
    history = History.of(MODEL.data_, 3)
    a = np.random.default_rng(0).dirichlet(np.ones(len(history)))
    profile = fused_profile(history, a, FEATURES, MODEL.scale_)
    w = signed(history.rating, len(history), MODEL.scale_)
    naive = dict.fromkeys(FEATURES.names, 0.0)
    for i, row in enumerate(history.item):
        for f, name in enumerate(FEATURES.names):
            naive[name] += a[i] * w[i] * F[row, f]
    assert profile.total.to_dict() == pytest.approx({name: naive[name] for name in profile.total.index})
    np.testing.assert_allclose(profile.contributions.sum(), profile.total, atol=1e-12)
    assert profile.total.is_monotonic_decreasing


def test_masked_events_take_no_part() -> None:
    history = History.of(MODEL.data_, 3)
    a = np.full(len(history), 1 / len(history))
    profile = fused_profile(history.without([0, 2]), a, FEATURES, MODEL.scale_)
    assert list(profile.contributions.index) == [i for i in range(len(history)) if i not in (0, 2)]


def test_nothing_live_is_an_empty_profile() -> None:
    history = History.of(MODEL.data_, 3)
    profile = fused_profile(history.without(range(len(history))), np.zeros(len(history)), FEATURES, MODEL.scale_)
    assert profile.total.empty


@pytest.mark.parametrize("weight", [[0.5], [np.nan] * 9, "much"])
def test_wrong_weights_are_refused(weight: object) -> None:
    with pytest.raises(InputError):
        fused_profile(History.of(MODEL.data_, 3), weight, FEATURES, MODEL.scale_)  # type: ignore[arg-type]
