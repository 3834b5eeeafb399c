"""How much each block of features counts: worths for each block, and weights of blocks, learned on held-out events.

With a head for each block (`model/heads/blocks.py`), the relative score of target j after prefix t is

    r_tj = Σ_B π_B(j) h_tjB,      h_tjB = p_tjB · θ_B

h is what block B says alone (eq. 8). Blocks that *add* have their worths fitted together. Under *softmax*, each block's
worths are fitted alone, without the last event of anybody; the weights ω and one factor κ for all worths are those with
which these last events are told best, by the loss of eq. 8; then the worths are fitted on all events. All this is
training data: tests stay unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize

from xattn.model.fit.worths import Sampled, ridge_of, sampled_gradients, sampled_prefixes
from xattn.model.heads.blocks import block_shares
from xattn.model.heads.content import ItemFeatures

__all__ = ["BlockFit", "Pulls", "fit_blocks", "fit_weights", "loss"]

FAR = 6.0  # of ω: one block then counts 400 times as much as another


class BlockFit(NamedTuple):
    """The worths (d_B,) of each block, and ω (B,); None where the blocks add up."""

    worths: list[np.ndarray]
    omega: np.ndarray | None


class Pulls(NamedTuple):
    """What each block says of each target of each prefix, the event that came first: `h`, `known`, both (T, J, B)."""

    h: np.ndarray
    known: np.ndarray


def fit_blocks(
    blocks: Mapping[str, ItemFeatures],
    indptr: np.ndarray,
    item: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    *,
    softmax: bool,
    rng: np.random.Generator,
    **attention: float,
) -> BlockFit:
    """The worths of each block, and with `softmax` the weights of the blocks. See `fit_feature_worths` for the rest."""
    of = list(blocks.values())
    chosen = sampled_prefixes(indptr, item, b, rng)
    if chosen is None:
        return BlockFit([np.zeros(len(own.names)) for own in of], np.zeros(len(of)) if softmax else None)
    gradients = [sampled_gradients(own, chosen, item, w, **attention) for own in of]
    if not softmax:
        return BlockFit(ridge_of(gradients, chosen), None)
    omega, factor = np.zeros(len(of)), 1.0
    length = np.diff(indptr)
    last = indptr[1:][length > 1] - 1
    if len(of) > 1 and len(last):
        before = np.delete(np.arange(len(item)), last)
        ends = np.concatenate([[0], np.cumsum(np.where(length > 1, length - 1, length))])
        earlier = sampled_prefixes(ends, item[before], b, rng)
        held = sampled_prefixes(indptr, item, b, rng, last)
        if earlier is not None and held is not None:
            theta = [
                ridge_of([sampled_gradients(own, earlier, item[before], w[before], **attention)], earlier)[0]
                for own in of
            ]
            omega, factor = fit_weights(pulls_of(of, theta, held, item, w, **attention))
    return BlockFit([factor * ridge_of([own], chosen)[0] for own in gradients], omega)


def pulls_of(
    blocks: list[ItemFeatures],
    theta: list[np.ndarray],
    held: Sampled,
    item: np.ndarray,
    w: np.ndarray,
    **attention: float,
) -> Pulls:
    """What the blocks with worths `theta` say of the targets of `held` prefixes."""
    h = [sampled_gradients(own, held, item, w, **attention) @ worth for own, worth in zip(blocks, theta, strict=True)]
    known = [(np.diff(own.F.indptr) > 0)[held.targets] for own in blocks]
    return Pulls(np.stack(h, axis=-1).reshape(*held.targets.shape, -1), np.stack(known, axis=-1))


def loss(x: np.ndarray, pulls: Pulls) -> tuple[float, np.ndarray]:
    """The loss of ω and log κ, `x` (B + 1,), and its gradient: Σ_t mean_s r_ts² − 2 (r_t0 − mean_s r_ts), over T.

    The first target of a prefix came next, the others were drawn with probability b.
    """
    omega, factor = x[:-1], np.exp(x[-1])
    T, J, B = pulls.h.shape
    pi = block_shares(pulls.known.reshape(T * J, B).T, omega).T.reshape(T, J, B)
    r = factor * (pi * pulls.h).sum(axis=-1)
    S = J - 1
    value = ((r[:, 1:] ** 2).mean(axis=1) - 2 * (r[:, 0] - r[:, 1:].mean(axis=1))).mean()
    slope = np.empty((T, J))  # of the loss by r
    slope[:, 0] = -2.0
    slope[:, 1:] = (2 * r[:, 1:] + 2.0) / S
    slope /= T
    by_omega = np.einsum("tj,tjb->b", slope, pi * (factor * pulls.h - r[:, :, None]))
    return float(value), np.append(by_omega, (slope * r).sum())


def fit_weights(pulls: Pulls) -> tuple[np.ndarray, float]:
    """ω (B,), centred, and κ with which the pulls tell best what came next."""
    B = pulls.h.shape[2]
    bounds: Any = [(-FAR, FAR)] * B + [(-2.0, 2.0)]
    found = optimize.minimize(loss, np.zeros(B + 1), args=(pulls,), jac=True, method="L-BFGS-B", bounds=bounds)
    omega = np.asarray(found.x[:-1])
    return omega - omega.mean(), float(np.exp(found.x[-1]))
