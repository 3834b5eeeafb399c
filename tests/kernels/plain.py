"""Every case of every kernel in plain Python: run as a program with NUMBA_DISABLE_JIT=1 and the file to write (npz)."""

from __future__ import annotations

import sys

import numba
import numpy as np

from tests.kernels.cases import CASES


def main(path: str) -> None:
    assert numba.config.DISABLE_JIT
    found = {}
    with np.errstate(all="ignore"):
        for name, case in CASES.items():
            for i, array in enumerate(case.run(case.kernel.py_func)):
                found[f"{name}/{i}"] = array
    np.savez(path, **found)


if __name__ == "__main__":
    main(sys.argv[1])
