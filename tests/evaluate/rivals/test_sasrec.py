"""SASRec: the network equals a plain one, sees no future, learns an order, and leaves PyTorch as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from xattn import History, InputError, Interactions
from xattn.evaluate.rivals import SASRec
from xattn.evaluate.rivals.network import Network, filled

torch = pytest.importorskip("torch")


def chain(users: int = 60, steps: int = 9) -> Interactions:
    """Item i leads to item i + 1 of 20; each user starts at a place of their own."""
    rows = [(f"u{u}", f"i{(u * 7 + t) % 20:02}") for u in range(users) for t in range(steps)]
    return Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]), name="chain")


def network(d: int = 8, blocks: int = 2, dropout: float = 0.0) -> Network:
    torch.manual_seed(0)
    net = Network(torch, 20, d, blocks, 12, dropout)
    for tensor in net.table.values():  # the first values are nearly 0: larger ones, so that every step shows
        tensor.data += 0.3 * torch.randn(tensor.shape)
    return net


def plain_states(net: Network, items: np.ndarray) -> np.ndarray:
    """The states (n, d) of one sequence by loops over events, in NumPy."""
    P = {name: tensor.detach().numpy().astype(float) for name, tensor in net.table.items()}
    d, n = net.d, len(items)

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        z = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        return z * P[f"{name} scale"] + P[f"{name} shift"]

    x = np.array([np.sqrt(d) * P["item"][item] + P["position"][n - 1 - t] for t, item in enumerate(items)])
    for b in range(net.blocks):
        z = norm(x, f"{b} attention")
        q, k, v = (z @ P[f"{b} {name}"].T + P[f"{b} {name} bias"] for name in ("query", "key", "value"))
        seen = np.zeros_like(x)
        for t in range(n):
            e = np.array([q[t] @ k[i] / np.sqrt(d) for i in range(t + 1)])
            a = np.exp(e - e.max())
            seen[t] = (a / a.sum()) @ v[: t + 1]
        x = x + seen
        z = norm(x, f"{b} feed")
        inner = np.maximum(z @ P[f"{b} inner"].T + P[f"{b} inner bias"], 0.0)
        x = x + inner @ P[f"{b} outer"].T + P[f"{b} outer bias"]
    return norm(x, "last")


def states(net: Network, sequences: list[np.ndarray]) -> Any:
    rows, ages, _ = filled(sequences)
    with torch.no_grad():
        return net.states(torch.from_numpy(rows), torch.from_numpy(ages)).numpy()


@pytest.mark.parametrize("blocks", [1, 2])
def test_the_network_equals_the_obvious_one(blocks: int) -> None:
    net = network(blocks=blocks)
    long, short = np.array([3, 1, 4, 1, 5]), np.array([9, 2])
    both = states(net, [long, short])
    np.testing.assert_allclose(both[0], plain_states(net, long), atol=1e-4)
    np.testing.assert_allclose(both[1, :2], plain_states(net, short), atol=1e-4)


def test_the_future_and_the_filling_are_not_seen() -> None:
    net = network()
    first, other = np.array([3, 1, 4, 1, 5]), np.array([3, 1, 4, 7, 8])
    np.testing.assert_array_equal(states(net, [first])[0, :3], states(net, [other])[0, :3])
    alone, beside = states(net, [first[:3]])[0], states(net, [first[:3], np.arange(12)])[0, :3]
    np.testing.assert_allclose(alone, beside, atol=1e-6)


def test_both_ends_share_one_table_of_items() -> None:
    net = network()
    x = torch.randn(4, 8)
    assert torch.equal(net.logits(x), x @ net.table["item"].T)


def test_it_learns_an_order() -> None:
    data = chain()
    model = SASRec(hidden_size=16, blocks=1, dropout=0.0, learning_rate=0.01, epochs=25, batch_size=8).fit(data)
    right = 0
    for user in range(20):
        history = History.of(data, user)
        scores = model.scores_of(history)
        scores[history.item] = -np.inf  # as in its own validation, which stops when that is foreseen
        here, foreseen = (int(data.items.ids[j][1:]) for j in (history.item[-1], scores.argmax()))
        right += foreseen == (here + 1) % 20
    assert right >= 18


def test_long_histories_are_cut_to_the_newest_events() -> None:
    model = SASRec(hidden_size=8, blocks=1, length=4, epochs=1).fit(chain())
    history = History.of(chain(), 0)
    newest = History(history.item[-4:], None, np.arange(4)[::-1], np.ones(4, bool))
    np.testing.assert_array_equal(model.scores_of(history), model.scores_of(newest))
    assert (model.scores_of(history.without([8])) != model.scores_of(history)).any()
    np.testing.assert_array_equal(model.scores_of(history.without(range(9))), np.zeros(20))


def test_windows_hold_every_step_once() -> None:
    items = np.arange(11)
    windows = list(SASRec(length=4)._windows(items))
    assert [w.tolist() for w in windows] == [[6, 7, 8, 9, 10], [2, 3, 4, 5, 6], [0, 1, 2]]
    assert list(SASRec(length=4)._windows(items[:1])) == []


def test_the_best_pass_is_kept_and_it_stops() -> None:
    model = SASRec(hidden_size=8, blocks=1, learning_rate=0.05, epochs=40, patience=2, batch_size=8).fit(chain())
    best = int(np.argmax(model.history_))
    assert len(model.history_) == best + 3 < 40
    again = SASRec(hidden_size=8, blocks=1, learning_rate=0.05, epochs=best + 1, patience=99, batch_size=8).fit(chain())
    history = History.of(chain(), 1)
    np.testing.assert_array_equal(model.scores_of(history), again.scores_of(history))


def test_the_kept_event_is_asked_for_and_not_learned() -> None:
    """With another last event of each user, training meets the same steps: the parameters after one pass are alike."""
    data = chain()
    changed = data.item.copy()
    changed[data.indptr[1:] - 1] = 0
    other = Interactions(data.name, data.user_ids, data.items, data.indptr, changed)
    first, second = (SASRec(hidden_size=8, blocks=1, epochs=1).fit(d) for d in (data, other))
    history = History.of(data, 2)
    np.testing.assert_array_equal(first.scores_of(history), second.scores_of(history))
    assert first.history_ != second.history_


def test_a_seed_means_one_result_and_pytorch_stays_as_it_was() -> None:
    threads, random = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        history = History.of(chain(), 3)
        first, again = (SASRec(hidden_size=8, epochs=2).fit(chain()).scores_of(history) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        assert (first != SASRec(hidden_size=8, epochs=2, random_state=1).fit(chain()).scores_of(history)).any()
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), random)
    finally:
        torch.set_num_threads(threads)


def test_tiny_data_is_fitted_without_validation() -> None:
    frame = pd.DataFrame({"user": ["u", "u", "v"], "item": ["a", "b", "a"]})
    model = SASRec(hidden_size=4, blocks=1, epochs=2).fit(Interactions.from_frame(frame))
    assert model.history_ == [0.0, 0.0]
    alone = pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"]})
    scores = (
        SASRec(hidden_size=4, epochs=1)
        .fit(Interactions.from_frame(alone))
        .scores_of(History(np.array([0]), None, np.zeros(1), np.ones(1, bool)))
    )
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"hidden_size": 0}, "`hidden_size` must be a whole number >= 1; got 0."),
        ({"dropout": 1.5}, "`dropout` must be a finite number >= 0 and < 1; got 1.5."),
        ({"dropout": 1.0}, "`dropout` must be a finite number >= 0 and < 1; got 1."),
        ({"learning_rate": 0.0}, "`learning_rate` must be a finite number > 0; got 0."),
        ({"patience": 0}, "`patience` must be a whole number >= 1; got 0."),
    ],
)
def test_wrong_parameters_get_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        SASRec(**settings).fit(chain())
