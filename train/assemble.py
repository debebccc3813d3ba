"""From two fitted blocks and an ordinal network to the served network, its tables filled."""

from __future__ import annotations

import torch

from model.factor_network import FactorNetwork
from model.fold_in import FoldIn
from model.moments import triangle
from model.ordinal import OrdinalHead
from model.scale import RatingScale
from train import distributed
from train.posterior import sort_by_side
from train.tensors import Ratings
from train.variational import Block, with_unknown

_USERS, _RATINGS = 8_192, 262_144  # most of each to encode at a time


def assemble(
    linear: Block,
    rank: Block,
    head: OrdinalHead,
    ratings: Ratings,
    standard: tuple[float, float],
    scale: RatingScale,
    linear_weight: float,
) -> FactorNetwork:
    """The served network with its movie table; the user table is still empty."""
    num_users, num_movies = len(rank.user.mean), len(rank.movie.mean)
    with torch.inference_mode():
        vectors = with_unknown(rank.movie)
        counts = head.histogram(ratings.movie_index, head.level(ratings.rating), num_movies + 1)
        movies = torch.cat([with_unknown(linear.movie), vectors, head.movie_tower(vectors, counts)], 1)
    blocks = _encoder(linear), _encoder(rank)
    return (
        FactorNetwork(*blocks, head, movies.clone(), num_users, standard, scale, linear_weight)
        .eval()
        .requires_grad_(False)
    )


def encode_known_users(network: FactorNetwork, ratings: Ratings) -> None:
    """Fills the user table: each user's row from their ratings, and the empty history's last."""
    rows = sort_by_side(ratings.user_index, ratings.movie_index, network.num_users)
    owner, rating = ratings.user_index[rows.order], ratings.rating[rows.order]
    starts, ends = [*rows.start.tolist(), len(rating)], distributed.bounds(rows.start, len(rating))
    begin, end = ends[distributed.rank()], ends[distributed.rank() + 1]
    table, first = network.user_embedding.weight, begin
    with torch.no_grad():
        while first < end:
            fit = int(torch.searchsorted(rows.start, rows.start[first] + _RATINGS, right=True)) - 1
            last = min(first + _USERS, max(fit, first + 1), end)
            part = slice(starts[first], starts[last])
            table[first:last] = network.encode_users(owner[part] - first, rows.other[part], rating[part], last - first)
            first = last
        if distributed.world() > 1:
            table[:-1] = distributed.gather_rows(table[begin:end], ends)
        table[-1] = network.encode_user(rows.other[:0], rating[:0])


def _encoder(block: Block) -> FoldIn:
    """A user encoder against the block's movies; the unknown movie is as uncertain as the prior."""
    movie, user = block.movie, block.user
    row, column, _ = triangle(movie.mean.shape[1])
    uncertain = torch.linalg.inv(movie.precision)[row, column].unsqueeze(0)
    return FoldIn(
        with_unknown(movie),
        torch.cat([movie.covariance, uncertain]),
        block.alpha * torch.cat([movie.noise, torch.ones(1)]),
        user.link[0],
        user.precision,
        block.noise[0],
    )
