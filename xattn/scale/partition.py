"""From a source to partitions: every event goes to the part of its user, then each part is put in order by itself.

    source ──pieces──▶ one scratch file a part ──one part at a time──▶ columns, sorted by user and time ──▶ manifest

Memory holds a piece, a part, and the ids of the items. New days go the same way: a part with new events is written
again beside the old one, and the manifest, written last, names the new parts. Whatever stops the work before leaves
the partitions as they were.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa

from xattn.data import Interactions, ItemTable
from xattn.data.reading.options import Options
from xattn.data.reading.ratings import MEANT
from xattn.data.reading.read import read_interactions, read_items
from xattn.data.scale import Scale, guess_scale_of, scale_of_lasting
from xattn.data.source import Source
from xattn.errors import DataError, check_whole, refuse, shown
from xattn.files import scratch
from xattn.progress import Progress, part_of, silent
from xattn.scale.chunks import Chunk, Stream, stream_of
from xattn.scale.columns import write_columns
from xattn.scale.order import Gathered, joined_after, ordered, without_repeats
from xattn.scale.store import MANIFEST, Part, Partitions, part_of_user

__all__ = ["partition"]

STREAMED = 2**26  # bytes from which a source is read in pieces
LEAST_PARTS, MOST_PARTS = 8, 4096
EVENTS_A_PART = 4_000_000
BYTES_AN_EVENT = 20  # of a text; where the parts are not said, they follow from the size of the source
READ = 0.6  # of the time goes into reading


class _Found(NamedTuple):
    """What was read: the items, the scale, the types, the next free place, and how to get the events of a part."""

    items: ItemTable
    scale: Scale | None
    unrated: tuple[float, ...]
    kinds: tuple[str, ...] | None
    next_place: int
    columns: tuple[str, ...]  # which of rating, time, kind there are
    of_part: Callable[[int], Gathered]
    name: str
    summary: str


def partition(
    source: Any,
    folder: str | Path,
    *,
    parts: int | None = None,
    items: Any = None,
    name: str | None = None,
    append: bool = False,
    stream_from: int = STREAMED,
    progress: Progress | None = None,
    **reading: Any,
) -> Partitions:
    """Write the events of `source` to `parts` partitions of users in `folder`, and return them.

    `source`, `items` and the other arguments are those of `read_interactions`. Text in UTF-8 and Parquet of
    `stream_from` bytes and more are read in pieces. With `append` the events are added to the partitions that stand in
    the folder, as `Interactions.extended` adds them. Raises DataError where the source cannot be read, InputError where
    the folder holds partitions already, or with `append` other columns.

    >>> import tempfile
    >>> import pandas as pd
    >>> days = pd.DataFrame({"user": ["u", "v", "u"], "item": ["a", "b", "c"], "time": [1.5e9, 1.5e9, 1.4e9]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     partition(days, folder, parts=2, name="days")
    Partitions('days': 2 parts, 2 users, 3 items, 3 events)
    """
    where, tell = Path(folder), progress or silent
    if parts is not None:
        check_whole("parts", parts, low=1, high=MOST_PARTS)
    old = _old(where, append, parts)
    os.makedirs(where, exist_ok=True)
    described = None if items is None else read_items(items)
    if old is not None:
        described = old.items if described is None else old.items.extended(described.ids)
    options = Options(**{key: value for key, value in reading.items() if key in Options.__dataclass_fields__ and value})
    plain = not any(reading.get(name) for name in ("encoding", "query", "drop"))
    stream = stream_of(source, options, stream_from) if plain else None
    with scratch(where) as room:
        if stream is None:
            data = read_interactions(source, described, name, **reading)
            count = _parts(parts, old, data.n_events)
            found = _of_interactions(data, count, old)
        else:
            count = _parts(parts, old, stream.bytes // BYTES_AN_EVENT)
            found = _of_stream(stream, described, count, room, old, part_of(tell, 0.0, READ), name)
        if old is not None:
            _check_alike(old, found)
        written = []
        for place in range(count):
            tell("order", READ + (1 - READ) * place / count)
            written.append(_written(where, place, found, old, options.repeats == "drop"))
    said = Partitions.write_items(where, found.items)
    scale = found.scale if old is None or old.scale is None else old.scale
    label = name or (found.name if old is None else old.name)
    made = Partitions(where, label, tuple(written), next_place=found.next_place, scale=scale, kinds=found.kinds,
                      summary=found.summary, **said)  # fmt: skip
    if not made.n_events:
        refuse("no_events_to_part", kind=DataError, got=label)
    made.save()
    tell("order", 1.0)
    return made


def _old(folder: Path, append: bool, parts: int | None) -> Partitions | None:
    if append:
        old = Partitions.open(folder)
        if parts is not None and parts != len(old):
            refuse("other_parts", wanted=len(old), got=parts)
        return old
    if (folder / MANIFEST).exists():
        refuse("partitions_there", got=str(folder))
    return None


def _parts(given: int | None, old: Partitions | None, events: int) -> int:
    if old is not None:
        return len(old)
    return given or min(max(LEAST_PARTS, -(-events // EVENTS_A_PART)), MOST_PARTS)


def _check_alike(old: Partitions, found: _Found) -> None:
    """New days have ratings and types where the old ones have them."""
    had = {"rating": old.scale is not None, "kind": old.kinds is not None}
    for column, before in had.items():
        if before != (column in found.columns):
            refuse("other_columns", column=column, found="in_the_old" if before else "in_the_new")


# --- a source that fits in memory -------------------------------------------------------------------------------------


def _of_interactions(data: Interactions, parts: int, old: Partitions | None) -> _Found:
    known = () if old is None or old.kinds is None else old.kinds
    kinds, kind = None, None
    if data.kind is not None:
        kinds = (*known, *(name for name in dict.fromkeys(data.kind.tolist()) if name not in set(known)))
        code = {name: place for place, name in enumerate(kinds)}
        kind = np.fromiter((code[name] for name in data.kind.tolist()), np.int32, data.n_events)
    vectors = {"item": data.item, "rating": data.rating, "time": data.time, "kind": kind}
    start = 0 if old is None else old.next_place
    part = np.fromiter((part_of_user(user, parts) for user in data.user_ids), np.int64, data.n_users)

    def of_part(place: int) -> Gathered:
        users = np.flatnonzero(part == place)
        code = np.full(data.n_users, -1)
        code[users] = np.arange(len(users))
        events = np.flatnonzero(code[data.user] >= 0)
        own = {column: None if values is None else values[events] for column, values in vectors.items()}
        return Gathered([data.user_ids[row] for row in users.tolist()], start + users, code[data.user[events]], own)

    there = tuple(column for column in ("rating", "time", "kind") if vectors[column] is not None)
    summary = "" if data.report is None else data.report.summary()
    return _Found(data.items, data.scale, (), kinds, start + data.n_users, there, of_part, data.name, summary)


# --- a source in pieces -----------------------------------------------------------------------------------------------


def _of_stream(
    stream: Stream, described: ItemTable | None, parts: int, room: Callable[[str], IO[bytes]], old: Partitions | None,
    tell: Progress, name: str | None,
) -> _Found:  # fmt: skip
    known = {} if described is None else {value: row for row, value in enumerate(described.ids)}
    kinds = {} if old is None or old.kinds is None else {value: row for row, value in enumerate(old.kinds)}
    start = place = 0 if old is None else old.next_place
    files = [room(f"{part}.arrows") for part in range(parts)]
    writers: list[Any] = []
    ratings: dict[float, int] = {}
    there: tuple[str, ...] = ()
    rows = 0
    try:
        for chunk in stream.chunks():
            if not writers:
                there = tuple(c for c in ("rating", "time", "kind") if getattr(chunk, c) is not None)
                writers = [pa.ipc.new_stream(file, _schema(there)) for file in files]
            _spill(chunk, place, there, known, kinds, ratings, writers, parts)
            place += chunk.size
            rows += chunk.size
            tell("read", min(rows * BYTES_AN_EVENT / stream.bytes, 1.0))
    finally:
        for one in (*writers, *files):
            one.close()
    if place == start:
        refuse("no_events_to_part", kind=DataError, got=stream.name)
    head = next(stream.tables())
    scale, unrated = (
        _scale(stream, ratings, stream.meant(stream.roles(head), head)) if "rating" in there else (None, ())
    )
    if scale is None:
        there = tuple(column for column in there if column != "rating")
    fresh = list(known)[0 if described is None else len(described) :]
    table = (described if described is not None else ItemTable.bare(())).extended(fresh)
    return _Found(table, scale, unrated, tuple(kinds) if "kind" in there else None, place, there,
                  lambda part: _gathered(Path(files[part].name), there), name or stream.name, "")  # fmt: skip


def _schema(there: tuple[str, ...]) -> pa.Schema:
    types = {"rating": pa.float64(), "time": pa.float64(), "kind": pa.int32()}
    fields = [("user", pa.string()), ("place", pa.int64()), ("item", pa.int32()), *((c, types[c]) for c in there)]
    return pa.schema(fields)


def _spill(
    chunk: Chunk, start: int, there: tuple[str, ...], items: dict[str, int], kinds: dict[str, int],
    ratings: dict[float, int], writers: list[Any], parts: int,
) -> None:  # fmt: skip
    """Write the events of a piece to the files of their parts."""
    rows = chunk.rows
    user = chunk.user.codes[rows]
    part_of_code = np.fromiter((part_of_user(value, parts) for value in chunk.user.ids), np.int64, len(chunk.user.ids))
    used = np.zeros(len(chunk.item.ids), bool)
    used[chunk.item.codes[rows]] = True
    item = _codes(chunk.item.ids, items, used)[chunk.item.codes[rows]]
    vectors: dict[str, Any] = {"rating": chunk.rating, "time": chunk.time}
    columns = {"item": item.astype(np.int32)}
    columns |= {name: vector[rows] for name, vector in vectors.items() if name in there}
    if "kind" in there and chunk.kind is not None:
        columns["kind"] = _codes(chunk.kind.ids, kinds)[chunk.kind.codes[rows]].astype(np.int32)
    if "rating" in there:
        own = columns["rating"]
        for value, often in zip(
            *(x.tolist() for x in np.unique(own[np.isfinite(own)], return_counts=True)), strict=True
        ):
            ratings[value] = ratings.get(value, 0) + often
    part = part_of_code[user]
    order = np.argsort(part, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=parts))])
    texts = pa.array(chunk.user.ids, pa.string())
    for place, writer in enumerate(writers):
        own = order[ends[place] : ends[place + 1]]
        if len(own):
            arrays = [texts.take(pa.array(user[own])), pa.array(start + rows[own])]
            arrays += [pa.array(values[own]) for values in columns.values()]
            writer.write_batch(pa.record_batch(arrays, schema=_schema(there)))


def _codes(ids: tuple[str, ...], known: dict[str, int], used: np.ndarray | None = None) -> np.ndarray:
    """The code of each id; those that are new, and used, get the next ones."""
    found = np.full(len(ids), -1, np.int64)
    for place, value in enumerate(ids):
        if used is None or used[place]:
            found[place] = known.setdefault(value, len(known))
    return found


def _scale(stream: Stream, ratings: Mapping[float, int], meant: str) -> tuple[Scale | None, tuple[float, ...]]:
    """The scale of all ratings, and the values that mean "not rated"."""
    if not ratings:
        return None, ()
    value = np.array(sorted(ratings))
    often = np.array([ratings[one] for one in value.tolist()])
    kind, given = stream.options.lasting, stream.options.scale
    if kind:
        scale = given if isinstance(given, Scale) else scale_of_lasting(value, often, kind)
        if scale is None:
            Source(shown(stream.name)).refuse("not_lasting", meant=MEANT[kind], got=float(value[-1]))
        return scale, ()
    if stream.options.amount:
        return Scale(float(value[0]), float(value[-1]), "amount", "stated"), ()
    stated = stream.options.stated_scale()
    guess = guess_scale_of(value, often, meant, stream.options.unrated_values()[0])
    if stated is None:
        return guess.scale, guess.unrated
    return stated, tuple(mark for mark in guess.unrated if not stated.low <= mark <= stated.high)


def _gathered(path: Path, there: tuple[str, ...]) -> Gathered:
    """The events of one part, from its scratch file."""
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_stream(file).read_all()
    coded = table.column("user").combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = pa.concat_arrays(coded.chunks) if coded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    user = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    users = coded.dictionary.to_pylist()
    place = table.column("place").to_numpy()
    first = place[np.unique(user, return_index=True)[1]] if len(users) else np.empty(0, np.int64)
    names = ("item", "rating", "time", "kind")
    vectors = {name: table.column(name).to_numpy() if name in ("item", *there) else None for name in names}
    return Gathered(users, first, user, vectors)


# --- one part ---------------------------------------------------------------------------------------------------------


def _written(folder: Path, place: int, found: _Found, old: Partitions | None, distinct: bool) -> Part:
    """Put one part in order, and write it; a part without new events stays what it is."""
    own = found.of_part(place)
    _settle_ratings(own, found if old is None or old.scale is None else found._replace(scale=old.scale))
    if distinct and len(own.user):
        own = without_repeats(own)
    if old is not None:
        if not len(own.user):
            return old.parts[place]
        own = joined_after(old.columns(place), own)
    columns = ordered(own)
    sha256 = columns.checksum
    name = f"part-{place:05d}-{sha256[:12]}"
    write_columns(folder / name, columns)
    return Part(name, columns.n_users, columns.n_events, sha256)


def _settle_ratings(own: Gathered, found: _Found) -> None:
    """No opinion where a mark says so, or where a number lies outside the scale."""
    rating = own.vectors["rating"]
    if rating is None or found.scale is None:
        own.vectors["rating"] = None
        return
    rating = np.array(rating, np.float64)
    rating[np.isin(rating, found.unrated)] = np.nan
    if found.scale.kind == "opinion":
        rating[(rating < found.scale.low) | (rating > found.scale.high)] = np.nan
    own.vectors["rating"] = rating
