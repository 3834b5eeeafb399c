"""`cold-start`: the time that a new process takes for `import xattn`, and for its first recommendation.

The import is timed inside the new process, after Python itself has started. The first recommendation of a saved model
is timed from outside, Python included: once with compiled kernels in the cache, and once with an empty cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from xattn.bench.case import LIMIT, Figure, Plan
from xattn.bench.race import clock
from xattn.data import load_dataset, planted
from xattn.recommenders import HybridAttention, Popularity

__all__ = ["suite"]

IMPORT, FIRST = 0.3, 2.0  # seconds allowed
ROOT = Path(__file__).parents[3]  # where this very xattn is found, installed or not
MOST_COLD = 3  # rounds without cache: each compiles everything

IMPORTS = "import time; start = time.perf_counter(); import xattn; print(time.perf_counter() - start)"
ANSWERS = "import sys; from xattn import load_model; load_model(sys.argv[1]).recommend(user=sys.argv[2])"


def suite(plan: Plan) -> Iterator[Figure]:
    plan.tell("import xattn")
    _run(IMPORTS)  # reads the files once, and compiles their bytecode
    seconds = np.array([float(_run(IMPORTS)) for _ in range(plan.rounds)])
    yield Figure.of("import xattn", seconds, LIMIT, IMPORT, 1.0)

    data = planted("genre", seed=0).data if plan.quick else load_dataset("movielens-small")
    model = Popularity() if plan.quick else HybridAttention()
    name = type(model).__name__
    plan.tell(f"fit {name}")
    model.fit(data)
    with tempfile.TemporaryDirectory(prefix="xattn-bench-") as folder:
        saved = Path(folder) / "model.npz"
        model.save(saved)
        asked = (str(saved), data.user_ids[0])
        work = f"new process, saved {name}, first recommendation"
        cold = []
        for r in range(min(plan.rounds, 1 if plan.quick else MOST_COLD)):
            plan.tell(f"{work}, no cache")
            cache = Path(folder) / f"cache {r}"
            cold.append(clock(partial(_run, ANSWERS, *asked, cache=cache)))
        plan.tell(f"{work}, warm cache")
        warm = [clock(partial(_run, ANSWERS, *asked, cache=cache)) for _ in range(plan.rounds)]
    yield Figure.of(f"{work}, warm cache", np.array(warm), LIMIT, FIRST, 1.0)
    yield Figure.of(f"{work}, no cache", np.array(cold))


def _run(program: str, *arguments: str, cache: Path | None = None) -> str:
    """What a Python program prints; `cache` is where its kernels are kept. A failure is raised with its last words."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    kept = {"NUMBA_CACHE_DIR": str(cache)} if cache else {}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": path, **kept},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ChildProcessError(f"a new process must come to its end; got: {done.stderr.strip()[-300:]}")
    return done.stdout
