"""Words of a text, each with the place where it stands.

    "The heist, 抢劫银行"   ──▶   heist 4–9    抢劫 11–13    银行 13–15

A word is what it is in lower case. Words that say nothing ("the", 的) and single letters are left out. Texts in
Chinese, where no blank parts the words, are cut by a library (rjieba, which knows a dictionary).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

__all__ = ["READ", "Word", "plain_form", "words_in"]

READ = 10_000  # characters of a text
LONGEST = 40  # letters of a word; what is longer is no word
_RUN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_HAN = re.compile(r"[㐀-鿿豈-﫿぀-ヿ]")


class Word(NamedTuple):
    """A word in its plain form, and the characters of the text where it stands."""

    plain: str
    start: int
    stop: int


def words_in(text: str) -> list[Word]:
    """The words of the first 10,000 characters of a text, in their order.

    >>> words_in("The heist, a crew's")
    [Word(plain='heist', start=4, stop=9), Word(plain='crew', start=13, stop=19)]
    >>> [word.plain for word in words_in("我来到北京清华大学")]
    ['来到', '北京', '清华大学']
    """
    silent, found = _silent(), []
    for run in _RUN.finditer(text[:READ]):
        whole, start = run[0], run.start()
        pieces = _cut(whole) if not whole.isascii() and _HAN.search(whole) else [whole]
        for piece in pieces:
            plain = plain_form(piece)
            if plain and plain not in silent:
                found.append(Word(plain, start, start + len(piece)))
            start += len(piece)
    return found


def plain_form(piece: str) -> str:
    """The form in which words are compared; "" for what is no word."""
    plain = piece if piece.isascii() else unicodedata.normalize("NFKC", piece)
    plain = plain.casefold().replace("’", "'").removesuffix("'s")
    if len(plain) > LONGEST or (len(plain) == 1 and not _HAN.match(plain)):
        return ""
    return plain


def _cut(run: str) -> list[str]:
    import rjieba  # its dictionary takes a third of a second, which texts without Chinese need not wait for

    return list(rjieba.cut(run))


@cache
def _silent() -> frozenset[str]:
    chinese = files(__package__).joinpath("silent.txt").read_text("utf-8").split()
    return frozenset((*ENGLISH_STOP_WORDS, *chinese))
