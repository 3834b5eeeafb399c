"""How the recency heads forget: by what came after an event, or by the time since (docs/model.md, eq. 5 and 39).

    by events   E_i = e^{−g_i/τ}                     g_i events came after it
    by time     E_i = c + (1 − c) e^{−Δ_i/τ}         it was Δ_i days ago when the list is asked

By time, what came at one moment weighs alike, however much it is, and after a long pause the head says little. The
floor c is what is left in the end. Time as memory: Park et al., TALE (WSDM 2025), with max(c, e^{−Δ/τ}); a sum of both
in its place keeps the sums over all prefixes quick (`model/fit/pooling.py`).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

__all__ = ["Aged", "Memory", "decay", "memories_of", "memory_names"]


class Aged(Protocol):
    """Events, with how many came after each, and how many days ago each was (None, NaN: not known)."""

    @property
    def age(self) -> np.ndarray: ...
    @property
    def elapsed(self) -> np.ndarray | None: ...


class Memory(NamedTuple):
    """The scale `tau` > 0, in events; or in days, where `pace` > 0 says how many pass from one event to the next where
    nobody knows. `floor` in [0, 1) is what is left of an event that was long ago."""

    tau: float
    pace: float = 0.0
    floor: float = 0.0

    @property
    def by_time(self) -> bool:
        """Whether days are forgotten, and not events."""
        return self.pace > 0.0

    def exponentials(self, events: Aged) -> np.ndarray:
        """E (n,) of the events.

        >>> from types import SimpleNamespace
        >>> events = SimpleNamespace(age=np.array([1.0, 0.0]), elapsed=np.array([3.0, 0.0]))
        >>> Memory(1.0).exponentials(events).round(3), Memory(3.0, 1.0, 0.1).exponentials(events).round(3)
        (array([0.368, 1.   ]), array([0.431, 1.   ]))
        """
        if not self.by_time:
            return np.asarray(np.exp(-events.age / self.tau))  # age 0 is always there: m = 0
        past = events.age * self.pace
        if events.elapsed is not None:
            past = np.where(np.isnan(events.elapsed), past, events.elapsed)
        return np.asarray(self.floor + (1.0 - self.floor) * decay(past, self.tau))


def decay(days: np.ndarray, tau: float) -> np.ndarray:
    """e^{−days/τ}: 0 where more scales have passed than a number can hold."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(-days / tau))


def memories_of(
    tau: tuple[float, ...], days: tuple[float, ...] = (), floor: float = 0.0, pace: float = 1.0
) -> tuple[Memory, ...]:
    """Those of scales in events, and after them those of scales in days."""
    return (*(Memory(float(t)) for t in tau), *(Memory(float(t), pace, floor) for t in days))


@cache
def memory_names(memories: tuple[Memory, ...], word: str, endless: str) -> tuple[str, ...]:
    """The names of heads by their scales, with as many digits as it takes to tell different scales apart.

    >>> memory_names(memories_of((3.0, 20.0), (1.0, 7.0)), "recency", "taken together")
    ('recency 3', 'recency 20', 'recency 1 day', 'recency 7 days')
    >>> memory_names(memories_of((3.0, 3.0000001)), "recency", "")
    ('recency 3', 'recency 3.0000001')
    """
    names: tuple[str, ...] = ()
    for digits in range(6, 18):
        names = tuple(f"{word} {m.tau:.{digits}g}" + _unit(m) if np.isfinite(m.tau) else endless for m in memories)
        if len(set(names)) == len({(m.tau, m.by_time) for m in memories}):
            break
    return names


def _unit(memory: Memory) -> str:
    if not memory.by_time:
        return ""
    return " day" if memory.tau == 1.0 else " days"
