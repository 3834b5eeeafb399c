"""Features by number: names for readers are never two alike, the matrix is sparse, checked once and left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from xattn.data.feature_set import FeatureSet, distinct
from xattn.errors import InputError

NAMES = ("genres: Drama", "genres: War", "a: b: c", "plain")
F = np.array([[1.0, 0.0, -2.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 3.0]])


@pytest.mark.parametrize("form", [np.array, list, sparse.csr_array, sparse.coo_matrix, sparse.csc_array, np.float32])
def test_any_form_of_matrix(form) -> None:  # type: ignore[no-untyped-def]
    found = FeatureSet(NAMES, form(F))
    assert isinstance(found.F, sparse.csr_array)
    assert found.F.dtype == np.float64
    assert found.F.toarray().tolist() == F.tolist()
    assert found.F.nnz == 5
    assert found.blocks == ("features",) * 4


def test_repeated_and_stored_zero_entries_become_one_form() -> None:
    twice = sparse.coo_array(([1.0, 1.0, 0.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    found = FeatureSet(("x", "y"), twice)
    assert found.F.data.tolist() == [2.0]
    assert found.checksum == FeatureSet(("x", "y"), np.array([[0.0, 2.0], [0.0, 0.0]])).checksum


def test_what_is_given_is_neither_changed_nor_changeable() -> None:
    given = sparse.csr_array(F)
    found = FeatureSet(NAMES, given)
    given.data[:] = 7.0
    assert found.F.toarray().tolist() == F.tolist()
    with pytest.raises(ValueError, match="read-only"):
        found.F.data[0] = 1.0


def test_a_label_is_the_name_without_its_block_whatever_the_name_holds() -> None:
    found = FeatureSet(NAMES, F, ("genres", "genres", "a: b", "other"))
    assert [found.label(f) for f in range(4)] == ["Drama", "War", "c", "plain"]
    assert found.of_block("genres") == [0, 1]
    assert found.of_block("a") == []


def test_unit_rows() -> None:
    unit = FeatureSet(NAMES, F).unit.toarray()
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), [1.0, 0.0, 1.0], rtol=1e-15)
    np.testing.assert_allclose(unit[2], F[2] / np.linalg.norm(F[2]), rtol=1e-15)


def test_rows() -> None:
    found = FeatureSet(NAMES, F)
    assert found.dense([2, 0]).tolist() == F[[2, 0]].tolist()
    assert found.take(np.array([2, 2])).F.toarray().tolist() == F[[2, 2]].tolist()
    assert found.extended(1).F.toarray().tolist() == [*F.tolist(), [0.0] * 4]


def test_sets_side_by_side() -> None:
    one, two = FeatureSet(("x", "y"), F[:, :2], ("a", "b")), FeatureSet(("y",), F[:, 2:3], ("c",))
    both = FeatureSet.side_by_side([one, two])
    assert both.names == ("x", "y", "y (2)")
    assert both.blocks == ("a", "b", "c")
    assert both.F.toarray().tolist() == F[:, :3].tolist()


@given(st.lists(st.sampled_from(["x", "x (2)", "x (2) (2)", "y"]), max_size=9))
def test_distinct_names_are_as_many_and_the_first_of_each_stays(names: list[str]) -> None:
    found = distinct(names)
    assert len(set(found)) == len(found) == len(names)
    if names:
        assert found[0] == names[0]
    assert all(own.startswith(name) for own, name in zip(found, names, strict=True))
    assert distinct(found) == found


@pytest.mark.parametrize(
    ("names", "matrix", "blocks", "sentence"),
    [
        (("x", "x"), np.eye(2), (), "`names` must hold each feature once; got 'x' twice"),
        (("x", " "), np.eye(2), (), "`names` must hold visible text; got ' '"),
        (("x", 1), np.eye(2), (), "`names` must hold visible text; got 1"),
        (("x", "y"), np.eye(2), ("a", ""), "`blocks` must hold visible text"),
        (("x", "y"), np.eye(2), ("a",), "`names`, `blocks` and `columns_of_F`|`names` and `blocks`"),
        (("x", "y"), np.eye(3), (), "must have the same length; got names 2, blocks 2, columns_of_F 3"),
        (("x", "y"), np.array([[1.0, np.nan]]), (), "`F` must hold finite numbers only; got nan"),
        (("x", "y"), sparse.csr_array(np.array([[1.0, np.inf]])), (), "`F` must hold finite numbers only; got inf"),
        (("x",), np.ones(3), (), "`F` must be a table"),
        (("x",), np.array([["a"]]), (), "`F` must be a table"),
        (("x",), sparse.csr_array(np.array([[1j]])), (), "`F` must be a table .rows × columns. of real numbers"),
    ],
)
def test_what_is_no_set_is_refused(names, matrix, blocks, sentence) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=sentence):
        FeatureSet(names, matrix, blocks)
