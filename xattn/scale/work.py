"""Tasks that wait for each other, and an engine that runs them: what can be done is done, what fails is named.

An engine runs tasks somewhere (`xattn.scale.local`, `xattn.scale.cluster`). It starts a task again when the process
that held it died. A task that fails, or kills its process each time, is given up; those that need it are left, and all
others go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from xattn.progress import Progress, silent

__all__ = ["RETRIES", "Done", "Engine", "Task", "run_tasks"]

RETRIES = 3  # times that a task is started again after the death of its process


class Task(NamedTuple):
    """A call by the name of a function of `xattn.scale.tasks`; `needs` are the keys of tasks that come before."""

    key: str
    call: str
    arguments: dict[str, Any]
    needs: tuple[str, ...] = ()


class Done(NamedTuple):
    """A task that came to its end: what went wrong, in a sentence, or ""."""

    key: str
    problem: str = ""


class Engine(Protocol):
    """Where tasks run; `slots` are how many at a time."""

    @property
    def slots(self) -> int: ...

    def submit(self, task: Task) -> None: ...

    def wait(self) -> list[Done]:
        """The tasks that came to an end since the last call, at least one."""
        ...

    def close(self) -> None: ...


def run_tasks(tasks: Sequence[Task], engine: Engine, what: str, progress: Progress | None = None) -> dict[str, str]:
    """Run `tasks`, each after those that it needs, in their order as far as that goes; what went wrong by key.

    Tasks that need a failed one are left undone and are not named.
    """
    tell = progress or silent
    there = {task.key for task in tasks}
    waiting = {task.key: {key for key in task.needs if key in there} for task in tasks}
    left, running, problems = list(tasks), 0, dict[str, str]()
    finished = 0
    while left or running:
        for task in [task for task in left if not waiting[task.key]][: engine.slots - running]:
            left.remove(task)
            engine.submit(task)
            running += 1
        if not running:
            break  # what is left needs a task that failed
        for done in engine.wait():
            running -= 1
            finished += 1
            if done.problem:
                problems[done.key] = done.problem
            else:
                for needed in waiting.values():
                    needed.discard(done.key)
        tell(what, finished / len(tasks))
    return problems
