"""The policy for ids that the training data did not hold: the answer is flagged, or the request is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handler.errors import RequestError, shown
from handler.settings import HandlerSettings
from model.vocabulary import Vocabulary


class UnknownIds:
    """Applies the policy `unknown` of the settings."""

    def __init__(self, settings: HandlerSettings, words: Vocabulary) -> None:
        self._movie_id = words.item_id
        self.refused = settings.unknown == "error"

    def flag(self, answer: dict[str, Any], names: Sequence[str], ids: Mapping[str, Any]) -> None:
        """Adds the unknown ids' `names` to an answer; `ids` holds their values.

        Raises:
            RequestError: the policy refuses unknown ids.
        """
        if not names:
            return
        if self.refused:
            raise unknown_ids_error(", ".join(f"{name} {shown(ids[name])}" for name in names))
        answer["unknown"] = list(names)

    def flag_pair(self, answer: dict[str, Any], user_known: bool, movie_known: bool) -> None:
        """The same for an answer that holds `user_id` and `movie_id`."""
        known = {"user_id": user_known, self._movie_id: movie_known}
        self.flag(answer, [name for name, is_known in known.items() if not is_known], answer)


def unknown_ids_error(named: str) -> RequestError:
    """The error of unknown ids, where the policy refuses them; `named` are their names and values."""
    return RequestError(f"{named}: not in the training data", code=404, kind="UnknownId")
