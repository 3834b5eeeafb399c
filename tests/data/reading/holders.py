"""Ways in which the text of a layout is held before it is read: packed, in another format, in memory, in a database."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


class Capsule:
    """Only what polars, DuckDB and others offer: a stream of Arrow data."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


def held(entry: dict[str, Any], folder: Path) -> Any:
    """What a reader is given for one layout or fault."""
    raw = entry["text"].lstrip("\n").encode(entry.get("encoding", "utf-8"))
    how = entry.get("as", "")
    if how == "pandas":
        return frame(raw)
    if how in ("arrow-views", "capsule"):
        table = pa.Table.from_pandas(frame(raw), preserve_index=False)
        if how == "capsule":
            return Capsule(table)
        views = [c.cast(pa.string_view()) if not pa.types.is_integer(c.type) else c for c in table.columns]
        return pa.table(views, table.column_names)
    if how == "sql":
        import sqlalchemy

        url = f"sqlite:///{folder}/shop.db"
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            rows = list(csv.reader(io.StringIO(raw.decode())))
            connection.execute(sqlalchemy.text(f"create table events ({', '.join(f'{c} text' for c in rows[0])})"))
            for row in rows[1:]:
                values = dict(zip("abc", row, strict=True))
                connection.execute(sqlalchemy.text("insert into events values (:a, :b, :c)"), values)
        engine.dispose()
        return url
    if how == "parquet-spark":
        whole, parts = frame(raw), folder / "events.parquet"
        parts.mkdir()
        (parts / "_SUCCESS").touch()
        for number in range(2):
            whole.iloc[number::2].to_parquet(parts / f"part-0000{number}-x.snappy.parquet", index=False)
        return parts
    path = folder / {"zst": "r.csv.zst", "jester": "jester.csv", "xlsx": "r.xlsx"}.get(how, "r.csv")
    path.write_bytes(written(how, raw))
    return path


def frame(raw: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(raw))


def written(how: str, raw: bytes) -> bytes:
    """The bytes of the file."""
    out = io.BytesIO()
    if how == "gz":
        return gzip.compress(raw, mtime=0)
    if how == "bz2":
        return bz2.compress(raw)
    if how == "xz":
        return lzma.compress(raw)
    if how == "zst":
        return bytes(pa.compress(raw, "zstd", asbytes=True))
    if how == "zip":
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("set/README.txt", "a note")
            archive.writestr("set/ratings.csv", raw)
    elif how == "xlsx":
        whole = frame(raw)
        whole["InvoiceDate"] = pd.to_datetime(whole["InvoiceDate"])
        whole.to_excel(out, index=False)
    elif how == "parquet-pandas":
        frame(raw).astype({"user_id": "category"}).to_parquet(out)
    elif how == "parquet-polars":
        table = pa.Table.from_pandas(frame(raw), preserve_index=False)
        types = [pa.large_string() if not pa.types.is_integer(c.type) else c.type for c in table.columns]
        pq.write_table(table.cast(pa.schema(list(zip(table.column_names, types, strict=True)))), out)
    elif how in ("json", "json-columns"):
        form = "records" if how == "json" else "list"
        out.write(json.dumps(frame(raw).to_dict(orient=form)).encode())
    elif how == "jester":
        rng = np.random.default_rng(0)
        jokes = rng.uniform(-9.9, 9.9, (20, 40)).round(2)
        jokes[rng.random(jokes.shape) < 0.4] = 99
        rows = np.column_stack([(jokes != 99).sum(axis=1), jokes])
        out.write(b"\n".join(b",".join(f"{x:g}".encode() for x in row) for row in rows))
    elif how == "bot":
        people = [f"p{n},i{n % 7},{1_700_000_000 + 9000 * n}" for n in range(100)]
        program = [f"crawler,i{n % 90},{1_700_000_000 + n}" for n in range(400)]
        out.write("\n".join(["user,item,time", *program, *people]).encode())
    elif how == "bad-byte":
        lines = [f"ü{n},Käse{n},Amélie{n}" for n in range(20)]
        raw = "\n".join(["user,item,item_name", *lines]).encode()
        out.write(raw.replace("Käse1,".encode(), b"K\xe4se1,", 1))
    else:
        return raw
    return out.getvalue()
