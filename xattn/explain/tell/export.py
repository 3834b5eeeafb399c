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

from xattn.errors import check_choice
from xattn.explain.tell.snippet import Origin, plain_value, settings, snippet
from xattn.explain.tell.words import DEPTHS, SCENARIOS
from xattn.i18n import LANGUAGES

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["SCHEMA", "VERSION", "explanation", "explanation_schema", "made_with", "model_facts"]

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


def explanation(ledger: Ledger, origin: Origin | None, scenario: str) -> dict[str, Any]:
    """The ledger and its provenance as plain lists and dicts."""
    check_choice("scenario", scenario, SCENARIOS)
    question, data = ledger._question, ledger._scorer.data_
    history = question.history
    told = ledger.to_dict()
    told["text"] = {lang: ledger.text(lang, "paragraph", scenario) for lang in LANGUAGES}
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "made_with": made_with(),
        "model": model_facts(ledger),
        "data": {"name": data.name, "users": data.n_users, "items": data.n_items, "events": data.n_events},
        "asked": {"k": question.k, **{name: plain_value(value) for name, value in (question.asked or {}).items()}},
        "history": [
            {
                "position": position,
                "event": data.items.ids[row],
                "title": data.items.titles[row],
                "rating": None if history.rating is None else float(history.rating[position]),
                "age": float(history.age[position]),
                "masked": not bool(history.live[position]),
            }
            for position, row in enumerate(history.item.tolist())
        ],
        **told,
        "scenario": scenario,
        "texts": {lang: {depth: ledger.text(lang, depth, scenario) for depth in DEPTHS} for lang in LANGUAGES},
        "reproduce": snippet(ledger, origin),
    }


def model_facts(ledger: Ledger) -> dict[str, Any]:
    """Class, settings, seed and fingerprint of the model; the fingerprint is None where the model has none."""
    model: Any = ledger._scorer
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
