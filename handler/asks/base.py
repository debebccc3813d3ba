"""What every kind of JSON ask must say of itself: how it is decoded, what its answer looks like, and its schema."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from handler import options
from handler.errors import allow_fields
from handler.id_fields import IdFields
from handler.schema_terms import Schema, SchemaTerms, ref
from handler.settings import HandlerSettings
from handler.string_ids import with_string_ids
from handler.unknown_ids import UnknownIds
from model.asks import Answer, Ask, RawId, ServedModel
from model.catalogue import Catalogue
from model.scale import RatingScale
from model.vocabulary import Vocabulary

# Ratings are float32 at heart: six decimals keep all of it and spare the client 9.729999542236328.
DECIMALS = 6
# The fields of what a client sends along about a user.
RATINGS, EVENTS = "ratings", "events"
# So many movies are kept as answers show them.
_KEPT_MOVIES = 16_384

AskT = TypeVar("AskT", bound=Ask)
AnswerT = TypeVar("AnswerT", bound=Answer)


@dataclass(frozen=True)
class AskContext:
    """What the kinds of asks need of one model and of the settings."""

    settings: HandlerSettings
    fields: IdFields
    unknown: UnknownIds
    catalogue: Catalogue
    scale: RatingScale
    terms: SchemaTerms
    ranked: bool
    """Whether the model has an interest part."""
    takes_ratings: bool
    """Whether the network takes new ratings."""
    about: Mapping[str, Callable[[], dict[str, Any]]]
    """What is told of each subject that a client may ask about."""
    explained: bool
    """Whether the network has towers of vectors: a rating is followed back to its user's."""
    compared: bool
    """Whether the network has vectors by which movies are compared."""
    words: Vocabulary
    """What clients call movies and genres."""

    @classmethod
    def of(
        cls, model: ServedModel, settings: HandlerSettings, about: Mapping[str, Callable[[], dict[str, Any]]]
    ) -> AskContext:
        """The context of one model and these settings."""
        return cls(
            settings,
            IdFields(model.user_ids, model.movie_ids, settings.max_pairs, model.words),
            UnknownIds(settings, model.words),
            model.catalogue,
            model.scale,
            SchemaTerms(model, DECIMALS),
            model.ranking is not None,
            model.scorer.can_encode,
            about,
            model.scorer.has_vectors,
            model.similarity is not None,
            model.words,
        )

    @cached_property
    def id_fields(self) -> frozenset[str]:
        """The fields that hold one id."""
        return frozenset({"user_id", self.words.item_id})

    @cached_property
    def fold_in_fields(self) -> frozenset[str]:
        """What a client may send along about a user, as far as the model uses it."""
        used = {RATINGS: self.takes_ratings, EVENTS: self.ranked}
        return frozenset(name for name, is_used in used.items() if is_used)

    def shown(self, row: int, fields: Sequence[str] = ()) -> dict[str, Any]:
        """What answers show about the movie in `row`; see `Catalogue.shown`. Answers share it: do not change it."""
        if not fields:
            return self._usually_shown(row)
        return self.catalogue.shown(row, fields, self.words.tags)

    @cached_property
    def _usually_shown(self) -> Callable[[int], dict[str, Any]]:
        """What answers without `fields` show, kept for the movies that were shown last."""
        return lru_cache(_KEPT_MOVIES)(lambda row: self.catalogue.shown(row, (), self.words.tags))

    def decode_fields(self, values: object, where: str) -> list[str]:
        """The columns that `fields` asks for; see `options.fields`."""
        return options.fields(values, where, self.catalogue, self.words)

    def fields_schema(self) -> Schema:
        """What `fields` accepts."""
        return options.fields_schema(self.catalogue, self.words)

    def catalogue_schema(self) -> Schema:
        """What answers show of a movie; the values of columns that `fields` asks for are the data's own."""
        return {**self.terms.catalogue, **dict.fromkeys(options.shown_columns(self.catalogue, self.words), True)}


class AskCodec(ABC, Generic[AskT, AnswerT]):
    """One kind of ask that clients send as JSON. Subclasses stand in the table `ASKS` of `handler/asks/__init__.py`."""

    name: ClassVar[str]
    """What metrics count it by, and what the schema of requests calls it."""
    answer_name: str
    """What the schema of answers calls its answer."""
    marks: tuple[str, ...]
    """The first kind with a mark among an item's fields decodes it; the kind without marks decodes the rest."""
    explains: ClassVar[bool] = False
    """Whether it is asked at /explanations; the others are asked at /predictions."""

    def __init__(self, context: AskContext) -> None:
        self.context = context

    @abstractmethod
    def decode_item(self, item: Mapping[str, Any], prefix: str) -> AskT:
        """A JSON object as an ask; `prefix` says in messages where the object lies.

        Raises:
            RequestError: what was got, what is allowed, and where.
        """

    @abstractmethod
    def encode_answer(self, ask: AskT, answer: AnswerT) -> dict[str, Any]:
        """The answer as a JSON object.

        Raises:
            RequestError: it has an unknown id, and the policy refuses those.
        """

    @abstractmethod
    def num_pairs(self, ask: AskT) -> int:
        """At most how many pairs the network rates for this ask; the limit `max_pairs` counts them."""

    @abstractmethod
    def request_schema(self) -> Schema:
        """Items that `decode_item` accepts."""

    @abstractmethod
    def answer_schema(self) -> Schema:
        """Objects that `encode_answer` makes."""


class UserAskCodec(AskCodec[AskT, AnswerT]):
    """An ask about one user, `user_id`. A client may send their ratings and events with it: `handler/fold_in.py`."""

    def decode_item(self, item: Mapping[str, Any], prefix: str) -> AskT:
        """As `decode_for`, for the user of the field `user_id`."""
        return self.decode_for(self.context.fields.user_id(item, prefix), item, prefix)

    def request_schema(self) -> Schema:
        """As `schema_for`, with the field `user_id`."""
        return self.schema_for({"user_id": ref("user_id")}, {})

    def allow(self, item: Mapping[str, Any], fields: frozenset[str], prefix: str) -> None:
        """Rejects a field that is neither one of these nor about the user."""
        allow_fields(item, fields | self.context.fold_in_fields, prefix)

    @abstractmethod
    def decode_for(self, user_id: RawId | None, item: Mapping[str, Any], prefix: str) -> AskT:
        """As `decode_item`, for a user whose id is decoded already. None: only ratings or events say who they are."""

    @abstractmethod
    def schema_for(self, required: Schema, optional: Schema) -> Schema:
        """As `AskCodec.request_schema`, with these fields for the user."""


class DecodedItem(NamedTuple):
    """An ask, the codec that decoded it, and whether the ids of its answer are to be strings."""

    codec: AskCodec[Any, Any]
    ask: Ask
    string_ids: bool = False

    def encode(self, answer: Answer) -> dict[str, Any]:
        """The ask's answer as a JSON object; see `AskCodec.encode_answer`."""
        found = self.codec.encode_answer(self.ask, answer)
        return with_string_ids(found, self.codec.context.id_fields) if self.string_ids else found

    def num_pairs(self) -> int:
        """See `AskCodec.num_pairs`."""
        return self.codec.num_pairs(self.ask)
