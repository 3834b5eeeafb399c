"""The picture as plain values: what the component draws, made of tidy frames and of nothing else.

    {rows: [{key, title, note, out}], items: [{id, rank, title, facts, note, say, sub}], flows: [[row, item, amount]],
     shares: [[…]], layers: {head: {…}, feature: {…}}, gone: [{id, title, note}], proof: {…}, words: {…}}

What the removals do is worked out after the picture is drawn, and follows by itself:

    {then: [[…]], odd: {…}, events: [sentence of each row]}

Rows and items are named by their places in the lists. Every number that is read is written here, and not by the
component; amounts, which only become widths, stay numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xattn.app.picture.flows import BASE, REST, is_odd
from xattn.app.picture.words import is_quiet, short, without_words
from xattn.app.words import t
from xattn.i18n.joined import sentences
from xattn.i18n.numbers import percent, place
from xattn.viz.names import feature_name, head_name

__all__ = ["Shown", "records", "removals", "scene"]

MOST_FEATURES = 5  # with a node of their own
TINY = 5e-4  # a share of less has no node of its own


@dataclass(frozen=True)
class Shown:
    """What the picture is made of. Frames:

    rows      row, title, rating (a text), out: the events with a row of their own, in their order; others: how many not
    items     item, rank (0: none), title, facts, before (rank before the last event was left out; −1: nothing was),
              size (all that speaks for it), say, sub (its sentences)
    flows     row, item, head, feature, contribution (`flows.flows`)
    proof     item, title, before, announced, happened, same: of the list before the last event was left out
    attention of each item: by head, its share of the attention of all heads together
    """

    rows: pd.DataFrame
    items: pd.DataFrame
    flows: pd.DataFrame
    proof: pd.DataFrame
    attention: Sequence[Mapping[str, float]]
    history: int  # events
    k: int
    open: str | None = None  # the item whose ledger is open below
    last: str = ""  # the row of the event that was left out last
    base: str = "picture.base"  # what the base is called: of models from elsewhere it need not be popularity


def records(frame: pd.DataFrame) -> list[Any]:
    """The lines of a frame, each with its columns as attributes."""
    return list(frame.itertuples())


def scene(shown: Shown, language: str) -> dict[str, Any]:
    """The values of the module's head."""
    rows = _rows(shown, language)
    row_of = {row["key"]: at for at, row in enumerate(rows)}
    item_of = {item: at for at, item in enumerate(shown.items["item"])}
    matrix = np.zeros((len(rows), len(item_of)))
    at = (shown.flows["row"].map(row_of), shown.flows["item"].map(item_of))
    np.add.at(matrix, tuple(one.to_numpy(dtype=np.intp) for one in at), shown.flows["contribution"].to_numpy())
    sizes = shown.items["size"].to_numpy(dtype=float)
    shares = np.divide(matrix, sizes, out=np.zeros_like(matrix), where=sizes > 0)
    return {
        "rows": rows,
        "items": _items(shown, language),
        "flows": [[int(r), int(i), float(matrix[r, i])] for r, i in np.argwhere(matrix != 0)],
        "shares": [[percent(share) if share else "" for share in line] for line in shares],
        "layers": {
            "head": _layer(shown, row_of, item_of, "head", language),
            "feature": _layer(shown, row_of, item_of, "feature", language),
        },
        "gone": _gone(shown, item_of, language),
        "proof": _proof(shown, language),
        "open": item_of.get(shown.open, -1),
        "words": _words(shown, language),
    }


def removals(drawn: Mapping[str, Any], effects: pd.DataFrame, k: int, language: str) -> dict[str, Any]:
    """What the removals of events do to the items of a scene that is drawn, a list of k; `effects` of
    `flows.announced`."""
    rows = drawn["rows"]
    row_of = {row["key"]: at for at, row in enumerate(rows)}
    item_of = {item["id"]: at for at, item in enumerate(drawn["items"])}
    told = [row for row in records(effects) if row.row in row_of]
    return {
        "then": _then(told, row_of, item_of, language),
        "odd": _odd(told, rows, row_of, item_of, language),
        "events": _events_say(told, rows, k, language),
    }


def _rows(shown: Shown, language: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "key": row.row,
            "title": short(row.title),
            "note": row.rating,
            "out": bool(row.out),
            "label": t("picture.keep", language, title=short(row.title)),
        }
        for row in records(shown.rows)
    ]
    used = set(shown.flows["row"])
    others = shown.history - len(shown.rows)
    for key, title in ((REST, t("picture.rest", language, n=others)), (BASE, t(shown.base, language))):
        if key in used:
            rows.append({"key": key, "title": title, "note": "", "out": False, "label": ""})
    return rows


def _items(shown: Shown, language: str) -> list[dict[str, Any]]:
    same = dict(zip(shown.proof["item"], shown.proof["same"], strict=True))
    items = []
    for row in records(shown.items):
        note = ""
        if row.before == 0:
            note = t("picture.new", language)
        elif row.before > 0 and row.before != row.rank:
            mark = "✓" if same.get(row.item) else "✗"
            note = t("picture.moved", language, before=place(row.before, language), now=place(row.rank, language))
            note = f"{note} {mark}"
        rank = str(row.rank) if row.rank else "–"
        items.append(
            {
                "id": row.item,
                "rank": rank,
                "title": short(row.title),
                "facts": row.facts,
                "note": note,
                "out": not row.rank or row.rank > shown.k,
                "say": row.say,
                "sub": row.sub,
            }
        )
    return items


def _then(told: list[Any], row_of: Mapping[str, int], item_of: Mapping[str, int], language: str) -> list[list[str]]:
    """What is announced for each item when the event of a row is left out: its place then."""
    then = [[""] * len(item_of) for _ in row_of]
    for row in told:
        if row.rank:
            there = place(int(row.rank), language)
            text = t("picture.stays" if row.rank == row.now else "picture.then", language, place=there)
            then[row_of[row.row]][item_of[row.item]] = text
    return then


def _odd(
    told: list[Any],
    rows: Sequence[Mapping[str, Any]],
    row_of: Mapping[str, int],
    item_of: Mapping[str, int],
    language: str,
) -> dict[str, str]:
    """Where a contribution and the removal of the same event point the same way, and why; by "row item"."""
    odd = {}
    for row in told:
        if is_odd(row.contribution, row.effect, row.size):
            at, key = row_of[row.row], "picture.odd" if row.contribution > 0 else "picture.odd_against"
            odd[f"{at} {item_of[row.item]}"] = t(key, language, title=rows[at]["title"])
    return odd


def _events_say(told: list[Any], rows: Sequence[Mapping[str, Any]], k: int, language: str) -> list[str]:
    """The sentence above the picture when an event is lit; "" of rows that are no event."""
    ranks: dict[str, list[tuple[str, int, int]]] = {}
    for one in told:
        ranks.setdefault(one.row, []).append((one.title, int(one.now), int(one.rank)))
    said = []
    for row in rows:
        if not row["label"]:
            said.append("")
        elif row["out"]:
            said.append(t("picture.left_out", language, title=row["title"]))
        else:
            said.append(without_words(row["title"], ranks.get(row["key"], []), k, language))
    return said


def _layer(
    shown: Shown, row_of: Mapping[str, int], item_of: Mapping[str, int], what: str, language: str
) -> dict[str, Any]:
    """The nodes between, what flows through them ([row, node, item, amount]), and of each item: the share that each
    node has of its contributions, and a sentence. The base has no node: it is no event's."""
    cells = shown.flows[(shown.flows["row"] != BASE).to_numpy()]
    names = cells[what].unique().tolist()
    size = np.zeros((len(names), len(item_of)))
    item = cells["item"].map(item_of).to_numpy(dtype=np.intp)
    at = cells[what].map({name: at for at, name in enumerate(names)}).to_numpy(dtype=np.intp)
    np.add.at(size, (at, item), np.abs(cells["contribution"].to_numpy()))
    size /= np.where(size.sum(axis=0) > 0, size.sum(axis=0), 1.0)
    order = np.argsort(-size.sum(axis=1), kind="stable")
    if what == "feature":  # the largest, and one node for all others; what no feature splits comes first
        telling = [n for n in order if names[n] and size[n].max() > TINY][:MOST_FEATURES]
        order = np.array([*(n for n in order if not names[n]), *telling], dtype=np.intp)
    node = np.full(len(names), len(order))
    node[order] = np.arange(len(order))
    labels = [_node(names[n], what, language) for n in order]
    if len(names) > len(order):
        labels.append(t("picture.other_features", language, n=len(names) - len(order)))
    sums = np.zeros((len(row_of), len(labels), len(item_of)))
    row = cells["row"].map(row_of).to_numpy(dtype=np.intp)
    np.add.at(sums, (row, node[at], item), cells["contribution"].to_numpy())
    shares = np.zeros((len(labels), len(item_of)))
    np.add.at(shares, node, size)
    return {
        "nodes": labels,
        "flows": [[*place, float(sums[tuple(place)])] for place in np.argwhere(sums != 0).tolist()],
        "shares": [[percent(share) for share in line] for line in shares.T],
        "says": [
            _layer_says(shown, what, labels, names, order, shares[:, at], at, language) for at in item_of.values()
        ],
    }


def _node(name: str, what: str, language: str) -> str:
    if what == "head":
        return head_name(name, language)
    return feature_name(name, language) if name else t("picture.together", language)


def _layer_says(
    shown: Shown, what: str, labels: list[str], names: list[str], order: np.ndarray, shares: np.ndarray, at: int,
    language: str,
) -> str:  # fmt: skip
    """What there is to know of a layer of one item: who gets attention and who decides; how much features carry."""
    if what == "head":
        attention, said = shown.attention[at], []
        for n, label in enumerate(labels[: len(order)]):
            weight = attention.get(names[order[n]], 0.0)
            facts = {"name": label, "weight": percent(weight), "share": percent(shares[n])}
            said.append(t("picture.layer_attention", language, **facts))
            if is_quiet(weight, float(shares[n])):
                said.append(t("picture.layer_quiet", language, name=label))
        return sentences(said, language)
    split = float(sum(share for n, share in enumerate(shares) if n >= len(order) or names[order[n]]))
    return t("picture.layer_says_feature", language, share=percent(split))


def _gone(shown: Shown, item_of: Mapping[str, int], language: str) -> list[dict[str, str]]:
    """Items of the list before that are in it no more: announced and happened."""
    return [
        {
            "id": row.item,
            "title": short(row.title),
            "note": t("picture.gone", language, **_places(row, language)) + (" ✓" if row.same else " ✗"),
        }
        for row in records(shown.proof)
        if row.item not in item_of
    ]


def _places(row: Any, language: str) -> dict[str, str]:
    return {
        name: place(int(rank), language) if (rank := getattr(row, name)) else t("picture.seen", language)
        for name in ("before", "announced", "happened")
    }


def _proof(shown: Shown, language: str) -> dict[str, Any] | None:
    """What was announced before the last event was left out beside what happened; None where none was."""
    if shown.proof.empty:
        return None
    wrong = int((~shown.proof["same"]).sum())
    if wrong:
        says = t("picture.proof_wrong", language, n=len(shown.proof), wrong=wrong)
        return {"say": says, "all": "", "row": shown.last, "same": False}
    rows = records(shown.proof)
    row = next((row for row in rows if row.item == shown.open), None) or next(
        (row for row in rows if row.before != row.happened), rows[0]
    )
    title = dict(zip(shown.rows["row"], shown.rows["title"], strict=True))[shown.last]
    says = t("picture.proof", language, title=short(str(title)), name=short(row.title), **_places(row, language))
    return {"say": says, "all": t("picture.proof_all", language, n=len(shown.proof)), "row": shown.last, "same": True}


def _words(shown: Shown, language: str) -> dict[str, str]:
    words = {
        "title": t("picture.title", language),
        "events": t("picture.events", language),
        "items": t("picture.items", language),
        "items_without": t("picture.items_without", language),
        "legend_for": t("picture.legend_for", language),
        "legend_against": t("picture.legend_against", language),
        "legend_width": t("picture.legend_width", language),
        "base": t(shown.base, language),
        "layer": t("picture.layer", language),
        "layer_whole": t("picture.layer_whole", language),
        "layer_head": t("picture.layer_head", language),
        "layer_feature": t("picture.layer_feature", language),
        "table": t("picture.table", language),
        "table_says": t("picture.table_says", language),
    }
    if shown.history > len(shown.rows):
        words["events_of"] = t("picture.events_of", language, n=len(shown.rows), all=shown.history)
    return words
