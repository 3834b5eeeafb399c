"""`attend`: the four steps together, what they keep, and one clear sentence for every wrong argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from tests.strategies import GARBAGE, betas, tables, temperatures
from xattn.errors import InputError
from xattn.tensor.attend import FUSIONS, SCORERS, Attended, attend

U = unit(np.float64)
Q = [1.0, 1.0, 1.0]
K = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
Y = [[5.0, 10.0, 2.0], [3.0, 7.0, 1.0], [8.0, 4.0, 6.0]]
PARAMETERS: dict[str, dict[str, Any]] = {
    "additive": {"Wq": np.eye(3), "Wk": -np.eye(3), "v": np.ones(3)},
    "bilinear": {"W": np.arange(9.0).reshape(3, 3) / 9},
}


def parameters(scorer: str) -> dict[str, Any]:
    return PARAMETERS.get(scorer, {})


@given(
    tables(1, 3), tables(5, 3), tables(5, 2), st.sampled_from(SCORERS), st.sampled_from(FUSIONS), temperatures, betas
)
def test_is_the_steps_one_after_the_other(
    q: np.ndarray, k: np.ndarray, x: np.ndarray, scorer: str, fusion: str, T: float, beta: float
) -> None:
    q, k = np.round(q, 2), np.round(k, 2)
    given_arrays = parameters(scorer)
    with unchanged(q, k, x, *given_arrays.values()):
        got = attend(q[0], k, x, scorer=scorer, fusion=fusion, temperature=T, beta=beta, **given_arrays)
    e = getattr(naive, scorer)(q, k, *given_arrays.values())
    a = naive.weights(e, None, T, beta)
    y, c = getattr(naive, f"fuse_{fusion}")(a, x)
    assert_within(got.scores, e[0], absolute=1e-12)
    assert_within(got.weights, a[0], 1e-12 / T, 1e-300)
    assert_within(got.fused, y[0], absolute=1e-10)
    assert_within(got.contributions, c[0], absolute=1e-10)
    assert_within(got.contributions.sum(axis=0), got.fused, absolute=64 * U * np.abs(c).sum())  # P11


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("scorer", SCORERS)
@given(k=tables(5, 3), x=tables(5, 2), mask=hnp.arrays(np.bool_, 5), data=st.data())
def test_a_masked_event_might_as_well_not_be(
    scorer: str, fusion: str, k: np.ndarray, x: np.ndarray, mask: np.ndarray, data: st.DataObject
) -> None:
    """P5, with garbage in the masked keys and values."""
    junk = st.sampled_from(GARBAGE)
    bad_k = np.where(mask[:, None], k, data.draw(hnp.arrays(np.float64, k.shape, elements=junk)))
    bad_x = np.where(mask[:, None], x, data.draw(hnp.arrays(np.float64, x.shape, elements=junk)))
    options: dict[str, Any] = {"scorer": scorer, "fusion": fusion, "beta": 0.5, "threshold": 0.1, **parameters(scorer)}
    got = attend(Q, bad_k, bad_x, mask=mask, **options)
    alone = attend(Q, k[mask], x[mask], **options)
    assert_bitwise(got.fused, alone.fused)
    for all_events, live in zip(_arrays(got), _arrays(alone), strict=True):
        assert_bitwise(all_events[mask], live)
    assert (got.scores[~mask] == -np.inf).all()
    assert not got.weights[~mask].any()
    assert not got.contributions[~mask].any()
    assert got.attended == alone.attended


def _arrays(a: Attended) -> list[np.ndarray]:
    return [a.scores, a.weights, a.contributions]


def test_empty_history_fuses_to_nothing() -> None:
    for fusion in FUSIONS:
        none = attend(Q, np.empty((0, 3)), np.empty((0, 2)), fusion=fusion)
        assert (none.fused.tolist(), none.attended, repr(none)) == ([0.0, 0.0], 0, "<Attended: 0 of 0 events>")
        out = attend(Q, K, Y, fusion=fusion, mask=[False] * 3)
        assert (out.fused.tolist(), out.attended) == ([0.0] * 3, 0)


def test_vectors_without_coordinates() -> None:
    """No coordinate, no preference: all weigh alike, also where √d would divide by 0."""
    for scorer in ("dot", "scaled_dot", "cosine"):
        assert attend([], [[], []], [[1.0], [3.0]], scorer=scorer).fused.tolist() == [2.0]


def test_threshold_goes_into_the_result() -> None:
    a = attend(Q, K, Y, threshold=0.1)
    assert (a.weights[1], a.attended) == (0.0, 2)
    assert not a.contributions[1].any()
    assert_within(a.fused, a.weights @ np.array(Y), 8 * U)
    assert repr(a) == "<Attended: 2 of 3 events, most to event 2 (0.665)>"


def test_extreme_but_possible() -> None:
    assert attend(Q, K, Y, temperature=5e-324).weights.tolist() == [0.0, 0.0, 1.0]
    assert_within(attend(Q, K, Y, temperature=1e308).weights, np.full(3, 1 / 3), 8 * U)
    assert attend([1e200, 0], [[1e200, 0], [0, 1e-200]], Y[:2], scorer="cosine").scores.tolist() == [1.0, 0.0]
    assert attend([5e-324], [[1.0], [1.0]], [[1.0], [3.0]]).fused.tolist() == [2.0]


def test_result_cannot_be_written() -> None:
    a = attend(Q, K, Y)
    for array in (*_arrays(a), a.fused):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
    with pytest.raises(AttributeError):
        a.attended = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    "same",
    [
        lambda x: np.asarray(x, order="F"),
        lambda x: np.repeat(np.asarray(x), 2, axis=-1)[..., ::2],
        lambda x: np.asarray(x)[::-1].copy()[::-1],
        lambda x: np.asarray(x, dtype=">f8"),
        lambda x: np.asarray(x, dtype=np.float32),
        lambda x: np.asarray(x, dtype=np.int8),
        lambda x: np.frombuffer(np.asarray(x).tobytes()).reshape(np.shape(x)),  # read-only
    ],
    ids=["F", "strided", "reversed", "big-endian", "float32", "int8", "read-only"],
)
def test_layout_and_type_change_no_bit(same: Any) -> None:
    """P20: the article's numbers are exact in each of these."""
    want, got = attend(Q, K, Y), attend(same(Q), same(K), same(Y))
    for x, y in zip((*_arrays(got), got.fused), (*_arrays(want), want.fused), strict=True):
        assert_bitwise(x, y)


NAN, INF = float("nan"), float("inf")
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"query": [1, 2]}, "`query` and `keys` must have equally many coordinates; got query 2, keys 3."),
    ({"values": Y[:2]}, "`keys` and `values` must have the same length; got keys 3, values 2."),
    ({"query": [1, NAN, 1]}, "`query` must hold finite numbers only; got nan."),
    ({"query": [1, INF, 1]}, "`query` must hold finite numbers only; got inf."),
    ({"keys": [[1, 0, 1], [0, NAN, 0], [1, 1, 1]]}, "`keys` must hold finite numbers only; got nan."),
    ({"values": [[1], [2], [-INF]]}, "`values` must hold finite numbers only; got -inf."),
    ({"query": [[1, 1, 1]]}, "`query` must be a vector; got 2 dimensions."),
    ({"keys": [1, 0, 1]}, "`keys` must be a table"),
    ({"keys": [[1, 0, 1], [0, 1], [1, 1, 1]]}, "`keys` must be a table .* rows of one length"),
    ({"keys": [["a", "b", "c"]] * 3}, "`keys` must be a table .* real numbers; got values of type <U1."),
    ({"keys": np.ones((3, 3)) * 1j}, "real numbers; got values of type complex128."),
    ({"keys": np.ma.masked_array(K)}, "got a masked array"),
    ({"values": None}, "`values` must be a table"),
    *(
        ({"temperature": T}, "`temperature` must be a finite number > 0; got ")
        for T in (0, -1, NAN, INF, "1", None, True)
    ),
    *(({"beta": b}, "`beta` must be a finite number >= 0 and <= 1; got ") for b in (-0.1, 1.1, NAN, "x")),
    *(({"threshold": t}, "`threshold` must be a finite number >= 0 and <= 1; got ") for t in (-1, 2, NAN)),
    ({"scorer": "euclid"}, "`scorer` must be one of dot, scaled_dot, cosine, additive, bilinear; got 'euclid'."),
    ({"scorer": None}, "`scorer` must be one of"),
    ({"fusion": "max"}, "`fusion` must be one of multiply, add; got 'max'."),
    ({"mask": [1, 0, 1]}, "`mask` must be a vector of 3 true or false values"),
    ({"mask": [True]}, "`mask` must be a vector of 3 true or false values"),
    ({"mask": np.ones((3, 1), bool)}, "`mask` must be a vector of 3 true or false values"),
    ({"scorer": "bilinear"}, "`W` must be given with scorer bilinear; got none."),
    ({"scorer": "additive", "Wq": np.eye(3), "v": np.ones(3)}, "`Wk` must be given with scorer additive; got none."),
    ({"W": np.eye(3)}, "`W` must be left out with scorer dot; got one."),
    ({"scorer": "bilinear", "W": np.ones((2, 3))}, "`query` and `W` must have the same length; got query 3, W 2."),
    ({"scorer": "bilinear", "W": np.ones((3, 2))}, "`keys` and `W` must have equally many coordinates"),
    (
        {"scorer": "additive", "Wq": np.ones((2, 3)), "Wk": np.ones((2, 3)), "v": np.ones(3)},
        "`Wq` and `Wk` and `v` must have the same length; got Wq 2, Wk 2, v 3.",
    ),
    (
        {"scorer": "additive", "Wq": np.ones((2, 3)), "Wk": np.ones((2, 4)), "v": np.ones(2)},
        "`keys` and `Wk` must have equally many coordinates; got keys 3, Wk 4.",
    ),
    ({"query": [1e200] * 3, "keys": np.full((3, 3), 1e200)}, "`scores` must stay under 1.8e[+]308 in size"),
    ({"query": [1e200, 1e200, 0], "keys": [[1e200, -1e200, 0]] * 3}, "`scores` must stay under"),  # inf − inf
    ({"values": np.full((3, 2), 1.7e308), "beta": 0}, "`fused` must stay under"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG, ids=[f"{i}-{'-'.join(c)}" for i, (c, _) in enumerate(WRONG)])
def test_wrong_argument_meets_one_sentence(change: dict[str, Any], sentence: str) -> None:
    arguments = {"query": Q, "keys": K, "values": Y, **change}
    places = [arguments.pop(name) for name in ("query", "keys", "values")]
    with pytest.raises(InputError, match=sentence) as caught:
        attend(*places, **arguments)
    assert str(caught.value).count("\n") == 0
