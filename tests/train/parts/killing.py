"""A training by parts that dies among its sweeps."""

from typing import Any

import pytest

from train.factors.sweep import sweep
from train.parts import fit as fitting


def killed_after(parts: int, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Lets a training die once it has solved so many parts; every sweep is kept. Returns the list that it fills."""
    solved: list[object] = []

    def dying(*arguments: Any) -> None:
        state, data, config, advance = arguments

        def count(*part: Any) -> None:
            solved.append(advance(*part))
            if len(solved) == parts:
                raise KeyboardInterrupt

        sweep(state, data, config, count)

    monkeypatch.setattr(fitting, "sweep", dying)
    monkeypatch.setattr(fitting, "_SAVED_EVERY_S", 0.0)
    return solved
