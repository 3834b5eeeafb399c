"""Header spellings: which column of a foreign table holds the user, the item, the rating, the time, …

Spelling is compared without case, by letters and digits only: ``User_ID``, ``userId`` and ``user id`` are one.
Earlier spellings of a role win over later ones, so a table with ``book_id`` and ``isbn`` is read by ``book_id``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from xattn.data.source import Source
from xattn.errors import check_choice, shown

__all__ = ["EXAMPLES", "SPELLINGS", "match_columns", "plain_spelling", "shown_names"]

MAX_COLUMNS = 10_000


def _ids(*nouns: str) -> tuple[str, ...]:
    """Each noun with the endings that ids carry: item, itemid, itemno, itemidx, …"""
    return tuple(noun + ending for noun in nouns for ending in ("id", "", "no", "number", "code", "idx", "index"))


SPELLINGS: dict[str, tuple[str, ...]] = {
    "user": (
        *_ids("user", "customer", "client", "member", "visitor", "reviewer", "account", "person", "listener", "reader"),
        *("uid", "session", "sessionid", "用户", "用户id"),
    ),
    "item": (
        *_ids("item", "movie", "film", "book", "product", "stock", "article", "song", "track", "artist", "video"),
        *_ids("game", "news", "course", "business", "place", "poi", "content"),
        *("iid", "mid", "parentasin", "asin", "sku", "isbn", "isbn13", "isbn10", "物品", "物品id", "商品", "商品id"),
    ),
    "rating": ("rating", "ratings", "score", "stars", "star", "starrating", "userrating", "bookrating", "评分"),
    "time": (
        *("timestamp", "time", "datetime", "date", "ts", "eventtime", "eventdate", "createdat", "unixtime", "epoch"),
        *("unixreviewtime", "reviewtime", "reviewdate", "ratedat", "invoicedate", "orderdate", "purchasedate", "时间"),
    ),
    "kind": (
        *("kind", "event", "eventtype", "eventname", "action", "actiontype", "behavior", "behaviour"),
        *("behaviortype", "behaviourtype", "interaction", "interactiontype", "type"),
    ),
    "title": (
        *("title", "name", "itemtitle", "itemname", "movietitle", "booktitle", "producttitle", "productname"),
        *("trackname", "songtitle", "headline", "description", "itemdescription", "标题", "名称"),
    ),
}

EXAMPLES = {"user": "user_id", "item": "item_id", "rating": "rating", "time": "timestamp", "title": "title"}


def plain_spelling(name: str) -> str:
    """A header as it is compared: lower case, letters and digits only.

    >>> plain_spelling("  User-ID ")
    'userid'
    """
    return re.sub(r"[\W_]+", "", name).casefold()


def shown_names(names: Sequence[str], limit: int = 6) -> str:
    """A list of column names as an error sentence quotes it, cut after `limit` names."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(shown(name, limit=30) for name in names[:limit]) + more


def match_columns(
    names: Sequence[str],
    roles: Sequence[str],
    source: Source,
    *,
    required: Sequence[str] = (),
    given: Mapping[str, str] | None = None,
    spellings: Mapping[str, Sequence[str]] = SPELLINGS,
) -> dict[str, int]:
    """Role → position of its column, for each of `roles` that the table has.

    `given` names columns outright (role → exact header) and comes before any spelling. Raises DataError when a required
    role has no column, when two headers are spelled alike, when a name stands twice, or beyond 10,000 columns;
    InputError when `given` names a role that is none.

    >>> match_columns(["userId", "movieId", "rating"], ["user", "item", "rating"], Source("`frame`"))
    {'user': 0, 'item': 1, 'rating': 2}
    """
    if len(names) > MAX_COLUMNS:
        raise source.error(f"a table must have at most {MAX_COLUMNS:,} columns", f"{len(names):,}")
    exact: dict[str, int] = {}
    plain: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if name.strip() and name in exact:
            raise source.error("every column must have a name of its own", f"two columns named {shown(name)}")
        exact[name] = position
        plain.setdefault(plain_spelling(name), []).append(position)
    found: dict[str, int] = {}
    for role, name in (given or {}).items():
        check_choice("columns", role, roles)
        if name not in exact:
            raise source.error(f"the {role} column must be one of its columns", shown(name))
        found[role] = exact[name]
    for role in (role for role in roles if role not in found):
        for spelling in spellings[role]:
            positions = [p for p in plain.get(spelling, []) if p not in found.values()]
            if len(positions) > 1:
                raise source.error(f"one column must hold the {role}", shown_names([names[p] for p in positions]))
            if positions:
                found[role] = positions[0]
                break
    missing = [role for role in required if role not in found]
    if missing:
        need = " and ".join(f"{'an' if role == 'item' else 'a'} {role} column" for role in required)
        example = ",".join(EXAMPLES[role] for role in required)
        raise source.error(f"it must have a header that names {need} (such as {example})", _columns(names))
    return {role: found[role] for role in roles if role in found}


def _columns(names: Sequence[str]) -> str:
    return f"the column{'s' * (len(names) != 1)} {shown_names(names)}" if names else "no columns"
