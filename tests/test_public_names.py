"""The public names: each resolves, is documented and has one home, as the imports for type checkers say as well."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
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
