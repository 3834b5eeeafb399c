"""What each command answers: the shape of its JSON, and the same facts on the screen."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import Result

import xattn
from tests.cli.conftest import Run
from tests.cli.test_refusals import refused
from xattn import load_model
from xattn.recommenders.registry import OWN, model_names, register

NAMES = ["EASE", "CollaborativeAttention", "ContentAttention", "HybridAttention", "ItemKNN", "NeuralAttention"]
NAMES += ["Popularity", "RecencyEASE", "SequenceAttention", "UserAttention"]
Files = tuple[str, ...]


def answer(result: Result) -> Any:
    """What a command printed, as strict JSON; it went well and stdout holds nothing else."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_constant=refuse)


# --- example ----------------------------------------------------------------------------------------------------------


def test_example_in_json_is_exact(run: Run) -> None:
    found = answer(run("example", "--json"))
    e = [math.exp(score) for score in (2, 1, 3)]
    np.testing.assert_allclose(found["weights"], [x / sum(e) for x in e], rtol=1e-14)
    np.testing.assert_allclose(found["fused"], [0.90997, 0.75527, 0.90997], atol=5e-6)
    np.testing.assert_allclose(found["recommendation"], [6.81566, 5.73847, 4.57093], atol=1e-5)
    assert found["printed"]["weights"] == [0.2, 0.1, 0.7]
    assert {"4.3", "5.2"} <= {erratum["section"] for erratum in found["errata"]}


def test_example_on_screen(run: Run) -> None:
    out = run("example").stdout
    for text in ("0.24473", "0.09003", "0.66524", "[6.81566, 5.73846, 4.57093]", "[3.2, 2.2, 5.4]", "§5.2"):
        assert text in out


# --- recommend --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_recommend_in_json(run: Run, files: Files, model: str) -> None:
    found = answer(run("recommend", *files, "--user", "u3", "--model", model, "-k", "4", "--json"))
    assert found.keys() == {"user", "items", "data_report"}
    assert found["user"] == "u3"
    assert [row["rank"] for row in found["items"]] == [1, 2, 3, 4]
    assert all(row.keys() == {"rank", "item", "title", "score", "base"} for row in found["items"])
    scores = [row["score"] for row in found["items"]]
    assert scores == sorted(scores, reverse=True)


def test_every_recommender_can_be_named() -> None:
    assert list(OWN) == model_names() == NAMES


def test_a_model_from_outside_is_one_of_all(run: Run, files: Files) -> None:
    """What is registered can be named, listed, compared, searched, saved and asked again."""

    @register
    class Unpopularity(xattn.Popularity):
        """Popularity under a name of its own."""

        def __init__(self, power: float = 1.0) -> None:
            self.power = power

    asked = ("--model", "unpopularity", "--user", "u3", "--json")
    fitted = answer(run("recommend", *files, *asked))
    del fitted["data_report"]
    assert fitted == answer(run("recommend", "--model", "model.npz", *asked[2:]))
    assert "Unpopularity" in refused(run("recommend", *files, "--model", "nosuch", "--user", "u3"))
    fitted = answer(run("fit", *files, "--model", "Unpopularity", "--out", "unpopular.npz", "--json"))
    assert fitted["params"] == {"power": 1.0}
    assert run("explain", "--model", "unpopular.npz", "--user", "u3", "--item", "i13").exit_code == 0
    rows = answer(run("evaluate", *files, "--models", "Unpopularity,Random", "--json"))["rows"]
    assert [row["model"] for row in rows] == ["Unpopularity", "Random"]
    found = answer(run("tune", *files, "--model", "Unpopularity", "--over", "power=[2.0]", "--json"))
    assert [trial["params"] for trial in found["trials"]] == [{"power": 1.0}, {"power": 2.0}]


def test_recommend_is_what_the_library_serves(run: Run, files: Files, folder: Any) -> None:
    data = xattn.read_interactions(folder / "ratings.csv", folder / "items.csv")
    want = xattn.HybridAttention().fit(data).recommend(user="u3", k=5, exclude=["i13"], without=["i21"])
    found = answer(run(*f"recommend --user u3 -k 5 --exclude i13 --without i21 --json {' '.join(files)}".split()))
    assert found["items"] == want.to_dict(orient="records")


def test_recommend_on_screen(run: Run, files: Files) -> None:
    asked = ("recommend", *files, "--user", "u3", "-k", "3", "--model", "itemknn")
    rows = answer(run(*asked, "--json"))["items"]
    shown = run(*asked)
    assert shown.stderr.startswith("ratings: 60 users, 40 items, 540 events; user ← user")
    assert run(*asked, "--quiet").stderr == ""
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["rank", "item", "title", "score", "base"]
    for row, line in zip(rows, lines[2:], strict=True):
        assert line.split()[:2] == [str(row["rank"]), row["item"]]
    assert run(*asked, "--lang", "zh").stdout.split()[:5] == ["排名", "物品", "标题", "得分", "基础分"]


def test_k_is_ten_or_all_items_where_there_are_fewer(run: Run, files: Files, folder: Any) -> None:
    assert len(answer(run("recommend", *files, "--user", "u3", "--model", "popularity", "--json"))["items"]) == 10
    (folder / "few.csv").write_text("user,item\na,x\na,y\nb,y\nb,z\n", "utf-8")
    asked = ("recommend", "--ratings", "few.csv", "--user", "a", "--model", "popularity", "--json")
    assert [row["item"] for row in answer(run(*asked))["items"]] == ["z"]


def test_nothing_left_to_recommend_is_said(run: Run, folder: Any) -> None:
    (folder / "all.csv").write_text("user,item\na,x\na,y\nb,y\n", "utf-8")
    asked = ("recommend", "--ratings", "all.csv", "--user", "a", "--model", "popularity")
    assert answer(run(*asked, "--json"))["items"] == []
    assert run(*asked, "--quiet").stderr == "Note: no item is left to recommend.\n"


def test_history_of_someone_new(run: Run, files: Files, folder: Any) -> None:
    asked = ("recommend", *files, "--model", "itemknn", "-k", "3", "--json", "--quiet")
    named = run(*asked, "--history", "history.csv")
    piped = run(*asked, "--history", "-", input=(folder / "history.csv").read_bytes())
    assert answer(named) == answer(piped)
    assert answer(named)["user"] is None
    assert not {"i1", "i2"} & {row["item"] for row in answer(named)["items"]}
    assert named.stderr == "Note: not among the items, so left out of the history: 'nowhere'.\n"


def test_candidates_are_the_only_items(run: Run, files: Files, folder: Any) -> None:
    (folder / "candidates.csv").write_text("i0\ni5\ni6\n", "utf-8")
    found = answer(run("recommend", *files, "--user", "u3", "--candidates", "candidates.csv", "--json"))
    assert {row["item"] for row in found["items"]} <= {"i0", "i5", "i6"}


def test_candidates_may_be_ids(run: Run, files: Files, folder: Any) -> None:
    asked = ("recommend", *files, "--user", "u3", "--model", "popularity", "--json", "--candidates")
    (folder / "three.csv").write_text("i0\ni5\ni6\n", "utf-8")
    assert answer(run(*asked, "i0, i5,i6")) == answer(run(*asked, "three.csv"))
    assert [row["item"] for row in answer(run(*asked, "i5"))["items"]] == ["i5"]
    (folder / "i6").write_text("i5\n", "utf-8")  # a file that is there comes before an id of its name
    assert [row["item"] for row in answer(run(*asked, "i6"))["items"]] == ["i5"]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (["genres=drama"], {"genres": "drama"}),
        (["genres= drama | comedy"], {"genres": ["drama", "comedy"]}),
        (["year=1990..1999"], {"year": (1990, 1999)}),
        (["year=..1999", "genres=drama"], {"year": (None, 1999), "genres": "drama"}),
        (["year=1995.."], {"year": (1995, None)}),
        (["year=.."], {"year": (None, None)}),
        (["year=1990|2001.0"], {"year": [1990, 2001]}),
        ([" year =1990"], {"year": 1990}),
        (["year=1800"], {"year": 1800}),
        (["code=1..2"], {"code": "1..2"}),
    ],
)
def test_conditions_on_columns(run: Run, folder: Path, options: list[str], where: dict[str, Any]) -> None:
    """As the library takes them; in explain the rank is that of the list so filtered."""
    items = pd.read_csv(folder / "items.csv")
    items["year"] = [1980 + row if row % 7 else None for row in range(len(items))]
    items["code"] = ["1..2" if row % 3 else "x" for row in range(len(items))]
    items.to_csv(folder / "more.csv", index=False)
    data = xattn.read_interactions(folder / "ratings.csv", folder / "more.csv")
    want = xattn.Popularity().fit(data).recommend("u3", where=where)
    conditions = [word for option in options for word in ("--where", option)]
    about = ("--ratings", "ratings.csv", "--items", "more.csv", "--user", "u3", "--model", "popularity", *conditions)
    assert answer(run("recommend", *about, "--json"))["items"] == want.to_dict(orient="records")
    for row in want.tail(1).itertuples():
        assert answer(run("explain", *about, "--item", row.item, "--json"))["rank"] == row.rank


def test_conditions_on_a_saved_model(run: Run, files: Files) -> None:
    asked = ("--user", "u3", "--where", "genres=drama", "--json")
    fresh = run("recommend", *files, "--model", "popularity", *asked)
    assert answer(run("recommend", "--model", "model.npz", *asked))["items"] == answer(fresh)["items"]


def test_diversity_mixes_the_list(run: Run, files: Files, folder: Path) -> None:
    data = xattn.read_interactions(folder / "ratings.csv", folder / "items.csv")
    want = xattn.Popularity().fit(data).recommend("u3", diversity=0.6)
    asked = ("recommend", *files, "--user", "u3", "--model", "popularity", "--json")
    mixed = answer(run(*asked, "--diversity", "0.6"))
    assert mixed["items"] == want.to_dict(orient="records")
    assert mixed != answer(run(*asked)) == answer(run(*asked, "--diversity", "0"))


def test_settings_reach_the_model(run: Run, files: Files) -> None:
    asked = ("recommend", *files, "--user", "u3", "--json")
    plain = answer(run(*asked))
    assert answer(run(*asked, "--set", "kappa=1", "--seed", "0", "--dtype", "float32")) == plain
    assert answer(run(*asked, "--set", "kappa=100", "--set", "recency=[2, 9, 30]")) != plain
    assert answer(run(*asked, "--dtype", "float64")) != plain


# --- fit, saved models ------------------------------------------------------------------------------------------------


def test_fit_saves_what_recommend_reads(run: Run, files: Files, folder: Any) -> None:
    said = answer(run("fit", *files, "--out", "fitted.npz", "--json"))
    assert said.keys() == {"model", "params", "data", "out", "bytes", "fit_s", "fingerprint", "data_report"}
    assert said["fingerprint"] == load_model(folder / "fitted.npz").fingerprint()
    assert said["data"] == {"name": "ratings", "users": 60, "items": 40, "events": 540}
    assert said["bytes"] == (folder / "fitted.npz").stat().st_size
    fresh = answer(run("recommend", *files, "--user", "u3", "--json"))
    assert answer(run("recommend", "--model", "fitted.npz", "--user", "u3", "--json"))["items"] == fresh["items"]
    assert (
        answer(run("recommend", "--model", "fitted.npz", *files, "--user", "u3", "--json"))["items"] == fresh["items"]
    )


def test_fit_on_screen(run: Run, files: Files) -> None:
    said = run("fit", *files, "--model", "Popularity", "--out", "popular.npz")
    assert said.stdout.startswith("Popularity fitted on ratings (60 users, 40 items, 540 events) in ")
    assert "saved to popular.npz" in said.stdout
    assert said.stdout.count("\n") == 1


# --- explain ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_explain_in_json_adds_up(run: Run, files: Files, model: str) -> None:
    found = answer(run("explain", *files, "--user", "u3", "--item", "i13", "--model", model, "--json"))
    assert {"user", "item", "score", "base", "cells", "removals", "counterfactual", "text"} <= found.keys()
    columns = {"head", "event", "feature", "weight", "strength", "value", "gate", "contribution"}
    assert all(columns <= cell.keys() for cell in found["cells"])
    total = found["base"] + math.fsum(cell["contribution"] for cell in found["cells"])
    assert total == pytest.approx(found["score"], rel=1e-9, abs=1e-12)
    assert all({"event", "score_without", "rank_without"} <= row.keys() for row in found["removals"])
    assert {"remove", "exact", "replaced_by"} <= found["counterfactual"].keys()
    assert found["text"].keys() == {"en", "zh"}
    served = answer(run("recommend", *files, "--user", "u3", "--model", model, "-k", "31", "--json"))
    assert [row["score"] for row in served["items"] if row["item"] == "i13"] == [pytest.approx(found["score"])]


def figures_of(column: str, lines: list[str], head: str) -> list[float]:
    """The numbers under one heading, which stands over their right end."""
    end = head.index(column) + len(column)
    cells = [line[:end].split("  ")[-1].strip().replace("−", "-") for line in lines]
    return [float(cell) for cell in cells if cell]


@pytest.mark.parametrize("most", ["20", "3", "1"])
def test_explain_on_screen_adds_up(run: Run, folder: Any, most: str) -> None:
    names = ("--ratings", "ratings.csv")  # titles of ids alone: nothing wide stands in the table
    shown = run("explain", *names, "--user", "u3", "--item", "i13", "--events", most)
    text, table = shown.stdout.split("\n\n")
    assert text.startswith("“i13” scores ")
    head, _, *lines = table.splitlines()
    *terms, score = figures_of("contribution", lines, head)
    assert sum(terms) == pytest.approx(score, abs=1e-5)
    assert len(terms) == 1 + min(int(most), 9) + (int(most) < 9)


def test_explain_in_chinese(run: Run, files: Files) -> None:
    out = run("explain", *files, "--user", "u3", "--item", "i13", "--lang", "zh", "--events", "2").stdout
    assert "得分" in out
    assert out.splitlines()[2].split() == ["物品", "事件", "权重", "贡献", "移除效应"]
    assert "其余 7 个事件合计" in out


# --- evaluate ---------------------------------------------------------------------------------------------------------


def test_evaluate_in_json(run: Run, files: Files) -> None:
    found = answer(run("evaluate", *files, "-k", "5", "--seed", "3", "--json"))
    assert {"protocol", "dataset", "users", "items", "events", "rows"} <= found.keys()
    assert (found["protocol"], found["dataset"], found["users"]) == ("next-item", "ratings", 60)
    assert [row["model"] for row in found["rows"]] == NAMES
    columns = {"ndcg@5", "hr@5", "recall@5", "mrr", "coverage", "diversity", "novelty", "ci95", "fit_s", "score_s"}
    columns |= {"precision@5", "map@5", "popularity_bias", "versus_first", "peak_mb"}
    for row in found["rows"]:
        assert columns <= row.keys()
        low, high = row["ci95"]["ndcg@5"]
        assert 0 <= low <= row["ndcg@5"] <= high <= 1


def test_evaluate_lists_that_are_mixed(run: Run, files: Files) -> None:
    asked = ("evaluate", *files, "--models", "popularity,itemknn", "--json")
    plain, same, mixed = (
        answer(run(*asked, *more))["rows"] for more in ((), ("--diversity", "0"), ("--diversity", "0.9"))
    )
    for one, two, three in zip(plain, same, mixed, strict=True):
        assert one["diversity"] == two["diversity"] < three["diversity"]
        assert one["ci95"] == two["ci95"] != three["ci95"]


def test_evaluate_without_features_is_strict_json(run: Run) -> None:
    found = answer(run("evaluate", "--ratings", "ratings.csv", "--models", "popularity", "--json"))
    assert found["rows"][0]["diversity"] is None


def test_evaluate_on_screen_has_the_best_first(run: Run, files: Files) -> None:
    lines = run("evaluate", *files, "--models", "Popularity, UserAttention", "--min-events", "2").stdout.splitlines()
    assert lines[0] == "next-item on ratings: 60 users, 40 items, 540 events"
    assert lines[2].split()[:4] == ["model", "ndcg@10", "95%", "interval"]
    assert [line.split()[0] for line in lines[4:6]] == ["UserAttention", "Popularity"]
    assert lines[5].split()[3] == "–", "the first model named is not compared with itself"
    assert lines[-1] == "p: chance of such a difference in ndcg@10 to Popularity if there were none."


@pytest.mark.parametrize(("protocol", "main"), [("holdout", "ndcg@10"), ("time", "ndcg@10"), ("rating", "accuracy")])
def test_evaluate_protocols_on_screen_and_in_json(run: Run, files: Files, protocol: str, main: str) -> None:
    asked = ("evaluate", *files, "--models", "ItemKNN,Popularity", "--protocol", protocol, "--positive", "4")
    lines = run(*asked).stdout.splitlines()
    assert lines[0].startswith(f"{protocol} on ratings: ")
    assert lines[2].split()[:2] == ["model", main]
    found = answer(run(*asked, "--json"))
    assert found["protocol"] == protocol
    assert main in found["rows"][1]["versus_first"]


def test_evaluate_protocols_side_by_side(run: Run, files: Files) -> None:
    asked = ("evaluate", *files, "--models", "Popularity,LastItems", "--protocol", "strict,next-item")
    lines = run(*asked).stdout.splitlines()
    heads = [line for line in lines if " on ratings: " in line]
    assert [head.split()[0] for head in heads] == ["strict", "next-item"]
    assert [line.startswith("Strict: the last event but one stands in the history") for line in lines].count(True) == 1
    found = answer(run(*asked, "--json"))["protocols"]
    assert [one["protocol"] for one in found] == ["strict", "next-item"]
    assert found[0]["rows"][0]["model"] == found[1]["rows"][0]["model"] == "Popularity"


def test_evaluate_a_split_of_files(run: Run, folder: Path, tmp_path: Path) -> None:
    train, test, history = (tmp_path / f"{name}.csv" for name in ("train", "test", "history"))
    frame = pd.read_csv(folder / "ratings.csv")
    last = ~frame.duplicated("user", keep="last")
    new = frame["user"].isin(["u0", "u1"])
    frame[~last & ~new].to_csv(train, index=False)
    frame[~last & new].to_csv(history, index=False)
    frame[last].to_csv(test, index=False)
    asked = ("evaluate", "--train", str(train), "--test", str(test), "--history", str(history), "--models", "itemknn")
    found = answer(run(*asked, "--items", "items.csv", "--json"))
    assert (found["protocol"], found["dataset"], found["users"], found["items"]) == ("given", "train", 60, 40)
    assert run(*asked, "-k", "3").stdout.startswith("given on train: 60 users")


# --- data, version, help ----------------------------------------------------------------------------------------------


def test_data_list(run: Run) -> None:
    (found,) = answer(run("data", "list", "--json"))["datasets"]
    assert (found["name"], found["users"], found["items"], found["events"]) == ("movielens-small", 671, 9066, 100004)
    assert found["licence"]
    assert found["citation"]
    assert "movielens-small" in run("data", "list").stdout


def test_data_fetch_checks_a_bundled_set(run: Run) -> None:
    found = answer(run("data", "fetch", "movielens-small", "--json"))
    assert found["downloaded"] is False
    assert all(len(sha256) == 64 for sha256 in found["sha256"].values())
    assert "nothing to download" in run("data", "fetch", "movielens-small").stdout


def test_version_and_help(run: Run) -> None:
    assert run("--version").stdout == f"xattn {xattn.__version__}\n"
    assert run().stdout == run("--help").stdout == run("-h").stdout
    assert run("data").stdout == run("data", "--help").stdout
    for name in ("app", "data", "doctor", "evaluate", "example", "explain", "fit", "recommend"):
        assert f"\n  {name} " in run("--help").stdout
        assert run(name, "--help").exit_code == 0


def test_app_serves_what_it_is_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("xattn.app.serve", lambda **given: asked.append(given))
    assert run("app", "--port", "8502", "--host", "127.0.0.1").exit_code == 0
    assert run("app").exit_code == 0
    films = {"scenario": "films"}
    assert asked == [{"port": 8502, "address": "127.0.0.1"} | films, {"port": 8501, "address": "localhost"} | films]


# --- what was met before ----------------------------------------------------------------------------------------------


@pytest.fixture
def plays(tmp_path: Path) -> str:
    """Each of twelve people plays three songs, and the first of them again; every line stands twice in the file."""
    rows = [
        (f"p{u}", f"s{(u + step) % 4 + 4 * (u % 3)}", 100 * u + t)
        for u in range(12)
        for t, step in enumerate((0, 1, 2, 0))
    ]
    frame = pd.DataFrame(rows, columns=["who", "song", "when"])
    path = tmp_path / "plays.csv"
    pd.concat([frame, frame]).to_csv(path, index=False)
    return str(path)


COLUMNS = ("--columns", "user=who,item=song,time=when")


def test_a_list_may_offer_again_what_was_met(run: Run, plays: str) -> None:
    asked = ("--ratings", plays, *COLUMNS, "--user", "p0", "--model", "Popularity", "-k", "12", "--json")
    dropped, kept = (answer(run("recommend", *asked, "--seen", seen)) for seen in ("drop", "keep"))
    met = {"s0", "s1", "s2"}
    assert not met & {row["item"] for row in dropped["items"]}
    assert met <= {row["item"] for row in kept["items"]}
    why = answer(run("explain", *asked[:-3], "-k", "12", "--item", "s0", "--seen", "keep", "--json"))
    assert why["asked"] == {"k": 12, "seen": "keep"}
    assert why["rank"] == [row["item"] for row in kept["items"]].index("s0") + 1


def test_evaluation_says_what_it_did_not_ask(run: Run, plays: str) -> None:
    asked = ("--ratings", plays, *COLUMNS, "--models", "Popularity", "-k", "3")
    assert "got 12 targets, all met before" in refused(run("evaluate", *asked))
    found = answer(run("evaluate", *asked, "--seen", "keep", "--json"))
    assert found["seen"] == "keep"
    assert found["questions"] == {"targets": 12, "met_before": 0, "not_held": 0, "repeats": 48}
    shown = run("evaluate", *asked, "--seen", "keep").stdout
    assert "Lists could offer again what a person had met before." in shown
    assert "48 lines that say again exactly what another line says" in shown
    tuned = answer(
        run("tune", *asked[:-4], "--model", "ItemKNN", "--trials", "2", "-k", "3", "--seen", "keep", "--json")
    )
    assert tuned["questions"]["repeats"] == 48


def test_the_program_reads_the_file_as_the_command_did(run: Run, plays: str) -> None:
    asked = ("--ratings", plays, *COLUMNS, "--repeats", "drop", "--user", "p0", "--model", "Popularity", "--item", "s5")
    program = run("explain", *asked, "--python").stdout
    assert "columns={'user': 'who', 'item': 'song', 'time': 'when'}, repeats='drop')" in program
