"""Small files in every form that can be read, and in forms that cannot: `told` says what is made of each."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.data.reading.reports import Case, csv

__all__ = ["FILES"]

ROWS = ("a,x,3,1600000000", "a,y,4,1600000100", "b,x,5,1600000200", "b,z,1,1600000300")
PLAIN = csv("user,item,rating,time", *ROWS)


LONG = csv("user,item,rating", *(f"u{n},x{n % 7},{n % 5 + 1}" for n in range(90)))


def zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def packed(times: int, raw: bytes = PLAIN.encode()) -> bytes:
    for _ in range(times):
        raw = gzip.compress(raw, mtime=0)
    return raw


def parquet(frame: pd.DataFrame | pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False), out)
    return out.getvalue()


def excel(*sheets: list[tuple[object, ...]]) -> bytes:
    import openpyxl

    book, out = openpyxl.Workbook(), io.BytesIO()
    for number, rows in enumerate(sheets):
        sheet = book.active if not number else book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(out)
    return out.getvalue()


def words(names: list[str], encoding: str) -> bytes:
    return csv("user,item,title", *(f"{u},{n},{name}" for n, name in enumerate(names) for u in "ab")).encode(encoding)


CHINESE = ["霸王别姬", "盗火线", "卧虎藏龙", "花样年华", "一一", "大话西游"]
TRADITIONAL = ["霸王別姬", "盜火線", "臥虎藏龍", "花樣年華", "悲情城市", "牯嶺街少年殺人事件"]
JAPANESE = ["となりのトトロ", "もののけ姫", "千と千尋の神隠し", "羅生門", "東京物語", "おくりびと"]
KOREAN = ["살인의추억", "올드보이", "기생충", "괴물", "마더", "아가씨"]
RUSSIAN = ["Сталкер", "Солярис", "Зеркало", "Андрей Рублёв", "Левиафан", "Брат"]
FRENCH = ["Amélie", "Le Dîner", "Hôtel", "Fantômas", "À bout de souffle", "Été"]
NETFLIX = "7:\na,3,2005-09-06\nb,4,2005-09-07\n8:\nb,1,2005-09-08\n"
ONE = '{"user": "b", "item": "x"}\n'
PEOPLE = {"a": {"x": 5, "y": 1}, "b": {"x": 4, "z": 2}}

FILES: dict[str, Case] = {
    "tabs": Case(PLAIN.replace(",", "\t")),
    "semicolons, decimal commas": Case("user;item;rating\na;x;3,5\na;y;4,0\nb;x;5,0\nb;z;1,0\n"),
    "a separator that is named": Case("sep=|\nuser|item|rating\na|x|3\nb|x|5\nb|z|1\n"),
    "blanks between": Case("user item rating\na   x 3\na y 4\nb  x 5\nb z 1\n"),
    "comments before": Case("% made by hand\n% in 2024\n" + PLAIN),
    "a comment of another width": Case("# made by hand, in 2024, slowly, twice, by one\n" + PLAIN),
    "a header after a hash": Case("#" + PLAIN),
    "empty lines, and lines of separators": Case("user,item,rating\n\na,x,3\n,,\n\nb,y,4\n , ,\nb,x,1\n"),
    "line ends of Windows, quotes": Case('user,item,title\r\na,x,"He, at"\r\nb,x,"He, at"\r\n\r\nb,"y",Ran\r\n'),
    "line breaks within quotes": Case('user,item,title\na,x,"He\nat"\nb,x,"He\nat"\nb,,Ran\n'),
    "doubled quotes": Case('user,item,title\na,x,"The ""Heat"""\nb,x,"The ""Heat"""\nb,y,Ran\n'),
    "quotes with backslashes": Case('user,item,title\na,x,"The \\"Heat\\", it"\nb,x,"The \\"Heat\\", it"\nb,y,Ran\n'),
    "a header again, between quotes": Case('user,item,title\na,x,"Heat"\nuser,"item",title\nb,y,"Ran"\nb,x,"Heat"\n'),
    "row numbers as R writes them": Case('"user","item","rating"\n"1","a","x",3\n"2","a","y",4\n"3","b","x",5\n'),
    "a separator at the end of lines": Case("user,item,rating\na,x,3,\na,y,4,\nb,x,5,\n"),
    "one ragged line": Case("user,item,rating\na,x,3\na,y\nb,x,5\n"),
    "seven ragged lines": Case("user,item\n" + "a,x\n" * 9 + "".join(f"b,y,{n}\n" for n in range(7))),
    "ragged lines, quoted": Case('user,item\n"a","x"\n' + "a,x\n" * 9 + "".join(f'b,"y",{n}\n' for n in range(7))),
    "a quote that stays open": Case('user,item,title\na,x,"Heat\nb,y,Ran\n'),
    "text after a quote": Case('user,item,title\na,x,"Heat" too\nb,y,Ran\n'),
    "a cell too long": Case(csv("user,item,title", "a,x," + "y" * 131_073, "b,x,Ran")),
    "binary data": Case(b"user,item\na,x\nb,\0y\n"),
    "nothing": Case(b" \n "),
    "a header alone": Case("user,item\n"),
    "columns of one name": Case("user,item,item\na,x,y\nb,x,y\n"),
    "two columns for users": Case("user,User,item\na,b,y\nb,x,y\n"),
    "a role for no column": Case(PLAIN, {"columns": {"user": "who"}}),
    "columns by their numbers": Case("what,who,when\nx,a,3\ny,a,4\nx,b,5\n", {"columns": {"user": 2, "item": "1"}}),
    "columns left out": Case(PLAIN, {"leave_out": ["time"]}),
    "a camel and a type": Case("visitorID:token\tproductID:token\ttimestamp:float\na\tx\t1600000\nb\tx\t1600001\n"),
    **{
        f"{encoding}": Case(words(names, encoding))
        for encoding, names in {
            "gb18030": CHINESE,
            "big5": TRADITIONAL,
            "shift_jis": JAPANESE,
            "euc_kr": KOREAN,
            "cp1251": RUSSIAN,
            "cp1252": FRENCH,
            "utf-16": CHINESE,
            "utf-16-be": FRENCH,
            "utf-8-sig": CHINESE,
            "utf-32": FRENCH,
        }.items()
    },
    "utf-8-sig, a bad byte": Case(b"\xef\xbb\xbf" + words(CHINESE, "utf-8") + b"a,7,\xff\nb,7,x\n"),
    "an encoding that is none": Case(PLAIN, {"encoding": "klingon"}),
    "an encoding that is stated": Case(words(FRENCH[:4], "cp1250"), {"encoding": "cp1250"}),
    "an encoding that it is not in": Case(words(FRENCH, "cp1252"), {"encoding": "utf-8"}),
    "half a UTF-16": Case(words(FRENCH, "utf-16")[:-1]),
    "JSON: rows": Case(
        json.dumps([{"user": "a", "item": "x", "rating": 4.50}, {"user": "b", "item": "x", "rating": 2}])
    ),
    "JSON: lines": Case('{"user": "a", "item": "x"}\n\n{"user": "a", "item": "y", "rating": 4}\n' + ONE),
    "JSON: a line that is broken": Case('{"user": "a", "item": "x"}\n{"user": "a", "item"}\n'),
    "JSON: a line of another kind": Case('{"user": "a", "item": "x"}\n[3]\n{"user": "a", "item": "x"}\n'),
    "JSON: a line without an item": Case('{"user": "a", "item": "x"}\n\n{"user": "a"}\n{"user": "b", "item": "x"}\n'),
    "JSON: one line": Case('{"user": "a", "item": "x"}'),
    "JSON: columns": Case(json.dumps({"user": ["a", "a", "b"], "item": ["x", "y", "x"]})),
    "JSON: columns of two lengths": Case(json.dumps({"user": ["a", "a", "b"], "item": ["x", "y"]})),
    "JSON: split as by pandas": Case(
        json.dumps({"columns": ["user", "item", "n"], "index": [0, 1], "data": [["a", "x"], ["b", "y"]]})
    ),
    "JSON: data inside": Case(
        json.dumps({"ok": True, "data": [{"user": "a", "item": "x"}, {"user": "b", "item": "x"}]})
    ),
    "JSON: people": Case(json.dumps({"a": ["x", "y"], "b": ["x"]})),
    "JSON: people with ratings": Case(json.dumps(PEOPLE)),
    "JSON: people, one of a kind": Case(json.dumps({"a": ["x", "y"], "b": 3})),
    "JSON: lists of lists": Case(json.dumps([["a", "x", 3], ["b", "y", 4], ["b", "x", 5]])),
    "JSON: lists with names": Case(json.dumps([["user", "item"], ["a", "x"], ["b", "y"]])),
    "JSON: events within people": Case(
        json.dumps(
            [
                {"user": {"id": "a"}, "events": [{"item": "x", "rating": 4}, {"item": "y"}]},
                {"user": {"id": "b"}, "events": [{"item": "x"}]},
            ]
        )
    ),
    "JSON: items within people": Case('{"user": "a", "items": ["x", "y"]}\n{"user": "b", "items": ["x"]}\n'),
    "JSON: items with genres": Case(
        json.dumps(
            [
                {"item": "x", "title": "X", "genres": [{"id": 1, "name": "War"}]},
                {"item": "y", "title": "Y", "genres": []},
            ]
        ),
        of="items",
    ),
    "JSON: as Python writes it": Case("{'user': 'a', 'item': u'x', 'rating': 4.0}\n{'user': 'b', 'item': 'x'}\n"),
    "JSON: too deep": Case("[" * 5_000 + "]" * 5_000),
    "JSON: cut off": Case('[{"user": "a", "item": "x"}, {"user": '),
    "Parquet": Case(
        parquet(pd.DataFrame({"user": [1, 1, 2], "item": ["x", "y", "x"], "when": pd.to_datetime([3, 2, 1], unit="D")}))
    ),
    "Parquet: ids as floats": Case(parquet(pd.DataFrame({"user": [1.0, 1.0, 2.0], "item": ["x", "y", "x"]}))),
    "Parquet: ids with fractions": Case(parquet(pd.DataFrame({"user": [1.0, 1.5, 2.0], "item": ["x", "y", "x"]}))),
    "Parquet: ids that are true": Case(parquet(pd.DataFrame({"user": [True, False, True], "item": ["x", "y", "x"]}))),
    "Parquet: cut off": Case(parquet(pd.DataFrame({"user": [1], "item": [2]}))[:-9]),
    "Parquet: nested": Case(
        parquet(pa.table({"user": ["a", "b"], "item": [{"id": "x"}, {"id": "y"}], "tags": [["p"], []]}))
    ),
    "Excel": Case(excel([("user", "item", "rating"), ("a", "x", 3), (None,), ("b", "x", 4.5), ("b", "y", None)])),
    "Excel: the sheet that suits": Case(
        excel([("notes",), ("nothing",)], [("user", "item"), ("a", "x"), ("b", "y"), ("b", "x")])
    ),
    "Excel: without a header": Case(excel([("a", "x", 3), ("a", "y", 4), ("b", "x", 5), ("b", "z", 1)])),
    "Excel: empty": Case(excel([])),
    "gzip": Case(packed(1)),
    "gzip: three times": Case(packed(3)),
    "gzip: four times": Case(packed(4)),
    "gzip: two in one file": Case(packed(1, PLAIN.encode()) + packed(1, b"c,x,2,1600000500\n")),
    "gzip: cut off": Case(packed(1)[:-12]),
    "gzip: larger than allowed": Case(packed(1, LONG.encode()), {"max_bytes": len(LONG) - 1}),
    "gzip: as large as allowed": Case(packed(1, LONG.encode()), {"max_bytes": len(LONG)}),
    "as large as allowed": Case(PLAIN, {"max_bytes": len(PLAIN)}),
    "larger than allowed": Case(PLAIN, {"max_bytes": len(PLAIN) - 1}),
    "bz2": Case(bz2.compress(LONG.encode()), {"max_bytes": len(LONG)}),
    "bz2: larger than allowed": Case(bz2.compress(LONG.encode()), {"max_bytes": len(LONG) - 1}),
    "xz": Case(lzma.compress(PLAIN.encode())),
    "xz: as large as allowed": Case(lzma.compress(LONG.encode()), {"max_bytes": len(LONG)}),
    "xz: larger than allowed": Case(lzma.compress(LONG.encode()), {"max_bytes": len(LONG) - 1}),
    "xz: cut off": Case(lzma.compress(PLAIN.encode())[:-20]),
    "zip": Case(zipped({"log.csv": PLAIN})),
    "zip: a table and what comes with it": Case(
        zipped({"d/log.csv": PLAIN, "d/README.txt": "read me", "__MACOSX/d/log.csv": "x"})
    ),
    "zip: the ratings of several": Case(zipped({"items.csv": "item,title\nx,X\n", "ratings.csv": PLAIN})),
    "zip: the items of several": Case(zipped({"items.csv": "item,title\nx,X\n", "ratings.csv": PLAIN}), of="items"),
    "zip: several": Case(zipped({"a.csv": PLAIN, "b.csv": PLAIN})),
    "zip: as large as allowed": Case(zipped({"log.csv": LONG}), {"max_bytes": len(LONG)}),
    "zip: larger than allowed": Case(zipped({"log.csv": LONG}), {"max_bytes": len(LONG) - 1}),
    "Netflix": Case(NETFLIX),
    "Netflix: a line too long": Case(NETFLIX + "b,1,2005-09-08,5\n"),
    "lists after a colon": Case("a: x, y, z\nb: x\nc: z y\n"),
    "a matrix of opinions": Case(
        "\n".join(",".join(["99"] * n + ["3.5", "-2"] + ["99"] * (30 - n)) for n in range(4)) + "\n"
    ),
    "a matrix of opinions that counts first": Case(
        "\n".join(",".join(["2", *["99"] * n, "3.5", "-2", *["99"] * (30 - n)]) for n in range(4)) + "\n"
    ),
    "films of MovieLens": Case("1::Heat (1995)::Crime|Drama\n2::Ran (1985)::War\n", of="items"),
    "films of MovieLens, once more": Case(
        "1|Heat (1995)|15-Dec-1995||http://x|" + "|".join("0101000000000000000") + "\n"
        "2|Ran (1985)|01-Jun-1985||http://y|" + "|".join("0000000000000000010") + "\n",
        of="items",
    ),
    "a web page": Case("<!DOCTYPE html><p>"),
    "a picture of numbers": Case(b"\x93NUMPY\x01"),
    "a pickle": Case(b"\x80\x04\x95\x10"),
}
