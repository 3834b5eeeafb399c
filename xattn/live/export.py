"""All that is held of a person, for the person: what was sent, what was said, what was served, and what lists know."""

from __future__ import annotations

import json
from typing import Any

from xattn.errors import UnknownIdError
from xattn.live.person import person_of
from xattn.live.record import Numbers
from xattn.live.serving import Serving
from xattn.live.store import Store

__all__ = ["held"]


def held(store: Store, serving: Serving, user: str) -> dict[str, Any]:
    """The document of GET /users/{id}: rows by table, events of the data set, the switches, what is blocked and why."""
    data = serving.data
    rows = store.held(user)
    for row in rows["lists"]:
        row["items"] = json.loads(row["items"])
        row["conditions"] = json.loads(row["conditions"])
        numbers = Numbers.of(row.pop("numbers"), len(row["items"]))
        row |= {name: getattr(numbers, name).tolist() for name in ("scores", "bases", "propensities")}
    for name in ("answers", "settings"):
        for row in rows[name]:
            row[name] = json.loads(row[name])
    person = person_of(data, user, store.of(user))
    return {
        "user": user,
        **rows,
        "of_the_data_set": _own(serving, user),
        "settings_now": person.switches.to_dict(),
        "not_listed": [{"item": data.items.ids[row], "because": why} for row, why in sorted(person.blocked.items())],
        "model_holds": user in serving.model.data_.user_ids,
    }


def _own(serving: Serving, user: str) -> list[dict[str, Any]]:
    """The person's events in the data set that the store stands on."""
    data = serving.data
    try:
        own = data.events_of(data.user_row(user))
    except UnknownIdError:
        return []
    columns: dict[str, list[Any]] = {"item": [data.items.ids[row] for row in data.item[own].tolist()]}
    for name, vector in (("value", data.rating), ("time", data.time), ("type", data.kind)):
        if vector is not None:
            columns[name] = [None if entry != entry else entry for entry in vector[own].tolist()]
    return [dict(zip(columns, entries, strict=True)) for entries in zip(*columns.values(), strict=True)]
