"""Protocols: how models are put to the test, by name.

Every protocol that ranks ranks the whole catalogue, without sampling. No test event reaches a fit. What a protocol has
to choose it chooses on validation events, which are in neither part.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from xattn.data import Interactions
from xattn.errors import check_choice, check_given, check_number, check_probability, check_type, check_whole, refuse
from xattn.evaluate.cold import cold
from xattn.evaluate.faithfulness import PostHoc, faithfulness
from xattn.evaluate.given import given
from xattn.evaluate.holdout import holdout
from xattn.evaluate.next_item import next_item, strict
from xattn.evaluate.questions import SEEN
from xattn.evaluate.rating import rating
from xattn.evaluate.rivals import ALS
from xattn.evaluate.setup import Makers, Model, Protocol, Setup, makers_of, prepared
from xattn.evaluate.time_split import time_split
from xattn.progress import Progress
from xattn.recommenders import Recommender

__all__ = ["PROTOCOLS", "evaluate"]


def _faithfulness(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """Every model must be a recommender, since explanations are compared; ALS is the one rival that has terms."""
    made = {name: PostHoc(model) if isinstance(model := make(), ALS) else model for name, make in models.items()}
    without = [name for name, model in made.items() if not isinstance(model, Recommender | PostHoc)]
    if without:
        refuse("models_without_ledgers", got=tuple(without))
    makers: dict[str, Any] = {name: partial(_same, model) for name, model in made.items()}
    return faithfulness(data, makers, k=setup.k, seed=setup.seed, progress=setup.progress)


def _same(model: Any) -> Any:
    return model


PROTOCOLS: dict[str, Protocol] = {
    "next-item": next_item,
    "strict": strict,
    "holdout": holdout,
    "time": time_split,
    "rating": rating,
    "given": given,
    "cold": cold,
    "faithfulness": _faithfulness,
}
WITHOUT_LISTS = ("rating", "cold", "faithfulness")
WITH_POSITIVE = ("holdout", "time", "rating", "given")


def evaluate(
    data: Interactions,
    models: Makers | Sequence[Model],
    *,
    protocol: str = "next-item",
    k: int = 10,
    seed: int = 0,
    min_events: int = 1,
    positive: float | None = None,
    test: Interactions | None = None,
    history: Interactions | None = None,
    diversity: float = 0.0,
    agreement: bool = False,
    seen: str = "drop",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit and test unfitted models; returns ``{"protocol", "dataset", "users", "items", "events", "k", "seen",
    "questions", "rows": [...]}``.

    A row holds model, ndcg@k, hr@k, recall@k, precision@k, map@k, mrr, coverage, diversity, novelty, popularity_bias,
    ci95 (metric → [low, high], bootstrap over users), versus_first (metric → p value of a difference to the first
    model, paired bootstrap; None for the first), fit_s, score_s (seconds for all users) and peak_mb (of the process so
    far). The protocols rating and faithfulness have metrics of their own. `min_events` keeps the N-core; `seed` draws
    splits and intervals. `positive` is the least rating that counts as liked (default: the upper third of the scale;
    in a given split, whatever is in `test`). The protocol given takes `test` and perhaps `history`, and learns from
    `data`. A model whose `objective` is "auto" gets the protocol's question: in holdout "any", else "next". `diversity`
    re-ranks the lists as `recommend` does, in protocols that have lists; there `agreement` adds to each row how far the
    model's lists agree with the first one's (`xattn.evaluate.agreement`; None for the first).

    The questions are those that `recommend` could answer with the same `seen`. "drop" leaves out a target that is in
    the history, "keep" asks for it; a target that the catalogue does not hold is a miss; a line that repeats another
    one is no event. `questions` counts them: targets, met_before, not_held, repeats. Protocols without lists have
    neither `seen` nor `questions`.
    Raises InputError for wrong arguments, and where the data does not suit the protocol.

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
            check_given("positive", positive, wanted=False, when="protocol", choice=protocol)
    diversity = check_probability("diversity", diversity)
    check_choice("seen", seen, SEEN)
    if protocol in WITHOUT_LISTS:
        other = None if seen == "drop" else seen
        for name, option in (("diversity", diversity or None), ("agreement", agreement or None), ("seen", other)):
            check_given(name, option, wanted=False, when="protocol", choice=protocol)
    check_given("test", test, wanted=protocol == "given", when="protocol", choice=protocol)
    if protocol != "given":
        check_given("history", history, wanted=False, when="protocol", choice=protocol)
    for name, value in (("data", data), ("test", test), ("history", history)):
        if value is not None or name == "data":
            check_type(name, value, Interactions, "interactions")
    data, repeats = prepared(data, min_events)
    setup = Setup(
        k=check_whole("k", k, low=1, high=data.n_items),
        seed=check_whole("seed", seed),
        positive=positive,
        test=None if test is None else test.without_repeats(),
        history=None if history is None else history.without_repeats(),
        progress=progress,
        diversity=diversity,
        agreement=bool(agreement),
        seen=seen,
        repeats=repeats,
    )
    return PROTOCOLS[protocol](data, makers_of(models, protocol), setup)
