"""Files that a visitor takes away: a table as CSV that no spreadsheet runs, a name that no file system trips over."""

from __future__ import annotations

import re

import pandas as pd

__all__ = ["csv_bytes", "file_name"]

_STARTS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """`frame` as CSV (UTF-8 with a mark, so that spreadsheets read Chinese); text cannot be taken for a formula.

    Text that a spreadsheet would compute gets an apostrophe in front, as OWASP advises; numbers stay numbers.

    >>> csv_bytes(pd.DataFrame({"title": ["=1+1"], "score": [-0.5]})).decode("utf-8-sig").splitlines()
    ['title,score', "'=1+1,-0.5"]
    """
    tame = frame.rename(columns=lambda name: _tame(str(name)))
    for name in tame.columns:
        if not pd.api.types.is_numeric_dtype(tame[name]):
            tame[name] = [_tame(value) if isinstance(value, str) else value for value in tame[name]]
    return tame.to_csv(index=False).encode("utf-8-sig")


def _tame(text: str) -> str:
    text = re.sub(r"[\x00-\x1f\x7f]", " ", text)  # a bare carriage return would start a row
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_A_FORMULA) else text


def file_name(*parts: str, suffix: str) -> str:
    """A short name of letters, digits, dots, dashes and underscores.

    >>> file_name("why", "user 7/../", "260", suffix="json")
    'why-user_7_..-260.json'
    """
    clean = [re.sub(r"[^A-Za-z0-9._-]+", "_", part[:40]).strip("_") for part in parts]
    return "-".join(part for part in clean if part) + f".{suffix}"
