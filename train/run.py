"""One training run, from ratings to a written artifact.

What is to be chosen is chosen on an inner split of the training rows; the held-out rows are looked at once, to
report; what is served is then trained on everything, so that no rated user or movie is a stranger to it.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from model.artifact import Artifact
from model.interest import Interest
from model.network import RatingNetwork
from model.scale import RatingScale
from train import distributed
from train.architectures import ARCHITECTURES
from train.config import TrainConfig
from train.cores import use_cores
from train.cross_validation import cross_validate
from train.dataset.data import EventsData, RatingsData
from train.dataset.tensors import Ratings, TrainingSet, index_ratings, look_up_events, look_up_ratings
from train.evaluation.evaluate import evaluate, predict_held_out
from train.evaluation.held_out import HeldOut
from train.evaluation.plots import learning_curve, rating_histogram, save_picture
from train.evaluation.ranking import rank_held_out
from train.evaluation.ranking_scores import baseline_scores, join_scores
from train.fit_log import FitLog
from train.interest.choose import choose_blend
from train.interest.fit import Blend, fit_interest, picks_of_users
from train.interest.scores import ranked_scores
from train.method import Architecture, Choice, Fitted
from train.output import (
    ARTIFACT,
    artifact_of,
    describe,
    figures_of,
    measured_metadata,
    most_rated,
    write,
    write_measured,
)
from train.resume import FOLDER, Stages, fingerprint
from train.splitting import split_as_asked


def run(config: TrainConfig, data: RatingsData) -> dict[str, Any]:
    """Trains, reports and writes everything under `config.out`; returns what metrics.json holds, and the `artifact`.

    Of several processes all train, and number 0 alone reports, writes and returns something.
    """
    clock = Clock()
    torch.set_num_threads(1)  # the order of sums within an operation stays the same on every machine
    alone = distributed.world() == 1 and distributed.device().type == "cpu"
    use_cores(config.threads if alone else 1)
    job = _Job.of(config, data)
    sides = split_as_asked(config, data)
    rows = job.index(sides.train)
    held_out = None if sides.held_out is None else look_up_ratings(sides.held_out, rows.user_ids, rows.movie_ids)
    rows = rows if held_out is None else rows.without_events_of(held_out)
    refit, split = sides.refit and held_out is not None, sides.described
    del sides  # its frames, which the tensors have replaced
    clock.lap("index")
    choice = job.architecture.choose(rows, job.scale, config, job.stages)
    clock.lap("choose")
    fitted = job.fit(rows, choice, "train")
    clock.lap("fit")
    blend = choose_blend(rows, job.scale, config, lambda some: job.fit(some, choice, "inner").network, job.stages)
    model = job.with_interest(fitted, rows, blend)
    clock.lap("interest")
    speed = {"training_s": round(clock.total(), 3)}
    speed["rows_per_s"] = round(fitted.passes * len(rows.ratings) / clock.total())
    report = _Report() if held_out is None else _report(job, model, held_out, clock)
    if refit:
        if not distributed.rank():
            told = measured_metadata(config, model.fitted.network)
            write_measured(model.artifact(job.scale, data.movies, told), config.out)
            clock.lap("keep")
        everything = job.index(data.ratings)
        model = job.with_interest(job.fit(everything, choice, "refit on all"), everything, blend)
        clock.lap("refit")
    folded = cross_validate(config, data, job.catalogue) if config.folds else {}
    clock.lap("folds")
    if distributed.rank():
        return {}
    metrics = describe(config, model.fitted.network, choice, report.errors, split, figures_of(data))
    metrics |= {"rankings": report.rankings, "chosen": {**choice.settings, **blend._asdict()}}
    metrics |= {"cross_validation": folded} if folded else {}
    config.out.mkdir(parents=True, exist_ok=True)
    log = choice.log if choice.log.watched_mse else model.fitted.log
    plot(log, model.rows, config.out)
    speed |= {"processes": distributed.world(), "wall_s": round(clock.total(), 3)}
    metrics |= {**speed, "stages_s": dict(clock.seconds), "learning_curve": asdict(log)}
    artifact = model.artifact(job.scale, data.movies, {"example": most_rated(model.rows, config.words)})
    metrics["digest"] = write(artifact, metrics, config.out, report.predicted)
    clock.lap("write")
    job.stages.clear()
    return {**metrics, "stages_s": clock.seconds, "artifact": config.out / ARTIFACT}


@dataclass(frozen=True)
class _Model:
    """A fitted network and its interest part, and the rows that both were fitted on."""

    fitted: Fitted
    interest: Interest
    rows: TrainingSet

    def artifact(self, scale: RatingScale, movies: pd.DataFrame | None, metadata: dict[str, Any]) -> Artifact:
        return artifact_of(self.fitted.network, self.interest, self.rows, scale, movies, metadata)


@dataclass(frozen=True)
class _Job:
    """What every step of a run needs."""

    config: TrainConfig
    architecture: Architecture
    scale: RatingScale
    catalogue: pd.DataFrame | None
    events: EventsData | None
    stages: Stages

    @classmethod
    def of(cls, config: TrainConfig, data: RatingsData) -> _Job:
        architecture = ARCHITECTURES[config.architecture]
        catalogue = data.movies if config.features and architecture.uses_features else None
        stages = Stages(config.out / FOLDER, fingerprint(config, data), config.resume)
        return cls(config, architecture, RatingScale(*data.rating_scale), catalogue, data.events, stages)

    def index(self, ratings: pd.DataFrame) -> TrainingSet:
        rows = index_ratings(ratings, self.catalogue)
        if self.events is None:
            return rows
        return replace(rows, events=look_up_events(self.events.frame, rows.user_ids, rows.movie_ids))

    def fit(self, rows: TrainingSet, choice: Choice, label: str) -> Fitted:
        return self.architecture.fit(rows, self.scale, self.config, choice, label, self.stages)

    def with_interest(self, fitted: Fitted, rows: TrainingSet, blend: Blend) -> _Model:
        interest = fit_interest(rows, fitted.network, self.scale, self.config.tuned_interest, blend)
        return _Model(fitted, interest, rows)


@dataclass(frozen=True)
class _Report:
    """What the held-out ratings showed; empty in all processes but the first."""

    predicted: HeldOut | None = None
    errors: dict[str, Any] = field(default_factory=dict)
    rankings: dict[str, Any] = field(default_factory=dict)


def _report(job: _Job, model: _Model, held_out: Ratings, clock: Clock) -> _Report:
    if distributed.rank():
        return _Report()
    network = model.fitted.network
    predicted = predict_held_out(network, model.rows.ratings, held_out, job.scale)
    errors = evaluate(predicted)
    clock.lap("evaluate")
    most, rankings = job.config.ranking_users, {}
    if most:
        rankings = rank(network, model.interest, model.rows, held_out, job.scale, most)
    clock.lap("rank")
    return _Report(predicted, errors, rankings)


def rank(
    network: RatingNetwork, interest: Interest, rows: TrainingSet, held_out: Ratings, scale: RatingScale, most: int
) -> dict[str, Any]:
    """How well the catalogue is ranked for users with held-out ratings, at most so many."""
    rated, known = rows.ratings, (network.num_users, network.num_movies)
    picks = picks_of_users(rows)
    scores = join_scores(ranked_scores(interest, picks, network, scale), baseline_scores(rated, network.num_movies))
    return rank_held_out(rated, held_out, *known, scale.minimum, scores, most, picks.events)


class Clock:
    """Wall time by stage, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Ends the stage `name`, which began where the one before it ended."""
        now = time.perf_counter()
        self.seconds[name], self._last = round(now - self._last, 3), now

    def total(self) -> float:
        """Since the first stage began."""
        return time.perf_counter() - self._start


def plot(log: FitLog, trained: TrainingSet, out: Path) -> None:
    """Writes the learning curve and the histogram of the ratings."""
    save_picture(learning_curve(log), out / "learning_curve.png")
    save_picture(rating_histogram(trained.ratings.rating.numpy()), out / "rating_histogram.png")
