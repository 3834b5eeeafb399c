"""Many histories at once through heads that do not look at the target: one call of the pooling kernel for all.

The attention of a collaborative part depends on ages alone, so the coefficients of all histories are known before any
score is; laid end to end they are the ragged batch that `xattn.kernels.pool` takes. Its cells are summed in the order
of heads and events whoever else is in the batch, so each row has the bits of `CollaborativePart.scores`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xattn.data import History, JoinedHistories
from xattn.kernels.fields import field_weights_of_many
from xattn.kernels.pool import pool_scores
from xattn.model.collaborative import CollaborativePart

__all__ = ["collaborative_scores"]


def collaborative_scores(
    part: CollaborativePart,
    histories: JoinedHistories,
    strengths: Callable[[History | JoinedHistories], np.ndarray],
) -> np.ndarray:
    """The part's scores of every item for each history (R, M); `strengths` gives the w of their events."""
    out = np.zeros((len(histories), len(part.gate)))
    if not len(histories):
        return out
    w = strengths(histories) if histories.alike else np.concatenate([strengths(events) for events in histories])
    E = np.concatenate([part.exponentials(histories.age, h) for h in range(len(part.tau))])
    coef = field_weights_of_many(E, histories.live, histories.indptr, part.beta, part.theta) * w
    pooled = pool_scores(histories.indptr, part.form.row_of_item[histories.item], coef, part.form.V)
    out[:, part.form.warm] = part.gate[part.form.warm] * pooled
    return out
