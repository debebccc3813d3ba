import numpy as np
import pytest
import torch

from model.artifact import Artifact
from model.asks import ExplainAnswer, ExplainAsk, FoldInAnswer, FoldInAsk, PairAnswer, PairAsk
from model.catalogue import Catalogue
from model.history import History
from model.ids import IdMap
from model.network import EmbeddingMLP
from model.predictor import Predictor
from model.scale import RatingScale


def explain(predictor: Predictor, user_id: int, movie_id: int) -> ExplainAnswer:
    [answer] = predictor.answer([ExplainAsk(user_id, movie_id)])
    assert isinstance(answer, ExplainAnswer)
    return answer


@pytest.mark.parametrize(("user_id", "movie_id"), [(11_242, 10_253), (1, 3), (7, 1), (1, 1)])
def test_parts_add_up_to_the_rating(artifact: Artifact, user_id: int, movie_id: int) -> None:
    predictor = Predictor(artifact)
    answer = explain(predictor, user_id, movie_id)
    [pair] = predictor.answer([PairAsk(user_id, movie_id)])
    assert isinstance(pair, PairAnswer)
    assert answer.rating == pytest.approx(pair.rating, abs=1e-5)
    assert answer.mean + answer.user + answer.movie + answer.interaction == pytest.approx(answer.rating, abs=1e-6)
    if not answer.user_known:
        assert answer.user == pytest.approx(0, abs=1e-6)
        assert answer.because == []


def test_because_names_only_the_users_own_ratings(artifact: Artifact) -> None:
    because = explain(Predictor(artifact), 11_242, 10_253).because
    assert {(movie_id, given) for movie_id, _, given, _ in because} == {(3, 8.0), (77_777, 9.0)}
    assert abs(because[0][3]) >= abs(because[1][3])


def test_explanation_in_a_batch_leaves_other_answers_unchanged(artifact: Artifact) -> None:
    predictor = Predictor(artifact)
    first, explained, last = predictor.answer([PairAsk(7, 3), ExplainAsk(11_242, 10_253), PairAsk(0, 3)])
    assert explained == explain(predictor, 11_242, 10_253)
    for ask, answer in ((PairAsk(7, 3), first), (PairAsk(0, 3), last)):
        [alone] = predictor.answer([ask])
        assert answer == pytest.approx(alone, abs=1e-5)


def test_influence_in_an_encoding_network_is_the_change_without_the_rating(ranked_artifact: Artifact) -> None:
    predictor = Predictor(ranked_artifact)
    because = explain(predictor, 11_242, 10_253).because
    ratings = {3: 8.0, 77_777: 9.0}
    both, *without = (
        predictor.answer([FoldInAsk(PairAsk(None, 10_253), list(kept), [ratings[movie_id] for movie_id in kept])])[0]
        for kept in ([3, 77_777], [77_777], [3])
    )
    rated = [answer.answer for answer in (both, *without) if isinstance(answer, FoldInAnswer)]
    full, *others = (answer.rating for answer in rated if isinstance(answer, PairAnswer))
    influence = {movie_id: moved for movie_id, _, _, moved in because}
    assert influence == {
        3: pytest.approx(full - others[0], abs=1e-5),
        77_777: pytest.approx(full - others[1], abs=1e-5),
    }


def test_rating_of_a_twin_movie_has_the_most_influence() -> None:
    """Movies 0 and 1 have equal vectors, movie 2 differs. So a 10 for movie 0 raises movie 1 most."""
    torch.manual_seed(0)
    network = EmbeddingMLP(1, 3, embedding_dim=4, hidden_dims=(16, 8)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
        network.movie_embedding.weight[1] = network.movie_embedding.weight[0]
        network.movie_embedding.weight[2] = -network.movie_embedding.weight[0]
    history = History.from_ratings(np.array([0, 0]), np.array([0, 2]), np.array([10.0, 10.0]), num_users=1)
    ids = IdMap(np.array([5])), IdMap(np.array([10, 11, 12]))
    artifact = Artifact(network, *ids, RatingScale(1, 10), history, Catalogue({}, 3))
    because = explain(Predictor(artifact), 5, 11).because
    assert because[0][0] == 10
    assert because[0][3] > 0
