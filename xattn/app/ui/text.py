"""Text from strangers, made safe for a page.

Item titles, user ids and messages that quote them come from data that nobody vetted. They reach Markdown only through
`safe`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

__all__ = ["safe"]

LONGEST = 120  # characters of a title on a page


def safe(text: Any, limit: int = LONGEST) -> str:
    """Any text as Markdown that shows it literally, on one line, with at most `limit` characters.

    Every ASCII punctuation mark is escaped. Directives, emoji codes and bare addresses are recognised in text that was
    already unescaped, so a word joiner (which shows nothing) breaks those. Control and direction characters become
    blanks.

    >>> safe("*a* <b>")
    '\\\\*a\\\\* \\\\<b\\\\>'
    """
    plain = str(text)[: 8 * limit]
    plain = "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else c for c in plain)
    plain = " ".join(plain.split())
    if len(plain) > limit:
        plain = plain[: limit - 1] + "…"
    joined = _RECOGNISED.sub(lambda found: found[0] + "\u2060", plain)
    return _PUNCTUATION.sub(r"\\\g<0>", joined)


_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_RECOGNISED = re.compile(r":(?=\S)|@|www(?=\.)", re.IGNORECASE)
