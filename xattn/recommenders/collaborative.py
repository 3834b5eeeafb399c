"""`CollaborativeAttention`: the collaborative heads alone (docs/model.md, eq. 5 and 9–12)."""

from __future__ import annotations

from collections.abc import Mapping

from xattn.recommenders.attention import AttentionModel
from xattn.recommenders.behaviour import BEHAVIOUR_CONSTRAINTS, BEHAVIOUR_SPACE, DROPOUT, OBJECTIVE_FOR

__all__ = ["CollaborativeAttention"]


class CollaborativeAttention(AttentionModel):
    """Closed-form heads over behaviour: what people go on to after what you did, on several time scales at once.

    Parameters:

        objective       what is asked: "next", what comes next; "any", what belongs to the person at all, whatever the
                        order (one head whose weights are 1; `recency` and `beta` play no part); "auto", "next" unless
                        whoever asks says otherwise, as the protocols of `xattn.evaluate` do
        recency         > 0 each, in events: one time scale for each head
        recency_days    > 0 each, in days: one more head for each, which forgets by elapsed time (docs/model.md, eq.
                        39); the data must hold times (None: no such head); "auto": one of a day where at least half
                        of the events came at the moment of the one before, kept as `days_`
        beta            from 0 to 1, the exponent β of the weights
        regularization  > 0, the λ of the ridge; None: 80 for what comes next, 150 for any
        dropout         from 0 to 0.95, of "any": the chance with which the fit drops each item of a history, in
                        expectation; small catalogues want less
        min_events      ≥ 1: how many events an item needs to get values; None: 5, but 2 where what comes next is asked
                        in a catalogue so large that values are sparse, of up to 500,000 events
        n_neighbors     ≥ 1: how many values a target has at most, over all heads; None: all, up to 12,000, and 200
                        where there are more (`partial_fit` then starts anew)
        threshold       from 0 to 1: a weight under it counts as 0, in the score too
        dislike         from −1 to 1, the strength of an event rated in the bottom quarter of the scale (1: it counts
                        like any other); "auto": chosen in `fit` on events held out of the training data, and kept as
                        `dislike_`
        event_weights   from −1 to 1: the strength of each event type; a type that it does not name has 1, and what is
                        wanted next counts as far as it is over 0
        days_floor      from 0 to 0.95: what such a head keeps of an event that was long ago
        pause_days      > 0, in days: what came next after a pause counts as evidence max(days_floor, e^(−pause/
                        pause_days)); the data must hold times (None: as much as anything)
        dtype           "float32" or "float64", the type of the value table

    Scores of "any" are estimates of 1 for what belongs.

    Values: Steck's EASE (WWW 2019) is the case of one head, β = 0 and an endless recency; the exponent β is from NAIS
    (He et al., TKDE 2018).

    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> model = CollaborativeAttention(min_events=2, regularization=1.0).fit(data)
    >>> why = model.explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> bool(abs(why.cells["contribution"].sum() + why.base - why.score) < 1e-6)
    True
    """

    kinds = ("collaborative",)
    search_space = BEHAVIOUR_SPACE
    settings_for = OBJECTIVE_FOR
    _constraints = BEHAVIOUR_CONSTRAINTS

    def __init__(
        self,
        *,
        objective: str = "auto",
        recency: tuple[float, ...] = (3.0, 20.0),
        recency_days: tuple[float, ...] | str | None = "auto",
        days_floor: float = 0.0,
        pause_days: float | None = None,
        beta: float = 0.35,
        regularization: float | None = None,
        dropout: float = DROPOUT,
        min_events: int | None = None,
        n_neighbors: int | None = None,
        threshold: float = 0.0,
        dislike: float | str = "auto",
        event_weights: Mapping[str, float] | None = None,
        dtype: str = "float32",
    ) -> None:
        self.objective = objective
        self.recency = recency
        self.recency_days = recency_days
        self.days_floor = days_floor
        self.pause_days = pause_days
        self.beta = beta
        self.regularization = regularization
        self.dropout = dropout
        self.min_events = min_events
        self.n_neighbors = n_neighbors
        self.threshold = threshold
        self.dislike = dislike
        self.event_weights = event_weights
        self.dtype = dtype
