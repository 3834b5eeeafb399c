"""The order in which parts are added up: a fixed binary tree over the places of the partitions.

    0      1      2      3      4          a leaf is one partition
    └──┬───┘      │      └──┬───┘
     0–2          │        3–5             a node adds what its two children hold, left before right
       └─────┬────┼──────────┘
            ...                            whoever computes a node, and whenever: its bits are the same

Work is planned so that a node is done as soon as its children are: of P parts about log₂ P tables a worker are on the
disk at a time.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Node", "nodes"]


class Node(NamedTuple):
    """The partitions from `low` up to `high`, which is left out."""

    low: int
    high: int

    @property
    def is_leaf(self) -> bool:
        return self.high - self.low == 1

    @property
    def children(self) -> tuple[Node, ...]:
        """The two halves, the left one first; none of a leaf."""
        if self.is_leaf:
            return ()
        middle = (self.low + self.high) // 2
        return Node(self.low, middle), Node(middle, self.high)

    @property
    def name(self) -> str:
        return f"{self.low:05d}-{self.high:05d}"


def nodes(parts: int) -> list[Node]:
    """All nodes over `parts` partitions, each after its children, the root last.

    >>> [tuple(node) for node in nodes(3)]
    [(0, 1), (1, 2), (2, 3), (1, 3), (0, 3)]
    """
    return _below(Node(0, parts))


def _below(node: Node) -> list[Node]:
    return [*(one for child in node.children for one in _below(child)), node]
