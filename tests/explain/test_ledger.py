"""The ledger's frames, JSON and charts agree with each other and with the model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models import MODELS, fitted
from xattn import InputError, Ledger
from xattn.explain.frames import CELL_COLUMNS
from xattn.viz.charts import CHARTS

every_model = pytest.mark.parametrize("name", MODELS)


def first(name: str, user: str = "u3") -> Ledger:
    model = fitted(name)
    return model.explain(user=user, item=model.recommend(user=user)["item"][0])


@every_model
def test_frames_have_their_columns(name: str) -> None:
    ledger = first(name)
    assert list(ledger.cells.columns) == CELL_COLUMNS
    assert list(ledger.removals().columns) == ["event", "title", "position", "effect", "score_without", "rank_without"]
    n = int(fitted(name).history("u3").live.sum())
    assert len(ledger.events()) == len(ledger.removals()) == n
    assert sorted(ledger.events()["position"]) == list(range(n))


@every_model
def test_events_sum_the_cells(name: str) -> None:
    ledger = first(name)
    events = ledger.events()
    assert events["contribution"].sum() == pytest.approx(ledger.score - ledger.base, abs=1e-9)
    assert events["contribution"].is_monotonic_decreasing
    assert events["weight"].sum() == pytest.approx(1.0 if len(ledger.cells) else 0.0)
    for row in events.itertuples():
        own = ledger.cells[ledger.cells["position"] == row.position]
        assert own["contribution"].sum() == pytest.approx(row.contribution, abs=1e-12)
        assert row.score_without - ledger.score == pytest.approx(row.effect, abs=1e-12)


@every_model
def test_json_is_the_same_ledger(name: str) -> None:
    ledger = first(name)
    told = json.loads(ledger.to_json())
    assert told["score"] == ledger.score
    assert told["base"] + sum(c["contribution"] for c in told["cells"]) == pytest.approx(ledger.score, abs=1e-6)
    assert {"head", "event", "feature", "weight", "strength", "value", "gate", "contribution"} <= {
        key for cell in told["cells"] for key in cell
    } or not told["cells"]
    assert [r["event"] for r in told["removals"]] == ledger.removals()["event"].tolist()
    assert told["text"] == {"en": ledger.text("en"), "zh": ledger.text("zh")}
    assert told["counterfactual"]["remove"] == list(ledger.counterfactual().remove)


@every_model
@pytest.mark.parametrize("kind", CHARTS)
def test_every_chart_is_drawn(name: str, kind: str) -> None:
    for lang in ("en", "zh"):
        spec = first(name).chart(kind, lang).to_dict()
        assert spec["description"]


def test_features_of_the_content_head_are_named() -> None:
    cells = first("hybrid cold").cells
    content = cells[cells["head"] == "content"]
    assert set(content.loc[content["value"] != 0, "feature"]) <= {f"genres: {g}" for g in ("action", "comedy")} | set(
        content["feature"]
    )
    assert (content["feature"] != "").any()


@pytest.mark.parametrize("kind", ["pie", "", None])
def test_an_unknown_chart_is_refused(kind: str) -> None:
    with pytest.raises(InputError, match="`kind` must be one of"):
        first("hybrid").chart(kind)


@pytest.mark.parametrize("lang", ["fr", "EN", None])
def test_an_unknown_language_is_refused(lang: str) -> None:
    with pytest.raises(InputError, match="`lang` must be one of en, zh"):
        first("hybrid").text(lang)


def test_the_repr_is_one_line() -> None:
    text = repr(first("hybrid"))
    assert "\n" not in text
    assert len(text) < 200


def test_frames_given_out_are_not_the_ledgers_own() -> None:
    ledger = first("hybrid")
    events = ledger.events()
    events["contribution"] = 0.0
    assert ledger.events()["contribution"].abs().sum() > 0


def test_a_repeated_event_is_two_rows() -> None:
    model = fitted("hybrid")
    ledger = model.explain(history=[("i1", 5.0), ("i2", 4.0), ("i1", 5.0)], item="i5")
    assert ledger.events()["position"].nunique() == 3
    together = model.score(history=[("i1", 5.0), ("i2", 4.0), ("i1", 5.0)], without=["i1"])
    one_by_one = model.history(history=[("i1", 5.0), ("i2", 4.0), ("i1", 5.0)]).without([0, 2])
    np.testing.assert_array_equal(together, model.score(history=one_by_one))
