"""For every kernel: twins agree to the last bit, indices keep to their arrays, inputs stay as they are."""

from __future__ import annotations

import pytest

from tests.checks import assert_bitwise, assert_within, bounds_checked, unchanged
from tests.kernels.cases import CASES, MODULES, name_of
from xattn.kernels.compile import Kernel, parallel_pool

EVERY = pytest.mark.parametrize("name", CASES)


def test_every_kernel_has_a_case() -> None:
    kernels = {name_of(value) for module in MODULES for value in vars(module).values() if isinstance(value, Kernel)}
    assert kernels == {name_of(case.kernel) for case in CASES.values()}


@EVERY
def test_serial_twin_equals_parallel_twin_at_every_thread_count(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    serial = case.run(case.kernel.serial)
    for threads in ("1", "2"):
        monkeypatch.setenv("XATTN_NUM_THREADS", threads)
        with parallel_pool():
            parallel = case.run(case.kernel.parallel)
        for got, want in zip(parallel, serial, strict=True):
            assert_bitwise(got, want)


@EVERY
def test_no_index_leaves_its_array_and_no_input_is_written(name: str) -> None:
    case = CASES[name]
    with unchanged(*case.inputs):
        checked = case.run(bounds_checked(case.kernel.py_func))
        serial = case.run(case.kernel.serial)
    for got, want in zip(checked, serial, strict=True):
        if case.lanes:
            assert_within(got, want, absolute=case.lanes)
        else:
            assert_bitwise(got, want)
