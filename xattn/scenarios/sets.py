"""The data of a scenario: files of one's own, a public set where it is at hand, or made items and people.

Whatever the place, events and items go through the one reader of the package, and the sensitive columns of the manifest
are taken out before it judges a single column: no model can read what no data set holds.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xattn.data import Interactions, ItemTable, read_interactions, read_items
from xattn.data.simulate import Simulated, simulate
from xattn.errors import refuse
from xattn.features.make import make_features
from xattn.i18n import t
from xattn.scenarios.convert import Frames, converted, items_of_cars
from xattn.scenarios.fetch.home import FOLDER, folder_of, is_sample
from xattn.scenarios.manifest import Manifest, Own, Real, SimulatedSet

__all__ = [
    "FOLDER",
    "KINDS",
    "ScenarioSet",
    "at_hand",
    "made_items",
    "people_of",
    "read_frames",
    "scenario_set",
    "tables_of",
    "titles_in_chinese",
]

KINDS = ("own", "real", "simulated")
COLUMNS = ("user", "item", "time", "rating", "kind")  # of frames that are made here; all other roles are left out
OTHER_ROLES = ("amount", "clock", "title", "order")


@dataclass(frozen=True, eq=False)
class ScenarioSet:
    """`data`, of which kind it is, and the words that are true of it; `truth` where people are simulated, and
    `set_name` where a public set is at hand. `people` (user, and sensitive columns) is there for audits alone: it is no
    part of `data`, and no model is given it. `sample`: these are but a part of the public set, which comes with the
    package."""

    manifest: Manifest
    kind: str
    data: Interactions
    words: str
    truth: Simulated | None = None
    set_name: str | None = None
    people: pd.DataFrame | None = None
    sample: bool = False

    def told(self, lang: str = "en") -> str:
        """What the data are, in a sentence or two."""
        sizes = {
            "users": f"{self.data.n_users:,}",
            "items": f"{self.data.n_items:,}",
            "events": f"{self.data.n_events:,}",
        }
        if self.kind == "real" and self.manifest.real is not None:
            real = self.manifest.real
            key = "scenario.data_sample" if self.sample else "scenario.data_real"
            said = t(key, lang, set=real.set, licence=real.licence, **sizes)
            return f"{said} {real.about.told(lang)}" if lang == "en" else said + real.about.told(lang)
        if self.kind == "simulated":
            key = "scenario.data_simulated" if self.set_name is None else "scenario.data_simulated_over"
            return t(key, lang, set=self.set_name or "", **sizes)
        return t("scenario.data_own", lang, set=self.data.name, **sizes)


def at_hand(manifest: Manifest) -> list[str]:
    """The kinds of data that this scenario has here and now, the one to be taken first."""
    real = manifest.real is not None and folder_of(manifest.real.set) is not None
    there = {"own": manifest.own is not None, "real": real, "simulated": manifest.simulated is not None}
    return [kind for kind in KINDS if there[kind]]


def scenario_set(manifest: Manifest, kind: str | None = None, base: Path | None = None) -> ScenarioSet:
    """The data of a scenario: of `kind`, or of the first that is at hand. `base` is the folder of the manifest.

    Raises InputError for a kind that the scenario does not have or that is not at hand, and where files cannot be read.
    """
    declared = [name for name in KINDS if getattr(manifest, name) is not None]
    here = at_hand(manifest)
    if kind is not None and kind not in declared:
        refuse("scenario_kind", known=tuple(declared), got=kind)
    wanted = kind or (here[0] if here else "real")
    if wanted not in here:
        refuse("scenario_not_there", set=manifest.real.set if manifest.real is not None else manifest.name)
    if wanted == "own" and manifest.own is not None:
        return _own(manifest, manifest.own, base or Path())
    if wanted == "real" and manifest.real is not None and (folder := folder_of(manifest.real.set)) is not None:
        return _real(manifest, manifest.real, folder)
    assert manifest.simulated is not None  # the only one that is left
    return _simulated(manifest, manifest.simulated)


# --- the three places -------------------------------------------------------------------------------------------------


def _own(manifest: Manifest, own: Own, base: Path) -> ScenarioSet:
    items = None if own.items is None else str(base / own.items)
    reading = own.reading()
    data = read_interactions(str(base / own.ratings), items, manifest.name, **reading, leave_out=manifest.sensitive)
    return ScenarioSet(manifest, "own", _with_blocks(manifest, data), manifest.words)


def _real(manifest: Manifest, real: Real, folder: Path) -> ScenarioSet:
    frames = converted(real.converter, folder)
    data = read_frames(manifest, frames, {one.item: one.zh for one in real.titles})
    words, people = real.words or manifest.words, people_of(manifest, frames)
    return ScenarioSet(manifest, "real", data, words, None, real.set, people, is_sample(folder))


def _simulated(manifest: Manifest, made: SimulatedSet) -> ScenarioSet:
    over = None if made.items_from is None else folder_of(made.items_from)
    frame = made_items(made, manifest.name) if over is None else items_of_cars(over)
    spoken = titles_in_chinese(made, frame) if over is None else {}
    table = read_items(frame, columns={"item": "item", "title": "title"})
    truth = simulate(
        table, made.people, tastes=made.tastes, kinds=made.kinds, rated=made.rated, name=manifest.name, seed=made.seed
    )
    frames = tables_of(truth, frame)
    data = read_frames(manifest, frames, spoken)
    set_name = None if over is None else made.items_from
    return ScenarioSet(manifest, "simulated", data, manifest.words, truth, set_name, people_of(manifest, frames))


def people_of(manifest: Manifest, frames: Frames) -> pd.DataFrame | None:
    """The sensitive columns that stand beside the events, one line a person; None where there is none."""
    columns = [name for name in manifest.sensitive if name in frames.events]
    if not columns:
        return None
    people = frames.events[["user", *columns]].drop_duplicates("user").astype(str)
    return people.reset_index(drop=True)


def tables_of(truth: Simulated, items: pd.DataFrame) -> Frames:
    """Simulated people as tables of the usual kind: every event with the age and sex of its person beside."""
    events = truth.data.to_frame()
    return Frames(events.merge(truth.people, on="user", how="left"), items)


def made_items(made: SimulatedSet, name: str) -> pd.DataFrame:
    """The items of a manifest: each has a value of each column, drawn evenly; its title is the form, filled with them.

    A title that was given before gets a number. The same manifest makes the same items.
    """
    rng = np.random.default_rng([made.seed, zlib.crc32(name.encode())])
    columns: dict[str, Any] = {}
    for column in made.columns:
        if column.values:
            often = np.arange(made.items) % len(column.values)
            columns[column.name] = [column.values[place] for place in rng.permutation(often).tolist()]
        else:
            columns[column.name] = np.round(rng.uniform(column.low or 0.0, column.high or 0.0, made.items), 2)
    frame = pd.DataFrame(columns)
    titles = _told_apart([_filled(made.title, row) for row in frame.to_dict("records")])
    frame.insert(0, "item", [f"{name}-{row + 1}" for row in range(len(titles))])
    frame.insert(1, "title", titles)
    return frame


def titles_in_chinese(made: SimulatedSet, items: pd.DataFrame) -> dict[str, str]:
    """Made items by their ids: the form of Chinese titles, filled with what the values of their columns are called."""
    if not made.title_zh:
        return {}
    called = {one.name: dict(zip(one.values, one.zh, strict=True)) for one in made.columns if one.zh}
    rows = items.to_dict("records")
    spoken = [{name: called.get(str(name), {}).get(own, own) for name, own in row.items()} for row in rows]
    titles = _told_apart([_filled(made.title_zh, row) for row in spoken])
    return dict(zip(items["item"], titles, strict=True))


def _told_apart(titles: list[str]) -> list[str]:
    """A title that was given before gets a number."""
    again = pd.Series(titles).groupby(titles).cumcount()
    return [f"{title} {number + 1}" if number else title for title, number in zip(titles, again, strict=True)]


def _filled(form: str, row: dict[Any, Any]) -> str:
    """The form with the columns of a row in its braces."""
    return re.sub("{([^{}]*)}", lambda place: str(row[place[1]]), form)


def read_frames(manifest: Manifest, frames: Frames, spoken: Mapping[str, str] | None = None) -> Interactions:
    """The frames as a data set, without the sensitive columns; `spoken` are titles in Chinese by item."""
    items = read_items(frames.items, columns={"item": "item", "title": "title"}, leave_out=manifest.sensitive)
    if spoken:
        items = replace(items, names={"zh": tuple(spoken.get(item, "") for item in items.ids)})
    roles: dict[str, Any] = {name: name if name in frames.events else None for name in COLUMNS}
    roles |= dict.fromkeys(OTHER_ROLES)
    data = read_interactions(frames.events, items, manifest.name, columns=roles, leave_out=manifest.sensitive)
    return _with_blocks(manifest, data)


def _with_blocks(manifest: Manifest, data: Interactions) -> Interactions:
    """The data with the features of the blocks that the manifest names; without any, models make their own."""
    if not manifest.block_of:
        return data
    table: ItemTable = data.items.with_features(make_features(data.items, manifest.block_of))
    return Interactions(
        data.name,
        data.user_ids,
        table,
        data.indptr,
        data.item,
        data.rating,
        data.time,
        data.kind,
        data.scale,
        data.report,
    )
