"""`python -m train.evaluation.report`: one page on a trained version, its pictures inside it and as PNG beside it.

Nothing is trained for it but, with `--reference`, the reference network. The page needs no other file and no network.
A version without held-out ratings of its own has a page only beside another version: it shows the verdict on the two.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import tyro

from model.artifact import Artifact, load_artifact
from model.files import atomic_write
from model.vocabulary import MOVIES, Vocabulary
from train.command import run_command
from train.errors import DataError
from train.evaluation.against import read_verdict
from train.evaluation.evaluate import NETWORK, evaluate, shown_predictor
from train.evaluation.fold_words import fold_table
from train.evaluation.held_out import HeldOut, load_held_out, save_held_out
from train.evaluation.metrics import RATING_METRICS
from train.evaluation.plots import DARK, LIGHT
from train.evaluation.ranking_metrics import CUTOFFS
from train.evaluation.ranking_words import MEASURES, compare_with_popular, explain_rankings, ranking_names, rows_at
from train.evaluation.reference import REFERENCE, add_reference
from train.evaluation.report_pictures import Picture, pictures
from train.evaluation.report_templates import template
from train.evaluation.split_words import describe_split
from train.evaluation.verdict import doubt
from train.output import ARTIFACT, HELD_OUT, METRICS

REPORT = "report.html"
PICTURES = "report"
_ORDER = ("global_mean", "movie_mean", "shrunken_bias", REFERENCE, NETWORK)
_GROUPS = {"known": "Known users and {}", "all": "All held-out ratings", "new_user": "New users"}


@dataclass(frozen=True)
class ReportConfig:
    """Write the report on a version: one page with its errors, baselines and pictures."""

    folder: Path = Path("build/1.0")
    """What `python -m train` wrote; the report is report.html in it, its pictures lie in report/."""
    reference: bool = False
    """Train the reference network on the same split for its line in the table; it is kept until the next training."""
    verdict: Path | None = None
    """The verdict on this version beside another, as `make compare` writes it, to show."""
    data: str | Path = Path("build/demo")
    """The ratings that the version was trained on; needed with --reference alone."""


class Line(NamedTuple):
    """A line of the table of errors: a predictor, its errors, and what the network's are less than them."""

    name: str
    figures: dict[str, float]


def write_report(config: ReportConfig) -> Path:
    """Writes the page and its pictures; returns the page's path.

    Raises:
        DataError: the folder's files are missing, or not of one run; or the version has nothing to report.
    """
    artifact = _artifact(config.folder)
    why = _why_unmeasured(artifact.metadata)
    page = _own_page(config, artifact) if why is None else _page_beside(config, artifact, why)
    target = config.folder / REPORT
    with atomic_write(target) as partial:
        partial.write_text(page, encoding="utf-8")
    return target


def _own_page(config: ReportConfig, artifact: Artifact) -> str:
    metrics, held_out = _measured(config.folder, artifact)
    if config.reference and held_out is not None:
        held_out = add_reference(held_out, metrics, config.data)
        save_held_out(held_out, config.folder / HELD_OUT, metrics["digest"])
    folder = config.folder / PICTURES
    folder.mkdir(exist_ok=True)
    sections: dict[str, list[dict[str, str]]] = {}
    for picture in pictures(artifact, metrics, held_out):
        sections.setdefault(picture.section, []).append(_embedded(picture, folder))
    words = Vocabulary.of(metrics)
    return template("report.html.jinja").render(
        vocabulary=words,
        metrics=metrics,
        metric_names=list(RATING_METRICS),
        metadata=artifact.metadata,
        sections=sections,
        tables=dict(error_tables(metrics["metrics"], held_out, words)),
        has_reference=held_out is not None and REFERENCE in held_out.predictions,
        split=describe_split(metrics["split"]),
        doubt=doubt(metrics["metrics"], words),
        folds=fold_table(metrics, words),
        rankings=ranking_tables(metrics.get("rankings", {}), words),
        against=None if config.verdict is None else read_verdict(config.verdict, words),
        sampled=held_out is not None and len(held_out) < metrics["metrics"]["all"][NETWORK]["rows"],
    )


def _page_beside(config: ReportConfig, artifact: Artifact, why: str) -> str:
    """The page of a version that has no measures of its own, only a verdict."""
    if config.verdict is None:
        way = "`make report VERSION=... WITH=...` shows this version beside another one"
        raise DataError(f"{config.folder}: {why}: {way}")
    if config.reference:
        raise DataError(f"--reference: {config.folder}: {why}: leave --reference out")
    words = Vocabulary.of(artifact.metadata)
    against = read_verdict(config.verdict, words)
    return template("beside.html.jinja").render(against=against, vocabulary=words, why=why[0].upper() + why[1:])


def error_tables(
    results: dict[str, Any], held_out: HeldOut | None, words: Vocabulary = MOVIES
) -> Iterator[tuple[str, list[Line]]]:
    """By group of rows the lines of its table, the network last; the reference's only where it was trained."""
    again = evaluate(held_out) if held_out is not None else {}
    for group, by_predictor in results.items():
        figures = dict(by_predictor)
        if REFERENCE in again.get(group, {}):
            figures[REFERENCE] = again[group][REFERENCE]
        yield (
            _GROUPS[group].format(words.items),
            [Line(shown_predictor(name, words), figures[name]) for name in _ORDER if name in figures],
        )


def ranking_tables(rankings: dict[str, Any], words: Vocabulary = MOVIES) -> dict[str, Any]:
    """The words and tables on rankings, or {} where none were measured: `tables` by meaning of the gains."""
    if not rankings:
        return {}
    tables = {
        meaning: [row for cutoff in CUTOFFS for row in rows_at(rankings, measure, cutoff)]
        for measure, meaning in MEASURES.items()
    }
    told = {"compared": compare_with_popular(rankings, words), "explained": explain_rankings(rankings, words)}
    return {"names": ranking_names(rankings), "tables": tables, **told}


def _artifact(folder: Path) -> Artifact:
    if not (folder / METRICS).is_file() and not (folder / ARTIFACT).is_file():
        raise DataError(f"{folder / METRICS}: no such file: train this version first")
    return load_artifact(folder / ARTIFACT)


def _why_unmeasured(metadata: dict[str, Any]) -> str | None:
    """Why a version cannot have measures of its own; None if it can have them."""
    if metadata.get("updates"):
        trained = metadata["metrics_of"]["version"]
        return (
            f"version {trained} with new ratings taken in, none of them held out to report on; "
            f"version {trained} has a report of its own"
        )
    if "adopted" in metadata:
        return "its network was trained elsewhere, so no ratings are held out to report on"
    return None


def _measured(folder: Path, artifact: Artifact) -> tuple[dict[str, Any], HeldOut | None]:
    path = folder / METRICS
    if not path.is_file():
        raise DataError(f"{path}: no such file: train this version again")
    metrics = json.loads(path.read_text(encoding="utf-8"))
    if metrics["digest"] != artifact.metadata["digest"]:
        raise DataError(f"{path}: of another run than {ARTIFACT}: train this version again")
    held_out = load_held_out(folder / HELD_OUT, metrics["digest"]) if metrics["metrics"] else None
    return metrics, held_out


def _embedded(picture: Picture, folder: Path) -> dict[str, str]:
    """The picture written for light and for dark paper, and as data URIs."""
    texts = {"title": picture.title, "caption": picture.caption}
    for key, theme, suffix in (("light", LIGHT, ""), ("dark", DARK, "-dark")):
        path = folder / f"{picture.name}{suffix}.png"
        picture.save(path, theme)
        texts[key] = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return texts


def main(arguments: list[str] | None = None) -> int:
    """Writes the report of a version; returns the exit status."""
    config = tyro.cli(ReportConfig, prog="python -m train.evaluation.report", args=arguments)
    return run_command("report", lambda: f"wrote {write_report(config)}")


if __name__ == "__main__":
    sys.exit(main())
