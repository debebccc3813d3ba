"""`auto` can detect every format of `--format`."""

import inspect
import re

from train import readers


def test_detection_can_return_every_format() -> None:
    returned = re.findall(r'return "(\w+)"(?: if .* else "(\w+)")?', inspect.getsource(readers))
    assert {name for names in returned for name in names if name} == set(readers.FORMATS)
