"""Groups of users or items that are served, or explained, worse than others.

A copy of the model is fitted without everybody's last event, which it then has to find (as in the protocol next-item);
where the order means nothing ("holdout"), without one item of everybody that is drawn at random.
Groups are of users (`by` "length" of the history, "taste": how popular their items are) or of items ("item": by
popularity; a column of the items: its most frequent categories). An audit brings its own groups of `people`: they are
no column of the data, and no model reads them. A user is in the group of the own history; a tested event, and an
explained recommendation, in the group of its item. Accuracy is measured on everybody, explanations on a sample.
`coverage` is the share of the catalogue (of the group's items) that is in any list (of the group's users).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from xattn.data import History, Interactions
from xattn.data.values import MISSING
from xattn.errors import check_choice, check_whole, refuse
from xattn.evaluate.faithfulness.case import Met
from xattn.evaluate.holdout import one_per_user, questions_of
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import SEEN, Questions, check_asked, last_events
from xattn.evaluate.ranking import rank
from xattn.evaluate.reports.common import check_model, figure, opening, sentence
from xattn.evaluate.reports.quality import QUALITY, quality
from xattn.evaluate.setup import asked
from xattn.features import feature_set
from xattn.progress import Progress, silent, steps
from xattn.recommenders import Recommender

__all__ = ["groups"]

USERS = {"length": ("short", "middle", "long"), "taste": ("niche", "mixed", "mainstream")}
ITEMS = ("popular", "middle", "rare")  # a third of the events each
MOST_CATEGORIES = 10
PROTOCOLS = ("next-item", "holdout")
FEW = 20  # people; with fewer an interval is not reliable


class Parted(NamedTuple):
    """Names of groups, and who is in which: (groups, users) or (groups, items) bool."""

    of: str
    names: tuple[str, ...]
    inside: np.ndarray


def groups(
    model: Any,
    *,
    by: str = "length",
    k: int = 10,
    sample: int = 150,
    seed: int = 0,
    protocol: str = "next-item",
    seen: str = "drop",
    people: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """A report of kind "groups"; `rows` hold group, of, n, ndcg@k, hr@k, coverage, and del@1, del@5, tau, events,
    base_share of its explanations (`quality`).

    `sample` users' recommendations are explained; `protocol` says which event is to be found, `seen` is that of
    `recommend`. `people` gives users their groups for an audit, and `by` is then what these are called. Raises
    InputError for wrong arguments, also where `by` is no column of categories, and where no user has two events.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> report = groups(ItemKNN().fit(planted("genre", seed=0).data), by="taste", sample=10)
    >>> [row["group"] for row in report["rows"]]
    ['niche', 'mixed', 'mainstream']
    """
    model = check_model(model)
    k = check_whole("k", k, low=1, high=model.data_.n_items)
    sample, seed = check_whole("sample", sample, low=1), check_whole("seed", seed)
    check_choice("protocol", protocol, PROTOCOLS)
    check_choice("seen", seen, SEEN)
    if np.diff(model.data_.indptr).max() < 2:
        refuse("fitted_to_single_events")
    questions = check_asked(_questions(model.data_, protocol, seen, seed))
    train, histories = questions.train, questions.histories
    target = np.array([found[0] if len(found) else MISSING for found in questions.relevant])
    users = np.array([history.user for history in histories])
    parted = _parted(train, users, by) if people is None else _audited(train, users, people)
    (progress or silent)("fit", 0.0)
    again = asked(clone(model), protocol).fit(train)
    ranked = rank(again, questions, k)
    accuracy = per_user(ranked.ranks, k)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(histories))[:sample])
    explained = _explained(again, histories, ranked.lists, chosen, parted, progress)
    every = np.ones(len(histories), bool)
    of_user = parted.inside if parted.of == "users" else [every] * len(parted.names)
    rows, sizes = [], {}
    for at, (name, inside) in enumerate(zip(parted.names, parted.inside, strict=True)):
        tested = inside if parted.of == "users" else inside[target] & (target != MISSING)
        own = [entry for group, entry in explained if group == at]
        sizes[name] = {f"ndcg@{k}": int(tested.sum()), "del@5": len(own)}
        lists = [found for found, here in zip(ranked.lists, of_user[at], strict=True) if here]
        rows.append(
            {
                "group": name,
                "of": parted.of,
                "n": int(inside.sum()),
                f"ndcg@{k}": figure(accuracy[f"ndcg@{k}"][tested], seed),
                f"hr@{k}": figure(accuracy[f"hr@{k}"][tested], seed),
                "coverage": _coverage(lists, inside if parted.of == "items" else np.ones(train.n_items, bool)),
                **{metric: figure([entry[metric] for entry in own], seed) for metric in QUALITY},
            }
        )
    return {**opening("groups", model, seed), "by": by, "k": k, "rows": rows, "summary": _summary(rows, sizes, k)}


def _questions(data: Interactions, protocol: str, seen: str, seed: int) -> Questions:
    if protocol == "next-item":
        return last_events(data, seen)
    held = one_per_user(data, np.random.default_rng(seed))
    return questions_of(data, held, np.ones(data.n_events, bool), seen)


def _audited(train: Interactions, users: np.ndarray, people: Mapping[str, str]) -> Parted:
    """The groups of an audit: the largest, in the order of their names."""
    own = np.array([people.get(train.user_ids[user], "") for user in users.tolist()])
    names, counts = np.unique(own[own != ""], return_counts=True)
    if not len(names):
        refuse("no_people", got=len(people))
    names = np.sort(names[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]])
    return Parted("users", tuple(names.tolist()), own[None, :] == names[:, None])


def _parted(train: Interactions, users: np.ndarray, by: str) -> Parted:
    counts = train.counts()
    if by in USERS:
        if by == "length":
            worth = np.diff(train.indptr)[users].astype(float)
        else:
            worth = np.array([counts[train.item[train.events_of(user)]].mean() for user in users.tolist()])
        third = np.argsort(np.argsort(worth, kind="stable"), kind="stable") * 3 // len(users)
        return Parted("users", USERS[by], third[None, :] == np.arange(3)[:, None])
    if by == "item":
        order = np.argsort(-counts, kind="stable")
        before = np.concatenate([[0], np.cumsum(counts[order])[:-1]])
        third = np.empty(len(counts), np.int64)
        third[order] = np.minimum(2, 3 * before // max(1, counts.sum()))
        return Parted("items", ITEMS, third[None, :] == np.arange(3)[:, None])
    return _categories(train, by, counts)


def _categories(train: Interactions, by: str, counts: np.ndarray) -> Parted:
    features = feature_set(train.items)
    at = features.of_block(by)
    if not at:
        check_choice("by", by, (*USERS, "item", *dict.fromkeys(features.blocks)))
    if by in train.items.frame and train.items.frame[by].dtype.kind in "fiu":
        refuse("no_categories", got=by)
    has = features.F[:, at].toarray().T > 0
    most = np.argsort(-(has @ counts), kind="stable")[:MOST_CATEGORIES]
    names = tuple(features.label(at[place]) for place in most.tolist())
    return Parted("items", names, has[most])


def _explained(
    model: Recommender,
    histories: list[History],
    lists: list[np.ndarray],
    chosen: np.ndarray,
    parted: Parted,
    progress: Progress | None,
) -> list[tuple[int, dict[str, float]]]:
    """(group, figures) of explained recommendations: a user's first, or of each group of items the first listed."""
    met, out = Met.of(model.data_), []
    for at in steps(progress, "explaining", chosen.tolist()):
        listed = lists[at]
        for group, inside in enumerate(parted.inside):
            if parted.of == "users":
                targets: Sequence[int] = listed[:1].tolist() if inside[at] else ()
            else:
                targets = listed[inside[listed]][:1].tolist()
            out += [(group, quality(model, histories[at], target, met)) for target in targets]
    return out


def _coverage(lists: list[np.ndarray], items: np.ndarray) -> float:
    """The share of `items` (M,) bool that is in any list."""
    found = np.unique(np.concatenate([np.empty(0, np.int64), *lists]))
    return float(items[found].sum() / max(1, items.sum()))


def _summary(rows: list[dict[str, Any]], sizes: dict[str, dict[str, int]], k: int) -> list[dict[str, Any]]:
    """Which group is served worst and which explained worst; sure where its interval is apart from the best one's."""
    lines = []
    for key, metric, best_is_high in (("served_worst", f"ndcg@{k}", True), ("explained_worst", "del@5", False)):
        known = [row for row in rows if row[metric]["value"] is not None]
        if len(known) < 2:
            continue
        order = sorted(known, key=lambda row: row[metric]["value"], reverse=best_is_high)
        best, worst = order[0], order[-1]
        apart = (
            worst[metric]["ci95"][1] < best[metric]["ci95"][0]
            if best_is_high
            else worst[metric]["ci95"][0] > best[metric]["ci95"][1]
        )
        apart = apart and min(sizes[row["group"]][metric] for row in (best, worst)) >= FEW
        values = {
            "worst": worst["group"],
            "best": best["group"],
            "low": worst[metric]["value"],
            "high": best[metric]["value"],
        }
        lines.append(sentence(key if apart else f"{key}_unsure", metric=metric, **values))
    return lines
