"""The operator tests of ONNX: all node cases of Attention, Softmax and LogSoftmax, as its own runner judges and closer.

Each has a twin named `_expanded`, the same data for a graph of simpler operators; it is not counted.
"""

from __future__ import annotations

import re
import unittest
import warnings

import numpy as np
import pytest

from tests.checks import assert_bitwise

onnx = pytest.importorskip("onnx", "1.23")

from onnx.backend.test import BackendTest  # noqa: E402
from onnx.backend.test.case.node import collect_testcases  # noqa: E402

from tests.conformance.backend import XattnBackend, assert_tight  # noqa: E402

OURS = re.compile(r"test_(attention|softmax|logsoftmax)(_(?!.*expanded).*)?$")
EXPECTED = {"attention": 93, "softmax": 7, "logsoftmax": 7}
with warnings.catch_warnings():  # making the cases of other operators overflows here and there
    warnings.simplefilter("ignore")
    CASES = {case.name: case for case in collect_testcases() if OURS.match(case.name)}


def count(names: list[str]) -> dict[str, int]:
    kinds = [OURS.match(name).group(1) for name in names]  # type: ignore[union-attr]
    return {kind: kinds.count(kind) for kind in EXPECTED}


# --- with ONNX's runner and its tolerance (1e-3; bfloat16 2^-6) -------------------------------------------------------


def _runner() -> type[unittest.TestCase]:
    """ONNX's own test class, without the thousands of tests of other operators and devices."""
    theirs = BackendTest(XattnBackend, __name__).test_cases["OnnxBackendNodeModelTest"]
    mine = {n: f for n, f in vars(theirs).items() if n.endswith("_cpu") and OURS.match(n.removesuffix("_cpu"))}
    return type("OnnxBackendNodeModelTest", (unittest.TestCase,), {"__module__": __name__, **mine})


OnnxBackendNodeModelTest = _runner()


def test_the_runner_has_all_of_them() -> None:
    names = [name.removesuffix("_cpu") for name in dir(OnnxBackendNodeModelTest) if name.startswith("test_")]
    assert count(names) == count(list(CASES)) == EXPECTED
    assert sum(EXPECTED.values()) == 107


# --- at the tight gate ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_closer(name: str) -> None:
    case = CASES[name]
    for inputs, outputs in case.data_sets:
        before = [None if x is None else np.array(x) for x in inputs]
        assert_tight(XattnBackend.prepare(case.model).run(list(inputs)), outputs)
        for x, old in zip(inputs, before, strict=True):
            if old is not None:
                assert_bitwise(np.asarray(x), old)
