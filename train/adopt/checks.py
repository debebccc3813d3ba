"""Checks of a network before it is served: every row must give one finite score, which the batch must not change."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.adopted_network import Output
from model.scale import RatingScale
from train.adopt.id_files import NetworkIds
from train.errors import DataError

UNKNOWN_ROW_OPTIONS = ("--unknown-user-row", "--unknown-movie-row")
_BATCH = 4_096
_BATCH_SIZES = (1, 2, 7)
_TOLERANCE = 1e-3


def score(network: nn.Module, users: Tensor, movies: Tensor, name: str) -> Tensor:
    """(B,) the network's scores of its rows (B,) and (B,). The score of a single pair may have no dimension.

    Raises:
        DataError: the network fails, or does not return one score for each pair.
    """
    try:
        found = network(users, movies)
    except Exception as error:  # another person's network may raise any error
        rows = f"user rows up to {int(users.max())}, movie rows up to {int(movies.max())}"
        raise DataError(f"{name}: forward fails on {len(users)} pairs ({rows}): {_reason(error)}") from None
    number = len(users)
    if not isinstance(found, Tensor):
        raise DataError(f"{name}: forward gives {type(found).__name__}, allowed is a tensor of shape ({number},)")
    is_squeezed = number == 1 and found.dim() == 0  # by `.squeeze()`
    if not is_squeezed and tuple(found.shape) not in ((number,), (number, 1)):
        told = f"forward gives shape {tuple(found.shape)} for {number} {'pair' if number == 1 else 'pairs'}"
        raise DataError(f"{name}: {told}, allowed is ({number},) or ({number}, 1)")
    if not found.is_floating_point():
        raise DataError(f"{name}: forward gives {found.dtype}, allowed are floating-point scores")
    return found.reshape(-1).float()


def check_network(network: nn.Module, users: NetworkIds, movies: NetworkIds, name: str) -> Tensor:
    """Checks the network; returns the scores of every user with one movie, and of every movie with one user.

    Raises:
        DataError: a table has fewer rows than there are ids, a score is not finite, or it depends on the batch.
    """
    user_rows, movie_rows = (torch.from_numpy(one.rows) for one in (users, movies))
    middle_user, middle_movie = (rows[len(rows) // 2] for rows in (user_rows, movie_rows))
    _check_largest(network, users, movies, name)
    of_users = _scores(network, user_rows, middle_movie.expand(len(user_rows)), name)
    of_movies = _scores(network, middle_user.expand(len(movie_rows)), movie_rows, name)
    for found, ids, what in ((of_users, users, "user"), (of_movies, movies, "movie")):
        wrong = torch.isfinite(found).logical_not().nonzero()
        if len(wrong):
            place = int(wrong[0])
            told = f"{what} {ids.ids.raw(wrong[:1, 0].numpy())[0]}, row {ids.rows[place]}"
            raise DataError(f"{name}: a score of {told} is {float(found[place])}, allowed are finite numbers")
    _check_batches(network, user_rows, movie_rows, name)
    return torch.cat([of_users, of_movies])


def check_unknown_rows(
    network: nn.Module, users: NetworkIds, movies: NetworkIds, unknown: tuple[int | None, int | None], name: str
) -> None:
    """Checks the rows of unknown users and movies, where the options name them: each must give a finite score.

    Raises:
        DataError: a row gives none.
    """
    for place, (row, option) in enumerate(zip(unknown, UNKNOWN_ROW_OPTIONS, strict=True)):
        if row is None:
            continue
        rows = [torch.tensor([int(one.rows[0])]) for one in (users, movies)]
        rows[place] = torch.tensor([row])
        try:
            found = score(network, rows[0], rows[1], name)
        except DataError as error:
            raise DataError(f"{option}: got {row}, allowed is a row of the network's table: {error}") from None
        if not torch.isfinite(found).all():
            raise DataError(f"{option}: got {row}; its score is {float(found)}, allowed are finite numbers")


def unused_rows(
    network: nn.Module, users: NetworkIds, movies: NetworkIds, unknown: tuple[int | None, int | None]
) -> list[str]:
    """Warnings about tables with a row after the last id, where ids have rows by their position.

    Many networks leave row 0 free, or use the raw ids as rows. Then the ids of the file have other rows.
    """
    found = []
    for place, (ids, option) in enumerate(zip((users, movies), UNKNOWN_ROW_OPTIONS, strict=True)):
        after = int(ids.rows.max()) + 1
        if not ids.by_position or unknown[place] is not None:
            continue
        rows = [torch.tensor([int(one.rows.min())]) for one in (users, movies)]
        rows[place] = torch.tensor([after])
        if not _has_rows(network, rows):  # the usual case: the table ends with the last id
            continue
        told = f"{ids.source}: its {after:,} ids have the rows 0 to {after - 1}, but the network has a row {after} too"
        found.append(
            f"{told}: if ids have other rows, add a column `row`; if one row is for unknown ids, give {option}"
        )
    return found


def _has_rows(network: nn.Module, rows: list[Tensor]) -> bool:
    try:
        network(*rows)
    except Exception:
        return False
    return True


def check_output(scores: Tensor, output: Output, scale: RatingScale, name: str) -> list[str]:
    """Returns warnings about scores that do not look like the declared output.

    Raises:
        DataError: the scores cannot be the declared output.
    """
    low, high = float(scores.min()), float(scores.max())
    got = f"{name}: gives {low:.4g} to {high:.4g}"
    if output in ("unit", "probability") and (low < 0 or high > 1):
        raise DataError(f"{got}, allowed for OUTPUT={output} is 0..1: try OUTPUT=logit or OUTPUT=rating")
    if output != "rating":
        return []
    outside = float(((scores < scale.minimum) | (scores > scale.maximum)).float().mean())
    bounds = f"{scale.minimum:g}..{scale.maximum:g}"
    if outside == 1:
        raise DataError(
            f"{got}, all outside the scale {bounds}: try OUTPUT=unit, logit or probability, or another SCALE"
        )
    if outside:
        return [f"{got}: {outside:.1%} of the checked scores are outside {bounds}; each is served as the nearest bound"]
    return []


def _check_largest(network: nn.Module, users: NetworkIds, movies: NetworkIds, name: str) -> None:
    """Checks the largest row of each side. Checking each side alone shows which of the two tables is too small."""
    lowest = [torch.tensor([int(one.rows.min())]) for one in (users, movies)]
    score(network, lowest[0], lowest[1], name)
    for place, (ids, what) in enumerate(((users, "user"), (movies, "movie"))):
        largest = int(ids.rows.max())
        rows = list(lowest)
        rows[place] = torch.tensor([largest])
        try:
            network(*rows)
        except Exception as error:
            told = f"fails on {what} row {largest}, which {ids.source} contains: {_reason(error)}"
            way = f"the network's {what} table needs {largest + 1} rows or more"
            raise DataError(f"{name}: {told}: {way}") from None


def _check_batches(network: nn.Module, user_rows: Tensor, movie_rows: Tensor, name: str) -> None:
    """A pair's score must not depend on the other pairs of the batch, because requests of several clients share one."""
    generator = torch.Generator().manual_seed(0)
    most = max(_BATCH_SIZES)
    users = user_rows[torch.randint(len(user_rows), (most,), generator=generator)]
    movies = movie_rows[torch.randint(len(movie_rows), (most,), generator=generator)]
    alone = torch.cat([score(network, users[place, None], movies[place, None], name) for place in range(most)])
    for size in _BATCH_SIZES:
        together = score(network, users[:size], movies[:size], name)
        apart = float((together - alone[:size]).abs().max())
        if not apart <= _TOLERANCE * max(1.0, float(alone.abs().max())):
            told = f"a pair's score differs by {apart:.3g} between a batch of 1 and one of {size}"
            way = "a score must not depend on the other pairs; look for a normalisation over the batch"
            raise DataError(f"{name}: {told}: {way}")


def _scores(network: nn.Module, users: Tensor, movies: Tensor, name: str) -> Tensor:
    parts = zip(users.split(_BATCH), movies.split(_BATCH), strict=True)
    return torch.cat([score(network, user, movie, name) for user, movie in parts])


def _reason(error: Exception) -> str:
    """The last line of a TorchScript error, which says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
