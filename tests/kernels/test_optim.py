"""Optimisers against the paper's equations in NumPy, torch where it is there, and steps known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checks import assert_bitwise, assert_within
from xattn.errors import InputError
from xattn.kernels.optim import BLOCK, SGD, Adam

TYPES = [np.float32, np.float64]


def naive_adam(
    p: np.ndarray, grads: list[np.ndarray], lr: float, betas: tuple[float, float], decay: float
) -> np.ndarray:
    """Algorithm 2 of Loshchilov & Hutter (2019), step after step."""
    p = p.astype(float)
    m, v = np.zeros(p.shape), np.zeros(p.shape)
    for t, g in enumerate(grads, start=1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        p = p - lr * (m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + 1e-8) + decay * p)
    return p


@pytest.mark.parametrize(("dtype", "room"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@given(seed=st.integers(0, 999), steps=st.integers(1, 6), decay=st.sampled_from((0.0, 0.3)))
@settings(max_examples=30)
def test_adam_is_its_algorithm(dtype: type, room: float, seed: int, steps: int, decay: float) -> None:
    rng = np.random.default_rng(seed)
    start = rng.normal(size=(7, 3)).astype(dtype)
    grads = [rng.normal(size=(7, 3)).astype(dtype) for _ in range(steps)]
    params = {"p": start.copy()}
    adam = Adam(params, 0.1, betas=(0.8, 0.95), weight_decay=decay)
    for g in grads:
        adam.step({"p": g})
    assert params["p"].dtype == dtype
    assert_within(params["p"], naive_adam(start, grads, 0.1, (0.8, 0.95), decay), room, room)


def test_torch_agrees() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    params = {"p": rng.normal(size=50), "q": rng.normal(size=(4, 5))}
    theirs = {name: torch.nn.Parameter(torch.tensor(p)) for name, p in params.items()}
    adam, other = Adam(params, 0.05, weight_decay=0.1), torch.optim.AdamW(theirs.values(), lr=0.05, weight_decay=0.1)
    for _ in range(20):
        grads = {name: rng.normal(size=p.shape) for name, p in params.items()}
        for name, g in grads.items():
            theirs[name].grad = torch.tensor(g)
        adam.step(grads)
        other.step()
    for name, p in params.items():
        assert_within(p, theirs[name].detach().numpy(), 1e-12, 1e-13)


def test_torch_agrees_on_rows() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    table = rng.normal(size=(9, 3))
    theirs = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze=False, sparse=True)
    adam, other = Adam({"E": table}, 0.05), torch.optim.SparseAdam(theirs.parameters(), lr=0.05)
    for _ in range(15):
        rows = rng.choice(9, 4, replace=False)
        G = rng.normal(size=(4, 3))
        other.zero_grad()
        (theirs(torch.tensor(rows)) * torch.tensor(G)).sum().backward()
        adam.step({"E": G}, rows={"E": rows})
        other.step()
    assert_within(table, theirs.weight.detach().numpy(), 0.0, 1e-5)  # it adds ε before the bias is corrected


# --- what must hold ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.1, weight_decay=0.2), lambda p: Adam(p, 0.1, weight_decay=0.2)])
def test_all_rows_are_the_whole_table_and_no_row_is_nothing(make: type, dtype: type) -> None:
    rng = np.random.default_rng(5)
    start, order = rng.normal(size=(12, 5)).astype(dtype), rng.permutation(12)
    whole, rows = {"E": start.copy()}, {"E": start.copy()}
    one, other = make(whole), make(rows)
    for _ in range(3):
        G = rng.normal(size=(12, 5)).astype(dtype)
        one.step({"E": G})
        other.step({"E": G[order]}, rows={"E": order})
    assert_bitwise(whole["E"], rows["E"])
    before = rows["E"].copy()
    other.step({"E": G[:0]}, rows={"E": order[:0]})
    assert_bitwise(rows["E"], before)


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.1, weight_decay=0.2), lambda p: Adam(p, 0.1, weight_decay=0.2)])
def test_other_rows_and_unnamed_parameters_stay(make: type) -> None:
    params = {"E": np.ones((6, 2)), "b": np.ones(3)}
    make(params).step({"E": np.ones((2, 2))}, rows={"E": np.array([4, 1])})
    assert (params["E"][[4, 1]] < 1).all()
    assert (params["E"][[0, 2, 3, 5]] == 1).all()
    assert (params["b"] == 1).all()


def test_a_large_array_is_stepped_as_its_parts_are() -> None:
    """Enough for the parallel twin, with a last block that is short; each entry moves as it would alone."""
    rng = np.random.default_rng(6)
    p, g = rng.normal(size=(2, 60 * BLOCK + 77)).astype(np.float32)
    large, part = {"p": p.copy()}, {"p": p[-200:].copy()}
    Adam(large, 0.1).step({"p": g})
    Adam(part, 0.1).step({"p": g[-200:]})
    assert_bitwise(large["p"][-200:], part["p"])


def test_sgd_by_hand_and_the_rate_of_one_step() -> None:
    params = {"p": np.array([1.0, 2.0])}
    sgd = SGD(params, lr=9.0, weight_decay=0.5)
    sgd.step({"p": np.array([1.0, 0.0])}, lr=0.1)
    np.testing.assert_allclose(params["p"], [0.95 - 0.1, 1.9], rtol=1e-15)
    sgd.step({"p": np.zeros(2)}, lr=0.0)
    np.testing.assert_allclose(params["p"], [0.85, 1.9], rtol=1e-15)


def test_adam_does_not_see_the_size_of_a_gradient() -> None:
    """The first step is η in the direction of the sign, whatever the size."""
    params = {"p": np.zeros(4)}
    Adam(params, lr=0.01).step({"p": np.array([1e6, 1e-3, -1e-3, -1e6])})
    np.testing.assert_allclose(params["p"], [-0.01, -0.01, 0.01, 0.01], rtol=1e-4)


def test_a_quadratic_is_minimised() -> None:
    centre, params = np.array([3.0, -2.0]), {"p": np.zeros(2)}
    adam = Adam(params, lr=0.05)
    for _ in range(400):
        adam.step({"p": 2 * (params["p"] - centre)})
    np.testing.assert_allclose(params["p"], centre, atol=1e-3)


def test_nan_in_a_gradient_is_seen() -> None:
    params = {"p": np.ones(3)}
    Adam(params, lr=0.1).step({"p": np.array([0.0, np.nan, 0.0])})
    assert np.isnan(params["p"]).tolist() == [False, True, False]


def test_a_parameter_that_steps_would_miss_is_refused() -> None:
    with pytest.raises(InputError, match="`E` must be in one block of memory .C order.; got strides"):
        Adam({"E": np.ones((3, 4)).T}, lr=0.1)
