"""How the tables are to be read, as a visitor settles it, and the command line and the Python that do the same.

Options are those of `read_interactions`, as a dict: {"columns": {"user": "who"}, "missing": "drop"}.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from xattn.app.data.brought import Brought
from xattn.data.reading.choice import Use
from xattn.data.reading.report import Finding

__all__ = ["ENCODINGS", "command", "given_role", "program", "settled", "unsettled", "ways"]

Options = Mapping[str, Any]
PASSWORD = re.compile(r"^(\w[\w+.]*://[^/:@]*:).*(@)")
ENCODINGS = ("utf-8", "gb18030", "big5", "shift_jis", "euc_kr", "cp1251", "cp1252", "utf-16")
SCALES = ("1-5", "0.5-5", "1-10", "0-100", "dwell", "progress", "amount")
READ = ("columns", "scale", "unrated", "event_weights", "time_format", "encoding", "missing", "repeats")


def ways(finding: Finding) -> tuple[tuple[str, str], ...]:
    """The options that settle a finding, each with a value that a click gives it."""
    action = finding.action
    if action is None or action.option not in READ:
        return ()
    values: Sequence[str] = (action.value,) if action.value else ()
    if action.option == "encoding":
        values = ENCODINGS
    elif action.option == "scale":
        values = tuple(dict.fromkeys([*values, *SCALES]))
    elif action.option == "time_format":
        values = ("day-first", "month-first")
    return tuple((action.option, value) for value in values)


def settled(options: Options, option: str, value: str) -> dict[str, Any]:
    """The options with one more.

    >>> settled({"columns": {"user": "a"}}, "columns", "item=b,time=c")
    {'columns': {'user': 'a', 'item': 'b', 'time': 'c'}}
    """
    if option == "columns":
        return {**options, "columns": {**options.get("columns", {}), **_pairs(value)}}
    if option == "event_weights":
        own = {name: float(weight) for name, weight in _pairs(value).items()}
        return {**options, "event_weights": {**options.get("event_weights", {}), **own}}
    if option == "unrated":
        values = [*options.get("unrated", ()), *(part.strip() for part in value.split(","))]
        return {**options, "unrated": list(dict.fromkeys(values))}
    return {**options, option: value}


def unsettled(options: Options, option: str) -> dict[str, Any]:
    """The options without one."""
    return {name: value for name, value in options.items() if name != option}


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for part in re.split(r",(?=\s*[^,=]+=)", text):
        name, _, value = part.partition("=")
        found[name.strip()] = value.strip()
    return found


def given_role(options: Options, uses: Sequence[Use], at: int, role: str) -> dict[str, Any]:
    """The options with a role given to the column `uses[at]`; "" takes its role away."""
    columns: dict[str, str] = dict(options.get("columns", {}))
    name = _reference(uses, at)
    before = uses[at].role
    columns = {own: column for own, column in columns.items() if column != name}
    if before and before != role and before not in columns:
        columns[before] = ""  # nothing else may be guessed in its place
    if role:
        columns[role] = name
    return {**unsettled(options, "columns"), **({"columns": columns} if columns else {})}


def _reference(uses: Sequence[Use], at: int) -> str:
    """What `columns` calls a column: its header; its number where another has the same, or the header could be read
    as something else."""
    name = uses[at].column
    plain = name.strip() and name == name.strip() and not re.search(r"[=,\r\n]", name)
    alone = sum(use.column.strip() == name.strip() for use in uses) == 1
    return name if plain and alone else str(at + 1)


# --- the same elsewhere -----------------------------------------------------------------------------------------------


def _names(brought: Brought) -> tuple[str, str | None]:
    """Where the events and the items are read from, as a visitor's own machine would call it."""
    if brought.how == "database":
        return PASSWORD.sub(r"\1…\2", brought.url), None  # a command is copied, and may be shown around
    events, items = brought.named("events"), brought.named("items")
    return (events[0].name if len(events) == 1 else "FOLDER"), (items[0].name if items else None)


def command(brought: Brought, options: Options, settings: Mapping[str, Any]) -> str:
    """One line for a shell: it fits the same model to the same data and keeps it in a file."""
    ratings, items = _names(brought)
    words = ["xattn", "fit", "--ratings", ratings]
    words += ["--items", items] if items else []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        values = [f"{key}={part}" for key, part in value.items()] if isinstance(value, Mapping) else value
        for one in [values] if isinstance(values, str) else values:
            words += [flag, str(one)]
    words += ["--query", brought.query] if brought.query else []
    for name, value in settings.items():
        if name != "event_weights":
            words += ["--set", f"{name}={value}"]
    return shlex.join([*words, "--out", "yours.npz"])


def program(brought: Brought, options: Options, settings: Mapping[str, Any]) -> str:
    """The Python that makes the same model."""
    ratings, items = _names(brought)
    given = {**({"items": items} if items else {}), **options, **({"query": brought.query} if brought.query else {})}
    arguments = "".join(f", {name}={value!r}" for name, value in given.items())
    own = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return "\n".join(
        [
            "from xattn import HybridAttention, read_interactions",
            "",
            f"data = read_interactions({ratings!r}{arguments})",
            f"model = HybridAttention({own}).fit(data)",
        ]
    )
