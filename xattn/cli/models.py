"""Models by name: one of ours with its settings, or several that are compared, rivals too, each with its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from xattn.cli.options import ModelChoice, check_left_out
from xattn.errors import current_names, refuse

if TYPE_CHECKING:
    from xattn.recommenders import Recommender

__all__ = ["SETTINGS", "configured", "contestants", "named_model", "names_of"]

SETTINGS = click.option(
    "--set", "settings", multiple=True, metavar="MODEL.NAME=VALUE", help="A setting of one of the models; repeatable."
)


def named_model(name: str, choice: ModelChoice, code: str, **fields: Any) -> Recommender:
    """An unfitted recommender with the settings of `choice`. Raises InputError for what it does not have; an unknown
    name is refused with `code` and `fields`."""
    from xattn.recommenders.registry import model_class

    known = _by_spelling()
    if name.casefold() not in known:
        refuse(code, known=tuple(known.values()), got=name, **fields)
    made: Recommender = configured(model_class(known[name.casefold()])(), choice)
    return made


def _by_spelling() -> dict[str, str]:
    """The names of all models by how they are compared: upper and lower case are one."""
    from xattn.recommenders.registry import model_names

    return {name.casefold(): name for name in model_names()}


def configured(model: Any, choice: ModelChoice) -> Any:
    """The unfitted model with the settings, the seed and the type of `choice`. Raises InputError for others."""
    name, own = type(model).__name__, model.get_params(deep=False)
    renamed = getattr(type(model), "_renamed", {})
    settings = current_names(dict(_setting(text) for text in choice.settings), renamed)
    for key in settings:
        names = [known for known in own if known not in ("random_state", "dtype")]
        if key not in names:
            some = "known_names" if names else "no_settings"
            refuse("unknown_setting", model=name, some=some, known=tuple(names), got=key)
    if choice.dtype is not None:
        if "dtype" not in own:
            refuse("option_left_out", option="dtype", when="with_no_such_setting", choice=name, got=choice.dtype)
        settings["dtype"] = choice.dtype
    if choice.seed is not None and "random_state" in own:  # the others are not random at all
        settings["random_state"] = choice.seed
    return model.set_params(**settings)


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE as a name and a number, list or text."""
    name, _, value = text.partition("=")
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):  # no JSON: the text itself, which the model will judge
        parsed = value
    return name.strip(), tuple(parsed) if isinstance(parsed, list) else parsed


# --- models that are compared ----------------------------------------------------------------------------------------


def contestants(
    names: list[str], choice: ModelChoice, event_weights: dict[str, float], option: str = "--models"
) -> dict[str, Callable[[], Any]]:
    """Name → what makes the unfitted model. Settings are MODEL.NAME=VALUE; type and weights are for all that have them.

    Raises InputError for a model that is unknown, named twice or not installed, and for settings of none of them.
    """
    shared = {"dtype": choice.dtype, "event_weights": event_weights or None}
    shared = {name: value for name, value in shared.items() if value is not None}
    settings: dict[str, list[str]] = {}
    for text in choice.settings:
        model, _, setting = text.partition(".")
        settings.setdefault(model.strip().casefold(), []).append(setting)
    makers: dict[str, Callable[[], Any]] = {}
    for name in names:
        own = tuple(settings.pop(name.strip().casefold(), ()))
        make = partial(_made, name.strip(), own, choice.seed, shared, option)
        kind = type(make()).__name__
        if kind in makers:
            refuse("model_twice", option=option, got=kind)
        makers[kind] = make
    if settings:
        got = next(text for text in choice.settings if text.partition(".")[0].strip().casefold() in settings)
        refuse("set_of_model", known=tuple(makers), got=got)
    for name, value in shared.items():
        if not any(name in make().get_params(deep=False) for make in makers.values()):
            check_left_out(", ".join(makers), "with_no_such_setting", **{name.replace("_", "-"): value})
    return makers


def _made(name: str, settings: tuple[str, ...], seed: int | None, shared: dict[str, Any], option: str) -> Any:
    from xattn.evaluate.rivals import RIVALS

    rivals = {known.casefold(): kind for known, kind in RIVALS.items()}
    if name.casefold() in rivals:
        model = rivals[name.casefold()]()
        model.check_installed()
    else:
        model = named_model(name, ModelChoice(), "unknown_contestant", option=option, rivals=tuple(RIVALS))
    model.set_params(**{key: value for key, value in shared.items() if key in model.get_params(deep=False)})
    return configured(model, ModelChoice(settings=settings, seed=seed))


def names_of(models: str | None, more: tuple[str, ...] = ()) -> list[str]:
    """The names in A,B,…; without any, all recommenders and `more`."""
    return [*_by_spelling().values(), *more] if models is None else [name.strip() for name in models.split(",")]
