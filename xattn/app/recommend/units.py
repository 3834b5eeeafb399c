"""Amounts as people read them: shares of all that speaks for an item; the model's own numbers behind a switch.

    human   60%                 exact   60% (+0.01488)

An item that nothing speaks for has no shares: its amounts are told as they are.
"""

from __future__ import annotations

from typing import NamedTuple

from xattn.app.picture.flows import speaks_for
from xattn.explain import Ledger
from xattn.i18n.numbers import figure, percent, place

__all__ = ["Units", "rank_words"]


class Units(NamedTuple):
    """How the amounts of one ledger are told: shares of `size`, 0 where there are none; `exact` adds the amounts."""

    size: float
    exact: bool

    @classmethod
    def of(cls, why: Ledger, exact: bool) -> Units:
        """The units of a ledger."""
        return cls(max(speaks_for(why), 0.0), exact)

    @property
    def per(self) -> float | None:
        """What the amounts of a chart are shares of; None where it shows them as they are."""
        return None if self.exact or self.size <= 0 else self.size

    def told(self, amount: float) -> str:
        """An amount in a sentence or a table.

        >>> Units(0.025, False).told(0.015), Units(0.025, True).told(-0.015), Units(0.0, False).told(-0.5)
        ('60%', '−60% (−0.015)', '−0.5')
        """
        if self.size <= 0:
            return figure(amount, sign=True)
        share = percent(amount / self.size)
        return f"{share} ({figure(amount, sign=True)})" if self.exact else share

    def score(self, score: float, words: str) -> str:
        """`words`, and in exact units the score behind them.

        >>> Units(1.0, False).score(0.25, "2nd"), Units(1.0, True).score(0.25, "2nd")
        ('2nd', '2nd (0.25)')
        """
        return f"{words} ({figure(score)})" if self.exact else words


def rank_words(rank: int | None, lang: str) -> str:
    """A place, or a dash where there is none.

    >>> rank_words(26, "en"), rank_words(None, "en")
    ('26th', '–')
    """
    return place(rank, lang) if rank else "–"
