"""Questions about the server itself. They need no prediction, so the ask only names the subject."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.asks.base import NO_ROWS, Call, Run, ServedModel


class AboutAnswer(NamedTuple):
    """The subject of the question; the codec fills in the facts."""

    subject: str

    def num_pairs(self) -> int:
        """None."""
        return 0

    def num_unknown(self) -> int:
        """None."""
        return 0


class AboutAsk(NamedTuple):
    """What does the server say about this subject?"""

    subject: str

    def plan(self, model: ServedModel, call: Call) -> Run[AboutAnswer]:  # noqa: ARG002  every ask gets them
        """No pairs."""

        def finish(ratings: np.ndarray) -> AboutAnswer:  # noqa: ARG001  there are none
            return AboutAnswer(self.subject)

        return Run(NO_ROWS, NO_ROWS, finish)
