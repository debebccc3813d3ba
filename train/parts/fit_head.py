"""Trains the ordinal network by parts: each part makes what it sees of its drawn ratings, the first process trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.ordinal import OrdinalHead
from train.factors.drift import Strangers
from train.factors.ordinal_fit import Inputs, fit_on_inputs, hide_some, inputs_of
from train.factors.posterior import tables_of
from train.factors.sweep import BlockState, SweepData, solve_users
from train.factors.variational import Block
from train.parts.one_fit import Fit
from train.parts.rows import FitRows


def fit_head(
    fit: Fit,
    head: OrdinalHead,
    state: BlockState,
    rows: list[FitRows],
    data: SweepData,
    counts: Tensor,
    deviation: float,
    strangers: Strangers | None,
) -> None:
    """Trains the ordinal network in the first process on the drawn rows of all parts; every process gets it."""
    stage = f"{fit.label}: network"
    before = fit.group.tell((kept := fit.stages.load(stage)) and kept.tensors if fit.group.first else None)
    if before is None:
        parts = {part.number: part for part in fit.parts}
        own = {part.number: part for part in rows}
        tables = tables_of(state.movie)

        def told(number: int) -> dict[str, Any]:
            place, hashes = fit.drawn(parts[number])
            drawn = torch.from_numpy(place)
            found = _inputs(head, state, own[number], drawn, data.targets[number][0], tables, counts)
            return {"hashes": torch.from_numpy(hashes.view(np.int64)), **found}

        found = sorted(fit.group.each(fit.facts.parts, told), key=lambda one: one["part"])
        if fit.group.first:
            hashes = torch.cat([one["hashes"] for one in found]).numpy().view(np.uint64)
            order = torch.from_numpy(np.argsort(hashes, kind="stable"))
            inputs = Inputs(*(torch.cat([one[name] for one in found])[order] for name in Inputs._fields))
            level = torch.cat([one["level"] for one in found])[order]
            inputs = inputs if strangers is None else hide_some(head, inputs, strangers)
            fit_on_inputs(head, inputs, level, deviation / fit.scale.span, fit.config.factors, fit.label)
            fit.stages.save(stage, head.state_dict(), {})
        before = fit.group.tell(head.state_dict() if fit.group.first else None)
    head.load_state_dict(before)
    head.eval()


def _inputs(
    head: OrdinalHead,
    state: BlockState,
    rows: FitRows,
    drawn: Tensor,
    target: Tensor,
    tables: Any,
    counts: Tensor,
) -> dict[str, Any]:
    """What the ordinal network sees of a part's drawn rows, each left out."""
    user, _ = solve_users(state, rows, target, tables)
    level = head.level(rows.rating)
    user_counts = head.histogram(rows.owner, level, len(user.mean))
    block = Block(user, state.movie, state.alpha, state.noise_shapes)
    ratings = rows.ratings.take(drawn)
    none = torch.zeros(0, dtype=torch.int64)
    if not len(ratings):
        return {"part": rows.number, "level": none, **_no_inputs(head, state)}
    found = inputs_of(head, block, ratings, level[drawn], user_counts, counts)
    return {"part": rows.number, "level": level[drawn], **found._asdict()}


def _no_inputs(head: OrdinalHead, state: BlockState) -> dict[str, Tensor]:
    width = state.link.shape[1] + head.num_levels + 2
    return {"score": torch.zeros(0, 1), "user": torch.zeros(0, width), "movie": torch.zeros(0, width)}
