"""Newcomers of a data set, the items without an event: what a fitted collaborative part leaves them, and their base.

For `HybridAttention`; the equations stand in `model/heads/inherited.py` and `model/fit/inheritance.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions
from xattn.features import newcomer_features
from xattn.kernels.pool import pool_scores
from xattn.model.fit.inheritance import expected, fit_inheritance, spread
from xattn.model.heads.blocks import BlocksPart
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart
from xattn.model.heads.field import fields_scores
from xattn.model.heads.inherited import Inheritance, InheritedPart
from xattn.model.value_table import Form

__all__ = ["Newcomers", "inherit"]

SAMPLE = 200  # users whose lists say how far inherited scores are spread

Strengths = Callable[[str, History], np.ndarray]  # w (n,) of a history, in the way that a part asks for


class Newcomers(NamedTuple):
    """All that newcomers get: their heads, the content part with their gates, and the base (M,)."""

    part: InheritedPart
    content: ContentPart | BlocksPart
    base: np.ndarray


def inherit(
    data: Interactions,
    content: ContentPart | BlocksPart,
    behaviour: CollaborativePart,
    strengths: Strengths,
    values: Callable[[], Form],
    base: np.ndarray,
    most: float,
) -> Newcomers | None:
    """What newcomers get, as far as they then take no more than the share `most` of first places; None without any.

    `values` gives the value table that they inherit, over the rows of that of `behaviour`; `base` (M,) is that of the
    items that have been met. None also where no item has values, or no feature is known.
    """
    counts = data.counts()
    new = np.flatnonzero(counts == 0)
    form = behaviour.form
    if not len(new) or not len(form.warm) or most == 0:
        return None
    features = newcomer_features(data.items, counts == 0)
    if not features.names:
        return None
    inheritance = fit_inheritance(values(), features.F)
    share = np.where(counts > 0, base, 0.0)
    base, gate = base.copy(), content.gate.copy()
    base[new] = gate[new] = expected(share, features.F, new, float(base[new].min()))
    content = replace(content, gate=gate)
    part = InheritedPart.of(behaviour, inheritance, features.names, features.F[new], new, features.blocks)
    s = _spread(data, content, behaviour, strengths, part, features.F[form.warm], base, most)
    own = Inheritance(*(np.asarray(s * table, dtype=form.dtype) for table in inheritance))
    return Newcomers(replace(part, inheritance=own), content, base)


def _spread(
    data: Interactions,
    content: ContentPart | BlocksPart,
    behaviour: CollaborativePart,
    strengths: Strengths,
    part: InheritedPart,
    F: sparse.csr_array,
    base: np.ndarray,
    most: float,
) -> float:
    """s, from what some of the users are served; `F` are the features of the items with values."""
    users = np.flatnonzero(np.diff(data.indptr))
    histories = [History.of(data, user) for user in users[:: max(1, len(users) // SAMPLE)].tolist()]
    form = behaviour.form
    coef = np.hstack([behaviour.coefficients(h, strengths(behaviour.strength, h)) for h in histories])
    row = form.row_of_item[np.concatenate([h.item for h in histories])]
    ptr = np.concatenate([[0], np.cumsum([len(h) for h in histories])])
    C = len(form.warm)
    lifts = np.zeros((len(histories), C))
    form.add_pooled(lifts, ptr, row, coef, np.arange(C), np.ones(C))
    slopes = pool_scores(ptr, row, coef, part.inheritance.D)
    levels = pool_scores(ptr, row, coef, part.inheritance.l[:, :, None])
    warm = base[form.warm] + behaviour.gate[form.warm] * lifts
    rest = np.empty((len(histories), len(part.new)))
    for u, h in enumerate(histories):
        seen = form.row_of_item[h.item]
        warm[u, seen[seen >= 0]] = -np.inf  # no candidates
        rest[u] = fields_scores(content.fields(h, strengths(content.strength, h), part.new), h.live, base[part.new])
    alike = np.hstack([(table @ slopes.T).T + levels for table in (F, part.F)])
    return spread(warm, lifts, alike, rest, most)
