"""The explainers that are compared, each a function (Case, most) → Explanation; all are measured the same way.

contribution   the event's cells of the ledger, summed
removal        the closed-form loss when the event is masked; sets by iterated removal
attention      the raw weights of all heads, summed
cosine         |A ∩ B| / √(|A||B|) of the users who met the event's item and the target
jaccard        |A ∩ B| / |A ∪ B| of the same
lime           the package's linear surrogate near the full history      (packages.py)
kernel_shap    the package's estimate of Shapley values                  (packages.py)
random         a seeded shuffle: the floor
exhaustive     the best set of each size: the ceiling                    (search.py)

and, when asked for by name (`MORE`):

strongest          the sets of `Ledger.strongest`, without which a score is lowest  (asked.py)
sufficient         those of `Ledger.sufficient`, which keep it highest alone        (asked.py)
lead               sets without which the lead over the best other item is smallest (asked.py)
arrival            what each event changed when it arrived, in the order of time    (asked.py)
shapley            what it changes on average over orders                           (asked.py)
balanced           sets that both keep the score alone and lower it when they are gone, in closed form
lime_own           our small version of lime         (surrogates.py)
kernel_shap_own    our small version of kernel_shap  (surrogates.py)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xattn.evaluate.faithfulness.asked import arrival, lead, shapley, strongest, sufficient
from xattn.evaluate.faithfulness.case import Case, Explanation, ordered, prefixes
from xattn.evaluate.faithfulness.packages import kernel_shap, lime
from xattn.evaluate.faithfulness.search import exhaustive
from xattn.evaluate.faithfulness.surrogates import kernel_shap as kernel_shap_own
from xattn.evaluate.faithfulness.surrogates import lime as lime_own
from xattn.explain.rows import contributions

__all__ = ["EXPLAINERS", "MORE", "Explainer", "losses"]

ALONE = 0.25  # what f(xK) counts beside f(x∖K): where DEL and INS both are at least those of the surrogates
Explainer = Callable[[Case, int], Explanation]


def contribution(case: Case, most: int) -> Explanation:
    """Cells summed per event; base + Σ is the score."""
    total = contributions(case.model.cells_of(case.history, case.target), case.n)
    return ordered(total, most, offset=float(case.model.base_[case.target]))


def losses(case: Case) -> np.ndarray:
    """Leave-one-out: what the score loses when each event is masked (n,), which is minus the removal effect."""
    without = case.model.scores_without_each(case.history, np.array([case.target]))[0]
    lost: np.ndarray = case.score() - without
    return lost


def removal(case: Case, most: int) -> Explanation:
    """Strengths are the single losses. Sets grow by iterated removal: mask the event without which the score is lowest
    (for the weakest: highest), compute the effects of the others given that, and so on; K closed-form passes, O(K·n).
    Where the events' effects add up, this is the order of the single losses.
    """
    return Explanation(losses(case), _iterated(case, most, sign=1.0), _iterated(case, most, sign=-1.0))


def _iterated(case: Case, most: int, sign: float) -> tuple[tuple[int, ...], ...]:
    live, order = np.ones(case.n, bool), []
    for _ in range(min(most, case.n)):
        score = np.where(live, sign * case.masked.each(live[None, :], case.target)[0], np.inf)
        order.append(int(np.argmin(score)))
        live[order[-1]] = False
    return prefixes(order, most)


def balanced(case: Case, most: int) -> Explanation:
    """Sets that grow by the event with the largest ¼ f(xK) − f(x∖K): alone they keep much, and are missed much."""
    strength = losses(case)
    return Explanation(strength, _grown(case, most, sign=1.0), _grown(case, most, sign=-1.0))


def _grown(case: Case, most: int, sign: float) -> tuple[tuple[int, ...], ...]:
    live, order = np.ones(case.n, bool), []
    for _ in range(min(most, case.n)):
        without = case.masked.each(live[None, :], case.target)[0]
        alone = case.masked.with_each(~live[None, :], case.target)[0]
        order.append(int(np.argmax(np.where(live, sign * (ALONE * alone - without), -np.inf))))
        live[order[-1]] = False
    return prefixes(order, most)


def attention(case: Case, most: int) -> Explanation:
    """How much the heads look at an event, whatever they see there."""
    total = np.zeros(case.n)
    for cells in case.model.cells_of(case.history, case.target):
        total += cells.weight
    return ordered(total, most)


def cosine(case: Case, most: int) -> Explanation:
    """Similarity of the event's item to the target by the users they share; the model is not asked."""
    item = case.history.item
    size = np.sqrt(case.met.size[item] * case.met.size[case.target])
    return ordered(case.met.shared(item, case.target) / np.where(size > 0, size, 1.0), most)


def jaccard(case: Case, most: int) -> Explanation:
    """The same as a share of the users who met either."""
    item = case.history.item
    shared = case.met.shared(item, case.target)
    union = case.met.size[item] + case.met.size[case.target] - shared
    return ordered(shared / np.where(union > 0, union, 1.0), most)


def random(case: Case, most: int) -> Explanation:
    """An order without a reason."""
    return ordered(case.rng.permutation(case.n).astype(float), most)


EXPLAINERS: dict[str, Explainer] = {
    "contribution": contribution,
    "removal": removal,
    "attention": attention,
    "cosine": cosine,
    "jaccard": jaccard,
    "lime": lime,
    "kernel_shap": kernel_shap,
    "random": random,
    "exhaustive": exhaustive,
}
MORE: dict[str, Explainer] = {
    "balanced": balanced,
    "lime_own": lime_own,
    "kernel_shap_own": kernel_shap_own,
    "strongest": strongest,
    "arrival": arrival,
    "shapley": shapley,
    "lead": lead,
    "sufficient": sufficient,
}
