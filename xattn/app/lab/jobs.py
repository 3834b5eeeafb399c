"""The jobs of the lab: each makes one result, a plain dict, from the bundled data. Results are kept beside the pages.

    python -m xattn.app.lab.jobs next-item --out FILE    # what the lab runs again
    python -m xattn.app.lab.jobs next-item               # renews the kept result
    python -m xattn.app.lab.jobs --list

While it works, a job writes one line after another: the share done, a tab, what is being done. It runs in a process of
its own, so that pages stay quick, and ends with the process.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from xattn.data import Interactions, load_dataset
from xattn.evaluate import evaluate
from xattn.files import write_file
from xattn.progress import Progress, part_of
from xattn.recommenders import (
    EASE,
    ContentAttention,
    HybridAttention,
    ItemKNN,
    NeuralAttention,
    Popularity,
    RecencyEASE,
    Recommender,
    SequenceAttention,
    UserAttention,
    load_model,
)

__all__ = ["JOBS", "STORED", "main", "stored"]

STORED = Path(__file__).parent / "stored"
DATASET = "movielens-small"
MODELS = (HybridAttention, RecencyEASE, EASE, ContentAttention, ItemKNN, UserAttention, Popularity)
Job = Callable[[Interactions, Recommender | None, Progress], dict[str, Any]]  # of data, or of one model of it


def _compared(protocol: str, data: Interactions, model: Recommender | None, tell: Progress) -> dict[str, Any]:
    others = [kind() for kind in MODELS if type(model) is not kind]
    return evaluate(data, [*_unfitted(model), *others], protocol=protocol, progress=tell)


def _unfitted(model: Recommender | None) -> list[Recommender]:
    return [] if model is None else [type(model)(**model.get_params(deep=False))]


def _faithful(data: Interactions, model: Recommender | None, tell: Progress) -> dict[str, Any]:
    return evaluate(data, _unfitted(model) or [HybridAttention()], protocol="faithfulness", progress=tell)


def _report(kind: str, data: Interactions, model: Recommender | None, tell: Progress) -> dict[str, Any]:
    from xattn.evaluate import reports

    tell("fitting", 0.05)
    model = HybridAttention().fit(data) if model is None else model
    tell("measuring", 0.3)
    made: dict[str, Any] = getattr(reports, kind)(model)
    return made


def _trained(data: Interactions, model: Recommender | None, tell: Progress) -> dict[str, Any]:
    """Loss and validation figure of each epoch, for the models that are trained step by step."""
    rows = []
    kinds: tuple[Any, ...] = (NeuralAttention, SequenceAttention)
    for at, kind in enumerate(kinds):
        fitted = kind().fit(data, progress=part_of(tell, at / len(kinds), (at + 1) / len(kinds)))
        epochs = getattr(fitted, "training_", None) or getattr(fitted, "epochs_", [])
        rows += [
            {"model": kind.__name__, "epoch": epoch.number, "loss": epoch.loss, "figure": epoch.validation}
            for epoch in epochs
        ]
    return {"kind": "training", "dataset": data.name, "rows": rows}


JOBS: dict[str, Job] = {
    "next-item": partial(_compared, "next-item"),
    "holdout": partial(_compared, "holdout"),
    "faithfulness": _faithful,
    "training": _trained,
    "attention": partial(_report, "attended"),
    "popularity": partial(_report, "popularity"),
    "groups": partial(_report, "groups"),
    "threshold": partial(_report, "threshold"),
    "attention-tests": partial(_report, "attention_tests"),
}


def stored(name: str) -> dict[str, Any] | None:
    """The kept result of a job; None where there is none."""
    path = STORED / f"{name}.json"
    if not path.is_file():
        return None
    kept: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return kept


def main(arguments: list[str] | None = None) -> int:
    """Run one job, or list them all."""
    parser = argparse.ArgumentParser(prog="python -m xattn.app.lab.jobs", description=__doc__.splitlines()[0])
    parser.add_argument("job", nargs="?", choices=list(JOBS))
    parser.add_argument("--out", type=Path, help="where the result goes; left out: the kept one is renewed")
    parser.add_argument("--model", type=Path, help="a saved model, which the result is of; left out: the bundled films")
    parser.add_argument("--list", action="store_true", help="the jobs by name")
    asked = parser.parse_args(arguments)
    if asked.list or asked.job is None:
        print("\n".join(JOBS))
        return 0
    model = None if asked.model is None else load_model(asked.model)
    data = load_dataset(DATASET) if model is None else model.data_
    own = model if model is not None and not isinstance(model, Popularity) else None  # which only carries the data
    result = JOBS[asked.job](data, own, _tell)
    STORED.mkdir(exist_ok=True)
    out = asked.out or STORED / f"{asked.job}.json"
    write_file(out, json.dumps(_strict(result), ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    _tell("done", 1.0)
    return 0


def _tell(what: str, share: float) -> None:
    print(f"{share:.4f}\t{' '.join(what.split())[:80]}", flush=True)


def _strict(value: Any) -> Any:
    """Plain values: floats to seven digits, what is no number as null."""
    if isinstance(value, dict):
        return {str(key): _strict(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(part) for part in value]
    if hasattr(value, "tolist"):
        return _strict(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value


if __name__ == "__main__":
    sys.exit(main())
