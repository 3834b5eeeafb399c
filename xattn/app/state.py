"""What all sessions of a server share: data sets and fitted models, made once and never changed.

A server shows the bundled films, or what `use` gave it before it started: somebody's own data, or a fitted model with
the data that it was fitted to.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import streamlit as st

from xattn.app.ui.language import lang
from xattn.data import Interactions, load_dataset
from xattn.errors import check_choice
from xattn.explain import Origin
from xattn.i18n import t
from xattn.recommenders import Recommender
from xattn.recommenders.registry import DEFAULT, model_class, model_classes

__all__ = ["DATASET", "MODELS", "Own", "dataset", "default_model", "is_warm", "model", "own", "scenario", "use", "warm"]

DATASET = "movielens-small"
QUICK: dict[str, type[Recommender]] = {  # the first is the default; of the others those that nobody waits long for
    DEFAULT: model_class(DEFAULT),
    **{name: kind for name, kind in model_classes().items() if kind.quick},
}
MODELS = dict(QUICK)  # what the pages offer


class Own(NamedTuple):
    """What a server shows in place of the bundled films. `scenario` says what people do with items, `origin` where
    data or model can be read from again."""

    data: Interactions
    model: Recommender | None = None
    origin: Origin = Origin()
    scenario: str = "films"


_own: Own | None = None


def use(shown: Own | None) -> None:
    """Show this on all pages of this process; None: the bundled films. To be called before any page is drawn.

    A given model stands first among the models, and is served as it is; the others are fitted to its data on demand.
    """
    global _own
    _own = shown
    MODELS.clear()
    if shown is not None and shown.model is not None:
        MODELS[type(shown.model).__name__] = type(shown.model)
    MODELS.update({name: kind for name, kind in QUICK.items() if name not in MODELS})


def own() -> Own | None:
    """What `use` gave; None where the bundled films are shown."""
    return _own


def scenario() -> str:
    """What people do with the items that are shown; see `Ledger.text`."""
    return "films" if _own is None else _own.scenario


def dataset() -> Interactions:
    """The data set of the pages: frozen, the same for all sessions."""
    return load_dataset(DATASET) if _own is None else _own.data


def default_model() -> str:
    """The model that a page shows where nobody chose one."""
    return next(iter(MODELS))


@st.cache_resource(show_spinner=False, max_entries=2 * len(QUICK))
def _fitted(kind: str, checksum: str) -> Recommender:
    if _own is not None and _own.model is not None and kind == type(_own.model).__name__:
        return _own.model
    return MODELS[kind]().fit(dataset())


def model(kind: str | None = None) -> Recommender:
    """The model of this class (None: the default one), fitted to the data of the pages: one for all sessions, so never
    fit or change it. The first call takes seconds and shows a spinner. Raises InputError for an unknown name.
    """
    kind = check_choice("model", default_model() if kind is None else kind, MODELS)
    with st.spinner(t("app.fitting", lang())):
        return _fitted(kind, dataset().checksum)


_ready = threading.Event()


def is_warm() -> bool:
    """`warm` has come to its end in this process."""
    return _ready.is_set()


def warm() -> None:
    """Fit the default model and take one explanation from it, so that no visitor waits for either."""
    fitted = _fitted(default_model(), dataset().checksum)
    user = fitted.data_.user_ids[0]
    listed = fitted.recommend(user=user, k=1)["item"]
    if len(listed):
        why = fitted.explain(user=user, item=listed.iloc[0])
        why.text("en")
        for kind in ("waterfall", "heatmap", "weights"):
            why.chart(kind)
    _ready.set()
