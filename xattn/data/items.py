"""The item table: one row per item, with its id, its title, its columns, and perhaps features of your own.

Row i of `ids`, `titles`, `frame` and `features` is the same item; arrays of items elsewhere in the package hold these
rows. Columns are float64 (NaN where unknown) or text ("" where unknown). Titles are untrusted text on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from xattn.data.checksum import canonical, checksum_of
from xattn.data.feature_set import FeatureSet
from xattn.data.reading.choice import shown_names
from xattn.data.reading.features import Items, items_of
from xattn.data.reading.formats.frames import frame_table
from xattn.data.source import Source
from xattn.data.values import MISSING, plain_texts
from xattn.errors import (
    UnknownIdError,
    check_id,
    check_ids,
    check_index_array,
    check_listing,
    check_same_length,
    check_type,
    refuse,
    some_of,
)
from xattn.i18n import LANGUAGES

__all__ = ["ItemTable", "plain_column"]

ITEMS = Source("`items`")


@dataclass(frozen=True, eq=False)
class ItemTable:
    """Items by row: `ids` (M texts, each once), `titles` (M texts), `frame` (M rows of columns, not to be changed).

    `names` are titles in other languages: language → M texts, "" where there is none (`in_language`). A file brings
    them as a column `title_zh`. They are no feature, and no part of what a model answers.

    `features` are features of your own (`FeatureSet`), as vectors of pictures or of texts; models then use these, and
    make none of the columns. Raises InputError when lengths differ or an id stands twice.

    >>> ItemTable(("a", "b"), ("Alien", "Brazil"), pd.DataFrame({"year": [1979.0, 1985.0]}))
    ItemTable(2 items, features: year)
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    frame: pd.DataFrame
    features: FeatureSet | None = None
    report: Any = field(default=None, repr=False)  # of the file that was read, if any
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_type("frame", self.frame, pd.DataFrame, "frame_of_features")
        object.__setattr__(self, "ids", tuple(check_id("ids", one) for one in check_ids("ids", self.ids)))
        object.__setattr__(self, "titles", tuple(_one_line(one) for one in check_listing("titles", self.titles)))
        names = {lang: tuple(_one_line(value) for value in own) for lang, own in self.names.items()}
        object.__setattr__(self, "names", names)
        lengths = {f"title_{lang}": len(own) for lang, own in names.items()}
        check_same_length(ids=len(self.ids), titles=len(self.titles), frame=len(self.frame), **lengths)
        if self.features is not None:
            check_type("features", self.features, FeatureSet, "feature_set")
            check_same_length(ids=len(self.ids), rows_of_features=self.features.F.shape[0])
        if len(self._rows) < len(self.ids):
            twice = next(value for row, value in enumerate(self.ids) if self._rows[value] != row)
            refuse("twice", name="ids", what="item", got=twice)
        if len({str(name) for name in self.frame}) < self.frame.shape[1]:  # files name columns by text
            refuse("columns_twice", **some_of([str(c) for c in self.frame]))
        object.__setattr__(self, "frame", self.frame.reset_index(drop=True))

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        features = shown_names([str(name) for name in self.frame.columns]).replace("'", "") or "none"
        own = "" if self.features is None else f", with {self.features!r}"
        return f"ItemTable({len(self):,} items, features: {features}{own})"

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {value: row for row, value in enumerate(self.ids)}

    @cached_property
    def kept(self) -> dict[tuple[str, Any], Any]:
        """What other modules have made of this table, which never changes; they make it once."""
        return {}

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over ids, titles, columns and features: equal tables, equal text of 64 hexadecimal digits."""
        said = [part for name, column in self.frame.items() for part in (str(name), *plain_column(column))]
        return checksum_of(self.ids, self.titles, *said, None if self.features is None else self.features.checksum)

    def row(self, item: Any) -> int:
        """The row of an item id; UnknownIdError when there is none."""
        row = self._rows.get(check_id("item", item))
        if row is None:
            refuse("unknown_item", kind=UnknownIdError, n=len(self), got=str(item))
        return row

    def rows(self, items: Iterable[str]) -> np.ndarray:
        """Rows (n,) int64 of many ids, −1 where an id is unknown."""
        return np.fromiter((self._rows.get(item, MISSING) for item in items), dtype=np.int64)

    def take(self, rows: Any) -> ItemTable:
        """The items of these rows, in this order, as a new table."""
        rows = check_index_array("rows", rows, size=len(self), what="item_row")
        ids, titles = (tuple(column[row] for row in rows.tolist()) for column in (self.ids, self.titles))
        features = None if self.features is None else self.features.take(rows)
        names = {lang: tuple(own[row] for row in rows.tolist()) for lang, own in self.names.items()}
        return ItemTable(ids, titles, self.frame.iloc[rows], features, names=names)

    def extended(self, ids: Sequence[str], titles: Mapping[str, str] | None = None) -> ItemTable:
        """This table with those of `ids` that it does not hold at its end: title from `titles` or else the id.

        No feature of theirs is known.
        """
        if titles is not None:
            check_type("titles", titles, Mapping, "titles_by_id")  # type: ignore[type-abstract]
        ids = [ids[place] for place in np.flatnonzero(self.rows(ids) == MISSING).tolist()]
        if not ids:
            return self
        names = tuple((titles or {}).get(value) or value for value in ids)
        blank = {
            name: np.full(len(ids), np.nan) if pd.api.types.is_numeric_dtype(column.dtype) else [""] * len(ids)
            for name, column in self.frame.items()
        }
        added = pd.DataFrame(blank, index=range(len(ids)))
        frame = pd.concat([self.frame, added], ignore_index=True) if len(self) else added
        features = None if self.features is None else self.features.extended(len(ids))
        others = {lang: (*own, *[""] * len(ids)) for lang, own in self.names.items()}
        return ItemTable(self.ids + tuple(ids), self.titles + names, frame, features, names=others)

    def in_language(self, lang: str) -> ItemTable:
        """The same items, called by their titles in `lang` where they have one.

        It is the same table by all other means: features and checksum are those of this one. The same object comes back
        where there are no titles in this language.

        >>> table = ItemTable(("6", "9"), ("Heat", "Ran"), pd.DataFrame(index=range(2)), names={"zh": ("盗火线", "")})
        >>> table.in_language("zh").titles, table.in_language("en").titles
        (('盗火线', 'Ran'), ('Heat', 'Ran'))
        """
        own = self.names.get(lang)
        if own is None:
            return self
        found: ItemTable | None = self.kept.get(("in_language", lang))
        if found is None:
            found = replace(self, titles=tuple(a or b for a, b in zip(own, self.titles, strict=True)))
            found.__dict__.update(checksum=self.checksum, kept=self.kept, original=self.titles)
            self.kept["in_language", lang] = found
        return found

    @cached_property
    def original(self) -> tuple[str, ...]:
        """The titles that the data gave, whatever language the table speaks."""
        return self.titles

    def with_features(self, features: FeatureSet | None) -> ItemTable:
        """The same items with `features` (M rows); None takes given features away."""
        return replace(self, features=features)

    @classmethod
    def bare(cls, ids: Sequence[str], titles: Mapping[str, str] | None = None) -> ItemTable:
        """Items without features; title from `titles` or else the id."""
        ids = [check_id("ids", value) for value in check_ids("ids", ids)]
        return cls((), (), pd.DataFrame(index=range(0))).extended(ids, titles)

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, columns: Mapping[str, str] | None = None, source: Source = ITEMS
    ) -> ItemTable:
        """A frame with an item column, perhaps a title column, and features in all others.

        Columns of numbers become float64 (codes with leading zeros stay text). Where most titles end in a year, "Heat
        (1995)", and no column is called year, it becomes one. An empty title is replaced by the id. Raises DataError.

        >>> table = ItemTable.from_frame(pd.DataFrame({"movieId": [6], "title": ["Heat (1995)"], "genres": ["Crime"]}))
        >>> table.titles, table.frame.to_dict("records")
        (('Heat',), [{'genres': 'Crime', 'year': 1995.0}])
        """
        check_type("frame", frame, pd.DataFrame, "frame_of_items")
        return cls.of_items(items_of(frame_table(frame, source), columns))

    @classmethod
    def of_items(cls, items: Items) -> ItemTable:
        """Items that a table held; one without a title is called by its id."""
        titles = tuple(_one_line(title) or own for title, own in zip(items.titles, items.ids, strict=True))
        named = {lang: f"title_{lang}" for lang in LANGUAGES if f"title_{lang}" in items.frame}
        names = {lang: tuple(plain_texts(items.frame[column])) for lang, column in named.items()}
        frame = items.frame.drop(columns=list(named.values()))
        return cls(items.ids, titles, frame, report=items.report, names=names)


def plain_column(column: pd.Series[Any]) -> tuple[str, np.ndarray | list[str]]:
    """A column as what it says, however pandas holds it: its kind, and float64 (NaN where unknown) or texts.

    The kind is "truth", "number" or "text".
    """
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return "text", plain_texts(column)
    kind = "truth" if pd.api.types.is_bool_dtype(column.dtype) else "number"
    return kind, canonical(column.to_numpy(np.float64, na_value=np.nan))


def _one_line(text: str) -> str:
    """A title without control characters, line breaks or lone surrogates."""
    return _UNPRINTABLE.sub(" ", str(text)).strip()


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
