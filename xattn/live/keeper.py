"""The keeper of the model that serves: the first fit, solving again as events add up, forgetting, versions.

A new model takes the old one's place in one step, between two lists. Solutions and forgetting take turns.
"""

from __future__ import annotations

import logging
import threading
import time
from copy import copy
from pathlib import Path

from sqlalchemy import func, select

from xattn.data import Interactions
from xattn.errors import XattnError, check_choice
from xattn.live.models import Models, folder_of
from xattn.live.serving import Serving
from xattn.live.solver import Job, Solver
from xattn.live.store import Removed, Store
from xattn.live.tables import events
from xattn.live.whole import whole
from xattn.progress import Progress, silent
from xattn.recommenders import Recommender
from xattn.recommenders.listing import SEEN

__all__ = ["Keeper", "Plan"]

log = logging.getLogger(__name__)
PAUSE = 5.0  # seconds after a solution that failed


class Plan:
    """When a model is solved again and where it is kept; see `Live` for the arguments."""

    def __init__(
        self,
        models: str | Path | None = None,
        solve_after: int = 1_000,
        most_models: int = 5,
        in_process: bool = False,
        scenario: str | None = None,
        seen: str = SEEN[0],
    ) -> None:
        self.models = models
        self.solve_after = solve_after
        self.most_models = most_models  # 0: no files; lists of former models are explained by their stored ledgers
        self.in_process = in_process
        self.scenario = scenario
        self.seen = check_choice("seen", seen, SEEN)  # of every list that is not asked for otherwise


class Keeper:
    """Holds `serving`, what answers at the moment, and renews it; `template` has the settings of every fit."""

    def __init__(
        self,
        store: Store,
        data: Interactions,
        template: Recommender,
        fitted: Recommender | None,
        plan: Plan,
        progress: Progress,
    ) -> None:
        self.store = store
        self.template = template
        self.plan = plan
        self.models = Models(store, folder_of(store, plan.models), plan.most_models)
        self.solver = Solver(plan.in_process)
        self.solved = 0  # how often, since the start
        self._turn = threading.Lock()
        self._wake = threading.Condition()
        self._ends = False
        self.serving = self._first(self._without_forgotten(data), fitted, progress)
        wanted = select(func.count()).select_from(events).where(events.c.seq > self.serving.knows)
        self.pending = int(store.ask(wanted)[0][0])
        self._thread = threading.Thread(target=self._solve_in_turn, name="xattn-live", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop solving."""
        with self._wake:
            self._ends = True
            self._wake.notify_all()
        self.solver.close()
        self._thread.join(timeout=60)

    def arrived(self, n: int) -> None:
        """There are `n` new events."""
        with self._wake:
            self.pending += n
            if self._due():
                self._wake.notify_all()

    def model_of(self, fingerprint: str) -> Recommender | None:
        """A model that serves or has served; None where its file is gone."""
        serving = self.serving
        return serving.model if fingerprint == serving.fingerprint else self.models.find(fingerprint)

    # --- solving again ----------------------------------------------------------------------------------------------

    def solve(self, *, anew: bool = False, progress: Progress = silent) -> str:
        """Solve the model with all events so far, and let it serve; its fingerprint. See `Live.solve`."""
        with self._turn:
            serving = self.serving
            with self._wake:
                self.pending = 0
            knows = self.store.newest()
            known = () if anew else serving.model.data_.user_ids
            data = whole(serving.data, self.store.everybody(knows), known)
            follows = None if anew else serving.fingerprint
            model = self.solver.solve(Job(self.template, data, self.models.new, follows), progress)
            self._take(model, knows, serving.data)
            return self.serving.fingerprint

    def _take(self, model: Recommender, knows: int, data: Interactions) -> None:
        fingerprint = self.models.add(model, data.checksum, knows)
        self.serving = Serving(model, fingerprint, knows, data)
        self.solved += 1

    def _due(self) -> bool:
        return 0 < self.plan.solve_after <= self.pending

    def _solve_in_turn(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._ends or self._due())
                if self._ends:
                    return
                due = self.pending
            try:
                self.solve()
            except (XattnError, OSError, MemoryError) as problem:
                with self._wake:
                    self.pending = max(self.pending, due)
                    if self._ends:
                        return
                log.warning("the model was not solved again: %s", type(problem).__name__)
                time.sleep(PAUSE)

    # --- forgetting -------------------------------------------------------------------------------------------------

    def forget(self, user: str, progress: Progress = silent) -> Removed:
        """Delete all rows of a person, and let a model serve that never saw the person; see `Live.forget`."""
        with self._turn:
            serving = self.serving
            of_data = _knows(serving.data, user)
            holds = [old for old in self.models.kept() if self._holds(old, user)]
            removed = self.store.forget(user, marked=of_data)
            data = serving.data.without_users([user]) if of_data else serving.data
            model, own = serving.model, serving.model.data_
            if _knows(own, user):
                job = Job(self.template, own.without_users([user]), self.models.new, serving.fingerprint, (user,))
                model = self.solver.solve(job, progress)
            if of_data or model is not serving.model:
                self._take(model, serving.knows, data)
            for old in holds:
                if old != self.serving.fingerprint:
                    self.models.drop(old)
        return removed

    def _holds(self, fingerprint: str, user: str) -> bool:
        model = self.model_of(fingerprint)
        return model is None or _knows(model.data_, user)

    # --- the start --------------------------------------------------------------------------------------------------

    def _without_forgotten(self, data: Interactions) -> Interactions:
        marks = self.store.marks()
        gone = [user for user in data.user_ids if self.store.mark(user) in marks] if marks else []
        return data.without_users(gone) if gone else data

    def _first(self, data: Interactions, model: Recommender | None, progress: Progress) -> Serving:
        """The model that served last, if it is there and holds nobody who is gone; else a new one."""
        may = {*data.user_ids, *self.store.users()}
        settings = self.template.get_params()
        for fingerprint, knows in self.models.fitting(data.checksum):
            found = self.models.find(fingerprint)
            if found is None or type(found) is not type(self.template) or found.get_params() != settings:
                continue
            if may.issuperset(found.data_.user_ids):
                return Serving(found, fingerprint, knows, data)
        knows = 0
        if model is None or model.data_.checksum != data.checksum:
            knows = self.store.newest()
            wanted = whole(data, self.store.everybody(knows))
            model = copy(self.template).fit(wanted, progress=progress)  # nobody waits for lists yet
        for old in self.models.kept():  # one that holds somebody who is gone may not even explain
            kept = self.models.find(old)
            if kept is None or not may.issuperset(kept.data_.user_ids):
                self.models.drop(old)
        return Serving(model, self.models.add(model, data.checksum, knows), knows, data)


def _knows(data: Interactions, user: str) -> bool:
    return user in data._user_rows
