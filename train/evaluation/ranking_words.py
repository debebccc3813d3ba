"""Rankings as text: the table on the screen, and one line on what they are worth."""

from __future__ import annotations

from typing import Any

from train.evaluation.ranking_scores import MOST_POPULAR

HEADLINE = "ndcg@10"
_SHOWN = (HEADLINE, "recall@10", "hit_rate@10", "coverage@10")


def format_rankings(rankings: dict[str, Any]) -> str:
    """The rankings of metrics.json as text: a line for each, then `compare_with_popular`."""
    title = f"rankings ({rankings['users']:,} users)"
    lines = [f"{title:30}" + "".join(f"{metric:>13}" for metric in _SHOWN)]
    for name, figures in rankings["liked"].items():
        lines.append(f"{name:30}" + "".join(f"{figures[metric]:13.4f}" for metric in _SHOWN))
    return "\n".join([*lines, compare_with_popular(rankings)])


def compare_with_popular(rankings: dict[str, Any]) -> str:
    """How much better the first ranking, which is served, is than `most_popular`; if it is not better, that."""
    served = next(iter(rankings["liked"]))
    against = rankings["against_most_popular"][served][HEADLINE]
    popular = rankings["liked"][MOST_POPULAR][HEADLINE]
    interval = f"nDCG@10 {against['mean']:+.4f}, 95 % interval {against['low']:+.4f} to {against['high']:+.4f}"
    if against["high"] < 0:
        return f"the order by {served} is worse than the most popular movies: {interval}"
    if against["low"] <= 0:
        return f"the order by {served} is not shown to be better than the most popular movies: {interval}"
    share = f"{against['mean'] / popular:.0%} better" if popular else "better"
    return f"the order by {served} is {share} than the most popular movies: {interval}"
