"""The asks `similar`, `search`, `users` and `about`, and explanations of users by their ratings."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from model.artifact import Artifact
from model.catalogue import Catalogue
from model.network import EmbeddingMLP
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.handler.conftest import Worker
from tests.handler.schemas import Schemas

Make = Callable[..., Worker]


def with_years(artifact: Artifact) -> Artifact:
    columns = {**artifact.catalogue.columns, "year": [1990, None, 1992, 1993, 1994, 1995], "rating": [1] * 6}
    return replace(artifact, catalogue=Catalogue(columns, 6))


def answer(served: Worker, body: Any, status: int = 200) -> Any:
    [(got, found)] = served.ask(body)
    assert got == status, found
    schemas = Schemas(served)
    assert schemas.answer.is_valid(found), found
    assert schemas.request.is_valid(body) is (status == 200)
    return found


def test_similar_sorts_by_the_cosine_of_the_movies_vectors(worker: Make, artifact: Artifact) -> None:
    found = answer(worker(), {"movie_id": 10_253, "similar": 3})
    network = artifact.network
    assert isinstance(network, EmbeddingMLP)
    vectors = network.movie_linear(network.movie_embedding.weight)[:-1].detach().numpy()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit[MOVIE_IDS.index(10_253)]
    best = [row for row in np.argsort(-cosines) if MOVIE_IDS[row] != 10_253][:3]
    assert [one["movie_id"] for one in found["similar"]] == [MOVIE_IDS[row] for row in best]
    assert [one["similarity"] for one in found["similar"]] == pytest.approx(cosines[best].tolist(), abs=1e-5)
    assert found["title"] == "Movie 3"


def test_similar_obeys_genres_exclude_and_fields(worker: Make, artifact: Artifact) -> None:
    body = {"movie_id": 3, "similar": 9, "genres": ["Drama"], "exclude": [77_777], "fields": ["year"]}
    found = answer(worker(with_years(artifact)), body)
    assert [one["movie_id"] for one in found["similar"]] == [10_007]
    assert "year" not in found["similar"][0], "its year is not known"
    assert found["year"] == 1990


def test_similar_of_an_unknown_movie_is_flagged_or_refused(worker: Make) -> None:
    body = {"movie_id": 4, "similar": 9}
    assert answer(worker(), body) == {"movie_id": 4, "similar": [], "unknown": ["movie_id"]}
    [(status, refused)] = worker(unknown="error").ask(body)
    assert (status, refused["message"]) == (404, "movie_id 4: not in the training data")


@pytest.mark.parametrize("unknown", ["answer", "error"])
def test_similar_in_instances_has_an_answer_for_each_item(worker: Make, unknown: str) -> None:
    served = worker(unknown=unknown)
    asks = [{"movie_id": 10_253, "similar": 3}, {"movie_id": 4, "similar": 3}, {"user_id": 7, "movie_id": 3}]
    known, strange, pair = answer(served, {"instances": asks})["predictions"]
    assert known == answer(served, asks[0])
    assert len(known["similar"]) == 3
    assert pair == answer(served, asks[2])
    if unknown == "error":
        assert strange["error"]["code"] == 404
        assert strange["error"]["message"] == "movie_id 4: not in the training data"
    else:
        assert strange == {"movie_id": 4, "similar": [], "unknown": ["movie_id"]}


def test_similar_asked_again_differs_only_by_its_options(worker: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.asks.similar._KEPT_LISTS", 2)
    served = worker()
    bodies: list[dict[str, Any]] = [{"movie_id": movie_id, "similar": 3} for movie_id in (10_253, 3, 10_007)]
    bodies += [bodies[0] | {"similar": 2}, bodies[0] | {"exclude": [3]}]
    first = [answer(served, body) for body in bodies]
    assert first == [answer(worker(), body) for body in bodies]
    texts = answer(served, bodies[0] | {"ids_as_strings": True})
    assert [one["movie_id"] for one in texts["similar"]] == [str(one["movie_id"]) for one in first[0]["similar"]]
    assert [answer(served, body) for body in bodies] == first
    assert first[3]["similar"] == first[0]["similar"][:2]
    assert 3 not in [one["movie_id"] for one in first[4]["similar"]]


def test_vectors_too_large_to_keep_give_the_same_neighbours(worker: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"movie_id": 3, "similar": 5}
    kept = answer(worker(), body)
    monkeypatch.setattr("model.similarity._KEPT_MIB", 0)
    monkeypatch.setattr("model.similarity._CHUNK_MOVIES", 4)
    assert answer(worker(), body) == kept


def test_search_finds_titles_and_shows_fields(worker: Make, artifact: Artifact) -> None:
    served = worker(with_years(artifact))
    found = answer(served, {"search": "MOV 3", "fields": ["year"]})
    movie = {"movie_id": 10_253, "title": "Movie 3", "genres": ["Comedy"], "year": 1993}
    assert found == {"search": "MOV 3", "movies": [movie]}
    assert len(answer(served, {"search": "", "limit": 2})["movies"]) == 2
    assert answer(served, {"search": 3}, 400)["message"].startswith("search: expected text of at most 200 characters")
    assert "allowed: year" in answer(served, {"search": "", "fields": ["rating"]}, 400)["message"]
    assert "from 1 to 1000" in answer(served, {"search": "", "limit": 0}, 400)["message"]


def test_search_without_titles_finds_ids(worker: Make, artifact: Artifact) -> None:
    found = answer(worker(replace(artifact, catalogue=Catalogue({}, 6))), {"search": "102"})
    assert found["movies"] == [{"movie_id": 10_253}]


def test_best_shows_the_fields_that_are_asked_for(worker: Make, artifact: Artifact) -> None:
    body = {"user_id": 7, "movie_ids": [3], "fields": ["year"], "exclude_seen": False}
    assert answer(worker(with_years(artifact)), body)["recommendations"][0]["year"] == 1990


def test_users_are_drawn_or_found_by_how_their_ids_begin(worker: Make) -> None:
    served = worker()
    drawn = answer(served, {"users": 3})["users"]
    assert len({one["user_id"] for one in drawn} & set(USER_IDS)) == 3
    found = answer(served, {"users": 9, "prefix": "1"})["users"]
    assert [(one["user_id"], one["ratings"]) for one in found] == [(19, 0), (11_242, 2), (2**40, 0)]
    assert answer(served, {"users": 9, "prefix": "x"}) == {"users": []}
    assert [one["user_id"] for one in answer(served, {"users": 9, "prefix": "0"})["users"]] == [0]
    assert answer(served, {"users": 0}, 400)["message"] == "users: expected an integer from 1 to 1000, got 0"


def test_users_with_text_ids_are_found_by_how_they_begin(worker: Make, string_artifact: Artifact) -> None:
    served = worker(string_artifact)
    assert [one["user_id"] for one in answer(served, {"users": 9, "prefix": "zo"})["users"]] == ["zoë"]
    assert len(answer(served, {"users": 9, "prefix": ""})["users"]) == 4
    assert answer(served, {"users": 9, "prefix": "\ud83d\ude00" * 9})["users"] == []


def test_users_are_refused_where_the_setting_says_so(worker: Make) -> None:
    found = answer(worker(list_users=False), {"users": 3}, 403)
    assert found["message"] == "users: this server lists no users (list_users: false)"


def test_about_tells_the_model_and_the_worker(worker: Make) -> None:
    served = worker()
    model = answer(served, {"about": "model"})
    assert (model["served_version"], model["num_movies"], model["rating_scale"]) == ("1.0", 6, [1, 10])
    assert model["limits"]["max_top_k"] == 1000
    answer(served, {"user_id": 7, "movie_id": 3})
    told = answer(served, {"about": "worker"})
    assert {"kind": "pair", "status": 200, "requests": 1} in told["by_kind"]
    assert sum(one["batches"] for one in told["batch_ms"]) == told["batches"] > 0
    assert told["requests_last_minute"] == told["requests"]
    assert answer(served, {"about": "me"}, 400)["message"] == 'about: got "me", allowed: model, worker'


def test_explanation_takes_ratings_in_place_of_a_user(worker: Make, ranked_artifact: Artifact) -> None:
    served = worker(ranked_artifact)
    stored = {"user_id": 11_242, "movie_id": 10_253}
    given = [{"movie_id": 3, "rating": 8}, {"movie_id": 77_777, "rating": 9}]
    folded = {"ratings": given, "movie_id": 10_253}
    rows = [{"body": orjson.dumps(body)} for body in (stored, folded)]
    [(_, known), (status, new)] = served.rows(*rows, headers={"explain": "True"})
    assert status == 200
    assert Schemas(served).answer.is_valid(new)
    assert Schemas(served).part("explanation").is_valid(folded)
    assert "user_id" not in new
    assert sum(new["parts"].values()) == pytest.approx(new["rating"], abs=1e-5)
    assert {one["movie_id"] for one in new["because"]} == {3, 77_777} == {one["movie_id"] for one in known["because"]}
    [(_, pair)] = served.ask(folded)
    assert pair["rating"] == pytest.approx(new["rating"], abs=1e-5)
