"""The suites by name: what is timed, on which sizes, against whom. Each is a file; `--quick` takes its small sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xattn.bench.case import Case, Figure, Plan
from xattn.bench.suites import (
    attention,
    cold_start,
    recommend,
    roofline,
    scale,
    score,
    search,
    serve,
    softmax,
    threads,
    topk,
    train,
)

__all__ = ["SUITES"]

SUITES: dict[str, Callable[[Plan], Iterator[Case | Figure]]] = {
    "softmax": softmax.suite,
    "attention": attention.suite,
    "score": score.suite,
    "topk": topk.suite,
    "search": search.suite,
    "recommend": recommend.suite,
    "train": train.suite,
    "serve": serve.suite,
    "scale": scale.suite,
    "cold-start": cold_start.suite,
    "threads": threads.suite,
    "roofline": roofline.suite,
}
