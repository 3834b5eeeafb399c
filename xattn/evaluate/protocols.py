"""Protocols: how models are put to the test, by name.

The whole catalogue is ranked in all that rank; nothing is sampled. Nothing of a test event reaches a fit, and what a
protocol has to choose it chooses on validation events, which are neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xattn.data import Interactions
from xattn.errors import InputError, check_choice, check_given, check_number, check_whole, shown
from xattn.evaluate.faithfulness import faithfulness
from xattn.evaluate.given import given
from xattn.evaluate.holdout import holdout
from xattn.evaluate.next_item import next_item
from xattn.evaluate.rating import rating
from xattn.evaluate.setup import Makers, Protocol, Setup
from xattn.evaluate.time_split import time_split
from xattn.model.closed_form import Progress
from xattn.recommenders import Recommender

__all__ = ["PROTOCOLS", "evaluate"]

PROTOCOLS: dict[str, Protocol] = {
    "next-item": next_item,
    "holdout": holdout,
    "time": time_split,
    "rating": rating,
    "given": given,
    "faithfulness": lambda data, models, s: faithfulness(data, models, k=s.k, seed=s.seed, progress=s.progress),
}
WITH_POSITIVE = ("holdout", "time", "rating", "given")


def evaluate(
    data: Interactions,
    models: Makers | Sequence[Recommender],
    *,
    protocol: str = "next-item",
    k: int = 10,
    seed: int = 0,
    min_events: int = 1,
    positive: float | None = None,
    test: Interactions | None = None,
    history: Interactions | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit and test unfitted models; returns ``{"protocol", "dataset", "users", "items", "events", "k", "rows":
    [...]}``.

    A row holds model, ndcg@k, hr@k, recall@k, precision@k, map@k, mrr, coverage, diversity, novelty, popularity_bias,
    ci95 (metric → [low, high], bootstrap over users), versus_first (metric → p value of a difference to the first
    model, paired bootstrap; None for the first), fit_s, score_s (seconds for all users) and peak_mb (of the process so
    far). The protocols rating and faithfulness have metrics of their own. `min_events` keeps the N-core; `seed` draws
    splits and intervals. `positive` is the least rating that counts as liked (default: the upper third of the scale;
    in a given split, whatever is in `test`). The protocol given takes `test` and perhaps `history`, where `data` is
    what is learned from. Raises InputError for wrong arguments, and where the data does not suit the protocol.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import Popularity
    >>> result = evaluate(planted("genre", seed=0).data, [Popularity()])
    >>> result["rows"][0]["model"], 0 <= result["rows"][0]["ndcg@10"] <= 1
    ('Popularity', True)
    """
    check_choice("protocol", protocol, tuple(PROTOCOLS))
    min_events = check_whole("min_events", min_events, low=1)
    if positive is not None:
        positive = check_number("positive", positive)
        if protocol not in WITH_POSITIVE:
            raise InputError(f"`positive` must be left out with the protocol {protocol}; got {positive:g}.")
    check_given("test", test, wanted=protocol == "given", when=f"the protocol {protocol}")
    if protocol != "given":
        check_given("history", history, wanted=False, when=f"the protocol {protocol}")
    for name, value in (("data", data), ("test", test), ("history", history)):
        if not isinstance(value, Interactions) and (value is not None or name == "data"):
            raise InputError(f"`{name}` must be Interactions; got {shown(value)}.")
    data = data.core(min_events) if min_events > 1 else data
    setup = Setup(
        k=check_whole("k", k, low=1, high=data.n_items),
        seed=check_whole("seed", seed),
        positive=positive,
        test=test,
        history=history,
        progress=progress,
    )
    makers = models if isinstance(models, dict) else {type(model).__name__: _maker(model) for model in models}
    if not makers:
        raise InputError("`models` must hold at least one model; got none.")
    return PROTOCOLS[protocol](data, makers, setup)


def _maker(model: Recommender) -> Callable[[], Recommender]:
    return lambda: model
