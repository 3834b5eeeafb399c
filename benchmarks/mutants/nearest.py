"""Which tests run a line: one run of the tests under coverage, with a context for each test.

What a test runs is kept in a JSON file: for each module and line the tests, and for each test its seconds. Lines that
run on import, or while a fixture that many tests share is made, belong to all tests of the files that meet the module.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["Fewer", "Nearest", "record"]


class Nearest:
    """The tests of each line of each module, and the seconds of each test."""

    def __init__(self, folder: Path) -> None:
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.seconds: dict[str, float] = {}
        for file in sorted(folder.glob("map-*.json")):
            found = json.loads(file.read_text("utf-8"))
            self.seconds |= found["seconds"]
            for path, lines in found["lines"].items():
                for line, names in lines.items():
                    self.lines[path][int(line)] |= {found["tests"][i] for i in names}

    def of(self, path: str, line: int, budget: float) -> list[str]:
        """The tests to run for a line: those that run it, the quickest first; then the others of their files."""
        covering = {name for name in self.lines[path].get(line, ()) if name}
        module = {name for names in self.lines[path].values() for name in names if name}
        files = {name.split("::")[0] for name in covering or module}
        rest = {name for name in self.seconds if name.split("::")[0] in files and name not in covering}
        chosen, spent = [], 0.0
        for name in [*self._quick(covering), *self._quick(rest & module), *self._quick(rest - module)]:
            spent += self.seconds.get(name, 1.0)
            if spent > budget and chosen:
                break
            chosen.append(name)
        return chosen

    def _quick(self, names: set[str]) -> list[str]:
        return sorted(names, key=lambda name: (self.seconds.get(name, 1.0), name))


class Recorder:
    """A plugin of pytest: each test is a context of the coverage, and is timed."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        self.coverage.switch_context(item.nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration


def record(folder: Path, tests: list[str], modules: list[str]) -> None:
    """Run `tests` (paths) under coverage of `modules` (paths) and write what each runs."""
    import coverage
    import pytest

    measured = coverage.Coverage(data_file=None, include=modules, config_file=False)
    measured.start()
    recorder = Recorder(measured)
    began = time.monotonic()
    pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *tests], plugins=[recorder, Fewer(5)])
    measured.stop()
    data = measured.get_data()
    names = sorted(recorder.seconds)
    place = {name: i for i, name in enumerate(names)}
    lines: dict[str, dict[int, list[int]]] = {}
    for file in data.measured_files():
        path = str(Path(file).relative_to(Path.cwd()))
        of_lines = data.contexts_by_lineno(file)
        lines[path] = {line: sorted(place[c] for c in found if c in place) for line, found in of_lines.items()}
    name = "-".join(sorted({test.replace("/", ".").removesuffix(".py") for test in tests}))[:100]
    out = folder / f"map-{name}.json"
    out.write_text(json.dumps({"tests": names, "seconds": recorder.seconds, "lines": lines}), "utf-8")
    print(f"{len(names)} tests in {time.monotonic() - began:.0f} s; written to {out}")


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
