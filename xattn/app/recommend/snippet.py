"""The Python that gives the same list and the same explanation as the recommendations page."""

from __future__ import annotations

from xattn.app.recommend.answers import Asked
from xattn.app.recommend.opinions import hidden
from xattn.app.ui.snippet import literal
from xattn.data import History, Interactions

__all__ = ["of_view"]


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
        lines += [f"events = model.history(history={literal(tuple(pairs))})"]
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
