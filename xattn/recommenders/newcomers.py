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
from xattn.features.newcomers import has_texts
from xattn.kernels.pool import pool_scores
from xattn.model.fit.inheritance import PENALTY, chosen_penalty, expected, fit_inheritance, spread
from xattn.model.heads.blocks import BlocksPart
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart
from xattn.model.heads.field import fields_scores
from xattn.model.heads.inherited import Inheritance, InheritedPart
from xattn.model.value_table import Form

__all__ = ["Newcomers", "inherit", "with_newcomers"]

SAMPLE = 200  # users whose lists say how far inherited scores are spread
QUIET = 0.1  # of the content head for newcomers that texts describe: its worths of rare words are those of few items

Content = ContentPart | BlocksPart
Strengths = Callable[[str, History], np.ndarray]  # w (n,) of a history, in the way that a part asks for


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
    young: np.ndarray | None = None,
) -> Newcomers | None:
    """What newcomers get, as far as they then take no more than the share `most` of first places; None without any.

    `values` gives the value table that they inherit, over the rows of that of `behaviour`; `base` (M,) is that of the
    items that have been met, `young` (M,) how young these are where the base forgets (`expected`). None also where no
    item has values, or no feature is known.
    """
    counts = data.counts()
    new = np.flatnonzero(counts == 0)
    form = behaviour.form
    if not len(new) or not len(form.warm) or most == 0:
        return None
    features = newcomer_features(data.items, counts == 0)
    if not features.names:
        return None
    plain, asked = values(), _Asked.of(data, behaviour, strengths)
    penalty = PENALTY
    if has_texts(data.items):
        penalty = chosen_penalty(features.F[plain.warm], asked.lifts(plain), counts[plain.warm])
    inheritance = fit_inheritance(plain, features.F, penalty)
    share = np.where(counts > 0, base, 0.0)
    base, gate = base.copy(), content.gate.copy()
    base[new] = gate[new] = expected(share, features.F, new, float(base[new].min()), penalty, young)
    part = InheritedPart.of(behaviour, inheritance, features.names, features.F[new], new, features.blocks)
    part = replace(part, loudness=QUIET if has_texts(data.items) else 1.0)
    content = with_newcomers(replace(content, gate=gate), part)
    s = _spread(asked, content, behaviour, strengths, part, features.F[form.warm], base, most)
    own = Inheritance(*(np.asarray(s * table, dtype=form.dtype) for table in inheritance))
    return Newcomers(replace(part, inheritance=own), content, base)


def with_newcomers(content: Content, part: InheritedPart) -> Content:
    """The content part of a model with these newcomers, whose gates are those of all other items until then."""
    gate = content.gate.copy()
    gate[part.new] *= part.loudness
    return replace(content, gate=gate)


class _Asked(NamedTuple):
    """Some of the users, and how much each of their events counts: `coef` (H, N), rows of the values, ends of users."""

    histories: list[History]
    coef: np.ndarray
    row: np.ndarray
    ptr: np.ndarray

    @classmethod
    def of(cls, data: Interactions, behaviour: CollaborativePart, strengths: Strengths) -> _Asked:
        users = np.flatnonzero(np.diff(data.indptr))
        histories = [History.of(data, user) for user in users[:: max(1, len(users) // SAMPLE)].tolist()]
        coef = np.hstack([behaviour.coefficients(h, strengths(behaviour.strength, h)) for h in histories])
        row = behaviour.form.row_of_item[np.concatenate([h.item for h in histories])]
        return cls(histories, coef, row, np.concatenate([[0], np.cumsum([len(h) for h in histories])]))

    def lifts(self, form: Form) -> np.ndarray:
        """(U, C) what the values of `form` add to the scores of these users."""
        C = len(form.warm)
        out = np.zeros((len(self.histories), C))
        form.add_pooled(out, self.ptr, self.row, self.coef, np.arange(C), np.ones(C))
        return out


def _spread(
    asked: _Asked,
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
    rest = np.empty((len(histories), len(part.new)))
    for u, h in enumerate(histories):
        seen = form.row_of_item[h.item]
        warm[u, seen[seen >= 0]] = -np.inf  # no candidates
        rest[u] = fields_scores(content.fields(h, strengths(content.strength, h), part.new), h.live, base[part.new])
    alike = np.hstack([(table @ slopes.T).T + levels for table in (F, part.F)])
    return spread(warm, lifts, alike, rest, most)
