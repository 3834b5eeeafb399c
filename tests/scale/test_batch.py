"""Over partitions everybody gets the list, the reasons and the rank that the model gives one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.scale.test_fit import InProcess, damaged
from tests.scale.test_partitions import events
from xattn import (
    CollaborativeAttention,
    DataError,
    HybridAttention,
    InputError,
    load_model,
    read_interactions,
)
from xattn.cli import main
from xattn.evaluate import evaluate
from xattn.scale import evaluate_partitions, fit_partitions, partition, recommend_partitions
from xattn.scale.local import LocalEngine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Partitions with repeats, ties in time, one-event users and a part without anybody, and a model of them."""
    where = tmp_path_factory.mktemp("batch")
    frame = pd.concat(
        [events(500, users=14), pd.DataFrame({"user": ["once"], "item": ["i1"], "rating": [4.0], "timestamp": [1]})]
    )
    frame.to_csv(where / "events.csv", index=False)
    made = partition(where / "events.csv", where / "p", parts=14)
    assert min(part.users for part in made.parts) == 0
    fit_partitions(where / "p", HybridAttention(min_events=2), sample=300).model.save(where / "m.npz")
    return where


def rows(files: tuple[Path, ...]) -> pd.DataFrame:
    return pd.concat([pq.read_table(path).to_pandas() for path in files], ignore_index=True)


def test_lists_are_those_of_recommend_and_reasons_add_up(folder: Path, tmp_path: Path) -> None:
    model, data = load_model(folder / "m.npz"), read_interactions(folder / "events.csv")
    assert model.data_.n_users < data.n_users
    made = recommend_partitions(folder / "p", folder / "m.npz", tmp_path / "out", k=3, reasons=True, engine=InProcess())
    lists, reasons = rows(made.lists), rows(made.reasons)
    assert made.rows == len(lists) + len(reasons)
    assert set(lists["user"]) == set(data.user_ids)
    whole = HybridAttention(min_events=2).fit(data)
    for user, listed in lists.groupby("user"):
        history = whole.history(user)
        one = model.recommend(history=history, k=3)
        assert listed["item"].tolist() == one["item"].tolist()
        assert listed["score"].tolist() == one["score"].tolist()
    given = reasons.groupby(["user", "rank"])["contribution"].sum()
    gap = lists.set_index(["user", "rank"])
    np.testing.assert_allclose((gap["score"] - gap["base"] - given).fillna(0.0), 0, atol=1e-12)
    for row in reasons.sample(20, random_state=0).itertuples():
        history = whole.history(row.user)
        score = model.score(history=history, without=[row.event])[model.data_.item_row(row.item)]
        assert score == pytest.approx(row.score_without, abs=1e-12)


@pytest.mark.parametrize("seen", ["drop", "keep"])
def test_figures_are_those_of_evaluate(folder: Path, tmp_path: Path, seen: str) -> None:
    model = CollaborativeAttention(min_events=2, dtype="float64")
    found = evaluate_partitions(folder / "p", model, tmp_path / "out", k=5, seen=seen, engine=InProcess())
    data = read_interactions(folder / "events.csv")
    want = evaluate(data, {"CollaborativeAttention": lambda: CollaborativeAttention(min_events=2, dtype="float64")},
                    k=5, seen=seen)  # fmt: skip
    assert found["users"] == want["users"]
    assert found["k"] == want["k"]
    for name in ("ndcg@5", "hr@5", "mrr"):
        assert found["rows"][0][name] == pytest.approx(want["rows"][0][name], abs=1e-12)


def test_an_item_that_training_does_not_hold_is_a_miss(tmp_path: Path) -> None:
    frame = events(300, users=10)
    user = frame.user[0]
    last = pd.DataFrame({"user": [user], "item": ["new"], "rating": [5.0], "timestamp": [2_000_000_000]})
    pd.concat([frame, last]).to_csv(tmp_path / "e.csv", index=False)
    partition(tmp_path / "e.csv", tmp_path / "p", parts=3)
    model = CollaborativeAttention(min_events=2)
    evaluate_partitions(tmp_path / "p", model, tmp_path / "out", engine=InProcess(), seen="keep")
    found = rows(tuple(sorted((tmp_path / "out").glob("ranks-*"))))
    assert found.set_index("target").loc["new", "rank"] == np.inf
    assert np.isfinite(found["rank"]).sum() == len(found) - 1


def test_the_same_bytes_at_any_number_of_workers_and_after_resuming(folder: Path, tmp_path: Path) -> None:
    engine = LocalEngine(2)
    try:
        two = recommend_partitions(folder / "p", folder / "m.npz", tmp_path / "two", k=3, engine=engine)
    finally:
        engine.close()
    one = recommend_partitions(folder / "p", folder / "m.npz", tmp_path / "one", k=3, engine=InProcess())
    content = [path.read_bytes() for path in one.lists]
    assert [path.read_bytes() for path in two.lists] == content
    for path in one.lists[::2]:
        path.unlink()
    stamps = [path.stat().st_mtime_ns for path in one.lists[1::2]]
    again = recommend_partitions(folder / "p", folder / "m.npz", tmp_path / "one", k=3, engine=InProcess())
    assert [path.read_bytes() for path in again.lists] == content
    assert [path.stat().st_mtime_ns for path in one.lists[1::2]] == stamps


def test_some_people_are_the_same_ones_each_time(folder: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"k": 3, "users": 10, "engine": InProcess()}
    found = [
        set(
            rows(recommend_partitions(folder / "p", load_model(folder / "m.npz"), tmp_path / n, **options).lists)[
                "user"
            ]
        )
        for n in ("a", "b", "a")
    ]
    assert found[0] == found[1] == found[2]
    assert 2 < len(found[0]) < 20


def test_what_does_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    recommend_partitions(folder / "p", folder / "m.npz", tmp_path / "out", k=3, engine=InProcess())
    with pytest.raises(InputError, match="choose another folder"):
        recommend_partitions(folder / "p", folder / "m.npz", tmp_path / "out", k=4, engine=InProcess())
    events(50, users=5).to_csv(tmp_path / "other.csv", index=False)
    other = HybridAttention(min_events=1).fit(read_interactions(tmp_path / "other.csv"))
    with pytest.raises(InputError, match="other items"):
        recommend_partitions(folder / "p", other, tmp_path / "o2", engine=InProcess())
    with pytest.raises(InputError, match="users"):
        recommend_partitions(folder / "p", folder / "m.npz", tmp_path / "o3", users=0, engine=InProcess())


def test_a_damaged_partition_is_named_and_the_rest_is_served(folder: Path, tmp_path: Path) -> None:
    made = partition(folder / "events.csv", tmp_path / "p", parts=3)
    damaged(made, 1)
    with pytest.raises(DataError, match=made.parts[1].folder):
        recommend_partitions(tmp_path / "p", folder / "m.npz", tmp_path / "out", engine=InProcess())
    assert len(list((tmp_path / "out").glob("lists-*.parquet"))) == 2


def test_the_commands(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> Any:
        with pytest.raises(SystemExit) as left:
            main(["batch", *words, "--partitions", str(folder / "p"), "--json"])
        assert left.value.code == 0
        return json.loads(capsys.readouterr().out)

    made = run("recommend", "--model", str(folder / "m.npz"), "--out", str(tmp_path / "l"), "-k", "2", "--users", "5")
    assert len(made["files"]) == 14
    tested = run("evaluate", "--model", "CollaborativeAttention", "--out", str(tmp_path / "t"), "-k", "5")
    assert 0 <= tested["rows"][0]["ndcg@5"] <= 1
