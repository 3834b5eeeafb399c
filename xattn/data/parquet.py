"""A Parquet file → a frame with its Arrow types; lists of text (genres) become text joined by "|"."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xattn.data.columns import MAX_COLUMNS
from xattn.data.source import Source
from xattn.errors import shown

__all__ = ["MAGIC", "parquet_frame"]

MAGIC = b"PAR1"


def parquet_frame(raw: bytes, source: Source, max_bytes: int) -> pd.DataFrame:
    """The columns of the file; DataError when it is damaged, too wide, too large, or nested beyond lists of text."""
    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        names = [str(name) for name in file.schema_arrow.names]
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
    except (pa.ArrowException, OSError) as error:
        raise source.error("a Parquet file must be whole", shown(str(error))) from None
    if len(names) > MAX_COLUMNS:
        raise source.error(f"a table must have at most {MAX_COLUMNS:,} columns", f"{len(names):,}")
    if size > max_bytes:
        raise source.error(f"it must hold at most {max_bytes:,} bytes (unpacked)", f"{size:,}")
    try:
        table = file.read()
        table.validate(full=True)  # text must be UTF-8
        columns = [_flat(column) for column in table.columns]
    except (pa.ArrowException, OSError) as error:
        raise source.error("a Parquet file must be whole", shown(str(error))) from None
    for name, column in zip(names, columns, strict=True):
        if pa.types.is_nested(column.type):
            raise source.error("a column must hold plain values", f"{shown(str(column.type))} in {shown(name)}")
    frame = pd.DataFrame({i: pd.Series(pd.array(c, dtype=pd.ArrowDtype(c.type))) for i, c in enumerate(columns)})
    frame.columns = pd.Index(names, dtype=object)
    return frame


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text for dictionary-encoded text and for lists of text; other columns as they are."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    listed = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    if listed and (pa.types.is_string(column.type.value_type) or pa.types.is_large_string(column.type.value_type)):
        column = pa.chunked_array([pc.binary_join(chunk, "|") for chunk in column.chunks], pa.string())
    return column
