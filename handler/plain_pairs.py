"""Requests that ask for one rating and nothing else, as most do: one loop decodes a batch of them, and one writes it.

Such a body is `{"user_id": ..., "movie_id": ...}` with two good ids, in the words of the model. `codec.py` can answer
these requests too, byte for byte the same, and answers all others. Here no request has an object of its own on its
way: the ids lie in two lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from handler.asks.base import DECIMALS
from handler.asks.pair import PairCodec
from handler.encodings import CONTENT_ENCODING
from handler.errors import RequestError
from handler.oip_codec import HEADER_LENGTH
from handler.request import Request, Response
from handler.settings import HandlerSettings
from handler.string_ids import LARGEST
from model.asks import Answer, ColumnsAnswer, ColumnsAsk, PairAnswer, PairAsk

# Headers that change what a body means.
_SPECIAL_HEADERS = (CONTENT_ENCODING, HEADER_LENGTH.lower())
# A longer body holds long ids or much space, and goes the usual way.
_LONGEST_BODY = 512
# An answer repeats the ids of its body, and adds less than this.
_LONGEST_ADDITION = 128


class PlainRequests(NamedTuple):
    """The plain requests of a batch: their places in it, in order, and their ids."""

    places: list[int]
    user_ids: list[Any]
    movie_ids: list[Any]

    @property
    def asks(self) -> list[ColumnsAsk]:
        """One ask for all of them; none where there are none."""
        return [ColumnsAsk(self.user_ids, self.movie_ids)] if self.places else []

    def others(self, number: int) -> list[int]:
        """The places of the other requests, where the batch has so many."""
        return sorted(set(range(number)).difference(self.places)) if len(self.places) < number else []


NO_PLAIN_REQUESTS = PlainRequests([], [], [])


class PlainPairs:
    """Finds the plain requests of a batch, and writes their answers. `pair` decodes and encodes single pairs."""

    def __init__(self, pair: PairCodec, settings: HandlerSettings) -> None:
        self._pair = pair
        self.kind = pair.name
        self._longest_body = min(_LONGEST_BODY, settings.max_body_bytes, settings.max_answer_bytes - _LONGEST_ADDITION)
        self._item_id = pair.item_id
        item = pair.item_id.encode()
        self._line = b'{"user_id":%d,"' + item + b'":%d,"rating":%b}' if pair.types == (int, int) else None
        self._text_line = b'{"user_id":%b,"' + item + b'":%b,"rating":%b}'

    def find(self, requests: Sequence[Request]) -> PlainRequests:
        """The requests of a batch that are plain."""
        types = user_type, movie_type = self._pair.types
        longest = self._longest_body
        item_id = self._item_id
        places: list[int] = []
        users: list[Any] = []
        movies: list[Any] = []
        seen_headers: object = None
        ordinary = False
        for place, (body, headers, endpoint, _) in enumerate(requests):
            if headers is not seen_headers:  # mostly those of the request before: the reader of frames shares them
                seen_headers = headers
                ordinary = not any(name in headers for name in _SPECIAL_HEADERS)
            if not ordinary or endpoint != "predictions" or type(body) is not bytes or len(body) > longest:
                continue
            try:
                item = orjson.loads(body)
            except orjson.JSONDecodeError:
                continue
            if type(item) is not dict or len(item) != 2:
                continue
            user_id: Any = item.get("user_id")
            movie_id: Any = item.get(item_id)
            if (type(user_id), type(movie_id)) != types:
                continue
            if (user_type is str or user_id <= LARGEST) and (movie_type is str or movie_id <= LARGEST):
                places.append(place)
                users.append(user_id)
                movies.append(movie_id)
        return PlainRequests(places, users, movies)

    def encode(self, plain: PlainRequests, answers: Sequence[Answer]) -> list[Response]:
        """One response for each plain request, in their order; `answers` are those to its asks."""
        if not plain.places:
            return []
        [answer] = answers
        assert isinstance(answer, ColumnsAnswer)
        ratings = answer.ratings.round(DECIMALS)
        texts = orjson.dumps(ratings, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
        pairs = zip(plain.user_ids, plain.movie_ids, texts, strict=True)
        if self._line is not None:
            line = self._line
            responses = [Response(line % pair) for pair in pairs]
        else:
            responses = [Response(self._write_texts(*pair)) for pair in pairs]
        for place in (~(answer.users_known & answer.movies_known)).nonzero()[0].tolist():
            responses[place] = self._with_unknown_ids(plain, answer, place)
        return responses

    def _with_unknown_ids(self, plain: PlainRequests, answer: ColumnsAnswer, place: int) -> Response:
        pair = PairAsk(plain.user_ids[place], plain.movie_ids[place])
        known = bool(answer.users_known[place]), bool(answer.movies_known[place])
        try:
            found = self._pair.encode_answer(pair, PairAnswer(float(answer.ratings[place]), *known))
        except RequestError as error:
            return error.to_response()
        return Response(orjson.dumps(found))

    def _write_texts(self, user_id: object, movie_id: object, rating: bytes) -> bytes:
        """An answer with a string as id, which may need escapes in JSON."""
        return self._text_line % (orjson.dumps(user_id), orjson.dumps(movie_id), rating)
