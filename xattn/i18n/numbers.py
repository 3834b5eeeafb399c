"""How numbers are printed for people: on charts, in tables, in sentences."""

from __future__ import annotations

import numpy as np

__all__ = ["figure"]


def figure(x: float, sign: bool = False) -> str:
    """A number as words and charts print it: four significant digits, no exponent.

    >>> figure(0.0123456), figure(-0.5, sign=True), figure(0.25, sign=True)
    ('0.01235', '−0.5', '+0.25')
    """
    text = np.format_float_positional(abs(x), precision=4, fractional=False, trim="-")
    return ("−" if x < 0 else "+" if sign else "") + text
