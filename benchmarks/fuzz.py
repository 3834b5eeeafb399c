"""Thousands of calls of the public interface with arguments of every kind, drawn by Hypothesis.

    python -m benchmarks.fuzz [--calls 20000] [--seed 0] [--only TEXT]

Prints how many calls were answered, refused and at fault; of the faults each kind once with its arguments. Ends with
code 1 where there is a fault, or a call that took over ten seconds. The calls stand in tests/fuzz_calls.py.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import Call, arguments, attempted
from tests.fuzz_calls import command_calls, every_call, write_files

LONG = 10.0  # seconds from which a call hangs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="calls whose name holds this text")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_files(Path(folder))
        calls = [call for call in [*every_call(), *command_calls()] if chosen.only in call.name]
        counts: Counter[str] = Counter()
        faults: dict[tuple[str, ...], str] = {}
        long: list[str] = []

        quiet = list(HealthCheck)
        how = settings(max_examples=chosen.calls, database=None, deadline=None, phases=[Phase.generate])

        @seed(chosen.seed)
        @settings(how, suppress_health_check=quiet)
        @given(st.sampled_from(calls).flatmap(lambda call: st.tuples(st.just(call), arguments(call))))
        def make(drawn: tuple[Call, dict[str, Any]]) -> None:
            call, values = drawn
            words = f"{call.name}({', '.join(f'{k}={v!r:.60}' for k, v in values.items())})"
            began = time.monotonic()
            outcome = attempted(call, values)
            if time.monotonic() - began > LONG:
                long.append(f"{time.monotonic() - began:.1f} s: {words}")
            counts[outcome.kind] += 1
            if outcome.kind == "fault":
                faults.setdefault(
                    (outcome.words[:50], outcome.where), f"{outcome.words[:200]} [{outcome.where}] {words}"
                )

        began = time.monotonic()
        make()
    print(f"{counts.total()} calls of {len(calls)} functions in {time.monotonic() - began:.0f} s: {dict(counts)}")
    print(*faults.values(), *long, sep="\n")
    sys.exit(bool(faults or long))


if __name__ == "__main__":
    main()
