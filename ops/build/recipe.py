"""The recipe of a version, which says what it was made from: `build/VERSION/made-of.json`.

    {"made_by": "train", "options": {"DATA": "ratings.csv", "PRESET": "default", "TRAIN_ARGS": ""},
     "files": {"ratings.csv": {"path": "…", "bytes": 1234, "time_ns": …, "sha256": "…"}}}

Two recipes are the same if the same command reads the same bytes, wherever the files are. A file is not read again if
its size and time have not changed.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from glob import glob, has_magic
from pathlib import Path

from model.files import atomic_write
from ops.build.database import is_url

MADE_OF = "made-of.json"
# Options whose value is a path: the content of the file counts, not its path.
_PATHS = {"DATA", "RATINGS", "MODEL", "USERS", "MOVIES"}
# Names of a catalogue, up to the first dot. Training looks for these files beside the ratings.
CATALOGUES = frozenset(
    {
        *("movies", "movie", "items", "item", "films", "products", "books", "catalogue", "catalog", "titles", "anime"),
        *("genres", "castings", "countries", "peoples", "u", "movie_titles"),
    }
)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class FileMark:
    """A file at the time of reading: `bytes` is its size, `time_ns` its modification time."""

    path: str
    bytes: int
    time_ns: int
    sha256: str


@dataclass(frozen=True)
class Recipe:
    """`made_by` is the verb, `options` are its variables, and `files` are the files that it read, by name."""

    made_by: str
    options: Mapping[str, str]
    files: Mapping[str, FileMark]

    def is_same(self, other: Recipe) -> bool:
        """Whether both make the same version."""
        return (
            self.made_by == other.made_by
            and _words(self.options) == _words(other.options)
            and _digests(self.files) == _digests(other.files)
        )


def describe_files(data: str | Path, arguments: str, known: Recipe | None) -> dict[str, FileMark]:
    """The files that a command reads: `data` and the catalogue beside it, or all files in the folder `data`, and the
    files in its arguments. If `data` is the URL of a database, its content is not checked.

    known: an earlier recipe; files that have not changed since are not read again.

    Raises:
        FileNotFoundError: `data` does not exist.
    """
    marks = {mark.path: mark for mark in known.files.values()} if known is not None else {}
    found = {} if is_url(str(data)) else dict(_inside(Path(data)))
    for word in shlex.split(arguments):
        path = Path(word.split("=", 1)[-1])
        if path.is_file():
            is_other = path.name in found and not path.samefile(found[path.name])
            found[str(path) if is_other else path.name] = path
    described = {name: _mark(path, marks) for name, path in sorted(found.items())}
    if is_url(str(data)):
        described[str(data)] = FileMark(str(data), 0, 0, hashlib.sha256(str(data).encode()).hexdigest())
    return described


def read_recipe(folder: Path) -> Recipe | None:
    """The recipe of the version in `folder`; None if no verb of this room made it.

    Raises:
        ValueError: the file is damaged.
    """
    path = folder / MADE_OF
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        files = {name: FileMark(**mark) for name, mark in read["files"].items()}
        return Recipe(read["made_by"], dict(read["options"]), files)
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: damaged ({error}): remove the file; the version then stays usable") from error


def write_recipe(folder: Path, recipe: Recipe) -> None:
    """Writes the recipe in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / MADE_OF) as partial:
        partial.write_text(json.dumps(asdict(recipe), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _inside(data: Path) -> Iterator[tuple[str, Path]]:
    if not data.exists():
        matching = [Path(one) for one in sorted(glob(str(data)))] if has_magic(str(data)) else []  # noqa: PTH207
        if matching:
            yield from ((str(path), path) for path in matching if path.is_file())
            yield from _catalogues(matching[0].parent)
            return
        raise FileNotFoundError(f"DATA: {data}: no such file or folder")
    if data.is_dir():
        files = ((path.relative_to(data), path) for path in data.rglob("*") if path.is_file())
        yield from ((str(name), path) for name, path in files if not any(part.startswith(".") for part in name.parts))
        return
    yield data.name, data
    yield from _catalogues(data.parent)


def _catalogues(folder: Path) -> Iterator[tuple[str, Path]]:
    beside = (path for path in folder.iterdir() if path.name.split(".")[0].lower() in CATALOGUES)
    yield from ((path.name, path) for path in beside if path.is_file())


def _mark(path: Path, marks: Mapping[str, FileMark]) -> FileMark:
    place, state = str(path.resolve()), path.stat()
    known = marks.get(place)
    if known is not None and (known.bytes, known.time_ns) == (state.st_size, state.st_mtime_ns):
        return known
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return FileMark(place, state.st_size, state.st_mtime_ns, digest.hexdigest())


def _words(options: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: shlex.split(value) for name, value in options.items() if name not in _PATHS and value}


def _digests(files: Mapping[str, FileMark]) -> dict[str, str]:
    return {name: mark.sha256 for name, mark in files.items()}
