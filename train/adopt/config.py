"""What an adoption can be told. Every field is an option of `python -m train.adopt`; its docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from model.adopted_network import Output
from model.vocabulary import Vocabulary
from train.errors import DataError
from train.readers.scale import check_scale


@dataclass(frozen=True, kw_only=True)
class AdoptConfig:
    """Options of `python -m train.adopt`.

    Raises:
        DataError: a value is outside what its line allows.
    """

    model: Path
    """The network: a TorchScript file, or with --module a state_dict (torch.save, or safetensors)."""
    users: Path
    """User ids as CSV, JSON, Parquet or .npy: by position, or with a column of rows."""
    movies: Annotated[Path, arg(aliases=("--items",))]
    """Movie (item) ids, likewise. Titles, genres, years and columns to show in this file become the catalogue."""
    out: Path = Path("build/own-1")
    """Folder for the artifact."""
    version: str = "own-1"
    """Version of the model, told in its metadata."""
    module: str = ""
    """The network's class, or a function that makes one: FILE.py:NAME. TorchScript must be able to compile it."""
    module_args: str = ""
    """Arguments of the class as a JSON object: '{"num_users": 610, "num_movies": 9724}'."""
    output: Output = "rating"
    """What the network gives: a rating on the scale, a score of 0..1, a logit, or a probability."""
    rating_scale: tuple[float, float] | None = None
    """Lowest and highest rating. Without it, that of --ratings; a logit without it is one of a probability."""
    ratings: Path | None = None
    """Ratings that users gave so far. For a network of probabilities every row counts as 1: no rating is needed."""
    catalogue: Path | None = None
    """Titles, genres and years of the movies, if not in --movies."""
    user_column: str | None = None
    """Column of user ids in --users."""
    movie_column: Annotated[str | None, arg(aliases=("--item-column",))] = None
    """Column of movie ids in --movies."""
    user_row_column: str | None = None
    """Column of the network's rows in --users; by default one called row, index or the like, else the position."""
    movie_row_column: str | None = None
    """Column of the network's rows in --movies."""
    header: bool = True
    """Text files of ids begin with a header line; `--no-header` says that they do not."""
    unknown_user_row: int | None = None
    """The network's row for a user that it does not know; by default such a user counts as the average one."""
    unknown_movie_row: int | None = None
    """The network's row for a movie that it does not know; by default such a movie counts as the average one."""

    item: str = Vocabulary.item
    """What an item is called in requests and answers: `product` gives `product_id` and `product_ids`."""
    tags: str = Vocabulary.tags
    """What the items' genres are called, such as `categories`."""

    @property
    def words(self) -> Vocabulary:
        """What items and their tags are called."""
        return Vocabulary(self.item, self.tags)

    @property
    def implicit(self) -> bool:
        """Whether the network gives a probability, or its logit, as networks for implicit feedback do."""
        return self.output == "probability" or (self.output == "logit" and self.rating_scale is None)

    def __post_init__(self) -> None:
        self.words  # noqa: B018  raises where a word cannot be used
        if self.rating_scale is not None:
            check_scale(self.rating_scale)
        if self.output == "probability" and self.rating_scale not in (None, (0.0, 1.0)):
            low, high = self.rating_scale or (0.0, 1.0)
            told = f"--rating-scale: got {low:g} {high:g}, and a probability is one of 0 1"
            raise DataError(f"{told}; for a rating that is a share of the scale: --output unit")
        for name in ("unknown_user_row", "unknown_movie_row"):
            row = getattr(self, name)
            if row is not None and row < 0:
                raise DataError(f"--{name.replace('_', '-')}: got {row}, allowed is 0 or more")
        if self.module_args and not self.module:
            raise DataError("--module-args: are for --module FILE.py:NAME, which was not given")
