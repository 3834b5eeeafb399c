"""Newcomers of a data set, the items without an event: what a fitted collaborative part leaves them, and their base.

For `HybridAttention`; the equations stand in `model/heads/inherited`. What is kept in a model file are the slopes and
levels, and the features of the newcomers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions
from xattn.errors import InputError, check_array, check_index_array, check_same_length
from xattn.features import newcomer_features
from xattn.kernels.fields import field_weights
from xattn.kernels.pool import pool_scores
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart
from xattn.model.heads.inherited import Inheritance, InheritedPart, expected, fit_inheritance, spread
from xattn.model.heads.part import fields_scores
from xattn.model.value_table import Form

__all__ = ["Newcomers", "inherit", "restored", "state_of"]

SAMPLE = 200  # users whose lists say how far inherited scores are spread


Strengths = Callable[[ContentPart | CollaborativePart, History], np.ndarray]  # w (n,) of a history, as a part asks it


class Newcomers(NamedTuple):
    """All that newcomers get: their heads, the content part with their gates, and the base (M,)."""

    part: InheritedPart
    content: ContentPart
    base: np.ndarray


def inherit(
    data: Interactions,
    content: ContentPart,
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
    content = content._replace(gate=gate)
    place = np.full(data.n_items, -1)
    place[new] = np.arange(len(new))
    part = InheritedPart(
        inheritance,
        form.row_of_item,
        features.names,
        features.F[new],
        new,
        place,
        behaviour.tau,
        behaviour.beta,
        behaviour.theta,
    )
    s = _spread(data, content, behaviour, strengths, part, features.F[form.warm], base, most)
    own = Inheritance(*(np.asarray(s * table, dtype=form.dtype) for table in inheritance))
    return Newcomers(part._replace(inheritance=own), content, base)


def _spread(
    data: Interactions,
    content: ContentPart,
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
    coef = np.hstack([_coefficients(behaviour, h, strengths(behaviour, h)) for h in histories])
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
        rest[u] = fields_scores(content.fields(h, strengths(content, h), part.new), h.live, base[part.new])
    alike = np.hstack([(table @ slopes.T).T + levels for table in (F, part.F)])
    return spread(warm, lifts, alike, rest, most)


def _coefficients(behaviour: CollaborativePart, history: History, w: np.ndarray) -> np.ndarray:
    """(H, n) weight times strength of all events."""
    field = [np.exp(-history.age / tau)[None, :] for tau in behaviour.tau]
    return np.array([field_weights(E, history.live, behaviour.beta, behaviour.theta)[0] * w for E in field])


# --- model files ------------------------------------------------------------------------------------------------------


def state_of(part: InheritedPart) -> dict[str, np.ndarray]:
    """The part as plain arrays."""
    return {
        "new": part.new,
        "new_names": np.frombuffer("\n".join(part.names).encode(), np.uint8),
        "new_F": part.F.toarray(),
        "slopes": part.inheritance.D,
        "levels": part.inheritance.l,
    }


def restored(state: dict[str, np.ndarray], behaviour: CollaborativePart) -> InheritedPart:
    """The part of `state_of`, beside the collaborative part of the same model. Raises InputError where they differ."""
    M = len(behaviour.gate)
    new = check_index_array("new", state["new"], size=M)
    names = tuple(state["new_names"].tobytes().decode().split("\n"))
    F = check_array("new_F", state["new_F"], ndim=2)
    D, levels = check_array("slopes", state["slopes"], ndim=3), check_array("levels", state["levels"], ndim=2)
    check_same_length(new=len(new), rows_of_new_F=len(F))
    check_same_length(new_names=len(names), columns_of_new_F=F.shape[1])
    if D.shape != (len(behaviour.tau), len(behaviour.form.warm), len(names)) or levels.shape != D.shape[:2]:
        raise InputError(f"`slopes` must hold heads × items × features; got {D.shape} and levels {levels.shape}.")
    place = np.full(M, -1)
    place[new] = np.arange(len(new))
    inheritance = Inheritance(D, levels)
    tau, beta, theta = behaviour.tau, behaviour.beta, behaviour.theta
    return InheritedPart(
        inheritance, behaviour.form.row_of_item, names, sparse.csr_array(F), new, place, tau, beta, theta
    )
