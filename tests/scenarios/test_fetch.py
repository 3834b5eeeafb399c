"""Public sets come from a server of our own: whole or not at all, gone on with, converted, and called unverified."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.scenarios.originals import ORIGINALS, Server, serving, set_at
from xattn.cli import main
from xattn.errors import InputError
from xattn.files import growing
from xattn.scenarios import load, names
from xattn.scenarios.convert import converted, items_of_cars
from xattn.scenarios.fetch import Fetched, PublicSet, accept, accepted, data_home, fetch, fetched, public_sets, sources
from xattn.scenarios.fetch.download import download
from xattn.scenarios.sets import at_hand

PATHS = {f"/{name}/{file}": content for name, files in ORIGINALS.items() for file, content in files.items()}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(dict(PATHS)) as own:
        yield own


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XATTN_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("XATTN_TEST_DATA", raising=False)
    return tmp_path / "data"


def brought(name: str, server: Server, **how: bool) -> Fetched:
    one = set_at(name, server)
    accept(one)
    return fetch(one, wait=0.0, **how)


# --- all sets ---------------------------------------------------------------------------------------------------------


def test_every_public_set_of_a_scenario_can_be_fetched_but_one_and_has_terms() -> None:
    real = {m.real.set: m.real for m in (load(name).manifest for name in names()) if m.real is not None}
    assert set(real) - set(public_sets()) == {"complete-journey"}, "published as packages alone"
    for name, one in public_sets().items():
        assert one.licence
        assert one.kept.en
        assert all(file.url.startswith("https://") for file in one.files)
        assert set(ORIGINALS[name]) == {file.name for file in one.files}


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_small_originals_are_fetched_converted_and_read(name: str, server: Server, home: Path) -> None:
    found = brought(name, server)
    assert found.downloaded
    assert {one.state for one in found.originals} == {"learned"}
    assert not (home / "coming" / name).exists(), "originals are not kept"
    assert found.folder == home / name
    if name == "fueleconomy-cars":
        items = items_of_cars(found.folder)
        assert {"make", "class", "drive", "fuel", "miles per gallon"} <= set(items)
        years = pd.read_csv(found.folder / "vehicles.csv.gz")["year"]
        assert years.max() == 2015
        return
    [manifest] = [m for m in (load(one).manifest for one in names()) if m.real is not None and m.real.set == name]
    assert at_hand(manifest)[0] == "real"
    assert manifest.real is not None
    frames = converted(manifest.real.converter, found.folder)
    assert len(frames.events)
    assert set(frames.events["item"]) <= set(frames.items["item"])


def test_nothing_of_persons_is_kept(server: Server) -> None:
    kept = {name: brought(name, server).folder for name in ORIGINALS}
    text = {
        name: "".join(
            (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode("latin-1")
            for path in folder.iterdir()
            if path.name != "fetched.json"
        )
        for name, folder in kept.items()
    }
    for name, words in {
        "uci-diabetes-130": ("race", "gender", "Caucasian", "[70-80)"),
        "uci-entree": ("aol.com",),
        "stackexchange-quantum": ("secret", "Body"),
        "scf2019-households": ("RACE", "race"),
        "deezer-ro": ("node_1",),
    }.items():
        assert not [word for word in words if word in text[name]], name


def test_entree_numbers_hosts_and_joins_quarters_in_order(server: Server) -> None:
    folder = brought("uci-entree", server).folder
    lines = gzip.decompress((folder / "sessions.tsv.gz").read_bytes()).decode().splitlines()
    assert [line.split("\t")[0][3:6] for line in lines] == ["Sep"] * 3 + ["Oct"]
    assert {line.split("\t")[1] for line in lines} == {"1"}


def test_quantum_knows_who_did_what(server: Server) -> None:
    folder = brought("stackexchange-quantum", server).folder
    events = pd.read_csv(folder / "events.csv.gz", dtype=str)
    assert events[["question", "event"]].to_numpy().tolist() == [
        ["1", "ask"], ["2", "ask"], ["1", "answer"], ["1", "comment"], ["2", "favourite"],
    ]  # fmt: skip
    assert events["user"].tolist() == ["1", "2", "3", "1", "3"], "renumbered"
    assert pd.read_csv(folder / "questions.csv.gz")["tags"].tolist() == ["gates|noise"] * 2


# --- checksums, terms -------------------------------------------------------------------------------------------------


def test_a_checksum_is_learned_and_later_compared(server: Server, home: Path) -> None:
    first = brought("deezer-ro", server)
    note = json.loads((home / "deezer-ro" / "fetched.json").read_text("utf-8"))
    assert note["originals"][0]["sha256"] == first.originals[0].sha256
    assert note["originals"][0]["verified"] is False
    asked = len(server.asked)
    there = brought("deezer-ro", server)
    assert not there.downloaded
    assert len(server.asked) == asked, "nothing was asked for"
    assert brought("deezer-ro", server, again=True).originals[0].state == "same"
    server.files["/deezer-ro/gemsec_deezer_dataset.tar.gz"] = ORIGINALS["uci-entree"]["entree_data.tar.gz"]
    with pytest.raises(InputError, match=r"the files of 'deezer-ro' must be those that were published.*RO_genres"):
        brought("deezer-ro", server, again=True)
    assert fetched("deezer-ro") is not None
    assert converted("deezer", home / "deezer-ro").events["user"].tolist() == ["0", "0", "3"], "what was there stays"


def test_a_known_checksum_is_held_to(server: Server) -> None:
    one = set_at("deezer-ro", server)
    accept(one)
    wrong = replace(one, files=(replace(one.files[0], sha256="0" * 64),))
    with pytest.raises(InputError, match=r"must have the checksum of the file that was published, '000000000000'"):
        fetch(wrong, wait=0.0)
    right = hashlib.sha256(ORIGINALS["deezer-ro"]["gemsec_deezer_dataset.tar.gz"]).hexdigest()
    found = fetch(replace(one, files=(replace(one.files[0], sha256=right),)), wait=0.0)
    assert found.originals[0].state == "verified"


def test_terms_are_accepted_once_and_before_anything_is_asked_for(server: Server) -> None:
    one = set_at("deezer-ro", server)
    with pytest.raises(InputError, match=r"the terms of 'deezer-ro' \('GPL-3.0.*'\) must be accepted"):
        fetch(one)
    assert server.asked == []
    accept(one)
    assert accepted(one)
    assert not accepted(replace(one, licence="other terms")), "in these words alone"
    fetch(one, wait=0.0)


# --- what goes wrong --------------------------------------------------------------------------------------------------

URL = "/big/file"
BIG = bytes(range(256)) * 2000


def test_a_broken_connection_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.files[URL] = BIG
    server.breaks = [100_000, 150_000]
    came = download(server.url + URL, tmp_path / "file", wait=0.0)
    assert (tmp_path / "file").read_bytes() == BIG
    assert came.size == len(BIG)
    assert server.asked[0] is None
    assert all(asked and asked.startswith("bytes=") for asked in server.asked[1:])
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("file")] == ["file"]


def test_what_has_come_is_kept_for_the_next_call(server: Server, tmp_path: Path) -> None:
    server.files[URL] = BIG
    server.breaks = [100_000, 0, 0, 0, 0]
    with pytest.raises(InputError, match=r"must be there to be fetched; got .* What has come is kept"):
        download(server.url + URL, tmp_path / "file", wait=0.0)
    assert not (tmp_path / "file").exists()
    have = (tmp_path / "file.partial").stat().st_size
    assert have > 0
    told: list[float] = []
    came = download(server.url + URL, tmp_path / "file", wait=0.0, progress=lambda what, share: told.append(share))
    assert came.from_byte == have
    assert (tmp_path / "file").read_bytes() == BIG
    assert told[0] >= have / len(BIG)
    assert told[-1] == 1.0


def test_another_version_begins_anew(server: Server, tmp_path: Path) -> None:
    server.files[URL] = BIG
    server.breaks = [100_000, 0, 0, 0, 0]
    with pytest.raises(InputError):
        download(server.url + URL, tmp_path / "file", wait=0.0)
    server.files[URL] = BIG[::-1]
    came = download(server.url + URL, tmp_path / "file", wait=0.0)
    assert came.from_byte == 0
    assert (tmp_path / "file").read_bytes() == BIG[::-1]


def test_a_server_that_cannot_go_on_begins_anew(server: Server, tmp_path: Path) -> None:
    server.files[URL] = BIG
    server.ranges = False
    server.breaks = [100_000]
    download(server.url + URL, tmp_path / "file", wait=0.0)
    assert (tmp_path / "file").read_bytes() == BIG
    assert server.asked == [None, None]


@pytest.mark.parametrize(("status", "why"), [(404, "404"), (503, "503"), (403, "403")])
def test_a_status_is_told_in_one_sentence(server: Server, tmp_path: Path, status: int, why: str) -> None:
    server.files[URL] = BIG
    server.status = status
    with pytest.raises(InputError, match=rf"{URL}' must be there to be fetched; got '{why} "):
        download(server.url + URL, tmp_path / "file", wait=0.0)
    assert not (tmp_path / "file").exists()


def test_no_server_and_odd_addresses_are_told(tmp_path: Path) -> None:
    with serving({}) as server:
        gone = server.url
    for url in (f"{gone}/x", "http://127.0.0.1:1/x"):
        with pytest.raises(InputError, match=r"must be there to be fetched; got .*(refused|Errno)") as told:
            download(url, tmp_path / "file", wait=0.0)
        assert "object at 0x" not in str(told.value)
    with pytest.raises(InputError, match="must be there to be fetched"):
        download("ftp://127.0.0.1/x", tmp_path / "file", wait=0.0)


def test_a_page_in_place_of_a_file_is_not_kept(server: Server, home: Path) -> None:
    server.files["/oulad/oulad.zip"] = b"<html>please log in</html>"
    with pytest.raises(InputError, match="the files of 'oulad' must be those that were published"):
        brought("oulad", server)
    assert not (home / "oulad" / "fetched.json").exists()
    assert not (home / "coming" / "oulad").exists()
    server.files["/oulad/oulad.zip"] = ORIGINALS["oulad"]["oulad.zip"]
    assert brought("oulad", server).downloaded


def test_an_xml_with_definitions_is_refused(server: Server) -> None:
    server.files["/stackexchange-quantum/Posts.xml"] = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x/>'
    with pytest.raises(InputError, match=r"must be those that were published; what came is not \('Posts.xml'\)"):
        brought("stackexchange-quantum", server)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        growing(tmp_path / "file") as file,
        pytest.raises(InputError, match="`path` must be written by one process at a time"),
        growing(tmp_path / "file"),
    ):
        file.write(b"x")
    assert (tmp_path / "file").exists()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(server: Server, monkeypatch: pytest.MonkeyPatch) -> object:
    at: dict[str, PublicSet] = {name: set_at(name, server) for name in ORIGINALS}
    monkeypatch.setattr(sources, "public_sets", lambda: at)
    return lambda *args: CliRunner().invoke(main, ["data", "fetch", *args])


def test_the_command_shows_terms_once_fetches_and_says_unverified(command: object, home: Path) -> None:
    assert callable(command)
    refused = command("uci-entree")
    assert refused.exit_code == 2
    assert "Terms: CC BY 4.0" in refused.stderr
    assert "must be accepted" in refused.stderr
    assert not home.exists()
    done = command("uci-entree", "--accept")
    assert done.exit_code == 0, done.stderr
    assert "unverified: nobody compared the original" in done.stdout
    again = command("uci-entree", "--again", "--json")
    assert again.exit_code == 0
    assert "Terms" not in again.stderr
    document = json.loads(again.stdout)
    assert document["downloaded"] is True
    assert document["originals"][0]["same"] is True
    assert json.loads(command("uci-entree", "--json").stdout)["downloaded"] is False
    zh = command("uci-entree", "--lang", "zh").stdout
    assert "未验证" in zh


def test_a_fetched_set_is_taken_by_its_scenario(command: object) -> None:
    assert callable(command)
    assert load("travel").data().kind == "simulated"
    assert command("uci-entree", "--accept").exit_code == 0
    found = load("travel").data()
    assert (found.kind, found.data.n_users) == ("real", 4)
    assert os.environ.get("XATTN_TEST_DATA") is None
    assert data_home().name == "data"
