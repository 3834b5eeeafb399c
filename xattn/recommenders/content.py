"""`ContentAttention`: the content head alone (docs/model.md, eq. 6–8)."""

from __future__ import annotations

from collections.abc import Mapping

from xattn.errors.constraints import POSITIVE, SEED, constraints
from xattn.recommenders.attention import FUSION, AttentionModel
from xattn.recommenders.estimator import space

__all__ = ["ContentAttention"]


class ContentAttention(AttentionModel):
    """Target attention over item features (genre, year, …): what resembles what you liked.

    Parameters:

        temperature      > 0, of the attention
        content_recency  > 0, in events: how far back the attention reaches; larger is longer
        fusion           of blocks of features: "multiply" (one head, whose attention looks at all blocks at once),
                         "add" (a head for each block) or "softmax" (the same, weighted: how much each block counts for
                         a target is learned on events held out)
        beta             from 0 to 1, the exponent β of the weights; 1 is softmax
        threshold        from 0 to 1: a weight under it counts as 0, in the score too
        event_weights    from −1 to 1: the strength of each event type; a type that it does not name has 1
        random_state     a whole number or None, the seed of the samples that the fit draws

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> ContentAttention(random_state=0).fit(data).recommend(user=data.user_ids[0], k=2).columns.tolist()
    ['rank', 'item', 'title', 'score', 'base']
    """

    kinds = ("content",)
    search_space = space(temperature=[0.1, 0.3, 1.0, 3.0], content_recency=[2.0, 5.0, 20.0, 100.0])
    _constraints = constraints(temperature=POSITIVE, content_recency=POSITIVE, fusion=FUSION, random_state=SEED)

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        content_recency: float = 5.0,
        fusion: str = "multiply",
        beta: float = 1.0,
        threshold: float = 0.0,
        event_weights: Mapping[str, float] | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.temperature = temperature
        self.content_recency = content_recency
        self.fusion = fusion
        self.beta = beta
        self.threshold = threshold
        self.event_weights = event_weights
        self.random_state = random_state
