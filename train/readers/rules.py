"""What a person may say about how to read ratings. What is not said is found out, and told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from model.vocabulary import Vocabulary
from train.errors import DataError

IdType = Literal["auto", "integer", "string"]


@dataclass(frozen=True)
class ReadingRules:
    """How to read a file or folder of ratings.

    Raises:
        DataError: a value is outside what its line allows.
    """

    format: Literal["auto", "kmrd", "movielens", "netflix", "csv", "parquet", "jsonl"] = "auto"
    """How to read it; `auto` looks at what lies there."""
    user_column: str | None = None
    """Column of user ids, by its name or, in a file without a header line, its number from 1."""
    movie_column: Annotated[str | None, arg(aliases=("--item-column",))] = None
    """Column of movie (item) ids, in the ratings and in the catalogue."""
    rating_column: str | None = None
    """Column of ratings."""
    time_column: str | None = None
    """Column of times, for splits by time: seconds or milliseconds since 1970, or ISO text."""
    delimiter: str | None = None
    r"""What lies between two fields, `'\t'` for a tab; by default the one that fits the file."""
    header: bool = True
    """The file begins with a header line; `--no-header` says that it does not. Numbers are never taken for one."""
    quotes: Literal["auto", "on", "backslash", "off"] = "auto"
    r"""Whether "…" holds a field together, a quote within it written twice (on) or as `\"` (backslash), or a quote is a
    character like any other (off)."""
    encoding: str | None = None
    """Encoding of text files, such as cp949 or latin-1; by default UTF-8, and where that cannot be, a guess."""
    user_ids: IdType = "auto"
    """Type of user ids; `auto` takes integers where every id is one, and refuses a file with a few that are none."""
    movie_ids: Annotated[IdType, arg(aliases=("--item-ids",))] = "auto"
    """Type of movie (item) ids."""
    not_rated: tuple[str, ...] = ()
    """Values of the rating column that mean "not rated", such as 0, -1 or NA; their rows are left out."""
    copies: Literal["auto", "keep", "drop"] = "auto"
    """Rows that repeat user, movie, rating and time: `auto` drops them, but the few that KMRD was published with."""
    skip_bad_lines: int = 0
    """Leave out up to this many lines that cannot be used; each more is an error."""
    movies: Annotated[Path | None, arg(aliases=("--items",))] = None
    """The catalogue: a file with the movie column, any of title, genres and year, and columns to show in answers."""
    catalogue: bool = True
    """Use the catalogue that lies beside the ratings; `--no-catalogue` does not."""
    title_column: str | None = None
    """Column of titles in the catalogue."""
    genres_column: Annotated[str | None, arg(aliases=("--tags-column",))] = None
    """Column of genres (tags) in the catalogue."""
    year_column: str | None = None
    """Column of years in the catalogue."""
    query: str | None = None
    """SQL that gives the ratings, where they are in a database; it may name the columns, by `as`."""
    table: str | None = None
    """Table or view of the ratings, where they are in a database."""
    movies_query: Annotated[str | None, arg(aliases=("--items-query",))] = None
    """SQL that gives the catalogue: the movie column, and any of title, genres and year."""
    since: str | None = None
    """Of a database, the ratings of this time and later alone, such as 2026-01-31 or seconds since 1970."""
    genre_separator: Annotated[str | None, arg(aliases=("--tag-separator",))] = None
    """What lies between two genres; by default |, else ; or a comma, whichever the column has."""

    item: str = Vocabulary.item
    """What an item is called in requests, answers and reports: `product` gives `product_id` and `product_ids`."""
    tags: str = Vocabulary.tags
    """What the items' genres are called, such as `categories`."""

    def __post_init__(self) -> None:
        self.words  # noqa: B018  raises where a word cannot be used
        columns = (self.user_column, self.movie_column, self.rating_column, self.time_column)
        asked = [name for name in columns if name is not None]
        if len(set(asked)) < len(asked):
            raise DataError(f"columns: got {', '.join(asked)}; allowed are different names")
        if self.query is not None and self.table is not None:
            raise DataError("--query and --table: got both; allowed is one of them")
        if self.delimiter == "":
            raise DataError("--delimiter: got nothing; allowed is one character or more")
        if self.skip_bad_lines < 0:
            raise DataError(f"--skip-bad-lines: got {self.skip_bad_lines}; allowed is 0 or more")

    @property
    def words(self) -> Vocabulary:
        """What items and their tags are called."""
        return Vocabulary(self.item, self.tags)

    @property
    def field_delimiter(self) -> str | None:
        """The delimiter, a tab where somebody wrote the two characters of its escape."""
        return "\t" if self.delimiter in (r"\t", "tab") else self.delimiter

    @property
    def asks_a_database(self) -> bool:
        """Whether something is said that only a database can answer."""
        return any(one is not None for one in (self.query, self.table, self.movies_query, self.since))

    @property
    def names_a_layout(self) -> bool:
        """Whether something is said that the layouts of published data sets leave no choice in."""
        columns = (self.user_column, self.movie_column, self.rating_column, self.time_column)
        return any(one is not None for one in (*columns, self.delimiter, self.movies)) or not self.header
