"""Python that repeats one explanation: the data, the model and its settings, the question, the numbers.

What goes into the code is written by `repr` from plain values, so that no title, id or path can be read as code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from xattn.data import History, datasets
from xattn.errors import check_type

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["Origin", "plain_value", "settings", "snippet"]

SAVED = "model.npz"
PASSWORD = re.compile(r"^(\w[\w+.]*://[^/:@]*:).*(@)")


class Origin(NamedTuple):
    """Where the model of an explanation comes from: a saved `model`, or files of `ratings` and perhaps `items`.

    `reading` are the options of `read_interactions` that these files were read with. Without a file it is the data set
    of its name where there is one, else a model that has to be saved first.
    """

    model: str | None = None
    ratings: str | None = None
    items: str | None = None
    reading: Mapping[str, Any] | None = None

    def read(self) -> str:
        """The arguments of `read_interactions` that read `ratings` again, as code; without the password of an address.

        >>> Origin(ratings="log.csv", reading={"scale": "1-5", "columns": {"user": "who"}}).read()
        "'log.csv', scale='1-5', columns={'user': 'who'}"
        """
        given = [repr(PASSWORD.sub(r"\1…\2", str(self.ratings)))] + ([] if self.items is None else [repr(self.items)])
        return ", ".join([*given, *(f"{name}={plain_value(value)!r}" for name, value in (self.reading or {}).items())])


def snippet(ledger: Ledger, origin: Origin | None = None) -> str:
    """The program; it prints one line of JSON with score, base, rank, and each event's contribution and effect."""
    if origin is not None:
        check_type("origin", origin, Origin, "an_origin")
    arguments = {**_who(ledger), "item": ledger.item, "k": ledger.k, **(ledger.question.conditions or {})}
    given = ", ".join(f"{name}={_code(value)}" for name, value in arguments.items())
    lines = [
        "import json",
        "",
        *(["import numpy as np"] if "np." in given else []),
        "import xattn",
        "",
        *_model(ledger, origin or Origin()),
        f"why = model.explain({given})",
        "events = why.events()",
        'numbers = {"score": why.score, "base": why.base, "rank": why.rank}',
        'numbers["contributions"] = dict(zip(events["position"].tolist(), events["contribution"].tolist()))',
        'numbers["effects"] = dict(zip(events["position"].tolist(), events["effect"].tolist()))',
        "print(json.dumps(numbers))",
    ]
    return "\n".join(lines) + "\n"


class _Raw(str):
    """Code that is written as it stands."""


def _code(value: Any) -> str:
    return str(value) if isinstance(value, _Raw) else repr(plain_value(value))


def plain_value(value: Any) -> Any:
    """`value` as plain Python: numbers, texts, lists, tuples, dicts."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): plain_value(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return tuple(plain_value(entry) for entry in value)
    if isinstance(value, (list, set, frozenset, np.ndarray)):
        return [plain_value(entry) for entry in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def settings(model: Any) -> dict[str, Any]:
    """The constructor's arguments of a model, as it holds them."""
    parameters = inspect.signature(type(model).__init__).parameters
    return {name: plain_value(getattr(model, name)) for name in parameters if name != "self" and hasattr(model, name)}


def _model(ledger: Ledger, origin: Origin) -> list[str]:
    model = ledger.scorer
    data, name = model.data_, type(model).__name__
    if origin.model is None and origin.ratings is None and not _bundled(data):
        return [
            f"# The model has to be saved first: model.save({SAVED!r})",
            f"model = xattn.load_model({SAVED!r})",
        ]
    if origin.model is not None:
        return [f"model = xattn.load_model({origin.model!r})"]
    if origin.ratings is not None:
        read = f"xattn.read_interactions({origin.read()})"
    else:
        read = f"xattn.load_dataset({data.name!r})"
    defaults = inspect.signature(type(model).__init__).parameters
    changed = {n: v for n, v in settings(model).items() if plain_value(defaults[n].default) != v or n == "random_state"}
    given = ", ".join(f"{n}={v!r}" for n, v in changed.items())
    size = (data.n_users, data.n_items, data.n_events)
    return [
        f"data = {read}",
        f"assert (data.n_users, data.n_items, data.n_events) == {size!r}, 'this is other data'",
        f"model = xattn.{name}({given}).fit(data)",
    ]


def _bundled(data: Any) -> bool:
    """The data is the set at hand that has its name, as far as its size tells."""
    size = (data.name, data.n_users, data.n_items, data.n_events)
    return size in {(known.name, known.users, known.items, known.events) for known in datasets()}


def _who(ledger: Ledger) -> dict[str, Any]:
    """`user=` or `history=` as `explain` takes them."""
    history, data = ledger.question.history, ledger.scorer.data_
    masked = np.flatnonzero(~history.live).tolist()
    without = f".without({masked!r})" if masked else ""
    moments = bool(getattr(ledger.scorer, "reads_moments", True))
    if ledger.user is not None and _own(history, data, moments):
        if not masked:
            return {"user": ledger.user}
        return {"history": _Raw(f"model.history(user={ledger.user!r}){without}")}
    history = history if moments else replace(history, elapsed=None)
    ids = [data.items.ids[row] for row in history.item.tolist()]
    plain_ages = np.array_equal(history.age, np.arange(len(history))[::-1])
    said = history.rating is None or not np.isnan(history.rating).any()
    if plain_ages and history.elapsed is None and history.kind is None and history.user is None and ids and said:
        events = ids if history.rating is None else list(zip(ids, history.rating.tolist(), strict=True))
        if not masked:
            return {"history": events}
        return {"history": _Raw(f"model.history(history={events!r}){without}")}
    rating = "None"
    if history.rating is not None:
        rating = f"np.array([{', '.join('np.nan' if r != r else repr(r) for r in history.rating.tolist())}])"
    kind = "None" if history.kind is None else f"np.array({[str(k) for k in history.kind]!r}, dtype=object)"
    elapsed = "" if history.elapsed is None else f", elapsed=np.array({history.elapsed.tolist()!r})"
    built = (
        f"xattn.History(item=model.data_.items.rows({ids!r}), rating={rating}, age=np.array({history.age.tolist()!r}), "
        f"live=np.array({history.live.tolist()!r}, dtype=bool), user={history.user!r}, kind={kind}{elapsed})"
    )
    return {"history": _Raw(built)}


def _own(history: History, data: Any, moments: bool) -> bool:
    """The events are those of the known user, none more, none less, and, where it matters, as long ago."""
    if history.user is None:
        return False
    own = History.of(data, history.user)
    if len(own) != len(history):
        return False
    alike = [(own.item, history.item), (own.age, history.age), *([(own.elapsed, history.elapsed)] if moments else [])]
    return all(np.array_equal(np.asarray(one), np.asarray(other)) for one, other in alike)
