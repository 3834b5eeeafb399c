"""Model files that older versions wrote: each loads, answers as it did, and is saved again in today's form.

The files and `said.json` were written by the version before parts had one protocol: format 1, dense matrices of
features, names as lines. Two items of the data had not been met; the history is that of u3 without its second event.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.planting import must_fail
from xattn import Interactions, load_model
from xattn.model import state
from xattn.model.heads import content
from xattn.recommenders import Recommender, hybrid, neural

FILES = Path(__file__).parent / "files"
SAID = json.loads((FILES / "said.json").read_text("utf-8"))
every_file = pytest.mark.parametrize("name", SAID)


@pytest.fixture(autouse=True)
def _small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learned tables as small as those of the file; the real ones would take 300 KB."""
    monkeypatch.setattr(hybrid, "SHAPE", hybrid.SHAPE._replace(d=4, H=2, dk=2, L=6))


def loaded(name: str) -> Recommender:
    return load_model(FILES / f"{name}.npz")


def answers(model: Recommender) -> dict[str, np.ndarray]:
    history = model.history("u3").without([1])
    return {"scores": model.scores_of(history), "without": model.scores_without_each(history, np.array([0, 3]))}


@every_file
def test_an_old_file_answers_as_it_did(name: str) -> None:
    model = loaded(name)
    assert type(model).__name__ == name.partition("-")[0]
    for what, found in answers(model).items():
        want = np.array(SAID[name][what])
        np.testing.assert_allclose(found, want, rtol=0, atol=1e-12 * max(1.0, np.abs(want).max()), err_msg=what)
    why = model.explain("u3", "i3")
    assert why.base + why.cells["contribution"].sum() == pytest.approx(why.score, abs=1e-5)


@every_file
def test_an_old_file_is_saved_again_in_todays_form(name: str, tmp_path: Path) -> None:
    model = loaded(name)
    model.save(tmp_path / "again.npz")
    back = load_model(tmp_path / "again.npz")
    for what, found in answers(model).items():
        np.testing.assert_array_equal(answers(back)[what], found)
    assert back.fingerprint() == model.fingerprint()
    assert back.data_.checksum == model.data_.checksum


def test_there_is_a_file_with_each_kind_of_part() -> None:
    kinds = {type(part).__name__ for name in SAID for part in getattr(loaded(name), "parts_", ())}
    assert kinds == {"ArticleNetwork", "CollaborativePart", "ContentPart", "InheritedPart", "LearnedPart"}
    assert all((FILES / f"{name}.npz").stat().st_size < 30 * 1024 for name in SAID)


def test_an_old_model_goes_on_growing() -> None:
    model = loaded("CollaborativeAttention")
    more: Interactions = model.data_.select(model.data_.user == 5)
    model.partial_fit(more)
    assert model.data_.n_events == loaded("CollaborativeAttention").data_.n_events + more.n_events


# --- the tests are tested ---------------------------------------------------------------------------------------------


def test_readers_that_forget_the_old_form_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of names, of matrices or of the base that knows today's form alone."""
    with monkeypatch.context() as patch:
        patch.setattr(content, "_names", lambda of: tuple(state.text_of(of["feature_names"])))
        must_fail(test_an_old_file_answers_as_it_did, "ContentAttention", by=Exception)
    with monkeypatch.context() as patch:
        patch.setattr(content, "rows_of_state", lambda of, name, rows, columns: of[f"{name}_ptr"])
        must_fail(test_an_old_file_answers_as_it_did, "HybridAttention", by=Exception)
    with monkeypatch.context() as patch:
        patch.setattr(neural.NeuralAttention, "_restore", neural.Additive._restore)
        must_fail(test_an_old_file_answers_as_it_did, "NeuralAttention", by=Exception)
