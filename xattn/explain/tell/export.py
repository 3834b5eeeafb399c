"""`explanation.json`: a ledger with all that it takes to check it later, by a schema that stands beside this file.

`schema` names the shape, `version` its version: a number that rises when a reader of the old shape would be misled.
New keys may come without a new version. No address is fetched and no clock is read: the same explanation gives the same
text.
"""

from __future__ import annotations

import json
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data.feature_set import places_of
from xattn.errors import check_choice
from xattn.explain.frames import GROUPINGS
from xattn.explain.parts import SIDES, kind_at, moving_blocks, parts_of_block
from xattn.explain.tell.snippet import Origin, plain_value, settings, snippet
from xattn.explain.tell.words import DEPTHS, SCENARIOS
from xattn.i18n import LANGUAGES

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["SCHEMA", "VERSION", "explanation", "explanation_schema", "ledger_dict", "made_with", "model_facts"]

SCHEMA = "xattn.explanation"
VERSION = 1
PACKAGES = ("xattn", "numpy", "numba", "pandas")


def explanation_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `explanation.json`.

    >>> explanation_schema()["properties"]["version"]
    {'const': 1}
    """
    found: dict[str, Any] = json.loads(files("xattn.explain").joinpath("explanation.schema.json").read_text("utf-8"))
    return found


def ledger_dict(ledger: Ledger) -> dict[str, Any]:
    """The ledger alone as plain lists and dicts: what `xattn explain --json` prints."""
    what_if, confidence = ledger.counterfactual(), ledger.confidence
    return {
        "user": ledger.user,
        "item": ledger.item,
        "title": ledger.title,
        "score": ledger.score,
        "base": ledger.base,
        "rank": ledger.rank,
        "k": ledger.k,
        "amounts": ledger.amounts,
        "cells": ledger.cells.to_dict(orient="records"),
        "removals": ledger.removals().to_dict(orient="records"),
        "counterfactual": {
            "remove": list(what_if.remove),
            "exact": what_if.exact,
            "found": what_if.found,
            "replaced_by": what_if.replaced_by,
            "rank_after": what_if.rank_after,
            "at_least": what_if.at_least,
        },
        "groups": {what: ledger.by(what).to_dict(orient="records") for what in GROUPINGS},
        "parts": parts_dict(ledger),
        "places": places_dict(ledger),
        "orders": None if ledger.orders is None else ledger.orders.orders,
        "intervals": [] if ledger.orders is None else ledger.intervals().to_dict(orient="records"),
        "base_share": ledger.base_share,
        "effective_events": ledger.effective_events,
        "notes": list(ledger.notes),
        "confidence": {"level": confidence.level, "reason": confidence.reason},
        "text": {lang: ledger.text(lang) for lang in LANGUAGES},
    }


def parts_dict(ledger: Ledger) -> dict[str, dict[str, list[dict[Any, Any]]]]:
    """The parts of every block that has some and moves the score: block → side → rows of `Ledger.parts`."""
    return {
        block: {side: ledger.parts(block, side=side).to_dict(orient="records") for side in SIDES}
        for block in moving_blocks(ledger)
    }


def places_dict(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Where the parts lie that are named there: block → `kind` of its parts, and `of` each item place → numbers."""
    return {block: {"kind": _kind(ledger, block), "of": _lies(ledger, block)} for block in moving_blocks(ledger)}


def _kind(ledger: Ledger, block: str) -> str:
    rows = [ledger.question.target, *ledger.history.item.tolist()]
    return next((kind for row in rows if (kind := kind_at(ledger.items_table, block, row))), "")


def _lies(ledger: Ledger, block: str) -> dict[str, dict[str, list[float]]]:
    places = places_of(parts_of_block(ledger.items_table, block))
    if places is None:
        return {}
    own, other = (ledger.parts(block, side=side) for side in SIDES)
    named = pd.concat([own[["event", "place"]], other[["place"]].assign(event=ledger.item)]).query("place >= 0")
    found: dict[str, dict[str, list[float]]] = {}
    for item, place in dict.fromkeys(zip(named["event"], named["place"].tolist(), strict=True)):
        if item not in found:
            lies, found[item] = places(ledger.items_table.row(item)), {}
        found[item][str(place)] = list(lies[place])
    return found


def explanation(ledger: Ledger, origin: Origin | None, scenario: str) -> dict[str, Any]:
    """The ledger and its provenance as plain lists and dicts."""
    check_choice("scenario", scenario, SCENARIOS)
    question, data = ledger.question, ledger.scorer.data_
    history = question.history
    text = {lang: ledger.text(lang, "paragraph", scenario) for lang in LANGUAGES}
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "made_with": made_with(),
        "model": model_facts(ledger),
        "data": {"name": data.name, "users": data.n_users, "items": data.n_items, "events": data.n_events},
        "asked": {"k": question.k, **{name: plain_value(value) for name, value in (question.conditions or {}).items()}},
        "history": [
            {
                "position": position,
                "event": data.items.ids[row],
                "title": data.items.titles[row],
                "rating": _opinion(history.rating, position),
                "age": float(history.age[position]),
                "masked": not bool(history.live[position]),
            }
            for position, row in enumerate(history.item.tolist())
        ],
        **ledger_dict(ledger),
        "text": text,
        "scenario": scenario,
        "texts": {lang: {depth: ledger.text(lang, depth, scenario) for depth in DEPTHS} for lang in LANGUAGES},
        "reproduce": snippet(ledger, origin),
    }


def model_facts(ledger: Ledger) -> dict[str, Any]:
    """Class, settings, seed and fingerprint of the model; the fingerprint is None where the model has none."""
    model: Any = ledger.scorer
    own = settings(model)
    digest = model.fingerprint() if hasattr(model, "fingerprint") else None
    return {"class": type(model).__name__, "settings": own, "seed": own.get("random_state"), "sha256": digest}


@lru_cache(maxsize=1)
def _versions() -> tuple[tuple[str, str | None], ...]:
    found: list[tuple[str, str | None]] = [("python", platform.python_version())]
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:  # run from a source folder that was never installed
            found.append((name, None))
    return tuple(found)


def made_with() -> dict[str, str | None]:
    """Versions of Python, of this package and of those that compute; None where a package is not installed as one."""
    return dict(_versions())


def _opinion(rating: np.ndarray | None, position: int) -> float | None:
    """The rating of an event; None where nothing was said."""
    found = np.nan if rating is None else float(rating[position])
    return None if np.isnan(found) else found
