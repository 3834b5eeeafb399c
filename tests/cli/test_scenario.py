"""`xattn scenario`: the ten are listed and run, a manifest of one's own is written and run, wrong input is one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from xattn.cli import main
from xattn.scenarios import names

EVENTS = "who,what,age\n" + "".join(f"u{u},i{(u * 3 + n * n) % 11},{20 + u}\n" for u in range(12) for n in range(4))
ITEMS = "what,title,sort\n" + "".join(f"i{j},Thing {j},{'abc'[j % 3]}\n" for j in range(11))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with two tables, and no public sets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XATTN_TEST_DATA", raising=False)
    Path("events.csv").write_text(EVENTS, "utf-8")
    Path("things.csv").write_text(ITEMS, "utf-8")


def xattn(*args: str) -> Result:
    return CliRunner().invoke(main, ["scenario", *args])


def printed(*args: str) -> Any:
    result = xattn(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_ten_are_listed_in_both_languages() -> None:
    english, chinese = printed("list")["scenarios"], printed("list", "--lang", "zh")["scenarios"]
    assert [one["name"] for one in english] == [one["name"] for one in chinese] == names()
    assert [one["title"] for one in chinese][:2] == ["电子商务", "社交媒体"]
    table = xattn("list")
    assert all(name in table.stdout for name in names())


def test_a_run_says_what_the_data_are_warns_and_explains() -> None:
    shown = xattn("run", "finance", "--on", "simulated").stdout
    for part in ("Simulated data, no real people", "No advice: ", "you held “", "Confidence: "):
        assert part in shown
    chinese = xattn("run", "finance", "--on", "simulated", "--lang", "zh").stdout
    for part in ("模拟数据", "不是建议：", "可信程度："):
        assert part in chinese
    found = printed("run", "finance", "--on", "simulated", "-k", "3", "--user", "p7")
    assert found["user"] == "p7"
    assert len(found["items"]) == 3
    assert found["why"]["item"] == found["items"][0]["item"]
    assert found["accuracy"] is None


def test_accuracy_stands_beside_on_demand() -> None:
    found = printed("run", "finance", "--on", "simulated", "--evaluate")["accuracy"]
    assert [row["model"] for row in found["rows"]][:2] == ["HybridAttention", "Popularity"]
    assert found["told"] in xattn("run", "finance", "--on", "simulated", "--evaluate").stdout


def test_a_manifest_is_written_and_run_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = ("--columns", "user=who,item=what,rating=,amount=")
    args = ("new", "--ratings", "events.csv", "--items", "things.csv", "--name", "mine", *columns, "--out", "mine.toml")
    done = xattn(*args, "--words", "shop")
    assert done.exit_code == 0, done.output
    manifest = Path("mine.toml")
    manifest.write_text(manifest.read_text("utf-8").replace("sensitive = []", 'sensitive = ["age"]'), "utf-8")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    found = printed("run", "../mine.toml")
    assert found["data"]["kind"] == "own"
    assert found["data"]["users"] == 12
    assert found["sensitive"] == ["age"]
    assert "Your data: mine" in xattn("run", "../mine.toml").stdout


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("run", "films"), "Error: `scenario` must be one of e-commerce, social, news"),
        (("run", "nosuch.toml"), "Error: `nosuch.toml` must be a manifest in TOML that can be read; got"),
        (("run", "events.csv/x.toml"), "Error: `x.toml` must be a manifest in TOML that can be read; got"),
        (("run", "cars", "--on", "paper"), "Error: `on` must be one of own, real, simulated; got 'paper'."),
        (("run", "cars", "--on", "real"), "Error: `data` must be one that this scenario has (simulated); got 'real'."),
        (("run", "music", "--on", "real"), "Error: the set 'deezer-ro' must lie in the folder that XATTN_TEST_DATA"),
        (("run", "cars", "-k", "0"), "Error: `k` must be a whole number >= 1; got 0."),
        (("run", "cars", "--user", "x"), "Error: `user` must be one of the 300 users of cars; got 'x'."),
        (
            ("new", "--ratings", "events.csv", "--name", "My", "--out", "a.toml"),
            "Error: `name` must be of small letters",
        ),
        (
            ("new", "--ratings", "events.csv", "--name", "my", "--out", "a.toml", "--drop", "bots"),
            "Error: --drop must be left out with `xattn scenario new`; got 'bots'.",
        ),
        (
            ("new", "--ratings", "sqlite:///x.db", "--name", "my", "--out", "a.toml"),
            "Error: `ratings` must be a file that a manifest can name; got the address 'sqlite:///x.db'.",
        ),
        (("new", "--ratings", "events.csv", "--name", "my", "--out", "events.csv"), "Error: --out must"),
    ],
)
def test_wrong_input_is_one_line(args: tuple[str, ...], sentence: str) -> None:
    result = xattn(*args)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line.startswith(sentence), line
    assert not Path("a.toml").exists()
    assert Path("events.csv").read_text("utf-8") == EVENTS
