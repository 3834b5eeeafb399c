"""What the pages show: data and fitted models, made once and never changed.

A server shows the bundled films, or what `use` gave it before it started: somebody's own data, or a fitted model with
the data that it was fitted to. A session that has brought its own (`hold`) sees that instead, and it alone; it is freed
with the session.
"""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from itertools import count
from typing import NamedTuple

import streamlit as st

from xattn.app.ui.caches import forget_own, kept
from xattn.app.ui.language import lang
from xattn.app.ui.session import OWN, SEAT, forget_what_was_of_other_data, in_session
from xattn.data import Interactions, load_dataset
from xattn.errors import check_choice, refuse
from xattn.explain import Origin
from xattn.i18n import t
from xattn.recommenders import Recommender
from xattn.recommenders.registry import DEFAULT, model_class, model_classes

__all__ = [
    "DATASET",
    "Own",
    "dataset",
    "default_model",
    "hold",
    "identity",
    "in_words_of",
    "is_warm",
    "let_go",
    "model",
    "models",
    "most_held",
    "own",
    "scenario",
    "seen",
    "speaking",
    "take_seat",
    "use",
    "warm",
]

DATASET = "movielens-small"
HELD = "XATTN_HELD"  # of the environment: how many sessions may show data of their own at one time
QUICK: dict[str, type[Recommender]] = {  # the first is the default; of the others those that nobody waits long for
    DEFAULT: model_class(DEFAULT),
    **{name: kind for name, kind in model_classes().items() if kind.quick},
}


class Own(NamedTuple):
    """What is shown in place of the bundled films. `scenario` says what people do with items, `origin` where data or
    model can be read from again, `program` the lines of Python that make the model, where these are more; `seen`
    whether lists may hold again what somebody had (as in `recommend`)."""

    data: Interactions
    model: Recommender | None = None
    origin: Origin = Origin()
    scenario: str = "films"
    program: str = ""
    seen: str = "drop"


class _Seat:
    """The right of one session to bring data; it lives as long as the session refers to it."""


_own: Own | None = None
_seats: weakref.WeakSet[_Seat] = weakref.WeakSet()
_lock = threading.Lock()
_marks: weakref.WeakKeyDictionary[Recommender, int] = weakref.WeakKeyDictionary()
_numbers = count(1)


def use(shown: Own | None) -> None:
    """Show this on all pages of this process; None: the bundled films. To be called before any page is drawn.

    A given model stands first among the models, and is served as it is; the others are fitted to its data on demand.
    """
    global _own
    _own = shown


def take_seat() -> None:
    """Let the present session bring data. Raises InputError where as many others as the server takes have done so."""
    if SEAT.is_set:
        return
    most = most_held()
    with _lock:
        if len(_seats) >= most:
            gc.collect()  # sessions that ended may wait to be collected
        if len(_seats) >= most:
            refuse("held_sets", most=most)
        seat = _Seat()
        _seats.add(seat)
    SEAT.set(seat)


def most_held() -> int:
    """How many sessions may bring data of their own at one time."""
    text = os.environ.get(HELD, "")
    return int(text) if text.isdecimal() else 8


def hold(shown: Own) -> None:
    """Show this to the present session alone. Raises InputError as `take_seat` does."""
    take_seat()
    before = own()
    OWN.set(shown)
    forget_own()
    if before is None or before.data is not shown.data:
        forget_what_was_of_other_data()


def let_go() -> None:
    """Show the present session what the server shows; what it had brought is freed."""
    forget_own()
    OWN.take()
    SEAT.take()
    forget_what_was_of_other_data()


def own() -> Own | None:
    """What this session has brought, else what `use` gave; None where the bundled films are shown."""
    mine: Own | None = OWN.get() if in_session() else None
    return _own if mine is None else mine


_words: ContextVar[str | None] = ContextVar("words", default=None)


def scenario() -> str:
    """What people do with the items that are shown; see `Ledger.text`."""
    words = _words.get()
    if words is not None:
        return words
    shown = own()
    return "films" if shown is None else shown.scenario


def seen() -> str:
    """Whether lists of what is shown may hold again what somebody had; see `recommend`."""
    shown = own()
    return "drop" if shown is None else shown.seen


@contextmanager
def in_words_of(words: str) -> Iterator[None]:
    """Inside, texts speak of items in these words, whatever else is shown: a part of a page has data of its own."""
    before = _words.set(words)
    try:
        yield
    finally:
        _words.reset(before)


def dataset() -> Interactions:
    """The data set of the pages: frozen, the same for all sessions that have not brought their own.

    Items are called by their titles in the language of the session, where the data have them.
    """
    shown = own()
    plain = load_dataset(DATASET) if shown is None else shown.data
    return plain.in_language(lang()) if in_session() else plain


def identity(data: Interactions | None = None) -> str:
    """What answers are kept by, beside the class of a model: its `data` (None: those of the pages), and which model was
    given, if one was.

    Two models of one class may be given one after the other for the same data, with other settings or around another
    model of somebody else's. Models that nobody gave are told apart by their class: their settings are the default.
    """
    shown = own()
    checksum = (dataset() if data is None else data).checksum
    if shown is None or shown.model is None:
        return checksum
    with _lock:
        mark = _marks.get(shown.model) or _marks.setdefault(shown.model, next(_numbers))
    return f"{checksum} {mark}"


def models() -> dict[str, type[Recommender]]:
    """The models that the pages offer, by name; a model that was given stands first."""
    shown = own()
    given = None if shown is None else shown.model
    first = {} if given is None else {type(given).__name__: type(given)}
    return {**first, **{name: kind for name, kind in QUICK.items() if name not in first}}


def default_model() -> str:
    """The model that a page shows where nobody chose one."""
    return next(iter(models()))


@kept(st.cache_resource, speaks=False, max_entries=2 * len(QUICK))
def _fitted(kind: str, identity: str) -> Recommender:
    shown = own()
    if shown is not None and shown.model is not None and kind == type(shown.model).__name__:
        return shown.model
    return models()[kind]().fit(load_dataset(DATASET) if shown is None else shown.data)


def model(kind: str | None = None) -> Recommender:
    """The model of this class (None: the default one), fitted to the data of the pages: one for all who are shown
    these, so never fit or change it. The first call takes seconds and shows a spinner. Raises InputError for an unknown
    name.
    """
    kind = check_choice("model", default_model() if kind is None else kind, models())
    with st.spinner(t("app.fitting", lang())):
        fitted = _fitted(kind, identity())
    return speaking(fitted, lang())


def speaking(fitted: Recommender, language: str) -> Recommender:
    """The same fitted model, whose explanations call items by their titles in this language."""
    data = fitted.data_.in_language(language)
    if data is fitted.data_:
        return fitted
    twin = copy(fitted)
    twin.data_ = data
    return twin


_ready = threading.Event()


def is_warm() -> bool:
    """`warm` has come to its end in this process."""
    return _ready.is_set()


def warm() -> None:
    """Fit the default model and take one explanation from it, so that no visitor waits for either."""
    fitted = _fitted(default_model(), identity())
    user = fitted.data_.user_ids[0]
    listed = fitted.recommend(user=user, k=1)["item"]
    if len(listed):
        why = fitted.explain(user=user, item=listed.iloc[0])
        why.text("en")
        for kind in ("waterfall", "heatmap", "weights"):
            why.chart(kind)
    _ready.set()
