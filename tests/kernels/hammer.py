"""Eight Python threads in every parallel kernel at once: run as a program, exits 0 when all results are right.

Arguments: `fallback` makes the first start of the thread pool fail, as where no thread-safe layer is installed;
`unguarded` takes the lock away. The first line printed is the threading layer.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from tests.checks import assert_bitwise
from tests.kernels.cases import CASES, Case
from xattn.kernels import compile as pool

THREADS, REPEATS = 8, 12


def refuse_once(probe: Callable[[], str]) -> Callable[[], str]:
    calls = iter([True])

    def failing() -> str:
        if next(calls, False):
            raise ValueError("No threading layer could be loaded.")
        return probe()

    return failing


def call(case: Case, start: threading.Barrier, wrong: list[str]) -> None:
    want = case.run(case.kernel.serial)
    start.wait()
    for _ in range(REPEATS):
        with pool.parallel_pool():
            got = case.run(case.kernel.parallel)
        try:
            for x, y in zip(got, want, strict=True):
                assert_bitwise(x, y)
        except AssertionError as error:
            wrong.append(f"{case.name}: {error}")


def main(*options: str) -> int:
    if "fallback" in options:
        pool._probe_layer = refuse_once(pool._probe_layer)
    print(pool.threading_layer(), flush=True)
    if "unguarded" in options:
        pool._pool_lock = None
    wrong: list[str] = []
    for case in CASES.values():
        with pool.parallel_pool():
            case.run(case.kernel.parallel)  # compile, or load what was compiled, before the crowd comes
        start = threading.Barrier(THREADS)
        crowd = [threading.Thread(target=call, args=(case, start, wrong)) for _ in range(THREADS)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
