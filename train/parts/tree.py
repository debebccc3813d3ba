"""Sums over parts in one order, whatever process has which parts.

Part p is leaf p of a binary tree, and a node is the sum of its two children. A process adds up the nodes whose leaves
it has; the rest is added up where the nodes meet. Floating-point addition commutes, so the tree alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from train.parts.group import Group

_Node = tuple[int, int]  # the level, leaves at 0, and the place on it


class TreeSum:
    """Sums of the parts that were added so far: the highest nodes of the tree that they make up."""

    def __init__(self) -> None:
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

    def total(self, group: Group, parts: int) -> Tensor:
        """The sum over all parts, for every process."""
        own = torch.stack([self.nodes[node] for node in sorted(self.nodes)])
        whole = _joined(group, parts, [own] * group.world)
        return whole.view(own.shape[1:])

    def totals_of_rows(self, group: Group, parts: int, ends: Sequence[int]) -> Tensor:
        """The rows ends[r] to ends[r + 1] of the sum over all parts (N, S), for each process r its own."""
        own = [self.nodes[node] for node in sorted(self.nodes)]
        self.nodes.clear()
        if group.world == 1:
            return own[0]
        width = own[0].shape[1]
        pieces = [torch.stack([one[ends[r] : ends[r + 1]] for one in own]) for r in range(group.world)]
        return _joined(group, parts, pieces).view(-1, width)


def _joined(group: Group, parts: int, pieces: Sequence[Tensor]) -> Tensor:
    """What this process's tree becomes of all processes' nodes: piece r holds the nodes for process r, flat."""
    tree = TreeSum()
    for rank, received in enumerate(group.exchange([piece.flatten() for piece in pieces])):
        nodes = _nodes_of(group.parts(parts, rank))
        for node, value in zip(nodes, received.view(len(nodes), len(received) // len(nodes)), strict=True):
            tree.add_node(node, value.clone())
    (whole,) = tree.nodes.values()
    return whole


def _nodes_of(parts: range) -> list[_Node]:
    """The nodes that these parts make up, in order."""
    tree = TreeSum()
    for part in parts:
        tree.add(part, torch.zeros(()))
    return sorted(tree.nodes)
