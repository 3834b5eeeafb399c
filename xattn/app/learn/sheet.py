"""A sheet: the vectors and settings that somebody typed, and the text that carries them in an address.

    1*q-1_1_1*k-1_0_1~0_1_0*y-5_10_2~3_7_1*s-cosine*t-0.5
    │ └ a field: its letter, "-", its content                  * between fields
    │          coordinates joined by _, rows by ~, names percent-encoded
    └ version of this format

Only what differs from a plain Sheet is written. What is read back is checked like anything else that a stranger sends:
length, rows, columns, numbers, names; one fault refuses the whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote, unquote

from xattn.app.ui.editors import Names, Table
from xattn.errors import check_choice, check_number, check_probability, refuse
from xattn.tensor.attend import FUSIONS, SCORERS

__all__ = ["MOST_COLUMNS", "MOST_ROWS", "Sheet", "decode", "encode", "is_whole"]

Vector = tuple[float, ...]

VERSION = "1"
MOST_CHARACTERS = 6000  # of a link; browsers and proxies carry about 8,000
MOST_ROWS, MOST_COLUMNS = 40, 16
MOST_NAME = 60
NUMBER = re.compile(r"-?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})(e-?[0-9]{1,3})?")


@dataclass(frozen=True)
class Sheet:
    """Vectors (floats; NaN where a cell is empty), settings of the attention, and names where the page has them.

    `query` (d,), `keys` (n, d), `items` (m, …); `W`, `Wq`, `Wk`, `v` are the parameters of the scorers that have any.
    """

    query: Vector
    keys: Table
    items: Table
    scorer: str = "dot"
    temperature: float = 1.0
    beta: float = 1.0
    threshold: float = 0.0
    fusion: str = "multiply"
    W: Table = ()
    Wq: Table = ()
    Wk: Table = ()
    v: Vector = ()
    features: Names = ()
    events: Names = ()
    titles: Names = ()


# --- writing ----------------------------------------------------------------------------------------------------------


def _number(x: float) -> str:
    """The shortest text that reads back as the same float: 1, 0.5, 1e22.

    >>> _number(1.0), _number(1e22), _number(-0.5)
    ('1', '1e22', '-0.5')
    """
    text = repr(float(x)).replace("e+", "e")
    return text.removesuffix(".0")


def _vector(row: Vector) -> str:
    return "_".join(map(_number, row))


def _table(rows: Table) -> str:
    return "~".join(map(_vector, rows))


def _names(names: Names) -> str:
    """Names percent-encoded, ~ too: it would part them."""
    return "~".join(quote(name, safe="").replace("~", "%7E") for name in names)


def is_whole(sheet: Sheet) -> bool:
    """All numbers of the sheet are finite, so a link can carry it."""
    flat = [*sheet.query, *sheet.v, sheet.temperature, sheet.beta, sheet.threshold]
    for rows in (sheet.keys, sheet.items, sheet.W, sheet.Wq, sheet.Wk):
        flat += [x for row in rows for x in row]
    return all(map(math.isfinite, flat))


def encode(sheet: Sheet) -> str:
    """The sheet as the text of a link.

    >>> encode(Sheet((1.0,), ((0.5,), (2.0,)), ((3.0,),), scorer="cosine"))
    '1*q-1*k-0.5~2*y-3*s-cosine'
    """
    parts = [VERSION]
    for letter, kind in FIELDS.items():
        value = getattr(sheet, kind.name)
        if value != DEFAULTS.get(kind.name):
            parts.append(f"{letter}-{kind.write(value)}")
    return "*".join(parts)


# --- reading ----------------------------------------------------------------------------------------------------------


def _read_number(text: str) -> float:
    if not NUMBER.fullmatch(text):
        refuse("link_number", got=text)
    return check_number("number in the link", float(text))


def _read_vector(text: str) -> Vector:
    cells = text.split("_")
    if len(cells) > MOST_COLUMNS:
        refuse("link_most", most=MOST_COLUMNS, what="columns", got=len(cells))
    return tuple(map(_read_number, cells))


def _read_table(text: str) -> Table:
    rows = text.split("~")
    if len(rows) > MOST_ROWS:
        refuse("link_most", most=MOST_ROWS, what="rows", got=len(rows))
    table = tuple(map(_read_vector, rows))
    if len({len(row) for row in table}) != 1:
        refuse("text_ragged", subject="a_link")
    return table


def _read_names(text: str) -> Names:
    names = tuple(unquote(name, errors="replace") for name in text.split("~"))
    if len(names) > MOST_ROWS or any(len(name) > MOST_NAME or not name.isprintable() for name in names):
        refuse("link_names", most=MOST_ROWS, longest=MOST_NAME)
    return names


def _read_temperature(text: str) -> float:
    return check_number("temperature", _read_number(text), low=0.0, open_low=True)


def _read_share(text: str) -> float:
    return check_probability("beta and threshold", _read_number(text))


@dataclass(frozen=True)
class _Field:
    """One field of the format: the Sheet's name for it, and how it is written and read."""

    name: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]


FIELDS = {
    "q": _Field("query", _vector, _read_vector),
    "k": _Field("keys", _table, _read_table),
    "y": _Field("items", _table, _read_table),
    "s": _Field("scorer", str, lambda text: check_choice("scorer", text, SCORERS)),
    "t": _Field("temperature", _number, _read_temperature),
    "b": _Field("beta", _number, _read_share),
    "h": _Field("threshold", _number, _read_share),
    "f": _Field("fusion", str, lambda text: check_choice("fusion", text, FUSIONS)),
    "W": _Field("W", _table, _read_table),
    "Q": _Field("Wq", _table, _read_table),
    "K": _Field("Wk", _table, _read_table),
    "v": _Field("v", _vector, _read_vector),
    "F": _Field("features", _names, _read_names),
    "E": _Field("events", _names, _read_names),
    "I": _Field("titles", _names, _read_names),
}
DEFAULTS = {field.name: field.default for field in fields(Sheet)}


def decode(link: str, *, aligned: bool = False) -> Sheet:
    """The sheet that `encode` wrote into `link`; its shapes are consistent with each other, and with `aligned` there is
    one item for each event.

    Raises InputError for anything that `encode` would not have written: another version, too long, unknown, repeated or
    missing fields, numbers that are not finite, shapes that do not meet.

    >>> decode("1*q-1_1*k-1_0~0_1*y-5~3").keys
    ((1.0, 0.0), (0.0, 1.0))
    """
    if len(link) > MOST_CHARACTERS:
        refuse("text_long", subject="a_link", most=MOST_CHARACTERS, got=len(link))
    version, *parts = link.split("*")
    if version != VERSION:
        refuse("link_version", wanted=VERSION, got=version)
    found: dict[str, Any] = {}
    for part in parts:
        letter, dash, content = part.partition("-")
        field = FIELDS.get(letter)
        if field is None or not dash or field.name in found:
            refuse("link_field", got=part)
        found[field.name] = field.read(content)
    missing = {"query", "keys", "items"} - found.keys()
    if missing:
        refuse("link_missing", missing=tuple(sorted(missing)))
    sheet = Sheet(**found)
    _check_shapes(sheet, aligned)
    return sheet


def _check_shapes(sheet: Sheet, aligned: bool) -> None:
    """Every pair of shapes that a page relies on; the sizes of the scorers' parameters among them."""
    d, n = len(sheet.query), len(sheet.keys)
    fits = [
        len(sheet.keys[0]) == d,
        len(sheet.items) == n or not aligned,
        not sheet.W or (len(sheet.W), len(sheet.W[0])) == (d, d),
        not sheet.Wq or len(sheet.Wq[0]) == d,
        not sheet.Wk or len(sheet.Wk[0]) == d,
        not (sheet.Wq or sheet.Wk or sheet.v) or len(sheet.Wq) == len(sheet.Wk) == len(sheet.v),
        bool(sheet.W) == (sheet.scorer == "bilinear"),
        bool(sheet.v) == (sheet.scorer == "additive"),
        len(sheet.features) in (0, d),
        len(sheet.events) in (0, n),
        len(sheet.titles) in (0, len(sheet.items)),
    ]
    if not all(fits):
        refuse("link_sizes")
