"""Every kernel has the one form of `xattn.kernels`: outputs first, assigned or added to as name and docstring say."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.checks import assert_bitwise, assert_within
from tests.kernels.cases import CASES, MODULES, Case
from xattn.kernels.compile import Kernel

EVERY = pytest.mark.parametrize("name", CASES)
KERNELS = [value for module in MODULES for value in vars(module).values() if isinstance(value, Kernel)]
Twin = Callable[..., Any]


def form_of(kernel: Kernel) -> str:
    """What the first word of the docstring has to be."""
    name = kernel.__name__
    if "_backward" in name or name.startswith("_add_"):
        return "Adds"
    return "Steps" if name.startswith("_step_") else "Assigns"


def held(x: np.ndarray) -> np.ndarray:
    """What a buffer holds already: other numbers everywhere, none of them 0."""
    return (1.0 + np.arange(x.size) % 7).reshape(x.shape).astype(x.dtype)


def junk(x: np.ndarray) -> np.ndarray:
    """What a buffer may hold that is assigned anyway."""
    return np.full(x.shape, np.nan if x.dtype.kind == "f" else 113 if x.dtype.kind == "i" else True, x.dtype)


def check_form(case: Case, twin: Twin) -> None:
    """`twin` adds to what its outputs hold, or assigns whatever they hold."""
    outputs = case.args[: case.outputs]
    clean = case.run(twin, [np.zeros_like(x) for x in outputs])
    if form_of(case.kernel) == "Assigns":
        for got, want in zip(case.run(twin, [junk(x) for x in outputs]), clean, strict=True):
            assert_bitwise(got, want)
    elif form_of(case.kernel) == "Adds":
        before = [held(x) for x in outputs]
        for got, x, y in zip(case.run(twin, before), before, clean, strict=True):
            size = np.abs(np.nan_to_num(y)).max(initial=8.0)
            assert_within(got, x + y, absolute=8 * size * float(np.finfo(y.dtype).eps))


@EVERY
def test_outputs_are_assigned_or_added_to(name: str) -> None:
    check_form(CASES[name], CASES[name].kernel.serial)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: f"{kernel.py_func.__module__}.{kernel.__name__}")
def test_docstring_says_which(kernel: Kernel) -> None:
    assert inspect.cleandoc(kernel.__doc__ or "").startswith(form_of(kernel) + " ")


def pairs_in_order(names: list[str]) -> bool:
    """Each backward kernel follows its forward kernel, or another backward one of the same."""
    before = ["", *names]
    stems = [name.split("_backward")[0] for name in names]
    return all(
        "_backward" not in name or last == f"{stem}_forward" or last.startswith(f"{stem}_backward")
        for last, name, stem in zip(before, names, stems, strict=False)
    )


def test_backward_stands_next_to_forward() -> None:
    for module in MODULES:
        assert pairs_in_order([name for name, value in vars(module).items() if isinstance(value, Kernel)]), module
    assert not pairs_in_order(["_a_forward", "_b_forward", "_a_backward"])
    assert not pairs_in_order(["_a_backward", "_a_forward"])


def wrong(case: Case) -> Twin:
    """The kernel, but it assigns where it should add, and adds where it should assign."""

    def twin(*args: Any) -> None:
        outputs = args[: case.outputs]
        before = [x.copy() for x in outputs]
        for x in outputs:
            x[...] = 0
        case.kernel.serial(*args)
        if form_of(case.kernel) == "Assigns":
            for x, y in zip(outputs, before, strict=True):
                np.add(x, y, out=x)

    return twin


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if form_of(case.kernel) != "Steps"])
def test_the_wrong_form_is_seen(name: str) -> None:
    with pytest.raises(AssertionError):
        check_form(CASES[name], wrong(CASES[name]))
