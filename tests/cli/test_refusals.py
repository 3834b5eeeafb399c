"""Wrong input of every kind: exit code 2, one line on stderr, nothing on stdout, no file written."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from tests.cli.conftest import Run

BAD_TABLES: dict[str, bytes] = {
    "empty": b"",
    "header": b"user,item,rating\n",
    "unknown names": b"a,b,c\nx,5,6\n",
    "text rating": b"user,item,rating\n1,a,x\n",
    "nan": b"user,item,rating\n1,a,nan\n1,b,inf\n",
    "overflow": b"user,item,rating\n1,a,1e999\n",
    "open quote": b'user,item,rating\n"1,a,3\n',
    "utf-16": "user,item\n1,a\n".encode("utf-16")[:-1],
    "zero byte": b"user,item\n1,a\0\n",
    "binary": bytes(range(256)) * 8,
    "ragged": b"user,item,rating\n1,a,3\n1,b\n",
    "duplicate columns": b"user,item,item\n1,a,b\n",
    "no item": b"user,rating\n1,3.5\n",
    "empty id": b"user,item\n1,\n",
    "many columns": ",".join(f"c{i}" for i in range(20_000)).encode(),
    "long cell": b"user,item\n1," + b"x" * 200_000 + b"\n",
    "cut gzip": b"\x1f\x8b\x08\x00\x00",
    "program": b"MZ\x90\x00\x03",
}
BAD_HISTORIES: dict[str, bytes] = {
    "empty": b"",
    "header": b"item\n",
    "unknown items only": b"nowhere\nnor here\n",
    "rating nan": b"item,rating\ni1,nan\n",
    "rating beyond the scale": b"item,rating\ni1,99\n",
    "rating missing": b"item,rating\ni1,5\ni2,\n",
    "two persons": b"user,item\na,i1\nb,i2\n",
}


def refused(result: Result) -> str:
    """The one line that a refusal is."""
    lines = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, len(lines)) == (2, "", 1), (result.exit_code, result.output[-500:])
    assert lines[0].startswith("Error: ")
    assert lines[0].isprintable()
    assert len(lines[0]) <= 520
    return lines[0]


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_ratings(run: Run, folder: Path, name: str) -> None:
    (folder / "bad.csv").write_bytes(BAD_TABLES[name])
    assert "'bad.csv'" in refused(run("recommend", "--ratings", "bad.csv", "--user", "1"))


@pytest.mark.parametrize("name", ["empty", "header", "no item", "open quote", "utf-16", "duplicate columns"])
def test_bad_items(run: Run, folder: Path, name: str) -> None:
    (folder / "bad.csv").write_bytes(BAD_TABLES[name])
    refused(run("recommend", "--ratings", "ratings.csv", "--items", "bad.csv", "--user", "u1"))


@pytest.mark.parametrize("name", BAD_HISTORIES)
def test_bad_history(run: Run, folder: Path, name: str) -> None:
    (folder / "bad.csv").write_bytes(BAD_HISTORIES[name])
    asked = ("--ratings", "ratings.csv", "--model", "popularity")
    refused(run("recommend", *asked, "--history", "bad.csv"))
    refused(run("recommend", *asked, "--history", "-", input=BAD_HISTORIES[name]))


@pytest.mark.parametrize("path", ["missing.csv", ".", "", "model.npz/x.csv", "x" * 5000, "a\0b", "fifo", "/dev/zero"])
def test_no_regular_file(run: Run, folder: Path, path: str) -> None:
    if path == "fifo" and not (folder / "fifo").exists():
        os.mkfifo(folder / "fifo")
    refused(run("recommend", "--ratings", path, "--user", "1"))
    refused(run("recommend", "--ratings", "ratings.csv", "--history", path))
    refused(run("recommend", "--ratings", "ratings.csv", "--user", "u1", "--candidates", path))


@pytest.mark.parametrize("ids", [("18446744073709551616", "007"), ("NA", "null"), ("-1", "1e5")])
def test_odd_ids_are_ids(run: Run, folder: Path, ids: tuple[str, str]) -> None:
    """They survive exactly, with a byte order mark in front of the file too; near misses are refused."""
    user, item = ids
    (folder / "odd.csv").write_bytes(f"\ufeffuser,item\n{user},a\n{user},b\nother,{item}\n".encode())
    asked = ("recommend", "--ratings", "odd.csv", "--model", "popularity", "--json", "--user")
    assert f'"item": "{item}"' in run(*asked, user).stdout
    assert "must be one of the 2 users" in refused(run(*asked, user.lstrip("-0") + "0"))


WRONG = {
    "no command": "nosuch",
    "no option": "--nosuch",
    "control characters": "\x1b[31m",
    "no person": "recommend {files}",
    "two persons": "recommend {files} --user u1 --history history.csv",
    "no data": "recommend --user u1",
    "two sources": "recommend {files} --data movielens-small --user u1",
    "items alone": "recommend --items items.csv --user u1",
    "items with a name": "recommend --data movielens-small --items items.csv --user u1",
    "unknown data": "recommend --data nosuch --user 1",
    "unknown user": "recommend {files} --user nobody",
    "negative user": "recommend {files} --user -1",
    "hostile user": "recommend {files} --user \x1b[31m\u202e",
    "stray byte": "recommend {files} --user \udcff",
    "huge user": "recommend {files} --user " + "x" * 100_000,
    "k 0": "recommend {files} --user u1 -k 0",
    "k -1": "recommend {files} --user u1 -k -1",
    "k 10^9": "recommend {files} --user u1 -k 1000000000 --model popularity",
    "k text": "recommend {files} --user u1 -k x",
    "k nan": "recommend {files} --user u1 -k nan",
    "unknown model": "recommend {files} --user u1 --model nosuch",
    "abstract model": "recommend {files} --user u1 --model Recommender",
    "function for a model": "recommend {files} --user u1 --model load_model",
    "unknown language": "recommend {files} --user u1 --lang fr",
    "unknown type": "recommend {files} --user u1 --dtype float16",
    "type of a model without": "recommend {files} --user u1 --dtype float64 --model popularity",
    "negative seed": "recommend {files} --user u1 --seed -1",
    "unknown exclude": "recommend {files} --user u1 --exclude nosuch",
    "candidates of whom one is unknown": "recommend {files} --user u1 --candidates i1,nosuch",
    "candidates with a gap": "recommend {files} --user u1 --candidates i1,,i2",
    "where no condition": "recommend {files} --user u1 --where genres",
    "where no column": "recommend {files} --user u1 --where =drama",
    "where unknown column": "recommend {files} --user u1 --where nosuch=drama",
    "where unknown value": "recommend {files} --user u1 --where genres=dramma",
    "where one unknown value": "explain {files} --user u1 --item i1 --where genres=drama|nosuch",
    "where no value": "explain {files} --user u1 --item i1 --where genres=",
    "where twice": "recommend {files} --user u1 --where genres=drama --where genres=comedy",
    "where hostile": "recommend {files} --user u1 --where \x1b[31m\u202e=1",
    "where huge": "recommend {files} --user u1 --where " + "x" * 100_000 + "=1",
    "where text for a year": "recommend --data movielens-small --user 1 --where year=x",
    "where nan": "recommend --data movielens-small --user 1 --where year=nan",
    "where infinity": "recommend --data movielens-small --user 1 --where year=1e999",
    "where upside down": "recommend --data movielens-small --user 1 --where year=1999..1990",
    "where three ends": "recommend --data movielens-small --user 1 --where year=1..2..3",
    "where without items": "recommend --ratings ratings.csv --user u1 --where genres=drama",
    "diversity -1": "recommend {files} --user u1 --diversity -1",
    "diversity 2": "recommend {files} --user u1 --diversity 2",
    "diversity nan": "recommend {files} --user u1 --diversity nan",
    "diversity text": "recommend {files} --user u1 --diversity much",
    "diversity without features": "recommend --ratings ratings.csv --user u1 --diversity 0.5",
    "evaluate diversity": "evaluate {files} --diversity 7",
    "evaluate diversity of rating": "evaluate {files} --protocol rating --diversity 0.5 --models popularity",
    "evaluate diversity of faithfulness": "evaluate {files} --protocol faithfulness --diversity 0.5",
    "evaluate diversity without features": "evaluate --ratings ratings.csv --diversity 0.5 --models popularity",
    "where twice the same": "recommend {files} --user u1 --where genres=drama --where genres=drama",
    "where no words": "recommend {files} --user u1 --where genres=|||",
    "where one is empty": "recommend {files} --user u1 --where genres=drama|",
    "where equal signs": "recommend {files} --user u1 --where genres==drama",
    "where a title": "recommend {files} --user u1 --where title=x",
    "where the id": "explain {files} --user u1 --list --where item=i1",
    "where empty": "recommend {files} --user u1 --where =",
    "where no number": "recommend --data movielens-small --user 1 --where year=",
    "where a year twice": "recommend --data movielens-small --user 1 --where year=1990 --where year=1991",
    "where half a range of text": "recommend --data movielens-small --user 1 --where year=1990..now",
    "where of a report": "report {files} --kind popularity --where genres=drama",
    "bench no suite": "bench --suite",
    "bench unknown suite": "bench --suite nosuch",
    "bench one unknown suite": "bench --suite softmax --suite nosuch --quick",
    "bench two in one": "bench --suite softmax,topk --quick",
    "bench spelling": "bench --suite Softmax --quick",
    "bench hostile suite": "bench --suite \x1b[31m\u202e",
    "bench huge suite": "bench --suite " + "x" * 100_000,
    "bench without the option": "bench softmax",
    "bench rounds 0": "bench --suite softmax --rounds 0 --quick",
    "bench rounds -1": "bench --suite softmax --rounds -1 --quick",
    "bench rounds 1.5": "bench --suite softmax --rounds 1.5 --quick",
    "bench rounds text": "bench --suite softmax --rounds many --quick",
    "bench data": "bench {files}",
    "unknown without": "recommend {files} --user u1 --without nosuch",
    "without an item of others": "recommend {files} --user u3 --without i13 --model popularity",
    "explain no item": "explain {files} --user u1",
    "explain unknown item": "explain {files} --user u1 --item nosuch",
    "explain no events": "explain {files} --user u1 --item i1 --events 0",
    "explain k": "explain {files} --user u1 --item i1 -k 41 --model popularity",
    "saved model and seed": "recommend --model model.npz --user u1 --seed 1",
    "saved model and setting": "recommend --model model.npz --user u1 --set beta=1",
    "saved model and other data": "recommend --model model.npz --data movielens-small --user u1",
    "saved model unknown user": "recommend --model model.npz --user nobody",
    "fit a saved model": "fit --model model.npz --out never.npz",
    "fit without out": "fit {files}",
    "unknown protocol": "evaluate {files} --protocol nosuch",
    "evaluate unknown model": "evaluate {files} --models popularity,nosuch",
    "evaluate a file": "evaluate {files} --models model.npz",
    "evaluate twice the same": "evaluate {files} --models popularity,Popularity",
    "evaluate min events": "evaluate {files} --min-events 0",
    "evaluate nothing left": "evaluate {files} --min-events 1000 --models popularity",
    "evaluate k": "evaluate {files} -k 0",
    "evaluate positive": "evaluate {files} --protocol holdout --positive nan --models popularity",
    "evaluate positive of next-item": "evaluate {files} --positive 3 --models popularity",
    "evaluate all liked": "evaluate {files} --protocol rating --positive 0 --models popularity",
    "evaluate given without files": "evaluate {files} --protocol given --models popularity",
    "evaluate train alone": "evaluate --train ratings.csv",
    "evaluate test alone": "evaluate --test ratings.csv",
    "evaluate history alone": "evaluate {files} --history history.csv",
    "evaluate train and ratings": "evaluate {files} --train ratings.csv --test ratings.csv",
    "evaluate train and data": "evaluate --data movielens-small --train ratings.csv --test ratings.csv",
    "evaluate train and a core": "evaluate --train ratings.csv --test ratings.csv --min-events 2",
    "evaluate train and a protocol": "evaluate --train ratings.csv --test ratings.csv --protocol rating",
    "evaluate no such test": "evaluate --train ratings.csv --test nosuch.csv --models popularity",
    "fetch nothing": "data fetch",
    "fetch unknown": "data fetch nosuch",
    "fetch a path": "data fetch ../movielens-small",
    "data nosuch": "data nosuch",
    "port 0": "app --port 0",
    "port beyond": "app --port 65536",
    "example extra": "example extra",
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_command_line(run: Run, files: tuple[str, ...], name: str) -> None:
    refused(run(*(part for word in WRONG[name].split(" ") for part in (files if word == "{files}" else (word,)))))


def test_the_sentence_names_what_is_known(run: Run, files: tuple[str, ...]) -> None:
    known = refused(run("evaluate", *files, "--protocol", "nosuch"))
    assert "must be one of next-item, " in known
    assert "faithfulness; got 'nosuch'" in known
    assert "HybridAttention" in refused(run("recommend", *files, "--user", "u1", "--model", "nosuch"))
    assert "movielens-small" in refused(run("data", "fetch", "nosuch"))
    assert "must be one of softmax, attention, score," in refused(run("bench", "--suite", "nosuch"))
    assert "from 1 to 40" in refused(run("recommend", *files, "--user", "u1", "-k", "41"))


SETTINGS = ["beta=nan", "beta=-1", "beta=2", "beta=", "beta", "=1", "", "nosuch=1", "recency=[]", "recency=[[1]]"]
SETTINGS += ["recency=5", "recency=null", "recency=[NaN]", "recency=" + "[" * 50_000, "kappa=1e999", "kappa=0"]
SETTINGS += ["temperature=0", "temperature=true", "temperature=-Infinity", "min_events=0", "min_events=1.5"]
SETTINGS += ["kappa=" + "1" * 5000, "threshold={}", "random_state=x", "dtype=int8", "__class__=1", "beta=\x1b[0m"]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting[:20])
def test_wrong_settings(run: Run, files: tuple[str, ...], setting: str) -> None:
    refused(run("recommend", *files, "--user", "u1", "--set", setting))


# --- model files ------------------------------------------------------------------------------------------------------


def whole(folder: Path) -> bytes:
    return (folder / "model.npz").read_bytes()


def zipped(folder: Path, **arrays: np.ndarray) -> bytes:
    np.savez(folder / "zipped.npz", allow_pickle=False, **arrays)
    return (folder / "zipped.npz").read_bytes()


BAD_MODELS = {
    "empty": lambda folder: b"",
    "cut at the end": lambda folder: whole(folder)[:-500],
    "cut early": lambda folder: whole(folder)[:1000],
    "changed": lambda folder: whole(folder)[:3000] + b"\xff\xff\xff" + whole(folder)[3003:],
    "pickle": lambda folder: pickle.dumps({"a": 1}),
    "foreign arrays": lambda folder: zipped(folder, a=np.arange(3)),
    "manifest of numbers": lambda folder: zipped(folder, manifest=np.arange(3)),
    "table": lambda folder: (folder / "ratings.csv").read_bytes(),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_bad_model_file(run: Run, folder: Path, name: str) -> None:
    (folder / "bad.npz").write_bytes(BAD_MODELS[name](folder))
    assert "'bad.npz' must be a saved xattn model" in refused(run("recommend", "--model", "bad.npz", "--user", "u1"))


def test_model_file_that_is_none(run: Run, tmp_path: Path) -> None:
    refused(run("recommend", "--model", "missing.npz", "--user", "u1"))
    refused(run("recommend", "--model", str(tmp_path), "--user", "u1"))


# --- --out ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "out", ["no folder/x.npz", ".", "", "ring", "ratings.csv", "items.csv", "model.npz/x", "x" * 300, "a\0b"]
)
def test_out_that_cannot_be(run: Run, folder: Path, files: tuple[str, ...], out: str) -> None:
    """It is refused before the fit, whatever stood there stays, and no draft is left."""
    if not os.path.lexists(folder / "ring"):
        (folder / "ring").symlink_to("ring")
    before = {path.name: path.lstat().st_mtime_ns for path in folder.iterdir()}
    refused(run("fit", *files, "--model", "popularity", "--out", out))
    assert {path.name: path.lstat().st_mtime_ns for path in folder.iterdir()} == before


def test_out_may_have_as_long_a_name_as_a_file_can_have(run: Run, tmp_path: Path, files: tuple[str, ...]) -> None:
    path = tmp_path / ("y" * 255)
    assert run("fit", *files, "--model", "popularity", "--out", str(path)).exit_code == 0
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_out_replaces_no_pipe_or_device(run: Run, tmp_path: Path, files: tuple[str, ...]) -> None:
    """With a pipe: were this to fail with a device of the machine, the machine would be without it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "(a device or a pipe)" in refused(run("fit", *files, "--model", "popularity", "--out", str(pipe)))
    assert pipe.is_fifo()


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="no folder that refuses even root")
def test_out_into_a_folder_that_refuses(run: Run, files: tuple[str, ...]) -> None:
    assert "can be written" in refused(run("fit", *files, "--model", "popularity", "--out", "/proc/x.npz"))


def test_a_failed_save_leaves_the_old_model(
    run: Run, folder: Path, files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "old.npz").write_bytes(whole(folder))
    names = sorted(os.listdir(folder))

    def full(*args: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert "No space left" in refused(run("fit", *files, "--model", "itemknn", "--out", "old.npz"))
    assert (folder / "old.npz").read_bytes() == whole(folder)
    assert sorted(os.listdir(folder)) == names


# --- what is no user's fault ------------------------------------------------------------------------------------------


def test_a_bug_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("xattn.worked_example", broken)
    with pytest.raises(ZeroDivisionError):
        run("example")


def test_memory_that_does_not_suffice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy() -> None:
        raise MemoryError

    monkeypatch.setattr("xattn.worked_example", greedy)
    result = run("example")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the data and the model must fit into memory")


def test_an_unknown_suite_is_refused_before_anything_is_timed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.bench.run.race", lambda *_: pytest.fail("it was timed first"))
    monkeypatch.setattr("xattn.bench.run.warmed", lambda *_: pytest.fail("it was warmed first"))
    assert "'nosuch'" in refused(run("bench", "--suite", "softmax", "--suite", "nosuch", "--quick"))
