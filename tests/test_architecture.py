"""The layers, the owners of heavy dependencies and the banned calls hold in every file; each fault is caught."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import circles, crowded, long_files, module_of
from tests.rules import LAYERS, OWNERS, layer_of, violations

ROOT = Path(__file__).parents[1]
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "xattn").rglob("*.py"))
SOURCES = {path: (ROOT / path).read_text("utf-8") for path in FILES}
HEAVY = ("altair", "numba", "pandas", "pyarrow", "scipy", "sklearn", "streamlit")


@pytest.mark.parametrize("path", [*FILES, "app.py"])
def test_file_keeps_the_rules(path: str) -> None:
    found = violations(path, (ROOT / path).read_text("utf-8"))
    assert not found, "\n" + "\n".join(map(str, found))


def test_no_circle_of_imports() -> None:
    assert circles(SOURCES) == []


def test_no_crowded_folder() -> None:
    assert set(crowded(set(FILES))) == set()


def test_no_long_file() -> None:
    others = [path for ending in ("js", "css") for path in (ROOT / "xattn").rglob(f"*.{ending}")]
    assert len(others) > 2
    assert long_files(SOURCES | {path.name: path.read_text("utf-8") for path in others}) == set()


def test_every_file_is_in_a_layer_and_every_layer_has_files() -> None:
    assert {layer_of(path) for path in FILES} == {"", *LAYERS}


@pytest.mark.parametrize("module", ["xattn", "xattn.errors", "xattn.i18n"])
def test_import_is_light(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {set(HEAVY)}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# --- the house as a whole ---------------------------------------------------------------------------------------------

LEDGER = "class Ledger:\n    def words(self):\n        from xattn.tell import words\n"
TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from xattn.ledger import Ledger\n"
CIRCLES = [
    ({"a": "import xattn.b", "b": "import xattn.a"}, [("xattn.a", "xattn.b")]),
    (
        {"a": "from xattn import b", "b": "from .c import name", "c": "from . import a"},
        [("xattn.a", "xattn.b", "xattn.c")],
    ),
    ({"a": "def f():\n    from xattn.b import g", "b": "from xattn.a import f"}, [("xattn.a", "xattn.b")]),
    ({"a": "try:\n    import xattn.b\nexcept ImportError: ...", "b": "import xattn.a"}, [("xattn.a", "xattn.b")]),
    ({"a": "import xattn.b", "b": "if not TYPE_CHECKING:\n    import xattn.a"}, [("xattn.a", "xattn.b")]),
    ({"p/__init__": "from xattn.p.a import f", "p/a": "from xattn.p import g"}, [("xattn.p", "xattn.p.a")]),
    ({"ledger": LEDGER, "tell": "from xattn.ledger import Ledger"}, [("xattn.ledger", "xattn.tell")]),
    (
        {"ledger": "import xattn.tell\n" + LEDGER, "tell": "def f():\n    import xattn.ledger"},
        [("xattn.ledger", "xattn.tell")],
    ),
    ({"ledger": "import xattn.tell\n" + LEDGER, "tell": TYPES}, []),
    ({"ledger": LEDGER, "tell": TYPES}, []),
    ({"ledger": LEDGER, "tell": "import xattn.other", "other": "from xattn.ledger import Ledger"}, []),  # the seam
    (
        {"other": LEDGER.replace("Ledger", "Other"), "tell": "import xattn.x", "x": "import xattn.other"},
        [("xattn.other", "xattn.tell", "xattn.x")],
    ),
    ({"a": "import xattn.b", "b": "import os", "p/__init__": "", "p/a": "from xattn.a import f"}, []),
]


@pytest.mark.parametrize(("files", "want"), CIRCLES)
def test_circles_are_found(files: dict[str, str], want: list[tuple[str, ...]]) -> None:
    assert circles({f"xattn/{name}.py": source for name, source in files.items()}) == want


def test_crowds_and_long_files_are_found() -> None:
    many = {f"xattn/app/f{i}.py" for i in range(26)} | {"xattn/app/__init__.py", "xattn/app/ui/a.py"}
    assert crowded(many) == {"xattn/app": 26}
    assert crowded(many - {"xattn/app/f0.py"}) == {}
    assert long_files({"a.py": "x\n" * 350, "b.py": "x\n" * 351}) == {"b.py"}
    assert module_of("xattn/data/__init__.py") == "xattn.data"


# --- the checker catches what it is for -------------------------------------------------------------------------------

MODEL = "xattn/model/ridge.py"
FAULTS = [
    # an import to the right, in every way of writing it
    ("layer", MODEL, "import xattn.data.readers"),
    ("layer", MODEL, "import numpy, xattn.data"),
    ("layer", MODEL, "from xattn.recommenders import ContentAttention"),
    ("layer", MODEL, "from xattn import data"),
    ("layer", MODEL, "from ..data import readers"),
    ("layer", MODEL, "from .. import data"),
    ("layer", "xattn/i18n/catalogue.py", "from ..errors import refuse"),
    ("layer", "xattn/model/__init__.py", "from ..data import readers"),
    ("layer", MODEL, "def f():\n    from xattn.data import readers"),
    ("layer", MODEL, "if TYPE_CHECKING:\n    from xattn.data import Interactions"),
    ("layer", MODEL, "import importlib\nimportlib.import_module('xattn.data')"),
    ("layer", MODEL, "__import__('xattn.data')"),
    ("layer", "xattn/app/state.py", "from xattn.cli import main"),
    # a public name, whose home may be anywhere
    ("layer", MODEL, "from xattn import load_dataset"),
    ("layer", MODEL, "import xattn"),
    # a module in no layer
    ("layer", "xattn/helpers.py", "from xattn import errors"),
    # the router
    ("layer", "app.py", "import streamlit"),
    ("layer", "app.py", "from xattn.data import load_dataset"),
    ("layer", "app.py", "def f():\n    import os"),
    # a dependency outside its owner
    *(("owner", "xattn/errors/tree.py", f"import {package}") for package in OWNERS),
    *(("owner", "xattn/__init__.py", f"def f():\n    from {package}.part import name") for package in OWNERS),
    ("owner", "xattn/viz/bars.py", "import streamlit as st"),
    ("owner", "xattn/cli.py", "import numba"),
    # data that runs as code
    ("banned", MODEL, "import pickle"),
    ("banned", MODEL, "def f():\n    from joblib import dump"),
    ("banned", MODEL, "import cloudpickle as c"),
    ("banned", MODEL, "np.load(file, allow_pickle=True)"),
    ("banned", MODEL, "np.load(file, allow_pickle=flag)"),
    ("banned", MODEL, "np.load(file, None, True)"),
    ("banned", MODEL, "np.load(file, **{'allow_pickle': True})"),
    ("banned", MODEL, "pd.read_pickle(file)"),
    ("banned", MODEL, "frame.to_pickle(file)"),
    ("banned", MODEL, "eval(text)"),
    ("banned", MODEL, "run = eval"),
    ("banned", MODEL, "exec(text)"),
    ("banned", MODEL, "pd.eval(text)"),
    ("banned", MODEL, "importlib.import_module(name)"),
    ("banned", "app.py", "exec(text)"),
    # files that may be left half written
    ("banned", MODEL, "Path(name).write_text(text)"),
    ("banned", MODEL, "tempfile.mkstemp(dir=folder)"),
    ("banned", MODEL, "with open(name, 'wb') as file: ..."),
    ("banned", MODEL, "open(name, mode='a')"),
    # data that becomes a page's HTML
    ("banned", "xattn/app/cards.py", "st.markdown(title, unsafe_allow_html=True)"),
    ("banned", "xattn/app/cards.py", "st.markdown(title, **{'unsafe_allow_html': True})"),
    # arithmetic that forgets NaN
    ("banned", "xattn/kernels/k.py", "@njit(fastmath=True)\ndef f(): ..."),
    ("banned", "xattn/kernels/k.py", "njit(fastmath={'nnan', 'contract'})(f)"),
    ("banned", "xattn/kernels/k.py", "njit(fastmath=flags)(f)"),
    ("banned", "xattn/kernels/k.py", "flags = {'fastmath': True}"),
    ("banned", "xattn/kernels/k.py", "flags['fastmath'] = True"),
    # a sentence in one language alone
    ("refusal", MODEL, "raise InputError('x must be so; got otherwise.')"),
    ("refusal", MODEL, "raise errors.DataError(f'{x}') from None"),
    ("refusal", MODEL, "problem = ModelFileError(text)"),
    ("refusal", MODEL, "raise UnknownIdError"),
    ("refusal", "xattn/cli/fit.py", "def f():\n    raise NotFittedError(code='other')"),
    # errors that nobody hears of
    ("silent", MODEL, "try: f()\nexcept: raise"),
    ("silent", MODEL, "try: f()\nexcept Exception: pass"),
    ("silent", MODEL, "try: f()\nexcept BaseException: ..."),
    ("silent", MODEL, "try: f()\nexcept (ValueError, Exception) as e: 'never mind'"),
    ("silent", MODEL, "for x in y:\n    try: f()\n    except Exception: continue"),
    ("silent", MODEL, "def f():\n    try: g()\n    except Exception: return None"),
    ("silent", MODEL, "with contextlib.suppress(Exception): f()"),
]


@pytest.mark.parametrize(("rule", "path", "source"), FAULTS)
def test_fault_is_caught(rule: str, path: str, source: str) -> None:
    assert rule in [found.rule for found in violations(path, source)]


FINE = [
    (MODEL, "import numpy as np\nfrom xattn.errors import check_number\nfrom xattn.kernels.softmax import weights"),
    (MODEL, "from . import ridge\nfrom ..kernels import topk\nfrom xattn.model import attention"),
    ("xattn/recommenders/files.py", "from xattn import __version__\nimport sklearn.cluster"),
    ("xattn/__init__.py", "if TYPE_CHECKING:\n    from xattn.data import History\nimport_module(home)"),
    ("xattn/cli.py", "import click, xattn\nfrom xattn import load_dataset\nfrom xattn.app import server"),
    ("xattn/cli_tables.py", "from rich.table import Table"),
    ("xattn/__main__.py", "from xattn.cli import main"),
    ("app.py", "from __future__ import annotations\nfrom xattn.app import router"),
    ("xattn/kernels/k.py", "njit(fastmath={'contract', 'reassoc', 'nsz', 'arcp'})(f)\nnjit(fastmath=False)(f)"),
    (MODEL, "np.load(file, allow_pickle=False)\njson.load(file)\nre.compile(text)\nevaluate(x)"),
    (MODEL, "open(name)\nopen(name, 'rb')\npath.read_text('utf-8')\nfile.write(x)"),
    ("xattn/files.py", "path.write_text(text)"),
    (MODEL, "try: f()\nexcept ValueError: pass\ntry: f()\nexcept Exception as e: raise OSError(str(e)) from e"),
    (MODEL, "class Mine(InputError): ...\ntry: f()\nexcept InputError as e: raise\nrefuse('x', kind=InputError)"),
    ("xattn/errors/tree.py", "raise InputError(code='x')"),
]


@pytest.mark.parametrize(("path", "source"), FINE)
def test_good_code_is_left_alone(path: str, source: str) -> None:
    assert violations(path, source) == []


def test_a_violation_names_its_line() -> None:
    found = violations(MODEL, "import os\n\n\nimport pickle\n")
    assert [str(v) for v in found] == [f"{MODEL}:4: banned: pickle runs code that stands in data"]
