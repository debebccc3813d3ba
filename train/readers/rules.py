"""Options for reading ratings. The readers detect whatever is not given, and report what they found."""

from __future__ import annotations

from dataclasses import dataclass, fields
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
        DataError: a value is not in the range that its docstring gives.
    """

    format: Literal["auto", "kmrd", "movielens", "netflix", "csv", "parquet", "jsonl"] = "auto"
    """Format of the ratings; `auto` detects it."""
    user_column: str | None = None
    """Column of user ids: its name, or in a file without a header line its number, counted from 1."""
    movie_column: Annotated[str | None, arg(aliases=("--item-column",))] = None
    """Column of movie (item) ids, in the ratings and in the catalogue."""
    rating_column: str | None = None
    """Column of ratings."""
    time_column: str | None = None
    """Column of times, for splits by time: seconds or milliseconds since 1970, or ISO text."""
    delimiter: str | None = None
    r"""Delimiter between two fields, `'\t'` for a tab. By default, it is detected."""
    header: bool = True
    """The file begins with a header line; `--no-header` means that it does not. Numbers are never a header line."""
    quotes: Literal["auto", "on", "backslash", "off"] = "auto"
    r"""Whether "…" encloses a field. A quote inside a field is written twice (on) or as `\"` (backslash). With off, a
    quote is a character like any other."""
    encoding: str | None = None
    """Encoding of text files, such as cp949 or latin-1. By default UTF-8; if the file is not valid UTF-8, a guess."""
    user_ids: IdType = "auto"
    """Type of user ids. `auto` chooses integers if every id is one, and refuses a file in which a few ids are not."""
    movie_ids: Annotated[IdType, arg(aliases=("--item-ids",))] = "auto"
    """Type of movie (item) ids."""
    not_rated: tuple[str, ...] = ()
    """Values of the rating column that mean "not rated", such as 0, -1 or NA. Rows with these values are left out."""
    copies: Literal["auto", "keep", "drop"] = "auto"
    """Rows that repeat user, movie, rating and time. `auto` drops them, except those that KMRD was published with."""
    skip_bad_lines: int = 0
    """Skip up to this many lines that cannot be read. More such lines are an error."""
    movies: Annotated[Path | None, arg(aliases=("--items",))] = None
    """The catalogue: a file with a column of movie ids, and any of title, genres, year and further columns."""
    catalogue: bool = True
    """Use the catalogue that lies beside the ratings; `--no-catalogue` ignores it."""
    title_column: str | None = None
    """Column of titles in the catalogue."""
    genres_column: Annotated[str | None, arg(aliases=("--tags-column",))] = None
    """Column of genres (tags) in the catalogue."""
    year_column: str | None = None
    """Column of years in the catalogue."""
    query: str | None = None
    """For a database: a SQL query that returns the ratings. It may rename columns with `as`."""
    table: str | None = None
    """For a database: the table or view of the ratings."""
    movies_query: Annotated[str | None, arg(aliases=("--items-query",))] = None
    """For a database: a SQL query that returns the catalogue, with movie ids and any of title, genres and year."""
    since: str | None = None
    """For a database: read only ratings from this time on, such as 2026-01-31 or seconds since 1970."""
    genre_separator: Annotated[str | None, arg(aliases=("--tag-separator",))] = None
    """Separator between two genres. By default | if the column has one, otherwise ; or a comma."""

    item: str = Vocabulary.item
    """The word for an item in requests, answers and reports: `product` gives `product_id` and `product_ids`."""
    tags: str = Vocabulary.tags
    """The word for the genres of the items, such as `categories`."""

    def __post_init__(self) -> None:
        self.words  # noqa: B018  raises if a word cannot be used
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
        """The words for items and tags."""
        return Vocabulary(self.item, self.tags)

    @property
    def field_delimiter(self) -> str | None:
        """The delimiter. The escape `\\t` and the word `tab` both mean a tab."""
        return "\t" if self.delimiter in (r"\t", "tab") else self.delimiter

    @property
    def asks_a_database(self) -> bool:
        """Whether an option is given that works only with a database."""
        return any(one is not None for one in (self.query, self.table, self.movies_query, self.since))

    @property
    def names_a_layout(self) -> bool:
        """Whether an option is given that the fixed layouts of published data sets do not allow."""
        columns = (self.user_column, self.movie_column, self.rating_column, self.time_column)
        return any(one is not None for one in (*columns, self.delimiter, self.movies)) or not self.header


def plain_rules(rules: ReadingRules) -> ReadingRules:
    """The same rules without the other options of a command."""
    return ReadingRules(**{one.name: getattr(rules, one.name) for one in fields(ReadingRules)})
