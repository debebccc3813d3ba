"""The figures of `--folds`, for people."""

from __future__ import annotations

from typing import Any, NamedTuple

from model.vocabulary import Vocabulary
from train.evaluation.evaluate import NETWORK, shown_predictor
from train.evaluation.metrics import RATING_METRICS


class FoldTable(NamedTuple):
    """title: what the figures are. rows: by predictor, the network last, mean and deviation of each rating metric."""

    title: str
    rows: dict[str, list[tuple[str, str]]]


def fold_table(metadata: dict[str, Any], words: Vocabulary) -> FoldTable | None:
    """The table of the first group of rows; None if the training had no folds."""
    told = metadata.get("cross_validation")
    if not told:
        return None
    group, by_predictor = next(iter(told["errors"].items()))
    rows = {
        shown_predictor(name, words).replace("_", " "): [
            (f"{figures[metric]['mean']:.4f}", f"{figures[metric]['deviation']:.4f}") for metric in RATING_METRICS
        ]
        for name, figures in sorted(by_predictor.items(), key=lambda item: item[0] == NETWORK)
    }
    return FoldTable(f"Mean ± standard deviation over {told['folds']} folds, {group} rows", rows)


def fold_section(metadata: dict[str, Any], words: Vocabulary) -> str:
    """The table as Markdown, with a blank line before it; empty if the training had no folds."""
    table = fold_table(metadata, words)
    if table is None:
        return ""
    lines = [f"| predictor | {' | '.join(name.upper() for name in RATING_METRICS)} |"]
    lines += ["|---|" + "--:|" * len(RATING_METRICS)]
    for name, cells in table.rows.items():
        lines.append(f"| {name} | {' | '.join(f'{mean} ± {deviation}' for mean, deviation in cells)} |")
    return "\n".join(["", "", f"### Cross-validation\n\n{table.title}.", "", *lines])
