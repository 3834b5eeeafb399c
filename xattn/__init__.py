"""xattn: a recommender whose explanations add up exactly. Every score is a ledger of events, heads and features.

These are the public names. Each is loaded on first use (PEP 562), so that ``import xattn`` stays quick and pulls in
neither Numba nor scikit-learn, pandas, Altair or Streamlit.

>>> import xattn
>>> "HybridAttention" in dir(xattn)
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xattn.app.show import show
    from xattn.data import (
        History,
        Interactions,
        ItemTable,
        datasets,
        load_dataset,
        read_interactions,
        read_items,
    )
    from xattn.errors import (
        DataError,
        InputError,
        MessageError,
        ModelFileError,
        NotFittedError,
        UnknownIdError,
        XattnError,
    )
    from xattn.evaluate.transparency import Transparency, transparency
    from xattn.explain import Counterfactual, Ledger
    from xattn.model.example import worked_example
    from xattn.recommenders import (
        EASE,
        CollaborativeAttention,
        ContentAttention,
        HybridAttention,
        ItemKNN,
        NeuralAttention,
        Popularity,
        RecencyEASE,
        SequenceAttention,
        UserAttention,
        load_model,
    )
    from xattn.recommenders.foreign import wrap
    from xattn.requests.pipeline import Pipeline, pipeline
    from xattn.tensor.attend import attend
    from xattn.tensor.attention import attention, attention_with_weights
    from xattn.tensor.nearest import nearest
    from xattn.tensor.softmax import log_softmax, logsumexp, softmax

    __version__: str

__all__ = [
    "EASE",
    "CollaborativeAttention",
    "ContentAttention",
    "Counterfactual",
    "DataError",
    "History",
    "HybridAttention",
    "InputError",
    "Interactions",
    "ItemKNN",
    "ItemTable",
    "Ledger",
    "MessageError",
    "ModelFileError",
    "NeuralAttention",
    "NotFittedError",
    "Pipeline",
    "Popularity",
    "RecencyEASE",
    "SequenceAttention",
    "Transparency",
    "UnknownIdError",
    "UserAttention",
    "XattnError",
    "attend",
    "attention",
    "attention_with_weights",
    "datasets",
    "load_dataset",
    "load_model",
    "log_softmax",
    "logsumexp",
    "nearest",
    "pipeline",
    "read_interactions",
    "read_items",
    "show",
    "softmax",
    "transparency",
    "worked_example",
    "wrap",
]

_HOMES = {  # module: the public names that live there
    "xattn.app.show": "show",
    "xattn.data": "History Interactions ItemTable datasets load_dataset read_interactions read_items",
    "xattn.errors": "DataError InputError MessageError ModelFileError NotFittedError UnknownIdError XattnError",
    "xattn.evaluate.transparency": "Transparency transparency",
    "xattn.explain": "Counterfactual Ledger",
    "xattn.tensor.attend": "attend",
    "xattn.model.example": "worked_example",
    "xattn.tensor.nearest": "nearest",
    "xattn.tensor.softmax": "log_softmax logsumexp softmax",
    "xattn.tensor.attention": "attention attention_with_weights",
    "xattn.recommenders.foreign": "wrap",
    "xattn.requests.pipeline": "Pipeline pipeline",
    "xattn.recommenders": (
        "CollaborativeAttention ContentAttention EASE HybridAttention ItemKNN NeuralAttention Popularity RecencyEASE "
        "SequenceAttention "
        "UserAttention load_model"
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Load a public name on first use and keep it."""
    if name == "__version__":
        found: Any = _version()
    elif name in _HOME:
        found = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'xattn' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("xattn")
    except PackageNotFoundError:  # run from a source folder that was never installed
        return "0+uninstalled"
