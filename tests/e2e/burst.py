"""A burst of requests over many connections. Each request has a different movie id, which its answer repeats."""

from __future__ import annotations

import re
import selectors
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

_FIRST_ID = 10**9
_LAST_ANSWER_S = 120


def send_burst(address: str, number: int, connections: int) -> int:
    """Sends this many requests, one at a time on each connection; returns how many were answered.

    Raises:
        AssertionError: an answer is missing, wrong or doubled.
    """
    place = urlsplit(address)
    ids = iter(range(_FIRST_ID, _FIRST_ID + number))
    selector = selectors.DefaultSelector()
    clients = []
    for _ in range(connections):
        connection = socket.create_connection((place.hostname, place.port or 80), timeout=_LAST_ANSWER_S)
        clients.append(_Client(connection, lambda: next(ids, None)))
        selector.register(connection, selectors.EVENT_READ, clients[-1])
    waiting = sum(client.send() for client in clients)
    while waiting:
        ready = selector.select(_LAST_ANSWER_S)
        assert ready, f"{waiting} requests have no answer after {_LAST_ANSWER_S} s"
        waiting -= sum(not key.data.read() for key, _ in ready)
    for client in clients:
        client.check_nothing_is_left()
    return sum(client.answered for client in clients)


class _Client:
    """One connection, and the id of the request that it waits for."""

    def __init__(self, connection: socket.socket, next_id: Callable[[], int | None]) -> None:
        self._connection = connection
        self._next_id = next_id
        self._received = b""
        self._id: int | None = None
        self.answered = 0

    def send(self) -> bool:
        """Sends the next request; False if there is none."""
        self._id = self._next_id()
        if self._id is not None:
            self._connection.sendall(_request(self._id))
        return self._id is not None

    def read(self) -> bool:
        """Reads, and sends the next request if the answer is complete; False if there is none."""
        self._received += self._connection.recv(65536)
        if not self._received.endswith(b"}"):
            return True
        assert [int(one) for one in _answers(self._received)] == [self._id], self._received
        self._received = b""
        self.answered += 1
        return self.send()

    def check_nothing_is_left(self) -> None:
        """Sends one more request. A second answer to an earlier one would come before its answer."""
        self._connection.sendall(_request(1))
        assert list(_answers(self._connection.recv(65536))) == [b"1"]
        self._connection.close()


def _request(movie_id: int) -> bytes:
    body = b'{"user_id":1,"movie_id":%d}' % movie_id
    head = (
        b"POST /predictions/ncf HTTP/1.1\r\nhost: ncf\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    )
    return head % len(body) + body


def _answers(received: bytes) -> Iterator[bytes]:
    """The movie id of each answer of status 200."""
    assert received.count(b"HTTP/1.1 ") == received.count(b"HTTP/1.1 200 "), received
    return (found[1] for found in re.finditer(rb'"movie_id":(\d+)', received))
