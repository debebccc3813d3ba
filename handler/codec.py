"""Which protocol a request speaks, and its decoding: bytes in, asks and the way back out."""

from __future__ import annotations

from handler.body import find_body, is_deeper, parse_json, too_deep
from handler.bulk_json import read_tensors
from handler.errors import RequestError, shown
from handler.given_ratings import GivenRatings
from handler.json_answers import JsonAnswers
from handler.json_asks import JsonAsks
from handler.json_codec import JsonCodec
from handler.oip_codec import HEADER_LENGTH, OipCodec, without_data
from handler.request import Incoming, Request
from handler.settings import HandlerSettings
from model.artifact import Artifact

_HEADER_LENGTH = HEADER_LENGTH.lower()


class Codec:
    """Decodes every request of the contract: JSON asks, instances (KServe 1), tensors (Open Inference Protocol 2)."""

    def __init__(self, json: JsonCodec, oip: OipCodec, settings: HandlerSettings) -> None:
        self._json = json
        self._oip = oip
        self._settings = settings

    def decode(self, incoming: Incoming) -> Request:
        """One client's request -> its asks and how to encode their answers.

        Raises:
            RequestError: what was got, what is allowed, and where.
        """
        raw = find_body(incoming, self._settings)
        tail = b""
        if "data" not in incoming.row and (length := incoming.headers.get(_HEADER_LENGTH)) is not None:
            raw, tail = self._cut(raw, length)
        body = read_tensors(raw) or parse_json(raw, self._settings)
        explain = incoming.headers.get("explain") == "True"
        try:
            if not isinstance(body, dict):
                raise RequestError(f"body: expected an object, got {shown(body)}")
            if "inputs" not in body:
                return self._json.decode(body, explain)
            if explain:
                raise RequestError("inputs: columns have no explanations, expected user_id and movie_id")
            request = self._oip.decode(body, tail, not incoming.over_grpc)
            if is_deeper(without_data(body), self._settings.max_depth):
                raise too_deep(self._settings)
            return request
        except RequestError:
            # What decodes has a known, shallow shape, but for the fields of columns that nobody reads; only what does
            # not decode has to be measured whole.
            if is_deeper(body, self._settings.max_depth):
                raise too_deep(self._settings) from None
            raise

    def _cut(self, raw: object, length: str) -> tuple[bytes, bytes]:
        """The JSON and the tensors after it."""
        if not isinstance(raw, bytes | bytearray):
            raise RequestError(f"body: expected bytes under the header {HEADER_LENGTH}")
        # Python converts no more than 4,300 digits, and no length has more than these.
        if not (length.isascii() and length.isdigit() and len(length) < 20 and int(length) <= len(raw)):
            raise RequestError(f"{HEADER_LENGTH}: got {shown(length)}, expected 0 to {len(raw)}")
        return bytes(raw[: int(length)]), bytes(raw[int(length) :])


def make_codec(artifact: Artifact, settings: HandlerSettings, model_name: str, model_version: str) -> Codec:
    """The codec of one model."""
    ids = (artifact.user_ids, artifact.movie_ids)
    can_encode = hasattr(artifact.network, "encode_users")
    given = GivenRatings(artifact.movie_ids, artifact.scale, can_encode, settings.max_ratings)
    asks = JsonAsks(*ids, artifact.catalogue, settings, given)
    json = JsonCodec(asks, JsonAnswers(artifact.catalogue, settings), settings)
    return Codec(json, OipCodec(*ids, settings, model_name, model_version), settings)
