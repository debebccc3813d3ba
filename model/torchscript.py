"""TorchScript is deprecated, but artifacts are TorchScript files. This silences its warnings, and no others."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_torchscript() -> Iterator[None]:
    """Hides the deprecation warnings of `torch.jit` while the block runs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*torch.jit.*")
        warnings.filterwarnings("ignore", category=FutureWarning, message=".*torch.jit.*")
        yield
