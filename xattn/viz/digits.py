"""How a number is written for people: to five decimals or five significant digits, without idle zeros."""

from __future__ import annotations

import math

__all__ = ["digits"]


def digits(value: float, places: int = 5) -> str:
    """`value` rounded to `places` decimals; tiny and huge ones to that many significant digits.

    Numbers that are not finite read "nan", "inf", "-inf".

    >>> digits(2.0), digits(0.244728), digits(-1e-9), digits(1234567.25), digits(float("nan"))
    ('2', '0.24473', '-1e-09', '1.2346e+06', 'nan')
    """
    size = abs(value)
    if not math.isfinite(value) or (size != 0.0 and (size < 10.0**-places or size >= 1e6)):
        return f"{value:.{places}g}"
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
