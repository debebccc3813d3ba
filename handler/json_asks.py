"""Items of JSON, a body or the entries of `instances`, become the predictor's asks.

Everything a client can get wrong is checked here, and told: what was got, what is allowed and where.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler.errors import RequestError, allow_fields, expect_list, shown, too_large
from handler.given_ratings import GivenRatings, type_name
from handler.settings import HandlerSettings
from model.asks import Ask, BestAsk, ColumnsAsk, ExplainAsk, FoldInAsk, PairAsk
from model.catalogue import Catalogue
from model.ids import IdMap

RATINGS = "ratings"
PAIR_FIELDS = frozenset({"user_id", "movie_id"})
BEST_FIELDS = frozenset({"user_id", "movie_ids", "top_k", "exclude_seen", "genres", "exclude"})


class JsonAsks:
    """Decodes items for one model: its id types, its catalogue, its settings."""

    def __init__(
        self,
        user_ids: IdMap,
        movie_ids: IdMap,
        catalogue: Catalogue,
        settings: HandlerSettings,
        given: GivenRatings,
    ) -> None:
        self._types = self._user_type, self._movie_type = user_ids.python_type, movie_ids.python_type
        self._catalogue = catalogue
        self._settings = settings
        self._given = given

    def decode(self, item: object, where: str, explain: bool) -> Ask:
        """An item that lies at `where` (empty for a whole body), as an explanation or as what its fields ask for.

        Raises:
            RequestError: it is not what it must be.
        """
        if not isinstance(item, dict):
            raise RequestError(f"{where}: expected an object, got {shown(item)}")
        # A plain pair, as most are, needs no other checks than these.
        if not explain and len(item) == 2 and (type(item.get("user_id")), type(item.get("movie_id"))) == self._types:
            return PairAsk(item["user_id"], item["movie_id"])
        prefix = f"{where}." if where else ""
        return self._explain_ask(item, prefix) if explain else self._ask(item, prefix)

    def columns(self, instances: list[Any]) -> ColumnsAsk | None:
        """Instances that are all plain pairs, as columns; None where one is not, and each must be looked at."""
        try:
            users = [item["user_id"] for item in instances]
            movies = [item["movie_id"] for item in instances]
        except (KeyError, TypeError):
            return None
        plain = set(map(len, instances)) == {2}
        typed = set(map(type, users)) == {self._user_type} and set(map(type, movies)) == {self._movie_type}
        return ColumnsAsk(users, movies) if plain and typed else None

    def num_pairs(self, ask: Ask) -> int:
        """How many pairs an ask has the network rate, where no filter leaves any out."""
        ask = ask.ask if isinstance(ask, FoldInAsk) else ask
        if not isinstance(ask, BestAsk):
            return 1
        return self._catalogue.num_movies if ask.movie_ids is None else len(ask.movie_ids)

    def _ask(self, item: Mapping[str, Any], prefix: str) -> Ask:
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

    def _explain_ask(self, item: Mapping[str, Any], prefix: str) -> ExplainAsk:
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


def _integer(value: object, where: str, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise RequestError(f"{where}: expected an integer from 1 to {most}, got {shown(value)}")
    return value
