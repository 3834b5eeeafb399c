"""The Python that gives the same numbers as a sheet."""

from __future__ import annotations

from xattn.app.learn.sheet import Sheet
from xattn.app.ui.snippet import literal

__all__ = ["of_sheet"]

SETTINGS = ("scorer", "temperature", "beta", "threshold", "fusion", "W", "Wq", "Wk", "v")


def of_sheet(sheet: Sheet) -> str:
    """The attention of a sheet.

    >>> print(of_sheet(Sheet((1.0,), ((0.5,),), ((3.0,),), temperature=2.0)))
    from xattn import attend
    <BLANKLINE>
    query = [1.0]
    keys = [[0.5]]
    items = [[3.0]]
    found = attend(query, keys, items, temperature=2.0)
    print(found.scores, found.weights, found.fused)
    """
    plain = Sheet((), (), ())
    given = [f"{name}={literal(value)}" for name in SETTINGS if (value := getattr(sheet, name)) != getattr(plain, name)]
    lines = [f"{name} = {literal(getattr(sheet, name))}" for name in ("query", "keys", "items")]
    call = f"found = attend({', '.join(['query', 'keys', 'items', *given])})"
    return "\n".join(["from xattn import attend", "", *lines, call, "print(found.scores, found.weights, found.fused)"])
