"""The kinds of asks that clients send as JSON. Each module here decodes, encodes and describes one kind.

A new kind is a module here, a line in `ASKS`, and a module in `model/asks/`. A mistake in the table, or a module that
it does not name, fails when this package is imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_type_hints

from handler.asks.about import AboutCodec
from handler.asks.base import AskCodec, UserAskCodec
from handler.asks.best import BestCodec
from handler.asks.explanation import ExplanationCodec
from handler.asks.pair import PairCodec
from handler.asks.search import SearchCodec
from handler.asks.similar import SimilarCodec
from handler.asks.users import UsersCodec
from model.asks import PairAsk

AskKinds = Sequence[type[AskCodec[Any, Any]]]

ASKS: AskKinds = (
    SimilarCodec,
    SearchCodec,
    UsersCodec,
    AboutCodec,
    PairCodec,
    BestCodec,
    ExplanationCodec,
)
_MODULES_WITHOUT_A_KIND = {"__init__", "base"}


def check_asks(kinds: AskKinds) -> None:
    """Checks that each kind of ask is complete, and that it can be told from the others.

    Raises:
        TypeError: what is missing, and where.
    """
    for kind in kinds:
        lacking = sorted(kind.__abstractmethods__)
        lacking += [name for name in ("name", "answer_name", "marks") if not hasattr(kind, name)]
        if lacking:
            raise TypeError(f"{inspect.getfile(kind)}: {kind.__name__} lacks {', '.join(lacking)}")
        _check_values(kind)
    for names in ([kind.name for kind in kinds], [kind.answer_name for kind in kinds]):
        for name in names:
            if names.count(name) > 1:
                raise TypeError(f"{name}: two kinds of asks have this name; give each its own")
    for explains in (False, True):
        rest = [kind.__name__ for kind in kinds if kind.explains is explains and not kind.marks]
        if len(rest) != 1:
            raise TypeError(f"expected one kind without marks where explains is {explains}, got {rest}")


def check_folder(folder: Path, kinds: AskKinds) -> None:
    """Checks that the table names a kind of every module in the folder.

    Raises:
        ImportError: it does not.
    """
    named = {kind.__module__.rsplit(".", 1)[-1] for kind in kinds}
    unnamed = sorted({path.stem for path in folder.glob("*.py")} - named - _MODULES_WITHOUT_A_KIND)
    if unnamed:
        raise ImportError(f"{folder / unnamed[0]}.py: its kind of ask is not in ASKS; add it in {folder}/__init__.py")


def _check_values(kind: type[AskCodec[Any, Any]]) -> None:
    """The values that a kind decodes to and encodes from must have what the predictor and the metrics call."""
    hints = get_type_hints(kind.encode_answer)
    needed = [(hints["answer"], name) for name in ("num_pairs", "num_unknown")]
    if hints["ask"] is not PairAsk:
        needed.append((hints["ask"], "plan"))
    if issubclass(kind, UserAskCodec):
        needed.append((hints["ask"], "plan_for"))
    for value, method in needed:
        if not hasattr(value, method):
            raise TypeError(f"{inspect.getfile(value)}: {value.__name__} lacks {method}")


check_asks(ASKS)
check_folder(Path(__file__).parent, ASKS)
