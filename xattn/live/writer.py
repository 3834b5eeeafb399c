"""The one thread that writes: jobs wait in a queue, and those that wait together share a commit.

    job, job, job  ──queue──▶  BEGIN  job  job  job  COMMIT  ──▶  each waiting caller gets its result

A caller hears of its job after the commit, so what it hears is durable. Where the queue is full, the caller is told to
come again, and nothing of the job was done.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, func, select

from xattn.errors import StoreError, refuse
from xattn.live.engine import store_errors
from xattn.live.tables import PERSONAL, models

__all__ = ["Batch", "Writer"]

T = TypeVar("T")
WAITING = 1_000  # jobs that may wait
TOGETHER = 256  # jobs that share a commit at most
PATIENCE = 60.0  # seconds that a caller waits for its commit


class Batch:
    """One transaction: its connection, its moment, and the next numbers of rows."""

    def __init__(self, connection: Connection, seq: int, now: float) -> None:
        self.connection = connection
        self.seq = seq
        self.now = now

    def next(self) -> int:
        """The number of a new row."""
        self.seq += 1
        return self.seq


class _Job(NamedTuple):
    work: Callable[[Batch], Any]
    done: Future[Any]
    statements: tuple[str, ...] = ()  # of a job that runs outside of transactions


class Writer:
    """Runs jobs in the order in which they were given; see the module's text."""

    def __init__(self, engine: Engine, waiting: int = WAITING, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self.clock = clock
        self._jobs: queue.Queue[_Job | None] = queue.Queue(waiting)
        self._last: tuple[int, float] | None = None  # the newest number and moment; None: to be looked up
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="xattn-store", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return self._jobs.qsize()

    @property
    def last(self) -> int | None:
        """The number of the newest durable row, where it is known."""
        last = self._last
        return None if last is None else last[0]

    def now(self) -> float:
        """The moment, in seconds since 1970: no row that is durable was received after it."""
        last = self._last
        return self.clock() if last is None else max(last[1], self.clock())

    def do(self, work: Callable[[Batch], T]) -> T:
        """Run `work` in a transaction and return what it returned, once that is durable. Raises StoreError."""
        job = _Job(work, Future())
        if self._closed:
            refuse("store", kind=StoreError, why="store_closed", got="closed")
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            refuse("queue_full", kind=StoreError, got=self._jobs.maxsize)
        try:
            found: T = job.done.result(PATIENCE)
        except TimeoutError:
            if not job.done.cancel():  # it runs, and may yet be committed; ids make it safe to send it again
                refuse("store", kind=StoreError, why="store_slow", got=f"{PATIENCE:g} s")
            refuse("queue_full", kind=StoreError, got=self._jobs.maxsize)
        return found

    def alone(self, statements: Sequence[str]) -> None:
        """Run `statements` outside of any transaction, as VACUUM wants it. Raises StoreError."""
        job = _Job(lambda batch: None, Future(), tuple(statements))
        if self._closed:
            refuse("store", kind=StoreError, why="store_closed", got="closed")
        self._jobs.put(job)
        job.done.result()

    def close(self) -> None:
        """Finish what waits, and stop."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()

    # --- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            jobs: list[_Job] = [job]
            last: _Job | None = job
            while last is not None and len(jobs) < TOGETHER:
                try:
                    last = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if last is not None:
                    jobs.append(last)
            self._settle(jobs)
            if last is None:
                return

    def _settle(self, jobs: list[_Job]) -> None:
        """Run the jobs in their order; those between two that stand alone share a commit."""
        together: list[_Job] = []
        for job in jobs:
            if not job.done.set_running_or_notify_cancel():
                continue
            if job.statements:
                self._commit(together)
                together = []
                self._outside(job)
            else:
                together.append(job)
        self._commit(together)

    def _outside(self, job: _Job) -> None:
        try:
            with store_errors():
                raw = self.engine.raw_connection()
                try:
                    own: Any = raw.driver_connection
                    postgresql = self.engine.dialect.name == "postgresql"
                    if postgresql:
                        own.autocommit = True
                    for statement in job.statements:
                        cursor = own.execute(statement)
                        if not postgresql:
                            cursor.fetchall()
                    if postgresql:
                        own.autocommit = False
                finally:
                    raw.close()
            job.done.set_result(None)
        except Exception as problem:
            job.done.set_exception(problem)

    def _commit(self, jobs: list[_Job]) -> None:
        """Run the jobs in one transaction; where that fails, each in one of its own."""
        if not jobs:
            return
        try:
            found = self._transaction(jobs)
        except Exception as problem:
            self._last = None
            if len(jobs) > 1:
                for job in jobs:
                    self._commit([job])
                return
            jobs[0].done.set_exception(problem)
            return
        for job, result in zip(jobs, found, strict=True):
            job.done.set_result(result)

    def _transaction(self, jobs: list[_Job]) -> list[Any]:
        with store_errors(), self.engine.begin() as connection:
            seq, moment = self._last or newest(connection)
            batch = Batch(connection, seq, max(moment, self.clock()))  # a clock that went back does not change order
            found = [job.work(batch) for job in jobs]
        self._last = (batch.seq, batch.now)
        return found


def newest(connection: Connection) -> tuple[int, float]:
    """The newest number of a row, and the newest moment at which one was received."""
    seq, moment = 0, 0.0
    for table in (*PERSONAL.values(), models):
        when = table.c.received if "received" in table.c else table.c.made
        row = connection.execute(select(func.max(table.c.seq), func.max(when))).one()
        seq, moment = max(seq, int(row[0] or 0)), max(moment, float(row[1] or 0.0))
    return seq, moment
