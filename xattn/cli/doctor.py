"""`xattn doctor`: what this machine has, what it lacks and how to get it. It can compile the kernels ahead."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xattn.cli.options import as_json
from xattn.cli.screen import Column, echo, print_json, print_table, progress
from xattn.errors import XattnError
from xattn.progress import steps

if TYPE_CHECKING:
    from xattn import Interactions

__all__ = ["Check", "checks", "doctor", "warm"]

NEEDED = (
    *("numpy", "scipy", "pandas", "pyarrow", "numba", "llvmlite", "scikit-learn", "threadpoolctl"),
    *("altair", "streamlit", "starlette", "click", "rich"),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
GOMP = "Debian, Ubuntu: apt install libgomp1; Fedora: dnf install libgomp; else: pip install tbb"


@dataclass(frozen=True)
class Check:
    """What was found of one thing. `status` is ok, optional (absent, not needed), slow (could be better) or missing."""

    name: str
    status: str
    found: str
    help: str = ""


@click.command()
@click.option("--warm", "compile_ahead", is_flag=True, help="Compile the kernels now, so that the first page is quick.")
@as_json
@click.pass_context
def doctor(context: click.Context, compile_ahead: bool, as_json: bool) -> None:
    """Check this machine, and say how to get what is missing.

    The exit code is 1 if something is missing that is needed.
    """
    found = list(checks())
    seconds = warm() if compile_ahead else {}
    ok = all(check.status != "missing" for check in found)
    if as_json:
        print_json({"ok": ok, "checks": [asdict(check) for check in found], "warm_s": seconds})
    else:
        print_table([Column("what"), Column("status"), Column("found")], [[c.name, c.status, c.found] for c in found])
        for check in found:
            if check.help:
                echo(f"\n{check.name} ({check.status}): {check.help}")
        if seconds:
            echo(f"\nKernels ready in {sum(seconds.values()):.1f} s: {_each(seconds)}.")
    context.exit(0 if ok else 1)


def _each(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {s:.1f}" for name, s in seconds.items())


def checks() -> Iterator[Check]:
    """Every check, in the order in which they are shown."""
    import xattn

    yield Check("xattn", "ok", f"{xattn.__version__} in {Path(xattn.__file__).parent}")
    yield Check("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}")
    yield from map(_package, NEEDED)
    yield from (_libgomp(), _threading(), _threads(), _cache_folder(), _data())
    yield _optional("vl-convert-python", _version("vl-convert-python"), "charts as files: pip install 'xattn[export]'")
    browser = os.environ.get("XATTN_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    yield _optional("chromium", browser, "tests in a browser: put one on the PATH, or name it by XATTN_CHROMIUM")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _package(name: str) -> Check:
    found = _version(name)
    if found is None:
        return Check(name, "missing", "not installed", f"pip install {name}")
    return Check(name, "ok", found)


def _optional(name: str, found: str | None, how: str) -> Check:
    return Check(name, "ok", found) if found else Check(name, "optional", "not found", how)


def _libgomp() -> Check:
    """OpenMP's library, which Numba's Linux wheels load from the system."""
    import ctypes

    if not sys.platform.startswith("linux"):
        return Check("libgomp", "ok", f"not used on {platform.system()}")
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        return Check("libgomp", "slow", "libgomp.so.1 not found", GOMP)
    return Check("libgomp", "ok", "libgomp.so.1")


def _threading() -> Check:
    from xattn.kernels.compile import threading_layer

    layer = threading_layer()
    if layer == "workqueue":
        return Check("threading layer", "slow", "workqueue: one parallel kernel at a time", GOMP)
    return Check("threading layer", "ok", layer)


def _threads() -> Check:
    from xattn.kernels.compile import num_threads

    return Check("threads", "ok", f"{num_threads()} of {os.cpu_count()} processors")


def _cache_folder() -> Check:
    """Where compiled kernels are kept from one process to the next."""
    from xattn.kernels import topk
    from xattn.kernels.compile import Kernel

    kernel = next(found for found in vars(topk).values() if isinstance(found, Kernel))  # all lie in one folder
    folder = kernel.serial.stats.cache_path
    how = "set NUMBA_CACHE_DIR to a folder that you alone can write; without one each process compiles anew"
    if folder is None:
        return Check("cache folder", "slow", "none that can be written", how)
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Check("cache folder", "ok", folder)
    except OSError as problem:
        return Check("cache folder", "slow", f"{folder}: {problem.strerror}", how)


def _data() -> Check:
    from xattn import datasets, load_dataset

    try:
        names = [info.name for info in datasets()]
        for name in names:
            load_dataset(name)
    except XattnError as problem:
        return Check("data", "missing", str(problem), "install xattn again")
    if not names:
        return Check("data", "missing", "no bundled data set", "install xattn again")
    return Check("data", "ok", f"{', '.join(names)} (checked)")


# --- compiling ahead --------------------------------------------------------------------------------------------------


def warm() -> dict[str, float]:
    """Compile what the recommenders use, by using them on planted data; seconds by recommender.

    Two sizes: the kernels of small work and those of large work are compiled apart (`xattn.kernels.compile`).
    """
    from xattn import worked_example
    from xattn.data import planted
    from xattn.recommenders.registry import OWN, model_class

    small = planted("genre", n_users=40).data
    sizes = (small, _long_histories(small))
    worked_example()
    seconds = {}
    with progress("compiling") as tell:
        for name in steps(tell, str, OWN):
            start = time.perf_counter()
            for data in sizes:
                model = model_class(name)().fit(data)
                user = data.user_ids[0]
                item = model.recommend(user=user, k=1).item[0]
                model.explain(user=user, item=item).counterfactual()
            seconds[name] = time.perf_counter() - start
    return seconds


def _long_histories(like: Interactions) -> Interactions:
    """100 users with 300 events each over 800 items, of the genres of `like`: enough work for every parallel twin."""
    import numpy as np
    import pandas as pd

    from xattn import Interactions, ItemTable

    rng = np.random.default_rng(0)
    events = pd.DataFrame(
        {
            "user": np.repeat(np.arange(100), 300),
            "item": np.concatenate([rng.permutation(800)[:300] for _ in range(100)]),
            "rating": rng.integers(1, 6, 30_000),
        }
    )
    genres = np.resize(like.items.frame["genres"].to_numpy(), 800)
    return Interactions.from_frame(
        events, ItemTable.from_frame(pd.DataFrame({"item": np.arange(800), "genres": genres}))
    )
