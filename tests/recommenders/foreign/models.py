"""Models from elsewhere, as small as they can be, each fitted to Interactions by a function of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import sparse

from xattn.data import Interactions
from xattn.data.synthetic import planted
from xattn.recommenders.foreign import ItemFactors

Histories = list[np.ndarray]


@cache
def data() -> Interactions:
    """Planted tastes: 200 people, 40 items."""
    return planted("copurchase", seed=0).data


def table(events: Interactions) -> np.ndarray:
    """Who took what (U, M)."""
    met = np.zeros((events.n_users, events.n_items))
    met[events.user, events.item] = 1.0
    return met


def ease(events: Interactions, lam: float = 10.0) -> np.ndarray:
    """EASE (Steck, WWW 2019): B = I − P / diag P, P = (XᵀX + λI)⁻¹."""
    met = table(events)
    P = np.linalg.inv(met.T @ met + lam * np.eye(events.n_items))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0.0)
    return np.asarray(B)


def neighbours(events: Interactions) -> sparse.csr_array:
    """The five items most often taken with each."""
    met = table(events)
    together = met.T @ met
    np.fill_diagonal(together, 0.0)
    least = np.sort(together, axis=1)[:, [-5]]
    return sparse.csr_array(np.where(together >= least, together, 0.0))


def factors(events: Interactions, d: int = 6) -> ItemFactors:
    """The item vectors of a singular value decomposition, to be folded into."""
    _, sizes, vectors = np.linalg.svd(table(events), full_matrices=False)
    return ItemFactors(vectors[:d].T * np.sqrt(sizes[:d]), regularization=0.5, alpha=5.0)


def fading(events: Interactions) -> Callable[[Histories], np.ndarray]:
    """A function that is no sum over events: a bent sum that fades with age, over how popular the items are."""
    B, shares = ease(events), events.counts() / events.n_events

    def scores(histories: Histories) -> np.ndarray:
        rows = [0.8 ** np.arange(len(one))[::-1] @ B[one] for one in histories]
        return shares + np.tanh(np.array(rows))

    return scores
