"""The rules of the house as functions over one file's source: who may import whom, and what nobody may write.

`violations(path, source)` reads the syntax tree, so an import inside a function counts as much as one at the top, and
so does one for types alone. A path is relative to the repository: ``xattn/kernels/softmax.py``, ``app.py``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath
from typing import NamedTuple

LAYERS = (  # each imports only those before it
    "i18n",
    "errors",
    "progress",
    "files",
    "processes",
    "kernels",
    "tensor",
    "model",
    "data",
    "features",
    "viz",
    "explain",
    "recommenders",
    "requests",
    "live",
    "serve",
    "testing",
    "evaluate",
    "scale",
    "scenarios",
    "bench",
    "app",
    "cli",
)
PUBLIC_USERS = {"app", "cli"}  # layers that may write `from xattn import NAME`; the others name the module

OWNERS = {  # heavy dependency: the layers that may import it
    "alembic": {"live"},
    "altair": {"viz"},
    "av": {"features"},
    "click": {"cli"},
    "dask": {"scale"},
    "distributed": {"scale"},
    "implicit": {"evaluate"},
    "lime": {"evaluate"},
    "llvmlite": {"kernels"},
    "numba": {"kernels"},
    "PIL": {"features"},
    "pytest": {"testing"},
    "requests": {"scenarios"},
    "rich": {"cli"},
    "rjieba": {"features"},
    "shap": {"evaluate"},
    "sklearn": {"features", "recommenders", "testing", "evaluate", "bench"},
    "soundfile": {"features"},
    "sqlalchemy": {"data", "live"},
    "starlette": {"app", "serve"},
    "streamlit": {"app"},
    "torch": {"bench", "evaluate"},
    "uvicorn": {"app", "serve"},
    "vl_convert": {"viz"},
}

CODE_IN_DATA = {"_pickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}  # loading runs code
RUNS_TEXT = {"eval", "exec"}
PICKLE_METHODS = {"read_pickle", "to_pickle"}
WRITERS = {"NamedTemporaryFile", "mkstemp", "write_bytes", "write_text"}  # of files that may be left half written
WRITER = "xattn/files.py"
REFUSALS = {  # classes whose sentences stand in the catalogue; `refuse` and the `check_*` functions raise them
    "DataError",
    "InputError",
    "ModelFileError",
    "NotFittedError",
    "StoreError",
    "UnknownIdError",
    "XattnError",
}
SPEAKERS = ("xattn/errors/", "xattn/i18n/")  # who may make one
UNSAFE_MATH = {"fast", "ninf", "nnan"}  # flags that let the compiler delete guards against NaN and infinity


class Violation(NamedTuple):
    """One broken rule at one line; `rule` is layer, owner, banned, silent or refusal."""

    path: str
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


def violations(path: str, source: str) -> list[Violation]:
    """Every rule that `source` breaks when it stands at `path`, in the order of its lines."""
    found = []
    for node in ast.walk(ast.parse(source, path)):
        faults = (
            _import_faults(path, node),
            _banned(node),
            _half_written(path, node),
            _silent(node),
            _worded(path, node),
        )
        for rule, what in chain.from_iterable(faults):
            found.append(Violation(path, getattr(node, "lineno", 0), rule, what))
    return sorted(found, key=lambda v: v.line)


def layer_of(path: str) -> str:
    """The layer that a file belongs to; "" for xattn/__init__.py, the module's own name where it is in no layer."""
    parts = PurePosixPath(path).with_suffix("").parts[1:]
    if parts == ("__init__",):
        return ""
    if parts[0] == "__main__" or parts[0].startswith("cli"):
        return "cli"
    return parts[0]


# --- imports ----------------------------------------------------------------------------------------------------------


def imported(path: str, node: ast.AST) -> Iterator[str | None]:
    """The full dotted names that one node imports; None where the name is computed when the program runs."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        here = PurePosixPath(path).parts[:-1]
        above = here[: len(here) - node.level + 1] if node.level else ()
        module = ".".join((*above, *(node.module or "").split("."))).strip(".")
        yield from (f"{module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and _name(node.func) in {"import_module", "__import__"}:
        target = node.args[0] if node.args else None
        yield target.value if isinstance(target, ast.Constant) and isinstance(target.value, str) else None


def _import_faults(path: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    layer = layer_of(path) if path.startswith("xattn/") else "app.py"
    for name in imported(path, node):
        if name is None:
            if layer:
                yield "banned", "an import of a computed name cannot be checked"
            continue
        root, _, rest = name.partition(".")
        if root in CODE_IN_DATA:
            yield "banned", f"{root} runs code that stands in data"
        if layer == "app.py":
            if root != "__future__" and (root, rest.split(".")[0]) != ("xattn", "app"):
                yield "layer", f"app.py may import xattn.app alone, not {name}"
        elif root in OWNERS and layer not in OWNERS[root]:
            yield "owner", f"{root} belongs to {', '.join(sorted(OWNERS[root]))}, not to {layer or 'xattn/__init__.py'}"
        elif root == "xattn" and layer:
            yield from _layer_faults(layer, rest)


def _layer_faults(layer: str, imported_name: str) -> Iterator[tuple[str, str]]:
    target = imported_name.split(".")[0]
    if layer not in LAYERS:
        yield "layer", f"{layer} has no place among the layers"
    elif target in LAYERS:
        if LAYERS.index(target) > LAYERS.index(layer):
            yield "layer", f"{layer} may not import {target}, which stands after it"
    elif target != "__version__" and layer not in PUBLIC_USERS:
        yield "layer", f"{layer} must name the module of `{target or 'xattn'}`, not the package's public names"


# --- what nobody may write --------------------------------------------------------------------------------------------


def _banned(node: ast.AST) -> Iterator[tuple[str, str]]:
    name = _name(node)
    if name in RUNS_TEXT:
        yield "banned", f"{name} runs text as code"
    if name in PICKLE_METHODS:
        yield "banned", f"{name} runs code that stands in data"
    if isinstance(node, ast.Call) and _name(node.func) == "load" and len(node.args) > 2:
        yield "banned", "np.load takes allow_pickle by name only"
    for setting, value in _settings(node):
        off = isinstance(value, ast.Constant) and value.value is False
        if setting in {"allow_pickle", "unsafe_allow_html"} and not off:
            yield "banned", f"{setting} must be left off"
        if setting == "fastmath" and not off and not _safe_math(value):
            yield "banned", "fastmath must be a set of flags without " + ", ".join(sorted(UNSAFE_MATH))


def _half_written(path: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """A file that is written elsewhere than in the one writer, which leaves none half written."""
    if path == WRITER or not isinstance(node, ast.Call):
        return
    name = _name(node.func)
    mode = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "mode")] if name == "open" else []
    if name in WRITERS or any(isinstance(m, ast.Constant) and set(str(m.value)) & set("wax+") for m in mode):
        yield "banned", f"{name} may leave half a file; {WRITER} writes files whole"


def _worded(path: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """A refusal that is made in place instead of by `refuse`; to raise one again, or to derive from it, is fine."""
    made = node.func if isinstance(node, ast.Call) else node.exc if isinstance(node, ast.Raise) else None
    if made is not None and _name(made) in REFUSALS and not path.startswith(SPEAKERS):
        yield "refusal", f"{_name(made)} must be raised by `refuse` or a `check_*`, with words of the catalogue"


def _settings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names with the values that they are given: f(name=value), {"name": value}, table["name"] = value."""
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                yield str(target.slice.value), node.value


def _safe_math(value: ast.expr) -> bool:
    """The value is a literal set of flags, none of which is unsafe."""
    if not isinstance(value, ast.Set):
        return False
    return all(isinstance(flag, ast.Constant) and flag.value not in UNSAFE_MATH for flag in value.elts)


def _silent(node: ast.AST) -> Iterator[tuple[str, str]]:
    """A bare `except:`, and a broad one that does nothing about what it caught."""
    if isinstance(node, ast.ExceptHandler):
        if node.type is None:
            yield "silent", "a bare `except:` catches even the end of the program"
        elif _is_broad(node.type) and all(_does_nothing(statement) for statement in node.body):
            yield "silent", "every error is caught and none is told"
    elif isinstance(node, ast.Call) and _name(node.func) == "suppress" and any(_is_broad(arg) for arg in node.args):
        yield "silent", "every error is suppressed and none is told"


def _is_broad(caught: ast.expr) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(_name(kind) in {"BaseException", "Exception"} for kind in kinds)


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass | ast.Continue | ast.Break)


def _name(node: ast.AST) -> str:
    """The last part of a dotted name: `load` of np.load; "" for any other node."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
