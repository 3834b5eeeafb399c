"""Tables that other libraries hold in memory (pandas, polars, Arrow, DuckDB, …) and answers of databases.

Any object that offers the Arrow PyCapsule interface is taken as it is; older ones through the data frame interchange
protocol. No library but pandas and Arrow is needed for that.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pyarrow as pa

from xattn.data.reading.cells import column_of
from xattn.data.reading.formats.parquet import arrow_table
from xattn.data.reading.table import MAX_COLUMNS, Facts, Table
from xattn.data.source import Source
from xattn.errors import InputError, Quoted, refuse, shown, some_of

__all__ = ["frame_table", "is_frame", "is_url", "query_table"]

FRAME = Source("`frame`")


def is_frame(value: Any) -> bool:
    names = ("__arrow_c_stream__", "__dataframe__")
    return isinstance(value, (pd.DataFrame, pa.Table, pa.RecordBatch)) or any(hasattr(value, name) for name in names)


def frame_table(frame: Any, source: Source = FRAME, name: str = "frame", kind: str = "frame") -> Table:
    """The columns of a frame; an index of a pandas frame that has names counts as columns."""
    facts = Facts(kind, unit="row")
    if isinstance(frame, pd.DataFrame):
        if any(label is not None for label in frame.index.names):
            frame = frame.reset_index(allow_duplicates=True)
        if frame.shape[1] > MAX_COLUMNS:
            source.refuse("many_columns", most=MAX_COLUMNS, got=frame.shape[1])
        columns = [(_label(label), column_of(frame.iloc[:, place])) for place, label in enumerate(frame.columns)]
        return Table.of_columns(columns, source, name, facts)
    try:
        if not isinstance(frame, pa.Table):
            frame = pa.table(frame) if hasattr(frame, "__arrow_c_stream__") else _interchanged(frame)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError, RuntimeError) as problem:
        source.refuse("no_arrow_frame", got=str(problem))
    return arrow_table(frame, source, name, facts)


def _label(label: Any) -> str:
    return " ".join(str(part) for part in label if str(part)) if isinstance(label, tuple) else str(label)


def _interchanged(frame: Any) -> pa.Table:
    from pyarrow.interchange import from_dataframe

    return from_dataframe(frame)


def is_url(value: Any) -> bool:
    """The address of a database, such as sqlite:///shop.db."""
    return isinstance(value, str) and bool(re.match(r"^[a-z][a-z0-9]*(\+[a-z0-9]+)?://", value))


def query_table(url: str, query: str | None, max_rows: int = 50_000_000) -> Table:
    """What a database answers to a query, or its only table. Raises InputError without SQLAlchemy, DataError else."""
    try:
        import sqlalchemy
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        refuse("no_sqlalchemy")
    source = Source("`source`")
    try:
        engine = sqlalchemy.create_engine(url)
        source = Source(shown(engine.url.render_as_string(hide_password=True)))
        with engine.connect() as connection:
            if query is None:
                names = sqlalchemy.inspect(connection).get_table_names()
                if len(names) != 1:
                    source.refuse("no_query", got=len(names), **some_of(names))
                query = str(
                    sqlalchemy.select(sqlalchemy.Table(names[0], sqlalchemy.MetaData(), autoload_with=connection))
                )
            answer = connection.execution_options(stream_results=True).execute(sqlalchemy.text(query))
            labels = [str(label) for label in answer.keys()]  # noqa: SIM118
            rows = answer.fetchmany(max_rows)
    except (SQLAlchemyError, ImportError, OSError, ValueError) as problem:
        if isinstance(problem, InputError):
            raise
        source.refuse("no_answer", got=Quoted(shown(str(problem).split("\n")[0], limit=120)))
    columns = [(label, column_of([row[place] for row in rows])) for place, label in enumerate(labels)]
    name = re.sub(r".*/|\.\w+$", "", url.split("?")[0]) or "query"
    return Table.of_columns(columns, source, name, Facts("SQL", unit="row"))
