"""Neighbours by shared people against counting pair by pair."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from tests.checks import unchanged
from xattn.kernels.neighbours.cooccurrence import neighbours


def plainly(took: np.ndarray, k: int, shrink: float) -> list[list[int]]:
    """The k items of largest similarity above 0 of each item, equal ones in item order."""
    lists = []
    for j, own in enumerate(took):
        both = [int((own & other).sum()) for other in took]
        sim = [
            n / (np.sqrt(float(own.sum()) * other.sum()) + shrink) if n else 0.0
            for n, other in zip(both, took, strict=True)
        ]
        known = [x for x in range(len(took)) if x != j and sim[x] > 0]
        lists.append([x for _, x in sorted((-sim[x], x) for x in known)][:k])
    return lists


@given(
    hnp.arrays(np.bool_, st.tuples(st.integers(1, 70), st.integers(1, 8))),
    st.integers(1, 9),
    st.sampled_from((0.0, 2.5)),
)
def test_each_item_has_its_nearest(took: np.ndarray, k: int, shrink: float) -> None:
    tables = []
    for table in (took, took.T):
        rows = sparse.csr_array(table)
        tables += [rows.indptr.astype(np.int64), rows.indices.astype(np.int64)]
    with unchanged(*tables):
        parts = [neighbours(*tables, k, shrink, slice(low, low + 40)) for low in range(0, len(took), 40)]
    items = np.concatenate([part.items for part in parts])
    similarity = np.concatenate([part.similarity for part in parts])
    assert [row[row >= 0].tolist() for row in items] == plainly(took, k, shrink)
    assert ((items < 0) == np.isneginf(similarity)).all()
