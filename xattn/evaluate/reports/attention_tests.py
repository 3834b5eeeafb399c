"""Is the weight a fair picture of the effect? Our own models take the tests of the attention debate.

order         τ of the weights with leave-one-out, and how often the most attended event is the one that moves most
spread        the latter again, where the values of the attended events are alike and where they lie apart
permuted      weights are permuted among the events: how far does the score move, how much of the list stays
adversarial   weights as different as possible under which the scores of the whole list stay within 1 %
uniform       the same model learned with equal weights: what does attention add to accuracy
seeds         other random numbers: how different are the weights, how often is another event looked at most
erase         events erased by weight, and by effect, until the item leaves the list

Jain and Wallace (NAACL 2019), Wiegreffe and Pinter (EMNLP 2019), Serrano and Smith (ACL 2019). A case is a user's first
recommendation; weights are those of all heads, summed over an event.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog
from sklearn.base import clone

from xattn.errors import check_whole
from xattn.evaluate.faithfulness.case import Case, Met
from xattn.evaluate.faithfulness.explainers import EXPLAINERS, losses
from xattn.evaluate.faithfulness.masked import masked_scores
from xattn.evaluate.faithfulness.metrics import kendall
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import last_events
from xattn.evaluate.ranking import rank
from xattn.evaluate.reports.common import Figure, Person, check_model, figure, opening, people, sentence
from xattn.evaluate.setup import asked
from xattn.explain.question import rank_of
from xattn.progress import Progress, steps
from xattn.recommenders import Recommender

__all__ = ["attention_tests"]

DEALS = 20  # permutations a case
POOL = 50  # first items that may take the places of a permuted list
ALIKE = 0.01  # share of a score by which adversarial weights may move it
ENDLESS = 1e9  # recency and temperature under which all weights are equal
MOST_ERASED = 100  # events
FAIR_TAU, UNFAIR_TAU = 0.8, 0.3
FAIR_FIRST, UNFAIR_FIRST = 0.9, 0.5


class Looked(NamedTuple):
    """One case: weights (H, n), X (H, J, n) of the list's items and the pool's, base (J,), and the effects (n,)."""

    person: Person
    weights: np.ndarray
    X: np.ndarray
    base: np.ndarray
    shared: np.ndarray  # (H,) whether a head weighs alike for every item
    lost: np.ndarray
    case: Case


def attention_tests(
    model: Any,
    *,
    k: int = 10,
    sample: int = 60,
    seeds: int = 3,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """A report of kind "attention-tests": `rows` (test, measure, value, ci95), `verdict` ("fair", "partly", "unfair").

    `verdict` is fair where τ of weight and effect is at least 0.8 and the most attended event moves the score most in
    at least 9 of 10 cases, unfair where τ is under 0.3 or that holds in less than half. Tests that a model cannot take
    (no weights to make uniform, nothing random) are left out. Raises InputError for wrong arguments, NotFittedError
    before `fit`.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> attention_tests(ItemKNN().fit(planted("copurchase", seed=0).data), sample=10)["verdict"]
    'unfair'
    """
    model = check_model(model)
    seeds = check_whole("seeds", seeds, low=1)
    met = Met.of(model.data_)
    cases = [
        _looked(model, one, met) for one in people(model, sample, k, seed, progress) if one.listed and len(one.history)
    ]
    rng = np.random.default_rng(seed)
    rows = [*_order(cases, seed), *_permuted(cases, rng, seed), *_adversarial(cases, seed)]
    rows += [*_erase(cases, seed), *_uniform(model, k, seed, progress), *_seeds(model, cases, seeds, seed, progress)]
    verdict = _verdict(rows)
    report = {**opening("attention-tests", model, seed), "k": k, "cases": len(cases), "rows": rows, "verdict": verdict}
    return {**report, "summary": _summary(rows, verdict)}


def _looked(model: Recommender, one: Person, met: Met) -> Looked:
    pool = np.argsort(np.where(one.allowed, -one.scores, np.inf), kind="stable")
    pool = pool[: min(POOL, int(one.allowed.sum()))]
    per_item = [model.cells_of(one.history, int(item)) for item in pool]
    n = len(one.history)
    first = per_item[0]
    weights = np.array([head.weight for head in first]).reshape(-1, n)
    X = np.zeros((len(first), len(pool), n))
    shared = np.ones(len(first), bool)
    for at, heads in enumerate(per_item):
        for h, head in enumerate(heads[: len(first)]):
            X[h, at] = head.strength * head.gate * head.value.sum(axis=1)
            shared[h] &= bool(np.allclose(head.weight, weights[h], rtol=1e-6, atol=1e-12))
    case = Case(model, one.history, int(pool[0]), masked_scores(model, one.history), met, np.random.default_rng(0), {})
    base = one.scores[pool] - np.einsum("hn,hjn->j", weights, X)  # what is not in these terms stays
    return Looked(one, weights, X, base, shared, losses(case), case)


def _row(test: str, measure: str, found: Figure) -> dict[str, Any]:
    return {"test": test, "measure": measure, **found}


def _order(cases: list[Looked], seed: int) -> list[dict[str, Any]]:
    taus, firsts, apart = [], [], []
    for one in cases:
        total = one.weights.sum(axis=0)
        if len(total) < 2:
            continue
        taus.append(kendall(total, one.lost))
        firsts.append(float(np.argmax(total) == np.argmax(np.abs(one.lost))))
        values = np.abs(one.X[:, 0]).sum(axis=0)
        share = total / total.sum() if total.sum() > 0 else np.full(len(total), 1 / len(total))
        mean = share @ values
        apart.append(float(np.sqrt(share @ (values - mean) ** 2) / mean) if mean > 0 else 0.0)
    rows = [_row("order", "tau", figure(taus, seed)), _row("order", "first", figure(firsts, seed))]
    third = np.argsort(np.argsort(apart, kind="stable"), kind="stable") * 3 // max(1, len(apart))
    for at, name in ((0, "first, values alike"), (2, "first, values apart")):
        rows.append(_row("spread", name, figure(np.array(firsts)[third == at], seed)))
    return rows


def _permuted(cases: list[Looked], rng: np.random.Generator, seed: int) -> list[dict[str, Any]]:
    moved, stays = [], []
    for one in cases:
        n, k = one.weights.shape[1], len(one.person.listed)
        scores, kept = [], []
        for _ in range(DEALS):
            dealt = one.weights[:, rng.permutation(n)]
            score = one.base + np.einsum("hn,hjn->j", dealt, one.X)
            scores.append(abs(score[0] - one.person.scores[one.person.listed[0]]))
            best = np.argsort(-score, kind="stable")[:k]
            kept.append(np.count_nonzero(best < k) / max(1, k))  # the list is the first k of the pool
        size = abs(one.person.scores[one.person.listed[0]])
        moved.append(float(np.median(scores) / size) if size > 0 else float("nan"))
        stays.append(float(np.mean(kept)))
    return [
        _row("permuted", "score change", figure(moved, seed)),
        _row("permuted", "list that stays", figure(stays, seed)),
    ]


def _adversarial(cases: list[Looked], seed: int) -> list[dict[str, Any]]:
    far, others = [], []
    for one in cases:
        found = _other_weights(one)
        if found is None:
            continue
        total = one.weights.sum()
        far.append(float(np.abs(found - one.weights).sum() / (2 * total)))
        others.append(float(np.argmax(found.sum(axis=0)) != np.argmax(one.weights.sum(axis=0))))
    return [
        _row("adversarial", "distance", figure(far, seed)),
        _row("adversarial", "another first", figure(others, seed)),
    ]


def _other_weights(one: Looked) -> np.ndarray | None:
    """Weights (H, n) with each head's own sum, as orthogonal to the model's as a linear programme finds, under which
    the scores of the list stay within `ALIKE`; heads that weigh otherwise for every item keep their weights, unless
    there are no others: then only the first score has to stay. None where there is nothing to change.
    """
    H, n = one.weights.shape
    free = one.shared if one.shared.any() else np.ones(H, bool)
    k = len(one.person.listed) if one.shared.any() else 1
    if n < 2 or not free.any() or not one.weights[free].sum() > 0:
        return None
    a, X = one.weights[free], one.X[free][:, :k]
    rows = X.transpose(1, 0, 2).reshape(k, -1)
    served = rows @ a.ravel()
    slack = ALIKE * np.abs(one.person.scores[one.person.listed[:k]])
    sums = np.kron(np.eye(len(a)), np.ones(n))
    scale = np.abs(rows).max(axis=1, keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)  # rows of very different size trouble the solver
    upper = np.vstack([rows, -rows]) / np.vstack([scale, scale])
    bound = np.concatenate([served + slack, slack - served]) / np.concatenate([scale, scale])[:, 0]
    found = linprog(a.ravel(), A_ub=upper, b_ub=bound, A_eq=sums, b_eq=a.sum(axis=1), bounds=(0, None), method="highs")
    if not found.success:
        return None
    out = one.weights.copy()
    out[free] = found.x.reshape(a.shape)
    return out


def _erase(cases: list[Looked], seed: int) -> list[dict[str, Any]]:
    by_weight: list[float] = []
    by_effect: list[float] = []
    for one in cases:
        n, k = one.case.n, len(one.person.listed)
        most = min(n, MOST_ERASED)
        sets = EXPLAINERS["removal"](one.case, most).strongest
        order = np.argsort(-one.weights.sum(axis=0), kind="stable")
        for kept, chosen in ((by_weight, [tuple(order[:K]) for K in range(1, most + 1)]), (by_effect, list(sets))):
            live = np.array([~np.isin(np.arange(n), some) for some in chosen])
            kept.append(_flips(one, live, k))
    both = ~(np.isnan(by_weight) | np.isnan(by_effect))
    weight, effect = np.array(by_weight)[both], np.array(by_effect)[both]
    return [
        _row("erase", "events by weight", figure(weight, seed)),
        _row("erase", "events by effect", figure(effect, seed)),
    ]


def _flips(one: Looked, live: np.ndarray, k: int) -> float:
    """How many events of the order go until the item is out of the first k; NaN where it stays."""
    step = 10
    for low in range(0, len(live), step):
        scores = one.case.masked.all(live[low : low + step])
        for at, row in enumerate(scores):
            if (rank_of(row, one.case.target, one.person.allowed) or 0) > k:
                return float(low + at + 1)
    return float("nan")


def _uniform(model: Recommender, k: int, seed: int, progress: Progress | None) -> list[dict[str, Any]]:
    own = model.get_params(deep=False)
    even: dict[str, Any] = {name: ENDLESS for name in ("temperature", "content_recency") if name in own}
    if isinstance(own.get("recency"), tuple | list):
        even["recency"] = (ENDLESS,)
    questions = last_events(model.data_)
    if not even or not questions.histories:
        return []
    found = []
    for params in steps(progress, "uniform weights", ({}, even)):
        other = asked(clone(model), "next-item").set_params(**params).fit(questions.train)
        found.append(per_user(rank(other, questions, k).ranks, k)[f"ndcg@{k}"])
    names = (f"ndcg@{k}", f"ndcg@{k}, uniform", f"ndcg@{k}, difference")
    return [
        _row("uniform", name, figure(values, seed))
        for name, values in zip(names, (found[0], found[1], found[0] - found[1]), strict=True)
    ]


def _seeds(
    model: Recommender, cases: list[Looked], seeds: int, seed: int, progress: Progress | None
) -> list[dict[str, Any]]:
    if "random_state" not in model.get_params(deep=False):
        return []
    apart, others, moving = np.zeros((seeds, len(cases))), np.zeros((seeds, len(cases))), np.zeros((seeds, len(cases)))
    for number in steps(progress, "seeds", range(seeds)):
        again = clone(model).set_params(random_state=seed + 1 + number).fit(model.data_)
        for at, one in enumerate(cases):
            target = one.case.target
            cells = again.cells_of(one.person.history, target)
            weight = np.sum([np.zeros(one.case.n), *(head.weight for head in cells)], axis=0)
            own = one.weights.sum(axis=0)
            apart[number, at] = np.abs(weight / max(weight.sum(), 1e-300) - own / max(own.sum(), 1e-300)).sum() / 2
            others[number, at] = np.argmax(weight) != np.argmax(own)
            alone = np.array([target])
            lost = again.scores_of(one.person.history)[target] - again.scores_without_each(one.person.history, alone)[0]
            moving[number, at] = np.argmax(np.abs(lost)) != np.argmax(np.abs(one.lost))
    return [
        _row("seeds", "distance", figure(apart.mean(axis=0), seed)),
        _row("seeds", "another first", figure(others.mean(axis=0), seed)),
        _row("seeds", "another first by effect", figure(moving.mean(axis=0), seed)),
    ]


def _value(rows: list[dict[str, Any]], test: str, measure: str) -> float | None:
    return next((row["value"] for row in rows if (row["test"], row["measure"]) == (test, measure)), None)


def _verdict(rows: list[dict[str, Any]]) -> str:
    tau, first = _value(rows, "order", "tau"), _value(rows, "order", "first")
    if tau is None or first is None:
        return "partly"
    if tau >= FAIR_TAU and first >= FAIR_FIRST:
        return "fair"
    return "unfair" if tau < UNFAIR_TAU or first < UNFAIR_FIRST else "partly"


def _summary(rows: list[dict[str, Any]], verdict: str) -> list[dict[str, Any]]:
    lines = [sentence(f"weights_{verdict}")]
    pairs: list[tuple[str, dict[str, tuple[str, str]]]] = [
        ("weights_order", {"tau": ("order", "tau"), "first": ("order", "first")}),
        ("weights_spread", {"alike": ("spread", "first, values alike"), "apart": ("spread", "first, values apart")}),
        ("weights_permuted", {"change": ("permuted", "score change"), "stays": ("permuted", "list that stays")}),
        ("weights_adversarial", {"distance": ("adversarial", "distance"), "other": ("adversarial", "another first")}),
        ("weights_erase", {"weight": ("erase", "events by weight"), "effect": ("erase", "events by effect")}),
        ("weights_seeds", {"other": ("seeds", "another first"), "effect": ("seeds", "another first by effect")}),
    ]
    for key, places in pairs:
        values = {name: _value(rows, *place) for name, place in places.items()}
        if None not in values.values():
            lines.append(sentence(key, **values))
    gain = next((row for row in rows if row["test"] == "uniform" and row["measure"].endswith("difference")), None)
    if gain is not None and gain["value"] is not None:
        low, high = gain["ci95"]
        key = "weights_needed" if low > 0 else "weights_not_needed" if high < 0 else "weights_unsure"
        lines.append(sentence(key, gain=gain["value"]))
    return lines
