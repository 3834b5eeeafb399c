"""The article's network while it learns: its loss and gradients against the network written out, and what it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests import naive
from tests.checks import assert_within
from xattn.errors import InputError
from xattn.model.fit import article as article_training
from xattn.model.fit.article import Gradients, Lesson, Params, Setting, fit_network, gradients, initial

M, D, OFFSET, BETA, LAM = 6, 3, 0.4, 0.5, 0.07
NEGATIVES = np.array([1, 4, 4, 0])
USERS = np.array([2, 0, 3])
ASKS = ("like", "next")


def lesson(ask: str, seed: int = 0) -> Lesson:
    """Four persons of 5, 2, 1 and 6 events, two heads; some events held out."""
    rng = np.random.default_rng(seed)
    N = 14
    label = rng.random(N) if ask == "like" else None
    return Lesson(
        np.array([0, 5, 7, 8, 14]), rng.integers(0, M, N), rng.normal(size=(2, N)), label, rng.random(N) < 0.2, M
    )


def parameters(seed: int = 1) -> Params:
    rng = np.random.default_rng(seed)
    params = {name: rng.normal(size=(M, D)) for name in ("Q", "P0", "P1")}
    params |= {f"k{h}": rng.normal(size=(M, 1)) for h in range(2)}
    return params | {"phi": np.array([-1.5, -0.3])}


def written_out(params: Any, task: Lesson, users: np.ndarray, xp: Any, log: Any, exp: Any, lam: float = LAM) -> Any:
    """The mean of loss and penalty, event by event and pool by pool, in NumPy or torch (`xp` makes a list a vector)."""
    Q, losses = params["Q"], []

    def softplus(x: Any) -> Any:
        return log(1 + exp(x))

    def logit(u: Any, j: int) -> Any:
        return (u[:-1] * Q[j, :-1]).sum() + u[-1] + Q[j, -1] + OFFSET

    for user in users:
        lo, hi = task.indptr[user], task.indptr[user + 1]
        for t in range(lo, hi):
            u = 0.0 * Q[0]
            for h in range(2):
                rate = exp(params["phi"][h])
                pool = [i for i in range(lo, hi) if (i != t if task.label is not None else i < t)]
                newest = hi if task.label is not None else t
                E = [exp(params[f"k{h}"][task.item[i], 0] - rate * (newest - 1 - i)) for i in pool]
                for e, i in zip(E, pool, strict=True):
                    u = u + e / sum(E) ** BETA * task.w[h][i] * params[f"P{h}"][task.item[i]]
            if task.held[t]:
                continue
            y = int(task.item[t])
            z = logit(u, y)
            label = 1.0 if task.label is None else task.label[t]
            loss = softplus(z) - label * z
            if task.label is None:
                loss = loss + sum(softplus(logit(u, int(s))) for s in NEGATIVES if s != y)
            losses.append(loss + lam * ((u**2).sum() + (Q[y] ** 2).sum()))
    return xp(losses).sum() / len(losses)


def found(params: Params, task: Lesson, lam: float = LAM) -> Gradients:
    return gradients(params, task, USERS, beta=BETA, lam=lam, offset=OFFSET, negatives=NEGATIVES)


def dense(part: Gradients, params: Params) -> Params:
    """Gradients of all rows, 0 where a row has none."""
    full = {}
    for name, p in params.items():
        full[name] = np.zeros_like(p)
        full[name][part.rows.get(name, slice(None))] = part.grads[name]
    return full


@pytest.mark.parametrize("ask", ASKS)
def test_the_loss_is_that_of_the_network_written_out(ask: str) -> None:
    task, params = lesson(ask), parameters()
    asked = sum(int((~task.held[task.indptr[u] : task.indptr[u + 1]]).sum()) for u in USERS)
    want = float(written_out(params, task, USERS, np.array, np.log, np.exp, lam=0.0))
    assert found(params, task).loss / asked == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("ask", ASKS)
def test_gradients_are_the_slopes_of_the_loss(ask: str) -> None:
    task, params = lesson(ask), parameters()
    got = dense(found(params, task), params)
    for name, p in params.items():

        def loss(x: np.ndarray, name: str = name) -> float:
            return float(written_out({**params, name: x}, task, USERS, np.array, np.log, np.exp))

        assert_within(got[name], naive.gradient(loss, p), 1e-6, 1e-9)


@pytest.mark.parametrize("ask", ASKS)
def test_torch_finds_the_same_gradients(ask: str) -> None:
    torch = pytest.importorskip("torch")
    task, params = lesson(ask, seed=2), parameters(3)
    theirs = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    written_out(theirs, task, USERS, torch.stack, torch.log, torch.exp).backward()
    got = dense(found(params, task), params)
    for name, p in theirs.items():
        assert_within(got[name], p.grad.numpy(), 1e-10, 1e-12)


@pytest.mark.parametrize("ask", ASKS)
def test_float32_gradients_are_near_those_of_float64(ask: str) -> None:
    task, params = lesson(ask), parameters()
    wide = found(params, task)
    label = None if task.label is None else task.label.astype(np.float32)
    narrow = found(
        {name: p.astype(np.float32) for name, p in params.items()},
        task._replace(w=task.w.astype(np.float32), label=label),
    )
    for name, g in wide.grads.items():
        assert narrow.grads[name].dtype == np.float32
        assert_within(narrow.grads[name], g, 1e-4, 1e-6)


@pytest.mark.parametrize("ask", ASKS)
def test_a_label_held_out_is_not_learned_from(ask: str) -> None:
    """Of "like" the label; of "next" the last item, which no later event looks back at."""
    task, params = lesson(ask), parameters()
    held = np.zeros(14, bool)
    held[[4, 13]] = True
    task = task._replace(held=held)
    other = task._replace(label=np.where(held, 1 - task.label, task.label)) if task.label is not None else task
    if task.label is None:
        item = task.item.copy()
        item[held] = (item[held] + 1) % M
        other = task._replace(item=item)
    one, two = (dense(found(params, x), params) for x in (task, other))
    for name in params:
        assert_within(one[name], two[name], 1e-12, 1e-15)


# --- the fit ----------------------------------------------------------------------------------------------------------

SETTING = Setting(
    hidden_size=4,
    beta=0.5,
    learning_rate=0.02,
    regularization=0.0,
    epochs=12,
    batch_size=16,
    negatives=8,
    patience=3,
    dtype="float64",
)


def two_tastes(n_users: int = 120, seed: int = 0) -> Lesson:
    """Half of the people like even items, half odd ones; they rate eight of twelve at random."""
    rng = np.random.default_rng(seed)
    item = np.concatenate([rng.permutation(12)[:8] for _ in range(n_users)])
    likes = (item % 2 == np.repeat(rng.integers(0, 2, n_users), 8)).astype(float)
    w = np.array([np.ones(len(item)), 2 * likes - 1])
    held = rng.random(len(item)) < 0.15
    return Lesson(np.arange(n_users + 1) * 8, item, w, likes, held, 12)


def successors(n_users: int = 150, seed: int = 0) -> Lesson:
    """After item x comes x + 1, of twelve in a ring."""
    rng = np.random.default_rng(seed)
    item = ((rng.integers(0, 12, n_users)[:, None] + np.arange(5)) % 12).ravel()
    held = np.arange(n_users * 5) % 5 == 4
    return Lesson(np.arange(n_users + 1) * 5, item, np.ones((1, n_users * 5)), None, held, 12)


def test_two_tastes_are_told_apart() -> None:
    learned = fit_network(two_tastes(), SETTING, np.random.default_rng(0))
    assert learned.epochs[0].loss > 0.6
    assert max(e.validation for e in learned.epochs if e.validation is not None) > -0.1  # −log ½ = .69 for chance


def test_what_follows_is_found() -> None:
    learned = fit_network(successors(), SETTING._replace(epochs=40), np.random.default_rng(0))
    figures = [e.validation for e in learned.epochs if e.validation is not None]
    assert max(figures) > 0.95  # 1: always first; chance is about .5
    assert figures[0] < 0.8


def test_validation_ranks_what_is_left() -> None:
    """One person who had items 0 and 1, which score highest; what came then, item 2, is the best of the others."""
    params = {name: np.zeros((4, 2)) for name in ("Q", "P0")}
    params |= {"k0": np.zeros((4, 1)), "phi": np.zeros(1)}
    params["Q"][:, -1] = [4.0, 3.0, 2.0, 1.0]
    held = np.array([False, False, True])
    task = Lesson(np.array([0, 3]), np.array([0, 1, 2]), np.ones((1, 3)), None, held, 4)
    figure = article_training._validation(params, task, 0.5, 0.0)
    assert figure is not None
    assert figure() == 1.0
    params["Q"][3, -1] = 2.0  # a tie counts against it
    assert figure() == pytest.approx(1 / np.log2(3))


def test_the_generator_alone_decides() -> None:
    one, same, other = (fit_network(two_tastes(), SETTING, np.random.default_rng(seed)) for seed in (5, 5, 6))
    for name, p in one.params.items():
        np.testing.assert_array_equal(p, same.params[name])
    assert (one.params["Q"] != other.params["Q"]).any()
    assert one.epochs == same.epochs


def test_the_network_is_learned_anew_for_the_best_number_of_epochs_from_all_events() -> None:
    task = two_tastes()
    task = task._replace(label=np.random.default_rng(9).random(len(task.item)))  # noise: the best comes early
    searched = fit_network(task, SETTING, np.random.default_rng(1))
    best = 1 + int(np.argmax([e.validation for e in searched.epochs]))  # type: ignore[arg-type]
    assert best < len(searched.epochs)
    whole = task._replace(held=np.zeros_like(task.held))
    direct = fit_network(whole, SETTING._replace(epochs=best), np.random.default_rng(1))
    for name, p in searched.params.items():
        np.testing.assert_array_equal(p, direct.params[name])
    assert [e.validation for e in direct.epochs] == [None] * best


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_kind_of_label_alone_stays_finite(label: float) -> None:
    task = two_tastes()
    task = task._replace(label=np.full(len(task.item), label))
    learned = fit_network(task, SETTING, np.random.default_rng(0))
    assert all(np.isfinite(p).all() for p in learned.params.values())


def test_a_rate_too_large_is_told() -> None:
    with np.errstate(all="ignore"), pytest.raises(InputError, match="`learning_rate` must be small enough"):
        fit_network(two_tastes(), SETTING._replace(learning_rate=1e5), np.random.default_rng(0))


def test_the_start_is_small_and_even() -> None:
    params = initial(two_tastes(), 4, "float32", np.random.default_rng(0))
    assert {name: p.shape for name, p in params.items()} == {
        **dict.fromkeys(("Q", "P0", "P1"), (12, 5)),
        **dict.fromkeys(("k0", "k1"), (12, 1)),
        "phi": (2,),
    }
    assert all(p.dtype == np.float32 for p in params.values())
    assert (params["Q"][:, -1] == 0).all()
    assert 0 < np.abs(params["P0"][:, :-1]).max() < 0.2
