"""A few hundred odd files, and a few kills while a model is saved; `benchmarks/fuzz_files.py` tries thousands."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests import fuzz_files
from tests.fuzz_files import bad, data_files, kills, model_files, of_model, timed
from tests.models import fitted
from xattn.recommenders import persist
from xattn.recommenders.baselines import Popularity

posix = pytest.mark.skipif(sys.platform == "win32", reason="alarms, forks and kills")


@posix
@pytest.mark.parametrize("seed", [1])
def test_every_odd_file_ends_in_an_answer_or_in_one_sentence(seed: int, tmp_path: Path) -> None:
    told: list[str] = []
    counts = bad(model_files(tmp_path, 60, 60, seed), told.append)
    assert told == []
    assert counts["refused"] > 60
    assert counts["answered"] > 0  # some crafted files are models, if odd ones


@posix
def test_every_damaged_data_file_is_read_or_refused(tmp_path: Path) -> None:
    told: list[str] = []
    counts = bad(data_files(tmp_path, 60, 1), told.append)
    assert told == []
    assert counts["refused"] > 20


@posix
def test_a_killed_save_leaves_a_whole_file_and_the_next_no_leftover(tmp_path: Path) -> None:
    found = kills(tmp_path, 12, 1)
    assert found["kills"] == 12
    assert found["broken"] == found["leftovers after the next save"] == 0
    assert found["with a leftover"] > 0  # else the kills came at the wrong moments


@posix
def test_the_fuzzer_sees_what_it_looks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted faults: a raw error, a hang, numbers that are none, and another answer."""
    path = tmp_path / "m.npz"
    fitted("popularity").save(path)
    right = fuzz_files.said(fitted("popularity"))
    assert of_model(path, right).what == "answered"
    assert of_model(path, [numbers + 1 for numbers in right]).what == "other answer"
    with monkeypatch.context() as patch:
        patch.setattr(persist, "_data", lambda *_: 1 / 0)
        assert of_model(path).what == "refused"
        patch.setattr(fuzz_files, "load_model", lambda path: 1 / 0)
        assert of_model(path).what == "raw: ZeroDivisionError: division by zero"
    with monkeypatch.context() as patch:
        patch.setattr(fuzz_files, "said", lambda model: [np.array([np.nan])])
        assert of_model(path).what == "nan"
    with monkeypatch.context() as patch:
        patch.setattr(Popularity, "scores_of", lambda self, history: np.full(len(self.base_), np.nan))
        assert of_model(path).what == "answered"  # refused, as what is so large that it is no number
    monkeypatch.setattr(fuzz_files, "LONGEST", 0.05)

    def endless() -> str:
        while True:
            pass

    assert timed(endless).what == "hang"
