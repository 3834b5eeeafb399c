"""The faults: every place of a module where one small change of the syntax tree can be made, and the change itself.

A fault swaps a comparison, an operator or a call for its twin, shifts a constant, drops a keyword argument, turns a
condition round, returns None, or leaves a statement out. Annotations, docstrings, `__all__`, imports and the blocks
for type checkers stay as they are.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Fault", "faults_of", "planted"]

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
TWINS = {"min": "max", "max": "min", "any": "all", "all": "any", "argmin": "argmax", "argmax": "argmin"}
TWINS |= {"zeros": "ones", "ones": "zeros", "minimum": "maximum", "maximum": "minimum", "sorted": "list"}


class Fault(NamedTuple):
    """One change: the `place`-th node of the walk through the module, in this line, is changed in this way."""

    path: str
    line: int
    place: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def faults_of(path: str, source: str) -> list[Fault]:
    """Every fault of a module, in the order of its lines."""
    found = []
    for place, node in enumerate(_nodes(ast.parse(source))):
        for what in _changes(node):
            found.append(Fault(path, node.lineno, place, what))  # type: ignore[attr-defined]
    return sorted(found)


def planted(source: str, fault: Fault) -> str:
    """The source with the fault in it."""
    tree = ast.parse(source)
    node = next(node for place, node in enumerate(_nodes(tree)) if place == fault.place)
    _change(node, fault.what)
    return ast.unparse(ast.fix_missing_locations(tree))


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that may be changed, parents first."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop(0)
        if hasattr(node, "lineno"):
            yield node
        waiting[:0] = [child for child in ast.iter_child_nodes(node) if not _left_alone(node, child)]


def _left_alone(parent: ast.AST, child: ast.AST) -> bool:
    """Whether the child says something to readers and checkers alone."""
    if isinstance(child, (ast.Import, ast.ImportFrom, ast.JoinedStr)):
        return True
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True  # a docstring, or the ... of a protocol
    if isinstance(child, ast.Assign) and any(
        isinstance(name, ast.Name) and name.id == "__all__" for name in child.targets
    ):
        return True
    if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
        return True
    annotation = getattr(parent, "annotation", None), getattr(parent, "returns", None)
    return child in annotation or (
        isinstance(parent, (ast.FunctionDef, ast.ClassDef)) and child in parent.decorator_list
    )


def _changes(node: ast.AST) -> Iterator[str]:
    """The names of the changes that this node allows."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            if type(op) in SWAPPED:
                yield f"compare {i}: {type(op).__name__} to {SWAPPED[type(op)].__name__}"
    elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in SWAPPED:
        yield f"operator: {type(node.op).__name__} to {SWAPPED[type(node.op)].__name__}"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield f"drop {type(node.op).__name__}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, str)):
        yield f"constant: {_shifted(node.value)!r}"
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield "turn the condition round"
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "return None"
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg is not None:
                yield f"drop keyword {keyword.arg}"
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in TWINS:
            yield f"call: {called} to {TWINS[called]}"
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield "leave the statement out"


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _shifted(value: bool | int | float | str) -> bool | int | float | str:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value + "_"
    return value + 1 if isinstance(value, int) else (value * 2 or 1.0)


def _change(node: ast.AST, what: str) -> None:
    kind, _, detail = what.partition(": ")
    if kind.startswith("compare"):
        i = int(kind.split()[1])
        node.ops[i] = SWAPPED[type(node.ops[i])]()  # type: ignore[attr-defined]
    elif kind == "operator":
        node.op = SWAPPED[type(node.op)]()  # type: ignore[attr-defined]
    elif kind == "constant":
        node.value = ast.literal_eval(detail)  # type: ignore[attr-defined]
    elif kind == "turn the condition round":
        node.test = ast.UnaryOp(ast.Not(), node.test)  # type: ignore[attr-defined]
    elif kind == "return None":
        node.value = ast.Constant(None)  # type: ignore[attr-defined]
    elif kind.startswith("drop keyword"):
        node.keywords = [k for k in node.keywords if k.arg != kind.split()[2]]  # type: ignore[attr-defined]
    elif kind == "call":
        twin = detail.split()[-1]
        setattr(node.func, "attr" if isinstance(node.func, ast.Attribute) else "id", twin)  # type: ignore[attr-defined]
    elif kind.startswith("drop"):
        _becomes(node, copy.deepcopy(node.operand))  # type: ignore[attr-defined]
    elif kind == "leave the statement out":
        _becomes(node, ast.Pass())
    else:
        raise AssertionError(what)


def _becomes(node: ast.AST, other: ast.AST) -> None:
    """`node` turns into `other` where it stands."""
    line = node.lineno, node.col_offset  # type: ignore[attr-defined]
    node.__class__ = other.__class__  # type: ignore[assignment]
    node.__dict__ = {**vars(other), "lineno": line[0], "col_offset": line[1]}
