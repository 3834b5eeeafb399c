"""Every case of every kernel at several numbers of threads: run as a program with NUMBA_NUM_THREADS=8.

Prints what differs from the serial twin by a bit, then how many runs there were.
"""

from __future__ import annotations

import os

import numba

from tests.checks import assert_bitwise
from tests.kernels.cases import CASES
from xattn.kernels.compile import parallel_pool

COUNTS, REPEATS = (1, 2, 3, 4, 7, 8), 3


def main() -> None:
    assert numba.config.NUMBA_NUM_THREADS == max(COUNTS)
    runs = 0
    for name, case in CASES.items():
        want = case.run(case.kernel.serial)
        for count in COUNTS * REPEATS:
            os.environ["XATTN_NUM_THREADS"] = str(count)
            with parallel_pool():
                assert numba.get_num_threads() == count
                got = case.run(case.kernel.parallel)
            runs += 1
            try:
                for x, y in zip(got, want, strict=True):
                    assert_bitwise(x, y)
            except AssertionError as error:
                print(f"{name} with {count} threads: {error}")
    print(f"{runs} runs")


if __name__ == "__main__":
    main()
