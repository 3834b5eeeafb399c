"""One table on its way to events: the rows that are left, what was found so far, and how both are said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from xattn.data.reading.choice import Roles
from xattn.data.reading.options import Options
from xattn.data.reading.report import MOST_ROWS, Action, DataReport, Finding, Told
from xattn.data.reading.table import Table
from xattn.errors import DataError, Quoted

__all__ = ["Desk"]


class Desk:
    """`kept` are the rows of the table that are left; a step takes rows away and tells what it found."""

    def __init__(self, table: Table, roles: Roles, options: Options) -> None:
        self.table, self.roles, self.options = table, roles, options
        self.kept = np.arange(len(table))
        self.findings: list[Finding] = []
        self.repeated = 0  # rows that are left and say again exactly what another one says
        self.refusals: dict[str, dict[str, Any]] = {}  # of each error: its row, and the fields of its sentence
        if not len(table):
            table.source.refuse("no_events", found="a_header_alone")

    def tell(
        self, finding: str, severity: str, rows: Any = (), *, count: int | None = None, cost: bool = False,
        action: Action | None = None, **fields: Any,
    ) -> None:  # fmt: skip
        """Keep a finding about `rows` of the table."""
        rows = np.asarray(rows, np.int64)
        number = len(rows) if count is None else count
        places = tuple(int(place) for place in self.table.lines(rows[:MOST_ROWS])) if rows.size else ()
        share = number / max(len(self.table), 1) if cost else 0.0
        unit = self.table.facts.unit
        self.findings.append(Finding(finding, severity, number, places, share, action, fields, unit))

    def refuse(self, finding: str, rows: np.ndarray, action: Action | None, **fields: Any) -> None:
        """Keep a finding that is an error; its refusal has the same name and fields, and counts the rows as `n`."""
        self.tell(finding, "error", rows, cost=True, action=action, **fields)
        said = {name: Quoted(value) if name == "what" else value for name, value in fields.items()}
        self.refusals[finding] = {"row": int(rows[0]), "n": len(rows), **said}

    def column(self, role: str) -> pa.Array | None:
        at = self.roles.place.get(role)
        return None if at is None else self.table.columns[at]

    def name(self, role: str) -> str:
        return self.table.names[self.roles.place[role]]

    def drop(self, rows: np.ndarray) -> None:
        self.kept = np.setdiff1d(self.kept, rows, assume_unique=True)

    def stop_at_errors(self) -> None:
        """Raise DataError for the first error, with the others counted."""
        if not self.refusals:
            return
        code, *others = self.refusals
        fields = self.refusals[code]
        if others:
            fields, code = {**fields, "why": code, "more": len(others), "others": tuple(others)}, "several_errors"
        try:
            self.table.source.refuse(code, **fields)
        except DataError as error:
            error.report = self.report()  # type: ignore[attr-defined]
            raise

    def report(self, **sizes: Any) -> DataReport:
        how = {
            key: list(value) if isinstance(value, tuple) else value for key, value in self.table.facts._asdict().items()
        }
        for key in ("bad_lines", "bad_bytes", "repeated_header"):
            how.pop(key)
        return DataReport(
            self.table.name, how, len(self.table), columns=self.roles.uses, findings=tuple(self.findings), **sizes
        )

    def left_out(self, finding: str, rows: np.ndarray) -> bool:
        """Whether the caller wants the rows of this finding left out; they then are, and it is told."""
        if finding not in self.options.drop or len(rows) == len(self.kept):
            return False
        self.tell("left_out", "note", rows, cost=True, what=Told(f"data.left_out.{finding}"))
        self.drop(rows)
        return True

    def use(self, role: str) -> Any:
        return next(use for use in self.roles.uses if use.role == role)

    def say(self, role: str, how: str) -> None:
        uses = tuple(use._replace(how=how) if use.role == role else use for use in self.roles.uses)
        self.roles = self.roles._replace(uses=uses)
