"""`xattn tune`, and what `xattn evaluate` does with rivals, settings, folds, agreement and hidden items."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Run

Files = tuple[str, ...]


def answer(run: Run, *args: str) -> Any:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


# --- tune -------------------------------------------------------------------------------------------------------------


def test_tune_in_json(run: Run, files: Files) -> None:
    found = answer(run, "tune", *files, "--model", "itemknn", "--over", "n_neighbors=[1,30]", "--over", "shrink=[0]")
    assert (found["model"], found["metric"], found["wanted"], found["complete"]) == ("ItemKNN", "ndcg@10", 3, True)
    assert [t["params"] for t in found["trials"]] == [
        {"n_neighbors": 20, "shrink": 10.0},
        {"n_neighbors": 1, "shrink": 0},
        {"n_neighbors": 30, "shrink": 0},
    ]
    assert found["best"] in found["trials"]


def test_tune_is_the_search_of_the_library(run: Run, files: Files) -> None:
    from xattn import ItemKNN, read_interactions
    from xattn.evaluate import search

    asked = ("--protocol", "holdout", "--metric", "recall", "-k", "5", "--seed", "3", "--positive", "4")
    found = answer(run, "tune", *files, "--model", "ItemKNN", "--set", "shrink=2", "--over", "n_neighbors=[3]", *asked)
    wanted = search(
        read_interactions("ratings.csv", "items.csv"),
        ItemKNN(shrink=2),
        {"n_neighbors": [3]},
        protocol="holdout",
        metric="recall",
        k=5,
        seed=3,
        positive=4.0,
    )
    assert [t["value"] for t in found["trials"]] == [t["value"] for t in wanted["trials"]]


def test_tune_on_screen_has_the_best_first_and_says_how_to_use_it(run: Run, files: Files) -> None:
    asked = ("tune", *files, "--model", "ItemKNN", "--over", "n_neighbors=[1,30]", "--over", "shrink=[0]")
    lines = run(*asked).stdout.splitlines()
    assert lines[0].startswith("ItemKNN on validation data of next-item, ratings: 60 users asked")
    assert lines[2].split() == ["ndcg@10", "n_neighbors", "shrink", "seconds"]
    values = [float(line.split()[0]) for line in lines[4:7]]
    assert values == sorted(values, reverse=True)
    best = answer(run, *asked)["best"]["params"]
    assert lines[-1].startswith(f"Best ndcg@10 {values[0]:.4f} (3 of 3 trials in ")
    assert f"--set ItemKNN.n_neighbors={best['n_neighbors']} --set ItemKNN.shrink={best['shrink']:.4g}" in lines[-1]
    measured = run("evaluate", *files, "--models", "ItemKNN", *lines[-1].partition(": ")[2].split())
    assert measured.exit_code == 0


def test_tune_tells_refused_settings_and_a_search_cut_short(run: Run, files: Files) -> None:
    asked = ("tune", *files, "--model", "ItemKNN", "--over", "n_neighbors=[0,5,7]")
    shown = run(*asked).stdout
    assert "–" in shown.splitlines()[-3]
    short = run(*asked, "--seconds", "0.000001")
    assert "1 of 4 trials" in short.stdout
    assert "The search ended before all trials were made." in short.stderr


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ("--model nosuch", "--model must be among ALS, BPR, SASRec, GenrePopularity, LastItems, Random (rivals), "),
        ("--model popularity", "`space` must be given for Popularity"),
        ("--model itemknn --over n_neighbors=5", "--over must be NAME=[V,…], a JSON list of values; got"),
        ("--model itemknn --over size=[5]", "`space` must be one of n_neighbors, shrink; got 'size'."),
        ("--model itemknn --set size=5", "--set must name a setting of ItemKNN (n_neighbors, shrink); got 'size'."),
        ("--model itemknn --protocol rating", "`protocol` must be one of next-item, strict, holdout; got 'rating'."),
        ("--model itemknn --metric auc", "`metric` must be one of"),
        ("--model itemknn --trials 0", "`trials` must be a whole number >= 1; got 0."),
        ("--model itemknn --seconds nan", "`seconds` must be a finite number > 0; got nan."),
        ("--model itemknn -k 0", "`k` must be"),
        ("--model itemknn --min-events 0", "`min_events` must be"),
        ("--model itemknn --dtype float64", "--dtype must be left out with ItemKNN"),
        ("--model model.npz", "--model must be among ALS, BPR, SASRec"),
        ("--model itemknn --over", "Option '--over' requires an argument"),
        ("--model itemknn --over =[1]", "`space` must be one of n_neighbors, shrink; got ''."),
        ("--model itemknn --over neighbours", "--over must be NAME=[V,…], a JSON list of values; got"),
        ("--model itemknn --over n_neighbors=", "--over must be NAME=[V,…], a JSON list of values; got"),
        ("--model itemknn --over n_neighbors=[]", "--over must be NAME=[V,…], a JSON list of values; got"),
        ("--model itemknn --over n_neighbors=[1", "--over must be NAME=[V,…], a JSON list of values; got"),
        ("--model itemknn --over n_neighbors={}", "--over must be NAME=[V,…], a JSON list of values; got"),
        ("--model itemknn --over n_neighbors=" + "[" * 50_000, "--over must be NAME=[V,…], a JSON list of values; got"),
        ("--model itemknn --over n_neighbors=[" + "1" * 5000 + "]", "--over must be NAME=[V,…], a JSON list"),
        ("--model itemknn --over shrink=[1] --over shrink=[2]", "--over must name each setting once; got 'shrink'"),
        ("--model itemknn --over shrink=[1] --set shrink=3", "--set must name settings that --over does not try; got"),
        (
            "--model itemknn --set n_neighbors=0 --over shrink=[1]",
            "`space` must hold a setting that ItemKNN can be fitted",
        ),
        ("--model itemknn --positive 3", "`positive` must be left out with the protocol next-item; got 3."),
        ("--model itemknn --protocol holdout --positive nan", "`positive` must be a finite number; got nan."),
        (
            "--model itemknn --protocol holdout --positive 99",
            "`data` must hold a user with at least seven events who liked",
        ),
        ("--model itemknn --trials x", "Invalid value for '--trials': 'x' is not a valid integer"),
        ("--model itemknn --trials -1", "`trials` must be a whole number >= 1; got -1."),
        ("--model itemknn --seconds 0", "`seconds` must be a finite number > 0; got 0."),
        ("--model itemknn --seed -1", "`seed` must be a whole number >= 0; got -1."),
        ("--model itemknn -k 41", "`k` must be a whole number from 1 to 40; got 41."),
        ("--model itemknn --min-events 1000", "`min_events` must leave"),
        ("--model itemknn --data movielens-small", "exactly one of --data and --ratings must be given; got"),
    ],
)
def test_tune_refuses_in_one_line(run: Run, files: Files, args: str, sentence: str) -> None:
    result = run("tune", *files, *args.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert f"Error: {sentence}" in result.stderr


# --- evaluate ---------------------------------------------------------------------------------------------------------


def test_settings_belong_to_one_model(run: Run, files: Files) -> None:
    asked = ("evaluate", *files, "--models", "itemknn,useratTention")
    plain, other = answer(run, *asked), answer(run, *asked, "--set", "ITEMKNN.n_neighbors=1")
    for place, changed in enumerate((True, False)):
        assert (plain["rows"][place]["ndcg@10"] != other["rows"][place]["ndcg@10"]) == changed


def test_rivals_without_ledgers_take_part(run: Run, files: Files) -> None:
    found = answer(run, "evaluate", *files, "--models", "random,GenrePopularity", "--protocol", "holdout")
    assert [row["model"] for row in found["rows"]] == ["Random", "GenrePopularity"]


def test_agreement_is_a_table_of_its_own(run: Run, files: Files) -> None:
    asked = ("evaluate", *files, "--models", "Popularity,Random", "--agreement")
    lines = run(*asked).stdout.splitlines()
    assert "Agreement of lists with Popularity (95% interval)" in lines
    assert lines[-1].split()[0] == "Random"
    found = answer(run, *asked)
    assert found["rows"][0]["agreement"] is None
    assert 0 < found["rows"][1]["agreement"]["rbo"] < 1


@pytest.mark.parametrize("protocol", ["next-item", "holdout"])
def test_folds(run: Run, files: Files, protocol: str) -> None:
    asked = ("evaluate", *files, "--models", "Popularity,ItemKNN", "--protocol", protocol, "--folds", "3")
    found = answer(run, *asked)
    assert found["folds"] == 3
    assert len(found["rows"][1]["folds"]["ndcg@10"]) == 3
    assert run(*asked).stdout.splitlines()[0].startswith(f"{protocol} on ratings: ")


def test_hidden_items(run: Run, files: Files) -> None:
    found = answer(run, "evaluate", *files, "--protocol", "cold", "--models", "Random", "-k", "3")
    assert found["cold"] > 0 < found["asked"]
    assert {"recall@3", "mrr", "cold_recall@3", "cold_mrr", "cold_share", "ci95"} <= found["rows"][0].keys()
    lines = run("evaluate", *files, "--protocol", "cold", "--models", "Random,GenrePopularity").stdout.splitlines()
    assert lines[2].split()[1] == "recall@40"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ("--models popularity --set itemknn.n_neighbors=5", "--set must be MODEL.NAME=VALUE with one of Popularity"),
        ("--models popularity --set n_neighbors=5", "--set must be MODEL.NAME=VALUE with one of Popularity"),
        ("--models random,Random", "--models must name each model once; got Random twice."),
        ("--models popularity --folds 1", "`folds` must be a whole number from 2 to 60; got 1."),
        ("--models popularity --folds 3 --protocol time", "`protocol` must be one of next-item, holdout"),
        ("--models popularity --folds 3 --agreement", "--agreement must be left out with --folds; got"),
        ("--models popularity --protocol rating --agreement", "`agreement` must be left out with the protocol rating"),
        ("--models random --protocol faithfulness", "`models` must have ledgers with the protocol faithfulness"),
    ],
)
def test_evaluate_refuses_in_one_line(run: Run, files: Files, args: str, sentence: str) -> None:
    result = run("evaluate", *files, *args.split())
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert f"Error: {sentence}" in result.stderr


def test_a_rival_that_is_not_installed_is_told_before_anything_is_read(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xattn.evaluate.rivals.base.find_spec", lambda name: None)
    result = run("evaluate", "--ratings", "nowhere.csv", "--models", "SASRec")
    wanted = "The package torch must be installed for SASRec (pip install 'xattn[rivals]'); got none."
    assert (result.exit_code, result.stderr) == (2, f"Error: {wanted}\n")
