"""The Python that gives the same list and the same explanation as the recommendations page."""

from __future__ import annotations

from xattn.app.recommend.opinions import hidden
from xattn.app.recommend.view import YOU, View
from xattn.app.ui.snippet import literal
from xattn.data import Interactions

__all__ = ["of_view"]


def of_view(view: View, data: Interactions, dataset: str, item: str) -> str:
    """A list of recommendations with all that was changed about it, and the ledger of one item of it."""
    lines = [f"from xattn import {view.model}, load_dataset", ""]
    lines += [f"model = {view.model}().fit(load_dataset({dataset!r}))"]
    if view.muted:
        lines += [f"# muted on the page, not here: {', '.join(view.muted)}"]
    if view.user != YOU and not view.said:
        lines += [f"events = model.history({view.user!r})"]
    else:
        events = view.events(data)
        ids = [data.items.ids[row] for row in events.item.tolist()]
        pairs = ids if events.rating is None else list(zip(ids, events.rating.tolist(), strict=True))
        lines += [f"events = model.history(history={literal(tuple(pairs))})"]
    if view.without:
        lines += [f"events = events.without({sorted(view.without)})"]
    hide = [other for other in hidden(view.said) if other != item]
    more = f", exclude={hide}" if hide else ""
    lines += [
        f"print(model.recommend(history=events, k={view.k}{more}))",
        f"why = model.explain(history=events, item={item!r}, k={view.k}{more})",
        'print(why.text("en"))',
        "print(why.events())",
    ]
    return "\n".join(lines)
