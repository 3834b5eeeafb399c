"""The lab shows what is stored, to the digit; runs are processes of their own; wrong addresses are harmless."""

from __future__ import annotations

import json
import re
import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import SMALL, small, sound, visited
from xattn.app import state
from xattn.app.lab import jobs, models, reports, runs
from xattn.app.lab import page as lab
from xattn.app.lab.names import explainer_name, group_name, measure_name, metric_name
from xattn.app.recommend.answers import listed
from xattn.app.recommend.view import View
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate
from xattn.evaluate.faithfulness.explainers import EXPLAINERS
from xattn.evaluate.reports.groups import ITEMS, USERS
from xattn.i18n import LANGUAGES, t
from xattn.recommenders import ItemKNN, Popularity
from xattn.viz.names import head_name

DATA = planted("genre", n_users=40, seed=0).data
FIGURE = {"value": 0.25, "ci95": [0.2, 0.3]}
NONE = {"value": 0.5, "ci95": None}
REPORTS: dict[str, dict[str, Any]] = {
    "training": {
        "rows": [
            {"model": "NeuralAttention", "epoch": 1, "loss": 0.5, "figure": None},
            {"model": "SequenceAttention", "epoch": 1, "loss": 4.5, "figure": 0.1},
            {"model": "SequenceAttention", "epoch": 2, "loss": 4.25, "figure": 0.2},
        ]
    },
    "attention": {
        "rows": [{"head": "recency 3", "age": age, "weight": FIGURE, "effect": NONE} for age in ("0", "1", "2–4")],
        "features": [{"feature": "genres: Drama", "block": "genres", "contribution": FIGURE, "share": FIGURE}],
        "heads": [{"head": "content", "weight_share": NONE, "effect_share": FIGURE, "events": FIGURE}],
    },
    "popularity": {
        "base_share": FIGURE,
        "correlation": FIGURE,
        "bias": FIGURE,
        "gini": 0.75,
        "coverage": 0.125,
        "rows": [
            {"group": group, "items": 3, "share_of_events": 0.2, "share_of_lists": FIGURE, "base_share": None}
            for group in ("head", "2", "3", "4", "tail")
        ],
    },
    "groups": {
        "by": "length",
        "k": 10,
        "rows": [
            {"group": group, "of": "users", "n": 20, "ndcg@10": FIGURE, "hr@10": NONE, "coverage": 0.5, "del@1": FIGURE}
            for group in ("short", "long")
        ],
    },
    "threshold": {
        "k": 10,
        "rows": [
            {"threshold": x, "ndcg@10": FIGURE, "hr@10": FIGURE, "cells": NONE, "events": FIGURE, "score_ms": 1.5}
            for x in (0.0, 0.1)
        ],
    },
    "attention-tests": {
        "rows": [{"test": "order", "measure": "tau", "value": 0.25, "ci95": [0.2, 0.3]}],
        "verdict": "partly",
    },
}


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small results and small models in the place of the bundled ones."""
    about = {"dataset": "planted", "model": "M", "summary": []}
    found = {name: {"kind": name, **about, **report} for name, report in REPORTS.items()}
    for protocol in ("next-item", "holdout"):
        found[protocol] = evaluate(DATA, [ItemKNN(n_neighbors=8), Popularity()], protocol=protocol)
    found["faithfulness"] = {
        "dataset": "planted",
        "rows": [
            {
                "explainer": name,
                "model": "M",
                "del@1": value,
                "tau": None,
                "ci95": {"del@1": [value - 0.1, value + 0.1]},
                "curves": {"K": [1, 2], "del": [value, value / 2], "ins": [0.1, 0.2]},
            }
            for name, value in (("contribution", 0.25), ("weight", 0.75))
        ],
    }
    monkeypatch.setattr(lab, "_kept", found.get)
    monkeypatch.setattr(state, "dataset", lambda name="": small().data_)
    monkeypatch.setattr(state, "model", lambda kind="HybridAttention", name="": small(kind))


def page(lang: str = "en", **params: str) -> AppTest:
    return sound(visited("from xattn.app.lab import page; page.render()", lang, **params))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_measure_says_which_way_is_better(lang: str) -> None:
    from xattn.app.lab.results import COSTS, meaning, metrics_of

    stored = {job: jobs.stored(job) or {} for job in ("next-item", "holdout", "faithfulness", "groups", "threshold")}
    names = {name for result in stored.values() for name in metrics_of(result["rows"]) if name not in COSTS}
    for job in ("groups", "threshold"):
        names |= {name for name, value in stored[job]["rows"][0].items() if isinstance(value, dict)}
    for name in sorted(names - {"n", "threshold"}):
        said = meaning(name, lang)
        assert any(word in said for word in ("better", "更好", "越", "本身无好坏")), name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_best_finding_stands_at_the_top(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = [
        {"head": name, "weight_share": {"value": looked}, "effect_share": {"value": decided}}
        for name, looked, decided in (("content", 0.24, 0.0007), ("recency 3", 0.76, 0.9993))
    ]
    said = reports.finding({"heads": heads, "rows": []}, lang)
    assert "24%" in said
    assert "0.07%" in said
    assert head_name("content", lang) in said
    monkeypatch.setattr(lab, "_kept", {"attention": {**REPORTS["attention"], "heads": heads}}.get)
    assert f"**{said}**" in [element.value for element in page(lang).markdown]
    assert not reports.finding({"heads": heads[1:], "rows": []}, lang)


@pytest.mark.parametrize(("name", "value"), [("part", "nosuch"), ("part", "<b>"), ("metric", "speed")])
def test_a_choice_that_is_none_is_said(name: str, value: str) -> None:
    (warning,) = page(**{name: value}).warning
    assert f"`{name}` in the address must be one of" in warning.value
    assert "<b>" not in warning.value.replace("\\<", "")


def test_how_it_was_measured_is_always_marked() -> None:
    at = page()
    at.segmented_control(key="lab_part").set_value("faithfulness").run()
    assert at.segmented_control(key="lab_protocol_faithfulness").value == "faithfulness"


def test_whatever_reports_name_has_a_name_in_the_catalogue() -> None:
    for explainer in EXPLAINERS:
        assert t(f"lab.explainer_{explainer}", "en") == explainer_name(explainer, "en")
    for group in {*chain.from_iterable(USERS.values()), *ITEMS}:
        assert group_name(group, "zh") != group
    kept = lab._kept("attention-tests")
    assert kept is not None
    for row in kept["rows"]:
        assert (
            measure_name(row["measure"], "zh") not in (row["measure"], row["measure"].upper()) or "@" in row["measure"]
        )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("part", lab.PARTS)
def test_every_part_is_drawn(part: str, lang: str) -> None:
    at = page(lang, part=part)
    assert at.title[0].value == t("lab.title", lang)
    assert at.dataframe, "there are numbers"
    assert part == "models" or at.get("vega_lite_chart")
    said = " ".join([*(element.value for element in at.markdown), *(frame.value.to_csv() for frame in at.dataframe)])
    assert not re.search(r"recency \d|kernel_shap|ndcg@|, The\b", said), "names are those that people read"


def test_the_numbers_are_the_results() -> None:
    rows = {row["model"]: row for row in lab._kept("next-item")["rows"]}  # type: ignore[index]
    for metric in ("ndcg@10", "hr@10"):
        frame = page(metric=metric).dataframe[0].value
        assert frame[metric_name(metric, "en")].tolist() == [rows[name][metric] for name in frame["model"]]
        assert frame["low"].tolist() == [rows[name]["ci95"][metric][0] for name in frame["model"]]


def test_choices_stand_in_the_address() -> None:
    at = page(protocol="holdout", metric="hr@10")
    assert at.segmented_control(key="lab_protocol_accuracy").value == "holdout"
    assert at.selectbox(key="lab_metric").value == "hr@10"
    at.selectbox(key="lab_metric").set_value("mrr").run()
    assert at.query_params["metric"] == "mrr"
    at = page(part="models", user="u7", first="ItemKNN", second="Popularity")
    assert at.selectbox(key="lab_first").value == "ItemKNN"


@pytest.mark.parametrize(
    "params", [{"part": "x"}, {"protocol": "eval"}, {"metric": "<b>"}, {"part": "models", "user": "nobody"}]
)
def test_a_strange_address_shows_the_first_of_its_kind(params: dict[str, str]) -> None:
    assert page(**params).dataframe


def test_two_models_are_listed_side_by_side() -> None:
    at = page(part="models", user="u3", first="ItemKNN", second="UserAttention")
    lists = [small(kind).recommend(user="u3") for kind in ("ItemKNN", "UserAttention")]
    shown = [frame.value for frame in at.dataframe]
    assert [frame["film"].tolist() for frame in shown] == [own["title"].tolist() for own in lists]
    shared = len(set(lists[0]["item"]) & set(lists[1]["item"]))
    assert models.overlap(*lists) == shared
    assert any(f"share {shared} of 10" in element.value for element in at.markdown)


def test_nothing_kept_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "_kept", lambda job: None)
    assert [element.value for element in page(part="training").info] == [t("lab.nothing_kept")]


# --- runs -------------------------------------------------------------------------------------------------------------

JOB = """
import json, sys, time
job, out = sys.argv[1], sys.argv[3]
print("0.5\\thalf", flush=True)
if job == "slow": time.sleep(60)
if job == "broken": raise SystemExit(1)
json.dump({"job": job}, open(out, "w"))
"""


@pytest.fixture
def own_runs(tmp_path: Path) -> runs.Runs:
    script = tmp_path / "job.py"
    script.write_text(JOB)
    return runs.Runs((sys.executable, str(script)))


def wait_for(found: runs.Runs, *states: str) -> runs.Status:
    end = time.monotonic() + 60
    while found.status.state not in states and time.monotonic() < end:
        time.sleep(0.02)
    assert found.status.state in states
    return found.status


def test_a_run_brings_its_result(own_runs: runs.Runs) -> None:
    assert own_runs.start("quick")
    assert wait_for(own_runs, "done").job == "quick"
    assert own_runs.results == {"quick": {"job": "quick"}}


def test_one_run_at_a_time_and_it_can_be_cancelled(own_runs: runs.Runs) -> None:
    assert own_runs.start("slow")
    while own_runs.status.share == 0:
        time.sleep(0.02)
    assert own_runs.status == runs.Status("slow", "running", 0.5, "half")
    assert not own_runs.start("quick")
    own_runs.cancel()
    assert wait_for(own_runs, "cancelled").job == "slow"
    assert own_runs.results == {}
    assert own_runs.start("quick")
    wait_for(own_runs, "done")


def test_a_run_that_ends_while_the_page_is_drawn_is_shown(own_runs: runs.Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The results are read first, the button and how the run is going are drawn after them."""
    own_runs._status = runs.Status("attention", "running", 0.5)
    source = lab._source

    def ended(*given: Any) -> None:
        if own_runs.status.state == "running":
            own_runs.results["attention"] = {"kind": "attention", **REPORTS["attention"], "dataset": "of this run"}
            own_runs._status = runs.Status("attention", "done", 1.0)
        source(*given)

    monkeypatch.setattr(lab, "runs", lambda: own_runs)
    monkeypatch.setattr(lab, "_source", ended)
    at = page(part="attention")
    assert any("of this run" in one.value for one in at.caption)
    assert [one.value for one in at.success] == [t("lab.run_done", job=t("lab.job_attention"))]
    assert not at.button(key="lab_run").disabled


def test_a_run_that_breaks_off_is_told(own_runs: runs.Runs) -> None:
    own_runs.start("broken")
    assert wait_for(own_runs, "failed").job == "broken"


def test_runs_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not page().button(key="lab_run").disabled
    monkeypatch.setenv(runs.SWITCH, "off")
    assert page().button(key="lab_run").disabled


def test_a_job_writes_strict_json_and_its_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def job(data: Any, model: Any, tell: Any) -> dict[str, Any]:
        tell("work", 0.25)
        return {"x": float("nan"), "y": 1 / 3}

    monkeypatch.setitem(jobs.JOBS, "next-item", job)
    monkeypatch.setattr(jobs, "load_dataset", lambda name: DATA)
    assert jobs.main(["next-item", "--out", str(tmp_path / "out.json")]) == 0
    assert json.loads((tmp_path / "out.json").read_text()) == {"x": None, "y": 0.3333333}
    assert capsys.readouterr().out.splitlines() == ["0.2500\twork", "1.0000\tdone"]


KEPT = sorted(path.stem for path in jobs.STORED.glob("*.json"))


def test_there_is_something_to_show_at_once() -> None:
    assert "next-item" in KEPT
    assert set(KEPT) <= set(jobs.JOBS)


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_is_sound(name: str) -> None:
    kept = jobs.stored(name)
    assert kept is not None
    assert kept["dataset"] == jobs.DATASET
    assert kept["rows"]
    assert (jobs.STORED / f"{name}.json").stat().st_size < 200_000


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_can_be_drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "_kept", jobs.stored)
    part = next(part for part, names in lab.PARTS.items() if name in names)
    assert page(part=part, protocol=name).dataframe


# --- every number -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SMALL)
def test_lists_of_all_users_are_the_librarys(kind: str) -> None:
    """What pages print comes from `listed`: for every user of the planted data, its reason beside the ledger's."""
    model, data = small(kind), small().data_
    for user in data.user_ids:
        shown = listed(model, View(user, kind, 10))
        served = model.recommend(user=user)
        assert shown[["rank", "item", "title", "score", "base"]].equals(served)
        for row in shown.head(2).itertuples():
            why = model.explain(user=user, item=row.item)
            top = why.events()
            reason = len(top) and why.base < why.score - why.base and top["contribution"].iloc[0] > 0
            assert row.because == (top["title"].iloc[0] if reason else "")
            assert row.amount == pytest.approx(top["contribution"].iloc[0] if reason else 0.0, rel=1e-9)
