"""The public names: each resolves, is documented and has one home, as the imports for type checkers say as well."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pytest

import xattn

PROMISED = {  # what README, the acceptance of the project and its commands lean on
    "CollaborativeAttention",
    "ContentAttention",
    "DataError",
    "EASE",
    "History",
    "HybridAttention",
    "InputError",
    "Interactions",
    "ItemKNN",
    "NeuralAttention",
    "Ledger",
    "Popularity",
    "RecencyEASE",
    "UserAttention",
    "XattnError",
    "attend",
    "load_dataset",
    "load_model",
    "read_interactions",
    "read_items",
    "worked_example",
}


@pytest.mark.parametrize("name", xattn.__all__)
def test_name_resolves_and_is_documented(name: str) -> None:
    found = getattr(xattn, name)
    assert found is getattr(importlib.import_module(xattn._HOME[name]), name)
    assert inspect.getdoc(found), f"xattn.{name} has no docstring"
    if inspect.isclass(found):
        own = vars(found).get("__doc__") or ""
        assert own.strip(), f"xattn.{name} has no docstring of its own"
        assert not own.startswith(f"{name}("), f"xattn.{name} has only the docstring that a dataclass makes itself"


# --- one rule for one thing -------------------------------------------------------------------------------------------

TWINS = {  # a name that another one took the place of
    "attention_threshold": "threshold",
    "batch": "batch_size",
    "dimensions": "hidden_size",
    "drop_missing": "missing",
    "neighbours": "n_neighbors",
    "neighbors": "n_neighbors",
    "return_weights": "attention_with_weights",
}
ORDER = ("lang", "depth", "scenario", "origin")  # of what an explanation is told with
RECORDS = {"Ledger.cells"}  # properties that are frames: the record itself


def _signatures() -> Iterator[tuple[str, inspect.Signature]]:
    """Every public function, constructor and method of the project's own, with its parameters."""
    for name in xattn.__all__:
        found = getattr(xattn, name)
        if not inspect.isclass(found):
            yield name, inspect.signature(found)
            continue
        if not issubclass(found, BaseException):
            yield name, inspect.signature(found)
        for method, value in inspect.getmembers(found, inspect.isroutine):
            if not method.startswith("_") and (getattr(value, "__module__", "") or "").startswith("xattn."):
                yield f"{name}.{method}", inspect.signature(value)


SIGNATURES = dict(_signatures())


@pytest.mark.parametrize("name", SIGNATURES)
def test_names_of_arguments_follow_the_rules(name: str) -> None:
    parameters = SIGNATURES[name].parameters
    old = {TWINS[p] for p in parameters if p in TWINS}
    assert not old, f"{name} has an old name; today's: {old}"
    k = parameters.get("k")
    if k is not None and name not in KEYS_OF_ATTENTION and not _is_record(name):
        assert k.kind is k.KEYWORD_ONLY, f"{name}: the length of a list is given by name"
    told = [p for p in parameters if p in ORDER]
    assert told == [p for p in ORDER if p in told], f"{name}: these come in the order {ORDER}"
    for p in parameters.values():
        assert not p.name.startswith(("return_", "as_")), f"{name}: {p.name} would change the type"


KEYS_OF_ATTENTION = {"attention", "attention_with_weights"}  # q, k, v: keys, not a length


def _is_record(name: str) -> bool:
    return "." not in name and dataclasses.is_dataclass(getattr(xattn, name))


@pytest.mark.parametrize("name", [name for name in xattn.__all__ if inspect.isclass(getattr(xattn, name))])
def test_properties_are_what_is_kept_and_methods_make_frames(name: str) -> None:
    """A frame is made on each call, by a method; a property is a number, a text or a record that stays."""
    for attribute, value in inspect.getmembers_static(getattr(xattn, name)):
        getter = getattr(value, "fget", None) or (value.func if isinstance(value, cached_property) else None)
        if attribute.startswith("_") or getter is None:
            continue
        frame = "DataFrame" in str(inspect.signature(getter).return_annotation)
        assert not frame or f"{name}.{attribute}" in RECORDS, f"{name}.{attribute} is a frame: a method, then"


RECOMMENDERS = [name for name in xattn.__all__ if hasattr(getattr(xattn, name), "recommend")]


@pytest.mark.parametrize("name", RECOMMENDERS)
def test_each_parameter_of_a_constructor_is_described(name: str) -> None:
    text = inspect.getdoc(getattr(xattn, name)) or ""
    entries = dict(re.findall(r"^    (\w+) {2,}(\S.*)$", text, re.MULTILINE))
    parameters = [p.name for p in SIGNATURES[name].parameters.values()]
    assert [p for p in parameters if p not in entries] == [], f"{name}: a line for each parameter"


def test_nothing_promised_is_missing() -> None:
    assert set(xattn.__all__) >= PROMISED


def test_the_three_lists_agree() -> None:
    assert sorted(xattn.__all__) == sorted(xattn._HOME), "__all__ holds what has a home"
    for_types = {}
    for node in ast.walk(ast.parse(Path(xattn.__file__).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("xattn."):
            for_types.update({alias.asname or alias.name: node.module for alias in node.names})
    assert for_types == xattn._HOME


def test_no_public_name_is_a_submodule_too() -> None:
    """Importing xattn.NAME would put the module in the place of the public name."""
    folder = Path(xattn.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir() if path.is_dir()}
    assert not modules & set(xattn.__all__)


def test_star_import_and_dir_show_the_names() -> None:
    code = "from xattn import *; import xattn; assert set(xattn.__all__) <= set(globals()) & set(dir(xattn))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'xattn' has no attribute 'nosuch'"):
        _ = xattn.nosuch


def test_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import version

    assert xattn.__version__ == version("xattn")
