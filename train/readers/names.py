"""Recognise columns by their usual names: users, movies, ratings, titles and the like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.vocabulary import Vocabulary
from train.dataset.reading import Reading, listed
from train.errors import DataError

SHOWN_NAMES, SHOWN_CHARACTERS = 20, 40  # in an error: if the file is not a table, its first line may be very long


@dataclass(frozen=True)
class Role:
    """What a column can contain.

    what: the word for messages. option: the option that names the column.
    position: its place in a file without a header line, from 1; 0 if it has no fixed place.
    known: usual names of the column, in lower-case letters and digits, the most likely first.
    weak: less certain names, which count only if no known name occurs.
    """

    what: str
    option: str
    position: int
    known: tuple[str, ...]
    weak: tuple[str, ...] = ()

    def said_in(self, words: Vocabulary) -> Role:
        """The same role in the user's words; these words then count as known names."""
        own = Vocabulary()
        if self.what == own.items and words.item != own.item:
            known = tuple(_folded(name) for name in (words.item_id, words.item))
            option = self.option.replace("--movie", "--item")
            return replace(self, what=words.items, option=option, known=(*dict.fromkeys((*known, *self.known)),))
        if self.what == own.tags and words.tags != own.tags:
            known = tuple(_folded(name) for name in (words.tags, words.tag))
            option = self.option.replace("--genres", "--tags")
            return replace(self, what=words.tags, option=option, known=(*dict.fromkeys((*known, *self.known)),))
        return self


_THINGS = ("movie", "item", "film", "product", "book", "course", "song", "track", "game", "anime", "show", "content")

USER = Role(
    "users",
    "--user-column",
    1,
    ("userid", "user", "uid", "customerid", "customer", "reviewerid", "accountid", "memberid", "profileid"),
    ("username", "reviewer", "account", "member", "profile", "person", "personid", "viewer", "viewerid", "who"),
)
MOVIE = Role(
    "movies",
    "--movie-column",
    2,
    (*(f"{thing}id" for thing in _THINGS), "movie", "item", "film", "product", "parentasin", "asin", "isbn"),
    (*_THINGS, "iid", "mid", "titleid", "sku", "article", "articleid", "artist", "artistid", "businessid", "what"),
)
RATING = Role(
    "ratings",
    "--rating-column",
    3,
    ("rating", "ratings", "rate", "score", "stars", "star"),
    ("userrating", "movierating", "bookrating", "itemrating", "reviewscore", "overall", "grade", "points", "value"),
)
TIME = Role(
    "times",
    "--time-column",
    4,
    ("timestamp", "time", "ratedat", "datetime", "date"),
    ("createdat", "reviewtime", "unixreviewtime", "reviewdate", "ratingdate", "ts"),
)
CATALOGUE_MOVIE = Role("movies", MOVIE.option, 1, MOVIE.known, (*MOVIE.weak, "id"))
TITLE = Role(
    "titles",
    "--title-column",
    2,
    ("title", "movietitle", "itemtitle", "producttitle", "booktitle", "name"),
    ("movie", "item", "moviename", "itemname", "productname", "primarytitle", "originaltitle"),
)
GENRES = Role(
    "genres",
    "--genres-column",
    3,
    ("genres", "genre", "categories", "category"),
    ("tags", "tag", "maincategory", "moviegenre"),
)
YEAR = Role(
    "years",
    "--year-column",
    0,
    ("year", "releaseyear", "movieyear", "yearofpublication", "publicationyear", "startyear"),
    ("releasedate", "released", "published", "publicationdate"),
)
RATINGS_ROLES = (USER, MOVIE, RATING)


def looks_like_header(names: Sequence[str], asked: Sequence[str | None]) -> bool:
    """Whether a first line is a header: one field is a known or requested name, or no field is a number."""
    if any(name in asked for name in names):
        return True
    known = {name for role in (*RATINGS_ROLES, TIME, CATALOGUE_MOVIE, TITLE, GENRES, YEAR) for name in role.known}
    return any(_folded(name) in known for name in names) or not any(is_number(name) for name in names)


def known_names(names: Sequence[str]) -> int:
    """How many of the fields are known names of columns of ratings or of a catalogue."""
    roles = (*RATINGS_ROLES, TIME, CATALOGUE_MOVIE, TITLE, GENRES, YEAR)
    known = {name for role in roles for name in (*role.known, *role.weak)}
    return sum(_folded(name) in known for name in names)


def choose(
    role: Role,
    where: str,
    names: Sequence[str],
    asked: str | None,
    header: bool,
    reading: Reading,
    taken: Sequence[str],
) -> str | None:
    """The column for a role, or None. A column in `taken` already has another role.

    Raises:
        DataError: the requested column does not exist, or occurs twice.
    """
    role = role.said_in(reading.words)
    if asked is not None:
        return _once(where, names, _asked(role, where, names, asked))
    if not header:
        return names[role.position - 1] if 0 < role.position <= len(names) else None
    for tier in (role.known, role.weak):
        found = sorted((name for name in names if _folded(name) in tier), key=lambda name: tier.index(_folded(name)))
        found = [name for name in dict.fromkeys(found) if name not in taken]
        if found:
            if len(found) > 1:
                others = listed(found[1:])
                reading.warn(
                    f"{where}: {found[0]} is used for {role.what}; {others} may also be: choose with {role.option}"
                )
            return _once(where, names, found[0])
    return None


def missing(role: Role, where: str, names: Sequence[str], words: Vocabulary) -> DataError:
    """The error for a role without a column."""
    role = role.said_in(words)
    way = "give the delimiter with --delimiter" if len(names) == 1 else f"name it with {role.option}"
    return DataError(f"{where}: no column of {role.what}; found: {shown(names)}; {way}")


def shown(names: Sequence[str]) -> str:
    """The names of a header for a message."""
    ending = ", …" if len(names) > SHOWN_NAMES else ""
    return ", ".join(name[:SHOWN_CHARACTERS] for name in names[:SHOWN_NAMES]) + ending


def is_number(text: str) -> bool:
    """Whether a field is a number, with a decimal point or a decimal comma."""
    try:
        float(text.strip().replace(",", "."))
    except ValueError:
        return False
    return True


def _asked(role: Role, where: str, names: Sequence[str], asked: str) -> str:
    if asked in names:
        return asked
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return names[int(asked) - 1]
    raise DataError(f"{where}: no column {asked}; found: {shown(names)}; {role.option} names the column of {role.what}")


def _once(where: str, names: Sequence[str], name: str) -> str:
    if names.count(name) > 1:
        raise DataError(f"{where}: column {name} occurs more than once; allowed is once")
    return name


def _folded(name: str) -> str:
    """`userid` of userId, user_id, User-ID and "User Id"."""
    return re.sub(r"[\W_]+", "", name).lower()
