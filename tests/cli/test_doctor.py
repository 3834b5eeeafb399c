"""`xattn doctor` tells what is there, what is missing, and ends with 1 only where something needed is missing."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from xattn.cli import doctor as module
from xattn.errors import DataError


def by_name(run: Run, *args: str) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(run("doctor", "--json", *args).stdout)["checks"]}


def test_all_is_well_here(run: Run) -> None:
    result = run("doctor", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"], found["warm_s"]) == (0, True, {})
    assert all(check.keys() == {"name", "status", "found", "help"} for check in found["checks"])
    names = {check["name"] for check in found["checks"]}
    assert names >= {"numba", "threading layer", "threads", "cache folder", "data", "libgomp", "chromium"}
    assert all(check["help"] for check in found["checks"] if check["status"] != "ok")
    assert "threading layer" in run("doctor").stdout


def test_a_missing_package_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.version

    def version(name: str) -> str:
        if name in ("streamlit", "vl-convert-python"):
            raise PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(module, "version", version)
    found = by_name(run)
    assert (found["streamlit"]["status"], found["streamlit"]["help"]) == ("missing", "pip install streamlit")
    assert found["vl-convert-python"]["status"] == "optional"
    result = run("doctor")
    assert result.exit_code == 1
    assert "pip install 'xattn[export]'" in result.stdout


def test_damaged_data_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(name: str) -> None:
        raise DataError("damaged.")

    monkeypatch.setattr("xattn.load_dataset", damaged)
    assert by_name(run)["data"] | {"help": ""} == {"name": "data", "status": "missing", "found": "damaged.", "help": ""}


def test_the_unsafe_threading_layer_is_slow(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.kernels.compile.threading_layer", lambda: "workqueue")
    found = by_name(run)["threading layer"]
    assert found["status"] == "slow"
    assert "libgomp1" in found["help"]


def test_the_number_of_threads_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XATTN_NUM_THREADS", "1")
    assert by_name(run)["threads"]["found"].startswith("1 of ")


def test_a_browser_may_be_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XATTN_CHROMIUM", "a browser")
    assert by_name(run)["chromium"]["found"] == "a browser"
    monkeypatch.delenv("XATTN_CHROMIUM")
    monkeypatch.setenv("PATH", "")
    assert by_name(run)["chromium"]["status"] == "optional"


def test_warm_uses_every_recommender(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the small data alone: what it compiles is in the cache of these tests already."""
    monkeypatch.setattr(module, "_long_histories", lambda like: like)
    result = run("doctor", "--warm", "--json")
    seconds = json.loads(result.stdout)["warm_s"]
    assert {"HybridAttention", "ItemKNN", "Popularity", "UserAttention"} <= seconds.keys()
    assert "Kernels ready in " in run("doctor", "--warm").stdout


def test_a_cache_folder_that_refuses_is_slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: object, **more: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(module.tempfile, "TemporaryFile", refuse)
    found = module._cache_folder()
    assert found.status == "slow"
    assert "Read-only file system" in found.found
    assert "NUMBA_CACHE_DIR" in found.help
