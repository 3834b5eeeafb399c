"""Which tests run a line: one run of the tests under coverage, with a context for each test.

What a test runs is kept in a JSON file: for each module and line the tests, and for each test its seconds. A line that
runs on import belongs to the tests that use what it defines (uses.py).
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.mutants.uses import using

__all__ = ["Fewer", "Nearest", "record"]


PLAIN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # plugins of others take a second each time


class Choice(NamedTuple):
    """The tests that a fault meets, in their order, and whether those that run its line are all among them."""

    tests: list[str]
    whole: bool


class Nearest:
    """The tests of each line of each module, and the seconds of each test."""

    def __init__(self, folder: Path) -> None:
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.seconds: dict[str, float] = {}
        self.newest: set[str] = set()
        for file in sorted(folder.glob("map-*.json"), key=lambda file: file.stat().st_mtime):
            found = json.loads(file.read_text("utf-8"))
            self.seconds |= found["seconds"]
            self.newest = set(found["tests"])
            for path, lines in found["lines"].items():
                for line, names in lines.items():
                    self.lines[path][int(line)] |= {found["tests"][i] for i in names}
        self.breadth = Counter(name for of in self.lines.values() for names in of.values() for name in names)

    def of(self, path: str, line: int, budget: float, again: bool = False) -> Choice:
        """The tests to run for a line: those that run it or use what it defines, the nearest first.

        Where none does, all that run a line of its module. As many as take up to `budget` seconds, and one at least.
        Once `again`, all tests of the newest map come first: they were written for what had survived.
        """
        of_module = self.lines[path]
        covering = of_module.get(line) or set().union(
            *(of_module.get(n, set()) for n in using(Path(path).read_text("utf-8"), line))
        )
        covering = covering or set().union(*of_module.values())
        first = self.newest if again else set[str]()
        chosen, spent = [], 0.0
        for name in sorted(covering | first, key=lambda name: (name not in first, self._far(name), name)):
            spent += self.seconds.get(name, 1.0)
            if spent > budget and chosen:
                break
            chosen.append(name)
        return Choice(chosen, covering.issubset(chosen))

    def _far(self, name: str) -> float:
        """The lines that a test runs, times its seconds: a test that runs little says more about a line, sooner."""
        return self.breadth[name] * (0.2 + self.seconds.get(name, 1.0))


class Recorder:
    """A plugin of pytest: each test is a context of the coverage, and is timed; one that takes `most` seconds is cut.

    Tests that were cut, failed or were skipped are none that a fault could meet.
    """

    def __init__(self, coverage: Any, most: int) -> None:
        self.coverage, self.most = coverage, most
        self.seconds: dict[str, float] = {}
        self.left_out: set[str] = set()

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        self.coverage.switch_context(item.nodeid)
        signal.signal(signal.SIGALRM, self._cut)
        signal.alarm(self.most)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if not report.passed:
            self.left_out.add(report.nodeid)
        if report.when == "teardown":
            signal.alarm(0)

    def _cut(self, *_: object) -> None:
        raise TimeoutError(f"longer than {self.most} s")


def record(folder: Path, tests: list[str], modules: list[str], most: int) -> None:
    """Run `tests` (paths; options of pytest) under coverage of `modules` (paths) and write what each runs."""
    import coverage
    import pytest

    os.environ |= PLAIN
    measured = coverage.Coverage(data_file=None, include=modules, config_file=False)
    measured.start()
    recorder = Recorder(measured, most)
    began = time.monotonic()
    pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *tests], plugins=[recorder, Fewer(5)])
    measured.stop()
    data = measured.get_data()
    names = sorted(recorder.seconds.keys() - recorder.left_out)
    place = {name: i for i, name in enumerate(names)}
    lines: dict[str, dict[int, list[int]]] = {}
    for file in data.measured_files():
        path = str(Path(file).relative_to(Path.cwd()))
        of_lines = data.contexts_by_lineno(file)
        lines[path] = {line: sorted(place[c] for c in found if c in place) for line, found in of_lines.items()}
    name = "-".join(sorted({test.replace("/", ".").removesuffix(".py") for test in tests if test[0] != "-"}))[:100]
    out = folder / f"map-{name}.json"
    seconds = {name: recorder.seconds[name] for name in names}
    out.write_text(json.dumps({"tests": names, "seconds": seconds, "lines": lines}), "utf-8")
    print(f"{len(names)} tests in {time.monotonic() - began:.0f} s; written to {out}; left out:")
    print(*sorted(recorder.left_out), sep="\n")


class Fewer:
    """A plugin of pytest: tests of Hypothesis draw `most` examples whatever their profile says: all lines, sooner."""

    def __init__(self, most: int) -> None:
        self.most = most

    def pytest_collection(self, session: Any) -> None:
        """The profile of the suite is loaded by now; the tests that take theirs from it are not."""
        from hypothesis import settings

        settings.register_profile("fewer", parent=settings.default, max_examples=self.most)
        settings.load_profile("fewer")


def python_files(places: list[str]) -> Iterator[str]:
    """The modules in files and folders."""
    for place in places:
        yield from [place] if place.endswith(".py") else sorted(map(str, Path(place).rglob("*.py")))
