"""What can be asked of a model, and what it answers: plain values between the codecs and the predictor.

Each module here holds one kind of ask: its values, its answer and how the answer is computed. A new kind needs a module
here, and one in `handler/asks/` where clients may ask it.
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

# The predictor plans all single pairs of a batch together; every other ask plans itself.
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
