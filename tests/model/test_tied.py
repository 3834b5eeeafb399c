"""One table of items in place of three: gradients, what rare items learn from their features, and when it is used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from tests.checks import assert_within
from xattn import HybridAttention, load_model
from xattn.data.synthetic import planted
from xattn.model.deep import deep_loss_and_gradients, deep_outputs, initial_deep
from xattn.model.fit.sequence import Training, train_sequences
from xattn.model.fit.tied import Tied
from xattn.model.sequence import Batch, Loss, Shape
from xattn.recommenders import behaviour, hybrid

SHAPE = Shape(C=7, d=4, H=3, dk=2, L=6, P=1, beta=0.7, blocks=1)


def features() -> sparse.csr_array:
    return sparse.csr_array(np.random.default_rng(2).random((SHAPE.C, 3)) * (np.arange(21).reshape(7, 3) % 2))


def trained(tied: Tied) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    params = initial_deep(SHAPE, np.full(SHAPE.C, 1 / SHAPE.C), rng, np.float64)
    return {name: table + rng.normal(0, 0.3, table.shape) for name, table in tied.start(params, rng).items()}


def test_an_item_is_itself_and_its_features() -> None:
    tied = Tied.of(features(), SHAPE.d)
    own = trained(tied)
    made = tied.made(own)
    S = own["S"].copy()
    S[:7] += features().astype(np.float32).toarray() @ own["T"]
    np.testing.assert_allclose(made["U"], S[:7], atol=1e-12)
    np.testing.assert_allclose(made["X"], 2.0 * S, atol=1e-12)  # √4
    np.testing.assert_array_equal(made["E"], made["X"])
    assert made.keys() == initial_deep(SHAPE, np.ones(7), np.random.default_rng(0)).keys()


def test_every_gradient_is_the_slope_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    tied = Tied.of(features(), SHAPE.d)
    own = trained(tied)
    batch = Batch.of([rng.integers(0, 8, 9), rng.integers(0, 7, 4)], SHAPE.C)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        return deep_loss_and_gradients(tied.made(own), SHAPE, batch, Loss(), 1.0, np.random.default_rng(3))

    grads = tied.made_backward(run()[1])
    assert grads.keys() == own.keys()
    step = 1e-5
    for name in ("S", "T", "Wv", "b"):
        flat = own[name].reshape(-1)
        for place in rng.choice(flat.size, min(6, flat.size), replace=False):
            kept = flat[place]
            flat[place] = kept + step
            more = run()[0]
            flat[place] = kept - step
            less = run()[0]
            flat[place] = kept
            assert_within(grads[name].reshape(-1)[place], (more - less) / (2 * step), 1e-5, 1e-7)


def test_features_say_what_hardly_anybody_has_done() -> None:
    """Of two kinds, one follows the other. Nobody came to rows 4 and 9: their kinds alone say which follows row 0."""
    rng = np.random.default_rng(0)
    kinds = sparse.csr_array(np.repeat(np.eye(2), 5, axis=0))  # rows 0–4, rows 5–9
    sequences = [
        np.array([row for _ in range(4) for row in (rng.integers(0, 4), rng.integers(5, 9))]) for _ in "x" * 60
    ]
    shape = Shape(C=10, d=8, H=2, dk=4, L=8, P=1, beta=1.0, blocks=1)
    share = np.full(10, 0.1)
    training = Training(epochs=6, positions=60, learning_rate=0.02, dropout=0.0, tied=True)

    def ahead(F: sparse.csr_array | None) -> float:
        """By how much row 9 is ahead of row 4, after row 0."""
        params = train_sequences(sequences, shape, share, training, 0, F=F).params
        logits = deep_outputs(params, shape, [np.array([0])])[0] @ params["U"].T
        return float(logits[9] - logits[4])

    assert ahead(kinds) > 1.0 + ahead(None)


# --- when -------------------------------------------------------------------------------------------------------------


def test_a_large_catalogue_gives_values_to_items_of_two_events(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.array([1, 2, 4, 5, 9, 9])
    of = behaviour.Behaviour.of
    asked = of(vars(HybridAttention(objective="next")))
    assert asked.warm(counts).tolist() == [3, 4, 5]
    monkeypatch.setattr(behaviour, "MOST_UNKNOWNS", 5)  # two heads of three items are one too many
    assert asked.warm(counts).tolist() == [1, 2, 3, 4, 5]
    assert of(vars(HybridAttention(objective="next", min_events=5))).warm(counts).tolist() == [3, 4, 5]
    assert of(vars(HybridAttention(objective="any"))).warm(counts).tolist() == [3, 4, 5]


def test_it_learns_from_fewer_events_there(monkeypatch: pytest.MonkeyPatch) -> None:
    data = planted("genre", n_users=60, seed=0).data
    model = HybridAttention(objective="next")
    monkeypatch.setattr(hybrid, "ENOUGH_SPARSE", 100)
    monkeypatch.setattr(hybrid, "ENOUGH_PEOPLE", 60)
    assert not model._learns(data)
    monkeypatch.setattr(behaviour, "MOST_UNKNOWNS", 5)
    assert model._learns(data)
    monkeypatch.setattr(hybrid, "ENOUGH_PEOPLE", 61)
    assert not model._learns(data)


def test_how_many_events_an_item_has_decides_tables_and_sizes() -> None:
    data = planted("genre", n_users=60, seed=0).data
    model = HybridAttention()
    for per_item, tied, window, epochs in ((19.9, True, 50, 24), (20.0, True, 128, 8), (30.0, False, 128, 20)):
        training = model._training(data, per_item)
        assert (training.tied, model._shape(per_item).L, training.epochs) == (tied, window, epochs)
        assert model._shape(per_item).blocks == 2
    assert not HybridAttention(encoder_blocks=0)._training(data, 10.0).tied


def test_ledgers_and_files_of_tied_heads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hybrid, "SPARSE_SHAPE", Shape(0, d=8, H=2, dk=4, L=6, P=1, beta=1.0))
    monkeypatch.setattr(hybrid, "SPARSE_TRAINING", hybrid.SPARSE_TRAINING._replace(epochs=3, learning_rate=0.02))
    data = planted("copurchase", seed=0).data
    monkeypatch.setattr(hybrid, "SPARSE", 10**6)
    model = HybridAttention(learned="always", encoder_blocks=1, min_events=2, regularization=1e4).fit(data)
    assert model.alpha_ > 0.0
    assert model.learned_ is not None
    assert model.learned_.shape.L == 6
    user, item = data.user_ids[0], data.items.ids[3]
    why = model.explain(user=user, item=item)
    assert_within(why.cells["contribution"].sum() + why.base, why.score, 0.0, 1e-9)
    strongest = why.removals().iloc[0]
    served = model.recommend(user=user, without=[strongest["event"]], k=data.n_items, seen="keep").set_index("item")
    assert_within(served.loc[item, "score"], strongest["score_without"], 0.0, 1e-9)
    model.save(tmp_path / "tied.npz")
    again = load_model(tmp_path / "tied.npz")
    np.testing.assert_array_equal(again.score(user), model.score(user))
