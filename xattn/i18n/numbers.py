"""How numbers are printed for people: on charts, in tables, in sentences."""

from __future__ import annotations

import numpy as np

__all__ = ["figure", "percent", "place"]


def figure(x: float, sign: bool = False) -> str:
    """A number as words and charts print it: four significant digits, no exponent.

    >>> figure(0.0123456), figure(-0.5, sign=True), figure(0.25, sign=True)
    ('0.01235', '−0.5', '+0.25')
    """
    text = np.format_float_positional(abs(x), precision=4, fractional=False, trim="-")
    return ("−" if x < 0 else "+" if sign else "") + text


def percent(x: float) -> str:
    """A share as people read it: whole per cent; what rounds to none but is some is said to be less than one.

    >>> percent(0.866), percent(-0.12), percent(0.003), percent(-0.003), percent(0.0)
    ('87%', '−12%', '<1%', '−<1%', '0%')
    """
    whole = round(100 * abs(x))
    if whole == 0 and x:
        return "<1%" if x > 0 else "−<1%"
    return f"{'−' if x < 0 else ''}{whole}%"


def place(rank: int, lang: str = "en") -> str:
    """A place in a list as people say it.

    >>> [place(n) for n in (1, 2, 3, 4, 11, 22, 112)], place(37, "zh")
    (['1st', '2nd', '3rd', '4th', '11th', '22nd', '112th'], '第 37 名')
    """
    if lang == "zh":
        return f"第 {rank} 名"
    ending = "th" if 11 <= rank % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"
