"""A new kind of ask needs its two modules and one line of the table, and a miss shows when the package is imported."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from jsonschema import Draft202012Validator

from handler.asks import ASKS, AskKinds, check_asks, check_folder
from handler.asks.base import AskCodec
from handler.asks.best import BestCodec
from handler.asks.pair import PairCodec
from handler.request import Request
from handler.service import RatingService
from handler.settings import HandlerSettings
from model.artifact import Artifact
from model.asks import Answer, BestAnswer, BestAsk, FoldInAnswer, FoldInAsk, UserAsk
from tests.conftest import MOVIE_IDS
from tests.handler.toy_ask import PlaceAnswer, PlaceAsk, PlaceCodec

ROOT = Path(__file__).parents[2]
TABLE: AskKinds = (PlaceCodec, *ASKS)
PLACE = {"user_id": 11_242, "place_of": 10_253}
FOLDED = {"ratings": [{"movie_id": 3, "rating": 9}], "place_of": 10_253}
PAIR = {"user_id": 7, "movie_id": 3}


class Counts:
    """Metrics that remember the requests of each batch."""

    def __init__(self) -> None:
        self.batches: list[Counter[tuple[str, int]]] = []

    def count_batch(
        self, requests: Counter[tuple[str, int]], answers: Sequence[Answer], seconds: tuple[float, float, float]
    ) -> None:
        del seconds
        assert all(answer.num_pairs() >= 1 for answer in answers)
        self.batches.append(requests)


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def service(ranked_artifact: Artifact, counts: Counts) -> RatingService:
    settings = HandlerSettings(max_pairs=20)
    return RatingService(ranked_artifact, settings, "ncf", "1.0", metrics=counts, kinds=TABLE)


def ask(service: RatingService, *bodies: Any) -> list[Any]:
    responses = service.answer([Request(orjson.dumps(body)) for body in bodies])
    return [orjson.loads(response.body) for response in responses]


def place_in_ranking(service: RatingService, user: BestAsk, **ratings: Any) -> int:
    """The same place, found by the project's own asks."""
    asked: UserAsk = user
    [answer] = service.predictor.answer([FoldInAsk(asked, **ratings) if ratings else user])
    best = answer.answer if isinstance(answer, FoldInAnswer) else answer
    assert isinstance(best, BestAnswer)
    return list(best.movie_ids).index(10_253) + 1


def test_new_ask_is_answered_beside_the_others(service: RatingService, counts: Counts) -> None:
    place, pair, many = ask(service, PLACE, PAIR, {"instances": [PLACE, {**PLACE, "place_of": "x"}, PAIR]})
    assert place == {**PLACE, "place": place_in_ranking(service, BestAsk(11_242))}
    assert pair["rating"] > 0
    assert many["predictions"][0] == place
    assert many["predictions"][1]["error"]["code"] == 400
    assert counts.batches == [Counter({("place", 200): 1, ("pair", 200): 1, ("instances", 200): 1})]


def test_new_ask_about_a_user_takes_ratings(service: RatingService, counts: Counts) -> None:
    [answer] = ask(service, FOLDED)
    expected = place_in_ranking(service, BestAsk(None), movie_ids=[3], ratings=[9.0])
    assert answer == {"place_of": 10_253, "place": expected}
    assert counts.batches == [Counter({("fold_in", 200): 1})]


def test_new_ask_obeys_the_limit_of_pairs(service: RatingService) -> None:
    [error] = ask(service, {"instances": [PLACE] * 4})
    said = "at most 20 are allowed: the first 3 of 4 entries fit, ask for the others in requests of their own"
    way = "or score all users without a server: `make score`"
    assert error["message"] == f"instances: {4 * len(MOVIE_IDS)} pairs, {said}, {way}"


def test_new_ask_stands_in_the_schema(service: RatingService) -> None:
    [description] = service.answer([Request(None, endpoint="description")])
    schema = orjson.loads(description.body)["schema"]
    request, answer = (Draft202012Validator(schema[name]) for name in ("request", "answer"))
    for body in (PLACE, FOLDED, {"instances": [PLACE, FOLDED, PAIR]}):
        assert request.is_valid(body)
        [answered] = ask(service, body)
        assert answer.is_valid(answered), answered
    assert not request.is_valid({**PLACE, "top_k": 1})


class Unplanned(NamedTuple):
    user_id: int


class NothingCounted(NamedTuple):
    place: int


class WithoutWriter(PlaceCodec):
    encode_answer = AskCodec.encode_answer


class WithoutName(AskCodec[PlaceAsk, PlaceAnswer]):
    answer_name = "place"
    marks = ("place_of",)
    decode_item = PlaceCodec.decode_item
    encode_answer = PlaceCodec.encode_answer
    num_pairs = PlaceCodec.num_pairs
    request_schema = PlaceCodec.request_schema
    answer_schema = PlaceCodec.answer_schema


class WithoutPlan(PlaceCodec):
    def encode_answer(self, ask: Unplanned, answer: PlaceAnswer) -> dict[str, Any]:  # type: ignore[override]
        raise NotImplementedError


class WithoutCounts(PlaceCodec):
    def encode_answer(self, ask: Any, answer: NothingCounted) -> dict[str, Any]:  # type: ignore[override]
        raise NotImplementedError


class WithoutMarks(PlaceCodec):
    marks = ()  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ((WithoutWriter, *ASKS), r"test_new_ask.py: WithoutWriter lacks encode_answer$"),
        ((WithoutName, *ASKS), r"test_new_ask.py: WithoutName lacks name$"),
        ((WithoutPlan, *ASKS), r"test_new_ask.py: Unplanned lacks plan$"),
        ((WithoutCounts, *ASKS), r"test_new_ask.py: NothingCounted lacks num_pairs$"),
        ((PlaceCodec, PlaceCodec, *ASKS), "place: two kinds of asks have this name"),
        ((WithoutMarks, *ASKS), r"expected one kind without marks .* got \['WithoutMarks', 'BestCodec'\]"),
        ((PairCodec, BestCodec), r"expected one kind without marks where explains is True, got \[\]"),
    ],
)
def test_incomplete_kind_of_ask_is_rejected(kinds: AskKinds, message: str) -> None:
    check_asks(TABLE)
    with pytest.raises(TypeError, match=message):
        check_asks(kinds)


def test_module_that_the_table_does_not_name_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "pair.py").touch()
    check_folder(tmp_path, ASKS)
    (tmp_path / "place.py").touch()
    with pytest.raises(ImportError, match=r"place\.py: its kind of ask is not in ASKS; add it in "):
        check_folder(tmp_path, ASKS)


def test_forgotten_ask_stops_a_worker_at_import(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "handler", tmp_path / "handler", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "handler" / "asks" / "place.py").touch()
    command = [sys.executable, "-c", "import handler.service"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "place.py: its kind of ask is not in ASKS" in done.stderr
