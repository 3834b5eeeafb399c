"""Who does work over partitions: the options that `fit` and `batch` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from xattn.cli.options import grouped
from xattn.errors import check_number, check_whole

__all__ = ["WorkChoice", "work_options"]


@dataclass(frozen=True)
class WorkChoice:
    """Processes of this machine, or a cluster of Dask, and the GB that each process may take."""

    workers: int
    dask: str | None
    memory: float | None

    def __post_init__(self) -> None:
        """Raise InputError for numbers out of bounds."""
        check_whole("workers", self.workers, low=1)
        if self.memory is not None:
            check_number("memory", self.memory, low=0.5)

    def options(self) -> dict[str, Any]:
        """As the functions of `xattn.scale` take them."""
        memory = None if self.memory is None else int(self.memory * 2**30)
        return {"workers": self.workers, "dask": self.dask, "memory": memory}


work_options = grouped(
    "work",
    WorkChoice,
    click.option(
        "--workers", type=int, default=1, show_default=True, metavar="N", help="Processes, with --partitions."
    ),
    click.option("--dask", metavar="ADDRESS", help="With --partitions: a Dask scheduler; local: a cluster made here."),
    click.option("--memory", type=float, metavar="GB", help="With --partitions: the most that a process may take."),
)
