"""Files that every test of the command line may read: small planted data with hostile titles, and a saved model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from xattn import Popularity, read_interactions
from xattn.cli import main
from xattn.data import planted
from xattn.recommenders import registry

HOSTILE = "[red]=HYPERLINK(1)[/red] <b>**x**</b> :smile: \u202e\u2066\u200b $1 {0} %s Käse 黑客帝国"

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_page_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output goes to no terminal here; a width that the test runner sets (COLUMNS) would cut its tables."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True)
def no_other_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models are ours alone, whatever was registered in this process before."""
    monkeypatch.setattr(registry, "_registered", {})


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ratings.csv (60 users u0…, 40 items i0…), items.csv, history.csv, model.npz (Popularity)."""
    folder = tmp_path_factory.mktemp("cli files")
    data = planted("genre", n_users=60, seed=1).data
    names = {"user": data.user_ids, "item": data.items.ids}
    frame = pd.DataFrame({"user": data.user, "item": data.item, "rating": data.rating, "timestamp": data.time})
    frame = frame.assign(**{key: frame[key].map(dict(enumerate(ids))) for key, ids in names.items()})
    frame.to_csv(folder / "ratings.csv", index=False)
    titles = [f"{title} {HOSTILE if row % 2 else ''}" for row, title in enumerate(data.items.titles)]
    items = pd.DataFrame({"item": data.items.ids, "title": titles, "genres": data.items.frame["genres"]})
    items.to_csv(folder / "items.csv", index=False)
    (folder / "history.csv").write_text("item,rating\ni1,5\ni2,1\nnowhere,3\n", "utf-8")
    Popularity().fit(read_interactions(folder / "ratings.csv", folder / "items.csv")).save(folder / "model.npz")
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("recommend", …)` calls the command in that folder; stdout and stderr come apart."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TERM", "xterm")

    def call(*args: str, input: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, args, input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def files() -> tuple[str, ...]:
    """The options that name the planted data."""
    return ("--ratings", "ratings.csv", "--items", "items.csv")
