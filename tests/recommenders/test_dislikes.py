"""What a clear dislike counts: as any event, unless events that are held out of the training data say otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xattn import CollaborativeAttention, HybridAttention, Interactions, load_model
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate
from xattn.recommenders import dislikes


def bare(data: Interactions) -> Interactions:
    """The same events without their ratings."""
    return Interactions.from_frame(data.to_frame().drop(columns="rating"), data.items)


@pytest.mark.parametrize("model", [CollaborativeAttention, HybridAttention])
def test_planted_tastes_are_found(model: type) -> None:
    fitted = model().fit(planted("genre", n_users=600, seed=1).data)
    assert fitted.dislike_ <= 0.0


def test_with_planted_tastes_the_ratings_are_worth_having() -> None:
    data = planted("genre", n_users=600, seed=1).data
    kept, dropped = (evaluate(d, [HybridAttention()])["rows"][0] for d in (data, bare(data)))
    assert kept["ci95"]["ndcg@10"][0] > dropped["ci95"]["ndcg@10"][1]


def test_ratings_that_mean_nothing_leave_a_dislike_an_event_as_any_other() -> None:
    data = planted("genre", n_users=400, seed=2).data
    frame = data.to_frame()
    frame["rating"] = np.random.default_rng(0).permutation(frame["rating"])
    rated = Interactions.from_frame(frame, data.items)
    model, plain = CollaborativeAttention().fit(rated), CollaborativeAttention().fit(bare(rated))
    assert model.dislike_ == 1.0
    for user in ("u0", "u7"):
        np.testing.assert_array_equal(model.score(user=user), plain.score(user=user))


def test_the_choice_is_kept_in_the_file(tmp_path: Path) -> None:
    model = CollaborativeAttention().fit(planted("genre", n_users=300, seed=1).data)
    model.save(tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz")
    assert again.dislike_ == model.dislike_ != 1.0
    np.testing.assert_array_equal(again.score(user="u3"), model.score(user="u3"))


def test_nobody_is_asked_where_few_have_disliked_anything() -> None:
    assert CollaborativeAttention().fit(planted("genre", n_users=20, seed=1).data).dislike_ == 1.0


def test_of_large_data_some_people_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole histories, no more events than the limit, and the dislikes are still found."""
    data = planted("genre", n_users=600, seed=1).data
    monkeypatch.setattr(dislikes, "MOST_EVENTS", data.n_events // 2)
    some = dislikes.some_people(data, np.random.default_rng(0))
    assert 0.45 * data.n_events < some.n_events <= data.n_events // 2
    lengths, whole = np.diff(some.indptr), np.diff(data.indptr)
    assert set(np.unique(lengths / whole)) == {0.0, 1.0}
    assert CollaborativeAttention().fit(data).dislike_ <= 0.0
