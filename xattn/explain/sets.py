"""Sets of items of an explanation: those that are missed most together, and those that hold an item up alone."""

from __future__ import annotations

import pandas as pd

from xattn.errors import check_choice, check_whole
from xattn.explain.cache import HistoryCache
from xattn.explain.question import Question
from xattn.explain.strongest import BUDGET, GOALS, strongest_frame, sufficient_frame
from xattn.progress import Progress

__all__ = ["SetsOfItems"]


class SetsOfItems:
    """What a ledger can say of sets; it has a `question`, and a `cache` of what the model answered."""

    question: Question
    cache: HistoryCache

    def strongest(
        self, most: int = 3, *, by: str = "score", budget: int = BUDGET, progress: Progress | None = None
    ) -> pd.DataFrame:
        """For each size up to `most`, the set of items without which the score is lowest; one row a size.

        With `by` "lead" what is lowest is the lead: the score less that of the k-th best other item. It keeps the item
        among the k best as long as it is above 0. All items are asked about then, which takes longer.

        Columns: size, events (tuple of item ids), positions (of all their events), effect, score_without, rank_without
        (0 where the item is not in the list of candidates), lead_without: what is served without them. `exact` says
        that no set of this size takes more; else at least so much is taken, and of the sets that were asked about,
        about `budget` of each size, none takes more. The sets need not hold each other. Raises InputError for a number
        under 1, or another `by`.
        """
        most, budget = _checked(most, by, budget)
        return strongest_frame(self.cache, self.question, most, by, budget, progress)

    def sufficient(
        self, most: int = 3, *, by: str = "score", budget: int = BUDGET, progress: Progress | None = None
    ) -> pd.DataFrame:
        """For each size up to `most`, the set of items that alone holds the score highest; one row a size.

        The events of all other items are masked; they stay out of the list. With `by` "lead" what is highest is the
        lead over the k-th best other item, so the first row whose rank is within k is the smallest set known that keeps
        the item listed by itself.

        Columns: size, events (tuple of item ids), positions (of all their events), score_alone, rank_alone (0 where the
        item is not in the list of candidates), lead_alone: what is served with them alone. `exact` says that no set of
        this size holds up more, as in `strongest`. Raises InputError for a number under 1, or another `by`.
        """
        most, budget = _checked(most, by, budget)
        return sufficient_frame(self.cache, self.question, most, by, budget, progress)


def _checked(most: int, by: str, budget: int) -> tuple[int, int]:
    most, budget = check_whole("most", most, low=1), check_whole("budget", budget, low=1)
    check_choice("by", by, GOALS)
    return most, budget
