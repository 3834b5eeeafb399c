"""Features of items: one named column a feature, grouped in blocks, sparse.

    F (M items × d features)          names    genres: Drama   genres: War   year: ~1990   …      (d,), each once
                                      blocks   genres          genres        year          …      (d,)

A feature is known by its number (its column in F), never by its name: names are for readers, and what one contains says
nothing about the block.

A block may know the *parts* of an item that its features are made of: words of a text, patches of a picture, seconds of
a sound. The features of the item are the sum of its parts, so what is said of a feature splits over the parts exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from xattn.data.checksum import checksum_of
from xattn.errors import Quoted, check_array, check_same_length, refuse
from xattn.i18n import t

__all__ = [
    "FeatureSet", "Parts", "PartsOf", "Places", "Shown", "Skipped", "distinct", "kind_of", "places_of", "shown_of",
]  # fmt: skip

ONE_BLOCK = "features"
# row of an item → names of its parts (p,), and what each brings (p, d), dense or sparse
Parts = Callable[[int], tuple[tuple[str, ...], np.ndarray | sparse.csr_array]]
Places = Callable[[int], tuple[tuple[float, ...], ...]]  # row of an item → where each of its parts lies
Shown = Callable[[int], str | bytes | None]  # row of an item → its text, or its picture as PNG; None: nothing to show


@dataclass(frozen=True, eq=False)
class PartsOf:
    """Parts that also know where they lie; called as the parts alone.

    By `kind`: "words" lie at (start, stop) in their text; "patches" at (left, top, right, bottom) in their picture, as
    shares of width and height; "frames" of a video are such patches after (start, stop) in seconds; "stretches" of
    sound lie at (start, stop, lowest, highest), in seconds and hertz.
    """

    parts: Parts
    places: Places | None = None
    quick: Any = None  # the same as `split`, for a block that knows how to do it without a table
    kind: str = ""  # "": parts of another kind
    shown: Shown | None = None

    @classmethod
    def like(cls, parts: Parts, made: Parts) -> PartsOf:
        """`made` of the same items and of the same kind as `parts`, which split alike."""
        return cls(made, places_of(parts), getattr(parts, "quick", None), kind_of(parts), shown_of(parts))

    def __call__(self, row: int, /) -> tuple[tuple[str, ...], np.ndarray | sparse.csr_array]:
        return self.parts(row)

    def split(self, row: int, cells: Mapping[int, float]) -> tuple[tuple[str, ...], np.ndarray, float]:
        """The `cells` of some features of an item (by their column in the block) over its parts: names (p,), amounts
        (p,), and what no part brings. Each cell goes to the parts as they bring the feature."""
        if self.quick is not None:
            found: tuple[tuple[str, ...], np.ndarray, float] = self.quick(row, cells)
            return found
        names, own = self.parts(row)
        at = np.fromiter(cells, np.int64)
        columns = own[:, at] if isinstance(own, np.ndarray) else own[:, at].toarray()
        whole, amount = columns.sum(axis=0), np.fromiter(cells.values(), np.float64)
        share = np.divide(amount, whole, out=np.zeros(len(at)), where=whole != 0)
        return names, columns @ share, float(amount[whole == 0].sum())


class Skipped(NamedTuple):
    """A cell of a column that a block could not use: its block, its row, what it says, and why it is left out.

    >>> Skipped("cover", 3, "cat.png", "broken").told()
    'cover, row 3, cat.png: it cannot be decoded'
    """

    block: str
    row: int
    cell: str
    reason: str

    def told(self, lang: str = "en") -> str:
        """The same as a line of text, in English ("en") or Chinese ("zh")."""
        return t(
            "skipped.line", lang, block=self.block, row=self.row, cell=self.cell, why=t(f"skipped.{self.reason}", lang)
        )


def places_of(parts: Parts) -> Places | None:
    """Where the parts of an item lie; None where that is not known."""
    found: Places | None = getattr(parts, "places", None)
    return found


def shown_of(parts: Parts) -> Shown | None:
    """What there is to show of an item, in which its parts lie; None where nothing is known of that."""
    found: Shown | None = getattr(parts, "shown", None)
    return found


def kind_of(parts: Parts) -> str:
    """ "words", "patches", "frames" or "stretches"; "" for parts of another kind."""
    return str(getattr(parts, "kind", ""))


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """d features of M items: `names` (d,), their matrix `F` (M, d), and the block of each (d,), or one block for all.

    `F` is given as an array or a sparse matrix, and kept as a sparse array by rows (float64, read-only). Its numbers
    are used as they are. `parts` says for some blocks what an item's features of that block are the sum of; `skipped`
    are cells that a block could not use. Raises InputError where a name is empty or stands twice, a number is not
    finite, or sizes disagree.

    >>> FeatureSet(("sweet", "sour"), np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 0.0]]))
    FeatureSet(3 items, 2 features in 1 block)
    """

    names: tuple[str, ...]
    F: sparse.csr_array
    blocks: tuple[str, ...] = ()
    parts: Mapping[str, Parts] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()

    def __post_init__(self) -> None:
        names, blocks = tuple(self.names), tuple(self.blocks)
        blocks = blocks or (ONE_BLOCK,) * len(names)
        for name, texts in (("names", names), ("blocks", blocks)):
            odd = next((text for text in texts if not isinstance(text, str) or not text.strip()), None)
            if odd is not None:
                refuse("visible_text", name=name, got=odd)
        if len(set(names)) < len(names):
            twice = next(name for place, name in enumerate(names) if name in names[:place])
            refuse("twice", name="names", what="feature", got=twice)
        F = _rows(self.F)
        check_same_length(names=len(names), blocks=len(blocks), columns_of_F=F.shape[1])
        for name, value in (("names", names), ("F", F), ("blocks", blocks)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        n = len(set(self.blocks))
        sizes = f"{self.F.shape[0]:,} items, {len(self):,} feature{'s' * (len(self) != 1)}"
        return f"FeatureSet({sizes} in {n} block{'s' * (n != 1)})"

    def label(self, feature: int) -> str:
        """The name of a feature without its block: "Drama" of "genres: Drama"."""
        return self.names[feature].removeprefix(f"{self.blocks[feature]}: ")

    def of_block(self, block: str) -> list[int]:
        """The numbers of the features of one block."""
        return list(self.columns.get(block, {}).values())

    @cached_property
    def columns(self) -> dict[str, dict[str, int]]:
        """Block → name of each of its features → number of the feature."""
        found: dict[str, dict[str, int]] = {}
        for feature, (block, name) in enumerate(zip(self.blocks, self.names, strict=True)):
            found.setdefault(block, {})[name] = feature
        return found

    @cached_property
    def places(self) -> dict[str, dict[str, int]]:
        """Block → name of each of its features → its place among those of the block."""
        return {block: {name: at for at, name in enumerate(own)} for block, own in self.columns.items()}

    def dense(self, rows: Any) -> np.ndarray:
        """The features (n, d) of a few items, as an array."""
        dense: np.ndarray = self.F[np.asarray(rows, np.int64)].toarray()
        return dense

    @cached_property
    def unit(self) -> sparse.csr_array:
        """F with rows of length 1, or 0 where nothing is known of the item: their inner product is the cosine."""
        length = np.sqrt(np.asarray(self.F.multiply(self.F).sum(axis=1), np.float64).ravel())
        each = np.repeat(np.where(length > 0, length, 1.0), np.diff(self.F.indptr))
        return sparse.csr_array((self.F.data / each, self.F.indices, self.F.indptr), shape=self.F.shape)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over names, blocks and matrix; parts explain the matrix and are no part of it."""
        F = self.F
        index = (F.indptr.astype(np.int64), F.indices.astype(np.int64))
        return checksum_of(self.names, self.blocks, np.array(F.shape), *index, F.data)

    # --- other sets --------------------------------------------------------------------------------------------------

    def take(self, rows: np.ndarray) -> FeatureSet:
        """The features of the items `rows`, in this order."""
        parts = {block: _of_rows(own, rows) for block, own in self.parts.items()}
        return replace(self, F=self.F[rows], parts=parts, skipped=())

    def only(self, features: Sequence[int]) -> FeatureSet:
        """The set of some of the features, by number. A block of which some are missing has no parts any more."""
        names, blocks = (tuple(of[feature] for feature in features) for of in (self.names, self.blocks))
        kept = set(features)
        parts = {block: own for block, own in self.parts.items() if kept.issuperset(self.of_block(block))}
        return FeatureSet(names, self.F[:, list(features)], blocks, parts)

    def extended(self, n: int) -> FeatureSet:
        """The same features over `n` more items, of which nothing is known."""
        return self.with_rows(sparse.csr_array((n, len(self))))

    def with_rows(self, F: sparse.csr_array) -> FeatureSet:
        """The same features over more items, whose rows are `F` (n, d); they have no parts, so no block has any."""
        return replace(self, F=sparse.vstack([self.F, F]), parts={})

    @classmethod
    def side_by_side(cls, sets: Sequence[FeatureSet]) -> FeatureSet:
        """All features of several sets over the same items; a name that stands already is told apart by a number.

        A block of a later set that is called like one of an earlier set is another block.

        >>> one, two = (FeatureSet(("red",), np.array([[x]])) for x in (1.0, 2.0))
        >>> FeatureSet.side_by_side([one, two]).names
        ('red', 'red (2)')
        """
        names = distinct([name for one in sets for name in one.names])
        own = [(place, block) for place, one in enumerate(sets) for block in dict.fromkeys(one.blocks)]
        called = dict(zip(own, distinct([block for _, block in own]), strict=True))
        blocks = tuple(called[place, block] for place, one in enumerate(sets) for block in one.blocks)
        parts = {called[place, block]: parts for place, one in enumerate(sets) for block, parts in one.parts.items()}
        skipped = tuple(cell for one in sets for cell in one.skipped)
        return cls(names, sparse.hstack([one.F for one in sets]), blocks, parts, skipped)


def _of_rows(parts: Parts, rows: np.ndarray) -> Parts:
    def moved(of: Callable[..., Any] | None) -> Any:
        return None if of is None else lambda row, *more: of(int(rows[row]), *more)

    own = PartsOf.like(parts, parts)
    return replace(own, parts=moved(parts), places=moved(own.places), quick=moved(own.quick), shown=moved(own.shown))


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, where what has the name of something before it gets a number: "x", "x (2)", "x (3)".

    >>> distinct(["x", "y", "x", "x (2)"])
    ('x', 'y', 'x (2)', 'x (2) (2)')
    """
    taken: dict[str, None] = {}  # in order
    for name in names:
        number, own = 1, name
        while own in taken:
            number += 1
            own = f"{name} ({number})"
        taken[own] = None
    return tuple(taken)


def _rows(F: Any) -> sparse.csr_array:
    """`F` as a sparse float64 array by rows in its one canonical form, read-only."""
    if sparse.issparse(F):
        if F.dtype.kind not in "fiub":
            refuse("array_real", name="F", form="table", dtype=Quoted(F.dtype))
        rows = sparse.csr_array(F, dtype=np.float64, copy=True)
    else:
        rows = sparse.csr_array(check_array("F", F, ndim=2, dtype=np.float64))
    check_array("F", rows.data, ndim=1)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    for array in (rows.data, rows.indices, rows.indptr):
        array.flags.writeable = False
    return rows
