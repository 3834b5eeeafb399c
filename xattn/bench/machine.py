"""The machine that figures are taken on, and the environment variables that slow its arithmetic down."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from xattn.kernels.compile import num_threads, threading_layer

__all__ = ["free_memory", "machine"]

HOLDS_BACK = (
    *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    *("MKL_DEBUG_CPU_TYPE", "NPY_DISABLE_CPU_FEATURES"),
)
RIVALS = ("scipy", "scikit-learn", "torch", "implicit")


def machine() -> dict[str, Any]:
    """A description of the machine.

    `held_back` names the variables that keep BLAS, or NumPy itself, to older instructions or fewer threads: figures
    with NumPy, SciPy and our own solve in them are then not those of this machine.
    """
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": num_threads(),
        "layer": threading_layer(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": _blas(),
        "rivals": [f"{name} {found}" for name in RIVALS if (found := _version(name))],
        "held_back": [name for name in HOLDS_BACK if name in os.environ],
    }


def free_memory() -> int | None:
    """Bytes of memory that are available; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({platform.machine()})" if names else platform.processor() or platform.machine()


def _blas() -> str:
    """NumPy's BLAS (there may be others, as SciPy's own): library, version, the processor it takes this one for."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    pools.sort(key=lambda pool: "numpy" not in pool["filepath"])
    if not pools:
        return "unknown"
    first = pools[0]
    parts = (first["internal_api"], first["version"], first.get("architecture"), f"{first['num_threads']} threads")
    return " ".join(part for part in parts if part)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
