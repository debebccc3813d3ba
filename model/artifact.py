"""The artifact: one .pt file with the TorchScript network and everything that turns raw ids into ratings.

The network's module may contain a second one, `interest` (model/interest.py), which ranks recommendations. The maps are
TorchScript extra files, so that a network cannot be paired with another run's ids. `EXTRA_FILES` lists them. A digest
over tensors and maps (not over times) shows whether two artifacts give the same answers, and whether one is damaged.

The same file stores large tables, ids, histories and events as arrays, which every process maps into memory
(model/mapped.py). So a host holds them once for all workers. `mapped` in the metadata names each array.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch

from model.catalogue import Catalogue
from model.compiled_head import library_beside
from model.digest import digest_of
from model.events import NO_EVENTS, EventHistory
from model.files import atomic_write
from model.history import History
from model.ids import IdMap
from model.interest import Interest
from model.mapped import append_arrays, entry_names, map_arrays
from model.maps import loaded_maps, stored_maps
from model.network import EncodingNetwork
from model.scale import RatingScale
from model.tables import emptied, large_tables, put_tables
from model.torchscript import quiet_torchscript
from model.vocabulary import METADATA, Vocabulary

SCHEMA_VERSION = 3
# Schema 2 is schema 3 without events, and schema 1 is schema 2 without mapped arrays.
READABLE_VERSIONS = (1, 2, SCHEMA_VERSION)
EXTRA_FILES = ("metadata.json", "user_ids", "movie_ids", "history", "events", "catalogue")
_ADOPT = "`make adopt MODEL=… USERS=… MOVIES=…` makes one of a network of your own (docs/own-model.md)"
_ROWS_AT_ONCE = 65_536  # of a table, to check it


class ArtifactError(ValueError):
    """This code cannot serve the file as an artifact; the message names the file and the reason."""


@dataclass(frozen=True)
class Artifact:
    """A network and its maps. `metadata` describes the model: counts, metrics, versions, seed.

    interest: the interest part, scripted or not; None if the model only predicts ratings.
    events: what users chose without rating it.
    compiled_head: the library with the network's head as machine code; None if there is none.
    """

    network: torch.nn.Module
    user_ids: IdMap
    movie_ids: IdMap
    scale: RatingScale
    history: History
    catalogue: Catalogue
    metadata: dict[str, Any] = field(default_factory=dict)
    interest: Interest | None = None
    events: EventHistory = NO_EVENTS
    compiled_head: Path | None = None

    @property
    def words(self) -> Vocabulary:
        """The names of its items and tags."""
        return Vocabulary.of(self.metadata)

    @property
    def encoder(self) -> EncodingNetwork | None:
        """The network, if it can compute a user's row from their ratings; else None."""
        return cast(EncodingNetwork, self.network) if hasattr(self.network, "encode_users") else None


def save_artifact(artifact: Artifact, path: Path) -> str:
    """Writes `path` in one step (a reader sees the old file or the new one) and returns the digest.

    Raises:
        ArtifactError: a parameter of the network is not finite, for example after a diverged training. The model would
            answer NaN.
    """
    network = _scripted(artifact)
    for name, tensor in network.state_dict().items():
        if not _is_finite(tensor):
            raise ArtifactError(f"{path}: {name} holds values that are not finite; nothing was written")
    tables = large_tables(network)
    maps, extra = stored_maps(artifact.user_ids, artifact.movie_ids, artifact.history, artifact.events)
    arrays = tables | maps
    extra["catalogue"] = artifact.catalogue.to_bytes()
    with emptied(network, tables):
        digest = digest_of(network, artifact.scale, extra, arrays)
        metadata = {**describe_artifact(artifact, digest), "mapped": entry_names(arrays)}
        extra["metadata.json"] = json.dumps(metadata, ensure_ascii=False, allow_nan=False, indent=1).encode()
        with atomic_write(path) as partial, quiet_torchscript():
            torch.jit.save(network, str(partial), _extra_files=extra)
            append_arrays(partial, arrays)
    return digest


def describe_artifact(artifact: Artifact, digest: str) -> dict[str, Any]:
    """The metadata that a saved artifact with this digest contains."""
    return {
        **artifact.metadata,
        "schema_version": SCHEMA_VERSION,
        "rating_scale": [artifact.scale.minimum, artifact.scale.maximum],
        "num_users": len(artifact.user_ids),
        artifact.words.num_items: len(artifact.movie_ids),
        "num_ratings": len(artifact.history.movie_index),
        "num_events": len(artifact.events.movie_index),
        METADATA: artifact.words.to_dict(),
        "digest": digest,
    }


def load_artifact(path: Path, device: str = "cpu") -> Artifact:
    """Reads an artifact and checks that its parts belong together.

    Raises:
        FileNotFoundError: the file does not exist.
        ArtifactError: the file is damaged, has another schema version, or its tables do not match its ids.
    """
    network, extra = _load_script(path, device)
    try:
        metadata = json.loads(extra.pop("metadata.json", b""))
    except ValueError as error:
        raise ArtifactError(
            f"{path}: not an artifact of this project: it contains no metadata.json; {_ADOPT}"
        ) from error
    version = metadata.get("schema_version")
    if version not in READABLE_VERSIONS:
        raise ArtifactError(
            f"{path}: schema_version: got {version!r}, allowed: {READABLE_VERSIONS[0]} to {SCHEMA_VERSION}: "
            "serve it with the code that wrote it (its archive contains that code), or train again with this code"
        )
    try:
        Vocabulary.of(metadata)
        scale = RatingScale(*metadata["rating_scale"])
        arrays = map_arrays(path, metadata.get("mapped", {}))
        if digest_of(network, scale, extra, arrays) != metadata["digest"]:
            raise ArtifactError("the content does not match its digest: the file was altered or damaged")
        user_ids, movie_ids, history, events = loaded_maps(arrays, extra)
        put_tables(network, arrays, device)
        artifact = Artifact(
            network,
            user_ids,
            movie_ids,
            scale,
            history,
            Catalogue.from_bytes(extra["catalogue"], len(movie_ids)),
            metadata,
            getattr(network, "interest", None),
            events,
            library_beside(path),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: {error}") from error
    _check_rows(artifact, path)
    return artifact


def _scripted(artifact: Artifact) -> torch.nn.Module:
    """The network in TorchScript with its interest part inside, as the file holds them."""
    network, interest = artifact.network.eval(), artifact.interest
    lent = interest is not None and not hasattr(network, "interest")
    if interest is not None:
        network.add_module("interest", interest)
    with quiet_torchscript():
        scripted: torch.nn.Module = torch.jit.script(network)
    if lent and scripted is not network:
        del network.interest  # the artifact stays as it was
    return scripted


def _is_finite(tensor: torch.Tensor) -> bool:
    """Whether all values are finite; looks at a few rows at a time, so that a large table is not copied."""
    parts = torch.atleast_1d(tensor).split(_ROWS_AT_ONCE)
    return all(bool(torch.isfinite(part).all()) for part in parts)


def _load_script(path: Path, device: str) -> tuple[torch.nn.Module, dict[str, bytes]]:
    """The network, and the extra files that the artifact has."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such artifact")
    extra: dict[str, Any] = dict.fromkeys(EXTRA_FILES, "")
    with quiet_torchscript():
        try:
            network = torch.jit.load(str(path), map_location=device, _extra_files=extra)
        except RuntimeError as error:
            told = str(error).splitlines()[0]
            raise ArtifactError(f"{path}: not a readable TorchScript file: {told}; {_ADOPT}") from error
    found = {name: data if isinstance(data, bytes) else data.encode() for name, data in extra.items() if data}
    return network.eval(), found


def _check_rows(artifact: Artifact, path: Path) -> None:
    """Checks that every table has one row per id and one for the unknown; else ids would get the rows of other ids."""
    state = artifact.network.state_dict()
    for side, ids in (("user", artifact.user_ids), ("movie", artifact.movie_ids)):
        names = [name for name in (f"{side}_embedding.weight", f"{side}_rows") if name in state]
        if not names:
            raise ArtifactError(f"{path}: the network has no table {side}_embedding.weight or {side}_rows")
        table = state[names[0]]
        if len(table) != len(ids) + 1:
            raise ArtifactError(f"{path}: {names[0]} has {len(table)} rows for {len(ids)} ids, expected {len(ids) + 1}")
    if artifact.interest is not None and len(artifact.interest.popularity) != len(artifact.movie_ids) + 1:
        raise ArtifactError(f"{path}: the interest part has {len(artifact.interest.popularity) - 1} movies")
    if len(artifact.history.offsets) != len(artifact.user_ids) + 1:
        raise ArtifactError(f"{path}: the history has {len(artifact.history.offsets) - 1} users")
    if len(artifact.events.offsets) not in (1, len(artifact.user_ids) + 1):
        raise ArtifactError(f"{path}: the events have {len(artifact.events.offsets) - 1} users")
