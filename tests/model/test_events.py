"""Events in an artifact: each pair once, none of a rated movie, and the same after saving."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact, ArtifactError, load_artifact, save_artifact
from model.asks import BestAnswer, BestAsk, Call, FoldInAnswer, FoldInAsk, PairAsk
from model.events import NO_EVENTS, EventHistory
from model.history import History
from model.interest import Interest, read_interest
from model.picks import Picks, UserPicks
from model.predictor import Predictor
from model.ranking import Ranking

# As in the ranked artifact: user row 3 rated movies 0 and 4, and user row 1 movie 2.
HISTORY = History.from_ratings(np.array([3, 1, 3]), np.array([0, 2, 4]), np.array([8.0, 2.0, 9.0]), 5)


def with_events(artifact: Artifact, users: list[int], movies: list[int]) -> Artifact:
    return replace(artifact, events=EventHistory.from_pairs(np.array(users), np.array(movies), artifact.history))


def interest_of(artifact: Artifact) -> Interest:
    assert artifact.interest is not None
    return artifact.interest


def test_pairs_count_once_and_not_where_the_user_rated_the_movie() -> None:
    events = EventHistory.from_pairs(np.array([3, 3, 0, 3, 3, 0]), np.array([2, 0, 5, 2, 1, 4]), HISTORY)
    assert [events.of_user(user).tolist() for user in range(6)] == [[4, 5], [], [], [1, 2], [], []]
    assert events.owners.tolist() == [0, 0, 3, 3]


def test_nobody_has_events_where_there_are_none() -> None:
    assert NO_EVENTS.of_user(0).tolist() == []
    empty = EventHistory.from_pairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), HISTORY)
    assert [empty.of_user(user).tolist() for user in range(6)] == [[]] * 6


@pytest.mark.parametrize("offsets", [[1, 2], [0, 2, 1], [0, 3]])
def test_events_that_do_not_fit_each_other_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="events: offsets must ascend"):
        EventHistory(np.array(offsets), np.array([0, 1]))


def test_strength_of_an_event_does_not_depend_on_the_ratings() -> None:
    picks = Picks(np.array([0, 4, 1]), np.array([8.0, 9.0], dtype=np.float32))
    assert picks.strengths(0.2, 0.5) == pytest.approx([0.9, 1.1, 0.5])
    assert picks.events.tolist() == [1]
    assert Picks(np.array([1, 2]), np.empty(0, dtype=np.float32)).strengths(0.2, 0.5).tolist() == [0.5, 0.5]


def test_picks_of_a_user_are_the_last_ratings_and_the_events() -> None:
    twice = History.from_ratings(np.array([0, 0, 0]), np.array([1, 2, 1]), np.array([3.0, 4.0, 5.0]), 1)
    events = EventHistory.from_pairs(np.array([0]), np.array([7]), twice)
    movies, ratings = UserPicks(twice, events).of_user(0)
    assert (movies.tolist(), ratings.tolist()) == ([2, 1, 7], [4.0, 5.0])


@pytest.mark.parametrize("copies", [1, 300_000])  # the second is more than a MiB, so that it is mapped
def test_saved_artifact_has_the_same_events(ranked_artifact: Artifact, tmp_path: Path, copies: int) -> None:
    events = EventHistory(np.array([0, 0, 0, 0, copies, copies]), np.full(copies, 2, dtype=np.int32))
    first = save_artifact(ranked_artifact, tmp_path / "plain.pt")
    second = save_artifact(replace(ranked_artifact, events=events), tmp_path / "ncf.pt")
    loaded = load_artifact(tmp_path / "ncf.pt").events
    assert first != second
    assert loaded.offsets.tolist() == events.offsets.tolist()
    assert (loaded.movie_index == events.movie_index).all()
    assert load_artifact(tmp_path / "plain.pt").events.movie_index.tolist() == []


def test_events_of_another_number_of_users_are_refused(ranked_artifact: Artifact, tmp_path: Path) -> None:
    events = EventHistory(np.array([0, 1, 1]), np.array([2], dtype=np.int32))
    save_artifact(replace(ranked_artifact, events=events), tmp_path / "ncf.pt")
    with pytest.raises(ArtifactError, match="the events have 2 users"):
        load_artifact(tmp_path / "ncf.pt")


def test_list_of_a_user_follows_stored_events_as_sent_ones(ranked_artifact: Artifact) -> None:
    user = int(ranked_artifact.user_ids.ids[3])
    movie = int(ranked_artifact.movie_ids.ids[2])
    ask = BestAsk(user, exclude_seen=True, rank_by="blend")
    [stored] = Predictor(with_events(ranked_artifact, [3], [2])).answer([ask])
    [sent] = Predictor(ranked_artifact).answer([FoldInAsk(ask, (), None, [movie])])
    assert isinstance(stored, BestAnswer)
    assert isinstance(sent, FoldInAnswer)
    assert isinstance(sent.answer, BestAnswer)
    assert movie not in stored.movie_ids
    assert stored.movie_ids == sent.answer.movie_ids
    assert stored.scores.tolist() == sent.answer.scores.tolist()


def test_sent_rating_replaces_a_stored_event(ranked_artifact: Artifact) -> None:
    viewed = Predictor(with_events(ranked_artifact, [3], [2])).model
    user, movie = viewed.user_ids.raw(np.array([3]))[0], viewed.movie_ids.raw(np.array([2]))[0]
    folded = FoldInAsk(PairAsk(user, movie), [movie], [7.0]).fold_in(viewed, Call(viewed))
    assert folded.picks.movie_index.tolist() == [0, 4, 2]
    assert folded.picks.ratings.tolist() == [8.0, 9.0, 7.0]


def test_interest_of_an_earlier_release_weighs_events_as_a_training_does_by_default(
    ranked_artifact: Artifact,
) -> None:
    interest = interest_of(ranked_artifact)
    picks = [Picks(np.array([0, 4, 1], dtype=np.int32), np.array([8.0, 9.0], dtype=np.float32))]
    expected = Ranking(interest).interests(picks)
    del interest.event
    assert float(read_interest(interest).event) == 0.5
    assert (Ranking(interest).interests(picks) == expected).all()
