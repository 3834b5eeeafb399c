"""The faithfulness protocol: every explainer explains the same recommendations of a model and is measured alike.

A model is fitted on all of the data. Users with at least five events are sorted by the length of their history and cut
into as many equal groups as there are users to draw; one is drawn from each, so histories of every length are there.
Each drawn user's first `top` recommendations are explained. Perturbing means masking: the events are out of sight, the
others keep their ages, nothing is fitted again, and the model serves the scores and the list that are measured. No
explainer may choose per metric: one explanation of a recommendation answers to all metrics.

Shares of f(x) need f(x) > 0: recommendations with a score of 0 or below are left out, and `skipped` counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import check_choice, check_some, check_whole, refuse
from xattn.evaluate.faithfulness.case import Case, Design, Explanation, Met
from xattn.evaluate.faithfulness.explainers import EXPLAINERS, MORE, losses
from xattn.evaluate.faithfulness.heads import head_rows
from xattn.evaluate.faithfulness.masked import Masked, Scored, masked_scores
from xattn.evaluate.faithfulness.metrics import Reference, maskings, measured, rescored, sizes_of
from xattn.evaluate.faithfulness.packages import sources
from xattn.evaluate.faithfulness.surrogates import subsets
from xattn.evaluate.faithfulness.table import Measured, row_of
from xattn.explain.rows import contributions
from xattn.kernels.topk import top_k
from xattn.progress import Progress, part_of, steps
from xattn.recommenders import Recommender

__all__ = ["SHORTEST", "faithfulness", "listed", "measure", "sample_users"]

SAMPLE = 80  # users
TOP = 2  # recommendations of each
MOST = 5  # K = 1..5
SHORTEST = 5  # events of a history
MASKS = 100  # random sets that infidelity is measured on
ALL = EXPLAINERS | MORE
SHORT = ("exhaustive", "lead")  # they ask so much that they only name sets up to `most`
SEEDS = {name: number for number, name in enumerate(ALL)}
MASKING, LEAVING = 15, 16  # seeds of draws that belong to no explainer; `lead` shares the first, and draws nothing


class Asked(NamedTuple):
    """One user's recommendations, which all explainers explain."""

    model: Scored
    history: History
    targets: list[int]
    met: Met
    allowed: np.ndarray
    k: int
    seed: int
    most: int

    def rng(self, number: int) -> np.random.Generator:
        """Random numbers for one purpose, the same in any company."""
        return np.random.default_rng([self.seed, number, self.history.user or 0])


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
    "model", "sampled", "explained", "skipped", "k", "sources", "rows", "heads"}``.

    `sampled` is the number of users whose first `top` recommendations are explained, `explained` and `skipped` count
    recommendations (over all models), `k` is the length of the list that POS, NEG and PS refer to, `sources` says what
    lime and kernel_shap are made by. A row is one explainer on one model: explainer, model, the metrics of `metrics.py`
    for K = 1..`most` (None where one has no meaning), ci95 (metric → [low, high], bootstrap over users), paired (the
    same of the difference to removal), curves. `heads` says how far contributions agree with leave-one-out head by
    head (`heads.py`). Models may be recommenders, or rivals in a `PostHoc`. Raises InputError for wrong
    arguments, and where no user has enough events.

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
    check_some("explainers", explainers, "explainer")
    for name in explainers:
        check_choice("explainers", name, tuple(ALL))
    named = models if isinstance(models, dict) else {type(m).__name__: (lambda m=m: m) for m in models}
    check_some("models", named, "model")
    users = sample_users(data, sample, max(SHORTEST, most), seed)
    if not users:
        refuse("too_few_events", least="several", number=max(SHORTEST, most))
    rows, heads, explained, skipped = [], [], 0, 0
    for done, (name, make) in enumerate(named.items()):
        tell = part_of(progress, done / len(named), (done + 1) / len(named), name)
        tell("fit", 0.0)
        model = make().fit(data)
        found = measure(model, users, k=k, seed=seed, top=top, most=most, explainers=explainers, progress=tell)
        explained, skipped = explained + found.explained, skipped + found.skipped
        rows += [row_of(explainer, name, found, seed) for explainer in explainers]
        firsts = [(user, target) for user in users for target in listed(model, History.of(data, user), 1)]
        heads += head_rows(model, firsts, name, seed)
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
        "sources": sources(),
        "rows": rows,
        "heads": heads,
    }


def listed(model: Scored, history: History, top: int) -> list[int]:
    """The first `top` recommendations (item rows), what is in the history left out."""
    allowed = np.ones(model.data_.n_items, bool)
    allowed[history.item] = False
    return [int(j) for j in top_k(model.scores_of(history)[None, :], allowed[None, :], top).items[0] if j >= 0]


def measure(
    model: Scored,
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
    values: dict[str, list[np.ndarray]] = {name: [] for name in explainers}
    explained = skipped = 0
    for user in steps(progress, "explaining", users):
        history = History.of(model.data_, user)
        scores, allowed = model.scores_of(history), np.ones(model.data_.n_items, bool)
        allowed[history.item] = False
        every = listed(model, history, top)
        targets = [j for j in every if scores[j] > 0]
        skipped += len(every) - len(targets)
        explained += len(targets)
        if targets:
            asked = Asked(model, history, targets, met, allowed, k, seed, most)
            for name, own in _user(asked, explainers).items():
                values[name].append(own)
    empty = np.empty((0, len(Measured(k, most, {}, 0, 0).names)))
    return Measured(k, most, {n: np.array(v) if v else empty for n, v in values.items()}, explained, skipped)


def _user(asked: Asked, explainers: Sequence[str]) -> dict[str, np.ndarray]:
    """Metrics of one user's recommendations by explainer, averaged over them."""
    history, n, sizes = asked.history, len(asked.history), sizes_of(asked.most)
    masked = masked_scores(asked.model, history)
    found: list[tuple[str, Case, Explanation]] = []
    for name in explainers:
        rng, designs = asked.rng(SEEDS[name]), dict[str, Design]()
        for target in asked.targets:
            case = Case(asked.model, history, target, masked, asked.met, rng, designs)
            found.append((name, case, ALL[name](case, asked.most if name in SHORT else sizes[-1])))
    again = rescored(
        masked, [maskings(own, n, sizes) for _, _, own in found], [case.target for _, case, _ in found], asked.allowed
    )
    lowest = {
        c.target: after.score[0] for (name, c, _), after in zip(found, again, strict=True) if name == "exhaustive"
    }
    truth = _truth(asked, masked, lowest)
    moved = _moved(asked, found)
    values: dict[str, list[np.ndarray]] = {name: [] for name in explainers}
    for (name, case, own), after in zip(found, again, strict=True):
        shaken = moved[name] if case.target == asked.targets[0] else np.nan
        values[name].append(measured(own, after, truth[case.target], asked.k, shaken))
    return {name: _mean(np.array(own)) for name, own in values.items()}


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over a user's recommendations (columns,); the last column, measured for the first of them alone, stays."""
    out: np.ndarray = values.mean(axis=0)
    out[-1] = values[0, -1]
    return out


def _truth(asked: Asked, masked: Masked, lowest: dict[int, np.ndarray]) -> dict[int, Reference]:
    """The truth about each target."""
    n, rng = len(asked.history), asked.rng(MASKING)
    masks = subsets(rng, rng.integers(1, n + 1, MASKS), n)
    out = {}
    for target in asked.targets:
        case = Case(asked.model, asked.history, target, masked, asked.met, rng, {})
        score = case.score()
        terms = contributions(asked.model.cells_of(asked.history, target), n)
        taken = score - masked.of(~masks, target)
        out[target] = Reference(score, losses(case), terms, lowest.get(target), masks, taken)
    return out


def _moved(asked: Asked, found: list[tuple[str, Case, Explanation]]) -> dict[str, float]:
    """Sensitivity: how far the strengths of the first recommendation move when one random event is masked."""
    history, n = asked.history, len(asked.history)
    out = {name: np.nan for name, _, _ in found}
    if n < 2:
        return out
    kept = np.arange(n) != asked.rng(LEAVING).integers(n)
    rating, kind, elapsed = (None if x is None else x[kept] for x in (history.rating, history.kind, history.elapsed))
    whose = history.user, (), kind, elapsed
    fewer = History(history.item[kept], rating, history.age[kept], history.live[kept], *whose)
    masked = masked_scores(asked.model, fewer)
    for name, case, own in found:
        if case.target == asked.targets[0] and own.strength is not None:
            other = Case(asked.model, fewer, case.target, masked, asked.met, asked.rng(SEEDS[name]), {})
            again = ALL[name](other, 1).strength
            size = np.abs(own.strength[kept]).sum()
            assert again is not None
            out[name] = float(np.abs(again - own.strength[kept]).sum() / size) if size > 0 else 0.0
    return out
