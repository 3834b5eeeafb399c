"""The contract of blocks of features as a class of tests: what `fit` of a column gives.

Subclass it, say how the block is made and what a column looks like that it can read, and let pytest find the class:

    class TestMyBlock(BlockContract):
        def make(self):
            return MyBlock()

        def column(self):
            return pd.Series(["red", "blue", "red", ""])
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from xattn.data import Interactions, ItemTable
from xattn.features import Block, Fitted, make_features
from xattn.recommenders import ContentAttention
from xattn.testing.data import data_of

__all__ = ["BlockContract"]

NOTHING: dict[str, list[Any]] = {  # columns that say nothing
    "empty texts": ["", "", "", ""],
    "unknown numbers": [np.nan, np.nan, np.nan, np.nan],
    "missing": [None, None, None, None],
}


class BlockContract:
    """What every block promises, a test a promise."""

    def make(self) -> Block:
        """The block; each call makes the same."""
        raise NotImplementedError

    def column(self) -> pd.Series[Any]:
        """A column of at least four cells that the block makes features of."""
        raise NotImplementedError

    def fitted(self) -> Fitted:
        """The features of the column."""
        found = self.make().fit(self.column())
        assert found is not None, "`column` must be one that the block makes features of"
        return found

    def test_features_are_a_finite_sparse_matrix_with_a_label_a_column(self) -> None:
        found = self.fitted()
        assert sparse.issparse(found.F)
        assert found.F.shape == (len(self.column()), len(found.labels))
        assert np.isfinite(found.F.data).all()
        assert all(isinstance(label, str) and label.strip() for label in found.labels)

    def test_the_same_column_gives_the_same_features_and_is_left_alone(self) -> None:
        column, again = self.column(), self.column()
        one, other = self.make().fit(column), self.make().fit(column)
        assert one is not None
        assert other is not None
        assert one.labels == other.labels
        assert (one.F != other.F).nnz == 0
        pd.testing.assert_series_equal(column, again)

    def test_what_is_said_of_an_item_does_not_depend_on_its_row(self) -> None:
        column = self.column()
        order = np.random.default_rng(0).permutation(len(column))
        moved = self.make().fit(column.iloc[order].reset_index(drop=True))
        assert moved is not None
        here = self.fitted()
        assert sorted(moved.labels) == sorted(here.labels)
        by_label = [np.argsort(found.labels, kind="stable") for found in (here, moved)]
        want, got = here.F.toarray()[order][:, by_label[0]], moved.F.toarray()[:, by_label[1]]
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("what", NOTHING)
    def test_a_column_that_says_nothing_gives_nothing(self, what: str) -> None:
        found = self.make().fit(pd.Series(NOTHING[what], dtype=object if what != "unknown numbers" else float))
        assert found is None or not found.F.nnz

    def test_parts_add_up_to_the_features_of_their_item(self) -> None:
        found = self.fitted()
        if found.parts is None:
            pytest.skip("this block knows no parts")
        for row, own in enumerate(found.F.toarray()):
            names, parts = found.parts(row)
            assert parts.shape == (len(names), len(found.labels))
            np.testing.assert_allclose(parts.sum(axis=0), own, rtol=1e-9, atol=1e-12)

    def test_a_model_explains_by_its_features(self) -> None:
        """Beside no other column, on planted data: rows of length 1, names with the column's, ledgers that add up."""
        data, column = data_of("clean"), self.column()
        cells = [column.iloc[row % len(column)] for row in range(data.n_items)]
        table = ItemTable(
            data.items.ids, data.items.titles, pd.DataFrame({"column": pd.Series(cells, dtype=column.dtype)})
        )
        features = make_features(table, {"column": self.make()})
        length = np.sqrt(features.F.multiply(features.F).sum(axis=1))
        assert ((np.abs(length - 1) < 1e-12) | (length == 0)).all()
        assert all(name.startswith("column: ") for name in features.names)
        served: Interactions = replace(data, items=table.with_features(features))
        model = ContentAttention().fit(served)
        why = model.explain(data.user_ids[0], data.items.ids[3])
        assert abs(why.base + why.cells["contribution"].sum() - why.score) < 1e-10
        assert set(why.cells["feature"]) <= {*features.names, ""}
