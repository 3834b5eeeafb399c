"""`wrap`: somebody else's fitted model, or any function of a history, as a recommender with the whole contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from xattn.data import Interactions
from xattn.errors import (
    check_choice,
    check_given,
    check_id,
    check_some,
    check_type,
    check_whole,
    refuse,
)
from xattn.progress import Progress
from xattn.recommenders.base import Recommender
from xattn.recommenders.foreign.adapters import EVENTS_AS, KINDS, Reading, adapted, kind_of, takes_sequences
from xattn.recommenders.foreign.factors import WrappedFactors
from xattn.recommenders.foreign.items import WrappedItems
from xattn.recommenders.foreign.libraries import known_ids
from xattn.recommenders.foreign.scored import WrappedScores
from xattn.recommenders.foreign.source import Source, trained
from xattn.recommenders.foreign.wrapped import Wrapped

__all__ = ["wrap"]

OF_SUMS = ("weights",)
OF_SCORES = ("events_as", "batch_size")
OF_AVERAGES = ("budget", "random_state")
OF_MODULES = ("pad", "length")


def wrap(
    model: Any,
    data: Interactions,
    *,
    kind: str = "auto",
    items: Iterable[Any] | None = None,
    base: Any = None,
    weights: str | None = None,
    events_as: str | None = None,
    pad: int | None = None,
    length: int | None = None,
    batch_size: int | None = None,
    budget: int | None = None,
    random_state: int | None = None,
    train: Callable[[Interactions], Any] | None = None,
    progress: Progress | None = None,
) -> Recommender:
    """A fitted foreign `model` over the items of `data`, as a recommender: lists, ledgers, removals, counterfactuals.

    `model` is one of these; `kind` says which ledger it gets ("auto": the first that it can have):

    - an array or a sparse matrix (M, M), whose row i is what an event with item i says for each item (EASE, SLIM, item
      kNN), one of implicit's item models, EASE and item kNN of RecTools and RecBole: kind "items", the model's own
      terms;
    - implicit's ALS, also in RecTools, or `ItemFactors`: kind "factors", the terms of the person's vector, which
      is solved again from the history (so the served score is that of the re-solved user, for known users too);
    - a PyTorch module, RecTools' SASRec, a sequential model of RecBole, an ONNX file (its name or a session), a model
      with ``predict`` or ``transform`` and ``inverse_transform``, or a function
      ``scores(histories)`` → (R, M): kind "arrival", what each event changed when it arrived; or kind "average", what
      it changes on average over orders (Shapley values), by about `budget` scored histories a ledger (default 2,000)
      in orders drawn by `random_state`.

    A removal is exact in all of them: the model scores the history without the events, which are left out and not
    padded; the others keep their order.

    `items` are the ids of the model's items in its own order; left out, they stand as those of `data` do, and wrapping
    checks that this can be. `base` (M,) is what each item of `data` scores without any history; left out, it is 0 for a
    matrix, and a function is asked with an empty history. `weights`: what an event of a matrix or factorisation counts,
    "one" (the default) or its "rating". `events_as`: what a function is handed for each history, the "rows" of its
    items in the model's order (the default) or their "ids", oldest first, or for all together a sparse "table" (R, M)
    of how often each was met. `batch_size` (default 256) histories go out at once. For modules and ONNX files, `pad` is
    the number of no item (default 0: items are numbered from 1) and `length` what sequences are brought to; left out,
    none is padded (an ONNX file may fix the length).
    `train`, a function of Interactions that fits such a model, lets `fit` and `xattn.evaluate` fit it to other data;
    with ``model=None`` it fits this one too.

    What can be saved (matrices and factors), `xattn.show` shows on pages; others have them from their own process,
    by `xattn.app.serve(model=model)`. Raises InputError, before anything is
    explained, for a model that stops, answers in another shape or with NaN, answers differently when asked again or
    beside others, or has its items in another order; for options of other kinds; and for models that know people by a
    fitted vector alone.

    >>> import numpy as np
    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> met = np.zeros((data.n_users, data.n_items))
    >>> met[data.user, data.item] = 1
    >>> model = wrap(met.T @ met, data)
    >>> why = model.explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> bool(why.score == why.base + why.cells["contribution"].sum())
    True
    """
    check_type("data", data, Interactions, "interactions_to_fit")
    check_some("data", data.item, "event")
    check_choice("kind", kind, KINDS)
    if isinstance(model, Recommender) and not isinstance(model, Wrapped):
        refuse("foreign_own", got=type(model).__name__)
    if train is not None and not callable(train):
        refuse("type", name="train", what="function", got=train)
    if model is None:
        if train is None:
            refuse("foreign_model", got="builtins.NoneType")
        model = trained(train, data)
    chosen = kind_of(model) if kind == "auto" else kind
    given = {
        "base": base,
        "weights": weights,
        "events_as": events_as,
        "pad": pad,
        "length": length,
        "batch_size": batch_size,
        "budget": budget,
        "random_state": random_state,
    }
    _check_options(given, chosen, takes_sequences(model))
    ids = None if items is None else tuple(check_id("items", item) for item in items)
    as_what = "rows" if events_as is None else check_choice("events_as", events_as, EVENTS_AS)
    number = 0 if pad is None else check_whole("pad", pad)
    size = None if length is None else check_whole("length", length, low=1)

    def adapt(found: Any, own_ids: tuple[str, ...]) -> Any:
        return adapted(found, chosen, Reading(own_ids, as_what, number, size), base)

    source = Source(model, data, adapt, items=ids, train=train, known=known_ids)
    made: Wrapped
    if chosen == "items":
        made = WrappedItems(source=source, weights=weights or "one")
    elif chosen == "factors":
        made = WrappedFactors(source=source, weights=weights or "one")
    else:
        others = {"batch_size": batch_size, "budget": budget, "random_state": random_state}
        asked = {name: value for name, value in others.items() if value is not None}
        made = WrappedScores(source=source, ledger=chosen, **asked)
    return made.fit(data, progress=progress)


def _check_options(given: dict[str, Any], kind: str, sequences: bool) -> None:
    """Raise InputError for an option that this kind of model does not have."""
    known = {"items": ("base", *OF_SUMS), "factors": OF_SUMS}.get(kind, ("base", *OF_SCORES))
    known += OF_AVERAGES if kind == "average" else ()
    known += OF_MODULES if sequences and kind not in ("items", "factors") else ()
    for name, value in given.items():
        if name not in known:
            check_given(name, value, wanted=False, when="kind", choice=kind)
