"""Free ports, for servers that are started only to measure or to record something."""

from __future__ import annotations

import socket


def free_ports(number: int) -> list[int]:
    """Distinct free ports of the loopback address."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
