"""Where the work runs: processes of this machine, or a cluster of Dask."""

from __future__ import annotations

from xattn.scale.cluster import DaskEngine
from xattn.scale.local import LocalEngine
from xattn.scale.work import Engine

__all__ = ["engine_of"]


def engine_of(workers: int = 1, dask: str | None = None, memory: int | None = None) -> Engine:
    """`workers` local processes, or with `dask` the cluster at that address; `memory` bytes each at most."""
    return LocalEngine(workers, memory) if dask is None else DaskEngine(dask, workers, memory)
