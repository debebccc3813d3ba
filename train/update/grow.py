"""Rebuilds an artifact's network and interest part as modules, with rows for more users and movies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.artifact import Artifact, ArtifactError
from model.distinct import distinct
from model.factor_network import FactorNetwork
from model.fold_in import FoldIn
from model.interest import Interest, read_interest
from model.neighbours import moved_neighbours
from model.ordinal import OrdinalHead
from model.scale import RatingScale
from train.scratch import scratch_array
from train.update.chunks import all_ratings
from train.update.merge import Merged
from train.user_table import moved_rows, put_users

_ROWS_AT_ONCE = 65_536
_BLOCKS = ("rating_block", "score_block")
_MOVIE_TABLES = frozenset(
    ["movie_embedding.weight"]
    + [f"{block}.{name}" for block in _BLOCKS for name in ("x", "products", "bias", "bias_square", "weight")]
)


def can_grow(artifact: Artifact) -> bool:
    """Whether the network can take new ratings: it has an encoder, and this release knows its tensors."""
    return artifact.encoder is not None and "rating_block.precision_times_mean" in artifact.network.state_dict()


def grow_network(artifact: Artifact, merged: Merged, folder: Path | None = None) -> FactorNetwork:
    """The network with its rows in the order of `merged`. A new user or movie gets the unknown's row.

    folder: for the user table, which is mapped; None is the system's temporary folder.

    Raises:
        ArtifactError: the network has no encoder, or an earlier release made it, and this release cannot update it.
    """
    own = artifact.network.state_dict().items()
    state: dict[str, Tensor] = {name: tensor for name, tensor in own if not name.startswith("interest.")}
    name, version = artifact.metadata.get("architecture", "the network"), artifact.metadata.get("version")
    if artifact.encoder is None:
        raise ArtifactError(
            f"version {version}: {name} cannot take new ratings, because it has no encoder: "
            "train a new version on all ratings"
        )
    if "rating_block.precision_times_mean" not in state:
        raise ArtifactError(
            f"version {version}: an earlier release made it, and this release cannot update it: "
            "train a new version on all ratings"
        )
    for key in state:
        if key in _MOVIE_TABLES:
            state[key] = moved_rows(state[key], merged.movie_rows, len(merged.movie_ids))
    users = state["user_embedding.weight"]
    network = _network_of(state | {"user_embedding.weight": users[-1:]})
    network.eval().requires_grad_(False)
    put_users(network, _moved_users(users, merged, folder))
    return network


def _moved_users(table: Tensor, merged: Merged, folder: Path | None) -> Tensor:
    """The user table in the order of `merged`, mapped; it is copied a few rows at a time."""
    moved = torch.from_numpy(scratch_array(folder, np.float32, (len(merged.user_ids) + 1, table.shape[1])))
    for part in torch.arange(len(moved)).split(_ROWS_AT_ONCE):
        moved[part] = table[-1]
    for part in torch.arange(len(table) - 1).split(_ROWS_AT_ONCE):
        moved[merged.user_rows[part]] = table[part]
    return moved


def grow_interest(stored: Interest, merged: Merged) -> Interest:
    """The interest part with its movies in the order of `merged`, and the popularity from old and new ratings."""
    interest = read_interest(stored)
    num_movies = len(merged.movie_ids)
    num_raters = int(np.count_nonzero(np.diff(merged.history.offsets)))
    raters = torch.zeros(num_movies + 1, dtype=torch.int64)
    for users, places in all_ratings(merged.history):
        pairs = distinct(users * num_movies + merged.history.movie_index[places])
        raters += torch.from_numpy(np.bincount(pairs % num_movies, minlength=num_movies + 1))
    return Interest(
        column=moved_rows(interest.column, merged.movie_rows, num_movies),
        weights=interest.weights,
        neighbours=moved_neighbours(interest.neighbours, merged.movie_rows.numpy(), num_movies),
        popularity=(raters / num_raters).float(),
        level=float(interest.level),
        event=float(interest.event),
        prior=float(interest.prior),
        restraint=float(interest.restraint),
        rating_weight=float(interest.rating_weight),
        rating_center=float(interest.rating_center),
    )


def _network_of(state: dict[str, Tensor]) -> FactorNetwork:
    """A network with the numbers of the state."""
    edges, unit, share, score = (state[f"ordinal.{name}"] for name in ("edges", "unit", "share", "score"))
    factors, hidden_dim = state["rating_block.x"].shape[1] - 1, len(state["ordinal.slope"])
    movies = state["movie_embedding.weight"]
    num_users = len(state["user_embedding.weight"]) - 1
    head = OrdinalHead(edges, unit, share, score, factors, hidden_dim, dropout=0.0)
    network = FactorNetwork(
        rating_block=_empty_block(state, "rating_block"),
        score_block=_empty_block(state, "score_block"),
        ordinal=head,
        movies=movies,
        num_users=num_users,
        standard=(0.0, 1.0),
        scale=RatingScale(0, 1),
        rating_weight=0.0,
    )
    network.load_state_dict(state)
    return network


def _empty_block(state: dict[str, Tensor], name: str) -> FoldIn:
    x = state[f"{name}.x"]
    num_movies, size = x.shape
    entries = state[f"{name}.products"].shape[1] - size
    return FoldIn(
        mean=x,
        covariance=torch.zeros(num_movies, entries),
        weight=state[f"{name}.weight"],
        prior_mean=torch.zeros(size),
        prior_precision=state[f"{name}.precision"],
        noise_shape=float(state[f"{name}.noise_shape"]),
        popularity=torch.zeros(size),
    )
