"""Any function of a history: its ledger is what each event changed when it arrived, or on average over orders.

    scores(histories) → (R, M)

The function is all that is known. The amounts of such a ledger add up to the served score, and are named for what they
are; they are no terms of the model. What is left without some events is asked of the model: the history without them,
shorter, the other events in their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import refuse
from xattn.errors.constraints import Choice, Whole, constraints
from xattn.explain.question import Orders
from xattn.model.heads.field import HeadCells
from xattn.recommenders.foreign.asking import Asked, Foreign
from xattn.recommenders.foreign.orders import Averages, averages, differences
from xattn.recommenders.foreign.probes import base_of, check_answers, goes_along, probes_of
from xattn.recommenders.foreign.source import Source, places_of
from xattn.recommenders.foreign.wrapped import Wrapped

__all__ = ["LEDGERS", "WrappedScores"]

LEDGERS = ("arrival", "average")


class WrappedScores(Wrapped):
    """A function that scores histories, with an arrival ledger or one of averages over orders (Shapley values).

    It comes from `xattn.wrap`. Parameters: `source`, the function or how one is made; `ledger`, "arrival" or "average";
    `budget`, how many histories are scored for the averages of one ledger, about; `batch_size`, how many are asked
    about at once; `random_state` draws the orders, the same ones for the same history. It cannot be saved: no file
    holds code.

    >>> import xattn
    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> shares = data.counts() / data.n_events
    >>> def scores(histories):
    ...     return np.array([shares * 0.5 ** len(rows) for rows in histories])
    >>> why = xattn.wrap(scores, data).explain(history=data.items.ids[:3], item=data.items.ids[5])
    >>> why.amounts, (why.cells["contribution"] / why.base).tolist()
    ('arrival', [-0.5, -0.25, -0.125])
    """

    saves = False
    _constraints = constraints(
        ledger=Choice(LEDGERS), budget=Whole(low=1), batch_size=Whole(low=1), random_state=Whole()
    )

    def __init__(
        self,
        *,
        source: Source | None = None,
        ledger: str = "arrival",
        budget: int = 2000,
        batch_size: int = 256,
        random_state: int = 0,
    ) -> None:
        self.source = source
        self.ledger = ledger
        self.budget = budget
        self.batch_size = batch_size
        self.random_state = random_state

    @property
    def amounts(self) -> str:  # type: ignore[override]
        """What the amounts of a ledger are."""
        return self.ledger

    def _take(self, model: Foreign, data: Interactions, ids: tuple[str, ...]) -> None:
        self.asked_ = Asked(model, data.items.ids, places_of(ids, data), len(ids), int(self.batch_size))
        histories = probes_of(data)
        self.probes_ = check_answers(self.asked_, histories)
        self.base_ = base_of(self.asked_)
        self.one_pass_ = goes_along(self.asked_, histories)
        self.last_ = _Last()

    # --- what explanations ask ----------------------------------------------------------------------------------------

    def scores_of(self, history: History) -> np.ndarray:
        scores: np.ndarray = self.scores_of_many([history])[0]
        return scores

    def scores_of_many(self, histories: Sequence[History]) -> np.ndarray:
        seen = [_in_sight(history) for history in histories]
        found = np.repeat(self.base_[None, :], len(seen), axis=0)
        some = [r for r, rows in enumerate(seen) if len(rows)]
        if some:
            found[some] = self.asked_.scores([seen[r] for r in some])
        return found

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        live = np.repeat(history.live[None, :], len(history), axis=0)
        np.fill_diagonal(live, False)
        return np.ascontiguousarray(self.scores_masked(history, live, targets).T)

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        n = len(history)
        if not history.live.any():
            return []
        rows = _in_sight(history)
        value = np.zeros((n, 1))
        own = self._averages(rows).mean if self.ledger == "average" else self._arrivals(rows)
        value[history.live, 0] = own[:, target]
        return [HeadCells(self.ledger, ("",), history.live.astype(float), np.ones(n), value, 1.0)]

    def orders_of(self, history: History, target: int) -> Orders | None:
        """How many orders the averages of a ledger are over, and how sure each is; None for an arrival ledger."""
        if self.ledger != "average":
            return None
        within = np.zeros(len(history))
        found = self._averages(_in_sight(history))
        within[history.live] = found.within[:, target]
        return Orders(found.orders, within)

    def _arrivals(self, rows: np.ndarray) -> np.ndarray:
        """(n, M) what each event changed when it arrived."""
        kept = self.last_.of(rows)
        if not isinstance(kept, np.ndarray):
            if self.one_pass_:
                after = self.asked_.along(rows)
                after[-1] = self.asked_.scores([rows])[0]  # what is served, to the last bit
            else:
                after = self.asked_.scores([rows[: n + 1] for n in range(len(rows))])
            kept = differences(self.base_, after)
            self.last_.keep(rows, kept)
        return kept

    def _averages(self, rows: np.ndarray) -> Averages:
        """What each event changes on average over orders, the same ones for the same history."""
        kept = self.last_.of(rows)
        if not isinstance(kept, Averages):
            seed = np.frombuffer(hashlib.sha256(np.ascontiguousarray(rows, np.int64).tobytes()).digest(), np.uint32)
            rng = np.random.default_rng([int(self.random_state), *seed.tolist()])
            ends = np.array([self.base_, self.asked_.scores([rows])[0]])
            kept = averages(
                lambda sets: self.asked_.fresh([rows[one] for one in sets]), len(rows), ends, int(self.budget), rng
            )
            self.last_.keep(rows, kept)
        return kept

    # --- files --------------------------------------------------------------------------------------------------------

    def _state(self) -> dict[str, np.ndarray]:
        """What tells this model apart from others; it is not enough to bring it back."""
        return {"base": self.base_, "probes": self.probes_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        refuse("unsaved_model", model=type(self).__name__)


class _Last:
    """What was last worked out for a ledger, and for which history: the ledgers of a list share it."""

    def __init__(self) -> None:
        self._kept: tuple[bytes, np.ndarray | Averages] | None = None

    def of(self, rows: np.ndarray) -> np.ndarray | Averages | None:
        kept = self._kept
        return kept[1] if kept is not None and kept[0] == rows.tobytes() else None

    def keep(self, rows: np.ndarray, found: np.ndarray | Averages) -> None:
        self._kept = rows.tobytes(), found


def _in_sight(history: History) -> np.ndarray:
    """The item rows of the events in sight, oldest first."""
    rows: np.ndarray = history.item[history.live]
    return rows
