"""What collaborative heads have learned: the value of every event item for every target, whole or sparse.

A *form* holds values over C warm items, and answers what the heads ask of them. `ClosedForm` has all of them in one
table; `SparseForm` a few for each target, for catalogues whose table of all pairs would not fit. Both are used alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.errors import check_array, check_distinct, check_index_array, check_offsets, check_same_length, refuse
from xattn.kernels.approximate import Attending, add_approximate_without_each, pool_reach
from xattn.kernels.pool import add_pooled, add_pooled_sparse, sparse_values

__all__ = ["ClosedForm", "Form", "SparseForm", "form_of", "rows_of"]

FEW = 8  # a single number of a row costs about as much as eight next to each other


def rows_of(warm: np.ndarray, n_items: int) -> np.ndarray:
    """(M,) the row of each item among the `warm`, −1 where it has none."""
    row_of_item = np.full(n_items, -1, np.int64)
    row_of_item[warm] = np.arange(len(warm))
    return row_of_item


def _each(row: np.ndarray, R: int) -> np.ndarray:
    """Events 0 to n − 1 of each of R histories, −1 where an event has no row."""
    return np.tile(np.where(row >= 0, np.arange(len(row)), -1), R)


class ClosedForm(NamedTuple):
    """Heads whose values stand in one table."""

    warm: np.ndarray  # (C,) int64: item row of each row of V
    row_of_item: np.ndarray  # (M,) int64: row of V of each item, −1 where it has none
    V: np.ndarray  # (H, C, C): value of event row for target column

    @property
    def dtype(self) -> np.dtype:
        return self.V.dtype

    def heads(self, stay: list[int]) -> ClosedForm:
        """Some of the heads."""
        return self._replace(V=self.V[stay])

    def add_pooled(
        self, out: np.ndarray, ptr: np.ndarray, row: np.ndarray, coef: np.ndarray, place: np.ndarray, gate: np.ndarray
    ) -> None:
        """Add the heads' sums to out[:, place]: see `xattn.kernels.pool`."""
        add_pooled(out, ptr, row, coef, self.V, place, gate)

    def add_pooled_few(
        self, out: np.ndarray, ptr: np.ndarray, row: np.ndarray, coef: np.ndarray, column: np.ndarray, gate: np.ndarray
    ) -> None:
        """Add to `out` (R, J) the sums, to the same bits, for the columns `column` (J,; −1: none) alone.

        The R histories have the same n events in the rows `row` (n,), with coefficients `coef` (H, R·n) of their own.
        """
        V = np.array([self.values(h, row, column).T for h in range(len(coef))])
        add_pooled(out, ptr, _each(row, len(out)), coef, V, np.arange(len(column)), gate)

    def values(self, h: int, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """(J, n) what the events in the rows `row` (n,) say of the columns `column` (J,); 0 where either is −1."""
        found = np.zeros((len(column), len(row)), self.V.dtype)
        if not len(self.warm):
            return found
        own = column[column >= 0]
        if FEW * len(own) < len(self.warm):  # so few that reading the whole rows of V would take longer
            found[column >= 0] = self.V[h][row[None, :], own[:, None]]
        else:
            found[column >= 0] = self.V[h][row][:, own].T
        found[:, row < 0] = 0.0
        return found

    def add_approximate_without_each(self, out: np.ndarray, attending: Attending, gate: np.ndarray) -> None:
        """Add the sums without each event to `out` (n, M): see `xattn.kernels.approximate`."""
        add_approximate_without_each(out, attending, self.V, self.warm, gate)

    def reach(self, attending: Attending, m: int) -> np.ndarray:
        """(C,) what the sums can come to at most without up to m events."""
        return pool_reach(attending, self.V, m)

    def against(self, R: np.ndarray) -> np.ndarray:
        """V Rᵀ (H, C, d) for R (d, C)."""
        return np.asarray(self.V @ R.T.astype(self.V.dtype))

    def state(self) -> dict[str, np.ndarray]:
        """Plain arrays, for a file."""
        return {"warm": self.warm, "V": self.V}


class SparseForm(NamedTuple):
    """Heads with a few values a target, the others 0. Row h·C + r holds what event row r of head h says."""

    warm: np.ndarray  # (C,) int64
    row_of_item: np.ndarray  # (M,) int64
    ptr: np.ndarray  # (H·C + 1,) int64: where each row begins
    column: np.ndarray  # (values,) int32, ascending in each row
    value: np.ndarray  # (values,)

    @classmethod
    def of_targets(
        cls, warm: np.ndarray, n_items: int, H: int, chosen: np.ndarray, values: np.ndarray, dtype: type
    ) -> SparseForm:
        """From `chosen` (C, K), the rows h·C + r that have a value for each target (−1: none), and those `values`."""
        C = len(warm)
        kept = chosen >= 0
        row, column = chosen[kept], np.repeat(np.arange(C, dtype=np.int32), kept.sum(axis=1))
        order = np.argsort(row, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=H * C))])
        return cls(warm, rows_of(warm, n_items), ptr, column[order], values[kept][order].astype(dtype))

    @property
    def dtype(self) -> np.dtype:
        return self.value.dtype

    @property
    def _C(self) -> int:
        return len(self.warm)

    def _entries(self, h: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values of the events in the rows `row` (n,), end to end: the event of each, and its place."""
        known = np.flatnonzero(row >= 0)
        start = self.ptr[h * self._C + row[known]]
        length = self.ptr[h * self._C + row[known] + 1] - start
        ends = np.cumsum(length)
        place = np.arange(ends[-1] if len(ends) else 0) + np.repeat(start - (ends - length), length)
        return np.repeat(known, length), place

    def heads(self, stay: list[int]) -> SparseForm:
        """Some of the heads."""
        C = self._C
        cuts = [slice(self.ptr[h * C], self.ptr[(h + 1) * C]) for h in stay]
        lengths = np.concatenate([np.diff(self.ptr[h * C : (h + 1) * C + 1]) for h in stay])
        ptr = np.concatenate([[0], np.cumsum(lengths)])
        column, value = (np.concatenate([vector[cut] for cut in cuts]) for vector in (self.column, self.value))
        return self._replace(ptr=ptr, column=column, value=value)

    def add_pooled(
        self, out: np.ndarray, ptr: np.ndarray, row: np.ndarray, coef: np.ndarray, place: np.ndarray, gate: np.ndarray
    ) -> None:
        """Add the heads' sums to out[:, place]: see `xattn.kernels.pool`."""
        add_pooled_sparse(out, ptr, row, coef, self.ptr, self.column, self.value, place, gate)

    def add_pooled_few(
        self, out: np.ndarray, ptr: np.ndarray, row: np.ndarray, coef: np.ndarray, column: np.ndarray, gate: np.ndarray
    ) -> None:
        """The same as for `ClosedForm`; a value of 0 that is added changes no bit."""
        H, J, n = len(coef), len(column), len(row)
        V = np.array([self.values(h, row, column).T for h in range(H)])
        each, places = np.arange(H * n + 1) * J, np.tile(np.arange(J, dtype=np.int32), H * n)
        add_pooled_sparse(out, ptr, _each(row, len(out)), coef, each, places, V.ravel(), np.arange(J), gate)

    def values(self, h: int, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """(J, n) what the events in the rows `row` (n,) say of the columns `column` (J,); 0 where either is −1."""
        asked, which = np.unique(column, return_inverse=True)
        place = np.full(self._C, -1)
        place[asked[asked >= 0]] = np.flatnonzero(asked >= 0)
        own = np.where(row >= 0, h * self._C + row, -1)
        return sparse_values(own, self.ptr, self.column, self.value, place, len(asked))[which]

    def add_approximate_without_each(self, out: np.ndarray, attending: Attending, gate: np.ndarray) -> None:
        """Add the sums without each event to `out` (n, M)."""
        EW, alone, phi = attending.without_each()
        H, n = EW.shape
        gain = np.zeros((n, self._C))
        for h in range(H):
            event, place = self._entries(h, attending.row)
            column, said = self.column[place], EW[h][event] * self.value[place]
            rest = np.bincount(column, said, self._C).astype(np.float64)[None, :].repeat(n, axis=0)
            rest[event, column] -= said
            for r in np.flatnonzero(alone[h]):  # this event has most of the weight: nothing is subtracted
                others = event != r
                rest[r] = np.bincount(column[others], said[others], self._C)
            gain += phi[h][:, None] * rest
        out[:, self.warm] += (gate * gain).astype(np.float32)

    def reach(self, attending: Attending, m: int) -> np.ndarray:
        """(C,) what the sums can come to at most without up to m events: see `xattn.kernels.approximate`."""
        C, found = self._C, attending.without_most(m)
        if found is None:
            return np.full(C, np.inf)
        EW, least, most = found
        sums, keys, gains = np.zeros(C), [np.empty(0, np.int64)], [np.empty(0)]
        for h in range(len(EW)):
            event, place = self._entries(h, attending.row)
            column, x = self.column[place], EW[h][event] * self.value[place]
            N = np.bincount(column, x, C)
            sums += np.maximum(least[h] * N, most[h] * N)
            keys.append(event * np.int64(C) + column)
            gains.append(np.maximum(-least[h] * x, -most[h] * x))
        key, which = np.unique(np.concatenate(keys), return_inverse=True)  # heads say of one event and column together
        gain = np.maximum(np.bincount(which, np.concatenate(gains), len(key)), 0.0)
        column = key % C if len(key) else key
        order = np.lexsort((-gain, column))
        first = np.searchsorted(column[order], column[order])
        largest = order[np.arange(len(order)) - first < m]
        return np.asarray(sums + np.bincount(column[largest], gain[largest], C))

    def against(self, R: np.ndarray) -> np.ndarray:
        """V Rᵀ (H, C, d) for R (d, C)."""
        C = self._C
        table = sparse.csr_array((self.value, self.column, self.ptr), shape=(len(self.ptr) - 1, C))
        return np.asarray(table @ R.T.astype(self.dtype)).reshape(-1, C, len(R)) if C else np.zeros((0, 0, len(R)))

    def state(self) -> dict[str, np.ndarray]:
        """Plain arrays, for a file."""
        return {"warm": self.warm, "V_ptr": self.ptr, "V_column": self.column, "V_value": self.value}


Form = ClosedForm | SparseForm


def form_of(state: dict[str, np.ndarray], n_items: int, H: int) -> Form:
    """The form of `state`, of H heads over `n_items` items. Raises InputError where the arrays do not fit together."""
    warm = check_index_array("warm", state["warm"], size=n_items)
    check_distinct("warm", warm, "item")
    C = len(warm)
    if "V" in state:
        V = check_array("V", state["V"], ndim=3)
        if V.shape != (H, C, C):
            refuse("shape", name="V", wanted=(H, C, C), got=V.shape)
        return ClosedForm(warm, rows_of(warm, n_items), V)
    value = check_array("V_value", state["V_value"], ndim=1)
    column = check_index_array("V_column", state["V_column"], size=C)
    check_same_length(V_column=len(column), V_value=len(value))
    ptr = check_offsets("V_ptr", state["V_ptr"], parts=H * C, total=len(value))
    check_distinct("V_column", column + np.repeat(np.arange(H * C), np.diff(ptr)) * C, "column_of_row")
    return SparseForm(warm, rows_of(warm, n_items), ptr, column.astype(np.int32), value)
