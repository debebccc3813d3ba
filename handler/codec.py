"""Which protocol a request speaks, and its decoding: bytes in; asks, and the function that writes the response, out."""

from __future__ import annotations

from handler.body import check_body, is_deeper, parse_json, too_deep, without_nulls
from handler.bulk_json import read_tensors
from handler.errors import RequestError, shown
from handler.json_codec import JsonCodec
from handler.oip_codec import HEADER_LENGTH, OipCodec, without_data
from handler.request import DecodedRequest, Request
from handler.settings import HandlerSettings
from model.vocabulary import Vocabulary

_HEADER_LENGTH = HEADER_LENGTH.lower()


class Codec:
    """Decodes every request of the contract: JSON asks, instances (KServe 1), tensors (Open Inference Protocol 2)."""

    def __init__(self, json: JsonCodec, oip: OipCodec, settings: HandlerSettings, words: Vocabulary) -> None:
        self._json = json
        self._oip = oip
        self._settings = settings
        self._pair = f"user_id and {words.item_id}"
        self._example = f'{{"user_id": ..., "{words.item_id}": ...}}'

    def decode_request(self, request: Request) -> DecodedRequest:
        """One client's request -> its asks, and how to encode their answers.

        Raises:
            RequestError: what was got, what is allowed, and where.
        """
        raw = check_body(request, self._settings, self._example)
        tail: bytes | memoryview = b""
        if (length := request.headers.get(_HEADER_LENGTH)) is not None:
            raw, tail = _split_tensors(raw, length)
        body = read_tensors(raw) or parse_json(raw, self._settings, self._example)
        explain = request.endpoint == "explanations"
        try:
            if not isinstance(body, dict):
                raise RequestError(f"body: expected an object, got {shown(body)}")
            body = without_nulls(body)
            if "inputs" not in body:
                return self._json.decode_body(body, explain)
            if explain:
                raise RequestError(f"inputs: columns have no explanations, expected {self._pair}")
            decoded = self._oip.decode_tensors(body, tail, request.has_headers)
            if is_deeper(without_data(body), self._settings.max_depth):
                raise too_deep(self._settings)
            return decoded
        except RequestError:
            # A body that decodes has a known, shallow shape, except for fields of columns that nobody reads. So only a
            # body that does not decode is measured whole.
            if is_deeper(body, self._settings.max_depth):
                raise too_deep(self._settings) from None
            raise


def _split_tensors(raw: object, length: str) -> tuple[bytes, memoryview]:
    """The JSON, which is `length` bytes long, and the raw tensors after it, which are not copied."""
    if not isinstance(raw, bytes | bytearray):
        raise RequestError(f"body: expected bytes under the header {HEADER_LENGTH}")
    # Python converts no more than 4,300 digits, and no length has more than these.
    if not (length.isascii() and length.isdigit() and len(length) < 20 and int(length) <= len(raw)):
        raise RequestError(f"{HEADER_LENGTH}: got {shown(length)}, expected 0 to {len(raw)}")
    return bytes(raw[: int(length)]), memoryview(raw)[int(length) :]
