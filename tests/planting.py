"""How a fault is planted: it takes a function's place, and the test that is meant to see it has to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import Phase, settings

QUICK = settings(
    phases=[Phase.generate],
    max_examples=300,
    database=None,
    report_multiple_bugs=False,
    derandomize=True,
    deadline=None,
)


class Fault(NamedTuple):
    what: str
    where: Any  # module or class
    name: str  # of the function that the fault replaces
    faulty: Any
    test: Callable[..., None]
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}: {self.test.__name__}"


def must_fail(
    test: Callable[..., None], *args: Any, by: type[BaseException] | tuple[type[BaseException], ...] = AssertionError
) -> None:
    """The test fails, `by` an assertion or another error; examples are drawn as ever, but none is made smaller."""
    settings_of = "_hypothesis_internal_use_settings"
    before = getattr(test, settings_of, None)
    setattr(test, settings_of, QUICK)
    try:
        with pytest.raises(by), np.errstate(all="ignore"):
            test(*args)
    finally:
        setattr(test, settings_of, before)
