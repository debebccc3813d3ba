"""Search of titles: each word of the query must begin a word of the title. Case and accents do not matter.

The words of all titles are one sorted list, so words with the same beginning are neighbours, and so are their movies. A
query costs one binary search per word, and reads no title.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from collections.abc import Sequence

import numpy as np

_WORD = re.compile(r"\w+")
_APOSTROPHES = re.compile("['’ʼ`]")
# Scripts that are written without spaces: a word may begin at any character.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]")
_MOST_UNSPACED = 8
_LAST_CHARACTER = "\U0010ffff"


class TitleIndex:
    """Finds movies by their titles (n,); the position is the movie's row. `popularity` (n,) sorts the results."""

    def __init__(self, titles: Sequence[str], popularity: np.ndarray) -> None:
        # A movie's place is its position in the order of popularity.
        self._row_of_place = np.argsort(-popularity, kind="stable")
        number_of_word: dict[str, int] = {}
        numbers: list[int] = []
        counts = []
        for row in self._row_of_place.tolist():
            before = len(numbers)
            numbers += [number_of_word.setdefault(word, len(number_of_word)) for word in _words_of_title(titles[row])]
            counts.append(len(numbers) - before)
        self._vocabulary = sorted(number_of_word)
        rank = np.empty(len(number_of_word), dtype=np.int64)
        rank[[number_of_word[word] for word in self._vocabulary]] = np.arange(len(rank))
        ranks = rank[np.array(numbers, dtype=np.int64)]
        order = np.argsort(ranks, kind="stable")
        self._places = np.repeat(np.arange(len(titles), dtype=np.int32), counts)[order]
        self._starts = np.searchsorted(ranks[order], np.arange(len(rank) + 1))
        ends = np.cumsum(counts)
        self._first_word = np.full(len(titles), -1)
        with_words = np.array(counts) > 0
        self._first_word[with_words] = ranks[(ends - counts)[with_words]]

    def find(self, query: str, most: int) -> np.ndarray:
        """Rows of at most `most` movies that match. Titles that begin with the query's first word come first; then the
        more popular movie comes first.

        A query without words matches every movie.
        """
        ranges = [self._range(word) for word in words_of(query)]
        if not ranges:
            return self._row_of_place[:most]
        matches = np.ones(len(self._row_of_place), dtype=bool)
        for low, high in ranges:
            has_word = np.zeros(len(matches), dtype=bool)
            has_word[self._places[self._starts[low] : self._starts[high]]] = True
            matches &= has_word
        places = np.flatnonzero(matches)
        low, high = ranges[0]
        begins = (self._first_word[places] >= low) & (self._first_word[places] < high)
        found = np.concatenate([places[begins][:most], places[~begins][:most]])[:most]
        rows: np.ndarray = self._row_of_place[found]
        return rows

    def _range(self, word: str) -> tuple[int, int]:
        """The range of the sorted words that begin with `word`: start and end."""
        begin = bisect.bisect_left(self._vocabulary, word)
        return begin, bisect.bisect_right(self._vocabulary, word + _LAST_CHARACTER, lo=begin)


def folded(text: str) -> str:
    """The text in the form that is compared: lower case, without accents and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text).casefold())
    return "".join(character for character in decomposed if unicodedata.category(character) != "Mn")


def words_of(text: str) -> list[str]:
    """The folded words of a query. Of a word in a script without spaces, such as Chinese, only the first characters."""
    return [word[:_MOST_UNSPACED] if _UNSPACED.match(word) else word for word in _WORD.findall(folded(text))]


def _words_of_title(title: str) -> list[str]:
    """The folded words of a title. In a script without spaces, a word may begin at each character."""
    if title.isascii() and "'" not in title:
        return _WORD.findall(title.lower())
    words = _WORD.findall(folded(title))
    if not _UNSPACED.search(title):
        return words
    inside = [word[match.start() :] for word in words for match in _UNSPACED.finditer(word, 1)]
    return [word[:_MOST_UNSPACED] if _UNSPACED.match(word) else word for word in [*words, *inside]]
