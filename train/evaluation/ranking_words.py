"""Rankings as text: the tables of the screen, the model card and the report, and one line on what they are worth."""

from __future__ import annotations

from typing import Any

from model.vocabulary import MOVIES, Vocabulary, counted
from train.evaluation.ranking_metrics import RANKING_METRICS
from train.evaluation.ranking_scores import MOST_POPULAR

MEASURES = {
    "liked": "Relevant: held-out ratings at or above the user's mean in training",
    "graded": "Gain: the held-out rating, counted from 1 at the lowest of the scale",
}
RANKINGS = {
    "blend": "by interest and rating",
    "interest": "by interest",
    "rating": "by predicted rating",
    MOST_POPULAR: "most popular",
    "best_shrunken_mean": "best shrunken mean",
    "random": "random",
}
HEADLINE = "ndcg@10"
_SHOWN = (HEADLINE, "recall@10", "hit_rate@10", "coverage@10")


def format_rankings(rankings: dict[str, Any], words: Vocabulary = MOVIES) -> str:
    """The rankings of metrics.json as text: a line for each, then `compare_with_popular`."""
    title = f"rankings ({counted(rankings['users'], 'user')})"
    lines = [f"{title:30}" + "".join(f"{metric:>13}" for metric in _SHOWN)]
    for name, figures in rankings["liked"].items():
        lines.append(f"{name:30}" + "".join(f"{figures[metric]:13.4f}" for metric in _SHOWN))
    return "\n".join([*lines, compare_with_popular(rankings, words)])


def compare_with_popular(rankings: dict[str, Any], words: Vocabulary = MOVIES) -> str:
    """How much better the first ranking, which is served, is than `most_popular`; if it is not better, that."""
    served = next(iter(rankings["liked"]))
    against = rankings["against_most_popular"][served][HEADLINE]
    popular = rankings["liked"][MOST_POPULAR][HEADLINE]
    interval = f"nDCG@10 {against['mean']:+.4f}, 95 % interval {against['low']:+.4f} to {against['high']:+.4f}"
    if against["high"] < 0:
        return f"The order by {served} is worse than the most popular {words.items}: {interval}"
    if against["low"] <= 0:
        return f"The order by {served} is not shown to be better than the most popular {words.items}: {interval}"
    times = f"{1 + against['mean'] / popular:.2f} times as good as" if popular else "better than"
    return f"The order by {served} is {times} the most popular {words.items}: {interval}"


def rows_at(rankings: dict[str, Any], measure: str, cutoff: int) -> list[tuple[str, list[str]]]:
    """The table of a measure, `liked` or `graded`: by metric at this cutoff its figure for every ranking, as text."""
    by_ranking = rankings[measure].values()
    names = [f"{name}@{cutoff}" for name in RANKING_METRICS]
    return [(name, [as_text(figures[name]) for figures in by_ranking]) for name in names]


def as_text(figure: float) -> str:
    """Four decimals of a share, two of anything larger, so that the table fits a phone."""
    return f"{figure:.4f}" if abs(figure) <= 1 else f"{figure:.2f}" if abs(figure) < 100 else f"{figure:.0f}"


def ranking_names(rankings: dict[str, Any]) -> list[str]:
    """The rankings in words, the served one first."""
    return [RANKINGS.get(name, f"by {name}") for name in rankings["liked"]]


def explain_rankings(rankings: dict[str, Any], words: Vocabulary = MOVIES) -> str:
    """What was ranked, for whom, and what the last three metrics mean."""
    users = counted(rankings["users"], "user")
    return (
        f"All of {rankings['movies']:,} {words.items} are ranked for {users}, without what they "
        "rated in training. Coverage is the share of the catalogue that stands in a list. Novelty is the mean number "
        f"of bits by which the raters of {words.an_item} are few. Popularity is the mean number of its raters."
    )
