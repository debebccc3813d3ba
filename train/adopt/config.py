"""The options of an adoption. Every field is an option of `python -m train.adopt`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from model.adopted_network import Output
from model.vocabulary import Vocabulary
from train.errors import DataError
from train.readers.rules import ReadingRules
from train.readers.scale import check_scale


@dataclass(frozen=True, kw_only=True)
class AdoptConfig:
    """Make a version from a network that was trained elsewhere.

    Raises:
        DataError: a value is not in the range that its docstring gives.
    """

    model: Path
    """The network: a TorchScript file, or with --module a state_dict (torch.save or safetensors)."""
    users: Path
    """File of user ids (CSV, JSON, Parquet or .npy). The row is the id's position, or the value of a row column."""
    movies: Annotated[Path, arg(aliases=("--items",))]
    """File of movie (item) ids, in the same formats. Its titles and other columns become the catalogue."""
    out: Path = Path("build/own-1")
    """Folder for the artifact."""
    version: str = "own-1"
    """Version name, written into the metadata of the model."""
    module: str = ""
    """The network's class, or a function that makes one: FILE.py:NAME. TorchScript must be able to compile it."""
    module_args: str = ""
    """Arguments of the class as a JSON object: '{"num_users": 610, "num_movies": 9724}'."""
    output: Output = "rating"
    """What the network returns: a rating on the scale, a share of the scale (0..1), a logit, or a probability."""
    rating_scale: tuple[float, float] | None = None
    """Lowest and highest rating. By default, those of --ratings. A logit without a scale means a probability."""
    ratings: Path | None = None
    """Ratings that users gave so far. For a network of probabilities, each row counts as 1 and needs no rating."""
    catalogue: Path | None = None
    """Titles, genres and years of the movies, if not in --movies."""
    title_column: str | None = None
    """Column of titles in the catalogue."""
    genres_column: Annotated[str | None, arg(aliases=("--tags-column",))] = None
    """Column of genres (tags) in the catalogue."""
    year_column: str | None = None
    """Column of years in the catalogue."""
    genre_separator: Annotated[str | None, arg(aliases=("--tag-separator",))] = None
    """Separator between two genres. By default | if the column has one, otherwise ; or a comma."""
    user_column: str | None = None
    """Column of user ids in --users."""
    movie_column: Annotated[str | None, arg(aliases=("--item-column",))] = None
    """Column of movie ids in --movies and --catalogue."""
    user_row_column: str | None = None
    """Column in --users with the network's rows. By default, one called row, index or the like, or the position."""
    movie_row_column: str | None = None
    """Column in --movies with the network's rows."""
    header: bool = True
    """Text files of ids begin with a header line; `--no-header` means that they do not."""
    unknown_user_row: int | None = None
    """The network's row for unknown users. By default, an unknown user counts as the average user."""
    unknown_movie_row: int | None = None
    """The network's row for unknown movies. By default, an unknown movie counts as the average movie."""
    movie_vectors: Annotated[str | None, arg(aliases=("--item-vectors",))] = None
    """The network's tensor of movie vectors, such as `item_embedding.weight`. `similar` needs it."""

    item: str = Vocabulary.item
    """The word for an item in requests and answers: `product` gives `product_id` and `product_ids`."""
    tags: str = Vocabulary.tags
    """The word for the genres of the items, such as `categories`."""

    @property
    def words(self) -> Vocabulary:
        """The words for items and tags."""
        return Vocabulary(self.item, self.tags)

    @property
    def catalogue_rules(self) -> ReadingRules:
        """How to read the catalogue."""
        return ReadingRules(
            title_column=self.title_column,
            genres_column=self.genres_column,
            year_column=self.year_column,
            genre_separator=self.genre_separator,
            item=self.item,
            tags=self.tags,
        )

    @property
    def names_facts(self) -> bool:
        """Whether an option names a column of the catalogue."""
        return any(name is not None for name in (self.title_column, self.genres_column, self.year_column))

    @property
    def implicit(self) -> bool:
        """Whether the network returns a probability or its logit, as networks for implicit feedback do."""
        return self.output == "probability" or (self.output == "logit" and self.rating_scale is None)

    def __post_init__(self) -> None:
        self.words.refuse_fields()
        if self.rating_scale is not None:
            check_scale(self.rating_scale)
        if self.output == "probability" and self.rating_scale not in (None, (0.0, 1.0)):
            low, high = self.rating_scale or (0.0, 1.0)
            told = f"--rating-scale: got {low:g} {high:g}, allowed with --output probability is 0 1"
            raise DataError(f"{told}; --output unit means a share of the rating scale")
        for name in ("unknown_user_row", "unknown_movie_row"):
            row = getattr(self, name)
            if row is not None and row < 0:
                raise DataError(f"--{name.replace('_', '-')}: got {row}, allowed is 0 or more")
        if self.module_args and not self.module:
            raise DataError("--module-args: needs --module FILE.py:NAME, which was not given")
