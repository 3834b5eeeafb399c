"""Checks of sizes that must meet: lengths, coordinates, axes."""

from __future__ import annotations

from typing import Any

from xattn.errors.scalars import check_whole
from xattn.errors.tree import refuse

__all__ = ["check_axes", "check_leading", "check_same_columns", "check_same_length"]


def check_axes(name: str, value: Any, *, ndim: int) -> tuple[int, ...]:
    """`value`, an axis of an array of `ndim` dimensions, some axes as a tuple, or None for all, as numbers from 0."""
    if value is None:
        return tuple(range(ndim))
    axes = value if isinstance(value, tuple) else (value,)
    if not ndim:
        refuse("axes_of_number", name=name, got=value)
    whole = [check_whole(name, axis, low=-ndim, high=ndim - 1) % ndim for axis in axes]
    if len(set(whole)) < len(whole):
        refuse("axes_once", name=name, got=value)
    return tuple(whole)


def check_leading(name: str, shape: tuple[int, ...], to: tuple[int, ...], *, exact: bool = False) -> None:
    """The axes `shape` can be repeated to fill `to`: each is as long, or 1, or left out in front. `exact`: equal."""
    padded = (1,) * (len(to) - len(shape)) + shape
    fits = len(padded) == len(to) and all(a in (1, b) for a, b in zip(padded, to, strict=True))
    if shape != to if exact else not fits:
        refuse("leading_axes", name=name, wanted=to, got=shape)


def check_same_length(**lengths: int) -> None:
    """All lengths agree; names and lengths are quoted when they do not."""
    _check_equal("same_length", lengths)


def check_same_columns(**widths: int) -> None:
    """Vectors that meet coordinate by coordinate have equally many; names and widths are quoted when they do not."""
    _check_equal("same_columns", widths)


def _check_equal(code: str, sizes: dict[str, int]) -> None:
    if len(set(sizes.values())) > 1:
        refuse(code, names=tuple(sizes), got=tuple(f"{name} {size}" for name, size in sizes.items()))
