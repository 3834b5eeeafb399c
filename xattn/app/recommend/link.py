"""The permalink: what the recommendations page shows, as query parameters, and back again with suspicion.

    ?user=42&model=HybridAttention&k=10&without=736,1210&item=260&lang=en
    ?user=you&liked=260,1196&disliked=1917
    …&said=more_260~less_1917&muted=recency 3

Whatever a parameter holds, reading it gives a `Link` that can be shown, and one complaint for each value that cannot.
Events to leave out are item ids; where an item stands several times in a history, `~3` names the event at position 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from xattn.app.recommend import opinions
from xattn.data import History, Interactions
from xattn.errors import InputError, shown

__all__ = ["MOST_K", "YOU", "Complaint", "Link", "read", "without_positions", "without_tokens", "write"]

YOU = "you"  # the `user` of a link whose events are picked by hand
MOST_K = 50
MOST_PICKS = 200
MOST_MUTED = 20
PARAMETERS = ("user", "model", "k", "liked", "disliked", "said", "muted", "without", "item")


class Link(NamedTuple):
    """A checked link. `user` is a known id or `YOU`; `without` holds tokens, which only the history can resolve, and
    `muted` names of heads, which only the model knows."""

    user: str
    model: str
    k: int
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    item: str | None = None
    said: opinions.Opinions = ()
    muted: tuple[str, ...] = ()


class Complaint(NamedTuple):
    """A parameter that was not followed: `must` is the key of the text that says what it must be."""

    name: str
    must: str
    got: str


def read(
    params: Mapping[str, str], data: Interactions, models: Mapping[str, object], k: int = 10
) -> tuple[Link, list[Complaint]]:
    """The link that `params` stand for, and what of them was not followed. Never raises for any text."""
    complaints: list[Complaint] = []

    def refuse(name: str, must: str, got: str) -> None:
        complaints.append(Complaint(name, must, shown(got)))

    def known(item: str) -> bool:
        try:
            data.item_row(item)
        except InputError:
            return False
        return True

    def items(name: str) -> tuple[str, ...]:
        ids = dict.fromkeys(part for part in params.get(name, "").split(",") if part)
        strange = [item for item in ids if not known(item)]
        if strange:
            refuse(name, "link.must_items", strange[0])
        return tuple(item for item in ids if item not in strange)[:MOST_PICKS]

    user = params.get("user", data.user_ids[0])
    if user != YOU:
        try:
            data.user_row(user)
        except InputError:
            refuse("user", "link.must_user", user)
            user = data.user_ids[0]
    model = params.get("model", next(iter(models)))
    if model not in models:
        refuse("model", "link.must_model", model)
        model = next(iter(models))
    number = params.get("k", str(k))
    if re.fullmatch("[1-9][0-9]?", number) and int(number) <= MOST_K:
        k = int(number)
    else:
        refuse("k", "link.must_k", number)
    item = params.get("item") or None
    if item is not None and not known(item):
        refuse("item", "link.must_item", item)
        item = None
    without = tuple(dict.fromkeys(part for part in params.get("without", "").split(",") if part))
    try:
        said = opinions.read(params.get("said", ""))
    except InputError:
        said = ()
        refuse("said", "link.must_said", params["said"])
    strange = [item for item, _ in said if not known(item)]
    if strange:
        refuse("said", "link.must_said", strange[0])
    said = tuple(pair for pair in said if pair[0] not in strange)
    muted = tuple(dict.fromkeys(part for part in params.get("muted", "").split(",") if part))[:MOST_MUTED]
    return Link(user, model, k, items("liked"), items("disliked"), without, item, said, muted), complaints


def write(link: Link) -> dict[str, str]:
    """The query parameters of a link; empty ones are left out.

    >>> write(Link("42", "HybridAttention", 10, without=("736",)))
    {'user': '42', 'model': 'HybridAttention', 'k': '10', 'without': '736'}
    """
    texts = {
        name: ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in link._replace(said=opinions.write(link.said))._asdict().items()  # type: ignore[arg-type]
        if value is not None
    }
    return {name: texts[name] for name in PARAMETERS if texts.get(name)}


def without_positions(data: Interactions, history: History, tokens: tuple[str, ...]) -> tuple[list[int], list[str]]:
    """(positions in the history that `tokens` name, in their order; tokens that name none).

    >>> import pandas as pd
    >>> data = Interactions.from_frame(pd.DataFrame({"user": ["u"] * 3, "item": ["a", "b", "a"]}))
    >>> without_positions(data, History.of(data, 0), ("b", "~2", "~9", "z"))
    ([1, 2], ['~9', 'z'])
    """
    positions: dict[int, None] = {}
    strange = []
    for token in tokens:
        found = _positions(data, history, token)
        positions |= dict.fromkeys(found)
        if not found:
            strange.append(token)
    return list(positions), strange


def _positions(data: Interactions, history: History, token: str) -> list[int]:
    if re.fullmatch("~[0-9]{1,9}", token):
        position = int(token[1:])
        return [position] if position < len(history) else []
    try:
        row = data.item_row(token)
    except InputError:
        return []
    return [int(position) for position in np.flatnonzero(history.item == row)]


def without_tokens(data: Interactions, history: History, positions: list[int]) -> tuple[str, ...]:
    """The tokens of events: the item's id where the history holds it once, else the position."""
    ids, times = data.items.ids, np.bincount(history.item, minlength=len(data.items))
    rows = [(p, history.item[p]) for p in positions]
    return tuple(f"~{p}" if times[row] > 1 or "," in ids[row] else ids[row] for p, row in rows)
