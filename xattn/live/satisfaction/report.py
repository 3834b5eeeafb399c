"""The report of satisfaction: every number of it comes from rows of the store, and no person stands in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row, select

from xattn.live.satisfaction.form import CONSTRUCTS, HIGHEST, REVERSED
from xattn.live.satisfaction.guesses import agreement
from xattn.live.satisfaction.intervals import mean
from xattn.live.satisfaction.rates import places, rates
from xattn.live.satisfaction.reliability import reliability
from xattn.live.store import Store
from xattn.live.tables import answers, events, feedback, lists

__all__ = ["answers_of", "satisfaction"]


def satisfaction(store: Store) -> dict[str, Any]:
    """`people` and `lists`; `rates` by position, model and scenario; `constructs` with means, α and ω; `agreement`.

    Of each person the newest questionnaire counts. Figures have `ci95`, 95 % intervals over people.
    """
    # the ledgers of the lists stay where they are: they are most of the bytes
    wanted = select(lists.c.id, lists.c.user, lists.c["items"], lists.c.model, lists.c.scenario)
    served = store.ask(wanted)
    taken = select(events.c.list_id, events.c.user, events.c.item).where(events.c.list_id.is_not(None))
    found = list(places(served, store.ask(select(feedback).order_by(feedback.c.seq)), store.ask(taken)))
    said = store.ask(select(answers).order_by(answers.c.seq))
    by_form = {name: [row for row in said if row.form == name] for name in ("satisfaction", "removal")}
    return {
        "lists": len(served),
        "people": len({row.user for row in served}),
        "rates": {
            "by_position": rates(found, lambda place: place.position),
            "by_model": rates(found, lambda place: place.model),
            "by_scenario": rates(found, lambda place: place.scenario),
        },
        "answered": len({row.user for row in by_form["satisfaction"]}),
        "constructs": constructs(by_form["satisfaction"]),
        "agreement": agreement(by_form["removal"]),
    }


def answers_of(rows: Sequence[Row[Any]], questions: Sequence[str]) -> np.ndarray:
    """(people, questions) the newest answers of those who answered all of these; reversed questions are turned."""
    newest = {row.user: json.loads(row.answers) for row in rows}
    own = [
        [HIGHEST + 1 - said[name] if name in REVERSED else said[name] for name in questions]
        for said in newest.values()
        if all(name in said for name in questions)
    ]
    return np.array(own, float).reshape(-1, len(questions))


def constructs(rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """The name of each construct, how many people answered it, the mean from 1 to 5, and how reliable it is."""
    found = []
    for name, questions in CONSTRUCTS.items():
        x = answers_of(rows, questions)
        found.append({"construct": name, "people": len(x), "mean": mean(x.mean(axis=1)), **reliability(x)})
    return found
