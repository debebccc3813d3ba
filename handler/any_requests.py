"""Requests of any kind, one by one: what each asks for, and what it gets. A fault of the server is logged here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handler.codec import Codec
from handler.errors import RequestError, too_large
from handler.page import asks_for_page
from handler.request import DecodedRequest, Endpoint, Request, Response
from handler.request_log import RequestLog
from model.asks import Answer, Ask

Outcome = DecodedRequest | RequestError


class AnyRequests:
    """Decodes and encodes the requests of a batch.

    `about` has the answered request of each endpoint that asks about the model. `page` is the answered request of a
    browser; None: there is no page. `most_bytes`: of one answer.
    """

    def __init__(
        self,
        codec: Codec,
        about: Mapping[Endpoint, DecodedRequest],
        page: DecodedRequest | None,
        log: RequestLog,
        most_bytes: int,
    ) -> None:
        self._codec = codec
        self._about = about
        self._page = page
        self._log = log
        self._most_bytes = most_bytes

    def decode(self, request: Request) -> Outcome:
        """The decoded request, or the reason why it cannot be answered."""
        if request.endpoint in self._about:
            return self._about[request.endpoint]
        if not request.body and self._page is not None and asks_for_page(request):
            return self._page
        try:
            return self._codec.decode_request(request)
        except RequestError as error:
            return error
        except Exception as error:
            return self.report_fault(request, error)

    def encode(
        self, requests: Sequence[Request], outcomes: Sequence[Outcome], answers: Sequence[Answer]
    ) -> list[Response]:
        """One response for each request; `answers` are those to the asks of all outcomes, in order."""
        responses = []
        start = 0
        for request, outcome in zip(requests, outcomes, strict=True):
            end = start + (len(outcome.asks) if isinstance(outcome, DecodedRequest) else 0)
            responses.append(self._encode(request, outcome, answers[start:end]))
            start = end
        return responses

    def report_fault(self, request: Request, error: Exception) -> RequestError:
        """Logs a fault of the server, and gives the error that the client sees instead."""
        self._log.write_fault(request, error)
        return RequestError("the server failed on this request; its log tells why", 500, "InternalError")

    def _encode(self, request: Request, outcome: Outcome, answers: Sequence[Answer]) -> Response:
        if isinstance(outcome, RequestError):
            return outcome.to_response()
        try:
            response = outcome.encode(answers)
            if len(response.body) > self._most_bytes:
                raise too_large("answer", len(response.body), "bytes", self._most_bytes)
            return response
        except RequestError as error:
            return error.to_response()
        except Exception as error:
            return self.report_fault(request, error).to_response()


def asks_of(outcomes: Sequence[Outcome]) -> list[Ask]:
    """The asks of all requests that could be decoded, in order."""
    return [ask for outcome in outcomes if isinstance(outcome, DecodedRequest) for ask in outcome.asks]
