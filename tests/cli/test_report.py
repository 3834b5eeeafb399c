"""`xattn report`: every kind on screen and as JSON, and options that belong to another kind are refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from xattn.evaluate.reports import KINDS

Run = Callable[..., Result]
FILES = ("report", "--ratings", "ratings.csv", "--items", "items.csv", "--model", "ContentAttention", "--kind")
MORE = {"groups": ("--by", "genres"), "stability": ("--user", "u3", "--refits", "2", "--how", "seeds")}
OWN = {
    "attention": {"features", "heads"},
    "popularity": {"base_share", "gini", "coverage", "bias"},
    "groups": {"by"},
    "threshold": {"k"},
    "attention-tests": {"verdict", "cases"},
    "stability": {"item", "refits", "overlap", "in_list"},
}


def test_the_kinds_are_those_of_the_library() -> None:
    from xattn.cli.report import KINDS as offered
    from xattn.cli.report import _calls

    assert offered == KINDS == tuple(_calls())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(run: Run, kind: str) -> None:
    asked = (*FILES, kind, *MORE.get(kind, ()), *(() if kind == "stability" else ("--sample", "5")))
    result = run(*asked, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["kind"], found["model"], found["seed"]) == (kind, "ContentAttention", 0)
    assert OWN[kind] <= found.keys()
    assert found["rows"]
    assert found["summary"]


def test_on_screen_in_both_languages(run: Run) -> None:
    result = run("report", "--model", "model.npz", "--kind", "popularity")
    lines = result.stdout.splitlines()
    assert lines[0] == "On average 100% of the score of a listed item is its popularity, whoever asks."
    assert lines[4].split() == ["group", "items", "share_of_events", "share_of_lists", "base_share"]
    assert [line.split()[0] for line in lines[6:11]] == ["head", "2", "3", "4", "tail"]
    chinese = run("report", "--model", "model.npz", "--kind", "popularity", "--lang", "zh")
    assert chinese.stdout.startswith("列表中物品的得分平均有 100% 来自其热度")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("--kind", "nosuch"), "`kind` must be one of attention, popularity"),
        (("--kind", "popularity", "--by", "length"), "--by must be left out with --kind popularity; got 'length'."),
        (("--kind", "attention", "-k", "3"), "--k must be left out with --kind attention"),
        (("--kind", "groups", "--user", "u1"), "--user must be left out with --kind groups"),
        (("--kind", "stability", "--user", "u1", "--sample", "9"), "--sample must be left out with --kind stability"),
        (("--kind", "stability"), "exactly one of --user and --history must be given; got none."),
        (("--kind", "threshold"), "`model` must have an attention threshold; got Popularity, which has none."),
        (("--kind", "groups", "--by", "nosuch"), "`by` must be one of length, taste, item, genres; got 'nosuch'."),
        (("--kind", "popularity", "--sample", "0"), "`sample` must be"),
        (("--kind", "popularity", "-k", "0"), "`k` must be"),
        ((), "Missing option '--kind'"),
        (("--kind",), "Option '--kind' requires an argument"),
        (("--kind", ""), "`kind` must be one of attention, popularity"),
        (("--kind", "Groups"), "`kind` must be one of attention, popularity"),
        (("--kind", "groups", "--by"), "Option '--by' requires an argument"),
        (("--kind", "groups", "--by", ""), "`by` must be one of length, taste, item, genres; got ''."),
        (("--kind", "groups", "--by", "\x1b[31m"), "`by` must be one of length, taste, item, genres; got ' [31m'."),
        (("--kind", "groups", "-k", "41"), "`k` must be a whole number from 1 to 40; got 41."),
        (("--kind", "popularity", "-k", "1000000000"), "`k` must be a whole number from 1 to 40; got 1000000000."),
        (("--kind", "groups", "--sample", "-1"), "`sample` must be a whole number >= 1; got -1."),
        (("--kind", "groups", "--sample", "half"), "'half' is not a valid integer"),
        (("--kind", "groups", "--item", "i1"), "--item must be left out with --kind groups; got 'i1'."),
        (("--kind", "groups", "--refits", "3"), "--refits must be left out with --kind groups; got '3'."),
        (("--kind", "attention-tests", "--how", "seeds"), "--how must be left out with --kind attention-tests"),
        (("--kind", "threshold", "--history", "history.csv"), "--history must be left out with --kind threshold"),
        (("--kind", "stability", "--user", "u1", "--by", "length"), "--by must be left out with --kind stability"),
        (("--kind", "stability", "--user", "u1", "--history", "history.csv"), "got --user and --history."),
        (("--kind", "stability", "--user", "nobody"), "`user` must be one of the 60 users of ratings; got 'nobody'."),
        (("--kind", "stability", "--user", ""), "`user` must be an id of visible text"),
        (("--kind", "stability", "--history", "missing.csv"), "'missing.csv': it must be a file that exists"),
        (("--kind", "stability", "--user", "u1", "--item", "nosuch"), "must be one of the 40 items of ratings"),
        (("--kind", "stability", "--user", "u1", "--refits", "0"), "`refits` must be a whole number >= 2; got 0."),
        (("--kind", "stability", "--user", "u1", "--refits", "nan"), "'nan' is not a valid integer"),
        (("--kind", "stability", "--user", "u1", "--how", "nosuch"), "`how` must be one of bootstrap, seeds"),
        (("--kind", "stability", "--user", "u1", "-k", "41"), "`k` must be a whole number from 1 to 40; got 41."),
        (("--kind", "popularity", "--lang", "fr"), "'fr' is not one of 'en', 'zh'"),
        (("--kind", "popularity", "--seed", "1"), "--seed must be left out with a saved model; got '1'."),
        (("--kind", "popularity", "--where", "genres=drama"), "No such option"),
    ],
)
def test_refusals(run: Run, asked: tuple[str, ...], sentence: str) -> None:
    result = run("report", "--model", "model.npz", *asked)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("--model", "missing.npz"), "'missing.npz'"),
        (("--ratings", "ratings.csv", "--model", "nosuch"), "--model must be a file of `xattn fit`, or one of"),
        (("--ratings", "missing.csv"), "'missing.csv': it must be a file that exists and can be read"),
        (("--ratings", "ratings.csv", "--model", "ALS"), "--model must be a file of `xattn fit`, or one of"),
        (("--ratings", "ratings.csv", "--set", "nosuch=1"), "--set must name a setting of HybridAttention"),
        (("--model", "model.npz", "--data", "movielens-small"), "--data or --ratings must be the data that"),
        ((), "exactly one of --data and --ratings must be given; got none."),
        (("--ratings", "ratings.csv", "--model", "itemknn", "--by", "genres"), "`by` must be one of length, taste"),
    ],
)
def test_refusals_of_model_and_data(run: Run, asked: tuple[str, ...], sentence: str) -> None:
    result = run("report", "--kind", "groups", *asked)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
    assert sentence in result.stderr
