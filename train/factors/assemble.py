"""Joins two fitted blocks and an ordinal network into the served network, and fills its tables."""

from __future__ import annotations

import torch
from torch import Tensor

from model.factor_network import FactorNetwork
from model.fold_in import FoldIn
from model.moments import triangle
from model.ordinal import OrdinalHead
from model.scale import RatingScale
from train import distributed
from train.dataset.tensors import Ratings
from train.factors.alike import alike_users
from train.factors.drift import strangers_of, unrated_as
from train.factors.encode import encode_unknown_user, encode_users
from train.factors.variational import Block, with_unknown


def assemble(
    rating_block: Block,
    score_block: Block,
    head: OrdinalHead,
    ratings: Ratings,
    standard: tuple[float, float],
    scale: RatingScale,
    rating_weight: float,
    by_time: bool = False,
) -> FactorNetwork:
    """The served network with its movie table; the user table is still empty.

    by_time: a movie without ratings is rated as the movie of an average rating; see train/factors/drift.py.
    """
    num_users, num_movies = len(score_block.user.mean), len(score_block.movie.mean)
    count = torch.bincount(ratings.movie_index, minlength=num_movies)
    rows = movie_rows(rating_block, count, by_time), movie_rows(score_block, count, by_time)
    counts = head.histogram(ratings.movie_index, head.level(ratings.rating), num_movies + 1)
    return join_blocks(rating_block, score_block, head, rows, counts, num_users, standard, scale, rating_weight)


def join_blocks(
    rating_block: Block,
    score_block: Block,
    head: OrdinalHead,
    rows: tuple[Tensor, Tensor],
    counts: Tensor,
    num_users: int,
    standard: tuple[float, float],
    scale: RatingScale,
    rating_weight: float,
) -> FactorNetwork:
    """The same from the movies' rows in each block, (M + 1, K) each, and the levels' counts (M + 1, L) by movie."""
    with torch.inference_mode():
        movies = torch.cat([*rows, head.movie_tower(rows[1], counts)], 1)
    return (
        FactorNetwork(
            rating_block=_encoder(rating_block),
            score_block=_encoder(score_block),
            ordinal=head,
            movies=movies.clone(),
            num_users=num_users,
            standard=standard,
            scale=scale,
            rating_weight=rating_weight,
        )
        .eval()
        .requires_grad_(False)
    )


def fill_user_table(network: FactorNetwork, ratings: Ratings) -> None:
    """Computes each user's row from their ratings, and the unknown user's row. Each process computes its share.

    Users who are alike have one row, which is computed once.
    """
    alike = alike_users(ratings.user_index, ratings.movie_index, ratings.rating, network.num_users)
    counts = torch.bincount(ratings.user_index, minlength=network.num_users)[alike.first]
    ends = distributed.bounds(counts.cumsum(0) - counts, int(counts.sum()))
    begin, end = ends[distributed.rank()], ends[distributed.rank() + 1]
    own = encode_users(network, ratings, alike.first[begin:end], network.num_users)
    with torch.no_grad():
        network.user_embedding.weight[:-1] = distributed.gather_rows(own, ends)[alike.group]
    encode_unknown_user(network)


def movie_rows(block: Block, count: Tensor, by_time: bool) -> Tensor:
    """Means (M + 1, K) of the movies, the unknown one last; count (M,) of ratings by movie. by_time: as above."""
    rows = with_unknown(block.movie)
    if not by_time:
        return rows
    return unrated_as(strangers_of(block, count).movie, rows, count)


def _encoder(block: Block) -> FoldIn:
    """A user encoder against the block's movies; the unknown movie is as uncertain as the prior."""
    movie, user = block.movie, block.user
    row, column, _ = triangle(movie.mean.shape[1])
    uncertain = torch.linalg.inv(movie.precision)[row, column].unsqueeze(0)
    user_shape, _ = block.noise_shapes
    return FoldIn(
        mean=with_unknown(movie),
        covariance=torch.cat([movie.covariance, uncertain]),
        weight=block.alpha * torch.cat([movie.noise_precision, torch.ones(1)]),
        prior_mean=user.link[0],
        prior_precision=user.precision,
        noise_shape=user_shape,
        popularity=movie.link[1],
    )
