"""What every step of a training by parts needs, and the steps that the first process does alone, on the sample."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from model.artifact import Artifact
from model.factor_network import FactorNetwork
from model.ids import IdMap
from model.interest import Interest
from model.network import RatingNetwork
from model.scale import RatingScale
from train.config import SPLITS_BY_TIME
from train.dataset.data import MOVIE_ID
from train.dataset.features import movie_features, raw_ids
from train.dataset.hashes import id_hashes
from train.dataset.tensors import TrainingSet
from train.errors import DataError
from train.factors.method import FACTORS
from train.fit_log import FitLog
from train.interest.choose import choose_blend
from train.interest.fit import Blend, fit_interest
from train.method import Choice
from train.output import build_catalogue
from train.parts.config import PartsConfig
from train.parts.events import UserEvents, read_events
from train.parts.finish import Finished
from train.parts.group import Group
from train.parts.load import Facts, Part, load_facts, load_parts
from train.parts.one_fit import Fit
from train.parts.sample import Sample, collect_sample
from train.prepared.folder import Manifest, PreparedFolder
from train.resume import FOLDER, NO_STAGES, Stages, fingerprint_of
from train.user_table import put_users


class TooManyProcessesError(DataError):
    """There are more processes than parts, so that some would have nothing to do."""

    def __init__(self, address: str, parts: int, world: int) -> None:
        super().__init__(address, parts, world)
        self.address, self.parts, self.world = address, parts, world

    def __str__(self) -> str:
        told = f"{self.address}: {self.parts} parts for {self.world} processes"
        return f"{told}; allowed: PROCESSES={self.parts} or fewer"


@dataclass(frozen=True)
class Job:
    """A run. stages: in the first process, where it keeps what is finished. sample, events: there alone.

    split: as metrics.json tells it.
    """

    config: PartsConfig
    group: Group
    manifest: Manifest
    catalogue: pd.DataFrame | None
    movie_ids: IdMap
    features: Tensor | None
    scale: RatingScale
    parts: list[Part]
    facts: Facts
    sample: Sample | None
    events: UserEvents | None
    split: dict[str, Any] | None
    stages: Stages

    @classmethod
    def of(cls, config: PartsConfig, address: str, group: Group) -> Job:
        """Loads this process's parts of the prepared folder.

        Raises:
            DataError: it cannot be read, it has fewer parts than there are processes, its ratings leave the scale
                that was asked for, or the split needs times that they lack.
        """
        folder = PreparedFolder(address)
        if group.world > folder.manifest.parts:
            raise TooManyProcessesError(address, folder.manifest.parts, group.world)
        _refuse_without_times(config, folder)
        scale = _scale(config, folder)
        catalogue = folder.catalogue()
        movie_ids, features = _movies(folder.items(), catalogue if config.features else None)
        parts, seen, test, split = load_parts(folder, movie_ids, config, group)
        facts = load_facts(parts, seen, folder.manifest.parts, group)
        sample, events = _with_events(collect_sample(parts, facts.parts, movie_ids, features, group), config, folder)
        sample = sample and replace(sample, test=test)
        files = [*([events.figures] if events else []), *([split] if split and config.test_file else [])]
        told = [facts.digest, [scale.minimum, scale.maximum], "parts", *(one["sha256"] for one in files)]
        stages = Stages(config.out / FOLDER, fingerprint_of(config, catalogue, told), resume=True)
        stages = stages if group.first else NO_STAGES
        whole = folder.manifest, catalogue, movie_ids, features, scale
        return cls(config, group, *whole, parts, facts, sample, events, split, stages)

    def choose(self) -> tuple[Choice, Blend]:
        """What an inner split of the sample's training rows says, chosen in the first process for all."""
        told: dict[str, Any] | None = None
        if self.sample is not None:
            rows = self.sample.training_set(everything=False)
            choice = FACTORS.choose(rows, self.scale, self.config, self.stages)

            def fit_inner(some: TrainingSet) -> RatingNetwork:
                return FACTORS.fit(some, self.scale, self.config, choice, "inner", self.stages).network

            blend = choose_blend(rows, self.scale, self.config, fit_inner, self.stages)
            told = {"settings": choice.settings, "reasons": self._reasons(choice)}
            told |= {"log": asdict(choice.log), "blend": list(blend)}
        found = self.group.tell(told)
        choice = Choice(found["settings"], FitLog(**found["log"]), found["reasons"])
        return choice, Blend(*found["blend"])

    def _reasons(self, choice: Choice) -> dict[str, str]:
        """Why each setting was chosen; figures of a sample are said to be of one."""
        assert self.sample is not None
        seen = len(self.sample.ratings)
        if seen == self.facts.ratings:
            return choice.reasons
        return {name: f"of a sample of {seen:,} ratings: {reason}" for name, reason in choice.reasons.items()}

    def fit(self, label: str, everything: bool) -> Fit:
        """A fit on the training rows, or on everything."""
        return Fit(
            group=self.group,
            facts=self.facts,
            parts=self.parts,
            everything=everything,
            features=self.features,
            movie_hashes=id_hashes(self.movie_ids.ids),
            scale=self.scale,
            config=self.config,
            stages=self.stages,
            label=label,
        )

    def interest(self, network: FactorNetwork, everything: bool, blend: Blend) -> Interest:
        """The interest part of the sample's ratings; the network's users are those of `of_sample`."""
        assert self.sample is not None
        rows = self.sample.training_set(everything)
        return fit_interest(rows, network, self.scale, self.config.tuned_interest, blend)

    @contextmanager
    def of_sample(self, network: FactorNetwork, users: Finished, everything: bool) -> Iterator[None]:
        """Gives the network the rows of the sample's users alone while the block runs; everything: as in a fit."""
        assert self.sample is not None
        table = network.user_embedding.weight
        ids = self.sample.training_set(everything).user_ids
        rows = users.user_ids.rows(ids.ids if ids.integer else ids.raw(np.arange(len(ids))))
        put_users(network, torch.cat([table[torch.from_numpy(rows).long()], table[-1:]]))
        yield
        put_users(network, table)

    def artifact(
        self, network: FactorNetwork, interest: Interest, users: Finished, metadata: dict[str, Any]
    ) -> Artifact:
        """The artifact of all users."""
        catalogue = build_catalogue(self.catalogue, self.movie_ids)
        ids = users.user_ids, self.movie_ids
        return Artifact(network, *ids, self.scale, users.history, catalogue, metadata, interest, users.events)

    def example(self, users: Finished) -> dict[str, Any]:
        """Ids to try the model with, as train/output.py tells them."""
        most = int(np.diff(users.history.offsets).argmax())
        movies = np.argsort(-users.movie_ratings, kind="stable")[:3]
        words = self.config.words
        return {"user_id": users.user_ids.raw(np.array([most]))[0], words.item_ids: self.movie_ids.raw(movies)}


def _refuse_without_times(config: PartsConfig, folder: PreparedFolder) -> None:
    if config.test_size and config.split in SPLITS_BY_TIME and not folder.manifest.times:
        source = folder.manifest.source or folder.address
        told = f"{source}: no times, and --split {config.split} needs one for every rating"
        raise DataError(f"{told}: prepare ratings that have times; --time-column names their column")


def _with_events(
    sample: Sample | None, config: PartsConfig, folder: PreparedFolder
) -> tuple[Sample | None, UserEvents | None]:
    """The sample with the events of sampled users, and the events of all, in the first process."""
    if sample is None or config.events is None:
        return sample, None
    source = folder.manifest.source or folder.address
    events = read_events(config, sample.user_ids, sample.movie_ids, source)
    print(events.reading.text())
    return replace(sample, events=events.of_sampled(folder.manifest.ratings, config)), events


def _scale(config: PartsConfig, folder: PreparedFolder) -> RatingScale:
    found, asked = folder.manifest.rating_scale, config.rating_scale
    if asked is None:
        return RatingScale(*found)
    if asked[0] > found[0] or asked[1] < found[1]:
        told = f"rating-scale: got {asked[0]:g} to {asked[1]:g}"
        raise DataError(f"{told}, and the ratings of {folder.address} lie in {found[0]:g} to {found[1]:g}")
    return RatingScale(*asked)


def _movies(rated: np.ndarray, catalogue: pd.DataFrame | None) -> tuple[IdMap, Tensor | None]:
    """The movies' ids and features: with features, movies of the catalogue that nobody rated have rows too."""
    if catalogue is None:
        return IdMap(rated), None
    raw = raw_ids(catalogue[MOVIE_ID])
    known = raw if isinstance(raw, np.ndarray) else np.array([one.encode() for one in raw], dtype=np.bytes_)
    ids = IdMap(np.union1d(rated, known))
    rows = np.flatnonzero(np.isin(ids.ids, rated, assume_unique=True))
    features = movie_features(catalogue, ids, rows)
    return (IdMap(rated), None) if features is None else (ids, features)
