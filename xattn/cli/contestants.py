"""Models that are compared: recommenders by name, rivals too, each with settings of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from xattn.cli.inputs import configured, model_names, named_model
from xattn.cli.options import ModelChoice
from xattn.errors import InputError, shown

__all__ = ["SETTINGS", "contestants", "names_of"]

SETTINGS = click.option(
    "--set", "settings", multiple=True, metavar="MODEL.NAME=VALUE", help="A setting of one of the models; repeatable."
)


def contestants(names: list[str], choice: ModelChoice, option: str = "--models") -> dict[str, Callable[[], Any]]:
    """Name → what makes the unfitted model. Settings are MODEL.NAME=VALUE; the type is set where a model has one.

    Raises InputError for a model that is unknown, named twice or not installed, and for settings of none of them.
    """
    settings: dict[str, list[str]] = {}
    for text in choice.settings:
        model, _, setting = text.partition(".")
        settings.setdefault(model.strip().casefold(), []).append(setting)
    makers: dict[str, Callable[[], Any]] = {}
    for name in names:
        own = tuple(settings.pop(name.strip().casefold(), ()))
        make = partial(_made, name.strip(), own, choice, option)
        kind = type(make()).__name__
        if kind in makers:
            raise InputError(f"{option} must name each model once; got {kind} twice.")
        makers[kind] = make
    if settings:
        got = next(text for text in choice.settings if text.partition(".")[0].strip().casefold() in settings)
        raise InputError(f"--set must be MODEL.NAME=VALUE with one of {', '.join(makers)}; got {shown(got)}.")
    return makers


def _made(name: str, settings: tuple[str, ...], choice: ModelChoice, option: str) -> Any:
    from xattn.evaluate.rivals import RIVALS

    rivals = {known.casefold(): kind for known, kind in RIVALS.items()}
    if name.casefold() in rivals:
        rival = rivals[name.casefold()]()
        rival.check_installed()
        return configured(rival, ModelChoice(None, settings, choice.seed, None))
    must = f"{option} must be among {', '.join(RIVALS)} (rivals),"
    model = named_model(name, ModelChoice(None, (), None, None), must)
    dtype = choice.dtype if "dtype" in model.get_params(deep=False) else None
    return configured(model, ModelChoice(None, settings, choice.seed, dtype))


def names_of(models: str | None, more: tuple[str, ...] = ()) -> list[str]:
    """The names in A,B,…; without any, all recommenders and `more`."""
    return [*model_names(), *more] if models is None else [name.strip() for name in models.split(",")]
