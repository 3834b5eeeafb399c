"""A rating scale: what the numbers beside the events mean, and how that is known.

Two kinds of numbers stand beside events. An *opinion* lies on a scale with two ends (stars from 1 to 5); the lower end
is a dislike. An *amount* (plays, quantity, money) has no upper end and says how much, never how well liked; its least
value is no dislike. Of two kinds of amounts more is known: a *dwell* says how long an event lasted, a *progress* which
share of the whole; by them events count more or less (`xattn.model.strength.lasted`). Only the caller knows that.

    origin     from                                               may an event count as a dislike?
    stated     the caller (`scale=(0.5, 5)`)                      yes
    known      a scale in common use that the values fit          yes
    guessed    nothing better than the values at hand             no

The low end of a dwell or a progress is 0, its high end what the rule needs: the dwell that counts half, the median of
those over 0; the progress that counts in full, 1 or 100. NaN among ratings stands for an event without an opinion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from xattn.errors import check_array, check_choice, check_number, check_range

__all__ = ["LASTING", "Scale", "ScaleGuess", "check_opinions", "guess_scale", "guess_scale_of", "scale_of_lasting"]

NOT_RATED = (-1.0, 0.0, 99.0)  # numbers that public sets write where nobody rated; tried in this order
LASTING = ("dwell", "progress")  # kinds of numbers that say how long an event lasted
FULL = (1.0, 100.0)  # the whole of a progress: as a share, or in percent
FEW = 0.01  # share of the values that may lie outside a scale and still be slips of the pen
TAIL = 0.2  # counts: most of them lie in this lowest part of their range


@dataclass(frozen=True)
class Scale:
    """The ends of a scale, what kind of number lies on it, and how that is known. Raises InputError for other values.

    >>> Scale.of(np.array([4.0, 5.0, 4.0]))
    Scale(low=1.0, high=5.0, kind='opinion', origin='known')
    """

    low: float
    high: float
    kind: str = "opinion"  # or "amount", "dwell", "progress"
    origin: str = "stated"  # or "known" or "guessed"

    def __post_init__(self) -> None:
        check_range("scale", (check_number("low", self.low), check_number("high", self.high)))
        check_choice("kind", self.kind, ("opinion", "amount", *LASTING))
        if self.kind in LASTING:
            check_number("high", self.high, low=0.0, open_low=True)
        check_choice("origin", self.origin, ("stated", "known", "guessed"))

    @classmethod
    def of(cls, rating: np.ndarray) -> Scale:
        """The scale that ratings are on, judged from their values alone."""
        return guess_scale(rating).scale

    @property
    def certain(self) -> bool:
        """An opinion on a stated or known scale: only there may an event be called a dislike."""
        return self.kind == "opinion" and self.origin != "guessed"

    @property
    def span(self) -> tuple[float, float]:
        """The two ends of a scale of opinions; (0, 0) for amounts, which have none."""
        return (self.low, self.high) if self.kind == "opinion" else (0.0, 0.0)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_opinions(name: str, value: Any) -> np.ndarray:
    """`value` as (n,) float64 ratings, NaN where there is no opinion; infinities are refused."""
    rating = check_array(name, value, ndim=1, dtype=np.float64, finite=False)
    check_array(name, rating[~np.isnan(rating)], ndim=1)
    return rating


def scale_of_lasting(value: np.ndarray, often: np.ndarray, kind: str) -> Scale | None:
    """The scale of a "dwell" or a "progress", from the distinct numbers, ascending, and how often each comes.

    None where they cannot be that: a number under 0, none over 0, or a progress over 100.

    >>> scale_of_lasting(np.array([0.0, 10.0, 30.0, 600.0]), np.array([5, 1, 1, 1]), "dwell").high
    30.0
    """
    more = value > 0
    if not more.any() or value[0] < 0:
        return None
    if kind == "progress":
        full = next((full for full in FULL if value[-1] <= full), None)
        return None if full is None else Scale(0.0, full, kind)
    middle = np.searchsorted(np.cumsum(often[more]), often[more].sum() / 2)
    return Scale(0.0, float(value[more][middle]), kind)


class ScaleGuess(NamedTuple):
    """A scale with the values that it leaves out: those that mean "not rated", and those that cannot be meant."""

    scale: Scale
    unrated: tuple[float, ...] = ()
    absurd: tuple[float, ...] = ()


class _Values(NamedTuple):
    """Distinct values, ascending, and how often each occurs."""

    value: np.ndarray
    often: np.ndarray

    @property
    def low(self) -> float:
        return float(self.value[0])

    @property
    def high(self) -> float:
        return float(self.value[-1])

    def within(self, keep: np.ndarray) -> _Values:
        return _Values(self.value[keep], self.often[keep])

    def all_multiples_of(self, step: float) -> bool:
        return bool(np.all(np.mod(self.value, step) == 0))

    def share_of(self, number: float) -> float:
        return float(self.often[self.value == number].sum() / self.often.sum())

    def long_tailed(self) -> bool:
        """Most values are near the least one, which is the most common (up to ten): counts look so, ratings do not."""
        near = self.value <= self.low + TAIL * (self.high - self.low)
        most = self.often[0] == self.often.max() or self.high > 10
        return bool(most and len(self.value) > 1 and self.often[near].sum() > self.often.sum() / 2)


def guess_scale(rating: np.ndarray, meant: str = "", unrated: Iterable[float] | None = None) -> ScaleGuess:
    """The scale of `rating` (n,), judged from the values; `meant` is "opinion" or "amount" where the header says so.

    `unrated` are numbers that are known to mean "not rated"; None: judged too. Values outside a scale that all others
    fit are absurd if they are very few.

    >>> guess_scale(np.array([0.0, 0, 0, 8, 3, 10])).unrated
    (0.0,)
    >>> guess_scale(np.array([1.0, 1, 1, 2, 2, 3, 40])).scale.kind
    'amount'
    """
    return guess_scale_of(*np.unique(rating[np.isfinite(rating)], return_counts=True), meant, unrated)


def guess_scale_of(
    value: np.ndarray, often: np.ndarray, meant: str = "", unrated: Iterable[float] | None = None
) -> ScaleGuess:
    """The same from the distinct finite values, ascending, and how often each comes: of ratings too many to hold."""
    values = _Values(value, often)
    if unrated is not None:
        left_out = tuple(float(number) for number in unrated)
        values = values.within(~np.isin(values.value, left_out))
        return _with_slips(values, meant)._replace(unrated=left_out)
    if not values.value.size:
        return ScaleGuess(Scale(0.0, 0.0, "amount", "guessed"))
    if meant != "amount":
        for number in NOT_RATED:
            others = values.value != number
            if others.all() or not others.any():
                continue
            rest = _with_slips(values.within(others), meant)
            if _stands_apart(number, values, rest.scale):
                return rest._replace(unrated=(number,))
    return _with_slips(values, meant)


def _stands_apart(number: float, values: _Values, scale: Scale) -> bool:
    """`number` lies outside the scale that all other values fit, as one who writes "not rated" would choose it."""
    if scale.kind != "opinion" or scale.low <= number <= scale.high or scale.high <= 2:
        return False
    if number == 0.0 and (scale.high == 10 or not scale.certain):  # 0 may be the lower end too: there, few choose it
        return values.share_of(0.0) > 2 * values.share_of(float(values.value[values.value > 0][0]))
    return number != 0.0 or scale.low in (0.5, 1.0)


def _with_slips(values: _Values, meant: str) -> ScaleGuess:
    """The scale of values of which a few may be slips of the pen."""
    if not values.value.size:
        return ScaleGuess(Scale(0.0, 0.0, "amount", "guessed"))
    whole = _fitted(values, meant)
    if whole.certain or meant == "amount":
        return ScaleGuess(whole)
    for high in (5.0, 10.0):
        inside = (values.value >= 0) & (values.value <= high)
        outside = int(values.often[~inside].sum())
        if 0 < outside <= max(1.0, FEW * values.often.sum()) and inside.sum() >= 3:
            fitted = _fitted(values.within(inside), meant)
            if fitted.certain and values.often[inside].sum() >= 5:
                return ScaleGuess(fitted, absurd=tuple(values.value[~inside].tolist()))
    return ScaleGuess(whole)


def _fitted(values: _Values, meant: str) -> Scale:
    """The scale in common use that all values fit, else a guess from their ends."""
    low, high = values.low, values.high
    if meant == "amount":
        return Scale(low, high, "amount", "known")
    distinct = set(values.value.tolist())
    if distinct in ({0.0, 1.0}, {-1.0, 1.0}, {-1.0, 0.0, 1.0}):
        return Scale(low, 1.0, "opinion", "known")
    if len(distinct) == 1 and high <= 1:  # a mark that says only that the event was
        return Scale(low, high, "amount", "guessed")
    steps = values.all_multiples_of(0.5)
    if steps and 0.5 <= low and high == 5:
        halves = not values.all_multiples_of(1.0)
        return Scale(0.5 if halves and (low < 1 or 1.0 not in distinct) else 1.0, 5.0, "opinion", "known")
    if values.long_tailed() and (high > 5 or high <= 2):
        return Scale(low, high, "amount", "guessed")
    if steps and 0 <= low and high == 10 and (meant == "opinion" or len(distinct) >= 3):
        return Scale(1.0 if low >= 1 else 0.0, 10.0, "opinion", "known")
    if -10 <= low < 0 and high <= 10 and (low < -5 or high > 5):
        return Scale(-10.0, 10.0, "opinion", "known")
    if meant == "opinion" and 0 <= low and high == 100:
        return Scale(0.0, 100.0, "opinion", "known")
    if 0 <= low and 2 < high <= 5:
        return Scale(min(low, 1.0) if steps else low, 5.0, "opinion", "guessed")
    if 0 <= low and steps and 5 < high <= 10 and not values.long_tailed():
        return Scale(min(low, 1.0), 10.0, "opinion", "guessed")
    if meant == "opinion" and len(distinct) <= 101 and high <= 100:
        return Scale(low, high, "opinion", "guessed")
    return Scale(low, high, "amount", "guessed")
