"""A foreign table before anybody asks what it means: names, columns, and where each row stands in the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from xattn.data.source import Source

__all__ = ["MAX_COLUMNS", "Facts", "Table", "rows_as_lines"]

MAX_COLUMNS = 10_000


class Facts(NamedTuple):
    """How a table was written: what a report says first. `header` is False where the names are made up."""

    kind: str
    packing: tuple[str, ...] = ()
    encoding: str = ""
    separator: str = ""
    header: bool = True
    unit: str = "line"  # or "row": what `Table.lines` counts
    shape: str = ""  # "wide", "adjacency", "blocks": how a table of events was made of it
    bad_lines: tuple[int, ...] = ()
    bad_bytes: int = 0
    empty: int = 0
    repeated_header: tuple[int, ...] = ()  # lines

    @property
    def is_text(self) -> bool:
        """Cells of a text file: blanks around them belong to the file."""
        return bool(self.separator or self.shape)


def rows_as_lines(rows: np.ndarray) -> np.ndarray:
    """Rows of a table that has no lines, counted from 0."""
    return rows


@dataclass(frozen=True, eq=False)
class Table:
    """`columns[i]` is called `names[i]`; `lines(rows)` gives the place of rows in the file."""

    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    source: Source
    name: str
    facts: Facts
    lines: Callable[[np.ndarray], np.ndarray] = rows_as_lines
    roles: Mapping[str, int] | None = None  # where the layout itself says which column is which

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def taken(self, rows: np.ndarray) -> Table:
        """The table with these rows alone; their places stay known."""
        if len(rows) == len(self):
            return self
        before = self.lines
        if len(rows) and (np.diff(rows) == 1).all():  # one run of rows, as without a header: no copy
            columns = tuple(column.slice(int(rows[0]), len(rows)) for column in self.columns)
        else:
            chosen = pa.array(rows)
            columns = tuple(column.take(chosen) for column in self.columns)
        return self.but(columns=columns, lines=lambda those: before(rows[those])).placed()

    def placed(self) -> Table:
        """The table whose source quotes these places in sentences."""
        unit, lines = self.facts.unit, self.lines
        number: Callable[[int], int] = lambda row: int(lines(np.array([row]))[0])  # noqa: E731
        return self.but(source=self.source._replace(unit=unit, number=number))

    def but(self, **changes: Any) -> Table:
        return replace(self, **changes)

    def without(self, names: Collection[str]) -> Table:
        """The table as if the columns of these names did not stand in it."""
        stay = [place for place, name in enumerate(self.names) if name not in names]
        if len(stay) == len(self.names):
            return self
        roles = self.roles and {role: stay.index(place) for role, place in self.roles.items() if place in stay}
        names, columns = tuple(self.names[place] for place in stay), tuple(self.columns[place] for place in stay)
        return self.but(names=names, columns=columns, roles=roles)

    def with_facts(self, **facts: Any) -> Table:
        return self.but(facts=self.facts._replace(**facts))

    @classmethod
    def of_columns(
        cls,
        columns: Mapping[str, pa.Array] | Sequence[tuple[str, pa.Array]],
        source: Source,
        name: str,
        facts: Facts,
        **more: Any,
    ) -> Table:
        pairs = list(columns.items()) if isinstance(columns, Mapping) else list(columns)
        if len(pairs) > MAX_COLUMNS:
            source.refuse("many_columns", most=MAX_COLUMNS, got=len(pairs))
        names = tuple(str(label) for label, _ in pairs)
        return cls(names, tuple(column for _, column in pairs), source, name, facts, **more).placed()
