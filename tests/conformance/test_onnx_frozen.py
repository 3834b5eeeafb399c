"""The vectors frozen in the wheel of onnx 1.22.0: inputs and outputs as files, made by others at another time.

Two versions of onnx cannot be installed side by side, so the wheel is read as the zip file that it is. It lies in the
folder named by XATTN_ONNX_WHEELS, or pip brings it (19 MB, once) into the cache of the virtual environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import numpy_helper  # noqa: E402

from tests.conformance.backend import XattnBackend, assert_tight  # noqa: E402

VERSION = "1.22.0"
FOLDER = Path(os.environ.get("XATTN_ONNX_WHEELS", Path(sys.prefix) / ".cache" / "onnx-wheels"))
NODE = re.compile(r"onnx/backend/test/data/node/test_(attention|softmax|logsoftmax)(_(?!.*expanded)[^/]*)?/model.onnx")
CONVERTED = re.compile(
    r"onnx/backend/test/data/pytorch-converted/test_"
    r"(Softmax|Softmin|LogSoftmax|softmax_lastdim|softmax_functional_dim3|log_softmax_lastdim|log_softmax_dim3)/model.onnx"
)


@cache
def wheel() -> zipfile.ZipFile:
    """The wheel, brought by pip if need be; without it the tests are skipped, with pip's reason."""
    found = sorted(FOLDER.glob(f"onnx-{VERSION}-*.whl"))
    if not found:
        FOLDER.mkdir(parents=True, exist_ok=True)
        asked = [
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--dest",
            str(FOLDER),
            f"onnx=={VERSION}",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", *asked], capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.skip(f"pip cannot bring onnx {VERSION}: {done.stderr.strip().splitlines()[-1]}")
        found = sorted(FOLDER.glob(f"onnx-{VERSION}-*.whl"))
    return zipfile.ZipFile(found[0])


@cache
def there() -> frozenset[str]:
    return frozenset(wheel().namelist())


def tensors(folder: str, kind: str) -> list[np.ndarray]:
    """The arrays of input_0.pb, input_1.pb, …"""
    names = (f"{folder}/test_data_set_0/{kind}_{i}.pb" for i in range(9))
    files = [wheel().read(name) for name in names if name in there()]
    return [numpy_helper.to_array(onnx.TensorProto.FromString(data)) for data in files]


def check(pattern: re.Pattern[str]) -> int:
    """Run every case whose model's path fits; returns how many there were."""
    wrong, models = [], [name for name in there() if pattern.fullmatch(name)]
    for name in models:
        folder = name.rsplit("/", 1)[0]
        model = onnx.ModelProto.FromString(wheel().read(name))
        try:
            assert_tight(XattnBackend.prepare(model).run(tensors(folder, "input")), tensors(folder, "output"))
        except Exception as error:
            wrong.append(f"{folder.rsplit('/', 1)[1]}: {error}")
    assert not wrong, "\n".join(wrong)
    return len(models)


def test_node_cases() -> None:
    """64 of Attention, 7 of Softmax, 7 of LogSoftmax."""
    assert check(NODE) == 78


def test_cases_converted_from_pytorch() -> None:
    assert check(CONVERTED) == 7
