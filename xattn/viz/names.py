"""Names of heads, features and parts on charts and in tables, in both languages; unknown names stay as they are."""

from __future__ import annotations

import re

from xattn.i18n import is_text, t
from xattn.i18n.joined import said

__all__ = ["column_name", "feature_name", "genre_name", "head_name", "part_name"]

DAYS = ("day", "days")
_TIMED = re.compile(r"(\d+\.\d\d–\d+\.\d\d) s, (.+)")  # a part of a sound or a video


def head_name(head: str, lang: str = "en") -> str:
    """A head as people read it.

    >>> head_name("recency 20", "zh")
    '近期（20）'
    >>> head_name("recency 7 days"), head_name("recency 7 days", "zh")
    ('recent (days: 7)', '近期（天数：7）')
    """
    word, _, number = head.partition(" ")
    n, _, unit = number.partition(" ")
    if word == "recency" and unit in DAYS:
        return t("chart.head_recency_days", lang, n=n)
    if word == "inherited" and unit in DAYS:
        return t("chart.head_inherited_days", lang, n=n)
    if word == "recency" and number:
        return t("chart.head_recency", lang, n=number)
    if word == "learned" and number:
        return t("chart.head_learned", lang, n=number)
    if word == "inherited" and number:
        return t("chart.head_inherited", lang, n=number)
    return _known(f"head.{head.replace(' ', '_')}", head, lang)


def feature_name(feature: str, lang: str = "en") -> str:
    """A feature as people read it: its block and what it is within the block.

    >>> feature_name("genres: Drama", "zh"), feature_name("colour: red")
    ('类型：剧情', 'colour: red')
    """
    block, mark, label = feature.partition(": ")
    if not mark:
        return feature
    if block == "genres":
        return t("chart.genre", lang, name=genre_name(label, lang))
    if block == "year":
        return t("chart.year", lang, year=label.removeprefix("~"))
    if block == "title":
        return t("chart.title_word", lang, word=label)
    look = _known("look." + label.replace(" ", "_"), "", lang)
    return said(block, look, lang) if look else feature


def genre_name(genre: str, lang: str = "en") -> str:
    """A genre as people read it.

    >>> genre_name("Sci-Fi"), genre_name("Sci-Fi", "zh"), genre_name("Polka", "zh")
    ('Science fiction', '科幻', 'Polka')
    """
    return _known(f"genre.{genre}", genre, lang)


def part_name(part: str, lang: str = "en") -> str:
    """A part of an item as people read it: words and patches as they are, stretches of time in their language.

    >>> part_name("0.25–0.50 s, high", "zh"), part_name("1.00–2.00 s, B3", "zh"), part_name("heist", "zh")
    ('0.25–0.50 秒，高音', '1.00–2.00 秒，B3', 'heist')
    """
    timed = _TIMED.fullmatch(part)
    if timed is None:
        return part
    what = _known("pitch." + timed[2].replace(" ", "_"), timed[2], lang)
    return t("parts.at", lang, when=timed[1], what=what)


def column_name(head: str, feature: str, lang: str = "en") -> str:
    """A column of the heat map: the head, or the feature where the head's value splits into features."""
    return feature_name(feature, lang) if feature else head_name(head, lang)


def _known(key: str, name: str, lang: str) -> str:
    return t(key, lang) if is_text(key) else name
