"""A model's words for its items and their tags: `movie` and `genres`, or words that the user chose.

A version's metadata contains its words. Everything that people read or send uses them: fields of requests and answers,
tensor names, the schema, errors, the page, the report. The code always says movie and genres.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

# Every model also understands these words, so that one client can ask any model.
ITEM_ID = "item_id"
ITEM_IDS = "item_ids"
METADATA = "vocabulary"

_WORD = re.compile("[a-z](?:[a-z0-9_]{0,38}[a-z0-9])?")
# Names of fields that requests, answers or descriptions already have.
_TAKEN = """
    about adopted answer architecture at_most batch_ms batches because binary_data binary_data_output
    binary_data_size by_kind card chosen code columns compared config created cross_validation data datatype
    description digest error events example exclude exclude_seen explained explanation explanations fields fold_in
    history id ids ids_as_strings influence inputs instances interaction interest kind largest_batch libraries limit
    limits mapped mean mean_batch mean_batch_ms message metrics model model_name model_version name novelty num_events
    num_ratings num_users others outputs page pair parameters parts pictures platform popularity predictions prefix
    rank_by ranked ranking rankings rating rating_scale rating_step ratings reading recommendations recommended request
    requests requests_last_minute schema schema_version score search seed served_version shape share similar
    similarity split status takes_ratings title top_k type unknown uptime_s user user_id user_ids user_index
    user_known users version versions vocabulary worker worker_pid workers year
"""
FIELDS = frozenset(_TAKEN.split())


@dataclass(frozen=True)
class Vocabulary:
    """`item` is one thing that users rate, such as `product`. `tags` are its groups, such as `categories`.

    Raises:
        ValueError: a word cannot be the name of a field, or both words give the same name.
    """

    item: str = "movie"
    tags: str = "genres"

    def __post_init__(self) -> None:
        for option, word in asdict(self).items():
            if not isinstance(word, str) or not _WORD.fullmatch(word):
                told = "allowed: 1 to 40 lower-case letters a-z, digits and _, a letter first, such as"
                raise ValueError(f"--{option}: got {word!r}, {told} {'product' if option == 'item' else 'categories'}")
        self._refuse("tags", {self.tags} & (self._of_items | {ITEM_ID, ITEM_IDS}))

    def refuse_fields(self) -> None:
        """Whoever chooses words for a new version calls this. An old version keeps its words when the API gets fields.

        Raises:
            ValueError: a word is the name of another field of requests, answers or descriptions.
        """
        self._refuse("item", (self._of_items - {ITEM_ID, ITEM_IDS}) & FIELDS)
        self._refuse("tags", {self.tags} & FIELDS)

    @property
    def _of_items(self) -> set[str]:
        """All names that are made of the item's word."""
        return {self.item, self.items, self.item_id, self.item_ids, self.item_known, self.num_items}

    def _refuse(self, option: str, taken: set[str]) -> None:
        if taken:
            told = f"the field {min(taken, key=len)} already has another meaning: choose another word"
            raise ValueError(f"--{option}: got {getattr(self, option)!r}, and {told}")

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Vocabulary:
        """The words of a version, from its metadata.

        Raises:
            ValueError: the metadata does not hold valid words.
        """
        try:
            return cls(**metadata.get(METADATA, {}))
        except TypeError as error:
            raise ValueError(f"{METADATA}: got {metadata[METADATA]!r}, allowed: item and tags") from error

    def to_dict(self) -> dict[str, str]:
        """The form that the metadata holds."""
        return asdict(self)

    @cached_property
    def items(self) -> str:
        """The plural of the item: `movies`."""
        return plural(self.item)

    @cached_property
    def an_item(self) -> str:
        """The item with its article: `a movie`, `an album`."""
        return f"{'an' if self.item[0] in 'aeio' else 'a'} {self.item}"

    @cached_property
    def tag(self) -> str:
        """The singular of the tags: `genre`."""
        return singular(self.tags)

    @cached_property
    def item_id(self) -> str:
        """The name of the field with one id: `movie_id`."""
        return f"{self.item}_id"

    @cached_property
    def item_ids(self) -> str:
        """The name of the field with several ids: `movie_ids`."""
        return f"{self.item}_ids"

    @cached_property
    def item_known(self) -> str:
        """The name of the output that says whether the model knows each id: `movie_known`."""
        return f"{self.item}_known"

    @cached_property
    def num_items(self) -> str:
        """The name of the metadata's field with the number of items: `num_movies`."""
        return f"num_{self.items}"


def plural(word: str) -> str:
    """The plural: `movies`, `categories`, `dishes`; `series` does not change."""
    if word.endswith("ies"):
        return word
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    return f"{word[:-1]}ies" if re.search("[^aeiou]y$", word) else f"{word}s"


def singular(word: str) -> str:
    """The singular: `genre`, `category`, `dish`; a word that is not a plural does not change."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {one if number == 1 else many or plural(one)}"


# The words of a version whose metadata has none.
MOVIES = Vocabulary()
