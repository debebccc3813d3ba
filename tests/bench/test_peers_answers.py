"""The model that the peers' adapters share, against this project's predictor; and the dialects."""

import ast
import re
from pathlib import Path

import numpy as np
import orjson
import pytest

from bench.one_file import save_in_one_file
from bench.peers.dialects import Ask, binary_tensors, plain, tensors
from bench.peers.judge import Judge, WrongAnswerError
from bench.peers.rating_model import RatingModel, finder
from model import tables as model_tables
from model.artifact import Artifact, save_artifact
from tests.conftest import MOVIE_IDS, USER_IDS

PEERS = Path(__file__).parents[2] / "bench" / "peers"
PAIRS: list[Ask] = [{"user_id": user, "movie_id": movie} for user in [*USER_IDS, 5] for movie in [*MOVIE_IDS, 5]]
COLUMNS: Ask = {name: [pair[name] for pair in PAIRS] for name in ("user_id", "movie_id")}
BEST: list[Ask] = [{"user_id": user, "top_k": 2} for user in [*USER_IDS, 5]]


@pytest.fixture
def model(artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RatingModel:
    monkeypatch.setattr(model_tables, "MAPPED_BYTES", 1)  # as those of a large model
    save_artifact(artifact, tmp_path / "mapped.pt")
    return RatingModel(save_in_one_file(tmp_path / "mapped.pt", tmp_path / "ncf.pt"))


def test_rating_model_answers_a_batch_of_all_kinds_as_the_predictor_does(
    model: RatingModel, artifact: Artifact
) -> None:
    asks = [*PAIRS[:20], COLUMNS, *BEST, *PAIRS[20:]]
    dialect, judge = plain("/predict"), Judge(artifact)
    for ask, answer in zip(asks, model.answer([dict(ask) for ask in asks]), strict=True):
        judge.check(ask, dialect.read(b"", orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)))


def test_rating_model_flags_unknown_ids_and_shows_titles(model: RatingModel, artifact: Artifact) -> None:
    [stranger, known, best] = model.answer(
        [{"user_id": 5, "movie_id": 3}, {"user_id": 7, "movie_id": 3}, dict(BEST[0])]
    )
    assert stranger["unknown"] == ["user_id"]
    assert "unknown" not in known
    line = best["recommendations"][0]
    [row] = artifact.movie_ids.rows([line["movie_id"]]).tolist()
    assert {name: line[name] for name in line if name in ("title", "genres")} == artifact.catalogue.shown(row)


def test_rating_model_answers_arrays(model: RatingModel, artifact: Artifact) -> None:
    judge = Judge(artifact)
    users, movies = (np.array(COLUMNS[name]) for name in ("user_id", "movie_id"))
    judge.check(COLUMNS, (model.rate(users, movies).tolist(), None))
    found, ratings = model.best(np.array([ask["user_id"] for ask in BEST]), 2)
    for place, ask in enumerate(BEST):
        judge.check(ask, (ratings[place].tolist(), found[place].tolist()))


@pytest.mark.parametrize("ids", [[3, 4, 7, 9], [-(2**40), 0, 2**62]], ids=["narrow", "wide"])
def test_finder_gives_known_ids_their_row_and_others_the_row_after_the_last(ids: list[int]) -> None:
    wanted = [*ids, ids[0] - 1, ids[1] + 1, ids[-1] + 1, -(2**63), 2**63 - 1]
    expected = [ids.index(one) if one in ids else len(ids) for one in wanted]
    assert finder(np.array(ids))(np.array(wanted)).tolist() == expected


def test_judge_rejects_wrong_ratings_missing_ratings_and_repeated_movies(
    artifact: Artifact, model: RatingModel
) -> None:
    judge = Judge(artifact)
    [answer] = model.answer([dict(PAIRS[0])])
    judge.check(PAIRS[0], ([answer["rating"] + 5e-5], None))
    for told in ([answer["rating"] + 2e-4], [], [float("nan")]):
        with pytest.raises(WrongAnswerError):
            judge.check(PAIRS[0], (told, None))
    [best] = model.answer([dict(BEST[0])])
    first = best["recommendations"][0]
    with pytest.raises(WrongAnswerError):
        judge.check(BEST[0], ([first["rating"]] * 2, [first["movie_id"]] * 2))


@pytest.mark.parametrize(("rank", "shape"), [(1, [2]), (2, [2, 1])])
def test_tensors_hold_a_column_for_each_field(rank: int, shape: list[int]) -> None:
    [user, movie] = orjson.loads(tensors("", rank).write({"user_id": [7, 8], "movie_id": [3, 2**62]}))["inputs"]
    assert user == {"name": "user_id", "shape": shape, "datatype": "INT64", "data": [7, 8]}
    assert movie["data"] == [3, 2**62]


def test_raw_tensors_follow_the_json_in_requests_and_answers() -> None:
    dialect = binary_tensors("", 2)
    body = dialect.write({"user_id": [7, 8], "movie_id": [3, 2**62]})
    length = int(dialect.headers(body)["Inference-Header-Content-Length"])
    head = orjson.loads(body[:length])
    assert [column["parameters"]["binary_data_size"] for column in head["inputs"]] == [16, 16]
    assert np.frombuffer(body[length:], "<i8").tolist() == [7, 8, 3, 2**62]
    answer = orjson.dumps({"outputs": [{"name": "rating", "parameters": {"binary_data_size": 8}}]})
    told = dialect.read(
        b"http/1.1 200 ok\r\ninference-header-content-length: %d\r\n" % len(answer),
        answer + np.array([1.5, 2.5], "<f4").tobytes(),
    )
    assert told == ([1.5, 2.5], None)


ADAPTERS = sorted(path for folder in PEERS.iterdir() if folder.is_dir() for path in folder.glob("*.py"))


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.parent.name)
def test_every_adapter_uses_the_shared_rating_model(adapter: Path) -> None:
    tree = ast.parse(adapter.read_text(encoding="utf-8"))
    assert "bench.peers.rating_model" in {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_every_peer_environment_is_pinned_and_has_the_same_torch() -> None:
    files = sorted(PEERS.glob("*/requirements.txt"))
    assert [path.parent.name for path in files] == ["fastapi", "triton"]
    for path in files:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.+!]+", line)] == []
        assert "torch==2.13.0" in lines
