"""One fault on trial: a process of its own imports the changed module and runs the tests of its line.

The process is forked from one that has imported what all need (pytest, Numba, pandas, the kernels), and none of the
modules that faults are planted in. So a trial takes little more time than its tests.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import signal
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from typing import Any, NamedTuple

from benchmarks.mutants.nearest import PLAIN, Fewer

__all__ = ["Verdict", "preload", "tried"]

SAID = {0: "survived", 1: "killed", 2: "killed", 5: "no test"}  # 2: the changed module cannot be imported
NOT_PLANTED = 9
BEFORE = (
    "pytest", "hypothesis", "hypothesis.extra.numpy", "pandas", "scipy.sparse", "scipy.linalg", "scipy.optimize",
    "sklearn.base", "sklearn.utils.validation", "pyarrow.csv", "pyarrow.parquet", "threadpoolctl",
)  # fmt: skip
PERHAPS = ("altair", "openpyxl", "jsonschema", "sqlalchemy", "PIL.Image")  # what is not installed is not needed here


class Planted(MetaPathFinder, SourceLoader):
    """Imports one module from a text in the place of its file."""

    def __init__(self, module: str, path: str, source: str) -> None:
        self.module, self.path, self.source = module, os.path.abspath(path), source

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.module:
            return None
        return importlib.util.spec_from_file_location(
            name,
            self.path,
            loader=self,
            submodule_search_locations=[os.path.dirname(self.path)] if self.path.endswith("__init__.py") else None,
        )

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str) -> bytes:
        return self.source.encode()

    def path_stats(self, path: str) -> Any:
        raise OSError  # no compiled file is read or written


class First:
    """A plugin of pytest: a planted module is asked for first of all.

    Pytest puts an importer of its own in front of others, which reads a module from its file where the module's own
    examples are among the tests.
    """

    def __init__(self, planted: Planted) -> None:
        self.planted = planted

    def pytest_collection(self) -> None:
        sys.meta_path.remove(self.planted)
        sys.meta_path.insert(0, self.planted)


class Watch:
    """A plugin of pytest: the first test that fails is written to a pipe."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            os.write(self.pipe, report.nodeid.encode()[:4000])


class Chosen:
    """A plugin of pytest: of what was collected, the chosen tests alone, in their order."""

    def __init__(self, names: Sequence[str]) -> None:
        self.place = {name: i for i, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self.place), key=lambda i: self.place[i.nodeid])


def preload(planted_in: tuple[str, ...]) -> None:
    """Import what all trials need; `planted_in` are the packages that must not be imported here."""
    os.environ |= PLAIN
    for name in (*BEFORE, *(name for name in PERHAPS if importlib.util.find_spec(name.split(".")[0]))):
        importlib.import_module(name)
    package = importlib.import_module("xattn.kernels")
    for found in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"xattn.kernels.{found.name}")
    importlib.import_module("xattn.i18n").keys()  # reads the catalogue
    importlib.import_module("numba").njit(_one)()  # a compiler at work; no parallel kernel, after which none may fork
    early = [name for name in sys.modules if any(name == p or name.startswith(f"{p}.") for p in planted_in)]
    assert not early, f"imported too early: {early}"


class Verdict(NamedTuple):
    """What the tests say of a changed module: "killed", "timeout", "survived" or "no test"; the test that killed it,
    "" where the module could not be imported."""

    said: str
    seconds: float
    by: str = ""


def _one() -> int:
    return 1


def tried(module: str, path: str, source: str, tests: Sequence[str], limit: float, examples: int) -> Verdict:
    """The verdict of the tests on `module`, imported from `source` in the place of the file at `path`."""
    began = time.monotonic()
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(told)
        os.setpgid(0, 0)
        os._exit(_child(module, path, source, tests, examples, tell))
    os.close(tell)
    try:
        return _awaited(child, path, told, began, limit)
    finally:
        os.close(told)


def _awaited(child: int, path: str, told: int, began: float, limit: float) -> Verdict:
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        took = time.monotonic() - began
        if done:
            code = os.waitstatus_to_exitcode(status)
            if code == NOT_PLANTED:
                raise RuntimeError(f"the tests of {path} must import the changed module; they imported its file")
            if code not in SAID and code >= 0:
                raise RuntimeError(f"pytest must say what the tests found; it ended with {code} on {path}")
            by = os.read(told, 4000).decode() if code == 1 else ""
            return Verdict(SAID.get(code, "killed"), took, by)  # by a signal: the fault crashed it
        if took > limit:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return Verdict("timeout", took)
        time.sleep(0.05)


def _child(module: str, path: str, source: str, tests: Sequence[str], examples: int, tell: int) -> int:
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    try:
        import pytest

        planted = Planted(module, path, source)
        sys.meta_path.insert(0, planted)
        files = sorted({name.split("::")[0] for name in tests})
        options = ["-q", "-x", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0", "-W", "ignore"]
        said = int(
            pytest.main([*options, *files], plugins=[First(planted), Chosen(tests), Watch(tell), Fewer(examples)])
        )
        tried = sys.modules.get(module)
        return NOT_PLANTED if said == 0 and tried and tried.__spec__ and tried.__spec__.loader is not planted else said
    except BaseException:
        return 3
