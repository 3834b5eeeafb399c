"""The Python that gives the same numbers as a page, to copy and run."""

from __future__ import annotations

from pprint import pformat

from xattn.app.asked import Asked
from xattn.app.opinions import hidden
from xattn.app.vectors import Sheet
from xattn.data import History, Interactions

__all__ = ["of_sheet", "of_view"]

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
    given = [
        f"{name}={_literal(value)}" for name in SETTINGS if (value := getattr(sheet, name)) != getattr(plain, name)
    ]
    lines = [f"{name} = {_literal(getattr(sheet, name))}" for name in ("query", "keys", "items")]
    call = f"found = attend({', '.join(['query', 'keys', 'items', *given])})"
    return "\n".join(["from xattn import attend", "", *lines, call, "print(found.scores, found.weights, found.fused)"])


def of_view(asked: Asked, events: History, data: Interactions, dataset: str, item: str) -> str:
    """A list of recommendations with all that was changed about it, and the ledger of one item of it."""
    lines = [f"from xattn import {asked.kind}, load_dataset", ""]
    lines += [f"model = {asked.kind}().fit(load_dataset({dataset!r}))"]
    if asked.muted:
        lines += [f"# muted on the page, not here: {', '.join(asked.muted)}"]
    if asked.user is not None and not asked.said:
        lines += [f"events = model.history({asked.user!r})"]
    else:
        ids = [data.items.ids[row] for row in events.item.tolist()]
        pairs = ids if events.rating is None else list(zip(ids, events.rating.tolist(), strict=True))
        lines += [f"events = model.history(history={_literal(tuple(pairs))})"]
    if asked.without:
        lines += [f"events = events.without({list(asked.without)})"]
    hide = [other for other in hidden(asked.said) if other != item]
    more = f", exclude={hide}" if hide else ""
    lines += [
        f"print(model.recommend(history=events, k={asked.k}{more}))",
        f"why = model.explain(history=events, item={item!r}, k={asked.k}{more})",
        'print(why.text("en"))',
        "print(why.events())",
    ]
    return "\n".join(lines)


def _literal(value: object) -> str:
    """A value as Python reads it, tuples of numbers as lists."""

    def plain(part: object) -> object:
        return [plain(x) for x in part] if isinstance(part, tuple) and part and not isinstance(part[0], str) else part

    return pformat(plain(value), width=100, sort_dicts=False)
