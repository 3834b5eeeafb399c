"""The exception tree. Each class derives from the built-in exception that a caller would expect.

    XattnError                 base: `code`, `fields`, `told(lang)`
    ├── InputError             ValueError: an argument breaks a stated condition
    │   ├── UnknownIdError     KeyError: a user or an item that the data set does not hold
    │   └── DataError          a file or a table cannot be read
    │       └── ModelFileError a saved model cannot be read back
    ├── NotFittedError         ValueError, AttributeError: `fit` was not called yet
    ├── StoreError             RuntimeError: a store of events cannot be used, now or at all
    └── MessageError           KeyError: the catalogue of texts lacks a key or a value

The words of every refusal stand in the catalogue (``xattn/i18n/refusals*.toml``) under ``refusal.<code>``, in both
languages and in one form: what must hold; what was got. `refuse` raises one; the `check_*` functions of this package
hold the conditions that several places share.
"""

from __future__ import annotations

from typing import Any, NoReturn

from xattn.i18n.errors import InputError, MessageError, XattnError

__all__ = [
    "DataError",
    "InputError",
    "MessageError",
    "ModelFileError",
    "NotFittedError",
    "StoreError",
    "UnknownIdError",
    "XattnError",
    "refuse",
]


class UnknownIdError(InputError, KeyError):
    """A user or item id that the data set does not hold."""


class DataError(InputError):
    """A file or table cannot be read as what it is meant to be."""


class ModelFileError(DataError):
    """A saved model cannot be read back."""


class NotFittedError(XattnError, ValueError, AttributeError):
    """A method that needs a fitted model was called before `fit`."""


class StoreError(XattnError, RuntimeError):
    """A store of events cannot be opened, or cannot do what was asked now; nothing that it acknowledged is lost."""


def refuse(
    code: str, /, *, kind: type[XattnError] = InputError, because: BaseException | None = None, **fields: Any
) -> NoReturn:
    """Raise `kind` with the sentence ``refusal.<code>`` of the catalogue, filled with `fields`.

    The error stands alone: it hides an exception of NumPy, pandas or the system that led to it. Only `because`, which
    is for faults in somebody's own code, is shown as its cause.

    >>> refuse("flag", name="exact", got=1)
    Traceback (most recent call last):
    xattn.errors.InputError: `exact` must be true or false; got 1.
    """
    raise kind(code=code, **fields) from because
