"""A manifest for a table of your own: written with what was read, to be filled in by whoever knows the field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from xattn.data import Interactions
from xattn.errors import check_choice
from xattn.explain import SCENARIOS
from xattn.i18n import LANGUAGES, t
from xattn.scenarios.manifest import NO_ADVICE, manifest_in

__all__ = ["new_manifest"]

GROUPS = 2  # columns of categories that are looked at as groups
OFTEN = 0.2  # share of events with an item that the person had before, from which lists may hold such items again


def new_manifest(
    data: Interactions,
    *,
    name: str,
    ratings: str,
    items: str | None = None,
    words: str = "items",
    reading: Mapping[str, Any] | None = None,
) -> str:
    """The TOML text of a manifest for `data`, which was read from the files `ratings` and `items`.

    `reading` are the options of the table `own` that were given. Groups are the length of the history and the first
    columns of categories; types of events count 1 until somebody says otherwise. The texts are there to be rewritten.
    The manifest is checked before it is returned. Raises InputError for a name or words that no manifest can have.
    """
    check_choice("words", words, SCENARIOS)
    columns = [str(label) for label, own in data.items.frame.items() if not pd.api.types.is_numeric_dtype(own.dtype)]
    seen = "keep" if _repeats(data) > OFTEN else "drop"
    lines = [
        'schema = "xattn.scenario"',
        "version = 1",
        f"name = {_toml(name)}",
        f"words = {_toml(words)}  # one of {', '.join(SCENARIOS)}",
        f"seen = {_toml(seen)}  # keep: a list may hold again what somebody had before",
        'protocol = "next-item"  # or holdout, where the order means nothing',
        f"groups = {_toml(['length', *columns[:GROUPS]])}",
        "sensitive = []  # columns that no model may read",
    ]
    for key in ("scenario.new_title", "scenario.new_story", "scenario.new_persona", "scenario.new_watch"):
        lines.append(f"{key.removeprefix('scenario.new_')} = {_said(key, name=name)}")
    lines.append(f"questions = [{_said('scenario.new_question')}]")
    if words in NO_ADVICE:
        lines.append(f"warnings = [{_said('scenario.new_warning')}]")
    for kind in [] if data.kind is None else sorted(set(data.kind.tolist())):
        lines += ["", "[[events]]", f"type = {_toml(kind)}", "weight = 1.0", f"why = {_said('scenario.new_weight')}"]
    own = {"ratings": ratings, "items": items, **(reading or {})}
    lines += ["", "[own]", *(f"{key} = {_toml(value)}" for key, value in own.items() if value is not None)]
    text = "\n".join(lines) + "\n"
    manifest_in(text, f"{name}.toml")
    return text


def _repeats(data: Interactions) -> float:
    """The share of events with an item that the person had before."""
    pairs = len(np.unique(data.user * data.n_items + data.item))
    return 1.0 - pairs / max(1, data.n_events)


def _said(key: str, **fields: object) -> str:
    """A text of the catalogue in both languages, as an inline table."""
    return "{" + ", ".join(f"{lang} = {_toml(t(key, lang, **fields))}" for lang in LANGUAGES) + "}"


def _toml(value: Any) -> str:
    """A text or a list of texts; JSON's escapes are TOML's, but for DEL, which JSON leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
