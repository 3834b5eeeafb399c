"""Thousands of crafted and damaged files: every one ends in one sentence of ours, soon, and in little memory.

python -m benchmarks.fuzz_files                      # 3,000 crafted, 6,000 damaged model files, 2,000 data files
python -m benchmarks.fuzz_files --kills 200          # and kill -9 while a model is saved, at random moments
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from tests.fuzz_files import bad, data_files, frame_of, kills, model_files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("crafted", 3000), ("damaged", 6000), ("data", 2000), ("kills", 0), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, start = Path(name), time.perf_counter()
        counts = {
            "crafted": bad(model_files(folder, args.crafted, 0, args.seed), print),
            "damaged": bad(model_files(folder, 0, args.damaged, args.seed), print),
            "data": bad(data_files(folder, args.data, args.seed), print),
        }
        print(frame_of(counts).to_string())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{time.perf_counter() - start:.0f} s, at most {peak:.2f} GiB of memory, the library's own included")
        if args.kills:
            print(kills(folder, args.kills, args.seed))


if __name__ == "__main__":
    main()
