"""Formats: what is packed, encoded or held in any common way reads as the same table; bombs and damage are refused."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.reading.holders import written
from xattn.data import check_data, read_history, read_interactions, read_items
from xattn.data.reading.formats.encoding import decoded
from xattn.data.source import Source
from xattn.errors import DataError, InputError

TABLE = b"user,item,rating\nu,a,4\nv,a,5\nv,b,1\n"
ODD = [
    *("007", "7", "1.0", "NA", "nan", "null", "None", "1e5", "True", "-1", "18446744073709551616", "9007199254740993"),
    *("猫", "ß", "'", "a b", "0x1F", "1_000", "+5", "１２", "é", "e\u0301", "😀", "-", "?"),
]
ID = st.one_of(
    st.sampled_from(ODD),
    st.integers(-(2**70), 2**70).map(str),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6),
)
ROWS = st.lists(st.tuples(ID, ID), min_size=1, max_size=12)


def ids(source: object) -> list[tuple[str, str]]:
    data = read_interactions(source)
    return [(data.user_ids[u], data.items.ids[i]) for u, i in zip(data.user.tolist(), data.item.tolist(), strict=True)]


def by_user(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    users = list(dict.fromkeys(user for user, _ in rows))
    return sorted(rows, key=lambda row: users.index(row[0]))


# --- ids to the letter ------------------------------------------------------------------------------------------------


@given(ROWS, st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.booleans())
def test_ids_in_text(rows: list[tuple[str, str]], separator: str, encoding: str, quoted: bool) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([("user_id", "item_id"), *rows])
    assert ids(io.BytesIO(text.getvalue().encode(encoding))) == by_user(rows)


@given(ROWS)
def test_ids_in_json_lines(rows: list[tuple[str, str]]) -> None:
    lines = "\n".join(json.dumps({"user_id": user, "item_id": item}) for user, item in rows)
    assert ids(io.BytesIO(lines.encode())) == by_user(rows)


@given(st.lists(st.tuples(st.integers(-(2**80), 2**80), st.integers(0, 2**80)), min_size=2, max_size=8))
def test_numbers_in_json_keep_their_digits(rows: list[tuple[int, int]]) -> None:
    text = json.dumps([{"user": user, "item": item} for user, item in rows])
    assert ids(io.BytesIO(text.encode())) == by_user([(str(user), str(item)) for user, item in rows])


@given(ROWS, st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]))
def test_ids_in_parquet_and_in_memory(rows: list[tuple[str, str]], kind: pa.DataType) -> None:
    table = pa.table({name: pa.array([row[at] for row in rows], kind) for at, name in enumerate(("user", "item"))})
    file = io.BytesIO()
    pq.write_table(table, file)
    assert ids(io.BytesIO(file.getvalue())) == ids(table) == ids(table.to_pandas()) == by_user(rows)


def test_ids_in_excel() -> None:
    rows = [(user, user) for user in ODD]
    file = io.BytesIO()
    pd.DataFrame(rows, columns=["user", "item"]).to_excel(file, index=False)
    assert ids(io.BytesIO(file.getvalue())) == rows
    numbers = io.BytesIO()
    pd.DataFrame({"user": [1, 2], "item": [10.0, 12.0]}).to_excel(numbers, index=False)
    assert ids(io.BytesIO(numbers.getvalue())) == [("1", "10"), ("2", "12")]


# --- packing ----------------------------------------------------------------------------------------------------------


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members:
            archive.writestr(name, raw)
    return out.getvalue()


PACKERS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda raw: bytes(pa.compress(raw, "zstd", asbytes=True)),
    "zip": lambda raw: zipped(("r.csv", raw)),
}


@pytest.mark.parametrize("kind", PACKERS)
def test_packed_files(kind: str) -> None:
    pack = PACKERS[kind]
    data = read_interactions(io.BytesIO(pack(TABLE)))
    assert data.n_events == 3
    assert data.report.format["packing"] == [kind]
    assert read_interactions(io.BytesIO(gzip.compress(pack(TABLE)))).n_events == 3
    whole = pack(TABLE * 50)
    with pytest.raises(DataError, match=f"a {kind} file must be whole"):
        read_interactions(io.BytesIO(whole[: len(whole) // 2]))
    bomb = pack(b"user,item\n" + b"1,2\n" * 10**6)
    assert len(bomb) < 30_000
    with pytest.raises(DataError, match=r"at most 100,000 bytes \(unpacked\)"):
        read_interactions(io.BytesIO(bomb), max_bytes=100_000)


@given(st.binary(max_size=40), st.integers(0, 200), st.sampled_from(sorted(PACKERS)))
def test_damaged_packing_is_refused_in_one_sentence(noise: bytes, at: int, kind: str) -> None:
    raw = bytearray(PACKERS[kind](TABLE))
    raw[at % len(raw) : at % len(raw) + len(noise)] = noise
    try:
        read_interactions(io.BytesIO(bytes(raw)))
    except (DataError, InputError) as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_zip_files_with_several_tables(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(
        zipped(("ml/README.txt", b"x"), ("ml/ratings.csv", TABLE), ("ml/movies.csv", b"movieId,title\na,A\n"))
    )
    data = read_interactions(path, items=path)
    assert (data.n_events, data.items.titles) == (3, ("A", "b"))
    assert read_interactions(f"{path}/ml/ratings.csv").n_events == 3
    with pytest.raises(DataError, match="the path must name a file in it"):
        read_interactions(f"{path}/ml/nothing.csv")
    path.write_bytes(zipped(("a.csv", TABLE), ("b.csv", TABLE)))
    with pytest.raises(DataError, match=r"a zip file must hold one table, .*'a.csv', 'b.csv'"):
        read_interactions(path)
    locked = bytearray(zipped(("r.csv", TABLE)))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DataError, match="asks for a password"):
        read_interactions(io.BytesIO(bytes(locked)))


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", "/dev/zero", "/dev/stdin"):
        with pytest.raises(DataError, match="must be a file that exists and can be read"):
            read_interactions(path)


# --- encodings --------------------------------------------------------------------------------------------------------

TEXTS = {
    "gb18030": "用户,商品,评分\n张三,红楼梦,5\n李四,三体,4\n",
    "big5": "使用者,商品,評分\n王小明,紅樓夢,5\n陳大文,三國演義,4\n",
    "shift_jis": "ユーザー,商品,評価\n太郎,吾輩は猫である,5\n花子,坊っちゃん,4\n",
    "euc_kr": "사용자,상품,평점\n김철수,기생충,5\n이영희,올드보이,4\n",
    "cp1251": "пользователь,товар,оценка\nИван,Война и мир,5\nМария,Идиот,4\n",
    "cp1252": "user,title,rating\nJosé,Amélie,5\nZoë,Café de Flore,4\nBjörn,Süß,3\n",
    "utf-16": "user,item\nä,2\n",
    "utf-16-le": "user,item,rating\nann,2,4\n",
    "utf-8-sig": "user,item\nü,2\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_encodings_are_told(encoding: str) -> None:
    found = decoded(TEXTS[encoding].encode(encoding), Source("x"))
    assert found.raw.decode() == TEXTS[encoding]
    assert found.bad_bytes == 0


def test_one_bad_byte_makes_no_latin_1() -> None:
    good = "user,item\n" + "".join(f"ü{n},Käse\n" for n in range(30))
    found = decoded(good.encode().replace("ü7".encode(), b"\xfc7"), Source("x"))
    assert (found.encoding, found.bad_lines, found.bad_bytes) == ("UTF-8", (9,), 1)
    assert "Käse" in found.raw.decode()


def test_an_encoding_may_be_stated() -> None:
    raw = "user,item\nЖук,a\n".encode("koi8-r")
    assert read_interactions(io.BytesIO(raw), encoding="koi8-r").user_ids == ("Жук",)
    with pytest.raises(InputError, match="`encoding` must be one that Python knows"):
        read_interactions(io.BytesIO(raw), encoding="klingon")
    with pytest.raises(DataError, match="it must be text in utf-8; got other bytes in line 2"):
        read_interactions(io.BytesIO(raw), encoding="utf-8")


# --- anything ---------------------------------------------------------------------------------------------------------

TABLES = tomllib.loads((Path(__file__).parents[1] / "layouts" / "layouts.toml").read_text("utf-8"))["layout"]
FILES = [
    one
    for one in TABLES
    if one.get("as", "") in ("", "gz", "zip", "xz", "bz2", "zst", "xlsx", "parquet-pandas", "json")
]
SPLINTERS = [
    *(b",", b"\n", b'"', b"\t", b";", b"::", b"|", b"\0", b"\xff", b"NaN", b"1e999", b"-1", b"[", b"{", b"}", b"\r")
]


@settings(max_examples=200)
@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(SPLINTERS), st.integers(0, 8))))
def test_damaged_layouts_are_read_or_refused_in_one_sentence(
    layout: dict[str, Any], damage: list[tuple[int, bytes, int]]
) -> None:
    text = layout["text"].lstrip("\n").encode(layout.get("encoding", "utf-8"))
    raw = bytearray(written(layout.get("as", ""), text))
    for at, splinter, gone in damage:
        at %= len(raw) + 1
        raw[at : at + gone] = splinter
    for reader in (check_data, read_items, read_history):
        try:
            reader(io.BytesIO(bytes(raw)))
        except (DataError, InputError) as error:
            assert "\n" not in str(error)  # noqa: PT017


# --- databases --------------------------------------------------------------------------------------------------------


def test_databases(tmp_path: Path) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/shop.db"
    with sqlalchemy.create_engine(url).begin() as connection:
        connection.execute(sqlalchemy.text("create table sales (customer integer, sku text, at text)"))
        connection.execute(sqlalchemy.text("create table items (sku text, title text)"))
        connection.execute(
            sqlalchemy.text("insert into sales values (1, '007', '2024-01-31'), (2, '007', '2024-02-01')")
        )
    query = "select customer, sku, at as date from sales where customer > 0"
    data = read_interactions(url, query=query)
    assert (data.user_ids, data.items.ids, data.time is None) == (("1", "2"), ("007",), False)
    with pytest.raises(DataError, match=r"`query` must say what to read; got 2 tables: 'items', 'sales'"):
        read_interactions(url)
    with pytest.raises(DataError, match="the database must answer the query"):
        read_interactions(url, query="select nothing from nowhere")
    with pytest.raises(DataError, match="the database must answer the query"):
        read_interactions("nosuch://host/x", query="select 1")


def test_a_missing_sqlalchemy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(InputError, match=r"pip install 'xattn\[sql\]'"):
        read_interactions("sqlite:///x.db", query="select 1")


def test_arrow_and_frames_are_no_files() -> None:
    table = pa.table({"user": ["u"], "item": ["a"]})
    assert read_interactions(table).name == read_interactions(table.to_pandas()).name == "frame"
    indexed = pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"], "rating": [1, 5]}).set_index(["user", "item"])
    assert read_interactions(indexed).n_events == 2
    with pytest.raises(InputError, match="`path` must be the path of a file"):
        read_interactions(5)
