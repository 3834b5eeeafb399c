"""Partitions hold what the reading room reads, to the letter and in order, whichever way it came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xattn import DataError, InputError, Interactions, read_interactions
from xattn.scale import Partitions, partition


def whole(partitions: Partitions) -> Interactions:
    return partitions.gathered([partitions.columns(place) for place in range(len(partitions))])


def events(n: int = 3000, users: int = 120, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    user = [f"{'0' * (u % 3)}{u}" for u in rng.integers(0, users, n)]
    item = [f"i{i}" for i in rng.integers(0, 60, n)]
    time = 1_600_000_000 + rng.integers(0, 500, n)  # with many ties
    return pd.DataFrame({"user": user, "item": item, "rating": rng.integers(1, 11, n) / 2, "timestamp": time})


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    events().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet", "tsv"])
@pytest.mark.parametrize("stream_from", [0, 2**40])
def test_what_is_partitioned_is_what_is_read(tmp_path: Path, form: str, stream_from: int) -> None:
    path = tmp_path / f"events.{form}"
    if form == "parquet":
        events().to_parquet(path)
    else:
        events().to_csv(path, index=False, sep="\t" if form == "tsv" else ",")
    made = partition(path, tmp_path / "p", parts=5, stream_from=stream_from)
    assert whole(made).checksum == read_interactions(path).checksum
    assert whole(Partitions.open(tmp_path / "p")).checksum == read_interactions(path).checksum


@pytest.mark.parametrize("stream_from", [0, 2**40])
def test_how_long_events_lasted_is_read_in_pieces_too(
    tmp_path: Path, stream_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xattn.scale.chunks.BLOCK", 2048)
    path, said = tmp_path / "events.csv", {"amount": "seconds", "scale": "dwell"}
    frame = events(n=800).rename(columns={"rating": "seconds"})
    frame.to_csv(path, index=False)
    made = partition(path, tmp_path / "p", parts=3, stream_from=stream_from, **said)
    assert whole(made).checksum == read_interactions(path, **said).checksum
    frame.assign(seconds=frame["seconds"] - 1.0).to_csv(path, index=False)
    with pytest.raises(DataError, match="numbers ≥ 0"):
        partition(path, tmp_path / "q", parts=3, stream_from=stream_from, **said)
    frame.assign(seconds=0).to_csv(path, index=False)
    with pytest.raises(DataError, match="over 0 somewhere"):
        partition(path, tmp_path / "q", parts=3, stream_from=stream_from, **said)


def test_pieces_of_one_line_give_the_same(csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.scale.chunks.BLOCK", 2048)
    made = partition(csv, tmp_path / "p", parts=3, stream_from=0)
    assert whole(made).checksum == read_interactions(csv).checksum


@pytest.mark.parametrize("stream_from", [0, 2**40])
def test_new_days_are_what_extending_gives(tmp_path: Path, stream_from: int) -> None:
    old, new = events(seed=1), events(seed=2, users=150)
    for name, frame in (("old", old), ("new", new)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    partition(tmp_path / "old.csv", tmp_path / "p", parts=4, stream_from=stream_from)
    made = partition(tmp_path / "new.csv", tmp_path / "p", append=True, stream_from=stream_from)
    expected = read_interactions(tmp_path / "old.csv").extended(read_interactions(tmp_path / "new.csv"))
    found = whole(made)
    assert found.items.ids == expected.items.ids
    assert found.user_ids == expected.user_ids
    for name in ("indptr", "item", "rating", "time"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    folders = {entry.name for entry in (tmp_path / "p").iterdir() if entry.is_dir()}
    assert folders == {part.folder for part in made.parts}, "parts that are no longer named are gone"


def test_a_flipped_byte_is_found_and_the_part_is_named(csv: Path, tmp_path: Path) -> None:
    made = partition(csv, tmp_path / "p", parts=3)
    path = tmp_path / "p" / made.parts[1].folder / "item.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    made.part(0)
    with pytest.raises(DataError, match=made.parts[1].folder):
        made.part(1)


def test_refusals(csv: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="xattn partition"):
        Partitions.open(tmp_path)
    partition(csv, tmp_path / "p", parts=3)
    with pytest.raises(InputError, match="--append"):
        partition(csv, tmp_path / "p", parts=3)
    with pytest.raises(InputError, match="there are 3"):
        partition(csv, tmp_path / "p", parts=4, append=True)
    bare = tmp_path / "bare.csv"
    events().drop(columns="rating").to_csv(bare, index=False)
    with pytest.raises(InputError, match="only in the old ones"):
        partition(bare, tmp_path / "p", append=True)


def test_a_missing_user_is_refused_by_its_line_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "holes.csv"
    frame = events()
    frame.loc[1234, "user"] = ""
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match="1236|missing|without"):
        partition(path, tmp_path / "p", parts=3, stream_from=0)
    assert not list((tmp_path / "p").iterdir())
    assert partition(path, tmp_path / "p", parts=3, stream_from=0, missing="drop").n_events == 2999
