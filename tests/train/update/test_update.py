"""New ratings become a new version: ids move, histories grow, and only what the ratings touch changes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from model.artifact import Artifact, ArtifactError, load_artifact, save_artifact
from model.asks import BestAnswer, BestAsk, PairAnswer, PairAsk
from model.catalogue import Catalogue
from model.factor_network import FactorNetwork
from model.ids import IdMap
from model.predictor import Predictor
from model.scale import RatingScale
from train.dataset.data import RatingsData
from train.dataset.tensors import TrainingSet
from train.errors import DataError
from train.interest.config import InterestConfig
from train.interest.fit import Blend, fit_interest
from train.update.__main__ import update

NEW_MOVIE, NEW_USER, KNOWN_USER = 1_003_000, 3, 7


def new_data(rows: list[tuple[int, int, float]], movies: pd.DataFrame | None = None) -> RatingsData:
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"]).astype({"rating": float})
    return RatingsData(frame, movies, Path("new.csv"), "5" * 64, 0, (1.0, 10.0), "row {}".format)


def rows_of(artifact: Artifact, users: np.ndarray) -> torch.Tensor:
    rows: torch.Tensor = artifact.network.state_dict()["user_embedding.weight"][artifact.user_ids.rows(users)]
    return rows


def rating(artifact: Artifact, user: int, movie: int) -> PairAnswer:
    [answer] = Predictor(artifact).answer([PairAsk(user, movie)])
    assert isinstance(answer, PairAnswer)
    return answer


def test_update_leaves_unaffected_users_unchanged(taste_artifact: Artifact) -> None:
    updated = update(taste_artifact, new_data([(KNOWN_USER, 1_004, 10), (NEW_USER, 1_004, 1)]), "1.1").artifact
    [moved] = taste_artifact.movie_ids.rows([1_004])
    raters = np.repeat(taste_artifact.user_ids.ids, np.diff(taste_artifact.history.offsets))[
        taste_artifact.history.movie_index == moved
    ]
    others = np.setdiff1d(taste_artifact.user_ids.ids, [*raters, KNOWN_USER])
    assert len(others) > 100
    assert torch.equal(rows_of(updated, others), rows_of(taste_artifact, others))
    assert not torch.equal(rows_of(updated, np.array([KNOWN_USER])), rows_of(taste_artifact, np.array([KNOWN_USER])))
    before, after = (one.network.state_dict() for one in (taste_artifact, updated))
    assert torch.equal(before["user_embedding.weight"][-1], after["user_embedding.weight"][-1])
    kept = torch.arange(len(taste_artifact.movie_ids) + 1) != moved
    assert torch.equal(before["movie_embedding.weight"][kept], after["movie_embedding.weight"][kept])
    for name, tensor in before.items():
        if name.startswith("ordinal.") or tensor.dim() == 0:
            assert torch.equal(after[name], tensor), name


def test_a_users_row_is_the_encoding_of_old_and_new_ratings(taste_artifact: Artifact) -> None:
    updated = update(
        taste_artifact, new_data([(KNOWN_USER, 1_004, 10), (KNOWN_USER, 1_004, 9), (NEW_USER, 1_005, 2)]), "1.1"
    )
    network, history = updated.artifact.network, updated.artifact.history
    assert isinstance(network, FactorNetwork)
    known = {7: 17, 3: 1} | dict.fromkeys(range(14, 210, 14), 15)
    for user, given in known.items():
        [row] = updated.artifact.user_ids.rows([user])
        movies, ratings = history.of_user(row)
        assert len(movies) == given
        expected = network.encode_user(torch.from_numpy(movies.astype(np.int64)), torch.from_numpy(ratings))
        torch.testing.assert_close(network.user_embedding.weight[row], expected, atol=1e-5, rtol=1e-5)
    assert history.of_user(updated.artifact.user_ids.rows([KNOWN_USER])[0])[1][-2:].tolist() == [10, 9]


def test_new_ids_are_known_and_everyone_keeps_their_history(taste_artifact: Artifact) -> None:
    data = new_data([(NEW_USER, 1_002, 9), (NEW_USER, NEW_MOVIE, 9), (2**40, -5, 3)])
    updated = update(taste_artifact, data, "1.1").artifact
    assert len(updated.user_ids) == len(taste_artifact.user_ids) + 2
    assert len(updated.movie_ids) == len(taste_artifact.movie_ids) + 2
    for user in taste_artifact.user_ids.ids[::17]:
        was, now = (one.history.of_user(one.user_ids.rows([user])[0]) for one in (taste_artifact, updated))
        assert taste_artifact.movie_ids.raw(was[0]) == updated.movie_ids.raw(now[0])
        assert was[1].tolist() == now[1].tolist()
        assert rating(updated, user, 1_010).rating == pytest.approx(rating(taste_artifact, user, 1_010).rating, abs=0.1)
    assert rating(updated, NEW_USER, NEW_MOVIE) == rating(updated, NEW_USER, NEW_MOVIE)._replace(
        user_known=True, movie_known=True
    )


def test_a_new_movie_is_rated_by_what_its_raters_like(taste_artifact: Artifact) -> None:
    """Twenty lovers of comedies give it a 9, twenty of horror a 3: others must follow their taste."""
    ratings = pd.DataFrame(
        {"user": np.repeat(np.arange(len(taste_artifact.user_ids)), np.diff(taste_artifact.history.offsets))}
    )
    ratings["even"] = taste_artifact.movie_ids.ids[taste_artifact.history.movie_index] % 2 == 0
    ratings["rating"] = taste_artifact.history.ratings
    mean = ratings.groupby(["user", "even"])["rating"].mean().unstack()
    comedians = mean.index[mean[True] > mean[False] + 2].to_numpy()
    others = mean.index[mean[False] > mean[True] + 2].to_numpy()
    ids = taste_artifact.user_ids.ids
    rows = [(int(ids[user]), NEW_MOVIE, 9.0) for user in comedians[:20]]
    rows += [(int(ids[user]), NEW_MOVIE, 3.0) for user in others[:20]]
    updated = update(taste_artifact, new_data(rows), "1.1").artifact
    liked = np.mean([rating(updated, int(ids[user]), NEW_MOVIE).rating for user in comedians[20:60]])
    disliked = np.mean([rating(updated, int(ids[user]), NEW_MOVIE).rating for user in others[20:60]])
    assert liked > disliked + 2
    unknown = np.mean([rating(taste_artifact, int(ids[user]), NEW_MOVIE).rating for user in comedians[20:60]])
    assert liked > unknown


def test_a_movie_of_the_catalogue_is_moved_by_its_first_ratings(taste_artifact: Artifact) -> None:
    before = rating(taste_artifact, KNOWN_USER, 1_056).rating
    users = [int(user) for user in taste_artifact.user_ids.ids[20:50]]
    low = update(taste_artifact, new_data([(user, 1_056, 1) for user in users]), "1.1").artifact
    high = update(taste_artifact, new_data([(user, 1_056, 10) for user in users]), "1.1").artifact
    assert rating(low, KNOWN_USER, 1_056).rating < before < rating(high, KNOWN_USER, 1_056).rating


def test_facts_move_with_their_movies_and_new_ones_are_added(taste_artifact: Artifact) -> None:
    movies = pd.DataFrame({"movie_id": [NEW_MOVIE, 1_002], "title": ["A new one", "not taken"]})
    updated = update(taste_artifact, new_data([(NEW_USER, NEW_MOVIE, 9), (NEW_USER, 5, 9)], movies), "1.1").artifact
    genres, titles = updated.catalogue.columns["genres"], updated.catalogue.columns["title"]
    new, bare, old = updated.movie_ids.rows([NEW_MOVIE, 5, 1_002])
    assert (titles[new], genres[new], titles[bare], genres[bare]) == ("A new one", None, None, None)
    assert genres[old] == ["Comedy"]


def test_metadata_lists_the_new_ratings_and_the_measured_version(taste_artifact: Artifact, tmp_path: Path) -> None:
    first = update(taste_artifact, new_data([(NEW_USER, NEW_MOVIE, 9)]), "1.1").artifact
    save_artifact(first, tmp_path / "ncf.pt")
    read = load_artifact(tmp_path / "ncf.pt")
    second = update(read, new_data([(NEW_USER, 1_002, 9)]), "1.2").artifact
    assert second.metadata["metrics"] == first.metadata["metrics"]
    assert second.metadata["metrics_of"] == {"version": "1.0", "digest": "d0", "created": "then"}
    assert second.metadata["updated_from"] == read.metadata["digest"]
    steps = second.metadata["updates"]
    assert [(step["version"], step["from_version"], step["new_users"], step["new_movies"]) for step in steps] == [
        ("1.1", "1.0", 1, 1),
        ("1.2", "1.1", 0, 0),
    ]
    assert steps[0]["data"] == {"file": "new.csv", "sha256": "5" * 64, "newest": None}


def test_two_updates_give_the_same_as_one(taste_artifact: Artifact) -> None:
    rows = [(NEW_USER, 1_002, 9.0), (KNOWN_USER, 1_003, 2.0), (NEW_USER, 1_004, 8.0)]
    once = update(taste_artifact, new_data(rows), "1.1").artifact
    twice = update(update(taste_artifact, new_data(rows[:2]), "1.1").artifact, new_data(rows[2:]), "1.2").artifact
    users = np.array([NEW_USER, KNOWN_USER])
    torch.testing.assert_close(rows_of(once, users), rows_of(twice, users), atol=0.05, rtol=0.05)


def test_string_ids_take_digits_as_strings(taste_artifact: Artifact) -> None:
    users = IdMap(np.sort(np.array([b"u%d" % one for one in taste_artifact.user_ids.ids])))
    movies = IdMap(np.sort(np.array([b"%04d" % one for one in taste_artifact.movie_ids.ids])))
    named = replace(taste_artifact, user_ids=users, movie_ids=movies, catalogue=Catalogue({}, len(movies)))
    updated = update(named, new_data([(12, 99_999, 5)]), "1.1").artifact
    assert updated.user_ids.rows(["12", "u7"]).tolist() == [0, 1 + named.user_ids.rows(["u7"])[0]]
    assert updated.movie_ids.rows(["99999"])[0] < updated.movie_ids.unknown


def test_strings_where_the_version_has_integers_are_refused(taste_artifact: Artifact) -> None:
    data = new_data([(1, 1_002, 5)])
    strings = replace(data, ratings=data.ratings.assign(user_id=["7"]))  # as a Parquet column of strings is read
    with pytest.raises(DataError, match=r"new\.csv: user_id holds strings; the version to update has integers"):
        update(taste_artifact, strings, "1.1")


def test_a_network_without_an_encoder_is_refused(artifact: Artifact) -> None:
    with pytest.raises(ArtifactError, match="cannot take new ratings, because it has no encoder"):
        update(artifact, new_data([(1, 1_002, 5)]), "1.1")


@pytest.mark.parametrize("max_movies", [4096, 8])
def test_update_moves_the_interest_along_with_the_movies(
    taste_artifact: Artifact, taste_set: TrainingSet, max_movies: int
) -> None:
    network = taste_artifact.network
    config = InterestConfig(min_raters=1, max_movies=max_movies)
    interest = fit_interest(taste_set, network, RatingScale(1, 10), config, Blend(0.3, 0.0))
    base = replace(taste_artifact, interest=interest)
    updated = update(base, new_data([(NEW_USER, 1_004, 9), (NEW_USER, NEW_MOVIE, 2)]), "1.1").artifact
    known = BestAsk(KNOWN_USER, taste_artifact.movie_ids.raw(np.arange(20)), rank_by="interest")
    before, after = (Predictor(one).answer([known])[0] for one in (base, updated))
    assert isinstance(before, BestAnswer)
    assert isinstance(after, BestAnswer)
    assert after.movie_ids == before.movie_ids
    assert after.scores == pytest.approx(before.scores, abs=0.01)  # the popularity alone has changed
    listed = Predictor(updated).answer([BestAsk(NEW_USER, [NEW_MOVIE], rank_by="interest")])[0]
    assert isinstance(listed, BestAnswer)
    assert 0 < listed.scores[0] < 0.01
