"""Deep queries, linear values: gradients, what is served against what was trained, removals, and the time of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest

from tests.checks import assert_within
from xattn.data import History, JoinedHistories
from xattn.model.deep import deep_loss_and_gradients, deep_outputs, deep_sizes, initial_deep
from xattn.model.fit.sequence import Training, train_sequences
from xattn.model.fit.training import Schedule, train
from xattn.model.heads import encoder
from xattn.model.heads.deep import DeepPart
from xattn.model.sequence import Batch, Loss, Shape

SHAPE = Shape(C=7, d=4, H=3, dk=2, L=6, P=1, beta=0.7, blocks=2)
BARE = SHAPE._replace(normed=False)
LONG = Shape(C=7, d=70, H=2, dk=5, L=50, P=1, beta=1.0, blocks=3)  # more than a panel of positions and of coordinates
M = 9  # items, of which two have no row


def some_parameters(dtype: type = np.float64, shape: Shape = SHAPE) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    params = initial_deep(shape, np.full(shape.C, 1 / shape.C), rng, np.float64)
    return {name: (table + rng.normal(0, 0.3, table.shape)).astype(dtype) for name, table in params.items()}


@dataclass
class Some:
    """A history of item rows."""

    item: np.ndarray
    live: np.ndarray
    rating: None = None

    @property
    def age(self) -> np.ndarray:
        return np.arange(len(self.item))[::-1]

    def __len__(self) -> int:
        return len(self.item)


def part(alpha: float = 1.0, theta: float = 0.0, shape: Shape = SHAPE) -> DeepPart:
    rows = np.minimum(np.arange(M), shape.C)
    return DeepPart(shape, some_parameters(shape=shape), rows, np.linspace(0.5, 1.0, M), theta, alpha)


def history(n: int = 10, gone: tuple[int, ...] = ()) -> Some:
    live = np.ones(n, bool)
    live[list(gone)] = False
    return Some(np.random.default_rng(n).integers(0, M, n), live)


@pytest.mark.parametrize("loss", [Loss(), Loss(dropout=0.3, weight_dropout=0.2)], ids=["plain", "dropout"])
@pytest.mark.parametrize("shape", [SHAPE, BARE], ids=["normed", "bare"])
def test_every_gradient_is_the_slope_of_the_loss(loss: Loss, shape: Shape) -> None:
    rng = np.random.default_rng(1)
    params = some_parameters(shape=shape)
    batch = Batch.of([rng.integers(0, 8, 9), rng.integers(0, 7, 4), rng.integers(0, 7, 2)], SHAPE.C)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        return deep_loss_and_gradients(params, shape, batch, loss, 0.5, np.random.default_rng(3))

    grads = run()[1]
    assert grads.keys() == params.keys()
    for key, table in params.items():
        slope = np.empty_like(table)
        for place in np.ndindex(*table.shape):
            was, ends = table[place], []
            for moved in (was + 1e-5, was - 1e-5):
                table[place] = moved
                ends.append(run()[0])
            table[place] = was
            slope[place] = 0.5 * (ends[0] - ends[1]) / 2e-5
        assert_within(grads[key], slope, 1e-6, 1e-7)


def test_the_sizes_are_those_of_the_parameters() -> None:
    assert {name: table.shape for name, table in some_parameters().items()} == deep_sizes(SHAPE)


@pytest.mark.parametrize("n", [1, 2, 6])
@pytest.mark.parametrize("shape", [SHAPE, BARE], ids=["normed", "bare"])
def test_what_is_served_is_what_was_trained(n: int, shape: Shape) -> None:
    """Within one window; what training computes for a batch is what the part computes for a history."""
    whole, events = part(shape=shape), history(n)
    rows = whole.rows[events.item]
    trained = deep_outputs(whole.params, shape, [rows, rows[:1]])[0] @ whole.params["U"].T
    served = whole.scores(events, np.ones(n))
    np.testing.assert_allclose(served[: SHAPE.C], whole.gate[: SHAPE.C] * trained, rtol=1e-11, atol=1e-12)
    assert not served[SHAPE.C :].any()


def written_out(part: DeepPart, events: Some, w: np.ndarray) -> np.ndarray:
    """(M,) the scores, one step of eq. 35 after another, of the events that are live and in the window alone."""
    p, (H, dk, L) = part.params, (part.shape.H, part.shape.dk, part.shape.L)
    live = np.flatnonzero(events.live & (events.age < L))
    rows, age, w, d = part.rows[events.item[live]], events.age[live], w[live], part.shape.d
    out = np.zeros(M)
    if not len(live):
        return out

    def weights(q: np.ndarray, k: np.ndarray, bias: np.ndarray, t: int, beta: float) -> np.ndarray:
        e = k[: t + 1] @ q * len(q) ** -0.5 + bias[age[: t + 1] - age[t]]
        a = np.exp(e - e.max())
        return np.asarray(a / a.sum() ** beta)

    def norm(x: np.ndarray) -> np.ndarray:
        return np.asarray(x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6))

    def silu(x: np.ndarray) -> np.ndarray:
        return np.asarray(x / (1 + np.exp(-x)))

    x = p["X"][rows]
    for b in range(part.shape.blocks):
        q, k, v = np.split((norm(x) * p["Bn"][b, 0]) @ p["Bqkv"][b], 3, axis=1)
        o = np.zeros_like(x)
        for t in range(len(x)):
            for half, at in enumerate((slice(0, d // 2), slice(d // 2, d))):
                o[t, at] = weights(q[t, at], k[:, at], p["Br"][b, half], t, 1.0) @ v[: t + 1, at]
        x = x + o @ p["Bo"][b]
        x = x + silu((norm(x) * p["Bn"][b, 1]) @ p["B1"][b]) @ p["B2"][b]
    h = norm(x) * p["hn"]
    q, k, g = np.split(h @ p["Wqkg"], 3, axis=1)
    v, m = silu(g[-1] + 1) * (p["E"][rows] @ p["Wv"]), np.zeros(H * dk)
    for head in range(H):
        at = slice(head * dk, (head + 1) * dk)
        a = weights(q[-1, at], k[:, at], p["r"][head], len(x) - 1, part.shape.beta)
        m[at] = np.where(a < part.theta, 0.0, a * w) @ v[:, at]
    own = part.rows < part.shape.C
    read = norm(m @ p["Wo"]) if part.shape.normed else m @ p["Wo"]
    out[own] = part.gate[own] * part.alpha * (p["U"][part.rows[own]] @ (read * p["on"]))
    return out


@pytest.mark.parametrize(
    ("shape", "n"), [(SHAPE, 10), (BARE, 10), (LONG, 3), (LONG, 60)], ids=["short", "bare", "few", "long"]
)
@pytest.mark.parametrize("theta", [0.0, 0.1])
def test_scores_and_removals_are_the_steps_written_out(shape: Shape, n: int, theta: float) -> None:
    served, w = part(1.3, theta, shape), np.random.default_rng(4).uniform(-0.5, 1.5, n)
    events = history(n, (n - 2, n // 2))
    assert_within(served.scores(events, w), written_out(served, events, w), 1e-10, 1e-12)
    announced = np.zeros((M, n))
    served.add_without_each(announced, events, w, np.arange(M))
    for r in range(n):
        without = Some(events.item, events.live & (np.arange(n) != r))
        assert_within(announced[:, r], written_out(served, without, w), 1e-10, 1e-12)


def contributions(part: DeepPart, events: Some, w: np.ndarray) -> np.ndarray:
    """(M, n) of each event to every item."""
    out = np.zeros((M, len(events)))
    part.add_contributions(out, events, w, np.arange(M))
    return out


def sums(part: DeepPart, events: Some, w: np.ndarray, target: int) -> np.ndarray:
    """(n,) the same of one item, cell by cell."""
    return np.sum([cells.contribution.sum(axis=1) for cells in part.cells(events, w, target)], axis=0)


def test_one_history_after_another() -> None:
    """What was made of the last one is kept: nothing of it may be said of the next."""
    served, events, w = part(), history(), np.ones(10)
    less = Some(events.item, history(gone=(4,)).live)
    longer = Some(np.append(events.item[:1], events.item), np.ones(11, bool))  # the same window
    asked = [(events, w), (less, w), (events, 2 * w), (history(9), w[:9]), (longer, np.ones(11)), (events, w)]
    for _ in range(2):
        for own, strengths in asked:
            fresh, announced, again = part(), *np.zeros((2, M, len(own)))
            np.testing.assert_array_equal(served.scores(own, strengths), fresh.scores(own, strengths))
            served.add_without_each(announced, own, strengths, np.arange(M))
            fresh.add_without_each(again, own, strengths, np.arange(M))
            np.testing.assert_array_equal(announced, again)
            one, other = (np.array([c.contribution for c in p.cells(own, strengths, 3)]) for p in (served, fresh))
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(*(contributions(p, own, strengths) for p in (served, fresh)))


def test_many_histories_have_the_bits_of_each() -> None:
    rng = np.random.default_rng(5)
    people = [History(rng.integers(0, M, n), None, np.arange(n)[::-1], np.ones(n, bool)) for n in (3, 0, 9, 8)]
    people += [people[2].without([7]), people[2].without([2, 3])]
    joined = JoinedHistories.of(people)
    w, out = rng.uniform(-0.5, 1.5, len(joined.item)), np.ones((len(people), M))
    part().add_scores_of_many(out, joined, w)
    for row, own, low, high in zip(out, people, joined.indptr[:-1], joined.indptr[1:], strict=True):
        np.testing.assert_array_equal(row, 1.0 + (part().scores(own, w[low:high]) if len(own) else 0.0))


@pytest.mark.parametrize("threads", ["1", "2"])
def test_no_bit_depends_on_threads(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    events, w, announced, again = history(60), np.ones(60), *np.zeros((2, M, 60))
    part(shape=LONG).add_without_each(announced, events, w, np.arange(M))
    monkeypatch.setenv("XATTN_NUM_THREADS", threads)
    monkeypatch.setattr(encoder, "TOGETHER", 7)
    part(shape=LONG).add_without_each(again, events, w, np.arange(M))
    np.testing.assert_array_equal(announced, again)


@pytest.mark.parametrize("gone", [(), (0, 5), (9,), (8, 9), tuple(range(10))])
@pytest.mark.parametrize("theta", [0.0, 0.2])
def test_cells_add_up_and_removals_are_served(gone: tuple[int, ...], theta: float) -> None:
    served, events = part(1.7, theta), history(gone=gone)
    w = np.random.default_rng(2).uniform(-0.5, 1.5, len(events))
    scores, targets = served.scores(events, w), np.arange(M)
    for target in range(M):
        cells = served.cells(events, w, target)
        assert sum(c.contribution.sum() for c in cells) == pytest.approx(scores[target], rel=1e-12, abs=1e-13)
        assert all(not c.weight[list(gone)].any() for c in cells)
    assert_within(contributions(served, events, w), [sums(served, events, w, j) for j in range(M)], 1e-12, 1e-13)
    announced = np.zeros((M, len(events)))
    served.add_without_each(announced, events, w, targets)
    masks = np.array([events.live & (np.arange(len(events)) != r) for r in range(len(events))])
    again = served.scores_masked(events, w, masks, targets)
    np.testing.assert_array_equal(announced.T, again)
    alone = [served.scores(Some(events.item, mask), w) for mask in masks]
    np.testing.assert_array_equal(again, alone)  # the very bits that are served


def test_what_is_known_of_the_whole_catalogue_bounds_what_is_served() -> None:
    served, events, w = part(1.7, 0.1), history(gone=(4,)), np.random.default_rng(2).uniform(-0.5, 1.5, 10)
    assert served.bounded
    near, announced = np.zeros((10, M), np.float32), np.zeros((M, 10))
    slack = served.add_approximate(near, events, w)
    served.add_without_each(announced, events, w, np.arange(M))
    assert (np.abs(near - announced.T) <= slack + 1e-6 * np.abs(announced).max()).all()
    reach = served.reach(events, w, 3)
    for gone in combinations(np.flatnonzero(events.live).tolist(), 3):
        masked = Some(events.item, events.live & ~np.isin(np.arange(10), gone))
        assert (served.scores(masked, w) <= reach).all()


def test_what_is_masked_or_out_of_sight_leaves_no_trace() -> None:
    served, events = part(), history(gone=(6,))
    other = Some(events.item.copy(), events.live)
    other.item[[0, 1, 6]] = (other.item[[0, 1, 6]] + 1) % M  # two older than the window, one masked
    np.testing.assert_array_equal(served.scores(events, np.ones(10)), served.scores(other, np.ones(10)))
    other.item[7] = (other.item[7] + 1) % SHAPE.C
    assert (served.scores(events, np.ones(10)) != served.scores(other, np.ones(10))).any()


def test_the_encoder_looks_at_the_whole_window() -> None:
    """The weight of one event depends on another: that is what the blocks are for."""
    served, events = part(), history(6)
    first = served.cells(events, np.ones(6), 0)[1].weight
    changed = Some(events.item.copy(), events.live)
    changed.item[2] = (changed.item[2] + 1) % SHAPE.C
    second = served.cells(changed, np.ones(6), 0)[1].weight
    assert abs(first[4] / first[3] - second[4] / second[3]) > 1e-6


def test_fewer_heads_keep_their_numbers() -> None:
    whole, events, w = part(), history(), np.ones(10)
    fewer = whole.with_heads([0, 2]).with_heads([1])
    assert fewer.heads == ("learned 3",)
    scores = fewer.scores(events, w)
    cells = fewer.cells(events, w, 4)
    assert sum(c.contribution.sum() for c in cells) == pytest.approx(scores[4], rel=1e-12)
    assert_within(contributions(fewer, events, w)[4], sums(fewer, events, w, 4), 1e-12, 1e-13)
    both = whole.with_heads([0, 1]).scores(events, w)
    np.testing.assert_allclose(both + scores, whole.scores(events, w), rtol=1e-11, atol=1e-13)


def test_training_ends_when_its_time_is_over() -> None:
    """Every look at the clock takes 6 seconds: of 40 steps a minute allows ten, and the rate falls with the time."""
    seconds = iter(range(0, 10_000, 6))
    rates: list[float] = []

    def step(rows: np.ndarray, rate: float) -> float:
        rates.append(rate)
        return float(len(rows))

    how = {"n": 8, "batch_size": 2, "epochs": 10, "schedule": Schedule(1.0, 40), "rng": np.random.default_rng(0)}
    epochs = train({"p": np.zeros(1)}, step, **how, minutes=1.0, clock=lambda: float(next(seconds)))  # type: ignore[arg-type]
    assert len(rates) == 10
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert all(epoch.loss == 1.0 for epoch in epochs)
    assert rates[0] == 1.0
    assert rates[-1] == Schedule(1.0, 40)(36)
    slow = list(rates)
    rates.clear()
    train({"p": np.zeros(1)}, step, **how, minutes=None)  # type: ignore[arg-type]
    assert len(rates) == 40
    assert rates[:2] != slow[:2] or rates[2] > slow[2]


def test_the_last_validation_is_within_the_time() -> None:
    """An epoch takes 16 s and its validation 30: after two of them a third validation is not done in two minutes."""
    now = 0.0

    def step(rows: np.ndarray, rate: float) -> float:
        nonlocal now
        now += 4.0
        return float(len(rows))

    def validate() -> float:
        nonlocal now
        now += 30.0
        return now

    how = {"n": 8, "batch_size": 2, "epochs": 10, "schedule": Schedule(1.0, 40), "rng": np.random.default_rng(0)}
    train({"p": np.zeros(1)}, step, **how, validate=validate, minutes=2.0, clock=lambda: now)  # type: ignore[arg-type]
    assert now == 92.0


def test_what_is_held_stays() -> None:
    """An ablation holds a table still through all steps; the others learn."""
    rng = np.random.default_rng(0)
    sequences = [rng.integers(0, 7, 9) for _ in range(12)]

    def hold(params: dict[str, np.ndarray]) -> None:
        params["Bo"][:] = 0.0

    training = Training(epochs=2, positions=20, hold=hold)
    params = train_sequences(sequences, SHAPE, np.full(7, 1 / 7), training, seed=0).params
    assert not params["Bo"].any()
    assert params["B2"].all()
