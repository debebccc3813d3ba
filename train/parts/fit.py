"""Fits the default network by parts: two blocks of fused sweeps, the ordinal network on a sample, users' rows.

Every process holds the movies and gets the same network. Its user table is left empty, and each part's users are
encoded where they lie. What is finished is kept for `--resume`, and of a block its last sweep.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from model.factor_network import FactorNetwork
from model.ordinal import OrdinalHead
from train.factors.assemble import join_blocks, movie_rows
from train.factors.choose_number import LEAST, score_sweeps_with
from train.factors.drift import Drift, add_drift, popularity_of, strangers_of
from train.factors.encode import encode_unknown_user
from train.factors.levels import levels_of_counts, mean_and_deviation
from train.factors.method import start_head
from train.factors.sweep import BlockState, SweepData, start_from, start_state, sweep
from train.factors.variational import Block
from train.parts.fit_head import fit_head
from train.parts.one_fit import Fit
from train.parts.rows import FitRows, sweep_data
from train.parts.state import load_state, save_state

_SAVED_EVERY_S = 5.0


def fit_network(fit: Fit, settings: Mapping[str, Any]) -> FactorNetwork:
    """The network, alike in every process, whose only user is the unknown one. settings: what was chosen.

    Raises:
        DivergedError: a number of the fit is no longer finite.
    """
    options, group = fit.config.factors, fit.group
    factors, sweeps = settings["factors"], settings["sweeps"]
    score_sweeps = score_sweeps_with(factors, options)
    rows = fit.rows()
    values, numbers = fit.counts()
    levels = levels_of_counts(values, numbers, options.max_levels)
    mean, deviation = mean_and_deviation(values, numbers)
    head = start_head(levels, fit.scale, fit.config, factors)
    counts = _level_counts(rows, head, fit)
    movie_count = counts.sum(1)
    by_time = "drift" in settings
    seen = fit.facts.seen and (fit.facts.seen.everything if fit.everything else fit.facts.seen.trained)
    popular = None if seen is None else popularity_of(movie_count, seen)
    total = (sweeps + score_sweeps) * len(rows)
    with tqdm(total=total, desc=fit.label, unit=" parts", dynamic_ncols=True, disable=not group.first or None) as bar:
        data = sweep_data(fit.tree, rows, movie_count, lambda rating: (rating - mean) / deviation)
        state = start_state(data, tuple(settings["noise"]), factors, options, fit.config.seed, fit.features, popular)
        rating_block = _fit_block(fit, data, state, sweeps, "rating block", bar)
        data = sweep_data(fit.tree, rows, movie_count, lambda rating: levels.score[levels.of(rating)])
        if factors > LEAST:
            state = start_from(rating_block, options.score_noise)
        else:
            state = start_state(data, options.score_noise, factors, options, fit.config.seed + 1, fit.features, popular)
        score_block = _fit_block(fit, data, state, score_sweeps, "score block", bar)
    straight, scored = _as_block(rating_block), _as_block(score_block)
    strangers = strangers_of(scored, movie_count) if by_time else None
    fit_head(fit, head, score_block, rows, data, counts, deviation, strangers)
    rows_of_movies = movie_rows(straight, movie_count, by_time), movie_rows(scored, movie_count, by_time)
    table = torch.cat([counts, torch.zeros(1, head.num_levels)])
    standard, weight = (mean, deviation), options.rating_weight
    network = join_blocks(straight, scored, head, rows_of_movies, table, 0, standard, fit.scale, weight)
    if by_time:
        add_drift(network, Drift(**settings["drift"]))
    encode_unknown_user(network)
    return network


def _level_counts(rows: list[FitRows], head: OrdinalHead, fit: Fit) -> Tensor:
    """How many ratings of each level each movie has, (M, L)."""
    sums = fit.tree.new_sum()
    for part in rows:
        level = head.level(part.rating)
        sums.add(part.number, head.histogram(part.by_user.other.long(), level, fit.num_movies))
    return sums.total()


def _fit_block(fit: Fit, data: SweepData, state: BlockState, sweeps: int, name: str, bar: tqdm) -> BlockState:
    """The started block after so many sweeps, from the last one that an earlier run has kept."""
    stage = f"{fit.label}: {name}"
    begun = state.sweeps
    load_state(state, fit.tree, fit.stages, stage)
    bar.update((state.sweeps - begun) * len(data.parts))
    saved = time.monotonic()
    while state.sweeps < begun + sweeps:
        sweep(state, data, fit.config.factors, lambda *_: bar.update())
        due = state.sweeps == begun + sweeps or time.monotonic() - saved > _SAVED_EVERY_S
        if fit.group.tell(due):
            save_state(state, fit.tree, fit.stages, stage)
            saved = time.monotonic()
    return state


def _as_block(state: BlockState) -> Block:
    """The block without its users: their prior is what encodes them."""
    state = replace(state, noise={0: torch.ones(0)})
    return Block(state.users(0), state.movie, state.alpha, state.noise_shapes)
