"""The contracts are tested: each planted fault of a model or of a block is seen by the test that is meant to see it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from tests.planting import must_fail
from xattn import ItemKNN, Popularity
from xattn.data import History, Interactions
from xattn.explain.cache import HistoryCache
from xattn.features import Block, Fitted
from xattn.recommenders import Recommender, base
from xattn.testing import SHAPES, BlockContract, RecommenderContract


class CellLost(ItemKNN):
    """One event has no cells."""

    def cells_of(self, history: History, target: int) -> Any:
        heads = super().cells_of(history, target)
        for place, head in enumerate(heads):
            used = np.flatnonzero(head.contribution.any(axis=1))
            if len(used):
                value = head.value.copy()
                value[used[0]] = 0.0
                heads[place] = head._replace(value=value)
        return heads


class CellMasked(ItemKNN):
    """Masked events have cells too, whose sum is nothing."""

    def cells_of(self, history: History, target: int) -> Any:
        live = replace(history, live=np.ones(len(history), bool))
        return [head._replace(gate=0.0) for head in super().cells_of(live, target)]


class RemovalOff(ItemKNN):
    """The score without an event is off by 1e-4."""

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        return super().scores_without_each(history, targets) + 1e-4


class OtherTarget(ItemKNN):
    """Many targets at once are answered a little otherwise than one."""

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        out = super().scores_without_each(history, targets)
        return out + 1e-11 if len(targets) > 1 else out


class ListsWhatWasSeen(ItemKNN):
    """The newest event is forgotten where a list is made."""

    def recommend(self, user: Any = None, *, history: Any = None, **rest: Any) -> pd.DataFrame:
        if isinstance(history, History) and len(history) > 1:
            kept = np.arange(len(history)) < len(history) - 1
            rating, kind = (None if of is None else of[kept] for of in (history.rating, history.kind))
            history = History(
                history.item[kept], rating, history.age[kept], history.live[kept], history.user, kind=kind
            )
        return super().recommend(user, history=history, **rest)


class ForgetsSeen(ItemKNN):
    """An explanation takes another list than the one that was asked for."""

    def explain(self, user: Any = None, item: Any = None, *, seen: str = "drop", **rest: Any) -> Any:
        return super().explain(user, item, **rest)


class TiesBackwards(Popularity):
    """Equal scores rank in the reverse order of the items."""

    def recommend(self, *args: Any, **rest: Any) -> pd.DataFrame:
        listed = super().recommend(*args, **rest)
        ordered = listed.iloc[::-1].sort_values("score", ascending=False, kind="stable").reset_index(drop=True)
        return ordered.assign(rank=np.arange(1, len(ordered) + 1))


class OldDataStays(ItemKNN):
    """A second fit learns anew, and goes on speaking of the first data."""

    def fit(self, data: Interactions, y: None = None, **rest: Any) -> Any:
        old = getattr(self, "data_", None)
        super().fit(data, y, **rest)
        self.data_ = old or data
        return self


class Drifts(Popularity):
    """Every fit is a little different."""

    fits = 0

    def fit(self, data: Interactions, y: None = None, **rest: Any) -> Any:
        super().fit(data, y, **rest)
        Drifts.fits += 1
        self.base_ = self.base_ + 1e-9 * Drifts.fits
        return self


class GoesBack(ItemKNN):
    """Progress is told twice over."""

    def fit(self, data: Interactions, y: None = None, *, progress: Any = None) -> Any:
        for share in (0.5, 0.2):
            if progress:
                progress("fit", share)
        return super().fit(data, y)


class AnyData(Popularity):
    """A table of anything is taken for data."""

    def fit(self, data: Any, y: None = None, **rest: Any) -> Any:
        return super().fit(data, y, **rest) if isinstance(data, Interactions) and data.n_events else self


def contract_of(kind: type[Recommender]) -> RecommenderContract:
    made = type(f"Of{kind.__name__}", (RecommenderContract,), {"make": lambda self: kind()})
    return made()  # type: ignore[no-any-return]


C = RecommenderContract
FAULTS: list[tuple[type[Recommender], Callable[..., None]]] = [
    (CellLost, C.test_a_ledger_adds_up_to_the_score_that_is_served),
    (CellMasked, C.test_a_ledger_adds_up_to_the_score_that_is_served),
    (RemovalOff, C.test_the_announced_score_without_an_event_is_served_without_it),
    (OtherTarget, C.test_many_targets_at_once_are_each_target_alone),
    (ListsWhatWasSeen, C.test_a_list_holds_the_best_unseen_items_in_order_of_score_then_of_rows),
    (ForgetsSeen, C.test_what_was_met_may_be_listed_again_and_all_that_is_said_of_it_is_served),
    (TiesBackwards, C.test_a_list_holds_the_best_unseen_items_in_order_of_score_then_of_rows),
    (OldDataStays, C.test_a_second_fit_leaves_nothing_of_the_first),
    (Drifts, C.test_the_same_settings_and_data_give_the_same_bits),
    (GoesBack, C.test_progress_never_goes_back),
]


@pytest.mark.parametrize(("kind", "test"), FAULTS, ids=lambda part: getattr(part, "__name__", str(part)))
@pytest.mark.parametrize("shape", SHAPES)
def test_a_fault_of_a_model_is_seen(kind: type[Recommender], test: Callable[..., None], shape: str) -> None:
    if kind is TiesBackwards and shape == "clean":
        pytest.skip("nothing ties there within the first places of these lists")
    must_fail(test, contract_of(kind), shape)


def test_a_model_that_takes_anything_for_data_is_seen() -> None:
    must_fail(C.test_a_fit_takes_interactions_alone, contract_of(AnyData), "clean", by=pytest.fail.Exception)


def test_a_rank_that_is_off_by_one_in_a_tie_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The items that nobody has met tie, and one that follows an equal one is announced a place too high."""
    real = HistoryCache.ranks_without_each

    def faulty(self: HistoryCache, target: int, own: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        tied = (self.scores[:target] == self.scores[target]) & allowed[:target]
        return real(self, target, own, allowed) - int(tied.any())

    test = C.test_the_announced_rank_without_an_item_is_its_rank_in_the_new_list
    test(contract_of(Popularity), "messy")
    monkeypatch.setattr(HistoryCache, "ranks_without_each", faulty)
    must_fail(test, contract_of(Popularity), "messy")


def test_a_file_that_loses_ratings_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = base.save_model

    def faulty(model: Recommender, path: str | Path) -> None:
        poorer = copy(model)
        poorer.data_ = replace(model.data_, rating=None, scale=None)
        real(poorer, path)

    test = C.test_a_saved_model_comes_back_whole
    test(contract_of(Popularity), "messy", tmp_path)
    monkeypatch.setattr(base, "save_model", faulty)
    must_fail(test, contract_of(Popularity), "messy", tmp_path)


# --- blocks -----------------------------------------------------------------------------------------------------------


class Halves:
    """A number, and its parts."""

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        x = pd.to_numeric(column, errors="coerce").fillna(0.0).to_numpy(float)
        return self._of(x) if x.any() else None

    def _of(self, x: np.ndarray) -> Fitted:
        return Fitted(
            ("x",), sparse.csr_array(x[:, None]), lambda row: (("a", "b"), np.array([[0.25], [0.75]]) * x[row])
        )


class PartsShort(Halves):
    def _of(self, x: np.ndarray) -> Fitted:
        return super()._of(x)._replace(parts=lambda row: (("a",), np.array([[0.9]]) * x[row]))


class ByRow(Halves):
    def _of(self, x: np.ndarray) -> Fitted:
        return super()._of(x + np.arange(len(x)))


class TwoLabels(Halves):
    def _of(self, x: np.ndarray) -> Fitted:
        return super()._of(x)._replace(labels=("x", "y"))


class Writes(Halves):
    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        column.iloc[0] = 7.0
        return super().fit(column)


class Speaks(Halves):
    """Something is said of nothing."""

    def fit(self, column: pd.Series[Any]) -> Fitted:
        return self._of(np.ones(len(column)))


def block_contract_of(kind: Callable[[], Block]) -> BlockContract:
    made = type(
        "OfBlock", (BlockContract,), {"make": lambda self: kind(), "column": lambda self: pd.Series([1.0, 2, 0, 4])}
    )
    return made()  # type: ignore[no-any-return]


B = BlockContract
BLOCK_FAULTS: list[tuple[Callable[[], Block], Callable[..., None], tuple[str, ...]]] = [
    (PartsShort, B.test_parts_add_up_to_the_features_of_their_item, ()),
    (ByRow, B.test_what_is_said_of_an_item_does_not_depend_on_its_row, ()),
    (TwoLabels, B.test_features_are_a_finite_sparse_matrix_with_a_label_a_column, ()),
    (Writes, B.test_the_same_column_gives_the_same_features_and_is_left_alone, ()),
    (Speaks, B.test_a_column_that_says_nothing_gives_nothing, ("empty texts",)),
]


@pytest.mark.parametrize(("kind", "test", "args"), BLOCK_FAULTS, ids=lambda part: getattr(part, "__name__", ""))
def test_a_fault_of_a_block_is_seen(
    kind: Callable[[], Block], test: Callable[..., None], args: tuple[str, ...]
) -> None:
    test(block_contract_of(Halves), *args)
    must_fail(test, block_contract_of(kind), *args)
