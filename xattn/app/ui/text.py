"""Text from strangers, made safe for a page.

Item titles, user ids and messages that quote them come from data that nobody vetted. They reach Markdown only through
`safe`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from xattn.i18n.titles import natural

__all__ = ["plain", "safe", "spoken"]

LONGEST = 120  # characters of a title on a page


def safe(text: Any, limit: int = LONGEST) -> str:
    """Any text as Markdown that shows it literally, on one line, with at most `limit` characters.

    Every ASCII punctuation mark is escaped. Directives, emoji codes and bare addresses are recognised in text that was
    already unescaped, so a word joiner (which shows nothing) breaks those. Control and direction characters become
    blanks.

    >>> safe("*a* <b>")
    '\\\\*a\\\\* \\\\<b\\\\>'
    """
    joined = _RECOGNISED.sub(lambda found: found[0] + "\u2060", plain(text, limit))
    return _PUNCTUATION.sub(r"\\\g<0>", joined)


def spoken(title: str, limit: int = LONGEST) -> str:
    """A title as people say it, as Markdown that shows it literally.

    >>> spoken("Matrix, The")
    'The Matrix'
    """
    return safe(natural(title), limit)


def plain(text: Any, limit: int = LONGEST) -> str:
    """Any text for a place that knows no Markdown, as the options of a list: on one line, at most `limit` characters.

    >>> plain("Princess Bride, The")
    'Princess Bride, The'
    """
    short = str(text)[: 8 * limit]
    short = "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else c for c in short)
    short = " ".join(short.split())
    return short if len(short) <= limit else short[: limit - 1] + "…"


_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_RECOGNISED = re.compile(r":(?=\S)|@|www(?=\.)", re.IGNORECASE)
