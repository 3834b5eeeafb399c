"""A fit over partitions is that of `fit`, and has the same bits whoever does the work, and whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.scale.test_partitions import events
from xattn import CollaborativeAttention, DataError, HybridAttention, InputError, ItemKNN, load_model, read_interactions
from xattn.recommenders.attention import AttentionModel
from xattn.scale import Partitions, fit_partitions, partition
from xattn.scale.local import LocalEngine
from xattn.scale.tree import nodes
from xattn.scale.work import Done, Task, run_tasks

KINDS: dict[str, Any] = {
    "whole": lambda: CollaborativeAttention(min_events=2, dtype="float64"),
    "sparse": lambda: CollaborativeAttention(min_events=2, dtype="float64", n_neighbors=15),
    "any": lambda: CollaborativeAttention(min_events=2, dtype="float64", objective="any"),
    "hybrid": lambda: HybridAttention(min_events=2, dtype="float64"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("scale")
    events().to_csv(where / "events.csv", index=False)
    partition(where / "events.csv", where / "p", parts=6)
    return where


class InProcess:
    """An engine that runs each task where it is handed out, the last first."""

    slots = 4

    def __init__(self) -> None:
        self.held: list[Task] = []

    def submit(self, task: Task) -> None:
        self.held.append(task)

    def wait(self) -> list[Done]:
        from xattn.scale.tasks import run

        task = self.held.pop()
        return [Done(task.key, run(task.call, task.arguments))]

    def close(self) -> None:
        pass


def damaged(made: Partitions, place: int) -> tuple[Path, bytes]:
    """A file of a partition, of which one bit is turned over, and what it held."""
    path = made.folder / made.parts[place].folder / "item.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    return path, whole


def fitted(folder: Path, model: AttentionModel, **options: Any) -> AttentionModel:
    return fit_partitions(folder / "p", model, **{"engine": InProcess(), **options}).model


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_fit_in_memory(folder: Path, kind: str) -> None:
    data = read_interactions(folder / "events.csv")
    one, other = KINDS[kind]().fit(data)._state(), fitted(folder, KINDS[kind]())._state()
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_allclose(other[name], array, rtol=0, atol=1e-13, err_msg=name)  # sums of other order


@pytest.mark.parametrize("kind", ["whole", "sparse", "any"])
def test_bits_do_not_depend_on_how_tasks_are_cut(folder: Path, kind: str) -> None:
    prints = {fitted(folder, KINDS[kind](), together=together).fingerprint() for together in (0, 1100, 10**9)}
    assert len(prints) == 1


def test_a_sample_stands_for_users_and_the_counts_for_all(folder: Path, tmp_path: Path) -> None:
    model = fitted(folder, KINDS["hybrid"](), sample=900)
    data = read_interactions(folder / "events.csv")
    assert 0 < model.data_.n_users < data.n_users
    np.testing.assert_array_equal(model.data_.counts(), data.counts())
    np.testing.assert_allclose(model.base_, KINDS["hybrid"]().fit(data).base_, atol=1e-15)
    model.save(tmp_path / "m.npz")
    loaded = load_model(tmp_path / "m.npz")
    assert loaded.fingerprint() == model.fingerprint()
    with pytest.raises(InputError, match="sample"):
        loaded.forget([loaded.data_.user_ids[0]])
    with pytest.raises(InputError, match="sample"):
        loaded.partial_fit(data)
    history = [data.items.ids[3], data.items.ids[9]]
    assert loaded.recommend(history=history).equals(model.recommend(history=history))


def test_the_last_events_are_left_out(folder: Path) -> None:
    data = read_interactions(folder / "events.csv")
    from xattn.data.split import leave_last_out

    one = KINDS["whole"]().fit(leave_last_out(data).train)
    other = fitted(folder, KINDS["whole"](), leave_last=True)
    np.testing.assert_allclose(other._state()["V"], one._state()["V"], atol=1e-13)


def test_a_damaged_partition_is_named_and_the_rest_is_done(folder: Path, tmp_path: Path) -> None:
    made = partition(folder / "events.csv", tmp_path / "p", parts=6)
    path, whole = damaged(made, 2)
    with pytest.raises(DataError, match=made.parts[2].folder):
        fitted(tmp_path, KINDS["whole"]())
    (work,) = (tmp_path / "p").glob("work-*")
    assert len(list(work.glob("count-*"))) == 5
    path.write_bytes(whole)
    assert fitted(tmp_path, KINDS["whole"]()).fingerprint() == fitted(folder, KINDS["whole"]()).fingerprint()
    assert not list((tmp_path / "p").glob("work-*"))


def test_other_models_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="CollaborativeAttention"):
        fit_partitions(folder / "p", ItemKNN())  # type: ignore[arg-type]


def test_the_tree_is_fixed() -> None:
    assert [tuple(node) for node in nodes(3)] == [(0, 1), (1, 2), (2, 3), (1, 3), (0, 3)]
    assert sum(node.is_leaf for node in nodes(37)) == 37


@pytest.mark.parametrize(("workers", "kills"), [(2, 1), (4, 3)])
def test_workers_are_killed(folder: Path, workers: int, kills: int) -> None:
    """Any number of processes gives the bits of one; so it does when some are killed in the middle of their tasks."""
    expected = fitted(folder, KINDS["whole"]()).fingerprint()
    engine = LocalEngine(workers)
    killed: list[int] = []

    def kill(what: str, share: float) -> None:
        if len(killed) < kills and engine.pids and engine.pids[-1] not in killed:
            killed.append(engine.pids[-1])
            os.kill(killed[-1], signal.SIGKILL)

    try:
        found = fitted(folder, KINDS["whole"](), engine=engine, together=0, progress=kill).fingerprint()
    finally:
        engine.close()
    assert len(killed) == kills
    assert found == expected


def test_a_task_that_kills_its_process_is_given_up() -> None:
    """The others go on."""

    class Poisoned(LocalEngine):
        def submit(self, task: Task) -> None:
            super().submit(task)
            if task.key == "bad":
                os.kill(next(w for w in self._workers if task in w.holds).process.pid, signal.SIGKILL)

    engine = Poisoned(2)
    nothing = {"work": "/nowhere", "low": 0, "high": 2}
    try:
        tasks = [
            Task("bad", "merge", nothing),
            Task("good", "merge", nothing),
            Task("last", "merge", nothing, ("bad",)),
        ]
        problems = run_tasks(tasks, engine, "x")
    finally:
        engine.close()
    assert problems["bad"] == "the process died 4 times"
    assert "No such file" in problems["good"]
    assert "last" not in problems


def test_a_client_that_was_killed_is_resumed(folder: Path, tmp_path: Path) -> None:
    made = partition(folder / "events.csv", tmp_path / "p", parts=6)
    assert isinstance(made, Partitions)
    command = [sys.executable, "-c", CLIENT, str(tmp_path / "p")]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(50, client.kill)
    timer.start()
    assert client.stdout is not None
    line = client.stdout.readline()
    client.kill()
    timer.cancel()
    client.wait()
    assert line.startswith("accumulate"), line
    time.sleep(0.1)
    (work,) = (tmp_path / "p").glob("work-*")
    assert len(list(work.glob("count-*"))) == 6
    assert fitted(tmp_path, KINDS["whole"]()).fingerprint() == fitted(folder, KINDS["whole"]()).fingerprint()


CLIENT = """
import sys, time
from xattn import CollaborativeAttention
from xattn.scale import fit_partitions

def tell(what, share):
    if what == "accumulate":
        print(what, flush=True)
        time.sleep(60)

if __name__ == "__main__":
    model = CollaborativeAttention(min_events=2, dtype="float64")
    fit_partitions(sys.argv[1], model, together=0, progress=tell)
"""


def test_dask_gives_the_same_bits(folder: Path) -> None:
    pytest.importorskip("distributed")
    expected = fitted(folder, KINDS["whole"]()).fingerprint()
    assert fitted(folder, KINDS["whole"](), engine=None, dask="local", workers=1).fingerprint() == expected


def test_fewer_people_than_partitions(tmp_path: Path) -> None:
    """A part without anybody takes nothing away from the others."""
    events(200, users=3).to_csv(tmp_path / "events.csv", index=False)
    partition(tmp_path / "events.csv", tmp_path / "p", parts=9)
    one = KINDS["whole"]().fit(read_interactions(tmp_path / "events.csv"))
    for options in ({}, {"together": 0}, {"leave_last": True}):
        other = fitted(tmp_path, KINDS["whole"](), **options)
        if not options.get("leave_last"):
            np.testing.assert_allclose(other._state()["V"], one._state()["V"], atol=1e-13)
