"""Sums over parts in one order, whatever process has which parts.

Part p is leaf p of a binary tree, and a node is the sum of its two children. A process adds up the nodes whose leaves
it has; the rest is added up where the nodes meet. Floating-point addition commutes, so the tree alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from train.parts.group import Group

_Node = tuple[int, int]  # the level, leaves at 0, and the place on it


@dataclass(frozen=True)
class Tree:
    """What the processes of a group, which have so many parts together, send each other in a sweep."""

    group: Group
    parts: int

    @property
    def rank(self) -> int:
        """The number of this process."""
        return self.group.rank

    @property
    def world(self) -> int:
        """The number of processes."""
        return self.group.world

    def new_sum(self) -> TreeSum:
        """A sum without parts."""
        return TreeSum(self)

    def gather(self, own: Tensor, _ends: Sequence[int]) -> Tensor:
        """The rows of all processes, in the order of their numbers."""
        return self.group.gather(own)


class TreeSum:
    """Sums of the parts that were added so far: the highest nodes of the tree that they make up."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.nodes: dict[_Node, Tensor] = {}

    def add(self, part: int, value: Tensor) -> None:
        """Adds a part's tensor, which then belongs to the tree."""
        self.add_node((0, part), value)

    def add_node(self, node: _Node, value: Tensor) -> None:
        """Adds the sum of a node."""
        level, place = node
        while (level, place ^ 1) in self.nodes:
            value += self.nodes.pop((level, place ^ 1))
            level, place = level + 1, place >> 1
        self.nodes[level, place] = value

    def total(self) -> Tensor:
        """The sum over all parts, for every process."""
        own = torch.stack([self.nodes[node] for node in sorted(self.nodes)])
        return self._joined([own] * self.tree.world).view(own.shape[1:])

    def total_of_rows(self, ends: Sequence[int]) -> Tensor:
        """The rows ends[r] to ends[r + 1] of the sum over all parts (N, S), for each process r its own."""
        own = [self.nodes[node] for node in sorted(self.nodes)]
        self.nodes.clear()
        if self.tree.world == 1:
            return own[0]
        width = own[0].shape[1]
        pieces = [torch.stack([one[ends[r] : ends[r + 1]] for one in own]) for r in range(self.tree.world)]
        return self._joined(pieces).view(-1, width)

    def _joined(self, pieces: Sequence[Tensor]) -> Tensor:
        """The sum of all processes' nodes: piece r holds the nodes for process r, flat."""
        group, whole = self.tree.group, TreeSum(self.tree)
        for rank, received in enumerate(group.exchange([piece.flatten() for piece in pieces])):
            nodes = self._nodes_of(group.parts(self.tree.parts, rank))
            for node, value in zip(nodes, received.view(len(nodes), len(received) // len(nodes)), strict=True):
                whole.add_node(node, value.clone())
        (found,) = whole.nodes.values()
        return found

    def _nodes_of(self, parts: range) -> list[_Node]:
        """The nodes that these parts make up, in order."""
        made = TreeSum(self.tree)
        for part in parts:
            made.add(part, torch.zeros(()))
        return sorted(made.nodes)
