"""What `--resume` keeps of a block between two sweeps: the items, the users' prior, and one float a user."""

from __future__ import annotations

from typing import Any

from train.factors import block_state
from train.factors.sweep import BlockState
from train.parts.tree import Tree
from train.resume import Stages


def save_state(state: BlockState, tree: Tree, stages: Stages, name: str) -> None:
    """Keeps the block, which the first process writes; the users' noise by part, whoever has the parts."""

    def told(part: int) -> dict[str, Any]:
        return {"part": part, "noise": state.noise[part].clone()}

    noise = {f"noise.{one['part']}": one["noise"] for one in tree.group.each(tree.parts, told)}
    if tree.group.first:
        tensors, values = block_state.pack(state)
        stages.save(name, tensors | noise, values)


def load_state(state: BlockState, tree: Tree, stages: Stages, name: str) -> None:
    """Restores what `save_state` kept, if this same run has kept something."""
    kept = stages.load(name) if tree.group.first else None
    told = tree.group.tell(None if kept is None else tuple(kept))
    if told is None:
        return
    tensors, values = told
    block_state.unpack(state, tensors, values)
    state.noise = {part: tensors[f"noise.{part}"] for part in state.noise}
