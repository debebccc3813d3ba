"""Asks and answers: the plain values that pass between the codecs and the predictor.

Each module here defines one kind of ask: its values, its answer, and how the answer is computed. A new kind needs a
module here, and one in `handler/asks/` if clients may send it.
"""

from __future__ import annotations

from model.asks.about import AboutAnswer, AboutAsk
from model.asks.base import Answer, Call, PlannedAsk, RawId, Run, ServedModel, User, UserAsk
from model.asks.best import BestAnswer, BestAsk
from model.asks.columns import ColumnsAnswer, ColumnsAsk
from model.asks.explanation import ExplainAnswer, ExplainAsk
from model.asks.fold_in import FoldInAnswer, FoldInAsk
from model.asks.pair import PairAnswer, PairAsk
from model.asks.search import SearchAnswer, SearchAsk
from model.asks.similar import SimilarAnswer, SimilarAsk
from model.asks.users import UsersAnswer, UsersAsk

# The predictor plans all single pairs of a batch together; every other ask has its own `plan`.
Ask = PairAsk | PlannedAsk

__all__ = [
    "AboutAnswer",
    "AboutAsk",
    "Answer",
    "Ask",
    "BestAnswer",
    "BestAsk",
    "Call",
    "ColumnsAnswer",
    "ColumnsAsk",
    "ExplainAnswer",
    "ExplainAsk",
    "FoldInAnswer",
    "FoldInAsk",
    "PairAnswer",
    "PairAsk",
    "PlannedAsk",
    "RawId",
    "Run",
    "SearchAnswer",
    "SearchAsk",
    "ServedModel",
    "SimilarAnswer",
    "SimilarAsk",
    "User",
    "UserAsk",
    "UsersAnswer",
    "UsersAsk",
]
