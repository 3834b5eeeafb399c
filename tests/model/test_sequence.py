"""The learned heads' network and its training: gradients, what must hold of sequences, and that it learns at all."""

from __future__ import annotations

import numpy as np
import pytest

from tests.checks import assert_bitwise, assert_within
from xattn.errors import InputError
from xattn.model.fit.sequence import Training, _pieces, _shards, train_sequences
from xattn.model.fit.target import target_loss_and_gradients
from xattn.model.heads.learned import logits
from xattn.model.sequence import Batch, Loss, Shape, initial, loss_and_gradients

SHAPE = Shape(C=7, d=4, H=2, dk=3, L=5, P=2, beta=0.7)
DRAWN = np.array([1, 3, 3, 5])
LOSSES = {
    "whole catalogue": Loss(),
    "sampled": Loss("cross-entropy", DRAWN, np.full(4, 0.2)),
    "bpr": Loss("bpr", DRAWN, np.full(4, 0.2)),
    "logistic": Loss("logistic", DRAWN, np.full(4, 0.2)),
    "dropout": Loss(dropout=0.2, weight_dropout=0.4),
}


def some_parameters(shape: Shape = SHAPE, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    params = initial(shape, np.full(shape.C, 1 / shape.C), rng, np.float64)
    for value in params.values():
        value += rng.normal(0, 0.5, value.shape)
    return params


def some_batch() -> Batch:
    rng = np.random.default_rng(1)
    return Batch.of([rng.integers(0, 8, 9), rng.integers(0, 7, 4), rng.integers(0, 7, 2)], SHAPE.C)


CASES = [(name, False) for name in LOSSES] + [(name, True) for name in ("sampled", "bpr", "logistic", "target dropout")]
LOSSES["target dropout"] = LOSSES["sampled"]._replace(dropout=0.3)


@pytest.mark.parametrize(("name", "target"), CASES)
def test_every_gradient_is_the_slope_of_the_loss(name: str, target: bool) -> None:
    params, batch, loss = some_parameters(), some_batch(), LOSSES[name]
    network = target_loss_and_gradients if target else loss_and_gradients

    def run() -> tuple[float, dict[str, np.ndarray]]:
        return network(params, SHAPE, batch, loss, 0.5, np.random.default_rng(3))

    grads = run()[1]
    assert grads.keys() == params.keys()
    step = 1e-5
    for key, table in params.items():
        slope = np.empty_like(table)
        for place in np.ndindex(*table.shape):
            was, ends = table[place], []
            for moved in (was + step, was - step):
                table[place] = moved
                ends.append(run()[0])
            table[place] = was
            slope[place] = 0.5 * (ends[0] - ends[1]) / (2 * step)
        assert_within(grads[key], slope, 1e-7, 1e-8)


def test_the_gradients_are_those_of_autograd() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: its autograd is the second opinion")
    params, batch = some_parameters(), some_batch()
    value, grads = loss_and_gradients(params, SHAPE, batch, Loss(), 1.0, np.random.default_rng(0))
    p = {name: torch.tensor(table, requires_grad=True) for name, table in params.items()}
    total = torch.zeros((), dtype=torch.float64)
    for t, y in enumerate(batch.y.tolist()):
        if y < 0:
            continue
        low = max(int(batch.start[t]), t - SHAPE.L + 1)
        e = p["E"][torch.tensor(batch.x[low : t + 1])]
        o = torch.zeros(SHAPE.d, dtype=torch.float64)
        for h in range(SHAPE.H):
            asks = [e[-1 - s] @ p["Wq"][h] * p["omega"][h, s] for s in range(min(SHAPE.P, t + 1 - int(batch.start[t])))]
            z = (e @ p["Wk"][h]) @ torch.stack(asks).sum(0) / SHAPE.dk**0.5 + p["r"][h, : len(e)].flip(0)
            E = torch.exp(z - z.max())
            o = o + (E / E.sum() ** SHAPE.beta) @ (e @ p["Wv"][h])
        total = total + torch.nn.functional.cross_entropy((o @ p["U"].T + p["b"])[None], torch.tensor([y]))
    total.backward()
    assert value == pytest.approx(float(total.detach()), rel=1e-12)
    for name, g in grads.items():
        assert_within(g, p[name].grad.numpy(), 1e-9, 1e-11)


def test_an_item_without_a_row_is_attended_and_never_predicted() -> None:
    batch = Batch.of([np.array([0, 7, 1])], SHAPE.C)
    assert batch.x.tolist() == [0, 7]
    assert batch.y.tolist() == [-1, 1]
    grads = loss_and_gradients(some_parameters(), SHAPE, batch, Loss(), 1.0, np.random.default_rng(0))[1]
    assert np.abs(grads["E"][7]).max() > 0


def test_long_histories_become_pieces_that_predict_each_event_once() -> None:
    sequence = np.arange(1300)
    pieces = _pieces([sequence, np.array([4]), np.array([5, 6])])
    assert max(map(len, pieces)) <= 513
    told = np.concatenate([piece[1:] for piece in pieces])
    assert sorted(told.tolist()) == sorted([*sequence[1:].tolist(), 6])


def test_shards_hold_every_piece_once_and_are_alike_in_size() -> None:
    pieces = [np.arange(n) for n in (50, 3, 3, 20, 20, 10, 2)]
    shards = _shards(pieces)
    assert sorted(len(p) for shard in shards for p in shard) == sorted(map(len, pieces))
    assert all(shards)
    assert len(_shards(pieces[:2])) == 2


def cyclic(n: int = 60) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(np.arange(12) + rng.integers(0, 7)) % 7 for _ in range(n)]


LEARNT = [("cross-entropy", 0, False), ("cross-entropy", 5, False), ("bpr", 5, False), ("logistic", 5, False)]
LEARNT += [("cross-entropy", 0, True), ("bpr", 5, True)]


@pytest.mark.parametrize(("loss", "negatives", "target"), LEARNT)
def test_what_always_follows_is_learned(loss: str, negatives: int, target: bool) -> None:
    shape = SHAPE._replace(target=target)
    training = Training(loss=loss, negatives=negatives, epochs=60, positions=60, learning_rate=0.02, dropout=0.0)
    trained = train_sequences(cyclic(), shape, np.full(7, 1 / 7), training, seed=0)
    assert trained.epochs[-1].loss < trained.epochs[0].loss / 2
    for last in range(7):
        assert int(np.argmax(logits(trained.params, shape, np.array([(last - 1) % 7, last])))) == (last + 1) % 7


def test_plain_descent_learns_too() -> None:
    training = Training(optimizer="sgd", schedule="constant", epochs=20, positions=60, learning_rate=0.5, dropout=0.0)
    epochs = train_sequences(cyclic(), SHAPE, np.full(7, 1 / 7), training, seed=0).epochs
    assert epochs[-1].loss < 0.9 * epochs[0].loss


def test_the_same_seed_gives_the_same_bits_at_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(epochs=2, positions=200, dropout=0.3, weight_dropout=0.2)
    tables = []
    for threads in ("1", "2"):
        monkeypatch.setenv("XATTN_NUM_THREADS", threads)
        tables.append(train_sequences(cyclic(), SHAPE, np.full(7, 1 / 7), training, seed=4).params)
    for name, table in tables[0].items():
        assert_bitwise(table, tables[1][name])
    other = train_sequences(cyclic(), SHAPE, np.full(7, 1 / 7), training, seed=5).params
    assert np.abs(other["E"] - tables[0]["E"]).max() > 1e-3


def test_training_stops_early_and_keeps_the_best() -> None:
    figures = iter([0.1, 0.5, 0.2, 0.3, 0.9])
    seen: list[np.ndarray] = []

    def validate(params: dict[str, np.ndarray]) -> float:
        seen.append(params["E"].copy())
        return next(figures)

    training = Training(epochs=5, positions=60, patience=2)
    trained = train_sequences(cyclic(), SHAPE, np.full(7, 1 / 7), training, 0, validate)
    assert [e.validation for e in trained.epochs] == [0.1, 0.5, 0.2, 0.3]
    assert_bitwise(trained.params["E"], seen[1])


def test_a_rate_that_is_too_high_is_said(recwarn: pytest.WarningsRecorder) -> None:
    training = Training(epochs=30, positions=60, learning_rate=1e30, optimizer="sgd", dropout=0.0)
    with pytest.raises(InputError, match="`learning_rate` must be small enough"):
        train_sequences(cyclic(), SHAPE, np.full(7, 1 / 7), training, seed=0)


def test_nothing_to_learn_from_is_no_error() -> None:
    trained = train_sequences([np.array([1]), np.array([], int)], SHAPE, np.full(7, 1 / 7), Training(), seed=0)
    assert trained.epochs == []
