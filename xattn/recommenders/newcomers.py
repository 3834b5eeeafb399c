"""Newcomers of a data set, the items without an event: what a fitted collaborative part leaves them, and their base.

For `HybridAttention`; the equations stand in `model/heads/inherited.py` and `model/fit/inheritance.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.data import Interactions
from xattn.features import newcomer_features
from xattn.features.newcomers import has_texts
from xattn.kernels.pool import pool_scores
from xattn.model.fit.inheritance import evening, expected, fit_inheritance, scaled, spread
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.inherited import Inheritance, InheritedPart, alike
from xattn.model.value_table import Form
from xattn.recommenders.rehearsal import BEFORE, Asked, Content, Strengths, Way, has_room

__all__ = ["Newcomers", "inherit", "with_newcomers"]


class Newcomers(NamedTuple):
    """All that newcomers get: their heads, the content part with their gates, and the base (M,)."""

    part: InheritedPart
    content: Content
    base: np.ndarray


def inherit(
    data: Interactions,
    content: Content,
    behaviour: CollaborativePart,
    strengths: Strengths,
    values: Callable[[], Form],
    base: np.ndarray,
    most: float,
    way: Callable[[bool], Way],
    young: np.ndarray | None = None,
) -> Newcomers | None:
    """What newcomers get, as far as they then take no more than the share `most` of first places; None without any.

    `values` gives the value table that they inherit, over the rows of that of `behaviour`; `base` (M,) is that of the
    items that have been met, `young` (M,) how young these are where the base forgets (`expected`). `way` is asked where
    texts describe the items, with whether there is room for squares (`has_room`). None also where no item has values,
    or no feature is known.
    """
    counts = data.counts()
    new = np.flatnonzero(counts == 0)
    form = behaviour.form
    if not len(new) or not len(form.warm) or most == 0:
        return None
    features = newcomer_features(data.items, counts == 0, form.row_of_item >= 0)
    if not features.names:
        return None
    plain, asked = values(), Asked.of(data, behaviour, strengths)
    penalty, evened, loudness, squared = way(has_room(form, len(new))) if has_texts(data.items) else BEFORE
    known = scaled(features.F[form.warm]) if squared else None
    factor = evening(counts[plain.warm]) if evened else None
    inheritance = fit_inheritance(plain, features.F, penalty, factor, known)
    share = np.where(counts > 0, base, 0.0)
    base, gate = base.copy(), content.gate.copy()
    base[new] = gate[new] = expected(share, features.F, new, float(base[new].min()), penalty, young)
    part = InheritedPart.of(behaviour, inheritance, features.names, features.F[new], new, features.blocks)
    part = replace(part, loudness=loudness, known=known)
    content = with_newcomers(replace(content, gate=gate), part)
    s = _spread(asked, content, behaviour, strengths, part, features.F[form.warm], base, most)
    own = Inheritance(*(np.asarray(s * table, dtype=form.dtype) for table in inheritance))
    return Newcomers(replace(part, inheritance=own), content, base)


def with_newcomers(content: Content, part: InheritedPart) -> Content:
    """The content part of a model with these newcomers, whose gates are those of all other items until then."""
    gate = content.gate.copy()
    gate[part.new] *= part.loudness
    return replace(content, gate=gate)


def _spread(
    asked: Asked,
    content: Content,
    behaviour: CollaborativePart,
    strengths: Strengths,
    part: InheritedPart,
    F: sparse.csr_array,
    base: np.ndarray,
    most: float,
) -> float:
    """s, from what some of the users are served; `F` are the features of the items with values."""
    form = behaviour.form
    histories, coef, row, ptr = asked
    lifts = asked.lifts(form)
    slopes = pool_scores(ptr, row, coef, part.inheritance.D)
    levels = pool_scores(ptr, row, coef, part.inheritance.l[:, :, None])
    warm = base[form.warm] + behaviour.gate[form.warm] * lifts
    for own, h in zip(warm, histories, strict=True):
        seen = form.row_of_item[h.item]
        own[seen[seen >= 0]] = -np.inf  # no candidates
    rest = asked.said(content, strengths, part.new, base[part.new])
    own = F if part.known is None else alike(F, part.known)
    both = np.hstack([(table @ slopes.T).T + levels for table in (own, part.said)])
    return spread(warm, lifts, both, rest, most)
