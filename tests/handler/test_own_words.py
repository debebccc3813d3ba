"""A model of products answers as one of movies does, in its own words, and understands the words of every model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from model.artifact import Artifact
from model.vocabulary import FIELDS, Vocabulary
from tests.handler.conftest import Worker
from tests.handler.schemas import Schemas

Make = Callable[..., Worker]
OWN = {
    "movie": "product",
    "movies": "products",
    "movie_id": "product_id",
    "movie_ids": "product_ids",
    "movie_known": "product_known",
    "num_movies": "num_products",
    "genres": "categories",
    "unknown_movie_id": "unknown_product_id",
}
TENSORS = [
    {"name": "user_id", "shape": [2], "datatype": "INT64", "data": [5, 11]},
    {"name": "movie_id", "shape": [2], "datatype": "INT64", "data": [3, 4]},
]
BODIES: list[Any] = [
    {"user_id": 11, "movie_id": 3},
    {"user_id": 11, "movie_id": 4},
    {"user_id": 11, "movie_ids": [3, 10253, 4], "genres": ["Drama"]},
    {"user_id": 11, "top_k": 3, "exclude": [3]},
    {"movie_id": 3, "similar": 3},
    {"search": "mov", "limit": 2},
    {"instances": [{"user_id": 11, "movie_id": 3}, {"user_id": 11, "movie_id": 10253}]},
    {"instances": [{"user_id": 11, "movie_id": "x"}, {"user_id": 11}], "ids_as_strings": True},
    {"ratings": [{"movie_id": 3, "rating": 9}, {"movie_id": 4, "rating": 9}], "movie_id": 10253},
    {"inputs": TENSORS},
    {"inputs": TENSORS, "outputs": [{"name": "movie_known"}]},
    {"inputs": TENSORS[:1]},
    {"user_id": 11, "film": 3},
    {"user_id": 11, "movie_ids": 3},
    {"ratings": [{"rating": 9}], "movie_id": 3},
    b"",
]


def told_in_own_words(value: Any) -> Any:
    """The same with every name of a field, and every word of a message, as a shop has them."""
    if isinstance(value, dict):
        return {OWN.get(name, name): told_in_own_words(one) for name, one in value.items()}
    if isinstance(value, list):
        return [told_in_own_words(one) for one in value]
    return in_a_text(value) if isinstance(value, str) else value


def in_a_text(text: str) -> str:
    for word, own in sorted(OWN.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(word, own)
    return text


@pytest.fixture
def shop(ranked_artifact: Artifact) -> Artifact:
    metadata = {**ranked_artifact.metadata, "vocabulary": {"item": "product", "tags": "categories"}}
    return replace(ranked_artifact, metadata=metadata)


@pytest.fixture
def both(worker: Make, shop: Artifact, ranked_artifact: Artifact) -> tuple[Worker, Worker]:
    return worker(ranked_artifact), worker(shop)


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_shop_is_answered_as_a_cinema_is_in_its_own_words(both: tuple[Worker, Worker], body: Any) -> None:
    movies, products = both
    asked = told_in_own_words(body)
    [(status, answer)], [(own_status, own_answer)] = movies.ask(body), products.ask(asked)
    if "message" in answer:  # a message lists the allowed fields by the alphabet
        assert sorted(own_answer["message"]) == sorted(in_a_text(answer["message"]))
    else:
        assert own_answer == told_in_own_words(answer)
    assert own_status == status
    assert Schemas(products).answer.is_valid(own_answer), own_answer
    if status == 200 and "error" not in str(answer):
        assert Schemas(products).request.is_valid(asked)


def test_explanations_speak_the_models_words(both: tuple[Worker, Worker]) -> None:
    movies, products = both
    headers = {"content-type": "application/json", "explain": "True"}
    [[(status, told)], [(_, own)]] = [
        served.rows({"body": body}, headers=headers)
        for served, body in ((movies, b'{"user_id":23,"movie_id":3}'), (products, b'{"user_id":23,"product_id":3}'))
    ]
    assert status == 200
    assert own == told_in_own_words(told)
    assert own["parts"].keys() == {"mean", "user", "product", "interaction"}


def generic(value: Any) -> Any:
    """A body as a client sends it that knows no model's words."""
    if isinstance(value, dict):
        names = {"movie_id": "item_id", "movie_ids": "item_ids", "genres": "categories"}
        return {names.get(name, name): generic(one) for name, one in value.items()}
    if isinstance(value, list):
        return [generic(one) for one in value]
    return "item_id" if value == "movie_id" else value


@pytest.mark.parametrize("body", [body for body in BODIES if body and "film" not in body], ids=str)
def test_every_model_understands_item_id(both: tuple[Worker, Worker], body: Any) -> None:
    products = both[1]
    if "outputs" in body:
        body = {"inputs": body["inputs"]}
    assert products.ask(generic(body)) == products.ask(told_in_own_words(body))


@pytest.mark.parametrize(
    "body", [{"user_id": 11, "item_id": 3, "product_id": 3}, {"item_ids": [3], "product_ids": [3]}]
)
def test_an_id_by_both_names_is_refused(both: tuple[Worker, Worker], body: Any) -> None:
    [(status, answer)] = both[1].ask(body)
    assert status == 400
    assert "both say the same: expected one of them" in answer["message"]


def test_description_schema_and_metadata_have_no_movies(both: tuple[Worker, Worker]) -> None:
    movies, products = both
    [(_, about)] = products.ask({"about": "model"})
    assert about["vocabulary"] == {"item": "product", "tags": "categories", "items": "products", "tag": "category"}
    assert about["num_products"] == 6
    assert about["categories"]
    [described] = products.rows({}, headers={"describe": "True"})
    shown = str(described[1]) + str({name: value for name, value in about.items() if name != "card"})
    assert "movie" not in shown
    assert "genre" not in shown
    assert movies.ask({"about": "model"})[0][1]["num_movies"] == 6


def names_of_fields(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(names_of_fields, schema))
    if not isinstance(schema, dict):
        return set()
    own = set(schema.get("properties", {})) | {name for name in [schema.get("const")] if isinstance(name, str)}
    return own.union(*map(names_of_fields, schema.values()))


def test_no_word_can_be_that_of_another_field(both: tuple[Worker, Worker]) -> None:
    words = Vocabulary()
    [(_, about)] = both[0].ask({"about": "model"})
    own = {words.item, words.items, words.item_id, words.item_ids, words.item_known, words.tags, words.num_items}
    fields = names_of_fields(about["schema"]) | set(about)
    fields = {name for name in fields if name.islower() and not name.startswith("unknown_")}
    assert fields - own <= FIELDS
