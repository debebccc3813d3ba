"""A block between two sweeps as tensors by name, for `--resume`: the items, the users' prior, and one float a user."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from train.factors.posterior import Side
from train.parts.sweep import BlockState, Job
from train.resume import Stages

_FIELDS = tuple(one.name for one in fields(Side) if one.name != "features")


def save_state(state: BlockState, job: Job, stages: Stages, name: str) -> None:
    """Keeps the block, which the first process writes; the users' noise by part, whoever has the parts."""
    noise = {one["part"]: one["noise"] for one in job.group.each(job.number, lambda part: _noise(state, part))}
    if not job.group.first:
        return
    tensors = {f"item.{field}": getattr(state.item, field) for field in _FIELDS}
    tensors |= {"link": state.link, "precision": state.precision}
    tensors |= {f"noise.{part}": noise[part] for part in sorted(noise)}
    stages.save(name, tensors, {"alpha": state.alpha, "sweeps": state.sweeps})


def load_state(state: BlockState, job: Job, stages: Stages, name: str) -> None:
    """Restores what `save_state` kept, if this same run has kept something."""
    kept = stages.load(name) if job.group.first else None
    told = job.group.tell(None if kept is None else tuple(kept))
    if told is None:
        return
    tensors, values = told
    for field in _FIELDS:
        value = tensors[f"item.{field}"]
        setattr(state.item, field, value.T.contiguous().T if field == "covariance" else value.clone())
    state.link, state.precision = tensors["link"], tensors["precision"]
    state.noise = {part.number: tensors[f"noise.{part.number}"] for part in job.parts}
    state.alpha, state.sweeps = values["alpha"], values["sweeps"]


def _noise(state: BlockState, part: int) -> dict[str, Any]:
    return {"part": part, "noise": state.noise[part].clone()}
