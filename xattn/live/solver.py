"""Solving a model again while the old one serves: in a thread, or in a process of its own.

The solver keeps the model that it solved last, with its sums, so that the next solution costs work for what is new
alone. A solution in LAPACK holds Python's lock for as long as it takes; so a server that has to answer meanwhile lets
a process solve (`in_process`), which writes the model to a file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from copy import copy
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from xattn.data import Interactions
from xattn.errors import XattnError, refuse
from xattn.errors.tree import StoreError
from xattn.processes import start
from xattn.progress import Progress, silent
from xattn.recommenders import Recommender, load_model

__all__ = ["Job", "Solver"]

NICE = 10  # the process that solves yields to the one that serves


class Job(NamedTuple):
    """A model to be solved: a `template` with the settings, the `data`, and the file that the model goes to.

    Where the last solution was that with the fingerprint `follows`, it is grown to `data`, or forgets `gone`.
    """

    template: Recommender
    data: Interactions
    path: Path
    follows: str | None = None
    gone: tuple[str, ...] = ()


class Solver:
    """Solves one job at a time; see the module's text."""

    def __init__(self, in_process: bool = False) -> None:
        self.in_process = in_process
        self._turn = threading.Lock()
        self._last: Recommender | None = None
        self._pipe: Connection | None = None
        self._process: Any = None

    def solve(self, job: Job, progress: Progress = silent) -> Recommender:
        """The model, which stands in the file of the job too. Raises what the fit raises; StoreError where the process
        was ended."""
        with self._turn:
            if not self.in_process:
                self._last = _solved(job, self._last, progress)
                served = copy(self._last)
                served.__dict__.pop("_kept", None)  # the sums stay with the solver
                return served
            self._ask(job, progress)
            return load_model(job.path)

    def _ask(self, job: Job, progress: Progress) -> None:
        if self._process is None or not self._process.is_alive():
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send(job)
            while True:
                what, given = self._pipe.recv()
                if what == "progress":
                    progress(*given)
                elif what == "done":
                    return
                else:
                    raise given
        except (EOFError, OSError):
            self.close()
            refuse("solver_ended", kind=StoreError)

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other,), name="xattn-solver", daemon=True)
        start(self._process)
        other.close()

    def close(self) -> None:
        """End the process, if there is one, and let go of the last solution."""
        self._last = None
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


def _solved(job: Job, last: Recommender | None, progress: Progress) -> Recommender:
    """The model of a job, from the last one where it follows that; and its file."""
    follows = last is not None and job.follows is not None and last.fingerprint() == job.follows
    if last is not None and follows and job.gone:
        model = last.forget(job.gone, progress=progress)
    elif last is not None and follows and last.grows:
        model = last.grow_to(job.data, progress=progress)
    else:
        model = copy(job.template).fit(job.data, progress=progress)
    model.save(job.path)
    return model


def _work(pipe: Connection) -> None:
    """What the process does, until its pipe is closed."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    tell: Callable[[str, float], None] = lambda what, share: pipe.send(("progress", (what, share)))  # noqa: E731
    last: Recommender | None = None
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            last = _solved(job, last, tell)
            pipe.send(("done", None))
        except XattnError as problem:
            pipe.send(("refused", problem))
        except MemoryError:
            last = None
            pipe.send(("refused", MemoryError()))
