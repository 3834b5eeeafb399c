"""A Parquet file (as pandas, polars and Spark write it), or any Arrow table → columns of plain types.

Lists become text that is JSON, structures become columns with dots in their names; dictionaries and text views become
the text that they stand for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xattn.data.reading.cells import column_of
from xattn.data.reading.table import MAX_COLUMNS, Facts, Table
from xattn.data.source import Source

__all__ = ["MAGIC", "arrow_table", "parquet_table"]

MAGIC = b"PAR1"


def parquet_table(raw: bytes, source: Source, name: str, facts: Facts, max_bytes: int) -> Table:
    """The columns of the file; DataError when it is damaged, too wide or too large."""
    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        names = [str(name) for name in file.schema_arrow.names]
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
    except (pa.ArrowException, OSError) as error:
        source.refuse("not_whole", form="parquet_file", got=str(error))
    if len(names) > MAX_COLUMNS:
        source.refuse("many_columns", most=MAX_COLUMNS, got=len(names))
    if size > max_bytes:
        source.refuse("large_file", most=max_bytes, found="bytes", got=size)
    try:
        table = file.read()
        table.validate(full=True)  # text must be UTF-8
    except (pa.ArrowException, OSError) as error:
        source.refuse("not_whole", form="parquet_file", got=str(error))
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    return arrow_table(table.select(names), source, name, facts._replace(kind="Parquet", unit="row"))


def arrow_table(table: pa.Table, source: Source, name: str, facts: Facts) -> Table:
    """An Arrow table with columns of plain types. DataError where a type is none that can be read."""
    columns: list[tuple[str, pa.Array]] = []
    for label, column in zip(table.column_names, table.columns, strict=True):
        try:
            whole = column.combine_chunks()
            if isinstance(whole, pa.ChunkedArray):  # no chunk, or more than one array can hold
                whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], column.type)
            columns += _flat(str(label), whole)
        except (pa.ArrowException, UnicodeDecodeError, TypeError, ValueError) as error:
            source.refuse("column_of_type", got=str(column.type), column=str(label), problem=str(error))
    return Table.of_columns(columns, source, name, facts)


def _flat(name: str, column: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_struct(column.type):
        for place in range(column.type.num_fields):
            yield from _flat(f"{name}.{column.type.field(place).name}", pc.struct_field(column, [place]))
    elif pa.types.is_nested(column.type):
        texts = [
            None if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in column.to_pylist()
        ]
        yield name, pa.array(texts, pa.string())
    else:
        yield name, column_of(column)
