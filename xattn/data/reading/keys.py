"""The step that reads users and items: ids to the letter, and the rows that have none."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xattn.data.reading import faults
from xattn.data.reading.cells import Ids, ids_of
from xattn.data.reading.desk import Desk
from xattn.data.reading.report import Action, Told
from xattn.errors import shown

__all__ = ["ids", "without_missing"]


def ids(desk: Desk, role: str) -> Ids:
    column = desk.column(role)
    assert column is not None
    found = ids_of(column, desk.table.facts.is_text)
    if found.bad.size:
        what = column[int(found.bad[0])].as_py()
        what = shown(what) if isinstance(what, str) else str(what)
        role_text = Told(f"data.role.{role}")
        desk.refuse("ids_broken", found.bad, Action("missing", "drop"), what=what, role=role_text)
        if desk.options.missing == "drop":
            desk.findings.pop()
            desk.refusals.pop("ids_broken")
    kind = column.type
    if pa.types.is_floating(kind):
        if not found.bad.size:
            desk.tell("ids_floats", "note", role=Told(f"data.role.{role}"))
    elif pa.types.is_string(kind) and desk.table.facts.is_text:
        around = pc.not_equal(pc.binary_length(column), pc.binary_length(pc.utf8_trim_whitespace(column)))
        rows = np.flatnonzero(pc.fill_null(around, False).to_numpy(zero_copy_only=False))
        full = int((found.codes >= 0).sum())
        if 0 < rows.size < full:
            desk.tell("ids_blanks", "note", rows, role=Told(f"data.role.{role}"))
    for pair in faults.alike(found.ids):
        codes = [code for code, one in enumerate(found.ids) if one in pair.ids]
        rows = np.flatnonzero(np.isin(found.codes, codes))
        what = " / ".join(shown(one, limit=24) for one in pair.example)
        desk.tell(
            "ids_alike",
            "warning",
            rows,
            count=pair.n,
            role=Told(f"data.role.{role}"),
            how=Told(f"data.differ.{pair.how}"),
            what=what,
        )
    return found


def without_missing(desk: Desk, user: Ids, item: Ids) -> None:
    missing = np.flatnonzero((user.codes < 0) | (item.codes < 0))
    if missing.size == len(desk.table):
        desk.stop_at_errors()
        desk.table.source.refuse("nothing_named")
    broken = np.union1d(user.bad, item.bad)
    left = np.setdiff1d(missing, broken) if desk.options.missing == "refuse" else missing
    if left.size and desk.options.missing == "refuse":
        desk.refuse("missing", left, Action("missing", "drop"))
    elif left.size:
        desk.tell("missing_left_out", "warning", left, cost=True)
    desk.drop(missing)
