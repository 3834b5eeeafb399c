"""Models by name: ours, those that installed packages bring, and those that a program registers.

Model files, the command line, the pages, tuning and the contract tests all find models here. A new model of ours is a
file and a line in `OWN`. A package of others brings models as entry points, in its pyproject.toml:

    [project.entry-points."xattn.recommenders"]
    MyModel = "my_package.models:MyModel"

A class that is in no package is registered by `register`, or handed to `load_model` by name.
"""

from __future__ import annotations

import warnings
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, TypeVar

from xattn.errors import InputError, Quoted, check_choice, refuse
from xattn.recommenders.estimator import Estimator

if TYPE_CHECKING:
    from xattn.recommenders.base import Recommender

__all__ = ["DEFAULT", "GROUP", "OWN", "WRAPPED", "model_class", "model_classes", "model_names", "register"]

GROUP = "xattn.recommenders"
DEFAULT = "HybridAttention"
OWN = {  # name of the class: the module that holds it
    "EASE": "xattn.recommenders.ease",
    "CollaborativeAttention": "xattn.recommenders.collaborative",
    "ContentAttention": "xattn.recommenders.content",
    "HybridAttention": "xattn.recommenders.hybrid",
    "ItemKNN": "xattn.recommenders.baselines",
    "NeuralAttention": "xattn.recommenders.neural",
    "Popularity": "xattn.recommenders.baselines",
    "RecencyEASE": "xattn.recommenders.ease",
    "SequenceAttention": "xattn.recommenders.sequence",
    "UserAttention": "xattn.recommenders.neighbours",
}
WRAPPED = {  # models of others (`xattn.wrap`): files hold them, but nobody fits one by its name
    "WrappedFactors": "xattn.recommenders.foreign.factors",
    "WrappedItems": "xattn.recommenders.foreign.items",
}

Kind = TypeVar("Kind", bound="type[Estimator]")
_registered: dict[str, type[Recommender]] = {}


def register(kind: Kind) -> Kind:
    """Make a class of recommenders known by its name, for this process; returns the class, so it can be a decorator.

    A later class of the same name takes the place of an earlier one, but no class takes the place of one of ours.
    Raises InputError.

    >>> from xattn.recommenders import Popularity
    >>> @register
    ... class Unpopularity(Popularity):
    ...     "What few know."
    >>> model_class("Unpopularity") is Unpopularity
    True
    """
    if not (isinstance(kind, type) and issubclass(kind, Estimator)):
        refuse("type", name="kind", what="recommender_class", got=kind)
    if kind.__name__ in {**OWN, **WRAPPED}:
        refuse("name_taken", got=kind.__name__)
    _registered[kind.__name__] = kind
    return kind


def model_names() -> list[str]:
    """The names of all models: ours first, then those of packages, then those that were registered."""
    return list({**OWN, **_of_packages(), **_registered})


def model_class(name: str) -> type[Recommender]:
    """The class of this name. Raises InputError for a name that is not known, or whose package cannot be loaded."""
    if name in _registered:
        return _registered[name]
    ours = {**OWN, **WRAPPED}
    if name in ours:
        return EntryPoint(name, f"{ours[name]}:{name}", GROUP).load()  # type: ignore[no-any-return]
    packages = _of_packages()
    if name not in packages:
        check_choice("model", name, model_names())
    return _loaded(packages[name])


def model_classes() -> dict[str, type[Recommender]]:
    """All classes by name; a warning names those whose package cannot be loaded, and they are left out."""
    found = {}
    for name in model_names():
        try:
            found[name] = model_class(name)
        except InputError as problem:
            warnings.warn(str(problem), stacklevel=2)
    return found


def _of_packages() -> dict[str, EntryPoint]:
    """What installed packages bring; a name of ours stays ours."""
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in {**OWN, **WRAPPED}}


def _loaded(entry: EntryPoint) -> type[Recommender]:
    try:
        kind = entry.load()
    except Exception as problem:
        refuse("model_unloaded", because=problem, model=entry.name, place=entry.value, got=Quoted(problem))
    if not (isinstance(kind, type) and issubclass(kind, Estimator)):
        refuse("model_of_no_class", model=entry.name, got=kind)
    return kind
