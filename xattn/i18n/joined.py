"""Texts put together as each language writes them: which mark stands between them, and whether a blank follows."""

from __future__ import annotations

from collections.abc import Iterable

from xattn.i18n import t

__all__ = ["aside", "clauses", "listed", "parts", "said", "sentences"]


def listed(names: Iterable[str], lang: str = "en") -> str:
    """Names in a row.

    >>> listed(["a", "b"]), listed(["a", "b"], "zh")
    ('a, b', 'a、b')
    """
    return t("phrase.comma", lang).join(names)


def clauses(texts: Iterable[str], lang: str = "en") -> str:
    """Parts of one thought.

    >>> clauses(["a", "b"]), clauses(["a", "b"], "zh")
    ('a, b', 'a，b')
    """
    return t("mark.clause", lang).join(texts)


def parts(texts: Iterable[str], lang: str = "en") -> str:
    """Several thoughts in one sentence.

    >>> parts(["a", "b"]), parts(["a", "b"], "zh")
    ('a; b', 'a；b')
    """
    return t("mark.part", lang).join(texts)


def sentences(texts: Iterable[str], lang: str = "en") -> str:
    """Whole sentences, one after the other.

    >>> sentences(["One.", "Two."]), sentences(["一。", "二。"], "zh")
    ('One. Two.', '一。二。')
    """
    return ("" if lang == "zh" else " ").join(texts)


def said(name: str, what: str, lang: str = "en") -> str:
    """What is said of something that is named first.

    >>> said("a", "b"), said("a", "b", "zh")
    ('a: b', 'a：b')
    """
    return t("mark.said", lang, name=name, what=what)


def aside(text: str, more: str, lang: str = "en") -> str:
    """A text with more in brackets; without the text, the brackets alone.

    >>> aside("a", "b"), aside("a", "b", "zh"), aside("", "b")
    ('a (b)', 'a（b）', '(b)')
    """
    return t("mark.aside" if text else "mark.aside_alone", lang, text=text, more=more)
