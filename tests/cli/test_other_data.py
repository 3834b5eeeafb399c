"""A saved model with data beside it: the very data that it was fitted on is taken, any other is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Run
from tests.cli.test_refusals import refused
from xattn import Popularity, read_interactions

COMMANDS = {
    "recommend": "recommend --user u3",
    "recommend to someone new": "recommend --history history.csv",
    "explain": "explain --user u3 --item i13",
    "explain a list": "explain --user u3 --list --json",
    "explain beside": "explain --user u3 --item i13 --against i12",
    "report": "report --kind popularity --sample 3 -k 3",
    "report on one score": "report --kind stability --user u3 --refits 2 -k 3",
}
Change = Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame | None]]


def _first_rating(ratings: pd.DataFrame, items: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return ratings.assign(rating=[5.5 - ratings["rating"].iloc[0], *ratings["rating"].iloc[1:]]), items


def _last_user_to_the_front(ratings: pd.DataFrame, items: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    last = ratings["user"] == ratings["user"].iloc[-1]
    return pd.concat([ratings[last], ratings[~last]]), items


OTHER: dict[str, tuple[Change, str]] = {
    "one rating": (_first_rating, "other ratings"),
    "no ratings": (lambda ratings, items: (ratings.drop(columns="rating"), items), "other ratings"),
    "times": (lambda ratings, items: (ratings.assign(timestamp=ratings["timestamp"] + 60), items), "other times"),
    "no times": (lambda ratings, items: (ratings.drop(columns="timestamp"), items), "other times"),
    "types": (lambda ratings, items: (ratings.assign(event="bought"), items), "other event types"),
    "an event less": (lambda ratings, items: (ratings.iloc[:-1], items), "other events"),
    "events turned round": (
        lambda ratings, items: (ratings.assign(timestamp=-ratings["timestamp"]), items),
        "other events",
    ),
    "another user": (lambda ratings, items: (ratings.replace({"user": {"u3": "u3b"}}), items), "other users"),
    "users in another order": (_last_user_to_the_front, "another order of users"),
    "items in another order": (lambda ratings, items: (ratings, items.iloc[::-1]), "another order of items"),
    "an item more": (
        lambda ratings, items: (ratings, pd.concat([items, items.iloc[:1].assign(item="new")])),
        "other items",
    ),
    "a title": (
        lambda ratings, items: (ratings, items.replace({"title": {items["title"][0]: "X"}})),
        "other titles of items",
    ),
    "a cell": (
        lambda ratings, items: (ratings, items.assign(genres=["war", *items["genres"].iloc[1:]])),
        "other columns of items",
    ),
    "a column more": (lambda ratings, items: (ratings, items.assign(year=2000)), "other columns of items"),
    "no items file": (lambda ratings, items: (ratings, None), "another order of items"),
}


@pytest.fixture
def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_csv(folder / "ratings.csv"), pd.read_csv(folder / "items.csv", keep_default_na=False)


def _written(folder: Path, ratings: pd.DataFrame, items: pd.DataFrame | None) -> tuple[str, ...]:
    """The options that name such files."""
    ratings.to_csv(folder / "other.csv", index=False)
    if items is None:
        return ("--ratings", "other.csv")
    items.to_csv(folder / "other_items.csv", index=False)
    return ("--ratings", "other.csv", "--items", "other_items.csv")


@pytest.mark.parametrize("name", OTHER)
def test_other_data_is_refused(run: Run, folder: Path, tables: tuple[pd.DataFrame, pd.DataFrame], name: str) -> None:
    change, got = OTHER[name]
    options = _written(folder, *change(*tables))
    said = refused(run("recommend", "--model", "model.npz", *options, "--user", "u3"))
    why = "the model brings its data along; `xattn fit` fits a model to other data"
    must = f"--data or --ratings must be the data that 'model.npz' was fitted on, or be left out ({why})"
    assert said == f"Error: {must}; got {got}."


@pytest.mark.parametrize("name", COMMANDS)
def test_in_every_command(run: Run, folder: Path, tables: tuple[pd.DataFrame, pd.DataFrame], name: str) -> None:
    options = _written(folder, *_first_rating(*tables))
    asked = (*COMMANDS[name].split(" "), "--model", "model.npz")
    assert refused(run(*asked, *options)).endswith("got other ratings.")
    alone, beside = run(*asked), run(*asked, "--ratings", "ratings.csv", "--items", "items.csv")
    assert alone.exit_code == beside.exit_code == 0, beside.output
    assert alone.stdout == beside.stdout


def test_the_same_lines_in_a_copy_are_the_same_data(run: Run, folder: Path) -> None:
    """The name of a file does not matter; nor does the order of lines, where nothing depends on it."""
    ratings = pd.read_csv(folder / "ratings.csv")
    swapped = ratings.iloc[[1, 0, *range(2, len(ratings))]]
    assert ratings["item"].iloc[0] != ratings["item"].iloc[1]
    swapped.to_csv(folder / "swapped.csv", index=False)
    options = ("--model", "model.npz", "--items", "items.csv", "--user", "u3")
    (folder / "copy.csv").write_bytes((folder / "ratings.csv").read_bytes())
    assert run("recommend", *options, "--ratings", "copy.csv").exit_code == 0
    assert run("recommend", *options, "--ratings", "swapped.csv").exit_code == 0


def test_columns_of_every_type_come_back_the_same(run: Run, folder: Path, tmp_path: Path) -> None:
    """What a file of items says is the same after it went through a file of a model."""
    n = len(pd.read_csv(folder / "items.csv"))
    items = pd.read_csv(folder / "items.csv").assign(
        whole=range(n), part=[row / 3 for row in range(n)], gaps=[None if row % 3 else row for row in range(n)],
        flag=[row % 2 == 0 for row in range(n)], code=[f"{row:03}" for row in range(n)], empty=None,
    )  # fmt: skip
    items.to_csv(folder / "typed.csv", index=False)
    files = ("--ratings", "ratings.csv", "--items", "typed.csv")
    assert run("fit", *files, "--model", "popularity", "--out", "typed.npz").exit_code == 0
    assert run("recommend", *files, "--model", "typed.npz", "--user", "u3").exit_code == 0


def test_a_bundled_set_is_compared_too(run: Run, folder: Path) -> None:
    said = refused(run("recommend", "--data", "movielens-small", "--model", "model.npz", "--user", "u3"))
    assert said.endswith("got other users.")


@pytest.mark.parametrize("command", ["evaluate --models", "tune --model", "fit --out new.npz --model"])
def test_commands_that_fit_take_no_saved_model(run: Run, files: tuple[str, ...], command: str) -> None:
    refused(run(*command.split(" "), "model.npz", *files))


def test_without_times_the_order_of_lines_is_the_order_of_events(run: Run, folder: Path) -> None:
    lines = ["user,item", "a,x", "a,y", "b,y", "b,z"]
    (folder / "first.csv").write_text("\n".join(lines), "utf-8")
    (folder / "then.csv").write_text("\n".join([*lines[:1], lines[2], lines[1], *lines[3:]]), "utf-8")
    Popularity().fit(read_interactions(folder / "first.csv")).save(folder / "lines.npz")
    assert run("recommend", "--model", "lines.npz", "--ratings", "first.csv", "--user", "a").exit_code == 0
    assert "got another order of items." in refused(
        run("recommend", "--model", "lines.npz", "--ratings", "then.csv", "--user", "a")
    )
