"""The rankings of a training in its model card."""

from __future__ import annotations

from typing import Any

from model.vocabulary import Vocabulary
from train.evaluation.ranking_metrics import CUTOFFS, RANKING_METRICS
from train.evaluation.ranking_words import MEASURES, compare_with_popular, explain_rankings, ranking_names, rows_at

_SHOWN_AT = 10


def ranking_section(rankings: dict[str, Any], words: Vocabulary) -> str:
    """Markdown: every metric of every ranking at a cutoff of 10; metrics.json has the other cutoffs."""
    parts = [f"### Rankings\n\n{compare_with_popular(rankings, words)}. {explain_rankings(rankings, words)}"]
    names = ranking_names(rankings)
    for measure, meaning in MEASURES.items():
        lines = [f"| {' | '.join(['metric', *names])} |", "|---|" + "--:|" * len(names)]
        lines += [f"| {' | '.join([metric, *figures])} |" for metric, figures in rows_at(rankings, measure, _SHOWN_AT)]
        parts.append("\n".join([f"{meaning}.", "", *lines]))
    return "\n\n".join(parts)


def ranking_result(rankings: dict[str, Any], file: str) -> dict[str, Any]:
    """The entry of a model-index: every metric of the served ranking at every cutoff, in full."""
    figures = next(iter(rankings["liked"].values()))
    names = [f"{name}@{cutoff}" for cutoff in CUTOFFS for name in RANKING_METRICS]
    return {
        "task": {"type": "ranking", "name": "Recommendation"},
        "dataset": {"type": "ratings", "name": file, "split": "held out, rankings"},
        "metrics": [{"type": name, "name": name, "value": figures[name]} for name in names],
    }
