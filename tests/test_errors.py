"""Every `check_*`: what passes comes back in one shape, what does not meets one sentence; nothing wraps or leaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from tests.checks import unchanged
from xattn import History, Interactions, ItemTable, Popularity, errors, read_interactions
from xattn.data import planted
from xattn.errors import (
    InputError,
    NotFittedError,
    UnknownIdError,
    XattnError,
    check_array,
    check_axes,
    check_choice,
    check_counts,
    check_fitted,
    check_flag,
    check_id,
    check_index_array,
    check_leading,
    check_live_finite,
    check_logits,
    check_mask,
    check_mask_table,
    check_no_overflow,
    check_number,
    check_offsets,
    check_pair,
    check_probability,
    check_whole,
    shown,
)

NAN, INF = float("nan"), float("inf")
SENTENCE = re.compile(r"`[^`]+`( and `[^`]+`)* must [^\n]+; (got|call) [^\n]+\.")


def refuses(check: Callable[..., Any], *args: Any, got: str = "", **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        check("x", *args, **options)
    assert SENTENCE.fullmatch(str(caught.value)), caught.value
    assert got in str(caught.value)
    assert caught.value.__cause__ is None or isinstance(caught.value.__cause__, XattnError)


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int8(2), Fraction(2)])
def test_numbers_come_back_as_floats(value: Any) -> None:
    got = check_number("x", value, low=0.0, high=2.0)
    assert (got, type(got)) == (2.0, float)


HUGE = 10**400  # too large for a float at all


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (NAN, "got nan."),
        (INF, "got inf."),
        (-INF, "got -inf."),
        pytest.param(HUGE, "got inf.", id="huge"),
        pytest.param(-HUGE, "got -inf.", id="-huge"),
        pytest.param(Fraction(HUGE, 3), "got inf.", id="huge/3"),
        ("1", "got '1'."),
        (True, "got True."),
        (np.True_, "got"),
        (None, "got None."),
        (1j, "got 1j."),
        ([1.0], "got [1.0]."),
        (np.ones(1), "got array([1.])."),
    ],
)
def test_what_is_no_finite_number_is_refused(value: Any, got: str) -> None:
    refuses(check_number, value, got=got)


def test_bounds_of_numbers() -> None:
    refuses(check_number, 0.0, low=0.0, open_low=True, got="must be a finite number > 0; got 0.")
    refuses(check_number, -0.0, low=0.0, open_low=True)
    assert check_number("x", 5e-324, low=0.0, open_low=True) == 5e-324
    refuses(check_number, 1.5, low=0.0, high=1.0, got=">= 0 and <= 1; got 1.5.")
    assert check_number("x", INF, finite=False) == INF
    refuses(check_number, NAN, finite=False)
    refuses(check_probability, -1e-9)
    assert [check_probability("x", p) for p in (0, 1.0)] == [0.0, 1.0]


@pytest.mark.parametrize(
    "value", [-1, 11, pytest.param(10**5000, id="huge"), 1.0, np.float64(3), "3", True, np.False_, None, NAN]
)
def test_what_is_no_whole_number_in_the_span_is_refused(value: Any) -> None:
    refuses(check_whole, value, low=0, high=10)


def test_whole_numbers_come_back_as_ints() -> None:
    assert [(n, type(n)) for n in (check_whole("x", np.uint8(7)), check_whole("x", 10**30))] == [
        (7, int),
        (10**30, int),
    ]
    refuses(check_whole, 0, low=1, got="must be a whole number >= 1; got 0.")


# --- arrays -----------------------------------------------------------------------------------------------------------

TABLE = np.arange(6.0).reshape(2, 3)


def unaligned(x: np.ndarray) -> np.ndarray:
    room = np.zeros(x.nbytes + 1, np.uint8)
    odd = room[1:].view(x.dtype).reshape(x.shape)
    odd[:] = x
    return odd


@pytest.mark.parametrize(
    "same",
    [
        lambda x: x.tolist(),
        np.asfortranarray,
        lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x.astype(">f8"),
        lambda x: x.astype(np.int16),
        lambda x: x.astype(np.float16),
        lambda x: pd.DataFrame(x),
        unaligned,
    ],
    ids=["list", "F", "reversed", "strided", "big-endian", "int16", "float16", "frame", "unaligned"],
)
def test_any_layout_becomes_a_plain_table(same: Callable[[np.ndarray], Any]) -> None:
    given = same(TABLE)
    with unchanged(*([given] if isinstance(given, np.ndarray) else [])):
        got = check_array("x", given, ndim=2)
    assert (got.dtype, got.tolist()) == (np.float64, TABLE.tolist())
    assert got.dtype.isnative
    assert got.flags.c_contiguous
    assert got.flags.aligned


def test_float32_stays_and_may_be_widened() -> None:
    assert check_array("x", TABLE.astype("f4"), ndim=2).dtype == np.float32
    assert check_array("x", TABLE.astype("f4"), ndim=2, dtype=np.float64).dtype == np.float64
    read_only = np.broadcast_to(1.0, (2, 2))
    assert check_array("x", read_only, ndim=2).tolist() == [[1.0, 1.0]] * 2


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ([[1, 2], [3]], "rows of one length"),
        (np.ma.masked_array(TABLE), "got a masked array"),
        (TABLE.astype(object), "values of type object"),
        (TABLE.astype(str), "values of type <U"),
        (TABLE.astype("M8[s]"), "values of type datetime64[s]"),
        (TABLE * 1j, "values of type complex128"),
        (TABLE.astype(np.longdouble), "values of type"),
        (sparse.csr_array(TABLE), "values of type object"),
        (TABLE[0], "a table (rows × columns); got 1 dimension."),
        (TABLE[None], "got 3 dimensions."),
        (3.0, "got 0 dimensions."),
        (None, "values of type object"),
        ([[1.0, NAN]], "finite numbers only; got nan."),
        ([[1.0, -INF]], "finite numbers only; got -inf."),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(value: Any, got: str) -> None:
    refuses(check_array, value, ndim=2, got=got)


def test_nan_passes_where_it_may() -> None:
    assert np.isnan(check_array("x", [NAN, 1.0], ndim=1, finite=False)[0])
    check_no_overflow("x", np.ones(2))
    for dtype, most in ((np.float32, "3.4e+38"), (np.float64, "1.8e+308")):
        refuses(check_no_overflow, np.array([1.0, INF], dtype), got=most)


# --- positions, offsets, masks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ([0, -1], "got -1."),  # would wrap to the last one
        ([0, 3], "from 0 to 2; got 3."),
        (np.array([2**63 + 5], np.uint64), f"got {2**63 + 5}."),
        (np.array([2**40]), f"got {2**40}."),
        ([1.0, 2.0], "values of type float64"),
        ([1.5], "values of type float64"),
        ([NAN], "values of type float64"),
        ([True, False, True], "values of type bool"),
        (["1"], "values of type <U1"),
        ([[1]], "got 2 dimensions."),
        (1, "got 0 dimensions."),
        ([[1], [1, 2]], "got [[1], [1, 2]]."),
        (np.ma.masked_array([1]), "got a masked array."),
    ],
)
def test_positions_never_wrap_or_leave_the_table(value: Any, got: str) -> None:
    refuses(check_index_array, value, size=3, got=got)


def test_positions_come_back_as_int64() -> None:
    for value in ([2, 0, 2], np.array([2, 0, 2], np.uint64), np.array([2, 9, 0, 9, 2], np.int8)[::2]):
        got = check_index_array("x", value, size=3)
        assert (got.dtype, got.tolist(), got.flags.c_contiguous) == (np.int64, [2, 0, 2], True)
    assert check_index_array("x", [], size=0).dtype == np.int64
    assert check_index_array("x", unaligned(np.array([1, 2])), size=3).flags.aligned
    refuses(check_index_array, [0], size=0, got="of an empty table (none); got 0.")


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ([1, 2, 4], "must start at 0 and end at 4; got 1 and 4."),
        ([0, 2, 3], "must start at 0 and end at 4; got 0 and 3."),
        ([0, 5, 4], "offset numbers from 0 to 4; got 5."),
        ([0, -1, 4], "got -1."),
        ([0, 4], "must hold 3 offsets for 2 parts; got 2."),
        ([], "must hold 3 offsets"),
        ([0.0, 2.0, 4.0], "values of type float64"),
    ],
)
def test_offsets_cut_from_the_first_to_the_last(value: Any, got: str) -> None:
    refuses(check_offsets, value, parts=2, total=4, got=got)


def test_offsets_that_fall_are_refused_and_those_of_half_the_bits_are_widened() -> None:
    refuses(check_offsets, [0, 3, 1, 4], parts=3, total=4, got="must never fall; got 3 followed by 1.")
    got = check_offsets("x", np.array([0, 0, 4], np.int32), parts=2, total=4)
    assert (got.dtype, got.tolist()) == (np.int64, [0, 0, 4])
    assert check_offsets("x", [0], parts=0, total=0).tolist() == [0]


@pytest.mark.parametrize(
    "value",
    [
        [1, 0],
        np.ones(2, np.uint8),
        np.ones(2),
        [True],
        np.ones((2, 1), bool),
        np.ma.masked_array([True, False]),
        "ab",
        None,
    ],
)
def test_masks_are_truth_values_for_each(value: Any) -> None:
    refuses(check_mask, value, size=2, got="must be a vector of 2 true or false values; got")


def test_masks_with_rows_of_two_lengths() -> None:
    refuses(check_mask, [[True], [True, False]], size=2)
    assert check_mask("x", np.array([True, False, True, False])[::2], size=2).flags.c_contiguous


# --- ids, choices, fitted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "want"),
    [("007", "007"), (7, "7"), (7.0, "7"), (np.uint64(2**64 - 1), str(2**64 - 1)), (np.str_("é"), "é")],
)
def test_ids_become_text(value: Any, want: str) -> None:
    assert (check_id("x", value), type(check_id("x", value))) == (want, str)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "  ",
        "a\x00b",
        "a\nb",
        "\ud800",
        1.5,
        NAN,
        INF,
        2.0**53,
        True,
        None,
        b"a",
        ("a",),
        1j,
        10**60,
        pytest.param(-(10**5000), id="-huge"),
    ],
)
def test_what_is_no_id_is_refused(value: Any) -> None:
    refuses(check_id, value)


# --- arrays of many axes ----------------------------------------------------------------------------------------------


def test_arrays_of_any_number_of_axes() -> None:
    assert check_array("x", 5, ndim=None).shape == ()
    assert check_array("x", np.ones((2, 3, 4)), ndim=None, least=3).shape == (2, 3, 4)
    refuses(
        check_array, np.ones(2), ndim=None, least=2, got="must be an array of 2 dimensions or more; got 1 dimension."
    )


def test_masks_of_any_shape() -> None:
    assert check_mask("x", [[True, False]], size=(1, 2)).shape == (1, 2)
    assert check_mask("x", np.True_, size=()).shape == ()
    refuses(check_mask, [True, False], size=(1, 2), got="must be an array (1, 2) of true or false values; got")


@pytest.mark.parametrize(
    ("value", "ndim", "want"), [(None, 2, (0, 1)), (-1, 2, (1,)), ((0, -1), 3, (0, 2)), ((), 2, ()), (None, 0, ())]
)
def test_axes_are_counted_from_the_front(value: Any, ndim: int, want: tuple[int, ...]) -> None:
    assert check_axes("x", value, ndim=ndim) == want


@pytest.mark.parametrize("value", [2, -3, 1.0, "0", True, [0], (0, 0), (0, -2), (0, None)])
def test_what_is_no_axis_is_refused(value: Any) -> None:
    refuses(check_axes, value, ndim=2)
    refuses(check_axes, 0, ndim=0, got="must be None for a single number; got 0.")


def test_counts_are_one_for_all_or_one_for_each() -> None:
    for value in (2, np.int8(2), [2, 2], np.array([2, 2], np.uint8), np.full(4, 2)[::2]):
        got = check_counts("x", value, parts=2, low=-1, high=2)
        assert (got.tolist(), got.dtype) == ([2, 2], np.int64)
    for value in (3, -2, 1.0, "1", None, [3, 1], [1, -2], [1.0, 1.0], [1], [[1, 1]], [True, True], [[1], [1, 2]]):
        refuses(check_counts, value, parts=2, low=-1, high=2)
    refuses(check_counts, np.ma.masked_array([1, 1]), parts=2, low=0, high=2)
    refuses(check_counts, np.array([2**63, 1], np.uint64), parts=2, low=0, high=2, got="got 9223372036854775808.")


def test_flags_and_pairs() -> None:
    assert (check_flag("x", True), check_flag("x", np.False_)) == (True, False)
    for value in (0, 1, "true", None, [True]):
        refuses(check_flag, value)
    assert check_pair("x", (None, 2)) == (None, 2)
    for value in (None, [1, 2], (1,), (1, 2, 3), "ab"):
        refuses(check_pair, value)


def test_leading_axes_repeat_or_fit() -> None:
    for shape in ((), (1,), (3,), (2, 3), (1, 3), (2, 1)):
        check_leading("x", shape, (2, 3))
    for shape in ((2,), (3, 3), (1, 2, 3), (0,)):
        refuses(check_leading, shape, (2, 3), got="must have leading axes that fit (2, 3); got")
    check_leading("x", (2, 3), (2, 3), exact=True)
    refuses(check_leading, (1, 3), (2, 3), exact=True)


def test_logits_are_finite_or_left_out() -> None:
    check_logits("x", np.array([1.0, -INF]))
    check_logits("x", np.array([1.0, NAN]), np.array([True, False]))
    for bad in (NAN, INF):
        refuses(check_logits, np.array([1.0, bad]), got=f"or -inf for what is left out; got {bad}.")


@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (2, 3, 4), (1, 1, 4)])
def test_masks_of_tables_repeat_over_rows_and_heads(shape: tuple[int, ...]) -> None:
    for kind in (bool, np.float32, np.float16):
        assert check_mask_table("x", np.ones(shape, kind), shape=(2, 3, 4)).shape == shape
    assert check_mask_table("x", np.full(shape, -INF), shape=(2, 3, 4)).shape == shape


@pytest.mark.parametrize(
    "value",
    [
        np.ones(4, bool),  # would fit the wrong side of a square
        np.ones((3, 1), bool),
        np.ones((4, 3), bool),
        np.ones((1, 2, 3, 4), bool),
        np.ones((3, 4), np.uint8),
        np.ones((3, 4), np.longdouble),
        np.full((3, 4), NAN),
        np.full((3, 4), INF),
        np.ma.masked_array(np.ones((3, 4), bool)),
        [[True], [True, False]],
        "mask",
        None,
    ],
)
def test_what_is_no_mask_of_a_table_is_refused(value: Any) -> None:
    refuses(check_mask_table, value, shape=(2, 3, 4))


def test_what_spoilt_a_result_is_named() -> None:
    check_live_finite(np.array([-INF, 1.0]), q=np.array([NAN]))
    check_live_finite(np.array([0.0, 1.0]), 0.0, q=np.array([NAN]))
    with pytest.raises(InputError, match="`q` must hold finite numbers"):
        check_live_finite(np.array([-INF]), 0.0, q=np.array([-INF]))
    for bad in (NAN, INF, -INF):
        with pytest.raises(
            InputError, match=f"`k` must hold finite numbers wherever no mask takes them out; got {bad}."
        ):
            check_live_finite(np.array([NAN]), q=np.ones(1), k=np.array([1.0, bad]))
    for spoilt in (NAN, INF):
        with pytest.raises(
            InputError, match="`q · k` must stay under 1.8e.308 in size; got more: scale the input down."
        ):
            check_live_finite(np.array([spoilt]), q=np.ones(1), k=np.ones(1))


def test_choices_are_text() -> None:
    assert check_choice("x", "a", ("a", "b")) == "a"
    for value in ("c", 1, None, ["a"]):
        refuses(check_choice, value, ("a", "b"), got="must be one of a, b; got")


def test_not_fitted_is_what_callers_may_expect() -> None:
    class Model:
        fitted_ = 1

    check_fitted(Model(), "fitted_")
    with pytest.raises(NotFittedError, match="`Model` must be fitted before it is used; call `fit` first.") as caught:
        check_fitted(Model(), "other_")
    assert isinstance(caught.value, (ValueError, AttributeError, XattnError))


def test_errors_say_their_sentence_and_are_what_callers_expect() -> None:
    """KeyError would quote its text."""
    error = UnknownIdError("`user` must be known; got 'x'.")
    assert str(error) == "`user` must be known; got 'x'."
    assert isinstance(error, (KeyError, ValueError))
    assert str(XattnError()) == "XattnError"
    assert all(hasattr(errors, name) for name in errors.__all__)


@pytest.mark.parametrize(
    "value", ["a\nb", "a\x1b[31m", "‮abc", "x" * 999, ["\n"], {"k": "x" * 999}, pytest.param(10**5000, id="huge")]
)
def test_values_are_quoted_on_one_short_printable_line(value: Any) -> None:
    text = shown(value)
    assert len(text) <= 62
    assert text.isprintable()


NO_LIST = [np.array("i0"), np.array(1), np.float32(0.5), 7, "i0"]


@pytest.mark.parametrize("value", NO_LIST, ids=repr)
def test_what_is_no_list_is_refused_wherever_one_is_wanted(value: Any) -> None:
    """A number in the shape of an array can be asked for its items like a list, and has none."""
    data = planted("genre", n_users=5, seed=0).data
    model = Popularity().fit(data)
    calls: list[Callable[[], Any]] = [
        lambda: History.given(data, value),
        lambda: model.recommend(history=value),
        lambda: model.recommend_many(value),
        lambda: model.recommend_many(histories=value),
        lambda: model.recommend(data.user_ids[0], exclude=value),
        lambda: Interactions("x", value, data.items, np.array([0, 0]), np.empty(0, np.int64)),
        lambda: Interactions("x", ("u",), data.items, np.array([0, 1]), np.zeros(1, np.int64), kind=value),
        lambda: ItemTable(value, ("t",), pd.DataFrame(index=[0])),
        lambda: ItemTable(("i",), value, pd.DataFrame(index=[0])),
    ]
    for call in calls:
        with pytest.raises(InputError):
            call()


@pytest.mark.parametrize("name", ["amount", "time_format", "encoding", "query"])
@pytest.mark.parametrize("value", [["i0", 1], Path("x"), 3, np.array([0.5, np.nan])], ids=repr)
def test_an_option_of_reading_that_is_a_text_is_nothing_else(name: str, value: Any) -> None:
    frame = pd.DataFrame({"user": ["u"], "item": ["i"], "time": ["2024-01-31"]})
    with pytest.raises(InputError, match=name):
        read_interactions(frame, **{name: value})
