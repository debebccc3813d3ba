"""A training by parts, from ratings to a written artifact: the steps of train/run.py, by one process or many.

All processes run this; the first one alone reads the ratings, chooses, reports and writes.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch

from model.factor_network import FactorNetwork
from train.cores import use_cores
from train.evaluation.evaluate import evaluate
from train.factors.choose_number import score_sweeps_with
from train.factors.levels import mean_and_deviation
from train.interest.fit import Blend
from train.method import Choice
from train.output import ARTIFACT, describe, measured_metadata, write, write_measured
from train.parts.biases import fit_biases
from train.parts.config import PartsConfig
from train.parts.describe import describe_parts
from train.parts.finish import Finished, finished
from train.parts.fit import fit_network
from train.parts.group import Group
from train.parts.job import Job
from train.parts.one_fit import Fit
from train.parts.preparing import prepared_for
from train.run import Clock, plot, rank


def run(config: PartsConfig, group: Group) -> dict[str, Any]:
    """Trains, reports and writes under `config.out`.

    Returns what metrics.json holds, and the `artifact`, in the first process, else {}.

    Raises:
        ValueError, OSError: the ratings cannot be read, or something cannot be written.
    """
    torch.set_num_threads(1)  # one order of sums is the promise
    use_cores(config.threads if group.world == 1 else 1)
    clock = Clock()
    address = group.tell(prepared_for(config) if group.first else None)
    clock.lap("prepare")
    job = Job.of(config, address, group)
    clock.lap("index")
    choice, blend = job.choose()
    clock.lap("choose")
    metrics: dict[str, Any] = {}
    fits = [job.fit("train", everything=not config.measures)]
    if config.refits:
        fits.append(job.fit("refit on all", everything=True))
    for fit in fits:
        network = fit_network(fit, choice.settings)
        clock.lap(fit.label)
        biases = _biases(job, fit) if fit is fits[0] and config.measures else None
        with finished(fit, network, biases, job.events, config.out) as users:
            if users is None:
                continue
            metrics |= _speed(job, fit, choice, clock) if fit is fits[0] else {}
            metrics = _finish(job, fit, network, users, choice, blend, metrics, clock, fit is fits[-1])
    return metrics


def _biases(job: Job, fit: Fit) -> dict[int, Any]:
    mean, _ = mean_and_deviation(*fit.counts())
    return fit_biases(job.parts, fit.tree, fit.num_movies, mean)


def _speed(job: Job, fit: Fit, choice: Choice, clock: Clock) -> dict[str, Any]:
    options, spent = job.config.factors, clock.total()
    passes = choice.settings["sweeps"] + score_sweeps_with(choice.settings["factors"], options) + options.epochs
    return {"training_s": round(spent, 3), "rows_per_s": round(passes * int(fit.counts()[1].sum()) / spent)}


def _finish(
    job: Job,
    fit: Fit,
    network: FactorNetwork,
    users: Finished,
    choice: Choice,
    blend: Blend,
    before: dict[str, Any],
    clock: Clock,
    last: bool,
) -> dict[str, Any]:
    """What the first process does with a fitted network: its interest part, and the report or the artifact.

    before: the metrics so far, which are returned with those of this fit.
    """
    assert job.sample is not None
    assert job.split is not None
    config, out = job.config, job.config.out
    metrics = dict(before)
    with job.of_sample(network, users, fit.everything):
        interest = job.interest(network, fit.everything, blend)
        if users.held_out is not None:
            metrics |= {"metrics": evaluate(users.held_out), "rankings": {}, "held_out": users.held_out}
            rows, held_out = job.sample.training_set(everything=False), job.sample.measured()
            if config.ranking_users:
                metrics["rankings"] = rank(network, interest, rows, held_out, job.scale, config.ranking_users)
    clock.lap("evaluate" if users.held_out is not None else "interest")
    if not last:
        write_measured(job.artifact(network, interest, users, measured_metadata(config, network)), out)
        clock.lap("keep")
        return metrics
    held_out = metrics.pop("held_out", None)
    movie_ratings = torch.from_numpy(users.movie_ratings)
    figures = describe_parts(job.facts, job.manifest, job.events, movie_ratings, config.words)
    described = describe(config, network, choice, metrics.pop("metrics", {}), job.split, figures)
    chosen = {**choice.settings, **blend._asdict()}
    told = {"rankings": {}, "processes": job.group.world, **metrics, "chosen": chosen}
    plot(choice.log, job.sample.training_set(fit.everything), out)
    told |= {"wall_s": round(clock.total(), 3), "stages_s": dict(clock.seconds), "learning_curve": asdict(choice.log)}
    artifact = job.artifact(network, interest, users, {"example": job.example(users)})
    written = described | told
    written["digest"] = write(artifact, written, out, held_out)
    clock.lap("write")
    job.stages.clear()
    return {**written, "stages_s": clock.seconds, "artifact": out / ARTIFACT}
