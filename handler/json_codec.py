"""JSON asks and answers: the client's side of the contract <-> the predictor's values.

Decoding checks everything a client can get wrong and says what was got, what is allowed and where; encoding
writes compact bytes. Nothing here scores anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from handler.errors import RequestError, allow_fields, expect_list, shown, too_large
from handler.given_ratings import GivenRatings, type_name
from handler.json_answers import JsonAnswers
from handler.request import Reply, Request
from handler.settings import HandlerSettings
from model.asks import Answer, Ask, BestAsk, ColumnsAnswer, ColumnsAsk, ExplainAsk, FoldInAsk, PairAsk
from model.catalogue import Catalogue
from model.ids import IdMap

INSTANCES = "instances"
RATINGS = "ratings"
PAIR_FIELDS = frozenset({"user_id", "movie_id"})
BEST_FIELDS = frozenset({"user_id", "movie_ids", "top_k", "exclude_seen", "genres", "exclude"})
KINDS = {PairAsk: "pair", BestAsk: "best", FoldInAsk: "fold_in", ExplainAsk: "explanation"}


class JsonCodec:
    """Decodes and encodes for one model: its id types, its catalogue, its settings."""

    def __init__(
        self,
        user_ids: IdMap,
        movie_ids: IdMap,
        catalogue: Catalogue,
        settings: HandlerSettings,
        given: GivenRatings,
    ) -> None:
        self._given = given
        self._catalogue = catalogue
        self._settings = settings
        self._user_type, self._movie_type = user_ids.python_type, movie_ids.python_type
        self._answers = JsonAnswers(catalogue, settings)

    def decode(self, body: dict[str, Any], explain: bool) -> Request:
        """A parsed body -> its asks.

        Raises:
            RequestError: the body as a whole cannot be answered.
        """
        if INSTANCES not in body:
            ask = self._explain_ask(body, "") if explain else self._ask(body, "")
            return Request(KINDS[type(ask)], [ask], partial(self._encode_one, ask))
        allow_fields(body, frozenset({INSTANCES}), "")
        instances = expect_list(body[INSTANCES], INSTANCES)
        most = self._settings.max_explanations if explain else self._settings.max_pairs
        if len(instances) > most:
            raise too_large(INSTANCES, len(instances), "entries", most)
        columns = None if explain else self._columns(instances)
        if columns is not None:
            return Request(INSTANCES, [columns], partial(self._encode_columns, columns))
        asks = self._asks(instances, explain)
        good = [ask for ask in asks if not isinstance(ask, RequestError)]
        return Request(INSTANCES, good, partial(self._encode_many, asks, "explanations" if explain else "predictions"))

    def _columns(self, instances: list[Any]) -> ColumnsAsk | None:
        """Instances that are all plain pairs, as columns; None where one is not, and each must be looked at."""
        try:
            users = [item["user_id"] for item in instances]
            movies = [item["movie_id"] for item in instances]
        except (KeyError, TypeError):
            return None
        plain = set(map(len, instances)) == {2}
        typed = set(map(type, users)) == {self._user_type} and set(map(type, movies)) == {self._movie_type}
        return ColumnsAsk(users, movies) if plain and typed else None

    def _asks(self, instances: list[Any], explain: bool) -> list[Ask | RequestError]:
        asks: list[Ask | RequestError] = []
        pairs_left = self._settings.max_pairs
        for number, item in enumerate(instances):
            where = f"{INSTANCES}[{number}]"
            try:
                ask = self._explain_ask(item, where) if explain else self._ask(item, where)
            except RequestError as error:
                asks.append(error)
                continue
            pairs_left -= self._pairs_of(ask)
            if pairs_left < 0 and len(instances) > 1:
                raise too_large(INSTANCES, self._settings.max_pairs - pairs_left, "pairs", self._settings.max_pairs)
            asks.append(ask)
        return asks

    def _pairs_of(self, ask: Ask) -> int:
        ask = ask.ask if isinstance(ask, FoldInAsk) else ask
        if not isinstance(ask, BestAsk):
            return 1
        return self._catalogue.num_movies if ask.movie_ids is None else len(ask.movie_ids)

    def _ask(self, item: object, where: str) -> Ask:
        prefix = f"{where}." if where else ""
        if not isinstance(item, dict):
            raise RequestError(f"{where}: expected an object, got {shown(item)}")
        if RATINGS in item:
            movie_ids, ratings = self._given.decode(item[RATINGS], f"{prefix}{RATINGS}")
            inner = {name: value for name, value in item.items() if name != RATINGS}
            return FoldInAsk(self._rating_ask(inner, prefix, guest="user_id" not in item), movie_ids, ratings)
        return self._rating_ask(item, prefix)

    def _rating_ask(self, item: Mapping[str, Any], prefix: str, guest: bool = False) -> PairAsk | BestAsk:
        """One that is answered with ratings, for a user or, of those who are known by their ratings alone, a guest."""
        if "movie_id" in item and not guest:
            return PairAsk(*self._pair(item, prefix))
        user_id = None if guest else self._user_id(item, prefix)
        if "movie_id" in item:
            allow_fields(item, PAIR_FIELDS, prefix)
            return PairAsk(user_id, self._movie_id(item["movie_id"], f"{prefix}movie_id"))
        allow_fields(item, BEST_FIELDS, prefix)
        return self._best_ask(user_id, item, prefix)

    def _explain_ask(self, item: object, where: str) -> ExplainAsk:
        if not isinstance(item, dict):
            raise RequestError(f"{where}: expected an object, got {shown(item)}")
        prefix = f"{where}." if where else ""
        self._user_id(item, prefix)
        if "movie_id" not in item:
            raise RequestError(f"{prefix}movie_id: missing")
        return ExplainAsk(*self._pair(item, prefix))

    def _pair(self, item: Mapping[str, Any], prefix: str) -> tuple[Any, Any]:
        user_id, movie_id = self._user_id(item, prefix), item["movie_id"]
        if len(item) != len(PAIR_FIELDS):
            allow_fields(item, PAIR_FIELDS, prefix)
        return user_id, self._movie_id(movie_id, f"{prefix}movie_id")

    def _best_ask(self, user_id: Any, item: Mapping[str, Any], prefix: str) -> BestAsk:
        if "movie_ids" not in item and "top_k" not in item:
            raise RequestError(f"{prefix}movie_id: missing (or movie_ids, or top_k)")
        movie_ids, top_k = None, None
        if "movie_ids" in item:
            movie_ids = self._movie_ids(item["movie_ids"], f"{prefix}movie_ids")
        if "top_k" in item:
            top_k = _integer(item["top_k"], f"{prefix}top_k", self._settings.max_top_k)
        exclude_seen = item.get("exclude_seen", movie_ids is None)
        if type(exclude_seen) is not bool:
            raise RequestError(f"{prefix}exclude_seen: expected true or false, got {shown(exclude_seen)}")
        genres = self._genres(item.get("genres", []), f"{prefix}genres")
        exclude = self._movie_ids(item.get("exclude", []), f"{prefix}exclude")
        return BestAsk(user_id, movie_ids, top_k, exclude_seen, genres, exclude)

    def _user_id(self, item: Mapping[str, Any], prefix: str) -> Any:
        if "user_id" not in item:
            raise RequestError(f"{prefix}user_id: missing")
        value = item["user_id"]
        if type(value) is not self._user_type:
            raise RequestError(f"{prefix}user_id: expected {type_name(self._user_type)}, got {shown(value)}")
        return value

    def _movie_id(self, value: Any, where: str) -> Any:
        if type(value) is not self._movie_type:
            raise RequestError(f"{where}: expected {type_name(self._movie_type)}, got {shown(value)}")
        return value

    def _movie_ids(self, values: object, where: str) -> list[Any]:
        found = expect_list(values, where)
        if len(found) > self._settings.max_pairs:
            raise too_large(where, len(found), "entries", self._settings.max_pairs)
        return [self._movie_id(value, f"{where}[{i}]") for i, value in enumerate(found)]

    def _genres(self, values: object, where: str) -> list[str]:
        genres, allowed = expect_list(values, where), self._catalogue.genres
        for i, genre in enumerate(genres):
            if not isinstance(genre, str) or genre not in allowed:
                raise RequestError(f"{where}[{i}]: got {shown(genre)}, allowed: {', '.join(allowed) or 'none'}")
        return list(dict.fromkeys(genres))

    def _encode_one(self, ask: Ask, answers: Sequence[Answer]) -> Reply:
        return Reply(orjson.dumps(self._answers.answer(ask, answers[0])))

    def _encode_columns(self, ask: ColumnsAsk, answers: Sequence[Answer]) -> Reply:
        [answer] = answers
        assert isinstance(answer, ColumnsAnswer)
        return Reply(orjson.dumps({"predictions": self._answers.columns(ask, answer)}))

    def _encode_many(self, asks: Sequence[Ask | RequestError], name: str, answers: Sequence[Answer]) -> Reply:
        left = iter(answers)
        slots = []
        for ask in asks:
            try:
                if isinstance(ask, RequestError):
                    raise ask
                slots.append(self._answers.answer(ask, next(left)))
            except RequestError as error:
                slots.append({"error": error.to_dict()})
        return Reply(orjson.dumps({name: slots}))


def _integer(value: object, where: str, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise RequestError(f"{where}: expected an integer from 1 to {most}, got {shown(value)}")
    return value
