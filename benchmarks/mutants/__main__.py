"""Plant sampled faults and count those that the tests see.

    python -m benchmarks.mutants map [TESTS ...]         which tests run which lines (minutes; again after new tests)
    python -m benchmarks.mutants run [--sample 300] [--seed 0] [--minutes 9] [--part 0/2] [--only xattn/data]
    python -m benchmarks.mutants again [--budget 60]     those that were not killed, against the tests of today
    python -m benchmarks.mutants report                  shares by folder, and each survivor with its reason

Results are kept in build/mutants, one line a fault, so a run that was cut off goes on. A result holds as long as the
module does not change. A fault meets the tests that run its line, the nearest first, up to `--budget` seconds of them.

killed        a test failed, or the module could no longer be imported; a fault on which the tests take much longer
              than they should ("timeout") is counted here
survived      all tests that run the line passed
not decided   those within the budget passed, and there are more; not counted as killed
no test       no test of the map runs the line

Reasons for survivors stand in survivors.toml. They change no share: it is always killed of all tried.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.mutants import nearest, survivors, trial
from benchmarks.mutants.operators import Fault, faults_of, planted

PLACES = [
    "xattn/explain",
    "xattn/data",
    "xattn/model/fit",
    *(f"xattn/recommenders/{name}.py" for name in ("base", "estimator", "scoring", "listing", "similar")),
]
TESTS = ["tests/explain", "tests/recommenders", "tests/data", "tests/model", *PLACES]
OUT = Path("build/mutants")
SLACK = 30.0  # seconds that a trial may take beyond three times what its tests took


def sample(n: int, seed: int) -> list[Fault]:
    """`n` faults: lines drawn evenly among those that can be changed, then one change of the line."""
    by_line: dict[tuple[str, int], list[Fault]] = {}
    for path in nearest.python_files(PLACES):
        for fault in faults_of(path, Path(path).read_text("utf-8")):
            by_line.setdefault((fault.path, fault.line), []).append(fault)
    draw = random.Random(seed)
    lines = draw.sample(sorted(by_line), min(n, len(by_line)))
    return [draw.choice(by_line[line]) for line in lines]


def key(fault: Fault) -> str:
    """What a result belongs to: the fault and the text of its module."""
    text = Path(fault.path).read_bytes()
    return f"{fault} #{fault.place} @{hashlib.sha256(text).hexdigest()[:12]}"


def results() -> dict[str, dict[str, Any]]:
    """The newest result of each fault."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(OUT.glob("results-*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            one = json.loads(line)
            if one["key"] not in found or found[one["key"]]["when"] <= one["when"]:
                found[one["key"]] = one
    return found


def run(faults: list[Fault], budget: float, minutes: float, part: str, again: bool) -> None:
    """Try each fault, until the minutes are over."""
    near = nearest.Nearest(OUT)
    packages = tuple({".".join(Path(place).with_suffix("").parts[:2]) for place in PLACES})
    trial.preload(packages)
    examples = 60 if again else 20  # of Hypothesis
    until, sound = time.monotonic() + 60 * minutes, set[str]()
    with open(OUT / f"results-{part.replace('/', '-')}.jsonl", "a", encoding="utf-8") as out:
        for fault in faults:
            if time.monotonic() > until:
                break
            tests, whole = near.of(fault.path, fault.line, budget, again)
            source = planted(Path(fault.path).read_text("utf-8"), fault)
            module = ".".join(Path(fault.path).with_suffix("").parts).removesuffix(".__init__")
            limit = 3 * sum(near.seconds.get(name, 1.0) for name in tests) + SLACK
            trying = (module, fault.path, source, tests, limit, examples)
            said, took, by = trial.tried(*trying) if tests else trial.Verdict("no test", 0.0)
            if said == "survived" and not whole:
                said = "not decided"
            if said == "killed" and module not in sound:  # else the tests would see faults where there are none
                _check_sound(module, fault.path, [by] if by else tests, limit, examples)
                sound.add(module)
            found = {"key": key(fault), "said": said, "by": by, "seconds": round(took, 1), "when": time.time()}
            out.write(json.dumps(found) + "\n")
            out.flush()
            print(f"{said:11} {took:5.1f} s  {fault}  {by}", flush=True)


def _check_sound(module: str, path: str, tests: list[str], limit: float, examples: int) -> None:
    """Raise RuntimeError where the tests fail on the module as it is."""
    found = trial.tried(module, path, Path(path).read_text("utf-8"), tests, limit, examples)
    if found.said != "survived":
        raise RuntimeError(f"the tests of {path} must pass without a fault; {found}")


def report(faults: list[Fault]) -> None:
    """The shares by folder, and what was not killed: with the reason where survivors.toml has one."""
    known = results()
    counts: dict[str, Counter[str]] = {}
    alive: dict[str, list[Fault]] = {"survived": [], "no test": [], "not decided": []}
    for fault in faults:
        said = known.get(key(fault), {"said": "not tried"})["said"]
        counts.setdefault(str(Path(fault.path).parent), Counter())[said] += 1
        if said in alive:
            alive[said].append(fault)
    whole: Counter[str] = sum(counts.values(), Counter())
    for name, found in [*sorted(counts.items()), ("all", whole)]:
        killed, tried = found["killed"] + found["timeout"], found.total() - found["not tried"]
        print(f"{name:32} {killed:4} of {tried:4} killed {killed / max(tried, 1):6.1%}   {dict(found)}")
    reasons = survivors.read()
    for said, found in alive.items():
        print(f"\n{said}: {len(found)}")
        for fault in sorted(found):
            one = survivors.reason_of(fault, reasons)
            print(f"  {fault}\n      {f'{one.kind}: {one.reason}' if one else 'NO REASON YET'}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("do", choices=["map", "run", "again", "report"])
    parser.add_argument("tests", nargs="*", help="for map: files and folders")
    parser.add_argument("--sample", type=int, default=300, help="how many faults")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=15.0, help="seconds of tests a fault")
    parser.add_argument("--most", type=int, default=20, help="for map: seconds after which a test is cut and left out")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--only", default="", help="of the sampled faults those in paths that begin so")
    parser.add_argument("--part", default="0/1", help="the share of this process, as 0/2 and 1/2")
    given, options = parser.parse_known_args()  # options: of pytest, for map
    OUT.mkdir(parents=True, exist_ok=True)
    if given.do == "map":
        nearest.record(OUT, [*(given.tests or TESTS), *options], list(nearest.python_files(PLACES)), given.most)
        return
    faults = [fault for fault in sample(given.sample, given.seed) if fault.path.startswith(given.only)]
    known = results()
    if given.do == "report":
        return report(faults)
    alive = given.do == "again"
    if alive:
        todo = [f for f in faults if known.get(key(f), {}).get("said") in ("survived", "no test", "not decided")]
    else:
        todo = [f for f in faults if key(f) not in known]
    i, of = map(int, given.part.split("/"))
    run(todo[i::of], given.budget, given.minutes, given.part, alive)


if __name__ == "__main__":
    main()
