"""What the library makes of a sheet: all numbers of the lesson."""

from __future__ import annotations

from typing import NamedTuple

from xattn import attend
from xattn.app.learn.sheet import Sheet
from xattn.model.example import Nearest, nearest_item
from xattn.tensor.attend import Attended

__all__ = ["Results", "results"]


class Results(NamedTuple):
    """What the library makes of a sheet: the attention with the keys as values, with the items as values, without the
    threshold, and the item closest to the recommendation."""

    profile: Attended
    recommendation: Attended
    uncut: Attended
    nearest: Nearest


def results(sheet: Sheet) -> Results:
    """All numbers of the page. Raises InputError as `attend` does."""
    profile = _attend(sheet, sheet.keys, sheet.threshold)
    recommendation = _attend(sheet, sheet.items, sheet.threshold)
    return Results(
        profile,
        recommendation,
        _attend(sheet, sheet.keys, 0.0) if sheet.threshold > 0 else profile,
        nearest_item(recommendation.fused, sheet.items),
    )


def _attend(sheet: Sheet, values: tuple[tuple[float, ...], ...], threshold: float) -> Attended:
    return attend(
        sheet.query,
        sheet.keys,
        values,
        scorer=sheet.scorer,
        temperature=sheet.temperature,
        beta=sheet.beta,
        threshold=threshold,
        fusion=sheet.fusion,
        W=sheet.W or None,
        Wq=sheet.Wq or None,
        Wk=sheet.Wk or None,
        v=sheet.v or None,
    )
