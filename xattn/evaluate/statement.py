"""The statement of a recommender's main parameters in words; every number in it is a figure of `transparency`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from xattn.errors import check_choice
from xattn.i18n import LANGUAGES, t
from xattn.i18n.joined import parts
from xattn.viz.names import head_name

__all__ = ["told"]

LEAST = 0.0005  # a share under it would read as nothing
CHOICES = ("opinions", "leave_out", "heads", "tags", "off", "export")  # what people can change, and how


def told(found: dict[str, Any], lang: str) -> list[str]:
    """The paragraphs of what `Transparency.to_dict` holds. Raises InputError for a language that is not there."""
    return list(_paragraphs(found, check_choice("lang", lang, LANGUAGES)))


def _paragraphs(found: dict[str, Any], lang: str) -> Iterator[str]:
    sizes = {name: found[name] for name in ("users", "items", "events")}
    yield t("transparency.what", lang, model=found["model"], dataset=found["dataset"], **sizes)
    yield t("transparency.how", lang, asked=found["asked"], k=found["k"])
    for own in found["parameters"]:
        if own["share"]["value"] is None:
            continue
        name = t("transparency.base", lang) if own["name"] == "base" else head_name(own["name"], lang)
        low, high = own["share"]["ci95"]
        replaced = own["replaced"]["value"]
        share = {"name": name, "share": own["share"]["value"], "low": low, "high": high}
        if replaced is None:
            yield t("transparency.share", lang, **share)
        else:
            yield t("transparency.parameter", lang, **share, places=replaced * found["k"], k=found["k"])
    features = [own for own in found["features"] if own["share"]["value"] >= LEAST]
    if features:
        named = [f"{head_name(own['name'], lang)} {own['share']['value']:.1%}" for own in features]
        yield t("transparency.features", lang, names=_joined(named, lang))
    yield t("transparency.used", lang, names=_joined([_data(name, lang) for name in found["used"]], lang))
    if found["unused"]:
        yield t("transparency.unused", lang, names=_joined([_data(name, lang) for name in found["unused"]], lang))
    yield t("transparency.never", lang)
    yield t("transparency.change", lang)
    switched = any(own["replaced"]["value"] is not None for own in found["parameters"] if own["name"] != "base")
    for choice in CHOICES:
        if choice != "heads" or switched:
            yield t(f"transparency.change_{choice}", lang)


def _data(name: str, lang: str) -> str:
    kind, _, column = name.partition(": ")
    more = {"name": head_name(column, lang)} if column else {}
    return t(f"transparency.data_{kind}", lang, **more)


def _joined(names: Sequence[str], lang: str) -> str:
    return parts(names, lang) if names else t("transparency.nothing", lang)
