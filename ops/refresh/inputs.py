"""The inputs of a refresh: the location of the ratings, and the training options of earlier versions."""

from __future__ import annotations

import itertools
import shlex

from ops.build.plan import trained_recipe
from ops.build.shelf import Shelf
from ops.refresh.facts import words_of
from ops.refresh.journal import Journal, read_ended

# Options of a training that choose the held-out rows. A refresh holds out the newest ratings instead.
_SPLIT = {"--split", "--test-size", "--test-file", "--given"}
# Splits whose versions predict ratings to come, unless an option says otherwise: as in train/config.py.
SPLITS_BY_TIME = ("time", "time-per-user", "leave-last-out")
# An option of a training on a cluster alone; a refresh trains without one.
_OF_CLUSTER = "--deadline"
_TUNE = "--tune-for"


class RefreshError(RuntimeError):
    """The run cannot go on; the message says why, and what to do."""


def data_of(version: str, shelf: Shelf) -> str:
    """The source of all ratings, old and new: that of the last refresh, or else that of the training."""
    if (ended := read_ended(shelf.folder(version))) is not None:
        return str(ended["data"])
    recipe = trained_recipe(shelf, version)
    if recipe is None:
        way = "name all ratings, old and new: `make refresh DATA=ratings.csv`"
        raise RefreshError(f"version {version} does not tell what it was trained on: {way}")
    return recipe.options["DATA"]


def training_of(journal: Journal, shelf: Shelf) -> dict[str, str]:
    """The variables of `make train`: as the base was trained and tuned, but with the newest ratings held out."""
    made = trained_recipe(shelf, journal.base)
    before = shlex.split(made.options.get("TRAIN_ARGS", "")) if made is not None else []
    options = _without_split(before)
    if journal.held_out:
        options += [] if any(word.split("=")[0] == _TUNE for word in before) else [_TUNE, _tuned_for(before)]
        options += ["--split", "time", "--test-size", f"{journal.held_out:.6f}"]
    if made is not None:
        known = {"PRESET": made.options["PRESET"]}
    else:  # its network was trained elsewhere; a training can only keep its words, because its clients send them
        own = words_of(shelf, journal.base)
        known = {"ITEM": own.item, "TAGS": own.tags}
    return {**known, "CLUSTER": "", "DATA": journal.data, "TRAIN_ARGS": shlex.join(options), "VERSION": journal.version}


def _tuned_for(words: list[str]) -> str:
    """What a training with these options is tuned for, so that a night does not change it with the split."""
    values = [word.removeprefix("--split=") for word in words if word.startswith("--split=")]
    values += [value for word, value in itertools.pairwise(words) if word == "--split"]
    return "future" if any(value in SPLITS_BY_TIME for value in values) else "past"


def _without_split(words: list[str]) -> list[str]:
    """The options of a training without a cluster, without those that choose the held-out rows."""
    dropped = {*_SPLIT, _OF_CLUSTER}
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in dropped:
            skip = True
        elif word.split("=")[0] not in dropped:
            kept.append(word)
    return kept
