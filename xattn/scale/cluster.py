"""The Dask engine: the same tasks on a cluster of Dask distributed, or on one that is started here.

Workers must see the folder of the partitions under the same path. Dask starts a task again whose worker died; as many
tasks are handed out as there are threads, so that a death is counted against the task that caused it.
"""

from __future__ import annotations

import queue
from typing import Any

from xattn.errors import refuse, shown
from xattn.scale.work import RETRIES, Done, Task

__all__ = ["DaskEngine"]

LOCAL = "local"  # the address that stands for a cluster of this machine


class DaskEngine:
    """The cluster at `address`, or one of `workers` processes on this machine; `memory` bytes each at most.

    `dashboard` is the address of Dask's page of the work, "" where there is none. Raises InputError without Dask, or
    where nobody answers at the address.
    """

    def __init__(self, address: str, workers: int, memory: int | None = None) -> None:
        try:
            import dask
            from distributed import Client, LocalCluster
        except ImportError:
            refuse("dask_missing", got=address)
        dask.config.set({"distributed.scheduler.allowed-failures": RETRIES})
        self._cluster: Any = None
        try:
            if address == LOCAL:
                self._cluster = LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0",
                    memory_limit=memory or 0, silence_logs=50,
                )  # fmt: skip
            self._client = Client(self._cluster or address, timeout="10s")
        except (OSError, ValueError, TimeoutError) as problem:
            refuse("dask_address", got=address, problem=str(problem))
        self.dashboard = str(self._client.dashboard_link or "")
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._futures: dict[str, Any] = {}
        self._serial = 0

    @property
    def slots(self) -> int:
        """Threads of the cluster now."""
        return max(1, int(sum(self._client.nthreads().values())))

    def submit(self, task: Task) -> None:
        """Hand a task to the scheduler."""
        from xattn.scale.tasks import run

        self._serial += 1
        key = f"xattn-{task.key}-{self._serial}"
        future = self._client.submit(run, task.call, task.arguments, key=key, pure=False)
        self._futures[task.key] = future
        future.add_done_callback(lambda done, name=task.key: self._answers.put((name, done)))

    def wait(self) -> list[Done]:
        """The tasks that came to an end, at least one."""
        done = [self._answer(*self._answers.get())]
        while not self._answers.empty():
            done.append(self._answer(*self._answers.get()))
        return done

    def _answer(self, key: str, future: Any) -> Done:
        self._futures.pop(key, None)
        if future.status == "finished":
            return Done(key, future.result())
        problem = future.exception() if future.status == "error" else "cancelled"
        if type(problem).__name__ == "KilledWorker":
            return Done(key, f"the process died {RETRIES + 1} times")
        return Done(key, shown(str(problem), limit=200))

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()
