"""What all sessions of a server share: data sets and fitted models, made once and never changed."""

from __future__ import annotations

import threading

import streamlit as st

from xattn.app.ui.language import lang
from xattn.data import Interactions, load_dataset
from xattn.errors import check_choice
from xattn.i18n import t
from xattn.recommenders import Recommender
from xattn.recommenders.registry import DEFAULT, model_class, model_classes

__all__ = ["DATASET", "MODELS", "dataset", "is_warm", "model", "warm"]

DATASET = "movielens-small"
MODELS: dict[str, type[Recommender]] = {  # the first is the default; of the others those that nobody waits long for
    DEFAULT: model_class(DEFAULT),
    **{name: kind for name, kind in model_classes().items() if kind.quick},
}


def dataset(name: str = DATASET) -> Interactions:
    """A bundled data set (cached by the library, frozen). Raises InputError for an unknown name."""
    return load_dataset(name)


@st.cache_resource(show_spinner=False, max_entries=2 * len(MODELS))
def _fitted(kind: str, name: str) -> Recommender:
    return MODELS[kind]().fit(dataset(name))


def model(kind: str = DEFAULT, name: str = DATASET) -> Recommender:
    """The model of this class with default parameters, fitted to this data set: one for all sessions, so never fit or
    change it. The first call takes seconds and shows a spinner. Raises InputError for an unknown name.
    """
    check_choice("model", kind, MODELS)
    with st.spinner(t("app.fitting", lang())):
        return _fitted(kind, name)


_ready = threading.Event()


def is_warm() -> bool:
    """`warm` has come to its end in this process."""
    return _ready.is_set()


def warm() -> None:
    """Fit the default model and take one explanation from it, so that no visitor waits for either."""
    fitted = _fitted(DEFAULT, DATASET)
    user = fitted.data_.user_ids[0]
    best = fitted.recommend(user=user, k=1)["item"].iloc[0]
    why = fitted.explain(user=user, item=best)
    why.text("en")
    for kind in ("waterfall", "heatmap", "weights"):
        why.chart(kind)
    _ready.set()
