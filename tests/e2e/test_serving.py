"""The real server over HTTP."""

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from model.artifact import load_artifact
from model.asks import PairAnswer, PairAsk
from model.predictor import Predictor
from ops.process import server
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e


def in_process(project: Project, pairs: list[dict[str, Any]], version: str = "1.0") -> list[float]:
    predictor = Predictor(load_artifact(project.folder / "build" / version / "ncf.pt"))
    answers = predictor.answer([PairAsk(**pair) for pair in pairs])
    return [answer.rating for answer in answers if isinstance(answer, PairAnswer)]


@pytest.fixture
def pairs(served: Project) -> list[dict[str, Any]]:
    artifact = load_artifact(served.folder / "build" / "1.0" / "ncf.pt")
    users, movies = artifact.user_ids.ids[::40].tolist(), artifact.movie_ids.ids[::3].tolist()
    return [{"user_id": user, "movie_id": movie} for user, movie in zip(users, movies, strict=True)]


def test_the_served_rating_is_the_in_process_rating(served: Project, pairs: list[dict[str, Any]]) -> None:
    response = served.ask({"instances": pairs})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    ratings = [item["rating"] for item in response.json()["predictions"]]
    assert ratings == pytest.approx(in_process(served, pairs), abs=1e-5)
    alone = [served.ask(pair).json()["rating"] for pair in pairs[:10]]
    assert alone == pytest.approx(ratings[:10], abs=1e-5)


def test_candidates_are_ranked_with_titles_and_genres(served: Project, pairs: list[dict[str, Any]]) -> None:
    body = served.ask({"user_id": pairs[0]["user_id"], "movie_ids": [pair["movie_id"] for pair in pairs[:3]]}).json()
    ratings = [item["rating"] for item in body["recommendations"]]
    assert ratings == sorted(ratings, reverse=True)
    assert all(1 <= rating <= 10 for rating in ratings)
    assert all(item["title"] and item["genres"] for item in body["recommendations"])


def test_a_bad_request_is_a_4xx_with_a_json_body(served: Project) -> None:
    for body in (b"", b"{", b"[" * 10_000, b'{"user_id": "\\ud800", "movie_id": 1}', b'{"user_id": 1e400}'):
        response = served.ask(body)
        assert response.status_code == response.json()["code"] == (413 if body.startswith(b"[") else 400)
        assert response.headers["content-type"] == "application/json"
    assert served.ask({"user_id": 1, "movie_id": 2}).status_code == 200


def test_body_over_the_size_limit_is_refused_and_later_requests_are_answered(served: Project) -> None:
    assert served.ask(b'{"user_id": "' + b"a" * 7_000_000 + b'"}').status_code == 413
    assert served.ask({"user_id": 1, "movie_id": 2}).status_code == 200


def test_describe_tells_scale_counts_and_metrics(served: Project) -> None:
    metadata = served.client.describe()
    assert metadata["rating_scale"] == [1, 10]
    assert (metadata["num_users"], metadata["num_movies"], metadata["num_ratings"]) == (4000, 300, 73_327)
    assert metadata["metrics"]["known"]["network"]["mse"] < metadata["metrics"]["known"]["global_mean"]["mse"]


def test_the_worker_runs_the_code_inside_its_archive(served: Project) -> None:
    [version] = [one for one in served.client.versions() if one["version"] == "1.0"]
    model_folder = Path(f"/proc/{version['workers'][0]['pid']}/cwd").readlink()
    front_end = psutil.Process(server.running(served.settings))
    [program] = [one for one in front_end.children() if Path(one.cwd()) == model_folder]  # it orders the worker
    path = program.environ()["PYTHONPATH"]
    assert path.split(":")[0] == str(model_folder)
    assert (model_folder / "model" / "artifact.py").is_file()
    assert not model_folder.is_relative_to(served.folder)
    assert str(served.folder) not in path.split(":")


def test_a_second_make_serve_repeats_no_finished_step(served: Project) -> None:
    pid = json.loads((served.folder / ".run" / "server.json").read_text())["pid"]
    output = served.make("serve")
    assert "python -m train" not in output
    assert "curl -s 127.0.0.1" in output
    assert json.loads((served.folder / ".run" / "server.json").read_text())["pid"] == pid
