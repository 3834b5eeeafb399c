"""The threshold's trade-off: one fitted model served at several thresholds is what a fit with each would serve."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models import MODELS, fitted
from xattn import InputError
from xattn.evaluate.reports import said, threshold
from xattn.evaluate.reports.threshold import _served_at


@pytest.mark.parametrize("name", ["collaborative", "hybrid", "content", "users", "sequence"])
def test_serving_at_a_threshold_is_fitting_with_it(name: str) -> None:
    model = fitted(name)
    other = MODELS[name]().set_params(threshold=0.15).fit(model.data_)
    served = _served_at(model, 0.15)
    history = model.history("u4")
    np.testing.assert_allclose(served.scores_of(history), other.scores_of(history), rtol=1e-6, atol=1e-9)
    assert not np.allclose(served.scores_of(history), model.scores_of(history)), "the threshold does something here"


def test_rows_fall_in_length_and_the_summary_says_what_is_free() -> None:
    report = threshold(fitted("collaborative"), thresholds=(0.0, 0.1, 0.3, 0.9), k=5, sample=15)
    assert [row["threshold"] for row in report["rows"]] == [0.0, 0.1, 0.3, 0.9]
    cells = [row["cells"]["value"] for row in report["rows"]]
    assert cells == sorted(cells, reverse=True)
    assert cells[-1] < cells[0]
    for row in report["rows"]:
        assert row["events"]["value"] <= row["cells"]["value"] or row["threshold"] == 0.0
        assert row["score_ms"] > 0
        assert row["explain_ms"] > 0
    (line,) = said(report, "zh")
    assert line.startswith("阈值不超过")


def test_neural_calls_it_otherwise() -> None:
    assert threshold(fitted("neural"), thresholds=(0.0, 0.3), sample=3)["rows"][1]["threshold"] == 0.3


def test_refusals() -> None:
    with pytest.raises(InputError, match="`model` must have an attention threshold; got EASE, which has none."):
        threshold(fitted("ease"))
    with pytest.raises(InputError, match="`thresholds` must hold at least one number; got none."):
        threshold(fitted("collaborative"), thresholds=())
    with pytest.raises(InputError, match="`thresholds` must be"):
        threshold(fitted("collaborative"), thresholds=(1.5,))
