"""Events without ratings: who viewed what predicts what is picked next, and they give no held-out rating away."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from model.ids import IdMap
from model.interest import interests_of
from train.__main__ import main
from train.dataset.tensors import Events, Ratings, TrainingSet, look_up_events
from train.evaluation.ranking import mean_ndcg
from train.evaluation.relevance import ranking_task
from train.interest.config import InterestConfig
from train.interest.fit import picks_of_users
from train.interest.linear import fit_linear
from train.interest.picks import picks_of, with_events

USERS, MOVIES, KINDS = 300, 60, 6
CONFIG = InterestConfig(ridge=20.0, min_raters=1, level=0)


def drawn(users: int, each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Different pairs of users and movies: nine of ten movies are of the user's kind."""
    dice = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), each)
    of_kind = user % KINDS + KINDS * dice.integers(0, MOVIES // KINDS, len(user))
    movie = np.where(dice.random(len(user)) < 0.9, of_kind, dice.integers(0, MOVIES, len(user)))
    pair = np.unique(user * MOVIES + movie)
    return pair // MOVIES, pair % MOVIES


def few_ratings() -> tuple[TrainingSet, Ratings]:
    """One or two ratings of each user to fit on, and some to find."""
    user, movie = drawn(USERS, 6, seed=0)
    ratings = Ratings(torch.from_numpy(user), torch.from_numpy(movie), torch.full((len(user),), 7.0))
    fitted = torch.rand(len(user), generator=torch.Generator().manual_seed(0)) < 0.25
    maps = IdMap(np.arange(USERS)), IdMap(np.arange(MOVIES))
    return TrainingSet(ratings.take(fitted), *maps), ratings.take(~fitted)


def test_views_predict_what_is_picked() -> None:
    data, held_out = few_ratings()
    user, movie = drawn(USERS, 8, seed=1)
    views = Events(torch.from_numpy(user + USERS), torch.from_numpy(movie))  # by people who rated nothing
    task = ranking_task(data.ratings, held_out, USERS, MOVIES, 1, USERS)

    def ndcg(events: Events | None) -> float:
        interest = fit_linear(replace(data, events=events), CONFIG)
        picks = picks_of_users(data)

        def scores(users: np.ndarray) -> dict[str, np.ndarray]:
            return {"interest": interests_of(interest, [picks.of_user(user) for user in users])[:, :-1].numpy()}

        return mean_ndcg(task, data.ratings, USERS, scores)["interest"]

    assert ndcg(views) > 1.3 * ndcg(None)


def test_rating_counts_where_a_user_viewed_the_movie_too() -> None:
    ratings = Ratings(torch.tensor([0, 0]), torch.tensor([1, 2]), torch.tensor([9.0, 3.0]))
    events = Events(torch.tensor([0, 0, 5, 5]), torch.tensor([1, 3, 3, 3]))
    picks = with_events(picks_of(ratings, level=0.1), events, 0.5)
    found = dict(zip(zip(picks.user.tolist(), picks.movie.tolist(), strict=True), picks.strength.tolist(), strict=True))
    assert found == pytest.approx({(0, 1): 1.3, (0, 2): 0.7, (0, 3): 0.5, (5, 3): 0.5})


def test_events_of_held_out_pairs_are_not_fitted_on() -> None:
    events = Events(torch.tensor([0, 0, 1]), torch.tensor([1, 2, 1]), torch.tensor([5.0, 6.0, 7.0]))
    left = events.without(Ratings(torch.tensor([0, 1]), torch.tensor([2, 2]), torch.tensor([9.0, 9.0])))
    assert left.user_index.tolist() == [0, 1]
    assert left.movie_index.tolist() == [1, 1]
    assert left.time is not None
    assert left.time.tolist() == [5.0, 7.0]


def test_events_of_movies_without_rows_are_left_out_and_new_users_are_apart() -> None:
    frame = pd.DataFrame({"user_id": [10, 77, 78, 10], "movie_id": [5, 5, 9, 6]})
    events = look_up_events(frame, IdMap(np.array([10, 20])), IdMap(np.array([5, 9])))
    assert events.movie_index.tolist() == [0, 0, 1]
    assert events.user_index[0] == 0
    assert (events.user_index[1:] >= 2).all()
    assert events.user_index[1] != events.user_index[2]


@pytest.fixture
def rated_file(tmp_path: Path) -> Path:
    user, movie = drawn(60, 6, seed=2)
    rating = 1 + (user + movie) % 10
    path = tmp_path / "ratings.csv"
    pd.DataFrame({"user_id": user, "movie_id": movie, "rating": rating}).to_csv(path, index=False)
    return path


def train(rated_file: Path, events: Path) -> int:
    out = rated_file.parent / "out"
    return main(["--data", str(rated_file), "--events", str(events), "--out", str(out), "--factors.factors", "2"])


def test_command_tells_of_the_events(rated_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clicks = rated_file.parent / "clicks.csv"
    clicks.write_text("user,item,time\n900,7,2020-01-01\n900,8,2020-01-02\n901,999,2020-01-03\n")
    assert train(rated_file, clicks) == 0
    told = capsys.readouterr().out
    read, _, written = told.partition("held out: ")
    assert "clicks.csv: 3 events by 2 users of 3 movies, 1 event of unknown movies" in read
    assert "wrote " in written


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("user,item\n1,7\n,8\n", "clicks.csv:3: user is "),
        ("user,item\n1,7\nann,8\n", 'clicks.csv:3: user "ann" is not an integer'),
        ("user,colour\n1,7\n", "clicks.csv: no column of movies; found: user, colour"),
        (
            "user,item\n1,998\n2,999\n",
            "clicks.csv: none of its movies, such as 998, is known; allowed are the movie ids of ratings.csv",
        ),
        ("user,item\n", "clicks.csv: no events; allowed is at least one line"),
    ],
)
def test_unusable_events_are_refused_by_line(
    rated_file: Path, capsys: pytest.CaptureFixture[str], text: str, error: str
) -> None:
    clicks = rated_file.parent / "clicks.csv"
    clicks.write_text(text)
    assert train(rated_file, clicks) == 2
    assert error in capsys.readouterr().err


def test_folder_of_events_is_refused(rated_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(rated_file, rated_file.parent) == 2
    assert "--events" in capsys.readouterr().err
