"""Many histories at once through heads that do not look at the target: one call of the pooling kernel for all.

The attention of a collaborative part depends on ages alone, so the coefficients of all histories are known before any
score is; laid end to end they are the ragged batch that `xattn.kernels.pool` takes. Its cells are summed in the order
of heads and events whoever else is in the batch, so each row has the bits of `CollaborativePart.scores`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from xattn.data import History
from xattn.kernels.fields import field_weights
from xattn.kernels.pool import pool_scores
from xattn.model.collaborative import CollaborativePart

__all__ = ["collaborative_scores"]


def collaborative_scores(
    part: CollaborativePart, histories: Sequence[History], strengths: Callable[[History], np.ndarray]
) -> np.ndarray:
    """The part's scores of every item for each history (R, M); `strengths` gives the w (n,) of one."""
    out = np.zeros((len(histories), len(part.gate)))
    if not histories:
        return out
    coef = [
        [
            field_weights(part._E(events, h), events.live, part.beta, part.theta)[0] * strengths(events)
            for h in range(len(part.tau))
        ]
        for events in histories
    ]
    rows = np.concatenate([part.form.row_of_item[events.item] for events in histories])
    indptr = np.cumsum([0, *map(len, histories)])
    pooled = pool_scores(indptr, rows, np.concatenate([np.array(own) for own in coef], axis=1), part.form.V)
    out[:, part.form.warm] = part.gate[part.form.warm] * pooled
    return out
