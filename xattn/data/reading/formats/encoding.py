"""The encoding of a text, decided on all of it: UTF-8 unless the whole says otherwise.

UTF-8 with a few bad bytes stays UTF-8, and the lines of those bytes are told; taking such a file for Latin-1 would
garble every other word. A text that is no UTF-8 at all is judged by its bytes beyond ASCII: Chinese, Japanese and
Korean write them in pairs, Cyrillic in runs of letters, Western European mostly alone between letters.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from xattn.data.source import Source
from xattn.errors import refuse

__all__ = ["Text", "decoded"]

STEP = 2**22
SAMPLE = 2**20
MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe\0\0": "utf-32-le", b"\0\0\xfe\xff": "utf-32-be"}
MARKS |= {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
BAD = b"\xef\xbf\xbd"  # U+FFFD in UTF-8: what stands in for a byte that could not be read
NAMES = {"utf-8": "UTF-8", "gb18030": "GB18030", "big5": "Big5", "shift_jis": "Shift_JIS", "euc_kr": "EUC-KR"}
NAMES |= {"cp1251": "Windows-1251", "cp1252": "Windows-1252", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}


class Text(NamedTuple):
    """A text as UTF-8 without a byte order mark, the name of what it was in, and the lines with bytes that were bad."""

    raw: bytes
    encoding: str
    bad_lines: tuple[int, ...] = ()
    bad_bytes: int = 0


def decoded(raw: bytes, source: Source, encoding: str | None = None) -> Text:
    """`raw` as UTF-8, from `encoding` or from what it looks to be. Binary data are refused.

    >>> decoded("用户,商品".encode("gb18030"), Source("x")).encoding
    'GB18030'
    """
    if encoding is not None:
        try:
            name = codecs.lookup(encoding).name
            text = raw.decode(encoding)
        except LookupError:
            refuse("unknown_encoding", got=encoding)
        except (UnicodeDecodeError, ValueError, AssertionError) as problem:
            line = raw.count(b"\n", 0, getattr(problem, "start", 0)) + 1
            source.refuse("other_encoding", encoding=encoding, got_line=line)
        return Text(text.removeprefix("\ufeff").encode("utf-8", "replace"), NAMES.get(name, name))
    for mark, name in MARKS.items():
        if raw.startswith(mark):
            body = raw[len(mark) :]
            return _utf8(body) if name == "utf-8" else _wide(body, name, source)
    wide = _wide_without_mark(raw)
    if wide:
        return _wide(raw, wide, source)
    zero = raw.find(b"\0")
    if zero >= 0:
        line = raw.count(b"\n", 0, zero) + 1
        source.refuse("binary_data", got_line=line)
    return _utf8(raw)


def _wide(body: bytes, name: str, source: Source) -> Text:
    try:
        return Text(body.decode(name).encode("utf-8", "replace"), NAMES.get(name, name.upper()))
    except UnicodeDecodeError:
        source.refuse("cut_utf16")


def _wide_without_mark(raw: bytes) -> str:
    """UTF-16 of mostly ASCII: every second byte is zero."""
    head = raw[: min(len(raw), 4096) // 2 * 2]
    if len(raw) % 2 or len(head) < 4:
        return ""
    even, odd = head[::2], head[1::2]
    if odd.count(0) > 0.7 * len(odd) and not even.count(0):
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.7 * len(even) and not odd.count(0) else ""


def _utf8(raw: bytes) -> Text:
    if raw.isascii() or _is_utf8(raw):
        return Text(raw, "UTF-8")
    mended = raw.decode("utf-8", "replace").encode()
    bad = mended.count(BAD) - raw.count(BAD)
    good = len(re.findall(rb"[\xc2-\xf4][\x80-\xbf]+", raw))
    if good > 4 * bad:
        lines = sorted({mended.count(b"\n", 0, match.start()) + 1 for match in _few(re.finditer(BAD, mended))})
        return Text(mended, "UTF-8", tuple(lines), bad)
    name = _likely(raw)
    return Text(raw.decode(name, "replace").encode(), NAMES[name])


def _few(found: object, limit: int = 20) -> list[re.Match[bytes]]:
    return [match for match, _ in zip(found, range(limit), strict=False)]  # type: ignore[call-overload]


def _is_utf8(raw: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(raw), STEP):
            decoder.decode(raw[start : start + STEP], start + STEP >= len(raw))
    except UnicodeDecodeError:
        return False
    return True


def _likely(raw: bytes) -> str:
    """The encoding, other than UTF-8, that the bytes beyond ASCII look to be in."""
    runs = re.findall(rb"[\x80-\xff]+", raw[:SAMPLE])
    high = b"".join(runs)
    if sum(len(run) == 1 for run in runs) >= 0.5 * len(runs):
        double = max(("shift_jis", "big5"), key=lambda name: _double(raw, name))
        return double if _double(raw, double) > 0.9 and len(high) > 1.3 * len(runs) else "cp1252"
    even = sum(len(run) % 2 == 0 for run in runs) / len(runs)
    lead = high[::2] if even > 0.9 else b""
    if even > 0.9 and sum(b >= 0xA1 for b in high) > 0.98 * len(high):
        hangul = sum(0xB0 <= b <= 0xC8 for b in lead) / max(len(lead), 1)
        common = sum(0xB0 <= b <= 0xD7 or 0xA1 <= b <= 0xA3 for b in lead) / max(len(lead), 1)
        if hangul > 0.97 and len(lead) >= 12 and _share_of(raw, "euc_kr", "가", "힣") > 0.9:
            return "euc_kr"
        if common > 0.8:
            return "gb18030"
    scores = {
        "shift_jis": _share_of(raw, "shift_jis", "぀", "ヿ"),
        "gb18030": _share_of(raw, "gb18030", "一", "鿿") * (0.9 if even > 0.5 else 0.5),
        "big5": _share_of(raw, "big5", "一", "鿿"),
        "cp1251": _share_of(raw, "cp1251", "А", "я"),
    }
    if scores["shift_jis"] > 0.3:
        return "shift_jis"
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0.7 else "cp1252"


def _share_of(raw: bytes, name: str, first: str, last: str) -> float:
    """Share of characters from `first` to `last` among those beyond ASCII, read in an encoding; 0 where it fails."""
    sample = raw[:SAMPLE]
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return 0.0
    foreign = [c for c in text if c > "\x7f"]
    return sum(first <= c <= last for c in foreign) / max(len(foreign), 1)


def _double(raw: bytes, name: str) -> float:
    return max(_share_of(raw, name, "一", "鿿"), _share_of(raw, name, "぀", "ヿ"))
