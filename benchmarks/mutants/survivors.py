"""The faults that no test can or needs to see, each with its reason: survivors.toml, read and looked up."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from benchmarks.mutants.operators import Fault
from benchmarks.mutants.uses import place_of

__all__ = ["Survivor", "read", "reason_of"]

TABLE = Path(__file__).with_name("survivors.toml")
KINDS = (
    "equal",  # no call can tell the two apart
    "free",  # what is not promised: a limit or a figure that was chosen, a speed, a memory
    "gap",  # a test is missing
)


class Survivor(NamedTuple):
    """A fault by where it stands and what it changes: a line may move, and the reason still holds."""

    file: str
    where: str  # the function or class
    line: str  # its text
    change: str
    kind: str
    reason: str


def read(table: Path = TABLE) -> list[Survivor]:
    """The entries of the table."""
    found = [Survivor(**entry) for entry in tomllib.loads(table.read_text("utf-8")).get("survivor", [])]
    wrong = [one for one in found if one.kind not in KINDS or not one.reason]
    if wrong:
        raise ValueError(f"an entry of {table.name} must have a kind of {KINDS} and a reason; got {wrong[0]}")
    return found


def reason_of(fault: Fault, known: list[Survivor]) -> Survivor | None:
    """The entry of a fault, if there is one."""
    source = Path(fault.path).read_text("utf-8")
    line = source.splitlines()[fault.line - 1].strip()
    asked = (fault.path, place_of(source, fault.line), line, fault.what)
    return next((one for one in known if one[:4] == asked), None)
