"""Choices among few alternatives with known features: the conditional logit, whose utility is a ledger of features.

    P(j | set) = exp u_j / Σ_{l in set} exp u_l,      u_j = Σ_f β_f x_jf          (McFadden 1974)

Choice sets are no histories: somebody saw a few alternatives and took one. A recommender that learns from histories has
nothing to attend to there, unless the same person chose several times. The cells β_f (x_jf − mean over the set) of an
alternative add up to how far its utility is above that of the set, and without a feature they are what is announced.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize

from xattn.errors import check_array, check_number, check_same_length, refuse

__all__ = ["Choices", "ConditionalLogit", "conditional_logit"]


class Choices(NamedTuple):
    """n alternatives of S sets, one line each: `X` (n, d) features, `group` (n,) the number of the set, ascending from
    0, `chosen` (n,) bool."""

    X: np.ndarray
    group: np.ndarray
    chosen: np.ndarray

    def take(self, wanted: np.ndarray) -> Choices:
        """The sets that are `wanted` (S,) bool, numbered anew."""
        keep = wanted[self.group]
        return Choices(self.X[keep], np.unique(self.group[keep], return_inverse=True)[1], self.chosen[keep])


class ConditionalLogit(NamedTuple):
    """Fitted: `beta` (d,), and the mean log-likelihood of a choice among those that it was fitted to."""

    beta: np.ndarray
    log_likelihood: float

    def utility(self, X: np.ndarray) -> np.ndarray:
        """u (n,)."""
        return np.asarray(X @ self.beta)

    def probability(self, choices: Choices) -> np.ndarray:
        """P (n,), which adds up to 1 in each set."""
        return _softmax(self.utility(choices.X), choices.group)

    def cells(self, choices: Choices) -> np.ndarray:
        """(n, d) what each feature adds to the utility of an alternative above the mean of its set."""
        count = np.bincount(choices.group).astype(float)
        mean = np.stack([np.bincount(choices.group, column) / count for column in choices.X.T], axis=1)
        return np.asarray((choices.X - mean[choices.group]) * self.beta)


def conditional_logit(choices: Choices, *, ridge: float = 1e-6) -> ConditionalLogit:
    """β that minimises −Σ log P(chosen) + ridge/2 |β|², by Newton's method in a trust region.

    Raises InputError for arrays of other forms, and where a set has no chosen alternative, or several.

    >>> X = np.array([[1.0], [0.0], [1.0], [0.0], [1.0], [0.0]])
    >>> chosen = np.array([True, False, True, False, False, True])
    >>> fit = conditional_logit(Choices(X, np.array([0, 0, 1, 1, 2, 2]), chosen))
    >>> round(float(fit.beta[0]), 3)  # ln 2: chosen in two of three
    0.693
    """
    X = check_array("X", choices.X, ndim=2)
    ridge = check_number("ridge", ridge, low=0.0)
    check_same_length(X=len(X), group=len(choices.group), chosen=len(choices.chosen))
    group, chosen = np.asarray(choices.group), np.asarray(choices.chosen, bool)
    taken = np.bincount(group, chosen)
    if not (taken == 1).all():
        refuse("one_choice", got=int(taken[taken != 1][0]))
    sets = len(taken)

    def loss(beta: np.ndarray) -> float:
        u = X @ beta
        return float(_logsum(u, group).sum() - u[chosen].sum() + ridge / 2 * beta @ beta)

    def gradient(beta: np.ndarray) -> np.ndarray:
        return np.asarray(X.T @ (_softmax(X @ beta, group) - chosen) + ridge * beta)

    def hessian(beta: np.ndarray) -> np.ndarray:
        p = _softmax(X @ beta, group)
        mean = np.stack([np.bincount(group, p * column) for column in X.T], axis=1)
        return np.asarray((X * p[:, None]).T @ X - mean.T @ mean + ridge * np.eye(X.shape[1]))

    found = optimize.minimize(loss, np.zeros(X.shape[1]), jac=gradient, hess=hessian, method="trust-exact")
    return ConditionalLogit(found.x, -(loss(found.x) - ridge / 2 * float(found.x @ found.x)) / sets)


def _logsum(u: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(S,) log Σ exp u of each set."""
    top = np.full(int(group.max()) + 1, -np.inf)
    np.maximum.at(top, group, u)
    return np.asarray(top + np.log(np.bincount(group, np.exp(u - top[group]))))


def _softmax(u: np.ndarray, group: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(u - _logsum(u, group)[group]))
