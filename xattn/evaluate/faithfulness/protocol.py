"""The faithfulness protocol: every explainer explains the same recommendations of a model and is measured alike.

A model is fitted on all of the data. Users with at least five events are put in order of the length of their
history and cut into as many equal groups as there are users to draw; one is drawn from each, so histories of every
length are there. Explained are each user's first `top` recommendations. Perturbing means masking: the events are out
of sight, the others keep their ages, nothing is fitted again, and the model serves the scores and the list that are
measured. No explainer may choose per metric: one explanation of a recommendation answers to all metrics.

Shares of f(x) need f(x) > 0: recommendations with a score of 0 or below are left out, and `skipped` counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import InputError, check_choice, check_whole
from xattn.evaluate.faithfulness.case import Case, Design, Explanation, Met
from xattn.evaluate.faithfulness.explainers import EXPLAINERS, losses
from xattn.evaluate.faithfulness.masked import masked_scores
from xattn.evaluate.faithfulness.metrics import Reference, intervals, maskings, measured, metric_names, rescored
from xattn.explain import Scorer
from xattn.kernels.topk import top_k
from xattn.model.closed_form import Progress
from xattn.recommenders import Recommender

__all__ = ["SHORTEST", "Measured", "faithfulness", "measure", "sample_users"]

SAMPLE = 80  # users
TOP = 2  # recommendations of each
MOST = 5  # K = 1..5
SHORTEST = 5  # events of a history
SEEDS = {name: number for number, name in enumerate(EXPLAINERS)}


class Measured(NamedTuple):
    """`values[explainer]` (U, metrics), a user's recommendations averaged; `explained` and `skipped` count those."""

    names: list[str]
    values: dict[str, np.ndarray]
    explained: int
    skipped: int


def sample_users(data: Interactions, sample: int, shortest: int, seed: int) -> list[int]:
    """User rows, one drawn from each of `sample` equal groups by length of history; all where there are fewer."""
    length = np.diff(data.indptr)
    eligible = np.flatnonzero(length >= shortest)
    eligible = eligible[np.argsort(length[eligible], kind="stable")]
    if len(eligible) <= sample:
        return [int(u) for u in eligible]
    rng = np.random.default_rng(seed)
    return [int(rng.choice(group)) for group in np.array_split(eligible, sample)]


def faithfulness(
    data: Interactions,
    models: dict[str, Callable[[], Recommender]] | Sequence[Recommender],
    *,
    k: int = 10,
    seed: int = 0,
    sample: int = SAMPLE,
    top: int = TOP,
    most: int = MOST,
    explainers: Sequence[str] = tuple(EXPLAINERS),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit the models and compare explainers on them; returns ``{"protocol", "dataset", "users", "items", "events",
    "model", "sampled", "explained", "skipped", "k", "rows"}``.

    `sampled` is the number of users whose first `top` recommendations are explained, `explained` and `skipped` count
    recommendations (over all models), `k` is the length of the list that POS, NEG and PS refer to. A row is one
    explainer on one model: explainer, model, del@K, ins@K, pos@k,K, neg@k,K, ps@k,K, cdcg@K, best@K for K = 1..`most`,
    tau, gap (None where it has no meaning), ci95 (metric → [low, high], bootstrap over users). See metrics.py for what
    they are. Raises InputError for wrong arguments, and where no user has enough events.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> data = planted("copurchase", n_users=40, seed=0).data
    >>> result = faithfulness(data, [ItemKNN()], sample=4, explainers=["removal", "random"])
    >>> [row["explainer"] for row in result["rows"]]
    ['removal', 'random']
    >>> result["rows"][0]["del@1"] <= result["rows"][1]["del@1"]
    True
    """
    k = check_whole("k", k, low=1, high=data.n_items)
    seed = check_whole("seed", seed)
    sample, top, most = (check_whole(n, v, low=1) for n, v in (("sample", sample), ("top", top), ("most", most)))
    if not explainers:
        raise InputError("`explainers` must hold at least one explainer; got none.")
    for name in explainers:
        check_choice("explainers", name, tuple(EXPLAINERS))
    named = models if isinstance(models, dict) else {type(m).__name__: (lambda m=m: m) for m in models}
    if not named:
        raise InputError("`models` must hold at least one model; got none.")
    users = sample_users(data, sample, max(SHORTEST, most), seed)
    if not users:
        raise InputError(f"`data` must hold a user with at least {max(SHORTEST, most)} events; got none.")
    rows, explained, skipped = [], 0, 0
    for done, (name, make) in enumerate(named.items()):
        tell = _part_of(progress, name, done, len(named))
        tell("fit", 0.0)
        model = make().fit(data)
        found = measure(model, users, k=k, seed=seed, top=top, most=most, explainers=explainers, progress=tell)
        explained, skipped = explained + found.explained, skipped + found.skipped
        rows += [_row(explainer, name, found, seed) for explainer in explainers]
    return {
        "protocol": "faithfulness",
        "dataset": data.name,
        "users": data.n_users,
        "items": data.n_items,
        "events": data.n_events,
        "model": ",".join(named),
        "sampled": len(users),
        "explained": explained,
        "skipped": skipped,
        "k": k,
        "rows": rows,
    }


def measure(
    model: Scorer,
    users: Sequence[int],
    *,
    k: int = 10,
    seed: int = 0,
    top: int = TOP,
    most: int = MOST,
    explainers: Sequence[str] = tuple(EXPLAINERS),
    progress: Progress | None = None,
) -> Measured:
    """Measure explainers on the first `top` recommendations of the user rows of a fitted model."""
    met = Met.of(model.data_)
    names = metric_names(k, most)
    values: dict[str, list[np.ndarray]] = {name: [] for name in explainers}
    explained = skipped = 0
    for done, user in enumerate(users):
        if progress:
            progress("explaining", done / len(users))
        history = History.of(model.data_, user)
        scores, allowed = model.scores_of(history), np.ones(model.data_.n_items, bool)
        allowed[history.item] = False
        listed = [int(j) for j in top_k(scores[None, :], allowed[None, :], top).items[0] if j >= 0]
        targets = [j for j in listed if scores[j] > 0]
        skipped += len(listed) - len(targets)
        explained += len(targets)
        if targets:
            for name, own in _user(model, history, targets, met, allowed, k, seed, most, explainers).items():
                values[name].append(own)
    empty = np.empty((0, len(names)))
    return Measured(names, {n: np.array(v) if v else empty for n, v in values.items()}, explained, skipped)


def _user(
    model: Scorer,
    history: History,
    targets: list[int],
    met: Met,
    allowed: np.ndarray,
    k: int,
    seed: int,
    most: int,
    explainers: Sequence[str],
) -> dict[str, np.ndarray]:
    """Metrics of one user's recommendations by explainer, averaged over them."""
    masked = masked_scores(model, history)
    asked: list[tuple[str, Case, Explanation]] = []
    lost: dict[int, np.ndarray] = {}
    for name in explainers:
        rng = np.random.default_rng([seed, SEEDS[name], history.user or 0])
        designs: dict[str, Design] = {}
        for target in targets:
            case = Case(model, history, target, masked, met, rng, designs)
            asked.append((name, case, EXPLAINERS[name](case, most)))
            lost[target] = losses(case) if target not in lost else lost[target]
    live = [maskings(found, len(history)) for _, _, found in asked]
    again = rescored(masked, live, [case.target for _, case, _ in asked], allowed)
    lowest = {
        case.target: after.score[0] for (name, case, _), after in zip(asked, again, strict=True) if name == "exhaustive"
    }
    values: dict[str, list[np.ndarray]] = {name: [] for name in explainers}
    for (name, case, found), after in zip(asked, again, strict=True):
        truth = Reference(case.score(), lost[case.target], lowest.get(case.target))
        values[name].append(measured(found, after, truth, k))
    return {name: np.mean(own, axis=0) for name, own in values.items()}


def _row(explainer: str, model: str, found: Measured, seed: int) -> dict[str, Any]:
    values = found.values[explainer]
    means: list[float | None] = [None] * len(found.names)
    ci95 = {}
    if len(values):
        low, high = intervals(np.nan_to_num(values), seed)
        for at, name in enumerate(found.names):
            if not np.isnan(values[:, at]).any():
                means[at] = float(values[:, at].mean())
                ci95[name] = [float(low[at]), float(high[at])]
    return {"explainer": explainer, "model": model, **dict(zip(found.names, means, strict=True)), "ci95": ci95}


def _part_of(progress: Progress | None, name: str, done: int, of: int) -> Progress:
    """Progress of one model of several."""

    def tell(what: str, share: float) -> None:
        if progress:
            progress(f"{name}, {what}", (done + share) / of)

    return tell
