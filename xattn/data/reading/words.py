"""What the name of a column suggests: a role, and how strongly, by the words that the name is made of.

A name is cut into words (``reviewerID`` → reviewer, id; ``Book-Rating`` → book, rating), in English and Chinese. The
last word that is no ending of ids decides, since names in both languages end in what they name: a book rating is a
rating, a user name is a name. Names only suggest; `xattn.data.reading.roles` asks the values too.
"""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import NamedTuple

__all__ = ["DESCRIBING", "REVIEW_WORDS", "VERBS", "Hint", "hints_of", "plain", "typed", "words_of"]

_WORDS = {
    group: frozenset(text.split())
    for group, text in tomllib.loads((files(__package__) / "words.toml").read_text("utf-8")).items()
}
ID_ENDINGS = _WORDS["id_endings"]
USER_NOUNS = _WORDS["user_nouns"]
WEAK_USER_NOUNS = _WORDS["weak_user_nouns"]
ITEM_NOUNS = _WORDS["item_nouns"]
WEAK_ITEM_NOUNS = _WORDS["weak_item_nouns"]
RATING_NOUNS = _WORDS["rating_nouns"]
AMOUNT_NOUNS = _WORDS["amount_nouns"]
TIME_NOUNS = _WORDS["time_nouns"]
TIME_ENDINGS = _WORDS["time_endings"]
CLOCK_NOUNS = _WORDS["clock_nouns"]
KIND_NOUNS = _WORDS["kind_nouns"]
TITLE_NOUNS = _WORDS["title_nouns"]
DESCRIBING = _WORDS["describing"]  # titles that say what an item is like
ITEM_NAMES = _WORDS["item_names"]
ORDER_NOUNS = _WORDS["order_nouns"]
AGGREGATES = _WORDS["aggregates"]
COUNTERS = _WORDS["counters"]
OTHER_DATES = _WORDS["other_dates"]
REVIEW_WORDS = _WORDS["review_words"]
SUB_RATINGS = _WORDS["sub_ratings"]
QUALIFIERS = _WORDS["qualifiers"]
VERBS = _WORDS["verbs"]  # types of events
PERSON_WORDS = USER_NOUNS | _WORDS["persons"]


class Hint(NamedTuple):
    """A role that a name suggests; `strength` from 1 (the name says it) down to 0.3 (it might be meant)."""

    role: str
    strength: float


def typed(name: str) -> tuple[str, str]:
    """A header without the type that RecBole writes behind it, and that type: ``user_id:token`` → user_id, token.

    >>> typed("class:token_seq"), typed("Time: UTC")
    (('class', 'token_seq'), ('Time: UTC', ''))
    """
    match = re.fullmatch(r"(.+):(token|token_seq|float|float_seq)", name.strip())
    return (match[1], match[2]) if match else (name, "")


def plain(name: str) -> str:
    """A header as it is compared: lower case, letters and digits only.

    >>> plain("  User-ID ")
    'userid'
    """
    return re.sub(r"[\W_]+", "", name).casefold()


def words_of(name: str) -> tuple[str, ...]:
    """The words of a header, lower case; Chinese is cut where an ending of ids begins.

    >>> words_of("unixReviewTime"), words_of("Timestamp (UTC)"), words_of("用户ID"), words_of("t_dat")
    (('unix', 'review', 'time'), ('timestamp', 'utc'), ('用户', 'id'), ('t', 'date'))
    """
    text = re.sub(r"([a-z\d])([A-Z])", r"\1 \2", typed(name)[0])
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"([぀-ヿ一-鿿가-힣]+)", r" \1 ", text)
    found: list[str] = []
    for word in re.split(r"[\W_]+", text.casefold()):
        if word:
            found += _parts(word)
    return tuple(found)


def _parts(word: str) -> list[str]:
    """A word that is written as one, in two where its end is a known one: itemid → item, id; 行为类型 stays."""
    if word == "dat":
        return ["date"]
    for ending in _SPLIT:
        stem = word.removesuffix(ending)
        if stem != word and stem and (stem in _STEMS or not ending.isascii()):
            return [*_parts(stem), ending]
    return [word]


_SPLIT = "timestamp datetime 时间戳 编号 名称 标题 时间 日期 评分 id no time date code".split()  # noqa: SIM905
_STEMS = USER_NOUNS | WEAK_USER_NOUNS | ITEM_NOUNS | _WORDS["stems"]


def hints_of(name: str) -> tuple[Hint, ...]:
    """The roles that a header suggests, strongest first.

    >>> hints_of("visitorid")[0], hints_of("rating")[0], hints_of("average_rating")
    (Hint(role='user', strength=1.0), Hint(role='rating', strength=1.0), ())
    """
    words = words_of(name)
    found = [hint for hint in (_of_ids(words), *_of_the_rest(words)) if hint is not None]
    return tuple(sorted(found, key=lambda hint: -hint.strength))


def _of_ids(words: tuple[str, ...]) -> Hint | None:
    core = list(words[1:] + words[:1] if words[:1] == ("id",) else words)
    while len(core) > 1 and core[-1] in ID_ENDINGS:
        core.pop()
    if not core:
        return None
    is_id = len(core) < len(words)
    noun, before = core[-1], core[:-1]
    plain_name = all(word in QUALIFIERS or word in ITEM_NOUNS for word in before)
    if noun in USER_NOUNS:
        return Hint("user", 1.0 if is_id or plain_name else 0.6)
    if noun in WEAK_USER_NOUNS:
        return Hint("user", 0.45 if is_id else 0.35) if is_id or not before else None
    if noun in ITEM_NOUNS and not any(word in PERSON_WORDS for word in before if word not in QUALIFIERS):
        if noun in WEAK_ITEM_NOUNS:
            return Hint("item", 0.6 if is_id else 0.3)
        parent = 0.3 * ("parent" in before)  # what an item's variants have in common names it better
        return Hint("item", 1.0 - 0.05 * len(before) if is_id else 0.9 - 0.1 * len(before) + parent)
    if noun in {"name", "login"} and before and before[-1] in USER_NOUNS:
        return Hint("user", 0.45)
    if is_id and words[-1] in {"id", "编号"} and noun not in AGGREGATES and noun not in _NO_ITEM:
        return Hint("item", 0.5)
    return None


_NO_ITEM = RATING_NOUNS | KIND_NOUNS | TIME_NOUNS | _WORDS["no_items"]


def _of_the_rest(words: tuple[str, ...]) -> list[Hint | None]:
    """Hints that an ending of ids would spoil."""
    if not words or (words[-1] in ID_ENDINGS and len(words) > 1):
        return []
    last, before, all_words = words[-1], words[:-1], set(words)
    of_person = any(word in PERSON_WORDS for word in before)
    found: list[Hint | None] = []
    rated = last in RATING_NOUNS or (bool(all_words & {"rating", "score", "stars", "评分"}) and last not in COUNTERS)
    if rated and not all_words & _NO_RATING:
        strong = last in {"rating", "ratings", "score", "stars", "overall", "评分", "star", "打分"}
        side = bool(set(before) & SUB_RATINGS)
        found.append(Hint("rating", (1.0 if strong else 0.7) - 0.4 * side - 0.02 * len(before)))
    if all_words & AMOUNT_NOUNS and not all_words & (AGGREGATES | RATING_NOUNS | TITLE_NOUNS):
        strong = last in {"quantity", "qty", "plays", "playcount", "count", "数量", "次数"}
        found.append(Hint("amount", 0.9 if strong else 0.6))
    if all_words & TIME_NOUNS or last in TIME_ENDINGS:
        ends = last in TIME_NOUNS or last in TIME_ENDINGS
        if all_words & OTHER_DATES or (of_person and last in TITLE_NOUNS):
            found.append(Hint("time", 0.2))
        elif not all_words & {"zone", "timezone", "offset", "spent", "duration"}:
            exact = 0.08 * bool(all_words & {"unix", "epoch", "timestamp", "utc"})  # finer than a date
            found.append(Hint("time", 1.0 - 0.05 * len(before) + exact if ends else 0.7))
    if last in CLOCK_NOUNS:
        found.append(Hint("clock", 0.5))
    if last in KIND_NOUNS or words[-2:] == ("event", "name"):
        of_item = any(word in ITEM_NOUNS for word in before)
        found.append(Hint("kind", 0.3 if of_item else 1.0 if last != "type" or before else 0.7))
    if last in TITLE_NOUNS and not of_person and not set(before) & REVIEW_WORDS:
        of_item = any(word in ITEM_NOUNS or word == "prod" for word in before) or last in ITEM_NAMES
        plain_one = 0.4 if last in {"label", "labels", "description"} else 0.6 - 0.02 * len(before)
        found.append(Hint("title", 1.0 if of_item else plain_one))
    if last in ORDER_NOUNS or all_words & {"sequence", "seq"}:
        found.append(Hint("order", 0.5))
    return found


_NO_RATING = AGGREGATES | COUNTERS | TIME_NOUNS | (REVIEW_WORDS - {"review"}) | {"type", "method"}
