"""The rules of the house as a whole: no circle of imports, no crowded folder, no long file.

`circles(sources)` reads every file's syntax tree. An import inside a function counts like one at the top; one under
``if TYPE_CHECKING:`` does not, as it never runs. One seam is allowed: the module that defines class `Ledger` may import
inside its functions (conveniences such as ``ledger.words()``) from a module that does not import it back.

    ledger  ──inside a function──▶  tell.words  ──for types only──▶  ledger        allowed
    ledger  ──inside a function──▶  tell.words  ──when it runs────▶  ledger        a circle
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from pathlib import PurePosixPath
from typing import NamedTuple

from tests.rules import imported

SEAM = "Ledger"  # the class whose module may import inside functions
MOST_FILES = 25  # of a folder, without __init__.py and without those of its folders
MOST_LINES = 350


class Import(NamedTuple):
    """`module` imports `target`; `on_call` inside a function."""

    module: str
    target: str
    on_call: bool


def module_of(path: str) -> str:
    """xattn/data/__init__.py → xattn.data"""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def circles(sources: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The sets of modules (path → source) of which each imports all others, at least by way of the others."""
    modules = {module_of(path) for path in sources}
    trees = {path: ast.parse(source, path) for path, source in sources.items()}
    found = {edge for path, tree in trees.items() for edge in imports(path, tree, modules)}
    pairs = {(edge.module, edge.target) for edge in found}
    seams = {module_of(path) for path, tree in trees.items() if _defines(tree, SEAM)}
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for edge in found:
        is_seam = edge.on_call and edge.module in seams and (edge.target, edge.module) not in pairs
        if not is_seam:
            graph[edge.module].add(edge.target)
    return sorted(tuple(sorted(part)) for part in _components(graph) if len(part) > 1 or part & graph[min(part)])


def imports(path: str, tree: ast.Module, modules: Set[str]) -> Iterator[Import]:
    """The imports of one file that run, as modules among `modules`."""
    here = module_of(path)
    for node, on_call in _running(tree, False):
        for name in imported(path, node):
            parts = (name or "").split(".")
            prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
            target = next((prefix for prefix in prefixes if prefix in modules), None)
            if target is not None and target != here:
                yield Import(here, target, on_call)


def _running(node: ast.AST, on_call: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node below that is not for types alone, and whether it stands inside a function."""
    for child in ast.iter_child_nodes(node):
        inside = on_call or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.If) and ast.unparse(child.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for other in child.orelse:
                yield other, inside
                yield from _running(other, inside)
        else:
            yield child, inside
            yield from _running(child, inside)


def _defines(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in tree.body)


def _components(graph: Mapping[str, Set[str]]) -> list[set[str]]:
    """The strongly connected components, by the plain definition: who reaches whom and is reached back."""
    reach = {}
    for start in graph:
        seen, stack = {start}, [start]
        while stack:
            new = graph[stack.pop()] - seen
            seen |= new
            stack.extend(new)
        reach[start] = seen
    found = {frozenset(other for other in reach[start] if start in reach[other]) for start in graph}
    return [set(part) for part in found]


def crowded(paths: Set[str]) -> dict[str, int]:
    """Folders with too many files of their own, with their number."""
    own: dict[str, int] = {}
    for path in map(PurePosixPath, paths):
        if path.name != "__init__.py":
            own[str(path.parent)] = own.get(str(path.parent), 0) + 1
    return {folder: n for folder, n in own.items() if n > MOST_FILES}


def long_files(sources: Mapping[str, str]) -> set[str]:
    """Files of too many lines."""
    return {path for path, source in sources.items() if len(source.splitlines()) > MOST_LINES}
