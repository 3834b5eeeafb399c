"""Small pieces of fits, each asked on its own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from xattn.errors import InputError
from xattn.model.fit import block_weights, closed_form, inheritance, pair_sums
from xattn.model.fit.article import Lesson, Setting, fit_network
from xattn.model.fit.belonging import belonging_form, belonging_sums, form_of_belonging_sums
from xattn.model.fit.block_weights import Pulls
from xattn.model.fit.inheritance import spread
from xattn.model.fit.pair_sums import BelongingSums, PairSums
from xattn.model.fit.sequence import _pieces
from xattn.model.fit.sums import Histories, Sums
from xattn.model.fit.tied import Tied
from xattn.model.fit.training import EarlyStopping, Schedule, batches, n_batches, train

seeds = st.integers(0, 2**32 - 1)


def slopes(f, x: np.ndarray, h: float = 1e-6) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Central differences of a function of a vector."""
    steps = h * np.eye(len(x))
    return np.array([(f(x + step) - f(x - step)) / (2 * h) for step in steps])


# --- training ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "size", "found"), [(0, 4, 0), (1, 4, 1), (4, 4, 1), (5, 4, 2), (8, 4, 2), (9, 4, 3)])
def test_batches_are_as_few_as_hold_all(n: int, size: int, found: int) -> None:
    assert n_batches(n, size) == found
    rows = list(batches(n, size, np.random.default_rng(0)))
    assert len(rows) == found
    assert sorted(np.concatenate([np.empty(0, int), *rows]).tolist()) == list(range(n))
    assert all(len(own) <= size for own in rows)


def test_rates_by_hand() -> None:
    rate = Schedule(1.0, total=10, warmup=2, floor=0.2)
    assert [round(rate(t), 12) for t in (0, 1, 2, 6, 10, 50)] == [0.5, 1.0, 1.0, 0.6, 0.2, 0.2]
    steady = Schedule(0.5, total=4, warmup=2, kind="constant")
    assert [steady(t) for t in range(5)] == [0.25, 0.5, 0.5, 0.5, 0.5]


@given(st.lists(st.floats(-1, 1) | st.just(float("nan")), max_size=12), st.integers(1, 4))
def test_stopping_waits_as_long_as_it_says(figures: list[float], patience: int) -> None:
    params = {"p": np.zeros(1)}
    stopping, best, since, seen = EarlyStopping(params, patience), -np.inf, 0, 0
    kept = 0.0
    for number, figure in enumerate(figures, 1):
        params["p"][0] = number
        better = figure > best
        best, since, kept = (figure, 0, number) if better else (best, since + 1, kept)
        seen = number
        assert stopping.update(figure) == (since >= patience)
        if since >= patience:
            break
    stopping.restore()
    assert params["p"][0] == kept
    assert stopping.epoch == seen


def trained(minutes: float | None, seconds: float, epochs: int = 6, n: int = 8):  # type: ignore[no-untyped-def]
    """A training of two steps an epoch, each of which takes so many `seconds`; the record, and the rates."""
    params: dict[str, np.ndarray] = {"p": np.zeros(1)}
    rates: list[float] = []

    def step(rows: np.ndarray, lr: float) -> float:
        rates.append(lr)
        return 2.0 * len(rows)

    said: list[tuple[str, float]] = []
    found = train(
        params, step, n=n, batch_size=4, epochs=epochs, schedule=Schedule(1.0, total=2 * epochs),
        rng=np.random.default_rng(0), minutes=minutes, clock=lambda: seconds * len(rates),
        progress=lambda what, share: said.append((what, share)),
    )  # fmt: skip
    assert {what for what, _ in said} == {"train"}
    shares = [share for _, share in said]
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    return found, rates


def test_without_a_budget_all_epochs_are_run() -> None:
    found, rates = trained(None, 60.0)
    assert [epoch.number for epoch in found] == [1, 2, 3, 4, 5, 6]
    assert {epoch.loss for epoch in found} == {2.0}
    assert rates == [Schedule(1.0, total=12)(t) for t in range(12)]
    assert [epoch.lr for epoch in found] == rates[1::2]


def test_a_budget_ends_the_last_epoch_and_takes_the_rate_down() -> None:
    found, rates = trained(5.0, 60.0)  # five steps of a minute each
    assert [epoch.number for epoch in found] == [1, 2, 3]
    assert rates == [Schedule(1.0, total=12)(t) for t in (0, 2, 4, 7, 9)]  # by the time that is gone, in steps
    assert {epoch.loss for epoch in found} == {2.0}  # also of the half epoch
    assert len(trained(12.0, 60.0)[1]) == len(trained(99.0, 60.0)[1]) == 12


# --- sparse sums ------------------------------------------------------------------------------------------------------


@given(seeds, st.floats(0, 1))
def test_sums_are_the_same_from_a_file(seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    table = lambda n, m: np.where(rng.random((n, m)) < density, rng.normal(size=(n, m)), 0.0)  # noqa: E731
    sums = Sums(np.array([1, 4, 7]), table(6, 6), table(6, 3), rng.normal(size=6))
    arrays = sums.arrays()
    again = Sums.of_arrays(arrays)
    for one, other in zip(sums, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert {name.split("_")[0] for name in arrays} == {"warm", "z", "A", "B"}
    bytes_dense = sum(np.asarray(one).nbytes for one in sums)
    assert sum(array.nbytes for array in arrays.values()) <= bytes_dense


def pairs(n: int, m: int, rng: np.random.Generator) -> sparse.csr_array:
    return sparse.csr_array(np.where(rng.random((n, m)) < 0.4, rng.normal(size=(n, m)), 0.0))


@given(seeds)
def test_pair_sums_are_the_same_from_a_file_and_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    warm = np.array([2, 3, 5])
    one, other = (PairSums(warm, pairs(6, 6, rng), pairs(3, 6, rng), rng.normal(size=6)) for _ in range(2))
    assert set(one.arrays()) == {"warm", "z", *(f"{t}_{w}" for t in "AB" for w in ("ptr", "column", "value"))}
    again, both = PairSums.of_arrays(one.arrays()), one + other
    for field in ("A", "B"):
        np.testing.assert_array_equal(getattr(again, field).toarray(), getattr(one, field).toarray())
        np.testing.assert_allclose(
            getattr(both, field).toarray(), getattr(one, field).toarray() + getattr(other, field).toarray()
        )
    np.testing.assert_array_equal(both.z, one.z + other.z)
    np.testing.assert_array_equal(again.z, one.z)
    belong = [BelongingSums(warm, pairs(3, 3, rng), pairs(3, 3, rng), rng.random(2)) for _ in range(2)]
    assert set(belong[0].arrays()) == {"warm", "size", *(f"{t}_{w}" for t in "GQ" for w in ("ptr", "column", "value"))}
    np.testing.assert_array_equal(BelongingSums.of_arrays(belong[0].arrays()).Q.toarray(), belong[0].Q.toarray())
    np.testing.assert_array_equal((belong[0] + belong[1]).size, belong[0].size + belong[1].size)


def test_as_many_pairs_as_are_allowed_may_occur(monkeypatch: pytest.MonkeyPatch) -> None:
    full = BelongingSums(np.arange(2), *(sparse.csr_array(np.ones((2, 2))) for _ in range(2)), np.ones(2))
    monkeypatch.setattr(pair_sums, "MOST_PAIRS", 4)
    assert (full + full).G.nnz == 4
    monkeypatch.setattr(pair_sums, "MOST_PAIRS", 3)
    with pytest.raises(InputError, match="2"):
        full + full


# --- pieces of sequences, tied tables ---------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 40), max_size=6), st.integers(1, 9))
def test_pieces_overlap_by_one_event_and_hold_every_step(lengths: list[int], most: int) -> None:
    sequences = [np.arange(1000 * n, 1000 * n + length) for n, length in enumerate(lengths)]
    found = _pieces(sequences, most)
    steps = [(a, b) for piece in found for a, b in zip(piece[:-1].tolist(), piece[1:].tolist(), strict=True)]
    wanted = [(a, b) for own in sequences for a, b in zip(own[:-1].tolist(), own[1:].tolist(), strict=True)]
    assert sorted(steps) == wanted
    assert all(2 <= len(piece) <= most + 1 for piece in found)


@given(seeds)
def test_tied_tables_and_their_gradients_are_adjoint(seed: int) -> None:
    """⟨made(x), g⟩ = ⟨x, made_backward(g)⟩, since the tables are linear in what is trained."""
    rng = np.random.default_rng(seed)
    C, d, f = 4, 3, 2
    tied = Tied.of(sparse.csr_array(rng.normal(size=(C, f))), d)
    assert tied.up == np.float32(np.sqrt(d))
    assert tied.F.shape == (C + 1, f)
    assert not tied.F.toarray()[-1].any()
    assert tied.F.dtype == np.float32
    drawn = tied.start({"X": np.zeros((C + 1, d), np.float32), "W": np.ones(2)}, rng)
    assert {name: table.shape for name, table in drawn.items()} == {"S": (C + 1, d), "T": (f, d), "W": (2,)}
    x = {"S": rng.normal(size=(C + 1, d)), "T": rng.normal(size=(f, d)), "W": rng.normal(size=2)}
    made = tied.made(x)
    assert set(made) == {"X", "E", "U", "W"}
    np.testing.assert_allclose(made["X"], made["E"])
    np.testing.assert_allclose(made["X"][:-1], tied.up * made["U"], rtol=1e-6)
    g = {name: rng.normal(size=np.shape(table)) for name, table in made.items()}
    back = tied.made_backward(g)
    assert set(back) == {"S", "T", "W"}
    inner = lambda a, b: sum(float((a[name] * b[name]).sum()) for name in a)  # noqa: E731
    assert inner(made, g) == pytest.approx(inner(x, back), rel=1e-6, abs=1e-6)


# --- weights of blocks, newcomers -------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 4), st.integers(2, 5), st.integers(1, 3))
def test_the_loss_of_weights_of_blocks_has_its_gradient(seed: int, T: int, J: int, B: int) -> None:
    rng = np.random.default_rng(seed)
    known = rng.random((T, J, B)) < 0.7
    pulls = Pulls(np.where(known, rng.normal(size=(T, J, B)), 0.0), known)
    x = rng.normal(size=B + 1)
    value, gradient = block_weights.loss(x, pulls)
    assert np.isfinite(value)
    np.testing.assert_allclose(gradient, slopes(lambda at: block_weights.loss(at, pulls)[0], x), rtol=1e-5, atol=1e-7)


def test_the_loss_of_weights_of_blocks_by_hand() -> None:
    """One block that is known of all: r = κ h, so the loss is mean r² − 2 (r_next − mean r)."""
    h = np.array([[[0.5], [0.1], [-0.2]]])
    value, _ = block_weights.loss(np.array([0.0, np.log(2.0)]), Pulls(h, np.ones(h.shape, bool)))
    r = 2.0 * h[0, :, 0]
    assert value == pytest.approx((r[1] ** 2 + r[2] ** 2) / 2 - 2 * (r[0] - (r[1] + r[2]) / 2))


@pytest.mark.parametrize("seed", range(6))
def test_the_spread_of_newcomers_is_that_of_the_others_or_what_places_allow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    U, C, J = 40, 600, 6
    lifts, alike = rng.normal(size=(U, C)), 0.1 * rng.normal(size=(U, C + J))
    warm, low = lifts + 1.0, np.full((U, J), -50.0)
    s = spread(warm, lifts, alike, low, 0.1)
    assert s == pytest.approx(lifts.std() / alike[:, :C].std())
    assert spread(warm, lifts, np.zeros_like(alike), low, 0.1) == 0.0
    few = spread(warm, lifts, alike, np.full((U, J), 2.2), 0.02)
    k = inheritance.PLACES

    def share(s: float) -> float:
        """Of the first k places those that newcomers take, person by person."""
        taken = 0
        for u in range(U):
            both = np.r_[np.sort(warm[u])[::-1][:k], 2.2 + s * alike[u, C:]]
            least = np.sort(both)[::-1][k - 1]
            taken += int((both[k:] >= least).sum())
        return taken / (k * U)

    assert 0 < few < lifts.std() / alike[:, :C].std()
    assert share(few) <= 0.02 < share(few + 1e-6)
    assert spread(warm, lifts, alike, np.full((U, J), 99.0), 0.1) == pytest.approx(0.0, abs=1e-7)


def test_values_of_a_closed_form_have_the_type_that_was_asked_for() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 3))
    for dtype in (np.float32, np.float64):
        A, B = (X.T @ X).astype(dtype), X.T @ rng.normal(size=(8, 2))
        found = closed_form._solve(A.copy(), B.astype(dtype), 0.5)
        np.testing.assert_allclose(found, np.linalg.solve(X.T @ X + 0.5 * np.eye(3), B), rtol=2e-4)


def test_two_ways_to_sum_what_belongs_together() -> None:
    """From histories, and from sums of them: somebody has none, λ is not 1, and there are features."""
    rng = np.random.default_rng(0)
    X = sparse.csr_array(np.where(rng.random((30, 6)) < 0.4, rng.random((30, 6)), 0.0) * (np.arange(30) != 7)[:, None])
    F, warm = sparse.csr_array(rng.random((6, 2))), np.array([0, 2, 3, 5, 7, 8])
    sums = belonging_sums(X, X, warm)
    assert sums.G.has_sorted_indices
    assert sums.Q.has_sorted_indices
    assert sums.size[0] == np.count_nonzero(np.diff(X.indptr))
    assert sums.size[1] == X.nnz
    for K in (None, 3):
        one = belonging_form(X, X, F, 3.0, K, warm, 9, np.float64)
        two = form_of_belonging_sums(sums, F, 3.0, K, 9, np.float64)
        np.testing.assert_allclose(*(np.asarray(form.against(np.eye(6))) for form in (one, two)), rtol=1e-9, atol=1e-12)


def test_the_histories_of_some_users_are_theirs_in_the_order_that_is_asked() -> None:
    whole = Histories(np.array([0, 2, 5, 6]), np.arange(6), np.arange(12.0).reshape(2, 6), np.arange(6.0) / 2)
    some = whole.of(np.array([2, 1]))
    assert some.indptr.tolist() == [0, 1, 4]
    assert some.item.tolist() == [5, 2, 3, 4]
    assert some.w.tolist() == [[5.0, 2.0, 3.0, 4.0], [11.0, 8.0, 9.0, 10.0]]
    assert some.worth.tolist() == [2.5, 1.0, 1.5, 2.0]


def test_a_table_is_kept_sparse_where_that_is_smaller() -> None:
    """A place and a value take twice the bytes of a value, and some time."""
    for full, sparsely in ((39, True), (40, False)):
        table = np.zeros((10, 10))
        table.ravel()[:full] = 1.0
        arrays = Sums(np.arange(10), table, np.ones((10, 10)), np.ones(10)).arrays()
        assert ("A_place" in arrays) == sparsely
        assert "B" in arrays


@pytest.mark.parametrize("liked", [0.0, 1.0])
def test_the_first_bias_is_finite_where_all_are_alike(liked: float) -> None:
    indptr, item = np.array([0, 3, 6]), np.array([0, 1, 2, 2, 1, 0])
    lesson = Lesson(indptr, item, np.ones((2, 6)), np.full(6, liked), np.zeros(6, bool), 3)
    setting = Setting(2, 0.5, 0.01, 0.01, 1, 2, 1, 1, "float64")
    sign = 1.0 if liked else -1.0
    assert fit_network(lesson, setting, np.random.default_rng(0)).offset == pytest.approx(sign * np.log(999.0))
