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
from xattn.model.heads.collaborative import CollaborativePart

__all__ = ["add_collaborative_scores"]


def add_collaborative_scores(
    part: CollaborativePart,
    histories: JoinedHistories,
    strengths: Callable[[History | JoinedHistories], np.ndarray],
    out: np.ndarray,
) -> None:
    """Add the part's scores of every item for each history to `out` (R, M); `strengths` gives the w of their events."""
    if not len(histories):
        return
    w = strengths(histories) if histories.alike else np.concatenate([strengths(events) for events in histories])
    E = np.concatenate([part.exponentials(histories.age, h) for h in range(len(part.tau))])
    coef = field_weights_of_many(E, histories.live, histories.indptr, part.beta, part.theta) * w
    form, rows = part.form, part.form.row_of_item[histories.item]
    form.add_pooled(out, histories.indptr, rows, coef, form.warm, part.gate[form.warm])
