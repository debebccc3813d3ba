"""`{"user_id": ..., "movie_id": ...}` at /explanations: how a rating comes about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handler.asks.base import DECIMALS, UserAskCodec
from handler.errors import RequestError
from handler.schema_terms import NUMBER, Schema, array_of, object_of, ref
from model.asks import ExplainAnswer, ExplainAsk, RawId
from model.asks.explanation import ScoreExplanation

PARTS = ("mean", "user", "movie", "interaction")
SCORE_PARTS = ("history", "popularity", "rating")


class ExplanationCodec(UserAskCodec[ExplainAsk, ExplainAnswer]):
    """Explanations of single pairs."""

    name = "explanation"
    answer_name = "explanation_of_pair"
    marks = ()
    explains = True

    def decode_for(self, user_id: RawId | None, item: Mapping[str, Any], prefix: str) -> ExplainAsk:
        """The pair that is to be explained."""
        if not self.context.explained:
            raise RequestError(
                "this model's network gives a rating and no reasons: it was trained elsewhere, without two towers"
            )
        if self.context.words.item_id in item:
            self.allow(item, self.context.id_fields, prefix)
        return ExplainAsk(user_id, self.context.fields.movie_id(item, prefix))

    def encode_answer(self, ask: ExplainAsk, answer: ExplainAnswer) -> dict[str, Any]:
        """The rating, its parts, and the user's own ratings that moved it most."""
        found: dict[str, Any] = {
            "user_id": ask.user_id,
            self.context.words.item_id: ask.movie_id,
            "rating": round(answer.rating, DECIMALS),
            "parts": {self._word(name): round(getattr(answer, name), DECIMALS) for name in PARTS},
            "because": self._because(answer.because, "influence"),
        }
        if answer.score is not None:
            found["recommended"] = self._recommended(answer.score)
        self.context.unknown.flag_pair(found, answer.user_known, answer.movie_known)
        return found

    def _word(self, part: str) -> str:
        """What a part is called: the movie's by the model's own word."""
        return self.context.words.item if part == "movie" else part

    def _recommended(self, score: ScoreExplanation) -> dict[str, Any]:
        """The score and its parts."""
        return {
            "score": round(score.score, DECIMALS),
            "parts": {name: round(getattr(score, name), DECIMALS) for name in SCORE_PARTS},
            "because": self._because(score.because, "share"),
            "others": round(score.others, DECIMALS),
        }

    def _because(self, picks: Sequence[tuple[Any, int, float | None, float]], effect: str) -> list[dict[str, Any]]:
        """The user's own picks, each with its effect; an event has no rating."""
        name = self.context.words.item_id
        found = []
        for movie_id, row, given, value in picks:
            rating = {} if given is None else {"rating": round(given, DECIMALS)}
            found.append({name: movie_id, **rating, effect: round(value, DECIMALS)} | self.context.shown(row))
        return found

    def num_pairs(self, ask: ExplainAsk) -> int:  # noqa: ARG002  every kind is asked
        """One."""
        return 1

    def schema_for(self, required: Schema, optional: Schema) -> Schema:
        """A pair, as at /predictions."""
        return object_of({**required, self.context.words.item_id: self.context.terms.movie}, optional)

    def answer_schema(self) -> Schema:
        """The pair with its rating, `parts` and `because`."""
        terms = self.context.terms
        rated = {self.context.words.item_id: self.context.terms.movie, "rating": terms.rating}
        moved = object_of({**rated, "influence": NUMBER}, terms.catalogue)
        parts = object_of({self._word(name): NUMBER for name in PARTS})
        optional: Schema = {"user_id": ref("user_id"), "unknown": terms.unknown}
        if self.context.ranked:
            picked = {name: value for name, value in rated.items() if name != "rating"}
            shared = object_of({**picked, "share": NUMBER}, {"rating": terms.rating, **terms.catalogue})
            score_parts = object_of(dict.fromkeys(SCORE_PARTS, NUMBER))
            optional["recommended"] = object_of(
                {"score": NUMBER, "parts": score_parts, "because": array_of(shared), "others": NUMBER}
            )
        required = {**rated, "parts": parts, "because": array_of(moved)}
        return object_of(required, optional)
