"""`xattn explain` with wrong input: one sentence, nothing on stdout, and every file in the folder as it was."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.test_refusals import refused
from xattn.cli import main
from xattn.viz.files import can_draw

Asked = Callable[[str], Result]
MODEL = "explain --model model.npz --user u3"
FITTED = "explain --ratings ratings.csv --items items.csv --model itemknn --user u3"
SEEN, FIRST, OTHER = "i21", "i36", "i12"  # of the history of u3; the first in its list; one far down
drawing = pytest.mark.skipif(not can_draw(), reason="charts cannot be drawn here")


def state(folder: Path) -> dict[str, object]:
    """Every entry of a folder: a link's aim, a file's bytes, or what else it is."""
    kinds = {path.name: path.lstat().st_mode for path in folder.iterdir()}
    whole = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return {name: (mode, whole.get(name)) for name, mode in kinds.items()}


@pytest.fixture
def own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder that a failure may spoil, with things at which no file can be."""
    place = tmp_path / "own"
    shutil.copytree(folder, place, symlinks=True, ignore=lambda _, names: {n for n in names if n in ("fifo", "ring")})
    (place / "old.html").write_text("what stood here", "utf-8")
    (place / "folder").mkdir()
    (place / "ring").symlink_to("ring")
    (place / "same.csv").symlink_to("ratings.csv")
    if hasattr(os, "mkfifo"):
        os.mkfifo(place / "pipe")
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def ask(own: Path) -> Asked:
    """Run a command line in the copy; a traceback is raised."""

    def call(line: str) -> Result:
        result = CliRunner().invoke(main, [part if part != "''" else "" for part in line.split(" ")])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


# --- questions --------------------------------------------------------------------------------------------------------

CONTRADICTIONS = {
    f"--item {FIRST} --list": "exactly one of --item and --list must be given; got both.",
    "--why-not": "exactly one of --item and --list must be given; got none.",
    f"--against {FIRST}": "exactly one of --item and --list must be given; got none.",
    "--python": "exactly one of --item and --list must be given; got none.",
    f"--list --against {FIRST}": f"--against must be left out with --list; got '{FIRST}'.",
    "--list --why-not": "--why-not must be left out with --list; got 'yes'.",
    "--list --python": "--python must be left out with --list; got 'yes'.",
    "--list --html new.html": "--html must be left out with --list; got 'new.html'.",
    "--list --save new.json": "--save must be left out with --list; got 'new.json'.",
    "--list --chart new.svg": "--chart must be left out with --list; got 'new.svg'.",
    "--list --depth clause": "--depth must be left out with --list; got 'clause'.",
    "--list --scenario shop": "--scenario must be left out with --list; got 'shop'.",
    f"--item {FIRST} --against {OTHER} --why-not": f"--against must be left out with --why-not; got '{OTHER}'.",
    f"--item {FIRST} --against {OTHER} --python": "--python must be left out with --against; got 'yes'.",
    f"--item {FIRST} --against {OTHER} --html new.html": "--html must be left out with --against; got 'new.html'.",
    f"--item {FIRST} --against {OTHER} --scenario shop": "--scenario must be left out with --against; got 'shop'.",
    f"--item {FIRST} --against {FIRST}": f"--against must be another item than --item; got '{FIRST}' for both.",
    f"--item {OTHER} --why-not --python": "--python must be left out with --why-not; got 'yes'.",
    f"--item {OTHER} --why-not --save new.json": "--save must be left out with --why-not; got 'new.json'.",
    f"--item {OTHER} --why-not --depth clause": "--depth must be left out with --why-not; got 'clause'.",
    f"--item {FIRST} --python --json": "--python must be left out with --json; got 'yes'.",
    f"--item {FIRST} --kind weights": "--kind must be left out without --chart; got 'weights'.",
}


@pytest.mark.parametrize("options", CONTRADICTIONS)
def test_options_that_contradict_each_other(ask: Asked, own: Path, options: str) -> None:
    before = state(own)
    assert refused(ask(f"{MODEL} {options}")) == f"Error: {CONTRADICTIONS[options]}"
    assert state(own) == before


UNKNOWN = {
    "--item nosuch --html new.html": "must be one of the 40 items of ratings; got 'nosuch'",
    "--item '' --html new.html": "must be an id of visible text on one line; got",
    f"--item {FIRST} --against nosuch": "must be one of the 40 items of ratings; got 'nosuch'",
    f"--item {FIRST} --against ''": "must be an id of visible text on one line; got",
    f"--item {FIRST} --against \x1b[31m": "must be an id of visible text on one line; got",
    "--item nosuch --against nosuch2": "must be one of the 40 items of ratings; got 'nosuch'",
    "--item nosuch --why-not": "must be one of the 40 items of ratings; got 'nosuch'",
    "--item nosuch --python": "must be one of the 40 items of ratings; got 'nosuch'",
    "--list --exclude nosuch": "must be one of the 40 items of ratings; got 'nosuch'",
    "--list --candidates nosuch,i1": "must be one of the 40 items of ratings; got 'nosuch'",
    "--list --without nosuch": "must be one of the 40 items of ratings; got 'nosuch'",
    "--list --where genres=dramma": "'dramma'",
    "--list --where nosuch=drama": "'nosuch'",
    f"--item {OTHER} --why-not --where genres=": "genres",
    f"--item {FIRST} --against {OTHER} --where genres=drama|nosuch": "'nosuch'",
    f"--item {FIRST} --python --where genres": "--where must be COLUMN=VALUE",
    f"--item {FIRST} --html new.html --depth nosuch": "`depth` must be one of clause, sentence,",
    f"--item {FIRST} --html new.html --scenario nosuch": "`scenario` must be one of films, shop,",
    "--list --events 0": "`events` must be a whole number >= 1; got 0.",
    "--list --events many": "many",
    "--list -k 0": "`k` must be a whole number >= 1; got 0.",
    "--list -k 41": "`k` must be a whole number from 1 to 40; got 41.",
}


@pytest.mark.parametrize("options", UNKNOWN)
def test_unknown_ids_and_malformed_values(ask: Asked, own: Path, options: str) -> None:
    before = state(own)
    assert UNKNOWN[options] in refused(ask(f"{MODEL} {options}"))
    assert state(own) == before


@pytest.mark.parametrize("option", ["--html", "--against", "--python nosuch", "--why-not yes", "--where", "--save"])
def test_an_option_without_its_value_or_a_switch_with_one(ask: Asked, option: str) -> None:
    refused(ask(f"{MODEL} --item {FIRST} {option}"))


def test_an_item_in_the_list_or_out_of_reach_has_no_why_not(ask: Asked) -> None:
    must = "`item` must be one that could be in the list and is not; got"
    first = ask("recommend --model model.npz --user u3 -k 1 --json").stdout.split('"item": "')[1].split('"')[0]
    assert f"{must} one at rank 1 of 10." in refused(ask(f"{MODEL} --item {first} --why-not"))
    assert f"{must} one that may not be in it." in refused(ask(f"{MODEL} --item {SEEN} --why-not"))
    assert f"{must} one that may not be in it." in refused(ask(f"{MODEL} --item {OTHER} --why-not --exclude {OTHER}"))


@pytest.mark.parametrize("options", [f"--candidates {SEEN}", " ".join(f"--exclude i{row}" for row in range(40))])
@pytest.mark.parametrize("json", ["", " --json"])
def test_a_list_of_nothing_is_not_called_popular(ask: Asked, options: str, json: str) -> None:
    wanted = "Error: the list must hold an item to be explained; got none that may be listed."
    assert refused(ask(f"{MODEL} --list {options}{json}")) == wanted


def test_what_else_may_look_wrong_is_answered(ask: Asked) -> None:
    """So that the refusals above are not those of a command that refuses everything."""
    for options in (
        f"--item {FIRST} --against {SEEN}",
        f"--item {SEEN}",
        "--list --events 1000000000",
        f"--item {FIRST} --python",
        f"--item {OTHER} --why-not --scenario shop",
    ):
        result = ask(f"{MODEL} {options}")
        assert (result.exit_code, result.stderr) == (0, ""), options
        assert result.stdout


def test_why_not_speaks_of_the_scenario(ask: Asked) -> None:
    """What would let an item in is told as what people do there: nobody watches what is in a shop."""
    ask("fit --ratings ratings.csv --items items.csv --model itemknn --out knn.npz")
    two = ask("recommend --model knn.npz --user u3 -k 2 --json").stdout.split('"item": "')
    first, second = (part.split('"')[0] for part in two[1:])
    line = f"explain --model knn.npz --user u3 --item {second} --why-not -k 1 --candidates {first},{second}"
    assert "watched" in ask(line).stdout
    shop = ask(f"{line} --scenario shop").stdout
    assert "bought" in shop
    assert "watched" not in shop


# --- files ------------------------------------------------------------------------------------------------------------

NO_FILE = {
    ".": "must be a file that can be written; got '.' (a folder).",
    "folder": "must be a file that can be written; got 'folder' (a folder).",
    "''": "must be a file that can be written; got '' (an empty name).",
    "pipe": "must be a file that can be written; got 'pipe' (a device or a pipe).",
    "ring": "must be a file that can be written; got 'ring' (a ring of links).",
    "no/x": "must be a file that can be written; got 'no/x' (No such file or directory).",
    "model.npz/x": "must be a file that can be written; got 'model.npz/x' (Not a directory).",
    "x" * 300: "(File name too long).",
    "a\0b": "must be a file that can be written",
    "ratings.csv": "must not be a file that the command reads; got 'ratings.csv'.",
    "items.csv": "must not be a file that the command reads; got 'items.csv'.",
    "./ratings.csv": "must not be a file that the command reads",
    "same.csv": "must not be a file that the command reads; got 'same.csv'.",
}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links")
@pytest.mark.parametrize("name", NO_FILE)
@pytest.mark.parametrize("option", ["--html", "--save"])
def test_a_file_that_cannot_be_is_refused_before_any_work(
    ask: Asked, own: Path, name: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xattn.ItemKNN.fit", lambda *_, **__: pytest.fail("it was fitted first"))
    before = state(own)
    said = refused(ask(f"{FITTED} --item {FIRST} {option} {name}"))
    assert f"Error: {option} " in said
    assert NO_FILE[name] in said
    assert state(own) == before


@pytest.mark.parametrize(
    ("more", "name"),
    [
        (f"--model model.npz --user u3 --item {FIRST}", "model.npz"),
        (f"--model model.npz --history history.csv --item {FIRST}", "history.csv"),
        (f"--model model.npz --user u3 --item {FIRST} --candidates history.csv", "history.csv"),
    ],
)
def test_what_the_command_reads_is_not_replaced(ask: Asked, own: Path, more: str, name: str) -> None:
    before = state(own)
    for option in ("--html", "--save"):
        said = refused(ask(f"explain {more} {option} {name}"))
        assert said == f"Error: {option} must not be a file that the command reads; got '{name}'."
    assert state(own) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--html new.html --save new.html", "--save must be another file than --html; got 'new.html' for both."),
        ("--html new.html --save ./new.html", "--save must be another file than --html; got './new.html' for both."),
        ("--html old.html --save no/x.json", "--save must be a file that can be written; got 'no/x.json'"),
        ("--html old.html --save folder", "--save must be a file that can be written; got 'folder' (a folder)."),
        ("--html old.html --chart x.pdf", "--chart must be a file that ends in .svg or .png; got 'x.pdf'."),
        ("--html old.html --chart x", "--chart must be a file that ends in .svg or .png; got 'x'."),
        ("--html old.html --without nosuch", "must be one of the 40 items of ratings; got 'nosuch'"),
    ],
)
def test_of_several_files_none_is_written_where_one_cannot_be(
    ask: Asked, own: Path, options: str, sentence: str
) -> None:
    before = state(own)
    assert sentence in refused(ask(f"{MODEL} --item {FIRST} {options}"))
    assert state(own) == before


@drawing
@pytest.mark.parametrize("options", ["--kind nosuch --chart new.svg", "--html new.svg --chart new.svg"])
def test_charts_that_cannot_be(ask: Asked, own: Path, options: str) -> None:
    before = state(own)
    refused(ask(f"{MODEL} --item {FIRST} {options}"))
    assert state(own) == before


def test_a_full_disk_leaves_all_files_as_they_were(ask: Asked, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two files does not fit: the first is not put in its place either, and no draft is left."""
    (own / "old.json").write_text("{}", "utf-8")
    before, real, done = state(own), os.fsync, []

    def full(handle: int) -> None:
        done.append(handle)
        if len(done) == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refused(ask(f"{MODEL} --item {FIRST} --html old.html --save old.json"))
    assert len(done) == 2
    assert state(own) == before


def test_what_stands_there_is_replaced_whole_and_through_a_link(ask: Asked, own: Path) -> None:
    (own / "link.html").symlink_to("old.html")
    long = "y" * 250  # as long as a name may well be
    result = ask(f"{MODEL} --item {FIRST} --html link.html --save {long}")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (own / "link.html").is_symlink()
    assert (own / "old.html").read_text("utf-8").endswith("</html>\n")
    assert (own / long).read_text("utf-8").startswith("{")
    assert not [path for path in own.iterdir() if path.name.endswith(".part")]
