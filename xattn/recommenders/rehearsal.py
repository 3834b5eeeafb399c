"""How newcomers are scored where texts describe the items: the way by which hidden training items are found best.

A tenth of the items is hidden, and worths and values are fitted once more without their events. Of each way of scoring
newcomers (`WAYS`), it is asked where the hidden items stand in the lists of those who met them, with the K first places
that newcomers may take a share of:

    the way of the largest mean over users of 1/(1 + (rank/K)²)

That is recall@K with a soft edge: who stands just under place K counts nearly half. Where a tenth of the items gives
fewer than `QUESTIONS` questions, others are hidden in their place, up to `DRAWS` times, and users are counted anew each
time: a choice by a few items would follow chance. Of large data so many people are drawn as have some 200,000 events,
and at most `QUESTIONS` questions are asked. Without texts the way is `BEFORE`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby, product
from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions
from xattn.data.hidden import FEWEST, SHARE, ColdQuestion, hidden_items, questions_of
from xattn.features import newcomer_features
from xattn.model.fit.inheritance import (
    PENALTY,
    evening,
    expected,
    first_places,
    kernel_regression,
    regression,
    scaled,
    spread,
)
from xattn.model.heads.blocks import BlocksPart
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart
from xattn.model.heads.field import fields_scores
from xattn.model.heads.inherited import alike
from xattn.model.value_table import Form
from xattn.recommenders.dislikes import some_people

__all__ = [
    "BEFORE",
    "PENALTIES",
    "USUAL",
    "WAYS",
    "Asked",
    "Content",
    "Fitted",
    "Strengths",
    "Way",
    "chosen_way",
    "has_room",
    "ranks_by_way",
]

SAMPLE = 200  # users whose lists say how far inherited scores are spread
QUESTIONS = 600
DRAWS = 10  # of hidden items, until there are so many questions
BLOCK = 8_000_000  # scores (questions × items) held at a time: 64 MB
ALIKE = 8_000_000  # pairs of items that are held, where what they have in common counts squared: 64 MB

Content = ContentPart | BlocksPart
Strengths = Callable[[str, History], np.ndarray]  # w (n,) of a history, in the way that a part asks for


class Way(NamedTuple):
    """How newcomers are scored: the ridge λ, whether values are evened, how loud the content head is, and whether what
    items have in common counts squared.

    The worths of the content head are fitted to items that have been met, and overrate rare words.
    """

    penalty: float
    evened: bool
    loudness: float
    squared: bool = False


BEFORE = Way(PENALTY, False, 1.0)  # where no texts describe the items
USUAL = Way(16.0, True, 0.1)  # where nothing can be asked
PENALTIES, LOUDNESSES = (1.0, 4.0, 16.0, 64.0), (0.0, 0.1, 0.3)  # that are tried
WAYS = tuple(Way(*way) for way in product(PENALTIES, (True, False), LOUDNESSES, (False, True)))


class Fitted(NamedTuple):
    """Parts of a model fitted to `data`, the `values` that newcomers inherit, `base` and youth (M,)."""

    data: Interactions
    content: Content
    behaviour: CollaborativePart
    values: Form
    base: np.ndarray
    young: np.ndarray | None


class Asked(NamedTuple):
    """Some histories, and how much each event counts: `coef` (H, N), rows of the values, ends of histories."""

    histories: list[History]
    coef: np.ndarray
    row: np.ndarray
    ptr: np.ndarray

    @classmethod
    def of(cls, data: Interactions, behaviour: CollaborativePart, strengths: Strengths) -> Asked:
        """`SAMPLE` of the users."""
        users = np.flatnonzero(np.diff(data.indptr))
        histories = [History.of(data, user) for user in users[:: max(1, len(users) // SAMPLE)].tolist()]
        return cls.of_histories(histories, behaviour, strengths)

    @classmethod
    def of_histories(cls, histories: list[History], behaviour: CollaborativePart, strengths: Strengths) -> Asked:
        coef = np.hstack([behaviour.coefficients(h, strengths(behaviour.strength, h)) for h in histories])
        row = behaviour.form.row_of_item[np.concatenate([h.item for h in histories])]
        return cls(histories, coef, row, np.concatenate([[0], np.cumsum([len(h) for h in histories])]))

    def lifts(self, form: Form) -> np.ndarray:
        """(U, C) what the values of `form` add to the scores of these users."""
        C = len(form.warm)
        out = np.zeros((len(self.histories), C))
        form.add_pooled(out, self.ptr, self.row, self.coef, np.arange(C), np.ones(C))
        return out

    def said(self, content: Content, strengths: Strengths, targets: np.ndarray, base: np.ndarray) -> np.ndarray:
        """(U, J) the scores of `targets` (J,) by the content part, with the `base` (J,)."""
        out = np.empty((len(self.histories), len(targets)))
        for own, h in zip(out, self.histories, strict=True):
            own[:] = fields_scores(content.fields(h, strengths(content.strength, h), targets), h.live, base)
        return out


def has_room(form: Form, n_new: int) -> bool:
    """Whether what so many newcomers have in common with the items that have values can be held, and their slopes."""
    C = len(form.warm)
    return C * max(C, n_new) <= ALIKE


def chosen_way(
    data: Interactions,
    refit: Callable[[Interactions], Fitted],
    strengths: Strengths,
    most: float,
    rng: np.random.Generator,
    ways: Sequence[Way] = WAYS,
) -> Way:
    """The one of `ways` by which hidden items are found best; `USUAL` where nothing can be hidden or asked.

    `refit` fits a model's parts to less data; newcomers may take the share `most` of first places.
    """
    data = some_people(data, rng)
    if int((data.counts() >= FEWEST).sum() * SHARE) < 1:
        return USUAL
    able, asked = min(QUESTIONS, max(1, BLOCK // data.n_items)), 0
    found = dict.fromkeys(ways, 0.0)
    for _ in range(DRAWS):
        hidden = hidden_items(data, rng)
        train = data.select(~hidden[data.item])
        questions = questions_of(data, train, hidden)
        if len(questions) > able:
            questions = [questions[q] for q in np.sort(rng.choice(len(questions), able, replace=False)).tolist()]
        fitted = refit(train) if questions else None
        if fitted is not None and len(fitted.behaviour.form.warm):
            asked += len(questions)
            ranks = ranks_by_way(fitted, questions, strengths, most, ways)
            user, K = np.array([question.user for question in questions]), first_places(len(fitted.behaviour.form.warm))
            share = 1.0 / np.bincount(user)[user]
            own = {way: float(share @ (1.0 / (1.0 + (rank / K) ** 2))) for way, rank in ranks.items()}
            found = {way: found[way] + own[way] for way in found if way in own}
        if asked >= able:
            break
    return max(found, key=lambda way: found[way]) if asked else USUAL


def ranks_by_way(
    fitted: Fitted, questions: list[ColdQuestion], strengths: Strengths, most: float, ways: Sequence[Way] = WAYS
) -> dict[Way, np.ndarray]:
    """By each of the `ways`, the rank (Q,) of what each question asks for; but not by those that are too loud.

    A content head that takes more places for newcomers than their share costs items that have been met."""
    data, content, behaviour, values, base, young = fitted
    form, counts = behaviour.form, data.counts()
    warm, new = form.warm, np.flatnonzero(counts == 0)
    F = newcomer_features(data.items, counts == 0, form.row_of_item >= 0).F
    sample = Asked.of(data, behaviour, strengths)
    asked = Asked.of_histories([question.history for question in questions], behaviour, strengths)
    opened = replace(content, gate=np.where(counts == 0, 1.0, content.gate))
    said = [of.said(opened, strengths, new, np.zeros(len(new))) for of in (sample, asked)]
    full, plain = ([of.lifts(own) for of in (sample, asked)] for own in (form, values))
    first = base[warm] + behaviour.gate[warm] * full[0]
    _leave_out(first, [history.item for history in sample.histories], form.row_of_item)
    met = np.array([base + opened.scores(h, strengths(opened.strength, h)) for h in asked.histories])
    met[:, warm] += behaviour.gate[warm] * full[1]
    met[:, new] = -np.inf
    _leave_out(met, [question.seen for question in questions], np.arange(data.n_items))
    place = np.full(data.n_items, -1)
    place[new] = np.arange(len(new))
    target = place[[question.target for question in questions]]
    share, least = np.where(counts > 0, base, 0.0), float(base[new].min())
    own_base = {p: expected(share, F, new, least, p, young) for p in {way.penalty for way in ways}}
    found = {}
    for squared, group in groupby(sorted(ways, key=lambda way: way[::-1]), lambda way: way.squared):
        X, Y = (_in_common(F[rows], F[warm], squared) for rows in (warm, new))
        for penalty, same in groupby(sorted(group), lambda way: way.penalty):
            R = regression(X, penalty) if isinstance(X, sparse.csr_array) else kernel_regression(X, penalty)
            for evened, own in groupby(same, lambda way: way.evened):
                slopes = [of @ (R * evening(counts[warm]) if evened else R).T for of in plain]
                of_met = (X @ slopes[0][:, :-1].T).T + slopes[0][:, -1:]
                of_new = [(Y @ of[:, :-1].T).T + of[:, -1:] for of in slopes]
                for way in own:
                    rest = [own_base[penalty] * (1.0 + way.loudness * of) for of in said]
                    s = spread(first, full[0], np.hstack([of_met, of_new[0]]), rest[0], most)
                    if s == 0.0 and way.loudness > 0.0:
                        continue  # the content head alone takes more places than newcomers may have
                    scores = rest[1] + s * of_new[1]
                    _leave_out(scores, [question.seen for question in questions], place)
                    reached = scores[np.arange(len(scores)), target][:, None]
                    found[way] = (met >= reached).sum(axis=1) + (scores >= reached).sum(axis=1)
    return found


def _in_common(F: sparse.csr_array, known: sparse.csr_array, squared: bool) -> sparse.csr_array | np.ndarray:
    """What slopes are multiplied by: how alike rows of `F` are to those `known`, squared or not, or fewer features.

    Where there are more features than known items, a regression on inner products says the same with fewer slopes."""
    if squared:
        return alike(F, scaled(known))
    return F if F.shape[1] <= known.shape[0] else (F @ known.T).toarray()


def _leave_out(scores: np.ndarray, items: list[np.ndarray], place: np.ndarray) -> None:
    """What each of the users had before is no candidate: `place` (M,) is the column of each item, or −1."""
    for own, had in zip(scores, items, strict=True):
        at = place[had]
        own[at[at >= 0]] = -np.inf
