"""The Python that gives the same list and the same explanation as the recommendations page."""

from __future__ import annotations

from xattn.app import state
from xattn.app.recommend.opinions import hidden
from xattn.app.recommend.view import YOU, View
from xattn.app.ui.snippet import literal
from xattn.data import Interactions

__all__ = ["of_view"]


def _model(kind: str) -> list[str]:
    """How the fitted model of the page is had."""
    shown = state.own()
    if shown is None:
        return [f"from xattn import {kind}, load_dataset", "", f"model = {kind}().fit(load_dataset({state.DATASET!r}))"]
    if shown.program:
        *_, read, made = shown.program.splitlines()
        made = made if kind == state.default_model() else f"model = {kind}().fit(data)"
        return [f"from xattn import {kind}, read_interactions", "", read, made]
    origin = shown.origin
    if origin.model is not None:
        own = kind == state.default_model()
        given = f"load_model({origin.model!r})"
        made = f"model = {given}" if own else f"model = {kind}().fit({given}.data_)"
        return [f"from xattn import {'load_model' if own else f'{kind}, load_model'}", "", made]
    if origin.ratings is not None:
        read = f"read_interactions({origin.read()})"
        return [f"from xattn import {kind}, read_interactions", "", f"model = {kind}().fit({read})"]
    return [f"from xattn import {kind}", "", f"model = {kind}().fit(data)  # the data that these pages were given"]


def of_view(view: View, data: Interactions, item: str) -> str:
    """A list of recommendations with all that was changed about it, and the ledger of one item of it."""
    lines = _model(view.model)
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
        lines += [f"events = events.without(events.alike({sorted(view.without)}))"]
    hide = [other for other in hidden(view.said) if other != item]
    more = f", exclude={hide}" if hide else ""
    more += f", seen={view.seen!r}" if view.seen != "drop" else ""
    lines += [
        f"print(model.recommend(history=events, k={view.k}{more}))",
        f"why = model.explain(history=events, item={item!r}, k={view.k}{more})",
        'print(why.text("en"))',
        "print(why.events())",
    ]
    return "\n".join(lines)
