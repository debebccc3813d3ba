"""PyTorch still scripts, saves and loads networks here. Else read "Why TorchScript" in docs/architecture.md."""

import io
import sys
import warnings

import torch

from model.torchscript import quiet_torchscript
from tests.model.conftest import random_factor_network

SAID = "deprecated" if sys.version_info < (3, 14) else "not supported in Python 3.14+ and may break"
PAIRS = torch.cartesian_prod(torch.arange(21), torch.arange(11)).T


def test_pytorch_supports_torchscript_on_this_python() -> None:
    """PyTorch's warnings say that it is deprecated, and from Python 3.14 on more than that; it works on both."""
    network = random_factor_network()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        file = io.BytesIO()
        torch.jit.save(torch.jit.script(network), file)
        file.seek(0)
        loaded = torch.jit.load(file)
    torch.testing.assert_close(loaded(*PAIRS), network(*PAIRS), atol=1e-6, rtol=0)
    expected = {f"`torch.jit.{name}` is {SAID}" for name in ("script", "save", "load")}
    assert {str(one.message).partition(". ")[0] for one in told} == expected


def test_its_warnings_are_hidden_and_no_others() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with quiet_torchscript():
            torch.jit.script(random_factor_network())
            warnings.warn("something else", DeprecationWarning, stacklevel=1)
    assert [str(one.message) for one in told] == ["something else"]
