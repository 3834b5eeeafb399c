"""Every way in which xattn refuses input: the exception tree, with the `check_*` functions that raise it.

All refusals have one sentence form: what must hold; what was got. Each class derives from the built-in exception that a
caller would expect, so ``except ValueError`` works too. Nothing else in the package validates; kernels trust their
arrays.
"""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

import numpy as np

__all__ = [
    "DataError",
    "InputError",
    "MessageError",
    "ModelFileError",
    "NotFittedError",
    "UnknownIdError",
    "XattnError",
    "check_array",
    "check_axes",
    "check_choice",
    "check_counts",
    "check_fitted",
    "check_flag",
    "check_given",
    "check_id",
    "check_index_array",
    "check_leading",
    "check_live_finite",
    "check_logits",
    "check_mask",
    "check_mask_table",
    "check_named",
    "check_no_overflow",
    "check_number",
    "check_offsets",
    "check_pair",
    "check_probability",
    "check_range",
    "check_same_columns",
    "check_same_length",
    "check_whole",
    "shown",
]


FEW = 6  # names that a sentence quotes at most
MOST_COMPARED = 10_000  # names that a wrong one is compared with, for a sentence in well under a second


class XattnError(Exception):
    """Base of all errors that xattn raises on purpose; its text is one sentence fit for an end user."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else self.__class__.__name__


class InputError(XattnError, ValueError):
    """An argument breaks a stated condition."""


class UnknownIdError(InputError, KeyError):
    """A user or item id that the data set does not hold."""


class DataError(InputError):
    """A file or table cannot be read as what it is meant to be."""


class ModelFileError(DataError):
    """A saved model cannot be read back."""


class MessageError(XattnError, KeyError):
    """The catalogue of texts lacks what is asked of it: a key, a language's wording, the value of a placeholder."""


class NotFittedError(XattnError, ValueError, AttributeError):
    """A method that needs a fitted model was called before `fit`."""


def shown(value: Any, limit: int = 60) -> str:
    """A value as an error sentence quotes it: on one line, printable, never longer than `limit` characters.

    >>> shown("a" * 100, limit=10)
    "'aaaaaaaa…'"
    """
    try:
        text = value if isinstance(value, str) else repr(value)
    except ValueError:  # Python writes out no whole number of over 4300 digits
        text = f"{type(value).__name__} of too many digits"
    text = "".join(c if c.isprintable() else " " for c in text)
    if len(text) > limit:
        text = text[: limit - 2] + "…"
    return f"'{text}'" if isinstance(value, str) else text


def check_number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    finite: bool = True,
) -> float:
    """`value` as a float within [low, high], or (low, high] with `open_low`; +inf passes only with ``finite=False``."""
    bounds = []
    if low > -math.inf:
        bounds.append(f"{'>' if open_low else '>='} {low:g}")
    if high < math.inf:
        bounds.append(f"<= {high:g}")
    must = f"`{name}` must be a {'finite ' if finite else ''}number{' ' + ' and '.join(bounds) if bounds else ''}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise InputError(f"{must}; got {shown(value)}.")
    try:
        number = float(value)
    except OverflowError:  # a whole number or a fraction of over 300 digits
        number = math.inf if value > 0 else -math.inf  # type: ignore[operator]
    fits = low < number <= high if open_low else low <= number <= high  # false for nan
    if not fits or (finite and math.isinf(number)):
        raise InputError(f"{must}; got {number:g}.")
    return number


def check_probability(name: str, value: Any) -> float:
    """`value` as a float from 0 to 1."""
    return check_number(name, value, low=0.0, high=1.0)


def check_whole(name: str, value: Any, *, low: int = 0, high: int | None = None) -> int:
    """`value` as an int from `low` to `high` (both included)."""
    span = f"from {low} to {high}" if high is not None else f">= {low}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise InputError(f"`{name}` must be a whole number {span}; got {shown(value)}.")
    number = int(value)
    if number < low or (high is not None and number > high):
        raise InputError(f"`{name}` must be a whole number {span}; got {shown(number)}.")
    return number


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """`value` if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"`{name}` must be one of {', '.join(choices)}; got {shown(value)}.")
    return value


def check_named(name: str, value: Any, known: Collection[str], what: str) -> str:
    """`value` if it is among `known`. The sentence quotes some of them; of many, those that are spelled most like it.

    >>> check_named("where", "drama", ["Drama", *"ABCDEFG"], "a value of genres")
    Traceback (most recent call last):
    xattn.errors.InputError: `where` must name a value of genres ('Drama' and 7 more); got 'drama'.
    """
    if isinstance(value, str) and value in known:
        return value
    names = list(known)
    near: list[str] = []
    if isinstance(value, str) and FEW < len(names) <= MOST_COMPARED:
        folded = {known_name.casefold()[:60]: known_name for known_name in reversed(names)}
        near = [folded[match] for match in get_close_matches(value.casefold()[:60], folded, n=3, cutoff=0.6)]
    quoted = near or names[:FEW]
    rest = len(names) - len(quoted)
    some = ", ".join(shown(known_name, limit=30) for known_name in quoted) or "there is none"
    more = f" and {rest:,} more" if rest else ""
    raise InputError(f"`{name}` must name {what} ({some}{more}); got {shown(value)}.")


def check_range(name: str, value: Any) -> tuple[float, float]:
    """`value`, a pair (low, high), as floats with low <= high; None leaves an end open.

    >>> check_range("year", (1990, None))
    (1990.0, inf)
    """
    if not isinstance(value, tuple) or len(value) != 2:
        raise InputError(f"`{name}` must be a range (low, high); got {shown(value)}.")
    open_ends = (-math.inf, math.inf)
    low, high = (
        end if given is None else check_number(name, given, finite=False)
        for given, end in zip(value, open_ends, strict=True)
    )
    if low > high:
        raise InputError(f"`{name}` must be a range (low, high) with low <= high; got ({low:g}, {high:g}).")
    return low, high


def _array(must: str, value: Any) -> np.ndarray:
    """`value` as an array of whatever it holds."""
    try:
        return np.asarray(value)
    except (ValueError, TypeError):
        raise InputError(f"{must}; got {shown(value)}.") from None


def check_array(
    name: str, value: Any, *, ndim: int | None, finite: bool = True, dtype: Any = None, least: int = 0
) -> np.ndarray:
    """`value` as a C-contiguous float array of `ndim` dimensions; None: of any number from `least` on.

    float32 stays float32; everything else real becomes float64 (or `dtype` when given). Masked arrays, objects, text,
    dates and complex numbers are refused, and so are NaN and infinities unless ``finite=False``.
    """
    kind = {1: "a vector", 2: "a table (rows × columns)"}.get(ndim or 0, f"an array of {ndim} dimensions")
    if ndim is None:
        kind = f"an array of {least} dimensions or more" if least else "an array"
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"`{name}` must be {kind} of plain numbers; got a masked array (pass `mask` instead).")
    array = _array(f"`{name}` must be {kind} of numbers with rows of one length", value)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise InputError(f"`{name}` must be {kind} of real numbers; got values of type {array.dtype}.")
    if array.ndim < least if ndim is None else array.ndim != ndim:
        raise InputError(f"`{name}` must be {kind}; got {array.ndim} dimension{'s' * (array.ndim != 1)}.")
    target = dtype or (np.float32 if array.dtype == np.float32 else np.float64)
    array = np.require(array, target, ("C", "ALIGNED"))
    if finite and not np.isfinite(array).all():
        bad = array[~np.isfinite(array)].flat[0]
        raise InputError(f"`{name}` must hold finite numbers only; got {bad}.")
    return array


def check_id(name: str, value: Any) -> str:
    """A user or item id as text: text as it is, a whole number in decimal digits.

    Refused: other types, fractions, floats of 2**53 and more (their digits are lost already), whole numbers of over 60
    digits, blank text, and text with control characters or lone surrogates (it can be neither shown on one line nor
    written to a file).

    >>> check_id("item", 7), check_id("item", "007")
    ('7', '007')
    """
    if isinstance(value, str):
        if not value.strip() or _NOT_IN_AN_ID.search(value):
            raise InputError(f"`{name}` must be an id of visible text on one line; got {shown(value)}.")
        return str(value)
    if isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_)) and abs(int(value)) < 10**60:
        return str(int(value))
    if isinstance(value, (float, np.floating)) and abs(float(value)) < 2**53 and float(value).is_integer():
        return str(int(value))
    raise InputError(f"`{name}` must be an id (text or a whole number); got {shown(value)}.")


_NOT_IN_AN_ID = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def check_index_array(name: str, value: Any, *, size: int, what: str = "position") -> np.ndarray:
    """`value` as a C-contiguous int64 vector whose entries lie in 0..size-1 (no wrapping from the end)."""
    must = f"`{name}` must be a vector of whole {what} numbers"
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{must}; got a masked array.")
    array = _array(must, value)
    if array.ndim != 1:
        raise InputError(f"{must}; got {array.ndim} dimension{'s' * (array.ndim != 1)}.")
    if array.size and array.dtype.kind not in "iu":
        raise InputError(f"{must}; got values of type {array.dtype}.")
    if array.size and (int(array.min()) < 0 or int(array.max()) >= size):
        bad = next(int(v) for v in (array.min(), array.max()) if not 0 <= int(v) < size)
        span = f"from 0 to {size - 1}" if size else "of an empty table (none)"
        raise InputError(f"`{name}` must hold {what} numbers {span}; got {bad}.")
    return np.require(array, np.int64, ("C", "ALIGNED"))


def check_offsets(name: str, value: Any, *, parts: int, total: int) -> np.ndarray:
    """`value` as the int64 offsets of `parts` runs in `total` entries: from 0, never falling, to `total`."""
    array = check_index_array(name, value, size=total + 1, what="offset")
    if array.size != parts + 1:
        raise InputError(f"`{name}` must hold {parts + 1} offsets for {parts} parts; got {array.size}.")
    if array[0] != 0 or array[-1] != total:
        raise InputError(f"`{name}` must start at 0 and end at {total}; got {array[0]} and {array[-1]}.")
    falls = np.flatnonzero(np.diff(array) < 0)
    if falls.size:
        i = int(falls[0])
        raise InputError(f"`{name}` must never fall; got {array[i]} followed by {array[i + 1]}.")
    return array


def check_mask(name: str, value: Any, *, size: int | tuple[int, ...]) -> np.ndarray:
    """`value` as booleans: a vector of length `size`, or an array of that shape; numbers are not taken for truth."""
    shape = (size,) if isinstance(size, int) else size
    many = f"a vector of {size}" if isinstance(size, int) else f"an array {shape} of"
    must = f"`{name}` must be {many} true or false values"
    array = _array(must, value)
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{must}; got a masked array.")
    if array.dtype != np.bool_ or array.shape != shape:
        raise InputError(f"{must}; got values of type {array.dtype} and shape {array.shape}.")
    return np.require(array, requirements="C")


def check_mask_table(name: str, value: Any, *, shape: tuple[int, ...]) -> np.ndarray:
    """`value` as a mask over a table of `shape` (…, rows, columns): booleans, or numbers to add to its entries.

    The last axis fits the columns exactly; each one before it fits or has length 1, and leading ones may be left out,
    but for that of the rows: a vector would as well fit the wrong side of a square table.
    """
    must = f"`{name}` must be a table of true or false, or of numbers to add, that fits {shape}"
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{must}; got a masked array.")
    array = _array(must, value)
    if array.dtype.kind not in "bf" or array.dtype.itemsize > 8:
        raise InputError(f"{must}; got values of type {array.dtype}.")
    padded = (1,) * (len(shape) - array.ndim) + array.shape
    fits = len(padded) == len(shape) and all(a in (1, b) for a, b in zip(padded, shape, strict=True))
    if not fits or array.ndim < 2 or padded[-1] != shape[-1]:
        raise InputError(f"{must}; got shape {array.shape}.")
    if array.dtype.kind == "f":
        check_logits(name, array)
    return array


def check_logits(name: str, array: np.ndarray, live: np.ndarray | None = None) -> None:
    """Where `live`, the array holds finite numbers, or −inf for what is left out."""
    bad = np.isnan(array) | (array == np.inf)
    if live is not None:
        bad &= live
    if bad.any():
        raise InputError(f"`{name}` must hold finite numbers, or -inf for what is left out; got {array[bad].flat[0]}.")


def check_live_finite(result: np.ndarray, masked: float = -math.inf, **inputs: np.ndarray) -> None:
    """Nothing spoilt `result`, in which `masked` stands for what is masked: neither NaN or infinity in a place of
    `inputs` that the mask leaves, nor numbers so large that they outgrew floating point on the way."""
    if not (np.isfinite(result) | (result == masked)).all():
        for name, array in inputs.items():
            bad = array[~np.isfinite(array)]
            if bad.size:
                raise InputError(f"`{name}` must hold finite numbers wherever no mask takes them out; got {bad[0]}.")
        check_no_overflow(" · ".join(inputs), result)


def check_flag(name: str, value: Any) -> bool:
    """`value` as a bool; numbers and text are not taken for truth values."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"`{name}` must be true or false; got {shown(value)}.")
    return bool(value)


def check_pair(name: str, value: Any) -> tuple[Any, Any]:
    """`value`, a tuple of two."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise InputError(f"`{name}` must be a pair (a, b); got {shown(value)}.")
    return value


def check_counts(name: str, value: Any, *, parts: int, low: int, high: int) -> np.ndarray:
    """`value`, a whole number from `low` to `high` for each of `parts` parts (or one for all), as int64 (parts,)."""
    must = f"`{name}` must be a whole number from {low} to {high}, or a vector of {parts} of them"
    array = _array(must, value)
    if array.ndim == 0:
        return np.full(parts, check_whole(name, value, low=low, high=high), dtype=np.int64)
    if isinstance(value, np.ma.MaskedArray) or array.dtype.kind not in "iu" or array.shape != (parts,):
        raise InputError(f"{must}; got values of type {array.dtype} and shape {array.shape}.")
    if array.size and (int(array.min()) < low or int(array.max()) > high):
        bad = next(int(v) for v in (array.min(), array.max()) if not low <= int(v) <= high)
        raise InputError(f"{must}; got {bad}.")
    return np.require(array, np.int64, ("C", "ALIGNED"))


def check_axes(name: str, value: Any, *, ndim: int) -> tuple[int, ...]:
    """`value`, an axis of an array of `ndim` dimensions, some axes as a tuple, or None for all, as numbers from 0."""
    if value is None:
        return tuple(range(ndim))
    axes = value if isinstance(value, tuple) else (value,)
    if not ndim:
        raise InputError(f"`{name}` must be None for a single number; got {shown(value)}.")
    whole = [check_whole(name, axis, low=-ndim, high=ndim - 1) % ndim for axis in axes]
    if len(set(whole)) < len(whole):
        raise InputError(f"`{name}` must name each axis once; got {shown(value)}.")
    return tuple(whole)


def check_leading(name: str, shape: tuple[int, ...], to: tuple[int, ...], *, exact: bool = False) -> None:
    """The axes `shape` can be repeated to fill `to`: each is as long, or 1, or left out in front. `exact`: equal."""
    padded = (1,) * (len(to) - len(shape)) + shape
    fits = len(padded) == len(to) and all(a in (1, b) for a, b in zip(padded, to, strict=True))
    if shape != to if exact else not fits:
        raise InputError(f"`{name}` must have leading axes that fit {to}; got {shape}.")


def check_same_length(**lengths: int) -> None:
    """All lengths agree; names and lengths are quoted when they do not."""
    _check_equal("the same length", lengths)


def check_same_columns(**widths: int) -> None:
    """Vectors that meet coordinate by coordinate have equally many; names and widths are quoted when they do not."""
    _check_equal("equally many coordinates", widths)


def _check_equal(what: str, sizes: dict[str, int]) -> None:
    if len(set(sizes.values())) > 1:
        got = ", ".join(f"{name} {n}" for name, n in sizes.items())
        raise InputError(f"{' and '.join(f'`{name}`' for name in sizes)} must have {what}; got {got}.")


def check_no_overflow(name: str, array: np.ndarray) -> None:
    """A result of finite numbers is finite itself: nothing outgrew the range of floating point on the way."""
    if not np.isfinite(array).all():
        most = np.finfo(array.dtype).max
        raise InputError(f"`{name}` must stay under {most:.2g} in size; got more: scale the input down.")


def check_given(name: str, value: Any, *, wanted: bool, when: str) -> None:
    """A parameter that only some choices have is there with those and absent with the others."""
    if (value is None) == wanted:
        must, got = ("be given", "none") if wanted else ("be left out", "one")
        raise InputError(f"`{name}` must {must} with {when}; got {got}.")


def check_fitted(estimator: Any, attribute: str, error: type[NotFittedError] = NotFittedError) -> None:
    """The estimator has been fitted (holds `attribute`); else `error` is raised."""
    if not hasattr(estimator, attribute):
        name = type(estimator).__name__
        raise error(f"`{name}` must be fitted before it is used; call `fit` first.")
