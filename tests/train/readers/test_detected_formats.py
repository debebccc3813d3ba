"""A format that `--format` knows is one that `auto` can find."""

import inspect
import re

from train import readers


def test_every_format_is_one_that_detection_can_return() -> None:
    returned = re.findall(r'return "(\w+)"(?: if .* else "(\w+)")?', inspect.getsource(readers))
    assert {name for names in returned for name in names if name} == set(readers.FORMATS)
