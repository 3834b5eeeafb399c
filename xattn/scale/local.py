"""The local engine: processes of this machine, started afresh (spawn), each with one task at a time.

client ──task──▶ worker 1 ──done──▶ client        a pipe each; a worker whose client is gone ends by itself
       ──task──▶ worker 2 ──✕                     a worker that died is replaced, and its task starts again
"""

from __future__ import annotations

import multiprocessing as mp
import os
import sys
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from xattn.processes import start
from xattn.scale.work import RETRIES, Done, Task

if sys.platform != "win32":
    import resource

__all__ = ["LocalEngine"]


class _Worker(NamedTuple):
    """A process, our end of its pipe, and the keys of the tasks that it holds: one or none."""

    process: Any
    pipe: Connection
    holds: deque[Task]


class LocalEngine:
    """`workers` processes; `memory` bytes is the most that one of them may ask for (None: what there is)."""

    def __init__(self, workers: int, memory: int | None = None) -> None:
        self.slots = workers
        self._memory = memory
        self._threads = max(1, (os.cpu_count() or 1) // workers)
        self._context = mp.get_context("spawn")
        self._deaths: dict[str, int] = {}
        self._workers: list[_Worker] = []

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [worker.process.pid for worker in self._workers]

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self._threads, self._memory)
        process = self._context.Process(target=_serve, args=arguments, daemon=True)
        start(process)
        theirs.close()
        worker = _Worker(process, ours, deque())
        self._workers.append(worker)
        return worker

    def submit(self, task: Task) -> None:
        """Give a task to a worker without one."""
        free = [worker for worker in self._workers if not worker.holds]
        worker = free[0] if free else self._start()
        worker.holds.append(task)
        with suppress(OSError):  # it died while it waited: `wait` finds that out and starts the task again
            worker.pipe.send(task)

    def wait(self) -> list[Done]:
        """The tasks that came to an end, at least one."""
        done: list[Done] = []
        while not done:
            ready = wait([end for worker in self._workers for end in (worker.pipe, worker.process.sentinel)])
            for worker in list(self._workers):
                if worker.pipe in ready or worker.process.sentinel in ready:
                    done += self._heard(worker)
        return done

    def _heard(self, worker: _Worker) -> list[Done]:
        try:
            if worker.pipe.poll():
                problem = worker.pipe.recv()
                return [Done(worker.holds.popleft().key, problem)]
            if worker.process.is_alive():
                return []
        except (EOFError, OSError):
            worker.process.join()
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        found = []
        for task in worker.holds:
            self._deaths[task.key] = self._deaths.get(task.key, 0) + 1
            if self._deaths[task.key] > RETRIES:
                found.append(Done(task.key, f"the process died {RETRIES + 1} times"))
            else:
                self.submit(task)
        return found

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(5.0 if not worker.holds else 0.0)
            if worker.process.is_alive():
                worker.process.terminate()
                worker.process.join()
        self._workers.clear()


def _serve(pipe: Connection, threads: int, memory: int | None) -> None:
    """A worker: run what comes through the pipe, until it is closed."""
    os.environ["XATTN_NUM_THREADS"] = str(threads)
    if memory is not None and sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    from xattn.scale.tasks import run

    while True:
        try:
            task = pipe.recv()
            pipe.send(run(task.call, task.arguments))
        except (EOFError, OSError, KeyboardInterrupt):
            return
