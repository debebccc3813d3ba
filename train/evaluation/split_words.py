"""The split of a version in words, for the report and the model card."""

from __future__ import annotations

from typing import Any


def describe_split(split: dict[str, Any]) -> str:
    """Which rows were held out, as the end of a sentence; "" where none were."""
    kind = split.get("kind", "random")  # versions of before there was a choice name none
    if kind == "test-file":
        return f"the ratings of the test file {split['file']}"
    if not split.get("test_size"):
        return ""
    share, drawn = f"{100 * split['test_size']:.0f} %", f"drawn with seed {split['seed']}"
    return {
        "random": f"{share} of the rows, {drawn}",
        "time": f"the last {share} of the rows by time",
        "time-per-user": f"the last {share} of each user's rows by time",
        "leave-last-out": "the last row by time of each user with two or more",
        "users": f"all but {split.get('given')} rows of {share} of the users with more, users and rows {drawn}",
    }[kind]
