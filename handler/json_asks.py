"""Items of JSON, a body or the entries of `instances`, become asks: which kind an item is of, and the plain pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from handler.asks import AskKinds
from handler.asks.base import AskCodec, AskContext, DecodedItem, UserAskCodec
from handler.asks.pair import PairCodec
from handler.body import without_nulls
from handler.errors import RequestError, shown
from handler.fold_in import FoldInCodec
from handler.own_words import with_own_words
from handler.string_ids import AS_STRINGS, wants_string_ids

CodecT = TypeVar("CodecT", bound=AskCodec[Any, Any])


class JsonAsks:
    """The kinds of asks of one model."""

    def __init__(self, context: AskContext, kinds: AskKinds) -> None:
        codecs = [kind(context) for kind in kinds]
        self.predictions = [codec for codec in codecs if not codec.explains]
        self.explanations = [codec for codec in codecs if codec.explains]
        self.can_fold_in = bool(context.fold_in_fields)
        self._words = context.words
        self.pair = PairCodec(context)
        self.folded = {codec: FoldInCodec(context, codec) for codec in codecs if isinstance(codec, UserAskCodec)}

    def decode_item(self, item: object, where: str, explain: bool) -> DecodedItem:
        """An item that lies at `where` (empty for a whole body), as an explanation or as what its fields ask for.

        Raises:
            RequestError: what was got, what is allowed, and where.
        """
        if not isinstance(item, dict):
            raise RequestError(f"{where}: expected an object, got {shown(item)}")
        if not explain and (ask := self.pair.decode_plain(item)) is not None:
            return DecodedItem(self.pair, ask)
        prefix = f"{where}." if where else ""
        item = with_own_words(without_nulls(item), prefix, self._words)
        string_ids = wants_string_ids(item, prefix)
        fields = {name: value for name, value in item.items() if name != AS_STRINGS}
        codec = self._find_codec(fields, explain)
        return DecodedItem(codec, codec.decode_item(fields, prefix), string_ids)

    def _find_codec(self, item: dict[str, Any], explain: bool) -> AskCodec[Any, Any]:
        codecs = self.explanations if explain else self.predictions
        if not item.keys().isdisjoint(FoldInCodec.marks):
            return self.folded[_first_that_fits(item, [codec for codec in codecs if codec in self.folded])]
        return _first_that_fits(item, codecs)


def _first_that_fits(item: dict[str, Any], codecs: Sequence[CodecT]) -> CodecT:
    """The first codec with a mark among the item's fields, or the one without marks."""
    for codec in codecs:
        if not item.keys().isdisjoint(codec.marks):
            return codec
    return next(codec for codec in codecs if not codec.marks)
