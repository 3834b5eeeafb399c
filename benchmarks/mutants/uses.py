"""Which lines of a module depend on a line that runs when the module is imported: those that use what it defines.

A constant, a default or a field is made on import, before any test runs, so no test is seen to run its line. The tests
that meet it are those that run a line which uses its name, or the name of something that is made of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["place_of", "using"]

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def using(source: str, line: int) -> set[int]:
    """The lines inside functions that use what `line` defines; the whole statement for a line inside a function.

    >>> sorted(using("MOST = 3\\nDOUBLE = 2 * MOST\\ndef f(x):\\n    return x < DOUBLE\\n", 1))
    [4]
    """
    tree = ast.parse(source)
    around = [node for node in ast.walk(tree) if _holds(node, line)]
    functions = [node for node in around if isinstance(node, Function)]
    bodies = [node for function in functions for node in function.body if _holds(node, line)]
    if bodies:
        return _span(min((n for n in around if isinstance(n, ast.stmt)), key=lambda n: len(_span(n))))
    if functions:  # a default
        return set().union(*(_span(node) for node in functions[-1].body))
    statements = [node for node in around if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))]
    names = {name for node in statements for name in _defined(node)}
    before: set[str] = set()
    while names != before:  # what is made of it on import
        before = set(names)
        for node in [*tree.body, *(inner for one in tree.body if isinstance(one, ast.ClassDef) for inner in one.body)]:
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and names & set(_used(node)):
                names |= set(_defined(node))
    lines = set()
    for node in ast.walk(tree):
        if isinstance(node, Function):
            for one in ast.walk(node):
                if isinstance(one, (ast.Name, ast.Attribute)) and names & set(_used(one)):
                    lines.add(one.lineno)
    return lines


def place_of(source: str, line: int) -> str:
    """The function or class that holds the line, with what holds that: "Ledger.text"; "" for the module itself."""
    holding = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (*Function, ast.ClassDef)) and _holds(n, line)]
    return ".".join(node.name for node in sorted(holding, key=lambda node: node.lineno))


def _holds(node: ast.AST, line: int) -> bool:
    return hasattr(node, "lineno") and line in _span(node)


def _span(node: ast.AST) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))  # type: ignore[attr-defined]


def _defined(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))


def _used(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr
