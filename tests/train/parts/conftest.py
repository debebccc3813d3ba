"""A small file of ratings, and options that train on it in a second."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from train.__main__ import parse_options
from train.parts.config import PartsConfig
from train.parts.group import Group
from train.parts.run import run

Train = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def train(small_file: Path, quick_options: list[str]) -> Train:
    """Trains into a folder, with more options."""

    def trained(out: Path, *options: str, data: Path | str = small_file) -> dict[str, Any]:
        words = ["--data", str(data), "--out", str(out), *quick_options, "--ranking-users", "50", *options]
        return run(parse_options(words, PartsConfig), Group())

    return trained


@pytest.fixture(scope="session")
def usual(train: Train, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a training by parts gives, in one process."""
    return train(tmp_path_factory.mktemp("usual") / "1.0")
