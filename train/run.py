"""One training run, from ratings to a written artifact.

What is to be chosen is chosen on an inner split of the training rows; the held-out rows are looked at once, to
report; what is served is then trained on everything, so that no rated user or movie is a stranger to it.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from model.interest import Interest
from model.network import RatingNetwork
from model.scale import RatingScale
from train import distributed
from train.architectures import ARCHITECTURES
from train.config import TrainConfig
from train.cross_validation import cross_validate
from train.dataset.data import RatingsData
from train.dataset.tensors import Ratings, TrainingSet, index_ratings, look_up_ratings
from train.evaluation.evaluate import evaluate, predict_held_out
from train.evaluation.plots import learning_curve, rating_histogram, save_picture
from train.evaluation.ranking import rank_held_out
from train.evaluation.ranking_scores import baseline_scores, join_scores
from train.fit_log import FitLog
from train.interest.choose import choose_blend
from train.interest.fit import fit_interest, history_of
from train.interest.scores import ranked_scores
from train.output import ARTIFACT, describe, write
from train.resume import FOLDER, Stages, fingerprint
from train.splitting import split_as_asked


def run(config: TrainConfig, data: RatingsData) -> dict[str, Any]:
    """Trains, reports and writes everything under `config.out`; returns what metrics.json holds, and the `artifact`.

    Of several processes all train, and number 0 alone reports, writes and returns something.
    """
    clock = _Clock()
    if config.threads:
        torch.set_num_threads(config.threads)
    scale = RatingScale(*data.rating_scale)
    architecture = ARCHITECTURES[config.architecture]
    catalogue = data.movies if config.features and architecture.uses_features else None
    stages = Stages(config.out / FOLDER, fingerprint(config, data), config.resume)

    sides = split_as_asked(config, data)
    trained, held_out = index_ratings(sides.train, catalogue), None
    if sides.held_out is not None:
        held_out = look_up_ratings(sides.held_out, trained.user_ids, trained.movie_ids)
    refit, described = sides.refit, sides.described
    del sides  # its frames, which the tensors have replaced
    clock.lap("index")
    choice = architecture.choose(trained, scale, config, stages)
    clock.lap("choose")
    fitted = architecture.fit(trained, scale, config, choice, "train", stages)
    clock.lap("fit")

    def fit_inner(rows: TrainingSet) -> RatingNetwork:
        return architecture.fit(rows, scale, config, choice, "inner", stages).network

    blend = choose_blend(trained, scale, config, fit_inner, stages)
    interest = fit_interest(trained, fitted.network, scale, config.interest, blend)
    clock.lap("interest")
    speed = {"training_s": round(clock.total(), 3)}
    speed["rows_per_s"] = round(fitted.passes * len(trained.ratings) / clock.total())
    results: dict[str, Any] = {}
    rankings: dict[str, Any] = {}
    predicted = None
    if held_out:
        if not distributed.rank():
            predicted = predict_held_out(fitted.network, trained.ratings, held_out, scale)
            results = evaluate(predicted)
        clock.lap("evaluate")
        if config.ranking_users and not distributed.rank():
            rankings = _rank(config, fitted.network, interest, trained, held_out, scale)
        clock.lap("rank")
        if refit:
            trained = index_ratings(data.ratings, catalogue)
            fitted = architecture.fit(trained, scale, config, choice, "refit on all", stages)
            interest = fit_interest(trained, fitted.network, scale, config.interest, blend)
            clock.lap("refit")
    folded = cross_validate(config, data, catalogue) if config.folds else {}
    clock.lap("folds")
    if distributed.rank():
        return {}
    metrics = describe(config, data, fitted.network, choice, results, described) | {"rankings": rankings}
    metrics |= {"cross_validation": folded} if folded else {}
    metrics["chosen"] = {**choice.settings, **blend._asdict()}
    config.out.mkdir(parents=True, exist_ok=True)
    log = choice.log if choice.log.watched_mse else fitted.log
    _plot(log, trained, config.out)
    speed |= {"processes": distributed.world(), "wall_s": round(clock.total(), 3)}
    metrics |= {**speed, "stages_s": dict(clock.seconds), "learning_curve": asdict(log)}
    metrics["digest"] = write(fitted.network, interest, trained, scale, data, metrics, config.out, predicted)
    clock.lap("write")
    stages.clear()
    return {**metrics, "stages_s": clock.seconds, "artifact": config.out / ARTIFACT}


class _Clock:
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


def _rank(
    config: TrainConfig,
    network: RatingNetwork,
    interest: Interest,
    trained: TrainingSet,
    held_out: Ratings,
    scale: RatingScale,
) -> dict[str, Any]:
    """How well the catalogue is ranked for users with held-out ratings."""
    known = network.num_users, network.num_movies
    own = ranked_scores(interest, history_of(trained).without_repeats(), network, scale)
    scores = join_scores(own, baseline_scores(trained.ratings, network.num_movies))
    return rank_held_out(trained.ratings, held_out, *known, scale.minimum, scores, config.ranking_users)


def _plot(log: FitLog, trained: TrainingSet, out: Path) -> None:
    save_picture(learning_curve(log), out / "learning_curve.png")
    save_picture(rating_histogram(trained.ratings.rating.numpy()), out / "rating_histogram.png")
