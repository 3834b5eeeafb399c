"""`xattn evaluate --protocol faithfulness`: one row an explainer, on screen and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from click.testing import Result

from xattn.evaluate.faithfulness import EXPLAINERS

Run = Callable[..., Result]
COMMAND = ("evaluate", "--ratings", "ratings.csv", "--items", "items.csv", "--protocol", "faithfulness")


def test_rows_are_explainers_of_each_model(run: Run) -> None:
    result = run(*COMMAND, "--models", "itemknn,Popularity", "-k", "3", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["protocol"], found["model"], found["k"]) == ("faithfulness", "ItemKNN,Popularity", 3)
    assert [(r["model"], r["explainer"]) for r in found["rows"]] == [
        (model, explainer) for model in ("ItemKNN", "Popularity") for explainer in EXPLAINERS
    ]
    for row in found["rows"]:
        assert {"del@1", "del@5", "ins@5", "pos@3,5", "neg@3,5", "cdcg@5", "tau", "ci95"} <= row.keys()
        low, high = row["ci95"]["del@5"]
        assert low - 1e-12 <= row["del@5"] <= high + 1e-12
    assert found["rows"][-1]["tau"] is None  # exhaustive search has no order


def test_on_screen(run: Run) -> None:
    result = run(*COMMAND, "--models", "Popularity")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "faithfulness on ratings: 120 recommendations of 60 users"
    assert lines[2].split()[:3] == ["explainer", "model", "del@5"]
    assert [line.split()[0] for line in lines[4:]] == list(EXPLAINERS)
    assert "–" in lines[-1], "what has no meaning is a dash"


def test_the_default_is_the_default_model(run: Run, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("xattn.recommenders.registry.DEFAULT", "Popularity")
    assert json.loads(run(*COMMAND, "--json").stdout)["model"] == "Popularity"


def test_too_short_histories_are_refused(run: Run, tmp_path) -> None:  # type: ignore[no-untyped-def]
    short = tmp_path / "short.csv"
    short.write_text("user,item\nann,tea\nann,jam\nbob,tea\n", "utf-8")
    result = run("evaluate", "--ratings", str(short), "--protocol", "faithfulness", "--models", "Popularity")
    assert result.exit_code == 2
    assert "a user with at least 5 events; got none." in result.stderr
