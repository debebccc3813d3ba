"""The predictor's answers as the JSON values that a client sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handler.errors import RequestError, shown
from handler.settings import HandlerSettings
from model.asks import (
    Answer,
    Ask,
    BestAnswer,
    BestAsk,
    ColumnsAnswer,
    ColumnsAsk,
    ExplainAnswer,
    ExplainAsk,
    FoldInAnswer,
    FoldInAsk,
    PairAnswer,
    PairAsk,
)
from model.catalogue import Catalogue

# Ratings are float32 at heart: six decimals keep all of it and spare the client 9.729999542236328.
DECIMALS = 6


class JsonAnswers:
    """Shapes answers, with titles from the catalogue, and applies the policy for unknown ids."""

    def __init__(self, catalogue: Catalogue, settings: HandlerSettings) -> None:
        self._catalogue = catalogue
        self._refuses_unknown = settings.unknown == "error"

    def answer(self, ask: Ask, answer: Answer) -> dict[str, Any]:
        """One ask's answer.

        Raises:
            RequestError: it has an unknown id, and the policy refuses those.
        """
        if isinstance(answer, PairAnswer):
            assert isinstance(ask, PairAsk)
            return self._pair(ask.user_id, ask.movie_id, *answer)
        if isinstance(answer, BestAnswer):
            assert isinstance(ask, BestAsk)
            return self._best(ask, answer)
        if isinstance(answer, FoldInAnswer):
            assert isinstance(ask, FoldInAsk)
            return self._fold_in(ask, answer)
        assert isinstance(answer, ExplainAnswer)
        assert isinstance(ask, ExplainAsk)
        return self._explanation(ask, answer)

    def columns(self, ask: ColumnsAsk, answer: ColumnsAnswer) -> list[dict[str, Any]]:
        """One answer per pair; a pair that the policy refuses is answered by its error."""
        ratings = answer.ratings.round(DECIMALS).tolist()
        if answer.users_known.all() and answer.movies_known.all():
            return [
                {"user_id": user_id, "movie_id": movie_id, "rating": rating}
                for user_id, movie_id, rating in zip(ask.user_ids, ask.movie_ids, ratings, strict=True)
            ]
        known = answer.users_known.tolist(), answer.movies_known.tolist()
        return [self._slot(*pair) for pair in zip(ask.user_ids, ask.movie_ids, ratings, *known, strict=True)]

    def _slot(self, user_id: Any, movie_id: Any, rating: float, user_known: bool, movie_known: bool) -> dict[str, Any]:
        try:
            return self._pair(user_id, movie_id, rating, user_known, movie_known)
        except RequestError as error:
            return {"error": error.to_dict()}

    def _pair(self, user_id: Any, movie_id: Any, rating: float, user_known: bool, movie_known: bool) -> dict[str, Any]:
        found = {"user_id": user_id, "movie_id": movie_id, "rating": round(rating, DECIMALS)}
        if not (user_known and movie_known):
            self._flag_pair(found, user_known, movie_known)
        return found

    def _best(self, ask: BestAsk, answer: BestAnswer) -> dict[str, Any]:
        ratings = answer.ratings.round(DECIMALS).tolist()
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

    def _fold_in(self, ask: FoldInAsk, answer: FoldInAnswer) -> dict[str, Any]:
        found = self.answer(ask.ask, answer.answer)
        if ask.ask.user_id is None:
            del found["user_id"]
        strangers = [place for place, known in enumerate(answer.movies_known.tolist()) if not known]
        if strangers:
            names = [f"ratings[{place}].movie_id" for place in strangers]
            ids = {name: ask.movie_ids[place] for name, place in zip(names, strangers, strict=True)}
            self._flag(found, found.pop("unknown", []) + names, {**found, **ids})
        return found

    def _explanation(self, ask: ExplainAsk, answer: ExplainAnswer) -> dict[str, Any]:
        names = ("mean", "user", "movie", "interaction")
        found: dict[str, Any] = {
            "user_id": ask.user_id,
            "movie_id": ask.movie_id,
            "rating": round(answer.rating, DECIMALS),
            "parts": {name: round(getattr(answer, name), DECIMALS) for name in names},
            "because": [
                {"movie_id": movie_id, "rating": round(given, DECIMALS), "influence": round(influence, DECIMALS)}
                | self._catalogue.shown(row)
                for movie_id, row, given, influence in answer.because
            ],
        }
        self._flag_pair(found, answer.user_known, answer.movie_known)
        return found

    def _flag_pair(self, found: dict[str, Any], user_known: bool, movie_known: bool) -> None:
        known = {"user_id": user_known, "movie_id": movie_known}
        unknown = [name for name, is_known in known.items() if not is_known]
        if unknown:
            self._flag(found, unknown, found)

    def _flag(self, answer: dict[str, Any], unknown: list[str], ids: Mapping[str, Any]) -> None:
        """Marks an answer whose ids the model does not know, or refuses it, as the policy says."""
        if self._refuses_unknown:
            named = ", ".join(f"{name} {shown(ids[name])}" for name in unknown)
            raise unknown_ids(named)
        answer["unknown"] = unknown


def unknown_ids(named: str) -> RequestError:
    """The error of ids that the training data did not hold, where the policy refuses those."""
    return RequestError(f"{named}: not in the training data", code=404, kind="UnknownId")
