"""What a clear dislike counts in the heads of behaviour: chosen on last events that are held out of the training data.

A dislike counts as any other event (1; in "any", as an event that was neither liked nor disliked, ½) unless another
strength finds the events that come next better beyond doubt. On three of three real sets of ratings nothing does
(docs/log.md): people watch, read and attend what is like the things that they rated low. Where dislikes do matter, the
held-out events show it. Of large data so many people are drawn as have some 200,000 events: the question is small.

    gain_u(w) = 1/log₂(1 + rank of u's next event, dislikes count w) − the same with the usual strength
    the w of the largest mean gain is taken if that mean is at least 2.5 of its standard errors over 0
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from xattn.data import Interactions, JoinedHistories
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.strength import DISLIKED, RatingScale, signed
from xattn.progress import silent
from xattn.recommenders.behaviour import AS_ANY_OTHER, TASTE, Behaviour
from xattn.recommenders.learning import HeldOut

__all__ = ["chosen_dislike", "some_people", "usual_dislike"]

TRIED = (1.0, 0.5, 0.0, -0.5, -1.0)
BEYOND_DOUBT = 2.5  # standard errors; four strengths are tried, so one in about forty sets would be misjudged by chance
LEAST_PEOPLE = 30  # with dislikes; of fewer the standard error means little
MOST_EVENTS = 200_000  # of the people who are drawn to choose by
BLOCK = 8_000_000  # scores (people × items) held at a time: 64 MB


def usual_dislike(objective: str) -> float:
    """What a clear dislike counts where the data shows nothing else."""
    return AS_ANY_OTHER if objective == "next" else TASTE


def chosen_dislike(data: Interactions, scale: RatingScale, behaviour: Behaviour, rng: np.random.Generator) -> float:
    """The strength in [−1, 1] of an event that was clearly disliked, in the heads of `behaviour`.

    Asked for what belongs to somebody, only events that were not disliked themselves are looked for. Nothing is fitted
    where hardly anybody of those held out has disliked anything.
    """
    usual = usual_dislike(behaviour.objective)
    data = some_people(data, rng)
    disliked = signed(data.rating, data.n_events, scale) <= DISLIKED
    if not disliked.any():
        return usual
    held = HeldOut.of(data, rng)
    last = data.indptr[held.user + 1] - 1
    wanted = ~disliked[last] | (behaviour.objective == "next")
    disliked[last] = False  # what is held out is no reason yet
    asked = np.flatnonzero((np.bincount(data.user[disliked], minlength=data.n_users)[held.user] > 0) & wanted)
    if len(asked) < LEAST_PEOPLE:
        return usual
    held = held._replace(user=held.user[asked], item=held.item[asked])
    base = (held.train.counts() + 1.0) / (held.train.counts() + 1.0).sum()
    form = behaviour.fit(held.train, scale, base, sparse.csr_array((data.n_items, 0)), None, silent)
    part = CollaborativePart(form, behaviour.memories, behaviour.beta, 0.0, (form.row_of_item >= 0).astype(float))

    def found(dislike: float) -> np.ndarray:
        """How well each held-out event is found (V,)."""
        step, parts = max(1, BLOCK // data.n_items), []
        for low in range(0, len(held.user), step):
            some = held._replace(user=held.user[low : low + step], item=held.item[low : low + step])
            people = JoinedHistories.of_users(held.train, some.user.tolist())
            scores = np.repeat(base[None, :], len(some.user), axis=0)
            part.add_scores_of_many(scores, people, behaviour._replace(dislike=dislike).strengths(people, scale))
            parts.append(some.found(scores))
        return np.concatenate(parts)

    before = found(usual)
    best, most = usual, 0.0
    for strength in TRIED:
        gain = found(strength) - before
        mean, error = float(gain.mean()), float(gain.std(ddof=1)) / np.sqrt(len(gain))
        if mean > most and mean >= BEYOND_DOUBT * error:
            best, most = strength, mean
    return best


def some_people(data: Interactions, rng: np.random.Generator) -> Interactions:
    """The whole histories of people drawn at random, of at most MOST_EVENTS events together; or all of them."""
    if data.n_events <= MOST_EVENTS:
        return data
    lengths = np.diff(data.indptr)
    drawn = rng.permutation(data.n_users)
    drawn = drawn[np.cumsum(lengths[drawn]) <= MOST_EVENTS]
    return data.select(np.isin(data.user, drawn))
