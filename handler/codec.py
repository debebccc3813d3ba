"""JSON asks and answers: the client's side of the contract <-> the predictor's values.

Decoding checks everything a client can get wrong and says what was got, what is allowed and where; encoding
writes compact bytes. Nothing here scores anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from handler.errors import RequestError, shown
from handler.settings import HandlerSettings
from model.asks import Answer, Ask, BestAnswer, BestAsk, PairAnswer, PairAsk
from model.catalogue import Catalogue
from model.ids import IdMap

_PAIR_FIELDS = {"user_id", "movie_id"}
_BEST_FIELDS = {"user_id", "movie_ids", "top_k", "exclude_seen", "genres", "exclude"}
# Ratings are float32 at heart: six decimals keep all of it and spare the client 9.729999542236328.
_DECIMALS = 6


class Request(NamedTuple):
    """One client's request: its asks in order, an error in place of each that cannot be asked."""

    asks: list[Ask | RequestError]
    many: bool


class Codec:
    """Decodes and encodes for one model: its id types, its catalogue, its settings."""

    def __init__(self, user_ids: IdMap, movie_ids: IdMap, catalogue: Catalogue, settings: HandlerSettings) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._accepts_user, self._user_type = user_ids.accepts, _type_name(user_ids)
        self._accepts_movie, self._movie_type = movie_ids.accepts, _type_name(movie_ids)

    def decode(self, body: Any) -> Request:
        """A parsed JSON body -> its asks.

        Raises:
            RequestError: the body as a whole cannot be answered.
        """
        if not isinstance(body, dict):
            raise RequestError(f"body: expected an object, got {shown(body)}")
        if "instances" not in body:
            return Request([self._ask(body, "")], many=False)
        _allow_fields(body, {"instances"}, "")
        instances = _list(body["instances"], "instances", self._settings.max_instances)
        return Request([self._ask_or_error(item, f"instances[{i}]") for i, item in enumerate(instances)], many=True)

    def encode(self, request: Request, answers: Sequence[Answer | RequestError]) -> bytes:
        """One answer per ask, in order -> the response body.

        Raises:
            RequestError: the only answer is an error, or becomes one by the policy for unknown ids.
        """
        pairs = zip(request.asks, answers, strict=True)
        if request.many:
            return orjson.dumps({"predictions": [self._slot(ask, answer) for ask, answer in pairs]})
        return orjson.dumps(next(self._answer(ask, answer) for ask, answer in pairs))

    def _ask_or_error(self, item: object, where: str) -> Ask | RequestError:
        try:
            return self._ask(item, where)
        except RequestError as error:
            return error

    def _ask(self, item: object, where: str) -> Ask:
        if not isinstance(item, dict):
            raise RequestError(f"{where}: expected an object, got {shown(item)}")
        prefix = f"{where}." if where else ""
        if "user_id" not in item:
            raise RequestError(f"{prefix}user_id: missing")
        user_id = item["user_id"]
        if not self._accepts_user(user_id):
            raise RequestError(f"{prefix}user_id: expected {self._user_type}, got {shown(user_id)}")
        if "movie_id" in item:
            _allow_fields(item, _PAIR_FIELDS, prefix)
            return PairAsk(user_id, self._movie_id(item["movie_id"], f"{prefix}movie_id"))
        _allow_fields(item, _BEST_FIELDS, prefix)
        return self._best_ask(user_id, item, prefix)

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

    def _movie_id(self, value: Any, where: str) -> Any:
        if not self._accepts_movie(value):
            raise RequestError(f"{where}: expected {self._movie_type}, got {shown(value)}")
        return value

    def _movie_ids(self, values: object, where: str) -> list[Any]:
        found = _list(values, where, self._settings.max_candidates)
        return [self._movie_id(value, f"{where}[{i}]") for i, value in enumerate(found)]

    def _genres(self, values: object, where: str) -> list[str]:
        genres, allowed = _list(values, where, self._settings.max_candidates), self._catalogue.genres
        for i, genre in enumerate(genres):
            if not isinstance(genre, str) or genre not in allowed:
                raise RequestError(f"{where}[{i}]: got {shown(genre)}, allowed: {', '.join(allowed) or 'none'}")
        return genres

    def _slot(self, ask: Ask | RequestError, answer: Answer | RequestError) -> dict[str, Any]:
        try:
            return self._answer(ask, answer)
        except RequestError as error:
            return {"error": error.to_dict()}

    def _answer(self, ask: Ask | RequestError, answer: Answer | RequestError) -> dict[str, Any]:
        if isinstance(answer, RequestError) or isinstance(ask, RequestError):
            raise answer if isinstance(answer, RequestError) else AssertionError("an error has no answer")
        if isinstance(answer, PairAnswer):
            assert isinstance(ask, PairAsk)
            return self._pair(ask, answer)
        assert isinstance(ask, BestAsk)
        return self._best(ask, answer)

    def _pair(self, ask: PairAsk, answer: PairAnswer) -> dict[str, Any]:
        found = {"user_id": ask.user_id, "movie_id": ask.movie_id, "rating": round(answer.rating, _DECIMALS)}
        if not (answer.user_known and answer.movie_known):
            known = {"user_id": answer.user_known, "movie_id": answer.movie_known}
            self._flag(found, [name for name, is_known in known.items() if not is_known], found)
        return found

    def _best(self, ask: BestAsk, answer: BestAnswer) -> dict[str, Any]:
        ratings = answer.ratings.round(_DECIMALS).tolist()
        items = []
        for movie_id, row, rating in zip(answer.movie_ids, answer.movie_index.tolist(), ratings, strict=True):
            item = {"movie_id": movie_id, "rating": rating}
            if row == self._catalogue.num_movies:
                self._flag(item, ["movie_id"], item)
            else:
                item |= self._catalogue.shown(row)
            items.append(item)
        found: dict[str, Any] = {"user_id": ask.user_id, "recommendations": items}
        if not answer.user_known:
            self._flag(found, ["user_id"], found)
        return found

    def _flag(self, answer: dict[str, Any], unknown: list[str], ids: Mapping[str, Any]) -> None:
        """Marks an answer whose ids the model does not know, or refuses it, as the policy says."""
        if self._settings.unknown == "error":
            named = ", ".join(f"{name} {shown(ids[name])}" for name in unknown)
            raise RequestError(f"{named}: not in the training data", code=404, kind="UnknownId")
        answer["unknown"] = unknown


def _type_name(ids: IdMap) -> str:
    return "an integer" if ids.integer else "a string"


def _allow_fields(item: Mapping[str, Any], allowed: set[str], prefix: str) -> None:
    for name in item:
        if name not in allowed:
            raise RequestError(f"{prefix}{shown(name)}: no such field here, allowed: {', '.join(sorted(allowed))}")


def _list(values: object, where: str, most: int) -> list[Any]:
    if not isinstance(values, list):
        raise RequestError(f"{where}: expected an array, got {shown(values)}")
    if len(values) > most:
        raise RequestError(f"{where}: {len(values)} entries, at most {most} are allowed", code=413, kind="TooLarge")
    return values


def _integer(value: object, where: str, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise RequestError(f"{where}: expected an integer from 1 to {most}, got {shown(value)}")
    return value
